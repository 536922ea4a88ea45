import { and, asc, eq, min, ne, sql } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import { preparedIn, preparedInsert } from './crowds.ts';
import type { Reader, Writer } from './database.ts';

export type Meter = Tables['meters']['$inferSelect'];
export type MeterBlock = Tables['meterBlocks']['$inferSelect'];

export async function findMeter(db: Reader, meetingId: string): Promise<Meter | undefined> {
  return (await listMeters(db, [meetingId])).get(meetingId);
}

const metersOf = preparedIn(
  'meters_of',
  (t) => t.meters.meetingId,
  (db: Reader, among) => db.select().from(db.t.meters).where(among),
);

/** By meeting; those that have none are missing. */
export async function listMeters(db: Reader, meetingIds: readonly string[]): Promise<Map<string, Meter>> {
  const rows = (await metersOf(db, meetingIds)).flat();
  return new Map(rows.map((row) => [row.meetingId, row]));
}

const writeMeters = preparedInsert(
  'meters_write',
  {
    tableOf: (t) => t.meters,
    columns: [
      'meetingId',
      'marketplaceId',
      'bookingId',
      'creditBlocks',
      'usedBlocks',
      'blockEndsAt',
      'exhaustedAt',
      'balanceText',
    ] satisfies (keyof Meter)[],
  },
  (tx, rows) =>
    tx
      .insert(tx.t.meters)
      .values(rows)
      .onConflictDoUpdate({
        target: tx.t.meters.meetingId,
        set: {
          creditBlocks: sql`excluded.credit_blocks`,
          usedBlocks: sql`excluded.used_blocks`,
          blockEndsAt: sql`excluded.block_ends_at`,
          exhaustedAt: sql`excluded.exhausted_at`,
          balanceText: sql`excluded.balance_text`,
        },
      }),
);

/** Lock the meetings before. */
export async function saveMeters(tx: Writer, rows: readonly Meter[]): Promise<void> {
  await writeMeters(tx, rows);
}

const blocksOf = preparedIn(
  'meter_blocks_of',
  (t) => t.meterBlocks.meetingId,
  (db: Reader, among) =>
    db.select().from(db.t.meterBlocks).where(among).orderBy(asc(db.t.meterBlocks.startsAt), asc(db.t.meterBlocks.number)),
);

/** By meeting, oldest first. */
export async function listMeterBlocks(db: Reader, meetingIds: readonly string[]): Promise<Map<string, MeterBlock[]>> {
  const found = new Map<string, MeterBlock[]>();
  for (const row of (await blocksOf(db, meetingIds)).flat()) {
    const own = found.get(row.meetingId);
    if (own === undefined) found.set(row.meetingId, [row]);
    else own.push(row);
  }
  return found;
}

const writeBlocks = preparedInsert(
  'meter_blocks_write',
  {
    tableOf: (t) => t.meterBlocks,
    columns: ['meetingId', 'marketplaceId', 'bookingId', 'instanceId', 'number', 'startsAt', 'voidedAt'] satisfies (keyof MeterBlock)[],
  },
  (tx, rows) => {
    const { meterBlocks } = tx.t;
    return tx
      .insert(meterBlocks)
      .values(rows)
      .onConflictDoUpdate({
        target: [meterBlocks.meetingId, meterBlocks.instanceId, meterBlocks.number],
        set: { startsAt: sql`excluded.starts_at`, voidedAt: sql`excluded.voided_at` },
      });
  },
);

/** Lock the meetings before. */
export async function saveMeterBlocks(tx: Writer, rows: readonly MeterBlock[]): Promise<void> {
  await writeBlocks(tx, rows);
}

const firstElsewhere = preparedIn(
  'first_blocks_elsewhere',
  (t) => t.meetings.id,
  (db: Reader, among) => {
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
      .where(among)
      .groupBy(meetings.id);
  },
);

/** When other meetings of the same booking had their first block, by meeting; those whose booking has none are missing. */
export async function firstBlocksElsewhere(db: Reader, meetingIds: readonly string[]): Promise<Map<string, Date>> {
  const rows = (await firstElsewhere(db, meetingIds)).flat();
  return new Map(rows.flatMap(({ id, at }) => (at === null ? [] : [[id, at] as const])));
}
