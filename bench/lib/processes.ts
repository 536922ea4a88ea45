/** The processes of a bench: the gateway, what it is compared with, and the load generator. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { SECRET } from './deliveries.ts';
import type { ListenOrder } from './listeners.ts';
import type { Received } from './receiver.ts';
import type { LoadOrder, LoadReport } from './load.ts';

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
      ENCRYPTION_KEYS: `bench:${createHash('sha256').update('bench').digest('base64')}`,
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
export async function startReference(...options: readonly string[]): Promise<Served> {
  const child = forkScript('reference.ts', options);
  const [port] = (await once(child, 'message')) as [number];
  return { port, pid: child.pid!, stop: () => stop(child) };
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
  const ask = async (order: ListenOrder): Promise<unknown> => {
    const answer = once(child, 'message');
    child.send(order);
    return ((await answer) as [unknown])[0];
  };
  return {
    /** How long it took until all had heard their first state, in milliseconds. */
    open: async (port: number, tokens: readonly string[]) => (await ask({ kind: 'open', port, tokens })) as number,
    /** The page at `index` will hear of a run since `at`, which is also the moment of the change. */
    expect: (index: number, at: number) => void child.send({ kind: 'expect', index, at } satisfies ListenOrder),
    /** From change to page, in milliseconds. */
    latencies: async (count: number) => (await ask({ kind: 'latencies', count })) as number[],
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
