/** Fresh databases for tests, on both engines. */
import { randomUUID } from 'node:crypto';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, describe, inject } from 'vitest';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { Sqlite } from '../../src/store/engine/better-sqlite3.ts';
import { postgresServer, sqliteTemplate } from './support.ts';

export type Dialect = Database['dialect'];

export interface Engine {
  readonly dialect: Dialect;
  /** The address of a new database. Removed after the test. */
  createUrl(options?: NewDatabase): Promise<string>;
  /** A database on an address; closed after the test. */
  openAt(url: string): Promise<Database>;
}

export interface NewDatabase {
  /** False: nothing has been in it yet, and on SQLite there is no file. Default: as the program leaves it when it starts. */
  readonly migrated?: boolean;
  /** A SQLite file on a disk that can lose what was not synced, not in memory. */
  readonly onDisk?: boolean;
}

type Open = () => Promise<Database>;

/** Runs the same tests on SQLite and on PostgreSQL. `open` gives each test a database of its own, closed and removed after it. */
export function describeOnBothDatabases(name: string, tests: (open: Open, engine: Engine) => void): void {
  for (const dialect of ['sqlite', 'postgres'] as const) {
    describe(`${name} (${dialect})`, () => {
      const { open, engine } = useDatabases(dialect);
      tests(open, engine);
    });
  }
}

/** The same for tests that need one engine, or a database next to something else. Call it in a describe block or at the top of a file. */
export function useDatabases(dialect: Dialect): { open: Open; engine: Engine } {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const clean of cleanups.splice(0).toReversed()) await clean();
  });
  const engine: Engine = {
    dialect,
    createUrl: async (options) => {
      const { url, remove } = await (dialect === 'sqlite' ? createFile(options) : createDatabase(options));
      cleanups.push(remove);
      return url;
    },
    openAt: async (url) => {
      const db = await openDatabase(url, { onError: () => {} });
      let closed = false;
      const close = async (): Promise<void> => {
        if (!closed) await db.close();
        closed = true;
      };
      cleanups.push(close);
      return { ...db, close };
    },
  };
  return { open: async () => engine.openAt(await engine.createUrl()), engine };
}

/** One statement, past everything of ours. */
export async function raw(url: string, statement: string): Promise<Record<string, unknown>[]> {
  if (!url.startsWith('postgres:')) {
    const client = new Sqlite(url);
    try {
      const prepared = client.prepare(statement);
      return prepared.reader ? (prepared.all() as Record<string, unknown>[]) : (prepared.run(), []);
    } finally {
      client.close();
    }
  }
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(statement);
    return rows;
  } finally {
    await client.end();
  }
}

interface Created {
  readonly url: string;
  readonly remove: () => Promise<void>;
}

/** A SQLite file in a folder of its own. */
export async function createFile({ migrated = true, onDisk = false }: NewDatabase = {}): Promise<Created> {
  const folder = await mkdtemp(join(onDisk ? tmpdir() : inject('scratch'), 'gateway-test-'));
  const url = join(folder, 'gateway.db');
  if (migrated) await copyFile(await sqliteTemplate(), url);
  return { url, remove: () => rm(folder, { recursive: true, force: true }) };
}

async function createDatabase({ migrated = true }: NewDatabase = {}): Promise<Created> {
  const { server, template } = await postgresServer();
  const name = `gateway_test_${randomUUID().replaceAll('-', '')}`;
  // The default writes every page to the log, which takes four times as long.
  await raw(server, `create database ${name} template ${migrated ? template : 'template0'} strategy file_copy`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, remove: async () => void (await raw(server, `drop database ${name} with (force)`)) };
}
