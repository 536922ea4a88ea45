import { sql } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import { NodePgDatabase, NodePgSession } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { pgKit } from '../../../drizzle/kit.ts';
import { defineTables } from '../../../drizzle/schema.ts';
import { isFailure } from '../../domain/failure.ts';
import { MINUTE, SECOND } from '../../domain/time.ts';
import { chainAuditEntries } from '../audit.ts';
import type { Database, DatabaseOptions, Writer } from '../database.ts';
import { CREATE_JOURNAL, migrationsOf, pendingMigrations, READ_JOURNAL } from './migrations.ts';
import { gate, lifetime } from './session.ts';
import type { Statements } from './statements.ts';
import { codeOf, DatabaseUnusable, lostTheRace, storageFailure } from './trouble.ts';

/** Chosen: enough to keep two cores of PostgreSQL busy; a process more brings ten more. */
const CONNECTIONS = 10;
/** The strictest vendor, Zoom, waits 3 s for the answer to a webhook: half of it for the way to the database. */
const CONNECT_TIMEOUT_MS = 1.5 * SECOND;
const STATEMENT_TIMEOUT_MS = 10 * SECOND;
/** For a server that does not answer at all, so above the timeout it would keep itself. */
const ANSWER_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 2 * SECOND;
/** A transaction that waits for something other than the database loses its connection. */
const IDLE_IN_TRANSACTION_MS = 5 * SECOND;
/** Chosen: what comes once a minute finds a connection that knows its statements already. */
const IDLE_CONNECTION_MS = 5 * MINUTE;
/** Any number, the same for every process of ours that shares the database. */
const MIGRATION_LOCK = 7_368_104_211;
/** Chosen: of two transactions that block each other one goes through, so the other needs a second try, seldom a third. */
const ATTEMPTS = 3;

