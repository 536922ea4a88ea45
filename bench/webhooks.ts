/**
 * Webhooks acknowledged per second: the gateway as it is shipped, against the same proof without storage and against one commit per
 * webhook. `npm run bench -- --quick` takes half a minute, `--postgres` adds a row, `--help` tells the rest.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { BODY_BYTES } from './lib/deliveries.ts';
import { peek, type Peek } from './lib/gateway-database.ts';
import type { LoadReport } from './lib/load.ts';
import { describeMachine, writeResult } from './lib/machine.ts';
import { PROGRAM, residentMb, startGateway, startLoad, startReference, type Served } from './lib/processes.ts';
import { startPostgres } from './lib/postgres.ts';
import { show, spreadOf, type Spread } from './lib/statistics.ts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    postgres: { type: 'boolean', default: false },
    connections: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    program: { type: 'string', default: PROGRAM },
    node: { type: 'string', multiple: true, default: [] },
    only: { type: 'string', multiple: true },
    save: { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.log(
    `npm run bench -- [--quick] [--postgres] [--connections 1,16,64,256] [--rounds 3] [--seconds 1.5] [--only gateway]
  --program <main.js>  another build of the gateway, to compare with
  --node <option>      for the gateway's process, such as --node=--cpu-prof
  --save <name>        writes bench/results/<name>.json (default: webhooks for a whole run, nothing for a quick one)`,
  );
  process.exit(0);
}

const levels = (options.connections ?? (options.quick ? '1,64' : '1,16,64,256')).split(',').map(Number);
const rounds = Number(options.rounds ?? 3);
const seconds = Number(options.seconds ?? (options.quick ? 0.5 : 1.5));
const save = options.save || (options.quick || options.connections || options.only ? '' : 'webhooks');
/** A backlog that takes longer is reported as what is left. */
const DRAIN_LIMIT_MS = options.quick ? 3_000 : 5_000;
/** Known meetings of the last measurement; each gets one recording. */
const KNOWN = options.quick ? 1_000 : 3_000;

interface Contender extends Served {
  readonly name: string;
  /** More than it can answer in a second, so that the run does not end early. */
  readonly perSecond: number;
  readonly database?: Peek;
  readonly acknowledged: Set<number>;
  sent: number;
}

interface Run {
  readonly contender: string;
  readonly connections: number;
  readonly round: number;
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly refused: number;
  /** How long the worker took to look at everything that this run brought, from the run's end; null when it took too long. */
  readonly drainMs: number | null;
  readonly residentMb: number;
}

