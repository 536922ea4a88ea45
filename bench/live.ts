/**
 * Open pages of meetings: what 2,000 streams cost one process, how often it asks the database for them, and how soon a page hears of a
 * change that another process has made. `npm run bench:live`, with `--pages 500` for less.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Sqlite } from '../src/store/engine/better-sqlite3.ts';
import { FIRST_MEETING } from './lib/deliveries.ts';
import { peek } from './lib/gateway-database.ts';
import { describeMachine, writeResult } from './lib/machine.ts';
import { processorMs, PROGRAM, residentMb, startGateway, startListeners } from './lib/processes.ts';

const { values: options } = parseArgs({
  options: {
    pages: { type: 'string', default: '2000' },
    changes: { type: 'string', default: '300' },
    program: { type: 'string', default: PROGRAM },
    save: { type: 'string', default: 'live' },
  },
});
const pages = Number(options.pages);
const changes = Number(options.changes);
const REST_MS = 5_000;

const machine = describeMachine();
const folder = await mkdtemp(join(tmpdir(), 'gateway-bench-'));
const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
try {
  const databaseUrl = `file:${join(folder, 'gateway.db')}`;
  const gateway = await startGateway({ databaseUrl, program: options.program });
  stops.push(() => gateway.stop());
  const database = peek(databaseUrl);
  stops.push(() => database.close());
  await database.addMeetings(pages);
  const tokens = Array.from({ length: pages }, () => randomBytes(32).toString('base64url'));
  const db = new Sqlite(join(folder, 'gateway.db'));
  stops.push(async () => void db.close());
  openDoors(db, tokens);
  await pause(REST_MS);
  const idleMb = residentMb(gateway.pid);

  const listeners = startListeners();
  stops.push(() => listeners.stop());
  const openedMs = await listeners.open(gateway.port, tokens);
  await pause(REST_MS);
  const beforeCpuMs = processorMs(gateway.pid);
  const began = performance.now();
  await pause(2 * REST_MS);
  const processorShare = (processorMs(gateway.pid) - beforeCpuMs) / (performance.now() - began);
  const openMb = residentMb(gateway.pid);

  // Spread over the second between two looks, as changes come.
  const touch = db.prepare('update meetings set running_since = ? where id = ?');
  for (let count = 0; count < changes; count += 1) {
    const index = (count * 7) % pages;
    const at = Date.now();
    listeners.expect(index, at);
    touch.run(at, `mtg_${FIRST_MEETING + index}`);
    await pause(13);
  }
  const latencies = (await listeners.latencies(changes)).toSorted((a, b) => a - b);
  const quantile = (part: number): number => Math.round(latencies[Math.min(latencies.length - 1, Math.floor(part * latencies.length))]!);
  const result = {
    pages,
    opened_ms: Math.round(openedMs),
    idle_mb: Math.round(idleMb),
    open_mb: Math.round(openMb),
    kb_per_page: Math.round(((openMb - idleMb) * 1_024) / pages),
    processor_share_while_nothing_happens: Number(processorShare.toFixed(3)),
    heard: latencies.length,
    changes,
    latency_ms: { p50: quantile(0.5), p99: quantile(0.99), most: quantile(1) },
  };
  console.log(JSON.stringify(result, null, 2));
  console.log(`load before: ${machine.load_before} on ${machine.cores} cores`);
  console.log(`written to ${writeResult(options.save, { measured: new Date().toISOString(), machine, ...result })}`);
} finally {
  for (const stop of stops.toReversed()) await stop();
}

/** One customer each, who has bought and may come in for an hour to come. */
function openDoors(on: Sqlite, all: readonly string[]): void {
  const now = Date.now();
  on.prepare(`update meetings set state = 'live', locked_at = ?, purchase_by = ?, duration_minutes = 120`).run(now, now + 3_600_000);
  const insert = on.prepare(
    `insert into attendees (id, marketplace_id, meeting_id, customer_id, camera_off, purchased_at, recording_consent, join_token_hash,
      join_token_sealed, created_at) values (?, 'mkt_bench', ?, 'cus', 0, ?, 'missing', ?, x'00', ?)`,
  );
  on.transaction(() => {
    for (const [index, token] of all.entries())
      insert.run(`att_${index}`, `mtg_${FIRST_MEETING + index}`, now, createHash('sha256').update(token).digest('base64url'), now);
  })();
}
