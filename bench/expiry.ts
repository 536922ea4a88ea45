/**
 * 100,000 publications that end in the same second while webhooks come in: how long until everything of them is erased, and how much longer
 * webhooks wait for their answer meanwhile. `npm run bench:expiry -- --publications 5000 --only sqlite` is a short one.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SECOND } from '../src/domain/time.ts';
import { verifyAudit } from '../src/evidence/verify-audit.ts';
import { onEachDatabase, openBenched } from './lib/databases.ts';
import { duePublications } from './lib/due-publications.ts';
import { isPostgres } from './lib/gateway-database.ts';
import type { LoadReport } from './lib/load.ts';
import { processorMs, PROGRAM, startGateway, startLoad } from './lib/processes.ts';
import { latenessOf } from './lib/statistics.ts';

const { values: options } = parseArgs({
  options: {
    publications: { type: 'string', default: '100000' },
    /** Vendors' connections, and how long each waits after an answer: a busy hour, not a flood. */
    connections: { type: 'string', default: '16' },
    pause: { type: 'string', default: '25' },
    only: { type: 'string', multiple: true },
    node: { type: 'string', multiple: true, default: [] },
    save: { type: 'string', default: 'expiry' },
  },
});
const PUBLICATIONS = Number(options.publications);
const CONNECTIONS = Number(options.connections);
const PAUSE_MS = Number(options.pause);
/** What is promised. */
const MOST_SECONDS = 60;
const MOST_SLOWER = 2;
const WINDOW_SECONDS = 5;
const PATIENCE_MS = 300 * SECOND;

const results = await onEachDatabase(
  { only: options.only, save: options.save },
  { publications: PUBLICATIONS, connections: CONNECTIONS, pause_ms: PAUSE_MS },
  measure,
);
process.exit(results.every(({ sound }) => sound) ? 0 : 1);

async function measure(databaseUrl: string) {
  const name = isPostgres(databaseUrl) ? 'postgres' : 'sqlite';
  await prepare(databaseUrl);
  const database = duePublications(databaseUrl);
  const load = startLoad();
  const began = Date.now();
  // Filled before the gateway starts; due far enough ahead for the quiet measurement.
  const dueMs = began + 0.3 * PUBLICATIONS + (3 * WINDOW_SECONDS + 20) * SECOND;
  await database.load(PUBLICATIONS, dueMs);
  const served = await startGateway({ databaseUrl, program: PROGRAM, nodeOptions: options.node });
  try {
    let nextMs = began;
    const send = async (seconds: number): Promise<LoadReport> => {
      const requests = Math.ceil(seconds * CONNECTIONS * (PAUSE_MS === 0 ? 1_000 : SECOND / PAUSE_MS)) + CONNECTIONS;
      const report = await load.run({ port: served.port, connections: CONNECTIONS, seconds, requests, startMs: nextMs, pauseMs: PAUSE_MS });
      nextMs += requests;
      return report;
    };
    await send(2);
    await database.settle();
    const quiet = await send(2 * WINDOW_SECONDS);
    const plan = await database.planOfLook(dueMs);
    if (Date.now() > dueMs - SECOND) throw new Error('filling took too long: everything was due before it was measured');
    await pause(Math.max(0, dueMs - Date.now()));
    const processorBefore = processorMs(served.pid);
    const watch = finished(database, dueMs);
    const windows: LoadReport[] = [];
    while (!watch.done()) windows.push(await send(WINDOW_SECONDS));
    const seconds = await watch.seconds;
    const report = await database.report(PUBLICATIONS);
    const chains = await verified(databaseUrl);
    // The windows in which there was work to do; the last of them may have ended after it.
    const busy = windows.slice(0, Math.max(1, Math.floor(seconds / WINDOW_SECONDS)));
    const meanwhile = latenessOf(busy.flatMap(({ latencies }) => latencies));
    const refused = [quiet, ...windows].flatMap(({ statuses }) => Object.entries(statuses)).filter(([status]) => status !== '200').length;
    const row = {
      database: name,
      seconds,
      per_second: Math.round(PUBLICATIONS / seconds),
      quiet_ms: quiet.latencyMs,
      /** The whole time, and the worst of its windows. */
      busy_ms: meanwhile,
      worst_window_p99_ms: Math.max(...busy.map(({ latencyMs }) => latencyMs.p99)),
      slower: meanwhile.p99 / quiet.latencyMs.p99,
      webhooks_per_second: Math.round(
        busy.reduce((sum, one) => sum + one.acknowledged.length, 0) / busy.reduce((sum, one) => sum + one.seconds, 0),
      ),
      refused,
      ...report,
      audit: chains,
      cpu_ms: processorMs(served.pid) - processorBefore,
      plan,
      sound: report.left === 0 && report.wrong === 0 && report.unaudited === 0 && chains === 'ok' && refused === 0,
    };
    console.log(
      `${name}: ${PUBLICATIONS} ended in ${seconds.toFixed(1)} s (at most ${MOST_SECONDS}), ${row.per_second} per second; ` +
        `${report.left} with something left, ${report.wrong} not told once, ${report.unaudited} not in the audit log, its chain: ${chains}; ` +
        `webhooks (${row.webhooks_per_second}/s) p99 ${quiet.latencyMs.p99.toFixed(1)} ms before, ${meanwhile.p99.toFixed(1)} ms meanwhile: ` +
        `${row.slower.toFixed(2)} times (at most ${MOST_SLOWER}), ${row.worst_window_p99_ms.toFixed(1)} ms in the worst ${WINDOW_SECONDS} s, max ${row.busy_ms.max.toFixed(1)} ms; ${refused} refused`,
    );
    return row;
  } finally {
    await served.stop();
    await load.stop();
    await database.close();
  }
}

/** Brings the schema into the database. */
async function prepare(databaseUrl: string): Promise<void> {
  const { gateway } = await openBenched(databaseUrl);
  await gateway.db.close();
}

async function verified(databaseUrl: string): Promise<string> {
  const { gateway } = await openBenched(databaseUrl);
  try {
    const [report] = await verifyAudit(gateway.db);
    return report?.broken === null ? 'ok' : 'broken';
  } finally {
    await gateway.db.close();
  }
}

/** Looks ten times a second whether anything is left to end. */
function finished(database: { isWaiting(): Promise<boolean> }, dueMs: number): { done: () => boolean; seconds: Promise<number> } {
  let over = false;
  const watch = async (): Promise<number> => {
    while (await database.isWaiting()) {
      if (Date.now() > dueMs + PATIENCE_MS) throw new Error('it takes too long');
      await pause(100);
    }
    over = true;
    return (Date.now() - dueMs) / SECOND;
  };
  return { done: () => over, seconds: watch() };
}
