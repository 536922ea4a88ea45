import { and, asc, count, desc, eq, gt, gte, inArray, ne, sql } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Reader, Writer } from './database.ts';

type Row = Tables['recordingExpectations']['$inferSelect'];
export type Expectation = Omit<Row, 'state' | 'metBy'> & { readonly state: 'open' | 'met' | 'missed'; readonly metBy: FoundBy | null };
/** How the gateway came to know of a recording. */
export type FoundBy = 'webhook' | 'reconciliation';

export async function findExpectation(db: Reader, meetingId: string): Promise<Expectation | undefined> {
  const { recordingExpectations } = db.t;
  return (await db.select().from(recordingExpectations).where(eq(recordingExpectations.meetingId, meetingId)))[0] as
    | Expectation
    | undefined;
}

/** False when there is one already. */
export async function insertExpectation(tx: Writer, expectation: Expectation): Promise<boolean> {
  const { recordingExpectations: e } = tx.t;
  const rows = await tx.insert(e).values(expectation).onConflictDoNothing().returning({ id: e.meetingId });
  return rows.length === 1;
}

/** A meeting that ended anew; what was found and how often was looked stays. One that was missed is looked for again if `reopen`. */
export async function moveExpectation(
  tx: Writer,
  { meetingId, endedAt, deadline, reopen }: Pick<Expectation, 'meetingId' | 'endedAt' | 'deadline'> & { readonly reopen: boolean },
): Promise<void> {
  const { recordingExpectations: e } = tx.t;
  await tx.update(e).set({ endedAt, deadline }).where(eq(e.meetingId, meetingId));
  if (reopen)
    await tx
      .update(e)
      .set({ state: 'open' })
      .where(and(eq(e.meetingId, meetingId), eq(e.state, 'missed')));
}

/** False when there is none, or it was met before. */
export async function setMet(tx: Writer, meetingId: string, by: FoundBy): Promise<boolean> {
  const { recordingExpectations: e } = tx.t;
  const rows = await tx
    .update(e)
    .set({ state: 'met', metBy: by })
    .where(and(eq(e.meetingId, meetingId), ne(e.state, 'met')))
    .returning({ id: e.meetingId });
  return rows.length === 1;
}

export async function setMissed(tx: Writer, meetingId: string): Promise<void> {
  const { recordingExpectations: e } = tx.t;
  await tx
    .update(e)
    .set({ state: 'missed' })
    .where(and(eq(e.meetingId, meetingId), eq(e.state, 'open')));
}

export async function countLook(tx: Writer, meetingId: string, at: Date): Promise<void> {
  const { recordingExpectations: e } = tx.t;
  await tx
    .update(e)
    .set({ looks: sql`${e.looks} + 1`, lookedAt: at })
    .where(eq(e.meetingId, meetingId));
}

export async function deleteExpectation(tx: Writer, meetingId: string): Promise<void> {
  await tx.delete(tx.t.recordingExpectations).where(eq(tx.t.recordingExpectations.meetingId, meetingId));
}

/** Meetings whose recording is looked for, over all marketplaces. `after`: the id that a page begins behind. */
export async function listOpenExpectations(db: Reader, { after, limit }: { after: string; limit: number }): Promise<{ id: string }[]> {
  const { recordingExpectations: e } = db.t;
  return db
    .select({ id: e.meetingId })
    .from(e)
    .where(and(eq(e.state, 'open'), gt(e.meetingId, after)))
    .orderBy(asc(e.meetingId))
    .limit(limit);
}

/** Meetings of the connection, booked to start since then, whose recording was not found; the latest first. */
export async function listUnmetOfConnection(
  db: Reader,
  { connectionId, since, limit }: { connectionId: string; since: Date; limit: number },
): Promise<string[]> {
  const { meetings, recordingExpectations: e } = db.t;
  const rows = await db
    .select({ id: meetings.id })
    .from(meetings)
    .innerJoin(e, eq(e.meetingId, meetings.id))
    .where(and(eq(meetings.connectionId, connectionId), gte(meetings.startsAt, since), inArray(e.state, ['open', 'missed'])))
    .orderBy(desc(meetings.startsAt))
    .limit(limit);
  return rows.map(({ id }) => id);
}

/** Over all marketplaces. */
export async function countExpectations(db: Reader): Promise<Record<'open' | 'missed' | FoundBy, number>> {
  const { recordingExpectations: e } = db.t;
  const rows = await db.select({ state: e.state, metBy: e.metBy, count: count() }).from(e).groupBy(e.state, e.metBy);
  const of = (name: string): number =>
    rows.filter(({ state, metBy }) => (metBy ?? state) === name).reduce((sum, row) => sum + row.count, 0);
  return { open: of('open'), missed: of('missed'), webhook: of('webhook'), reconciliation: of('reconciliation') };
}
