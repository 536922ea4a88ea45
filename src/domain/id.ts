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
  | 'pkg'
  | 'att'
  | 'rec'
  | 'rcl'
  | 'whe'
  | 'dlv'
  | 'dla'
  | 'cst'
  | 'inc'
  | 'aud'
  | 'crt'
  | 'req'
  | 'evt';

/**
 * `<prefix>_` and 26 characters: 48 bits of time in milliseconds, then 80 random bits. Ids made later sort later, which keeps
 * the databases' indexes fast and makes the id a cursor.
 */
export function newId({ now, random }: { now: Clock; random: RandomBytes }, prefix: IdPrefix): string {
  return `${prefix}_${base32(BigInt(now().getTime()), 10)}${base32(BigInt(`0x${random(10).toString('hex')}`), 16)}`;
}

/** Sorts before every id with this prefix that was made at this moment or later. */
export const idBefore = (prefix: IdPrefix, at: Date): string => `${prefix}_${base32(BigInt(Math.max(at.getTime(), 0)), 10)}`;

function base32(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest >>= 5n) text = ALPHABET[Number(rest & 31n)]! + text;
  return text;
}