const machine = describeMachine();
const folder = await mkdtemp(join(tmpdir(), 'gateway-bench-'));
const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
const beganMs = Date.now();
let nextMs = beganMs;
let failed = false;
try {
  const load = startLoad();
  stops.push(() => load.stop());
  const contenders = await startContenders();
  const runs: Run[] = [];

  const measure = async (contender: Contender, connections: number, forSeconds: number): Promise<LoadReport> => {
    const requests = Math.ceil(contender.perSecond * forSeconds * (connections === 1 ? 0.3 : 1));
    const report = await load.run({ port: contender.port, connections, seconds: forSeconds, requests, startMs: nextMs });
    nextMs += requests;
    for (const ms of report.acknowledged) contender.acknowledged.add(ms);
    contender.sent += Object.values(report.statuses).reduce((sum, count) => sum + count, 0);
    return report;
  };

  for (const contender of contenders) await measure(contender, 64, options.quick ? 0.5 : 1);
  for (let round = 1; round <= rounds; round++) {
    for (const connections of levels) {
      for (const contender of rotated(contenders, round)) {
        if (contender.database !== undefined) await drained(contender.database);
        const report = await measure(contender, connections, seconds);
        const drainMs = contender.database === undefined ? 0 : await drained(contender.database);
        const refused = Object.entries(report.statuses).reduce((sum, [status, count]) => sum + (status.startsWith('2') ? 0 : count), 0);
        runs.push({
          contender: contender.name,
          connections,
          round,
          rate: report.acknowledged.length / report.seconds,
          ...report.latencyMs,
          refused,
          drainMs,
          residentMb: residentMb(contender.pid),
        });
      }
    }
  }
  print(runs, contenders);

  const backlogs = [];
  for (const contender of contenders) if (contender.database !== undefined) backlogs.push(await backlogOf(contender, contender.database));
  const checks = [];
  for (const contender of contenders) checks.push(await verify(contender));

  const tookSeconds = Math.round((Date.now() - beganMs) / 1_000);
  console.log(`\n${tookSeconds} s in all; load before: ${machine.load_before} on ${machine.cores} cores`);
  if (save !== '') {
    const path = writeResult(save, {
      measured: new Date().toISOString(),
      machine,
      body_bytes: BODY_BYTES,
      seconds_per_run: seconds,
      summary: summaryOf(runs, contenders),
      backlogs,
      checks,
      runs,
    });
    console.log(`written to ${path}`);
  }

  async function backlogOf(contender: Contender, database: Peek) {
    await database.addMeetings(KNOWN);
    await drained(database);
    const startMs = nextMs;
    nextMs += KNOWN;
    const report = await load.run({ port: contender.port, connections: 64, seconds: 30, requests: KNOWN, startMs, meetings: KNOWN });
    for (const ms of report.acknowledged) contender.acknowledged.add(ms);
    contender.sent += KNOWN;
    if (Object.keys(report.statuses).some((status) => status !== '200'))
      console.log(`${contender.name}: answers ${JSON.stringify(report.statuses)}`);
    const acknowledgedIn = report.seconds * 1_000;
    const drainMs = await drained(database, 30_000);
    if (drainMs === null) return { contender: contender.name, deliveries: KNOWN, per_second: null };
    const perSecond = Math.round((KNOWN / (acknowledgedIn + drainMs)) * 1_000);
    const states = await database.states();
    console.log(
      `${contender.name}: ${KNOWN} recordings of known meetings acknowledged in ${acknowledgedIn.toFixed(0)} ms, ` +
        `published or withheld ${drainMs.toFixed(0)} ms later (${perSecond} per second); inbox: ${JSON.stringify(states)}`,
    );
    return {
      contender: contender.name,
      deliveries: KNOWN,
      acknowledged_ms: acknowledgedIn,
      drain_ms: drainMs,
      per_second: perSecond,
      inbox: states,
    };
  }
} finally {
  for (const stop of stops.toReversed()) await stop();
}
process.exit(failed ? 1 : 0);

async function startContenders(): Promise<Contender[]> {
  const wanted = (name: string): boolean => options.only === undefined || options.only.includes(name);
  const contenders: Contender[] = [];
  const add = (name: string, perSecond: number, served: Served, database?: Peek): void => {
    stops.push(() => served.stop());
    if (database !== undefined) stops.push(() => database.close());
    contenders.push({ ...served, name, perSecond, ...(database === undefined ? {} : { database }), acknowledged: new Set(), sent: 0 });
  };
  const { program, node: nodeOptions } = options;
  if (wanted('gateway')) {
    const databaseUrl = `file:${join(folder, 'gateway.db')}`;
    add('gateway', 30_000, await startGateway({ databaseUrl, program, nodeOptions }), peek(databaseUrl));
  }
  if (wanted('bare')) add('bare', 45_000, await startReference('bare'));
  if (wanted('single')) add('single', 12_000, await startReference('single', join(folder, 'single.db')));
  if (options.postgres) {
    const postgres = await startPostgres(join(folder, 'postgres'));
    stops.push(() => postgres.stop());
    add('gateway on postgres', 20_000, await startGateway({ databaseUrl: postgres.url, program }), peek(postgres.url));
  }
  return contenders;
}

