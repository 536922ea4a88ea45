/**
 * How late the clocks of running meetings are: 100,000 meetings whose starts are spread over the 40 minutes of a free plan, and 5,000 more
 * that all reach their limit in the same second. `npm run bench:timers -- --seconds 20 --only sqlite` is a short one.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SECOND } from '../src/domain/time.ts';
import type { Gateway } from '../src/gateway.ts';
import { runDueTimers } from '../src/meetings/timers.ts';
import { onEachDatabase, openBenched } from './lib/databases.ts';
import { runningMeetings } from './lib/running-meetings.ts';
import { statementsOf } from './lib/statements.ts';

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
/** How long what is late is waited for. */
const GRACE_MS = 20 * SECOND;
const LEASE_MS = 90 * SECOND;

const results = await onEachDatabase(
  { only: options.only, save: options.save },
  { meetings: MEETINGS, burst: BURST, window_seconds: WINDOW_MS / SECOND },
  measure,
);
process.exit(results.every(({ missing, wrong }) => missing === 0 && wrong === 0) ? 0 : 1);

async function measure(databaseUrl: string) {
  const opened = await openBenched(databaseUrl);
  const { gateway, slowestWriteMs } = timed(opened.gateway);
  const database = runningMeetings(databaseUrl);
  const look = (): Promise<unknown> => runDueTimers(gateway, { limit: 1, leaseMs: LEASE_MS });
  try {
    const startMs = Date.now() + LEAD_MS + MEETINGS / 4;
    await database.load({ meetings: MEETINGS, burst: BURST, windowMs: WINDOW_MS, startMs });
    // One look while nothing is due, and the first busy one, before the worker is at it.
    const idle = await statementsOf(look);
    const plan = await database.planOf(idle[0]!);
    await pause(Math.max(0, startMs + SECOND - Date.now()));
    const busy = await statementsOf(look);
    const lanes = await opened.startWorker(gateway);
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
      idle_statements: idle.length,
      busy_statements: busy.length,
      slowest_write_ms: slowestWriteMs(),
      cpu_ms: Math.round((user + system) / 1_000),
      plan,
    };
    console.log(
      `${dialect}: ${row.expected} due in ${WINDOW_MS / SECOND} s, ${row.missing} not told, ${row.wrong} told twice or too early; ` +
        `late p50 ${row.late_ms.p50} ms, p99 ${row.late_ms.p99} ms, max ${row.late_ms.max} ms; ` +
        `of the ${BURST} in one second max ${row.burst_late_ms.max} ms; an idle look is ${row.idle_statements} statement, a busy one ${row.busy_statements}; ` +
        `slowest transaction ${row.slowest_write_ms} ms; the worker's processor time ${row.cpu_ms} ms`,
    );
    return row;
  } finally {
    await database.close();
    await gateway.db.close();
  }
}

/** How long the slowest transaction took with its commit. */
function timed(gateway: Gateway): { gateway: Gateway; slowestWriteMs: () => number } {
  let slowest = 0;
  const write: Gateway['db']['write'] = async (work) => {
    const began = performance.now();
    try {
      return await gateway.db.write(work);
    } finally {
      slowest = Math.max(slowest, performance.now() - began);
    }
  };
  return { gateway: { ...gateway, db: { ...gateway.db, write } }, slowestWriteMs: () => Math.round(slowest) };
}
