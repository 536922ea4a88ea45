/**
 * How late those are of whom ten thousand become due within seconds, and then ten thousand in the same moment; and what a look for them asks
 * of the database.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { plus, SECOND } from '../../src/domain/time.ts';
import type { Gateway } from '../../src/gateway.ts';
import type { Alone } from '../../src/meetings/crowd.ts';
import type { Lane } from '../../src/store/jobs.ts';
import { openBenched } from './databases.ts';
import { connectTo, isPostgres, marketplace, type Query } from './gateway-database.ts';
import { planOf, statementsOf } from './statements.ts';
import { latenessOf } from './statistics.ts';

export interface Crowd {
  /** Of their jobs. */
  readonly lane: Lane;
  /** Type of the event that each of them gets, once. */
  readonly event: string;
  /** One look for those that are due. */
  readonly runDue: (gateway: Gateway, alone: Alone) => Promise<unknown>;
  /** Adds those with the numbers `from` to `from + count - 1`. Their ids. */
  readonly add: (database: FilledDatabase, filling: Filling) => Promise<string[]>;
  /** How many of all have become what the event says. */
  readonly settled: (query: Query) => Promise<number>;
}

export interface FilledDatabase {
  readonly gateway: Gateway;
  readonly query: Query;
  readonly postgres: boolean;
}

export interface Filling {
  readonly from: number;
  readonly count: number;
  readonly dueAt: Date;
}

export type CrowdReport = Awaited<ReturnType<typeof measureCrowd>>;

/** Those that are not due in one moment: as fast as this, ten thousand sessions of a quarter of an hour never are. */
const SPREAD_SECONDS = 20;
/** Enough to look for one alone, and for none. */
const LEAD_MS = 5 * SECOND;
/** What filling takes at most, for each of them. */
const FILL_MS = 3;
const PATIENCE_MS = 60 * SECOND;
const LOOK: Alone = { limit: 16, leaseMs: 90 * SECOND };

export async function measureCrowd(databaseUrl: string, crowd: Crowd, count: number) {
  const { gateway, startWorker } = await openBenched(databaseUrl);
  const { query, close } = connectTo(databaseUrl);
  const postgres = isPostgres(databaseUrl);
  const look = (): Promise<unknown> => crowd.runDue(gateway, LOOK);
  const isWaiting = async (): Promise<boolean> => {
    const due = postgres ? `to_timestamp(${dueAt.getTime() / SECOND})` : dueAt.getTime();
    return (await query(`select id from jobs where lane = '${crowd.lane}' and dead_at is null and due_at <= ${due} limit 1`)).length > 0;
  };
  const firstAt = plus(new Date(), 2 * FILL_MS * count + LEAD_MS);
  const dueAt = plus(firstAt, SPREAD_SECONDS * SECOND);
  try {
    await query(marketplace(postgres, 'tvip'));
    const database = { gateway, query, postgres };
    const due = new Map<string, Date>();
    const inTurn = Math.ceil(count / SPREAD_SECONDS);
    const spread = Array.from({ length: SPREAD_SECONDS }, (_, second) => ({
      from: 1 + second * inTurn,
      count: inTurn,
      dueAt: plus(firstAt, second * SECOND),
    }));
    for (const filling of [{ from: 0, count: 1, dueAt: new Date() }, ...spread, { from: 1 + SPREAD_SECONDS * inTurn, count, dueAt }])
      for (const id of await crowd.add(database, filling)) due.set(id, filling.dueAt);
    // What autovacuum does a minute after such a load.
    await query('analyze');
    const alone = await statementsOf(look);
    const none = await statementsOf(look);
    if (Date.now() >= firstAt.getTime()) throw new Error('filling took too long: the first of them are due');
    await pause(firstAt.getTime() - Date.now());
    const plan = await planOf(query, postgres, none[0]!);
    const many = await statementsOf(look);
    const worker = await startWorker();
    await pause(dueAt.getTime() - Date.now());
    const cpu = process.cpuUsage();
    while ((await isWaiting()) && Date.now() < dueAt.getTime() + PATIENCE_MS) await pause(50);
    const doneMs = Date.now() - dueAt.getTime();
    const { user, system } = process.cpuUsage(cpu);
    await worker.stop();
    const told = await toldIn(query, crowd, postgres);
    const lateMs = (of: (at: Date) => boolean): number[] =>
      told.flatMap(({ id, atMs }) => {
        const at = due.get(id);
        return at !== undefined && of(at) ? [atMs - at.getTime()] : [];
      });
    const row = {
      database: gateway.db.dialect,
      missing: due.size - new Set(told.map(({ id }) => id)).size,
      /** Told twice, too early, or of nobody; or not what the event says. */
      wrong: told.length - new Set(told.map(({ id }) => id)).size + told.filter(({ id, atMs }) => !(atMs >= due.get(id)!.getTime())).length,
      unsettled: due.size - (await crowd.settled(query)),
      /** Of those that became due one part a second, and of those that became due in one moment. */
      spread_late_ms: latenessOf(lateMs((at) => at >= firstAt && at < dueAt)),
      late_ms: latenessOf(lateMs((at) => at === dueAt)),
      done_ms: doneMs,
      cpu_ms_each: (user + system) / 1_000 / count,
      statements: { none: none.length, one: alone.length, many: many.length },
      plan,
    };
    console.log(
      `${row.database}: of ${due.size} ${row.missing} not told, ${row.wrong} told twice or too early, ${row.unsettled} not settled; ` +
        `${count} in ${SPREAD_SECONDS} s late p50 ${row.spread_late_ms.p50} ms, max ${row.spread_late_ms.max} ms; ` +
        `${count} in one moment late p50 ${row.late_ms.p50} ms, p99 ${row.late_ms.p99} ms, max ${row.late_ms.max} ms; all done after ${row.done_ms} ms; ` +
        `processor time ${row.cpu_ms_each.toFixed(3)} ms each; statements of a look: ${none.length} for none, ${alone.length} for one, ` +
        `${many.length} for a full batch; the look: ${plan}`,
    );
    return row;
  } finally {
    await close();
    await gateway.db.close();
  }
}

async function toldIn(query: Query, { event }: Crowd, postgres: boolean): Promise<{ id: string; atMs: number }[]> {
  const at = postgres ? 'round(extract(epoch from at) * 1000)' : 'at';
  const rows = await query(`select subject_id as id, ${at} as ms from events where type = '${event}'`);
  return rows.map((row) => ({ id: String(row['id']), atMs: Number(row['ms']) }));
}

export const isSound = ({ missing, wrong, unsettled }: CrowdReport): boolean => missing === 0 && wrong === 0 && unsettled === 0;
