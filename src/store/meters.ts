import { and, asc, eq, inArray, min, ne, sql } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Reader, Writer } from './database.ts';

export type Meter = Tables['meters']['$inferSelect'];
export type MeterBlock = Tables['meterBlocks']['$inferSelect'];

export async function findMeter(db: Reader, meetingId: string): Promise<Meter | undefined> {
  return (await listMeters(db, [meetingId])).get(meetingId);
}

/** By meeting; those that have none are missing. */
export async function listMeters(db: Reader, meetingIds: readonly string[]): Promise<Map<string, Meter>> {
  const { meters } = db.t;
  if (meetingIds.length === 0) return new Map();
  const rows = await db
    .select()
    .from(meters)
    .where(inArray(meters.meetingId, [...meetingIds]));
  return new Map(rows.map((row) => [row.meetingId, row]));
}

/** Lock the meetings before. */
export async function saveMeters(tx: Writer, rows: readonly Meter[]): Promise<void> {
  const { meters } = tx.t;
  if (rows.length === 0) return;
  await tx
    .insert(meters)
    .values([...rows])
    .onConflictDoUpdate({
      target: meters.meetingId,
      set: {
        creditBlocks: sql`excluded.credit_blocks`,
        usedBlocks: sql`excluded.used_blocks`,
        blockEndsAt: sql`excluded.block_ends_at`,
        exhaustedAt: sql`excluded.exhausted_at`,
        balanceText: sql`excluded.balance_text`,
      },
    });
}

/** By meeting, oldest first. */
export async function listMeterBlocks(db: Reader, meetingIds: readonly string[]): Promise<Map<string, MeterBlock[]>> {
  const { meterBlocks } = db.t;
  const found = new Map<string, MeterBlock[]>();
  if (meetingIds.length === 0) return found;
  const rows = await db
    .select()
    .from(meterBlocks)
    .where(inArray(meterBlocks.meetingId, [...meetingIds]))
    .orderBy(asc(meterBlocks.startsAt), asc(meterBlocks.number));
  for (const row of rows) found.set(row.meetingId, [...(found.get(row.meetingId) ?? []), row]);
  return found;
}

/** Lock the meetings before. */
export async function saveMeterBlocks(tx: Writer, rows: readonly MeterBlock[]): Promise<void> {
  const { meterBlocks } = tx.t;
  if (rows.length === 0) return;
  await tx
    .insert(meterBlocks)
    .values([...rows])
    .onConflictDoUpdate({
      target: [meterBlocks.meetingId, meterBlocks.instanceId, meterBlocks.number],
      set: { startsAt: sql`excluded.starts_at`, voidedAt: sql`excluded.voided_at` },
    });
}

/** When other meetings of the same booking had their first block, by meeting; those whose booking has none are missing. */
export async function firstBlocksElsewhere(db: Reader, meetingIds: readonly string[]): Promise<Map<string, Date>> {
  const { meetings, meterBlocks } = db.t;
  if (meetingIds.length === 0) return new Map();
  const rows = await db
    .select({ id: meetings.id, at: min(meterBlocks.startsAt) })
    .from(meetings)
    .innerJoin(
      meterBlocks,
      and(
        eq(meterBlocks.marketplaceId, meetings.marketplaceId),
        eq(meterBlocks.bookingId, meetings.bookingId),
        ne(meterBlocks.meetingId, meetings.id),
      ),
    )
    .where(inArray(meetings.id, [...meetingIds]))
    .groupBy(meetings.id);
  return new Map(rows.flatMap(({ id, at }) => (at === null ? [] : [[id, at] as const])));
}
