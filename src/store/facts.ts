import { asc, eq, inArray } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Fact } from '../domain/session.ts';
import { prepared, slot, type Reader, type Writer } from './database.ts';

export type StoredFact = Tables['meetingFacts']['$inferSelect'];

/** False when it is known already. */
export async function insertFact(tx: Writer, fact: StoredFact): Promise<boolean> {
  const { meetingFacts } = tx.t;
  const rows = await tx.insert(meetingFacts).values(fact).onConflictDoNothing().returning({ key: meetingFacts.key });
  return rows.length === 1;
}

const factsOfMeeting = prepared('facts_of_meeting', (db: Reader) => {
  const { meetingFacts } = db.t;
  return db
    .select()
    .from(meetingFacts)
    .where(eq(meetingFacts.meetingId, slot('meetingId', meetingFacts.meetingId)));
});

/** Read anew for every new fact of a meeting. In no order: a set of facts has none. */
export async function listFacts(db: Reader, meetingId: string): Promise<Fact[]> {
  return (await factsOfMeeting(db, { meetingId })).map(factOf);
}

/** Those of several meetings, by meeting. */
export async function listFactsOf(db: Reader, meetingIds: readonly string[]): Promise<Map<string, Fact[]>> {
  const { meetingFacts } = db.t;
  const found = new Map<string, Fact[]>(meetingIds.map((id) => [id, []]));
  if (meetingIds.length === 0) return found;
  const rows = await db
    .select()
    .from(meetingFacts)
    .where(inArray(meetingFacts.meetingId, [...meetingIds]))
    .orderBy(asc(meetingFacts.meetingId));
  for (const row of rows) found.get(row.meetingId)!.push(factOf(row));
  return found;
}

/** The columns hold what `noteFact` wrote, so the words in them are the domain's. */
const factOf = ({ meetingId: _meetingId, key: _key, marketplaceId: _marketplaceId, ...fact }: StoredFact): Fact => fact as Fact;
