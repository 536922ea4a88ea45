/** What only the operator can repair, for as long as it lasts. */
import { and, asc, eq, sql } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Reader, Writer } from './database.ts';

export type Alarm = Tables['alarms']['$inferSelect'];

/** Raises it, or says that it still holds. True when it is new. */
export async function raiseAlarm(tx: Writer, { name, detail, now }: { name: string; detail: string; now: Date }): Promise<boolean> {
  const { alarms } = tx.t;
  const [row] = await tx
    .insert(alarms)
    .values({ name, detail, raisedAt: now, seenAt: now, count: 1 })
    .onConflictDoUpdate({ target: alarms.name, set: { detail, seenAt: now, count: sql`${alarms.count} + 1` } })
    .returning();
  return row!.count === 1;
}

/** True for the one caller that may find out whether it still holds; nobody has since it was read. */
export async function claimRepeat(tx: Writer, { name, seenAt }: Alarm, now: Date): Promise<boolean> {
  const { alarms } = tx.t;
  const rows = await tx
    .update(alarms)
    .set({ seenAt: now })
    .where(and(eq(alarms.name, name), eq(alarms.seenAt, seenAt)))
    .returning({ name: alarms.name });
  return rows.length === 1;
}

/** True when it was raised. */
export async function clearAlarm(tx: Writer, name: string): Promise<boolean> {
  return (await tx.delete(tx.t.alarms).where(eq(tx.t.alarms.name, name)).returning({ name: tx.t.alarms.name })).length === 1;
}

export async function findAlarm(db: Reader, name: string): Promise<Alarm | undefined> {
  return (await db.select().from(db.t.alarms).where(eq(db.t.alarms.name, name)))[0];
}

export async function listAlarms(db: Reader): Promise<Alarm[]> {
  return db.select().from(db.t.alarms).orderBy(asc(db.t.alarms.name));
}
