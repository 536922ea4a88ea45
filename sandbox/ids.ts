/** Identifiers in the vendors' spellings, from the caller's randomness. */
export type RandomBytes = (size: number) => Buffer;

const pick = (random: RandomBytes, alphabet: string, size: number): string =>
  Array.from(random(size), (byte) => alphabet[byte % alphabet.length]).join('');

export const letters = (random: RandomBytes, size: number): string => pick(random, 'abcdefghijklmnopqrstuvwxyz', size);
export const alphanumeric = (random: RandomBytes, size: number): string =>
  pick(random, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', size);
/** Never starts with 0. */
export const digits = (random: RandomBytes, size: number): string => pick(random, '123456789', 1) + pick(random, '0123456789', size - 1);
export const secret = (random: RandomBytes, size = 32): string => random(size).toString('base64url');

export function guid(random: RandomBytes): string {
  const hex = random(16).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}
