import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DatabaseUnusable, openDatabase } from '../../src/store/database.ts';
import { Sqlite } from '../../src/store/engine/better-sqlite3.ts';
import { raw, useDatabases } from '../support/databases.ts';

describe('opening a SQLite file', () => {
  let folder = '';
  let file = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gateway-opening-'));
    file = join(folder, 'gateway.db');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('creates the file and its missing folders', async () => {
    const path = join(folder, 'a', 'b', 'gateway.db');
    await create(path);
    expect(readdirSync(join(folder, 'a', 'b'))).toEqual(['gateway.db']);
  });

  test('understands file: addresses', async () => {
    await create(`file:${file}`);
    await create(`file://${file}`);
    expect(readdirSync(folder)).toEqual(['gateway.db']);
  });

  test('case 14: two processes may create and open the same file at once', async () => {
    const opened = await Promise.all([open(file), open(file)]);
    const [first, second] = opened;
    await first.write((tx) => tx.insert(tx.t.pulses).values({ name: 'a', at: new Date(0) }));
    expect(await second.read.$count(second.read.t.pulses)).toBe(1);
    for (const db of opened) await db.close();
  });

  test('case 18: takes a restored backup, which is not in write-ahead mode', async () => {
    await create(file);
    const copy = join(folder, 'copy.db');
    await raw(file, `vacuum into '${copy}'`);
    await create(copy);
    expect(await raw(copy, 'select * from pragma_journal_mode')).toEqual([{ journal_mode: 'wal' }]);
  });

  test('refuses a file that is not a database, and leaves it as it is', async () => {
    writeFileSync(file, 'Dear diary, this is not a database at all.');
    await refuses(file, 'is not a SQLite database');
  });

  test('case 16: refuses an empty file instead of starting with no data', async () => {
    writeFileSync(file, '');
    await refuses(file, 'is empty: restore it from a backup');
  });

  test('case 16: refuses a truncated file', async () => {
    await create(file);
    truncateSync(file, 4096 * 3);
    await refuses(file, 'is damaged');
  });

  test('case 16: refuses a file with a broken page', async () => {
    await create(file);
    const bytes = readFileSync(file);
    bytes.fill(0x5a, 4096, 4096 * 8);
    writeFileSync(file, bytes);
    await refuses(file, 'is damaged');
  });

  test('refuses the database of another program', async () => {
    const other = new Sqlite(file);
    other.exec('create table recipes (name text)');
    other.close();
    await refuses(file, 'belongs to another program');
  });

  test('case 20: refuses a schema that is newer than the program', async () => {
    await create(file);
    await raw(file, `insert into __drizzle_migrations (hash, created_at) values ('of-tomorrow', 99999999999999)`);
    await refuses(file, 'has a newer schema than this program knows');
  });

  test('case 10: refuses a folder in place of a file', async () => {
    mkdirSync(file);
    expect(await messageOf(file)).toContain('is a folder');
    expect(readdirSync(folder)).toEqual(['gateway.db']);
  });

  test('case 10: refuses a path that leads through a file', async () => {
    writeFileSync(join(folder, 'file'), '');
    expect(await messageOf(join(folder, 'file', 'gateway.db'))).toContain('cannot be used');
  });

  test('case 10: refuses a folder it may not write to', async () => {
    chmodSync(folder, 0o555);
    expect(await asNobody(() => messageOf(file))).toContain('cannot be written (SQLITE_CANTOPEN)');
    expect(existsSync(file)).toBe(false);
  });

  test('case 10: refuses a file it may not write to', async () => {
    await create(file);
    chmodSync(file, 0o444);
    chmodSync(folder, 0o777);
    const before = readFileSync(file);
    expect(await asNobody(() => messageOf(file))).toContain('cannot be written (EACCES)');
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(readdirSync(folder)).toEqual(['gateway.db']);
  });

  test('refuses what is neither PostgreSQL nor a file, without repeating a password', async () => {
    expect(await messageOf(':memory:')).toContain('has to be postgres://… or the path of a SQLite file');
    expect(await messageOf('')).toContain('has to be postgres://… or the path of a SQLite file');
    const message = await messageOf('mysql://root:hunter2@db/gateway');
    expect(message).toContain('has to be postgres://… or the path of a SQLite file');
    expect(message).not.toContain('hunter2');
  });

  /** The reason is one line, the file keeps its bytes, and nothing new lies beside it. */
  async function refuses(path: string, reason: string): Promise<void> {
    const bytes = readFileSync(path);
    const message = await messageOf(path);
    expect(message).toContain(reason);
    expect(message).toContain(path);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(readdirSync(folder)).toEqual(['gateway.db']);
  }
});

describe('opening PostgreSQL', () => {
  const { engine } = useDatabases('postgres');

  test('refuses a server that is not there', async () => {
    expect(await messageOf('postgres://gateway:hunter2@127.0.0.1:1/gateway')).toBe(
      'PostgreSQL 127.0.0.1:1/gateway cannot be used: connect ECONNREFUSED 127.0.0.1:1',
    );
  });

  test('refuses a database that is not there', async () => {
    const url = new URL(await engine.createUrl());
    url.pathname = '/nowhere';
    expect(await messageOf(url.href)).toContain('/nowhere cannot be used: database "nowhere" does not exist');
  });

  test('refuses a wrong password without repeating it', async () => {
    const url = new URL(await engine.createUrl());
    url.password = 'hunter2';
    const message = await messageOf(url.href);
    expect(message).toContain('password authentication failed');
    expect(message).not.toContain('hunter2');
  });

  test('refuses a read-only replica', async () => {
    const url = await engine.createUrl();
    await raw(url, `alter database ${new URL(url).pathname.slice(1)} set default_transaction_read_only = on`);
    expect(await messageOf(url)).toContain('is read-only: give the address of the primary');
  });

  test('case 20: refuses a schema that is newer than the program', async () => {
    const url = await engine.createUrl();
    await raw(url, `insert into __drizzle_migrations (hash, created_at) values ('of-tomorrow', 99999999999999)`);
    expect(await messageOf(url)).toContain('has a newer schema than this program knows');
  });
});

const open = (url: string) => openDatabase(url, { onError: () => {} });

async function create(url: string): Promise<void> {
  await (await open(url)).close();
}

/** What the operator reads when the database cannot be opened: one line. */
async function messageOf(url: string): Promise<string> {
  const thrown: unknown = await open(url).then(
    (db) => db.close(),
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(DatabaseUnusable);
  const { message } = thrown as DatabaseUnusable;
  expect(message).not.toContain('\n');
  return message;
}

/** Permissions do not bind root, so root becomes somebody else for a moment. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid!(65_534);
  try {
    return await work();
  } finally {
    process.seteuid!(0);
  }
}
