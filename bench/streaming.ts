/**
 * Recordings: how fast one streams through the gateway against a bare pipe of `node:http` between the same two ends, what that costs in
 * memory, also when the viewer is slow; and how many links open in a second against routes of Hono that have no database: one that renders
 * the same page, and one that has nothing to do but to send its text.
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
import { show, spreadOf, type Spread } from './lib/statistics.ts';

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
/** What differs between two renderings of the page: when it was made, and what is counted from there. */
const MOMENT = /datetime="[^"]*"|data-(now|until)="[^"]*"|(?<=<time[^>]*>)[^<]*/g;
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
  const url = `http://127.0.0.1:${gateway.port}/r/${tokens[0]}`;
  const page = await (await fetch(url)).text();
  const [rendered, text] = [await startMediaReference('page', String(bytes)), await startMediaReference('text', url)];
  stops.push(
    () => rendered.stop(),
    () => text.stop(),
  );
  const renderedPage = await (await fetch(`http://127.0.0.1:${rendered.port}/r/${tokens[0]}`)).text();
  if (renderedPage.replaceAll(MOMENT, '') !== page.replaceAll(MOMENT, '')) throw new Error(`not the same page: ${renderedPage}`);
  const load = startLoad();
  stops.push(() => load.stop());
  const pages = tokens.map((token) => `GET /r/${token}`);
  const contenders = {
    page: { server: gateway, asked: pages },
    media_head: { server: gateway, asked: tokens.map((token) => `HEAD /r/${token}/media`) },
    rendered: { server: rendered, asked: pages },
    text: { server: text, asked: pages },
  };
  type Name = keyof typeof contenders;
  const names = Object.keys(contenders) as Name[];
  const ask = async (name: Name, forSeconds: number) => {
    const { server, asked } = contenders[name];
    const cpuBefore = processorMs(server.pid);
    const report = await load.run({
      port: server.port,
      connections: 32,
      seconds: forSeconds,
      requests: Math.ceil(MOST_PER_SECOND * forSeconds),
      startMs: 0,
      asked,
    });
    if (Object.keys(report.statuses).some((status) => status !== '200')) throw new Error(JSON.stringify(report.statuses));
    const answers = report.acknowledged.length;
    // Processor time per answer says the same on a machine that others use, too.
    return { answers, rate: answers / report.seconds, us: ((processorMs(server.pid) - cpuBefore) * 1_000) / answers };
  };
  // By the number of answers: V8 optimises what has run often, however long that took.
  for (const name of names) for (let answers = 0; answers < WARM_ANSWERS;) answers += (await ask(name, 1)).answers;
  const rates: Record<Name, number[]> = { page: [], media_head: [], rendered: [], text: [] };
  const costs: typeof rates = { page: [], media_head: [], rendered: [], text: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const { rate, us } = await ask(name, seconds);
      rates[name].push(rate);
      costs[name].push(us);
    }
  }
  const to = (name: Name, other: Name) => spreadOf(rates[name].map((rate, index) => rate / rates[other][index]!));
  const spreads = (of: typeof rates) => Object.fromEntries(names.map((name) => [name, spreadOf(of[name])])) as Record<Name, Spread>;
  const [perSecond, us] = [spreads(rates), spreads(costs)];
  const ratio = {
    page_to_rendered: to('page', 'rendered'),
    page_to_text: to('page', 'text'),
    media_head_to_text: to('media_head', 'text'),
  };
  console.log(
    `links per second: page ${show(perSecond.page)}; the same page rendered without a database ${show(perSecond.rendered)}: ` +
      `${show(ratio.page_to_rendered, 2)}x; its text alone ${show(perSecond.text)}: ${show(ratio.page_to_text, 2)}x (${page.length} characters)`,
  );
  console.log(
    `HEAD of the media ${show(perSecond.media_head)} per second, ${show(ratio.media_head_to_text, 2)}x of the text; processor time per answer: ` +
      names.map((name) => `${name} ${show(us[name])}`).join(', ') +
      ' µs',
  );
  return { page_characters: page.length, per_second: perSecond, ratio, processor_us: us };
}