export async function openPostgres(url: string, { onError }: DatabaseOptions): Promise<Database> {
  const name = nameOf(url);
  const pool = new pg.Pool({
    connectionString: committingDurably(url),
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    idleTimeoutMillis: IDLE_CONNECTION_MS,
    keepAlive: true,
    // What does not wait for each other's answer is sent at once, and the server works while this process prepares the next.
    pipeline: true,
    application_name: 'conferencing-gateway',
  });
  // A lost connection fails the query that was using it, if any, and the pool replaces it.
  // Without both listeners the same event, unheard, would end the process.
  pool.on('error', onError);
  pool.on('connect', (client) => client.on('error', onError));
  try {
    await migrate(pool, name);
  } catch (error) {
    await pool.end();
    throw error instanceof DatabaseUnusable ? error : new DatabaseUnusable(`${name} cannot be used: ${reasonOf(error)}`, error);
  }

  const t = defineTables(pgKit);
  const dialect = new PgDialect({ casing: 'snake_case' });
  const skipLocked: Writer['skipLocked'] = (query) => query.for('update', { skipLocked: true });
  const handleOn = (client: pg.Pool | pg.PoolClient, check: () => void, known: Map<object, unknown>): Writer => {
    const session = gate(new NodePgSession(client, dialect, undefined), check);
    const statements: Statements = { check, known, base: () => handleOn(client, always, known) };
    const database = new NodePgDatabase(dialect, session, undefined);
    const hold: Writer['hold'] = async (name) => {
      await database.execute(sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`);
    };
    return Object.assign(database, { t, skipLocked, hold, statements, unchained: [] });
  };
  const knownOf = new WeakMap<pg.PoolClient, Map<object, unknown>>();
  const statementsOf = (client: pg.PoolClient): Map<object, unknown> => {
    const known = knownOf.get(client) ?? new Map<object, unknown>();
    knownOf.set(client, known);
    return known;
  };

  const once = async <T>(work: (tx: Writer) => Promise<T>): Promise<T> => {
    const client = await connect(pool);
    const { check, end } = lifetime();
    let lost = false;
    try {
      await client.query('begin');
      const tx = handleOn(client, check, statementsOf(client));
      const result = await work(tx);
      await chainAuditEntries(tx);
      const { command } = await client.query('commit');
      // PostgreSQL answers the commit of a transaction with a failed statement by rolling it back.
      if (command !== 'COMMIT') throw new Error('a failed statement was caught inside its transaction: nothing is stored');
      return result;
    } catch (error) {
      const failure = storageFailure(error);
      // The connection is in doubt, or gone; thrown away, it takes its open transaction with it.
      lost = isFailure(failure, 'storage_unavailable') || !(await rolledBack(client, onError));
      throw failure;
    } finally {
      end();
      client.release(lost);
    }
  };

  let failures = 0;
  const counted = <T>(write: Promise<T>): Promise<T> =>
    write.catch((error: unknown) => {
      if (isFailure(error, 'storage_unavailable')) failures += 1;
      throw error;
    });

  const running = new Set<Promise<unknown>>();
  return {
    dialect: 'postgres',
    read: handleOn(pool, always, new Map()),
    write: (work) => {
      const write = counted(repeating(() => once(work)));
      running.add(write);
      return write.finally(() => running.delete(write));
    },
    failures: () => failures,
    checkpoint: () => Promise.resolve(true),
    close: async () => {
      await Promise.allSettled(running);
      await pool.end();
    },
  };
}

const always = (): void => {};

async function repeating<T>(transaction: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transaction();
    } catch (error) {
      if (attempt === ATTEMPTS || !lostTheRace(error)) throw error;
    }
  }
}

async function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw storageFailure(error);
  }
}

async function rolledBack(client: pg.PoolClient, onError: DatabaseOptions['onError']): Promise<boolean> {
  try {
    await client.query('rollback');
    return true;
  } catch (error) {
    onError(error as Error);
    return false;
  }
}

/** The same address with `synchronous_commit=on` for our sessions, whatever role, database or address say. */
function committingDurably(url: string): string {
  const [address, query] = url.split('?', 2) as [string, string | undefined];
  const parameters = new URLSearchParams(query);
  parameters.set('options', `${parameters.get('options') ?? ''} -c synchronous_commit=on`.trim());
  return `${address}?${parameters.toString().replaceAll('+', '%20')}`;
}

async function migrate(pool: pg.Pool, name: string): Promise<void> {
  const client = await pool.connect();
  let failed = true;
  try {
    const { rows } = await client.query<{ durable: string; readonly: string; encoding: string }>(
      `select current_setting('synchronous_commit') durable, current_setting('transaction_read_only') readonly, current_setting('server_encoding') encoding`,
    );
    const settings = rows[0];
    // A pooler between us and the server may drop the option we connect with.
    if (settings?.durable === 'off')
      throw new DatabaseUnusable(`${name} runs with synchronous_commit=off: it would lose webhooks it has confirmed`);
    if (settings?.readonly === 'on') throw new DatabaseUnusable(`${name} is read-only: give the address of the primary`);
    if (settings?.encoding !== 'UTF8') throw new DatabaseUnusable(`${name} has the encoding ${settings?.encoding}: create it with UTF8`);
    await client.query('begin');
    // Another process may be at it, and both the waiting and the work may take long.
    await client.query({ text: 'set local statement_timeout = 0' });
    await client.query({ text: `select pg_advisory_xact_lock(${MIGRATION_LOCK})`, ...unhurried });
    await client.query(CREATE_JOURNAL.postgres);
    const applied = await client.query<{ hash: string }>(READ_JOURNAL);
    for (const migration of pendingMigrations(
      migrationsOf('postgres'),
      applied.rows.map((row) => row.hash),
      name,
    )) {
      for (const text of migration.sql) await client.query({ text, ...unhurried });
      await client.query('insert into __drizzle_migrations (hash, created_at) values ($1, $2)', [migration.hash, migration.folderMillis]);
    }
    await client.query('commit');
    failed = false;
  } finally {
    // A connection that is thrown away takes its open transaction with it.
    client.release(failed);
  }
}

/** Typed nowhere, but read by node-postgres: this query's own limit instead of the pool's. One hour. */
const unhurried = { query_timeout: 3_600 * SECOND };

/** The address without the password. */
function nameOf(url: string): string {
  const { hostname, port, pathname } = URL.canParse(url) ? new URL(url) : { hostname: '?', port: '', pathname: '' };
  return `PostgreSQL ${hostname || 'on the local socket'}${port && `:${port}`}${pathname}`;
}

function reasonOf(error: unknown): string {
  // Node reports several addresses of one host that failed as one error without a message.
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  const words = first instanceof Error ? first.message : String(first);
  return (words || codeOf(error)).split('\n')[0]!;
}
