import { and, eq, gte, lt } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Fact } from '../domain/session.ts';
import { among, prepared, slot, type Reader, type Writer } from './database.ts';

export type StoredFact = Tables['meetingFacts']['$inferSelect'];

/** False when it is known already. */
export async function insertFact(tx: Writer, fact: StoredFact): Promise<boolean> {
  const { meetingFacts } = tx.t;
  const rows = await tx.insert(meetingFacts).values(fact).onConflictDoNothing().returning({ key: meetingFacts.key });
  return rows.length === 1;
}

/** What a run is made of. */
const factColumns = ({ t: { meetingFacts } }: Reader) => {
  const { meetingId, instanceId, kind, at, participantId, side, customerId, limitReached, source } = meetingFacts;
  return { meetingId, instanceId, kind, at, participantId, side, customerId, limitReached, source };
};

/** The columns hold what `noteFact` wrote, so the words in them are the domain's. */
type Known = Fact & Pick<StoredFact, 'meetingId'>;

const factsOfMeeting = prepared('facts_of_meeting', (db: Reader) => {
  const { meetingFacts } = db.t;
  return db
    .select(factColumns(db))
    .from(meetingFacts)
    .where(eq(meetingFacts.meetingId, slot('meetingId', meetingFacts.meetingId)));
});

/** Read anew for every new fact of a meeting. In no order: a set of facts has none. */
export async function listFacts(db: Reader, meetingId: string): Promise<Fact[]> {
  return (await factsOfMeeting(db, { meetingId })) as Known[];
}

/** Those of the connection's meetings that were booked to start in the period, by meeting. */
export async function listFactsOfConnection(
  db: Reader,
  { connectionId, from, until }: { connectionId: string; from: Date; until: Date },
): Promise<Map<string, Fact[]>> {
  const { meetings, meetingFacts } = db.t;
  const rows = await db
    .select(factColumns(db))
    .from(meetings)
    .innerJoin(meetingFacts, eq(meetingFacts.meetingId, meetings.id))
    .where(and(eq(meetings.connectionId, connectionId), gte(meetings.startsAt, from), lt(meetings.startsAt, until)));
  return byMeeting(rows);
}

const factsOfMeetings = prepared('facts_of_meetings', (db: Reader) =>
  db.select(factColumns(db)).from(db.t.meetingFacts).where(among(db.t.meetingFacts.meetingId, 'meetingIds')),
);

/** Of several meetings, by meeting. */
export const listFactsOf = async (db: Reader, meetingIds: readonly string[]): Promise<Map<string, Fact[]>> =>
  byMeeting(meetingIds.length === 0 ? [] : await factsOfMeetings(db, { meetingIds }));

function byMeeting(rows: readonly Pick<StoredFact, keyof Known>[]): Map<string, Fact[]> {
  const found = new Map<string, Fact[]>();
  for (const row of rows as readonly Known[]) {
    const own = found.get(row.meetingId);
    if (own === undefined) found.set(row.meetingId, [row]);
    else own.push(row);
  }
  return found;
}
