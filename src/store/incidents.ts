import { and, eq } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Reader, Writer } from './database.ts';

export type Incident = Tables['incidents']['$inferSelect'];

export async function insertIncident(tx: Writer, incident: Incident): Promise<void> {
  await tx.insert(tx.t.incidents).values(incident);
}

export async function findIncident(db: Reader, id: string): Promise<Incident | undefined> {
  return (await db.select().from(db.t.incidents).where(eq(db.t.incidents.id, id)))[0];
}

/** What this person reported about the meeting and nobody has closed yet. */
export async function listOpenIncidents(
  db: Reader,
  { meetingId, side, reporterId }: Pick<Incident, 'meetingId' | 'side' | 'reporterId'>,
): Promise<Incident[]> {
  const { incidents } = db.t;
  return db
    .select()
    .from(incidents)
    .where(
      and(eq(incidents.meetingId, meetingId), eq(incidents.side, side), eq(incidents.reporterId, reporterId), eq(incidents.state, 'open')),
    );
}
