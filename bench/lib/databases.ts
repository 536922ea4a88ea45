/** The same measured on both databases, one after the other, each new and gone afterwards; and the gateway's parts on one of them. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../src/config.ts';
import type { Gateway } from '../../src/gateway.ts';
import { openGateway } from '../../src/server.ts';
import { startWorker, type Worker } from '../../src/worker.ts';
import { describeMachine, writeResult } from './machine.ts';
import { startPostgres } from './postgres.ts';

export interface Choice {
  /** `sqlite`, `postgres`; both when left out. */
  readonly only: readonly string[] | undefined;
  /** Name of the file of results; empty: none. */
  readonly save: string;
}

/** `about`: what else the file of results says. */
export async function onEachDatabase<Result>(
  { only, save }: Choice,
  about: Readonly<Record<string, unknown>>,
  measure: (databaseUrl: string) => Promise<Result>,
): Promise<Result[]> {
  const machine = describeMachine();
  const folder = await mkdtemp(join(tmpdir(), 'gateway-bench-'));
  const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const results: Result[] = [];
  try {
    const wanted = (name: string): boolean => only === undefined || only.includes(name);
    if (wanted('sqlite')) results.push(await measure(`file:${join(folder, 'gateway.db')}`));
    if (wanted('postgres')) {
      const postgres = await startPostgres(join(folder, 'postgres'));
      stops.push(() => postgres.stop());
      results.push(await measure(postgres.url));
    }
    console.log(`load before: ${machine.load_before} on ${machine.cores} cores`);
    if (save !== '') {
      const path = writeResult(save, { measured: new Date().toISOString(), machine, ...about, results });
      console.log(`written to ${path}`);
    }
    return results;
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

/** A gateway without its web server, which brings the schema into the database. */
export async function openBenched(
  databaseUrl: string,
): Promise<{ readonly gateway: Gateway; readonly startWorker: (on?: Gateway) => Promise<Worker> }> {
  const config = readConfig({
    DATABASE_URL: databaseUrl,
    ENCRYPTION_KEYS: `bench:${createHash('sha256').update('bench').digest('base64')}`,
    // A database that stops takes its idle connections with it; what counts is what was told.
    LOG_LEVEL: 'silent',
  });
  const worker: { wake?: () => void } = {};
  const gateway = await openGateway(config, { now: () => new Date(), random: randomBytes, keys: config.encryptionKeys! }, () =>
    worker.wake?.(),
  );
  return {
    gateway,
    startWorker: async (on = gateway) => {
      const lanes = await startWorker(on, send, async () => {});
      worker.wake = () => lanes.wake();
      return lanes;
    },
  };
}

/** Nobody has asked to be told: what is measured is the event, not its delivery. */
const send = (): Promise<never> => Promise.reject(new Error('there is no endpoint'));
