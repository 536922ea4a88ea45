import { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3/driver';
import { BetterSQLiteSession } from 'drizzle-orm/better-sqlite3/session';
import { SQLiteSyncDialect } from 'drizzle-orm/sqlite-core';
import { sqliteKit } from '../../../drizzle/kit.ts';
import { defineTables } from '../../../drizzle/schema.ts';
import { isFailure } from '../../domain/failure.ts';
import { chainAuditEntries } from '../audit.ts';
import type { Database, DatabaseOptions, Writer } from '../database.ts';
import { Sqlite } from './better-sqlite3.ts';
import { planCheckpoints } from './checkpoints.ts';
import { gate, lifetime } from './session.ts';
import { BUSY_TIMEOUT_MS, prepareFile } from './sqlite-file.ts';
import type { Statements } from './statements.ts';
import { codeOf, storageFailure } from './trouble.ts';

/** After a checkpoint the log is cut back to this size. */
const LOG_LIMIT_BYTES = 64 * 1024 * 1024;

export async function openSqlite(path: string, { onError }: DatabaseOptions): Promise<Database> {
  const file = prepareFile(path);
  const writer = connection(file, false);
  const reader = connection(file, true);

  const t = defineTables(sqliteKit);
  const dialect = new SQLiteSyncDialect({ casing: 'snake_case' });
  const skipLocked: Writer['skipLocked'] = (query) => query;
  const hold: Writer['hold'] = () => Promise.resolve();
  const handleOn = (client: Sqlite, check: () => void, known: Map<object, unknown>): Writer => {
    const session = gate(new BetterSQLiteSession(client, dialect, undefined), check);
    const statements: Statements = { check, known, base: () => handleOn(client, always, known) };
    // The cast of this file. Safe because the members Reader and Writer pick from PgDatabase exist on the SQLite database
    // too, and its builders are thenables as well; the store tests run every query on both engines.
    return Object.assign(new BetterSQLite3Database('sync', dialect, session, undefined), {
      t,
      skipLocked,
      hold,
      statements,
      unchained: [],
    }) as unknown as Writer;
  };

  const begin = writer.prepare('begin immediate');
  const commit = writer.prepare('commit');
  const rollback = writer.prepare('rollback');
  const known = new Map<object, unknown>();
  const oneAtATime = mutex();
  const checkpoints = planCheckpoints(writer, oneAtATime);
  // Waiting for a lock stops the whole process. Who holds it for longer than one wait is not waited for again until a begin succeeds.
  let waitMs = BUSY_TIMEOUT_MS;
  const waitFor = (ms: number): void => {
    if (ms !== waitMs) writer.pragma(`busy_timeout = ${ms}`);
    waitMs = ms;
  };
  const beginOrGiveUp = (): void => {
    try {
      begin.run();
      waitFor(BUSY_TIMEOUT_MS);
    } catch (error) {
      if (codeOf(error).startsWith('SQLITE_BUSY')) waitFor(0);
      throw error;
    }
  };
  let failures = 0;
  const rollBack = (): void => {
    // SQLite itself has rolled back after a full disk or a failed write.
    if (!writer.inTransaction) return;
    try {
      rollback.run();
    } catch (error) {
      onError(error as Error);
    }
  };

  return {
    dialect: 'sqlite',
    read: handleOn(reader, always, new Map()),
    // better-sqlite3's own transaction() takes synchronous callbacks only, so begin and commit are issued
    // by hand; the mutex keeps every other writer off this connection in between.
    write: (work) =>
      oneAtATime(async () => {
        const { check, end } = lifetime();
        try {
          // Left open only when a rollback failed; the disk may be back by now.
          rollBack();
          beginOrGiveUp();
          const tx = handleOn(writer, check, known);
          const result = await withinThisTurn(work(tx));
          await withinThisTurn(chainAuditEntries(tx));
          commit.run();
          checkpoints.note();
          return result;
        } catch (error) {
          rollBack();
          const failure = storageFailure(error);
          if (isFailure(failure, 'storage_unavailable')) failures += 1;
          throw failure;
        } finally {
          end();
        }
      }),
    failures: () => failures,
    checkpoint: () =>
      oneAtATime(async () => {
        try {
          // Waiting for somebody else's long reader would stop the whole process; there will be another checkpoint.
          writer.pragma('busy_timeout = 0');
          const [answer] = writer.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
          return answer?.busy === 0;
        } catch (error) {
          throw storageFailure(error);
        } finally {
          writer.pragma(`busy_timeout = ${waitMs}`);
        }
      }),
    close: () =>
      oneAtATime(async () => {
        checkpoints.stop();
        reader.close();
        writer.close();
      }),
  };
}

const always = (): void => {};

function connection(file: string, readonly: boolean): Sqlite {
  const client = new Sqlite(file, { readonly, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  // A file that was restored from a backup is not in this mode yet.
  if (!readonly) client.pragma('journal_mode = WAL');
  // better-sqlite3 silently runs NORMAL in WAL mode, which may lose confirmed transactions with the power.
  client.pragma('synchronous = FULL');
  // Erased means overwritten, not just unlinked from the tree.
  client.pragma('secure_delete = ON');
  client.pragma('foreign_keys = ON');
  client.pragma(`journal_size_limit = ${LOG_LIMIT_BYTES}`);
  return client;
}

/** Runs async jobs one after another, in call order. */
function mutex() {
  let tail: Promise<unknown> = Promise.resolve();
  return <T>(job: () => Promise<T>): Promise<T> => {
    const run = tail.then(job);
    tail = run.catch(() => {});
    return run;
  };
}

/**
 * better-sqlite3 answers within the current turn of the event loop. If a turn passes while a transaction
 * is open, its callback is waiting for something else, with the only write lock in its hand.
 */
async function withinThisTurn<T>(work: Promise<T>): Promise<T> {
  let alarm: NodeJS.Immediate | undefined;
  const turnPassed = new Promise<never>((_, reject) => {
    alarm = setImmediate(() => reject(new Error('a write transaction awaited something other than the database')));
  });
  try {
    return await Promise.race([work, turnPassed]);
  } finally {
    clearImmediate(alarm);
  }
}
