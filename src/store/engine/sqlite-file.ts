/** Everything that is done to the SQLite file before it is used: found, checked, migrated. */
import { chmodSync, closeSync, linkSync, mkdirSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { SECOND } from '../../domain/time.ts';
import { Sqlite } from './better-sqlite3.ts';
import { CREATE_JOURNAL, migrationsOf, pendingMigrations, READ_JOURNAL } from './migrations.ts';
import { codeOf, DatabaseUnusable } from './trouble.ts';

/** The strictest vendor, Zoom, waits 3 s for the answer to a webhook: half of it for somebody else's lock. */
export const BUSY_TIMEOUT_MS = 1.5 * SECOND;

/** The first bytes of every SQLite file (sqlite.org/fileformat2.html). */
const HEADER = 'SQLite format 3\0';

/** Chosen: checking this much takes a quarter of a second, and start-up should not take more. */
const CHECKED_BYTES = 64 * 1024 * 1024;

/**
 * The absolute path of a file that is ours, sound and up to date. A missing file is created, with its folder; one that is there
 * is never replaced.
 * @throws DatabaseUnusable
 */
export function prepareFile(path: string): string {
  if (path === '' || path.startsWith(':') || /^[a-z][a-z0-9+.-]+:\/\//i.test(path)) {
    throw new DatabaseUnusable(`the database has to be postgres://… or the path of a SQLite file, not "${path.split('@').at(-1)}"`);
  }
  const file = resolve(path);
  try {
    if (statSync(file, { throwIfNoEntry: false }) === undefined) create(file);
    checkHeader(file);
    const client = new Sqlite(file, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
    try {
      bringUpToDate(client, file);
    } finally {
      client.close();
    }
  } catch (error) {
    throw error instanceof DatabaseUnusable ? error : new DatabaseUnusable(`${file} ${reasonOf(error)}`, error);
  }
  return file;
}

/** Appears under its name in one step, so that an empty file is never one of ours that a crash left behind. */
function create(file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.new`;
  try {
    const client = new Sqlite(draft);
    client.pragma('journal_mode = WAL');
    client.close();
    // Names and e-mail addresses are in the clear; SQLite gives its other files the same mode.
    chmodSync(draft, 0o600);
    linkSync(draft, file);
  } catch (error) {
    // Another process was faster; its file is as good as ours.
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function checkHeader(file: string): void {
  if (statSync(file).isDirectory()) throw new DatabaseUnusable(`${file} is a folder: the database has to be a file`);
  const bytes = Buffer.alloc(HEADER.length);
  const descriptor = openSync(file, 'r+');
  try {
    if (readSync(descriptor, bytes) === 0)
      throw new DatabaseUnusable(`${file} is empty: restore it from a backup, or remove it to start with a new one`);
  } finally {
    closeSync(descriptor);
  }
  if (bytes.toString('latin1') !== HEADER) throw new DatabaseUnusable(`${file} is not a SQLite database; it was left as it is`);
}

function bringUpToDate(client: Sqlite, file: string): void {
  if (statSync(file).size <= CHECKED_BYTES) {
    const [answer] = client.pragma('quick_check(1)') as { quick_check: string }[];
    if (answer?.quick_check !== 'ok') {
      throw new DatabaseUnusable(`${file} is damaged (${answer?.quick_check.replaceAll(/\s+/g, ' ')}): restore it from a backup`);
    }
  }
  const names = client.prepare<[], string>(`select name from sqlite_master where type = 'table'`).pluck().all();
  if (names.length > 0 && !names.includes('__drizzle_migrations'))
    throw new DatabaseUnusable(`${file} belongs to another program; it was left as it is`);
  const all = migrationsOf('sqlite');
  const applied = (): string[] => client.prepare<[], string>(READ_JOURNAL).pluck().all();
  if (names.length > 0 && pendingMigrations(all, applied(), file).length === 0) return;

  // Has to be off while a migration rebuilds a table, and cannot be changed inside the transaction.
  client.pragma('foreign_keys = OFF');
  client.pragma('synchronous = FULL');
  client
    .transaction(() => {
      client.exec(CREATE_JOURNAL.sqlite);
      const record = client.prepare('insert into __drizzle_migrations (hash, created_at) values (?, ?)');
      // Asked again under the lock: another process may have been faster.
      for (const migration of pendingMigrations(all, applied(), file)) {
        for (const statement of migration.sql) client.exec(statement);
        record.run(migration.hash, migration.folderMillis);
      }
      if ((client.pragma('foreign_key_check') as unknown[]).length > 0) throw new Error('a migration left rows that refer to nothing');
    })
    .immediate();
}

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  if (/^(EACCES|EPERM|EROFS|SQLITE_READONLY|SQLITE_CANTOPEN)/.test(code))
    return `cannot be written (${code}): check the owner of the file and its folder`;
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return `is locked by another process (${code})`;
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return `is damaged (${code}): restore it from a backup`;
  return `cannot be used: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`;
}
