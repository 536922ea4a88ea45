import { createHash } from 'node:crypto';
import type { RandomBytes } from './time.ts';

/** A secret to be handed out (API key, join link, recording link): 256 random bits, 43 characters of base64url. */
export const newToken = (random: RandomBytes): string => random(32).toString('base64url');

/** What is stored of it. A random 256-bit token needs no slow hash. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('base64url');

/** A short digest of several parts, unambiguous whatever they contain. */
export const fingerprint = (...parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 32);
