/**
 * How late the clocks of running meetings are: 100,000 meetings whose starts are spread over the 40 minutes of a free plan, and 5,000 more
 * that all reach their limit in the same second. `npm run bench:timers -- --seconds 20 --only sqlite` is a short one.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { readConfig } from '../src/config.ts';
import { SECOND } from '../src/domain/time.ts';
import type { Gateway } from '../src/gateway.ts';
import { runDueTimers } from '../src/meetings/timers.ts';
import { openGateway } from '../src/server.ts';
import type { Writer } from '../src/store/database.ts';
import { startWorker } from '../src/worker.ts';
import { describeMachine, writeResult } from './lib/machine.ts';
import { startPostgres } from './lib/postgres.ts';
import { runningMeetings } from './lib/running-meetings.ts';

const { values: options } = parseArgs({
  options: {
    meetings: { type: 'string', default: '100000' },
    burst: { type: 'string', default: '5000' },
    seconds: { type: 'string', default: '45' },
    only: { type: 'string', multiple: true },
    save: { type: 'string', default: 'timers' },
  },
});
const MEETINGS = Number(options.meetings);
const BURST = Number(options.burst);
const WINDOW_MS = Number(options.seconds) * SECOND;
/** Besides what filling takes, until the first is due. */
const LEAD_MS = 5 * SECOND;
/** Nobody has asked to be told: what is measured is the event, not its delivery. */
const send = (): Promise<never> => Promise.reject(new Error('there is no endpoint'));
/** How long what is late is waited for. */
const GRACE_MS = 20 * SECOND;
const LEASE_MS = 90 * SECOND;

const machine = describeMachine();
const folder = await mkdtemp(join(tmpdir(), 'gateway-bench-'));
const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
const results: Awaited<ReturnType<typeof measure>>[] = [];
try {
  const wanted = (name: string): boolean => options.only === undefined || options.only.includes(name);
  if (wanted('sqlite')) results.push(await measure(`file:${join(folder, 'gateway.db')}`));
  if (wanted('postgres')) {
    const postgres = await startPostgres(join(folder, 'postgres'));
    stops.push(() => postgres.stop());
    results.push(await measure(postgres.url));
  }
  console.log(`load before: ${machine.load_before} on ${machine.cores} cores`);
  if (options.save !== '') {
    const path = writeResult(options.save, {
      measured: new Date().toISOString(),
      machine,
      meetings: MEETINGS,
      burst: BURST,
      window_seconds: WINDOW_MS / SECOND,
      results,
    });
    console.log(`written to ${path}`);
  }
} finally {
  for (const stop of stops.toReversed()) await stop();
}
process.exit(results.every(({ missing, wrong }) => missing === 0 && wrong === 0) ? 0 : 1);

async function measure(databaseUrl: string) {
  const config = readConfig({
    DATABASE_URL: databaseUrl,
    ENCRYPTION_KEYS: `bench:${createHash('sha256').update('bench').digest('base64')}`,
    // A database that stops takes its idle connections with it; what counts is what was told.
    LOG_LEVEL: 'silent',
  });
  const worker: { wake?: () => void } = {};
  const opened = await openGateway(config, { now: () => new Date(), random: randomBytes, keys: config.encryptionKeys! }, () =>
    worker.wake?.(),
  );
  const { gateway, statements, slowestWriteMs } = counting(opened);
  const database = runningMeetings(databaseUrl);
  try {
    const startMs = Date.now() + LEAD_MS + MEETINGS / 4;
    await database.load({ meetings: MEETINGS, burst: BURST, windowMs: WINDOW_MS, startMs });
    // One look while nothing is due, and the first busy one, before the worker is at it.
    const idle = await looked(gateway, statements);
    const plan = await database.planOfLook(startMs);
    await pause(Math.max(0, startMs + SECOND - Date.now()));
    const busy = await looked(gateway, statements);
    const lanes = await startWorker(gateway, send, async () => {});
    worker.wake = () => lanes.wake();
    const cpu = process.cpuUsage();
    const deadline = startMs + WINDOW_MS + GRACE_MS;
    let report = await database.report();
    while (Date.now() < startMs + WINDOW_MS || (report.missing > 0 && Date.now() < deadline)) {
      await pause(2 * SECOND);
      if (Date.now() >= startMs + WINDOW_MS) report = await database.report();
    }
    await lanes.stop();
    const { user, system } = process.cpuUsage(cpu);
    const { dialect } = gateway.db;
    const row = {
      database: dialect,
      ...report,
      idle_statements: idle,
      busy_statements: busy,
      slowest_write_ms: slowestWriteMs(),
      cpu_ms: Math.round((user + system) / 1_000),
      plan,
    };
    console.log(
      `${dialect}: ${row.expected} due in ${WINDOW_MS / SECOND} s, ${row.missing} not told, ${row.wrong} told twice or too early; ` +
        `late p50 ${row.late_ms.p50} ms, p99 ${row.late_ms.p99} ms, max ${row.late_ms.max} ms; ` +
        `of the ${BURST} in one second max ${row.burst_late_ms.max} ms; an idle look is ${idle} statement, a busy one ${busy}; ` +
        `slowest transaction ${row.slowest_write_ms} ms; the worker's processor time ${row.cpu_ms} ms`,
    );
    return row;
  } finally {
    await database.close();
    await gateway.db.close();
  }
}

/** Statements of one look for due timers. */
async function looked(gateway: Gateway, statements: () => number): Promise<number> {
  const before = statements();
  await runDueTimers(gateway, { limit: 1, leaseMs: LEASE_MS });
  return statements() - before;
}

/** Counts what transactions ask of the database, and how long the slowest took with its commit. */
function counting(gateway: Gateway): { gateway: Gateway; statements: () => number; slowestWriteMs: () => number } {
  let count = 0;
  let slowest = 0;
  const counted = (tx: Writer): Writer =>
    new Proxy(tx, {
      get(target, name) {
        if (name === 'select' || name === 'insert' || name === 'update' || name === 'delete') count += 1;
        const value = Reflect.get(target, name) as unknown;
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  const write: Gateway['db']['write'] = async (work) => {
    const began = performance.now();
    try {
      return await gateway.db.write((tx) => work(counted(tx)));
    } finally {
      slowest = Math.max(slowest, performance.now() - began);
    }
  };
  return { gateway: { ...gateway, db: { ...gateway.db, write } }, statements: () => count, slowestWriteMs: () => Math.round(slowest) };
}
