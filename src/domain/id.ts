import type { Clock, RandomBytes } from './time.ts';

/** Crockford's base 32: no i, l, o, u. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

export type IdPrefix =
  | 'mkt'
  | 'key'
  | 'cns'
  | 'con'
  | 'grt'
  | 'mtg'
  | 'cal'
  | 'pkg'
  | 'att'
  | 'rec'
  | 'rcl'
  | 'cnt'
  | 'cnl'
  | 'whe'
  | 'dlv'
  | 'dla'
  | 'cst'
  | 'inc'
  | 'std'
  | 'apl'
  | 'ere'
  | 'gst'
  | 'rat'
  | 'ine'
  | 'aud'
  | 'crt'
  | 'req'
  | 'evt';

/**
 * `<prefix>_` and 26 characters: 48 bits of time in milliseconds, then 80 random bits. Ids made later sort later, which keeps
 * the databases' indexes fast and makes the id a cursor.
 */
export function newId({ now, random }: { now: Clock; random: RandomBytes }, prefix: IdPrefix): string {
  return `${prefix}_${timePart(now().getTime())}${base32(random(10))}`;
}

/** Sorts before every id with this prefix that was made at this moment or later. */
export const idBefore = (prefix: IdPrefix, at: Date): string => `${prefix}_${timePart(Math.max(at.getTime(), 0))}`;

/** Ten characters of five bits. Every answer and every row has an id: big integers would take most of the time of making it. */
function timePart(ms: number): string {
  let text = '';
  for (let rest = ms; text.length < 10; rest = Math.floor(rest / 32)) text = ALPHABET[rest % 32]! + text;
  return text;
}

function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let known = 0;
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xfff;
    for (known += 8; known >= 5; known -= 5) text += ALPHABET[(bits >> (known - 5)) & 31]!;
  }
  return text;
}
