import { and, asc, eq, getTableColumns, min, ne, sql } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import { among, prepared, preparedRows, type Reader, type Writer } from './database.ts';

export type Meter = Tables['meters']['$inferSelect'];
export type MeterBlock = Tables['meterBlocks']['$inferSelect'];

export async function findMeter(db: Reader, meetingId: string): Promise<Meter | undefined> {
  return (await listMeters(db, [meetingId])).get(meetingId);
}

const metersOf = prepared('meters_of', (db: Reader) => db.select().from(db.t.meters).where(among(db.t.meters.meetingId, 'meetingIds')));

/** By meeting; those that have none are missing. */
export async function listMeters(db: Reader, meetingIds: readonly string[]): Promise<Map<string, Meter>> {
  const rows = meetingIds.length === 0 ? [] : await metersOf(db, { meetingIds });
  return new Map(rows.map((row) => [row.meetingId, row]));
}

const writeMeters = preparedRows('meters_write', (tx: Writer) => tx.t.meters, {
  given: getTableColumns,
  finish: (insert, { meetingId }) =>
    insert.onConflictDoUpdate({
      target: meetingId,
      set: {
        creditBlocks: sql`excluded.credit_blocks`,
        usedBlocks: sql`excluded.used_blocks`,
        blockEndsAt: sql`excluded.block_ends_at`,
        exhaustedAt: sql`excluded.exhausted_at`,
        balanceText: sql`excluded.balance_text`,
      },
    }),
});

/** Lock the meetings before. */
export async function saveMeters(tx: Writer, rows: readonly Meter[]): Promise<void> {
  await writeMeters(tx, rows);
}

const blocksOf = prepared('meter_blocks_of', (db: Reader) => {
  const { meterBlocks } = db.t;
  return db
    .select()
    .from(meterBlocks)
    .where(among(meterBlocks.meetingId, 'meetingIds'))
    .orderBy(asc(meterBlocks.startsAt), asc(meterBlocks.number));
});

/** By meeting, oldest first. */
export async function listMeterBlocks(db: Reader, meetingIds: readonly string[]): Promise<Map<string, MeterBlock[]>> {
  const found = new Map<string, MeterBlock[]>();
  if (meetingIds.length === 0) return found;
  for (const row of await blocksOf(db, { meetingIds })) {
    const own = found.get(row.meetingId);
    if (own === undefined) found.set(row.meetingId, [row]);
    else own.push(row);
  }
  return found;
}

const writeBlocks = preparedRows('meter_blocks_write', (tx: Writer) => tx.t.meterBlocks, {
  given: getTableColumns,
  finish: (insert, { meetingId, instanceId, number }) =>
    insert.onConflictDoUpdate({
      target: [meetingId, instanceId, number],
      set: { startsAt: sql`excluded.starts_at`, voidedAt: sql`excluded.voided_at` },
    }),
});

/** Lock the meetings before. */
export async function saveMeterBlocks(tx: Writer, rows: readonly MeterBlock[]): Promise<void> {
  await writeBlocks(tx, rows);
}

const firstElsewhere = prepared('first_blocks_elsewhere', (db: Reader) => {
  const { meetings, meterBlocks } = db.t;
  return db
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
    .where(among(meetings.id, 'meetingIds'))
    .groupBy(meetings.id);
});

/** When other meetings of the same booking had their first block, by meeting; those whose booking has none are missing. */
export async function firstBlocksElsewhere(db: Reader, meetingIds: readonly string[]): Promise<Map<string, Date>> {
  const rows = meetingIds.length === 0 ? [] : await firstElsewhere(db, { meetingIds });
  return new Map(rows.flatMap(({ id, at }) => (at === null ? [] : [[id, at] as const])));
}
