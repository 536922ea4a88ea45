/**
 * Recordings: how fast one streams through the gateway against a bare pipe of `node:http` between the same two ends, what that costs in
 * memory, also when the viewer is slow; and how many links open in a second against a route that answers the same page without a database.
 * `npm run bench:streaming`, with `--megabytes 128` for less.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { describeMachine, writeResult } from './lib/machine.ts';
import {
  processorMs,
  PROGRAM,
  residentMb,
  startGateway,
  startLoad,
  startMediaReference,
  startMediaVendor,
  startViewer,
  type Served,
} from './lib/processes.ts';
import { startPostgres } from './lib/postgres.ts';
import { addPublishedRecordings } from './lib/published-recording.ts';
import { show, spreadOf } from './lib/statistics.ts';

const { values: options } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '1024' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    postgres: { type: 'boolean', default: false },
    only: { type: 'string' },
    program: { type: 'string', default: PROGRAM },
    node: { type: 'string', multiple: true, default: [] },
    save: { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.log(
    `npm run bench:streaming -- [--megabytes 1024] [--rounds 5] [--seconds 2] [--postgres] [--only streaming|links]
  --program <main.js>  another build of the gateway, to compare with
  --node <option>      for the gateway's process, such as --node=--cpu-prof
  --save <name>        writes bench/results/<name>.json`,
  );
  process.exit(0);
}

const MB = 2 ** 20;
const bytes = Number(options.megabytes) * MB;
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);
/** Of a film in good quality: eight megabits a second. */
const SLOW_BYTES_PER_SECOND = MB;
const SLOW_MS = 8_000;
/** Opened in turn: who opens a link has hardly opened it a moment ago. */
const LINKS = 1_000;
const WARM_ANSWERS = 8_000;
/** More than are opened in a second. */
const MOST_PER_SECOND = 30_000;

const machine = describeMachine();
const folder = await mkdtemp(join(tmpdir(), 'gateway-bench-'));
const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
try {
  const vendor = await startMediaVendor(bytes);
  stops.push(() => vendor.stop());
  const databaseUrl = options.postgres ? await postgresUrl() : `file:${join(folder, 'gateway.db')}`;
  const tokens = await addPublishedRecordings(databaseUrl, { count: LINKS, bytes });
  const gateway = await startGateway({
    databaseUrl,
    program: options.program,
    nodeOptions: options.node,
    environment: { ZOOM_API_URL: `http://127.0.0.1:${vendor.port}/v2` },
  });
  stops.push(() => gateway.stop());
  const media = { port: gateway.port, path: `/r/${tokens[0]}/media` };
  const result = {
    database: options.postgres ? 'postgres' : 'sqlite',
    ...(options.only === 'links' ? {} : { streaming: await streaming(gateway, vendor, media) }),
    ...(options.only === 'streaming' ? {} : { links: await links(gateway, tokens) }),
  };
  console.log(`load before: ${machine.load_before} on ${machine.cores} cores`);
  if (options.save !== '')
    console.log(`written to ${writeResult(options.save, { measured: new Date().toISOString(), machine, bytes, ...result })}`);
} finally {
  for (const stop of stops.toReversed()) await stop();
}

async function postgresUrl(): Promise<string> {
  const postgres = await startPostgres(join(folder, 'postgres'));
  stops.push(() => postgres.stop());
  return postgres.url;
}

