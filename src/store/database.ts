/** One database interface, two engines (`engine/`). The schema side is drizzle/kit.ts. */
import type { PgDatabase, PgQueryResultHKT, PgSelect } from 'drizzle-orm/pg-core';
import type { Tables } from '../../drizzle/schema.ts';
import type { NewAuditEntry } from './audit.ts';
import type { Statements } from './engine/statements.ts';

export { among, prepared, preparedRows, slot } from './engine/statements.ts';
export { DatabaseUnusable, storageFailure } from './engine/trouble.ts';

type Drizzle = PgDatabase<PgQueryResultHKT>;

/** Queries both engines can answer, and the tables to ask about. */
export type Reader = Pick<Drizzle, 'select' | 'selectDistinct' | '$count' | '$with' | 'with'> & {
  readonly t: Tables;
  /** For `prepared()`. */
  readonly statements: Statements;
};

/** One open transaction. Has no `transaction()` of its own: transactions do not nest. */
export type Writer = Reader &
  Pick<Drizzle, 'insert' | 'update' | 'delete'> & {
    /** Locks the selected rows against other claimers. SQLite has one writer at a time, so nothing to skip. */
    skipLocked<Q extends PgSelect>(query: Q): Q;
    /**
     * Whoever else wants to hold the same name waits until this transaction is over: for what has no row yet that could be locked. Taken before
     * any row, so that nobody waits in a circle. SQLite's one writer holds all names.
     */
    hold(name: string): Promise<void>;
    /** What this transaction has for the audit log; chained and written right before the commit (`audit.ts`). */
    readonly unchained: NewAuditEntry[];
  };

export interface Database {
  readonly dialect: 'sqlite' | 'postgres';
  /** Committed data, outside any transaction. */
  readonly read: Reader;
  /**
   * Runs `work` in one transaction: commits its result, or rolls back what it throws. No network inside, and no effect
   * on anything but the database: after a deadlock PostgreSQL has rolled everything back and `work` runs again.
   * @throws Failure `storage_unavailable` when the database is locked, full, read-only or gone.
   */
  write<T>(work: (tx: Writer) => Promise<T>): Promise<T>;
  /** How many transactions the storage has failed since the start. */
  failures(): number;
  /** Moves the write-ahead log into the file and empties it; false when another process still reads from it. PostgreSQL does this by itself. */
  checkpoint(): Promise<boolean>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** Hears of lost connections and failed clean-ups, which no caller waits for. */
  readonly onError: (error: Error) => void;
}

/**
 * Opens `postgres://…` or a SQLite file (a path, or `file:` and a path) and brings its schema up to date.
 * @throws DatabaseUnusable with one line for the operator.
 */
export async function openDatabase(url: string, options: DatabaseOptions): Promise<Database> {
  // Each driver costs start-up time, so only the one that is used is loaded.
  if (/^postgres(ql)?:/.test(url)) return (await import('./engine/postgres.ts')).openPostgres(url, options);
  return (await import('./engine/sqlite.ts')).openSqlite(url.replace(/^file:(\/\/(?=\/))?/, ''), options);
}
