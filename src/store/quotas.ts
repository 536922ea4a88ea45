/** What is used of vendors' budgets, and until when vendors want to be left alone. A row means nothing any more once its window has ended. */
import { and, gt, inArray, like, lt, lte, sql } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Reader, Writer } from './database.ts';

export type QuotaWindow = Tables['quotaWindows']['$inferSelect'];

/** What a pause's key begins with. */
export const PAUSE = 'pause:';

/** Takes one of `limit`; false when nothing is left. A window that has ended begins anew and lasts until `endsAt`. */
export async function takeFromWindow(
  tx: Writer,
  { key, limit, endsAt, now }: Pick<QuotaWindow, 'key' | 'endsAt'> & { limit: number; now: Date },
): Promise<boolean> {
  const { quotaWindows } = tx.t;
  const { used, endsAt: end } = quotaWindows;
  const ended = sql`${end} <= ${sql.param(now, end)}`;
  const rows = await tx
    .insert(quotaWindows)
    .values({ key, used: 1, endsAt })
    .onConflictDoUpdate({
      target: quotaWindows.key,
      set: {
        used: sql`case when ${ended} then 1 else ${used} + 1 end`,
        endsAt: sql`case when ${ended} then ${sql.param(endsAt, end)} else ${end} end`,
      },
      // Both engines judge the row as it is when its lock is held: of many at once exactly so many get through as are left.
      setWhere: sql`${ended} or ${used} < ${limit}`,
    })
    .returning({ key: quotaWindows.key });
  return rows.length === 1;
}

/** The vendor says that all of it is used until `endsAt`. */
export async function fillWindow(tx: Writer, row: QuotaWindow): Promise<void> {
  const { quotaWindows } = tx.t;
  await tx.insert(quotaWindows).values(row).onConflictDoUpdate({ target: quotaWindows.key, set: row });
}

/** Begins a pause, or makes it longer; a shorter one changes nothing. */
export async function extendPause(tx: Writer, { key, endsAt }: Pick<QuotaWindow, 'key' | 'endsAt'>): Promise<void> {
  const { quotaWindows } = tx.t;
  await tx
    .insert(quotaWindows)
    .values({ key, used: 0, endsAt })
    .onConflictDoUpdate({ target: quotaWindows.key, set: { endsAt }, setWhere: lt(quotaWindows.endsAt, endsAt) });
}

/** Those of `keys` that have not ended. */
export async function listOpenWindows(db: Reader, keys: readonly string[], now: Date): Promise<QuotaWindow[]> {
  const { quotaWindows } = db.t;
  if (keys.length === 0) return [];
  return db
    .select()
    .from(quotaWindows)
    .where(and(inArray(quotaWindows.key, [...keys]), gt(quotaWindows.endsAt, now)));
}

export async function countPauses(db: Reader, now: Date): Promise<number> {
  const { quotaWindows } = db.t;
  return db.$count(quotaWindows, and(like(quotaWindows.key, `${PAUSE}%`), gt(quotaWindows.endsAt, now)));
}

export async function deleteEndedWindows(tx: Writer, now: Date): Promise<void> {
  await tx.delete(tx.t.quotaWindows).where(lte(tx.t.quotaWindows.endsAt, now));
}
