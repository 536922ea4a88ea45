import { inArray } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Reader, Writer } from './database.ts';

export type StoredFact = Tables['meetingFacts']['$inferSelect'];

export async function insertFacts(tx: Writer, facts: readonly StoredFact[]): Promise<void> {
  if (facts.length > 0)
    await tx
      .insert(tx.t.meetingFacts)
      .values([...facts])
      .onConflictDoNothing();
}

/** Of several meetings, in no order. */
export async function listFactsOf(db: Reader, meetingIds: readonly string[]): Promise<StoredFact[]> {
  const { meetingFacts } = db.t;
  if (meetingIds.length === 0) return [];
  return db
    .select()
    .from(meetingFacts)
    .where(inArray(meetingFacts.meetingId, [...meetingIds]));
}
