import { and, desc, eq, inArray, max } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Reader, Writer } from './database.ts';

export type EarlyEnd = Tables['earlyEnds']['$inferSelect'];

/** Lock the meeting before: one request waits for its answer at a time. */
export async function insertEarlyEnd(tx: Writer, earlyEnd: EarlyEnd): Promise<void> {
  await tx.insert(tx.t.earlyEnds).values(earlyEnd);
}

/** Of the meeting, newest first. */
export async function listEarlyEnds(db: Reader, meetingId: string): Promise<EarlyEnd[]> {
  const { earlyEnds } = db.t;
  return db.select().from(earlyEnds).where(eq(earlyEnds.meetingId, meetingId)).orderBy(desc(earlyEnds.id));
}

/** The newest request of each meeting that has one. */
export async function findNewestEarlyEnds(db: Reader, meetingIds: readonly string[]): Promise<Map<string, EarlyEnd>> {
  const { earlyEnds } = db.t;
  if (meetingIds.length === 0) return new Map();
  // Their ids begin with their moment.
  const newest = db
    .select({ id: max(earlyEnds.id) })
    .from(earlyEnds)
    .where(inArray(earlyEnds.meetingId, [...meetingIds]))
    .groupBy(earlyEnds.meetingId);
  const rows = await db.select().from(earlyEnds).where(inArray(earlyEnds.id, newest));
  return new Map(rows.map((row) => [row.meetingId, row]));
}

export async function findEarlyEnd(db: Reader, id: string): Promise<EarlyEnd | undefined> {
  return (await db.select().from(db.t.earlyEnds).where(eq(db.t.earlyEnds.id, id)))[0];
}

/** Undefined when it does not wait for an answer any more. */
export async function settleEarlyEnd(
  tx: Writer,
  id: string,
  { state, at }: { state: 'agreed' | 'refused' | 'lapsed'; at: Date },
): Promise<EarlyEnd | undefined> {
  const { earlyEnds } = tx.t;
  const asked = and(eq(earlyEnds.id, id), eq(earlyEnds.state, 'asked'));
  return (await tx.update(earlyEnds).set({ state, answeredAt: at }).where(asked).returning())[0];
}
