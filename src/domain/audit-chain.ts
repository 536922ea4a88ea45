/** What makes a changed, missing or moved audit entry visible: each carries a digest of itself and of the one before it. */
import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';

export interface ChainedEntry {
  readonly id: string;
  readonly marketplaceId: string;
  readonly at: Date;
  readonly action: string;
  readonly subjectId: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** The hash before the first entry. */
export const NO_HASH = '';

/**
 * SHA-256 in hex over a JSON array: version, the hash before, place, and the entry. The details are written with sorted names, because
 * PostgreSQL's jsonb keeps no order of its own.
 */
export function chainHash(entry: ChainedEntry, { seq, previous }: { seq: number; previous: string }): string {
  const { id, marketplaceId, at, action, subjectId, details } = entry;
  const text = canonicalJson([1, previous, marketplaceId, seq, id, at.toISOString(), action, subjectId, details]);
  return createHash('sha256').update(text).digest('hex');
}

/** SHA-256 in hex of words that an entry proves without holding them. */
export const digestOf = (words: string): string => createHash('sha256').update(words).digest('hex');