async function streaming(
  gateway: Served,
  vendor: Served & { sent(): Promise<number> },
  media: { readonly port: number; readonly path: string },
) {
  const pipe = await startMediaReference('pipe', String(vendor.port));
  stops.push(() => pipe.stop());
  const viewer = startViewer();
  stops.push(() => viewer.stop());
  const contenders = { gateway: media, pipe: { port: pipe.port, path: '/' } };
  // What is loaded with the first request is not what a stream costs.
  await viewer.view({ ...media, range: 'bytes=0-1048575' });
  const restMb = residentMb(gateway.pid);

  const rates: Record<keyof typeof contenders, number[]> = { gateway: [], pipe: [] };
  await viewer.view({ ...contenders.pipe, forMs: 20 });
  const pipeRestMb = residentMb(pipe.pid);
  let peakMb = restMb;
  let firstPeakMb = restMb;
  let pipePeakMb = pipeRestMb;
  for (let round = 0; round < rounds; round += 1) {
    const order = (['gateway', 'pipe'] as const).toSorted(() => (round % 2 === 0 ? 1 : -1));
    for (const name of order) {
      const watch = setInterval(() => {
        if (name === 'gateway') peakMb = Math.max(peakMb, residentMb(gateway.pid));
        else pipePeakMb = Math.max(pipePeakMb, residentMb(pipe.pid));
      }, 20);
      const view = await viewer.view(contenders[name]);
      clearInterval(watch);
      if (view.bytes !== bytes || view.status !== 200) throw new Error(`${name} gave ${view.bytes} bytes with status ${view.status}`);
      rates[name].push(view.bytes / MB / view.seconds);
      if (name === 'gateway' && round === 0) firstPeakMb = peakMb;
    }
  }

  await pause(500);
  const slowRestMb = residentMb(gateway.pid);
  let slowPeakMb = slowRestMb;
  const sentBefore = await vendor.sent();
  const watch = setInterval(() => (slowPeakMb = Math.max(slowPeakMb, residentMb(gateway.pid))), 20);
  const slow = await viewer.view({ ...media, rate: SLOW_BYTES_PER_SECOND, forMs: SLOW_MS });
  clearInterval(watch);
  await pause(500);
  const ahead = (await vendor.sent()) - sentBefore - slow.bytes;

  const ratio = spreadOf(rates.gateway.map((rate, index) => rate / rates.pipe[index]!));
  console.log(
    `${options.megabytes} MB, ${rounds} rounds: gateway ${show(spreadOf(rates.gateway))} MB/s, pipe ${show(spreadOf(rates.pipe))} MB/s, ` +
      `${show(ratio, 2)}x; memory ${restMb.toFixed(0)} MB, +${(firstPeakMb - restMb).toFixed(1)} in the first, ` +
      `+${(peakMb - restMb).toFixed(1)} in all (the pipe: +${(pipePeakMb - pipeRestMb).toFixed(1)})`,
  );
  console.log(
    `a viewer of ${SLOW_BYTES_PER_SECOND / MB} MB/s: ${(slow.bytes / MB).toFixed(1)} MB in ${slow.seconds.toFixed(1)} s, the vendor was ` +
      `${(ahead / MB).toFixed(1)} MB ahead, memory +${(slowPeakMb - slowRestMb).toFixed(1)} MB`,
  );
  return {
    megabytes_per_second: { gateway: spreadOf(rates.gateway), pipe: spreadOf(rates.pipe) },
    ratio,
    memory_mb: { before: restMb, growth_first: firstPeakMb - restMb, growth: peakMb - restMb, growth_of_pipe: pipePeakMb - pipeRestMb },
    slow_viewer: {
      bytes_per_second: SLOW_BYTES_PER_SECOND,
      seconds: slow.seconds,
      viewer_bytes: slow.bytes,
      vendor_ahead_bytes: ahead,
      memory_growth_mb: slowPeakMb - slowRestMb,
    },
  };
}

async function links(gateway: Served, tokens: readonly string[]) {
  // The same bytes with the same headers: what is compared is how a page comes about, not what it weighs on the wire.
  const url = `http://127.0.0.1:${gateway.port}/r/${tokens[0]}`;
  const pageBytes = (await (await fetch(url)).arrayBuffer()).byteLength;
  const route = await startMediaReference('route', url);
  stops.push(() => route.stop());
  const load = startLoad();
  stops.push(() => load.stop());
  /** Processor time per answer: says the same on a machine that others use, too. */
  let lastUs = 0;
  const rateOf = async (port: number, asked: readonly string[], forSeconds = seconds): Promise<number> => {
    const { pid } = port === route.port ? route : gateway;
    const cpuBefore = processorMs(pid);
    const report = await load.run({
      port,
      connections: 32,
      seconds: forSeconds,
      requests: Math.ceil(MOST_PER_SECOND * forSeconds),
      startMs: 0,
      asked,
    });
    if (Object.keys(report.statuses).some((status) => status !== '200')) throw new Error(JSON.stringify(report.statuses));
    lastUs = ((processorMs(pid) - cpuBefore) * 1_000) / report.acknowledged.length;
    return report.acknowledged.length / report.seconds;
  };
  const asked = {
    page: tokens.map((token) => `GET /r/${token}`),
    media_head: tokens.map((token) => `HEAD /r/${token}/media`),
  };
  for (const requests of Object.values(asked)) {
    // By the number of answers: V8 optimises what has run often, however long that took.
    for (let answers = 0; answers < WARM_ANSWERS;) answers += await rateOf(gateway.port, requests, 1);
    await rateOf(route.port, asked.page, 1);
  }
  const rates: Record<keyof typeof asked | 'route', number[]> = { page: [], media_head: [], route: [] };
  const costs: typeof rates = { page: [], media_head: [], route: [] };
  for (let round = 0; round < rounds; round += 1) {
    rates.page.push(await rateOf(gateway.port, asked.page));
    costs.page.push(lastUs);
    rates.route.push(await rateOf(route.port, asked.page));
    costs.route.push(lastUs);
    rates.media_head.push(await rateOf(gateway.port, asked.media_head));
    costs.media_head.push(lastUs);
  }
  const to = (name: keyof typeof asked) => spreadOf(rates[name].map((rate, index) => rate / rates.route[index]!));
  console.log(
    `links per second: page ${show(spreadOf(rates.page))}, ${show(to('page'), 2)}x; HEAD of the media ${show(spreadOf(rates.media_head))}, ` +
      `${show(to('media_head'), 2)}x; a route without database ${show(spreadOf(rates.route))} (${pageBytes} bytes); ` +
      `processor time per answer: ${show(spreadOf(costs.page))}, ${show(spreadOf(costs.media_head))} and ${show(spreadOf(costs.route))} µs`,
  );
  return {
    page_bytes: pageBytes,
    per_second: { page: spreadOf(rates.page), media_head: spreadOf(rates.media_head), route: spreadOf(rates.route) },
    ratio: { page: to('page'), media_head: to('media_head') },
    processor_us: { page: spreadOf(costs.page), media_head: spreadOf(costs.media_head), route: spreadOf(costs.route) },
  };
}
