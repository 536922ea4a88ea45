import { and, desc, eq, lt } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Reader, Writer } from './database.ts';

export type Incident = Tables['incidents']['$inferSelect'];
export type IncidentEntry = Tables['incidentEntries']['$inferSelect'];

export async function insertIncident(tx: Writer, incident: Incident): Promise<void> {
  await tx.insert(tx.t.incidents).values(incident);
}

export async function findIncident(db: Reader, id: string): Promise<Incident | undefined> {
  return (await db.select().from(db.t.incidents).where(eq(db.t.incidents.id, id)))[0];
}

export async function findOwnIncident(db: Reader, marketplaceId: string, id: string): Promise<Incident | undefined> {
  const { incidents } = db.t;
  return (
    await db
      .select()
      .from(incidents)
      .where(and(eq(incidents.id, id), eq(incidents.marketplaceId, marketplaceId)))
  )[0];
}

/** The same, and whoever else wants to move it waits. */
export async function lockOwnIncident(tx: Writer, marketplaceId: string, id: string): Promise<Incident | undefined> {
  const { incidents } = tx.t;
  const own = and(eq(incidents.id, id), eq(incidents.marketplaceId, marketplaceId));
  return (await tx.update(incidents).set({ id }).where(own).returning())[0];
}

export async function updateIncident(
  tx: Writer,
  id: string,
  changes: Pick<Incident, 'state' | 'resolution' | 'resolvedAt'>,
): Promise<void> {
  await tx.update(tx.t.incidents).set(changes).where(eq(tx.t.incidents.id, id));
}

export async function insertIncidentEntry(tx: Writer, entry: IncidentEntry): Promise<void> {
  await tx.insert(tx.t.incidentEntries).values(entry);
}

/** Oldest first. Entries of one moment come in no order. */
export async function listIncidentEntries(db: Reader, incidentId: string, limit: number): Promise<IncidentEntry[]> {
  const { incidentEntries } = db.t;
  const newest = await db
    .select()
    .from(incidentEntries)
    .where(eq(incidentEntries.incidentId, incidentId))
    .orderBy(desc(incidentEntries.at), desc(incidentEntries.id))
    .limit(limit);
  return newest.toReversed();
}

/** The marketplace's, newest first, page by page. */
export async function listOwnIncidents(
  db: Reader,
  {
    marketplaceId,
    meetingId,
    state,
    before,
    limit,
  }: { marketplaceId: string; meetingId?: string | undefined; state?: string | undefined; before?: string | undefined; limit: number },
): Promise<Incident[]> {
  const { incidents } = db.t;
  return db
    .select()
    .from(incidents)
    .where(
      and(
        eq(incidents.marketplaceId, marketplaceId),
        meetingId === undefined ? undefined : eq(incidents.meetingId, meetingId),
        state === undefined ? undefined : eq(incidents.state, state),
        before === undefined ? undefined : lt(incidents.id, before),
      ),
    )
    .orderBy(desc(incidents.id))
    .limit(limit);
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
