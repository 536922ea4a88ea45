/** The processes of a bench: the gateway, what it is compared with, and the load generator. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { SECRET } from './deliveries.ts';
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
}: {
  databaseUrl: string;
  program?: string;
  nodeOptions?: readonly string[];
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
