/** The processes of a bench: the gateway, what it is compared with, and the load generator. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { SECRET } from './deliveries.ts';
import type { ListenOrder } from './listeners.ts';
import type { Received } from './receiver.ts';
import type { LoadOrder, LoadReport } from './load.ts';
import { BENCH_KEY } from './published-recording.ts';
import type { View, ViewOrder } from './viewer.ts';

export interface Served {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

export const PROGRAM = fileURLToPath(new URL('../../dist/bundle/main.js', import.meta.url));
const LIFE_MS = 10_000;

/** The built gateway, as an operator starts it. `startMs`: from the start of the process to the line that says that it listens. */
export async function startGateway({
  databaseUrl,
  program = PROGRAM,
  nodeOptions = [],
  environment = {},
}: {
  databaseUrl: string;
  program?: string;
  nodeOptions?: readonly string[];
  /** Further variables. */
  environment?: Readonly<Record<string, string>>;
}): Promise<Served & { readonly startMs: number }> {
  const port = await freePort();
  const began = performance.now();
  const child = spawn(process.execPath, [...nodeOptions, program], {
    env: {
      PATH: process.env['PATH'],
      PORT: String(port),
      DATABASE_URL: databaseUrl,
      ENCRYPTION_KEYS: `${BENCH_KEY.id}:${BENCH_KEY.key.toString('base64')}`,
      ZOOM_CLIENT_ID: 'bench',
      ZOOM_CLIENT_SECRET: 'bench',
      ZOOM_WEBHOOK_SECRET: SECRET,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const startMs = await new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('"msg":"listening"')) resolve(performance.now() - began);
      else if (!line.includes('"level":30')) console.error(line.slice(0, 300));
    });
    child.once('exit', (code) => reject(new Error(`the gateway ended with ${code} before it listened`)));
  });
  return { port, pid: child.pid!, startMs, stop: () => stop(child) };
}

/** A server of `reference.ts`. */
export const startReference = (...options: readonly string[]): Promise<Served> => startServer(forkScript('reference.ts', options));

/** A server of `media-reference.ts`. */
export const startMediaReference = (...options: readonly string[]): Promise<Served> =>
  startServer(forkScript('media-reference.ts', options));

async function startServer(child: ChildProcess): Promise<Served> {
  const [port] = (await once(child, 'message')) as [number];
  return { port, pid: child.pid!, stop: () => stop(child) };
}

/** The vendor that has one file of `bytes`. */
export async function startMediaVendor(bytes: number): Promise<Served & { sent(): Promise<number> }> {
  const child = forkScript('media-vendor.ts', [String(bytes)]);
  return { ...(await startServer(child)), sent: () => ask(child, {}) as Promise<number> };
}

/** Somebody who watches, see `viewer.ts`. */
export function startViewer(): { view(order: ViewOrder): Promise<View>; stop(): Promise<void> } {
  const child = forkScript('viewer.ts', []);
  return { view: (order) => ask(child, order) as Promise<View>, stop: () => stop(child) };
}

/** One question, one answer. */
async function ask(child: ChildProcess, order: object): Promise<unknown> {
  const answer = once(child, 'message');
  child.send(order);
  return ((await answer) as [unknown])[0];
}

export function startLoad(): { run(order: LoadOrder): Promise<LoadReport>; stop(): Promise<void> } {
  const child = forkScript('load.ts', []);
  return {
    run: (order) =>
      new Promise((resolve, reject) => {
        const onExit = (): void => reject(new Error('the load generator ended'));
        child.once('exit', onExit);
        child.once('message', (report) => {
          child.off('exit', onExit);
          resolve(report as LoadReport);
        });
        child.send(order);
      }),
    stop: () => stop(child),
  };
}

/** A marketplace's endpoints, see `receiver.ts`. */
export async function startReceiver() {
  const child = forkScript('receiver.ts', []);
  const [port] = (await once(child, 'message')) as [number];
  return {
    port,
    /** What came since the last report. */
    report: async (): Promise<Received> => {
      const answer = once(child, 'message');
      child.send('report');
      return ((await answer) as [Received])[0];
    },
    stop: () => stop(child),
  };
}

/** Pages that listen, see `listeners.ts`. */
export function startListeners() {
  const child = forkScript('listeners.ts', []);
  return {
    /** How long it took until all had heard their first state, in milliseconds. */
    open: async (port: number, tokens: readonly string[]) =>
      (await ask(child, { kind: 'open', port, tokens } satisfies ListenOrder)) as number,
    /** The page at `index` will hear of a run since `at`, which is also the moment of the change. */
    expect: (index: number, at: number) => void child.send({ kind: 'expect', index, at } satisfies ListenOrder),
    /** From change to page, in milliseconds. */
    latencies: async (count: number) => (await ask(child, { kind: 'latencies', count } satisfies ListenOrder)) as number[],
    stop: () => stop(child),
  };
}

/** Processor time so far, in milliseconds. */
export function processorMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resident memory in MB. */
export function residentMb(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1_024;
}

const forkScript = (name: string, options: readonly string[]): ChildProcess =>
  fork(fileURLToPath(new URL(name, import.meta.url)), options, {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), LIFE_MS);
  await exited;
  clearTimeout(timer);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