function rotated<T>(list: readonly T[], by: number): T[] {
  return [...list.slice(by % list.length), ...list.slice(0, by % list.length)];
}

/** Waits until the worker has looked at every delivery once. */
async function drained(database: Peek, limitMs = DRAIN_LIMIT_MS): Promise<number | null> {
  const began = performance.now();
  for (;;) {
    const left = await database.untouched();
    const took = performance.now() - began;
    if (left === 0) return took;
    if (took > limitMs) return null;
    await pause(20);
  }
}

/** Every delivery that was answered with 2xx is in the database, once. */
async function verify(contender: Contender) {
  const { name, acknowledged, sent } = contender;
  const database = contender.database ?? (name === 'single' ? peek(join(folder, 'single.db')) : undefined);
  if (database === undefined) return { contender: name, acknowledged: acknowledged.size, sent };
  const times = await database.storedTimes();
  const stored = new Set(times);
  let missing = 0;
  for (const ms of acknowledged) if (!stored.has(ms)) missing += 1;
  const twice = times.length - stored.size;
  failed ||= missing > 0 || twice > 0 || times.length > sent;
  console.log(
    `${name}: ${sent} sent, ${acknowledged.size} acknowledged, ${times.length} stored, ${missing} acknowledged but missing, ${twice} stored twice`,
  );
  if (contender.database === undefined) await database.close();
  return { contender: name, sent, acknowledged: acknowledged.size, stored: times.length, missing, twice };
}

function summaryOf(runs: readonly Run[], contenders: readonly Contender[]) {
  const of = (name: string, connections: number): Run[] => runs.filter((run) => run.contender === name && run.connections === connections);
  const ratio = (name: string, other: string, connections: number): Spread | undefined => {
    const others = of(other, connections);
    if (name === other || others.length === 0) return undefined;
    return spreadOf(of(name, connections).map((run, index) => run.rate / others[index]!.rate));
  };
  return levels.flatMap((connections) =>
    contenders.map(({ name }) => {
      const mine = of(name, connections);
      return {
        connections,
        contender: name,
        rate: spreadOf(mine.map((run) => run.rate)),
        p50_ms: spreadOf(mine.map((run) => run.p50)),
        p99_ms: spreadOf(mine.map((run) => run.p99)),
        to_single: ratio(name, 'single', connections),
        to_bare: ratio(name, 'bare', connections),
        refused: mine.reduce((sum, run) => sum + run.refused, 0),
        drain_ms: mine.some((run) => run.drainMs === null) ? null : spreadOf(mine.map((run) => run.drainMs ?? 0)),
        resident_mb: Math.max(...mine.map((run) => run.residentMb)),
      };
    }),
  );
}

function print(runs: readonly Run[], contenders: readonly Contender[]): void {
  console.log(`${BODY_BYTES}-byte deliveries, ${rounds} rounds of ${seconds} s each: median (lowest–highest)\n`);
  for (const row of summaryOf(runs, contenders)) {
    const ratios = [
      ...(row.to_single === undefined ? [] : [`${show(row.to_single, 2)}x one commit each`]),
      ...(row.to_bare === undefined ? [] : [`${show(row.to_bare, 2)}x without storage`]),
      ...(row.contender.startsWith('gateway')
        ? [
            row.drain_ms === null ? `backlog longer than ${DRAIN_LIMIT_MS} ms` : `backlog ${show(row.drain_ms)} ms`,
            `${Math.round(row.resident_mb)} MB`,
          ]
        : []),
      ...(row.refused > 0 ? [`${row.refused} refused`] : []),
    ];
    console.log(
      `${String(row.connections).padStart(3)} connections  ${row.contender.padEnd(10)} ${show(row.rate).padEnd(24)}/s  ` +
        `p50 ${row.p50_ms.median.toFixed(1)} ms  p99 ${show(row.p99_ms, 1)} ms  ${ratios.join(', ')}`,
    );
  }
  console.log('');
}
