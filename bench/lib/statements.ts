/** What a piece of work asks of the database, as the driver gets it. */
import pg from 'pg';
import { Sqlite } from '../../src/store/engine/better-sqlite3.ts';
import type { Query } from './gateway-database.ts';

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/**
 * Statements of `work`, and of whatever runs beside it; without those that only begin or end a transaction. One of SQLite's reads no table: it
 * asks how many rows were changed (`src/store/engine/checkpoints.ts`).
 */
export async function statementsOf(work: () => Promise<unknown>): Promise<Statement[]> {
  const seen: Statement[] = [];
  const note = (text: string, values: readonly unknown[] = []): void => {
    if (!/^(begin|commit|rollback)/.test(text)) seen.push({ text, values });
  };
  const stops = [watchSqlite(note), watchPostgres(note)];
  try {
    await work();
  } finally {
    for (const stop of stops) stop();
  }
  return seen;
}

/** How the database comes by its rows. */
export async function planOf(query: Query, postgres: boolean, { text, values }: Statement): Promise<string> {
  const rows = await query(`explain ${postgres ? '' : 'query plan '}${text}`, values);
  return rows.map((row) => String(row[postgres ? 'QUERY PLAN' : 'detail']).trim()).join('; ');
}

type Note = (text: string, values?: readonly unknown[]) => void;
type Method = (this: { readonly source: string }, ...values: unknown[]) => unknown;
type PostgresQuery = (this: unknown, query: string | { readonly text: string }, ...rest: readonly unknown[][]) => unknown;

function watchSqlite(note: Note): () => void {
  const db = new Sqlite(':memory:');
  const methods = Object.getPrototypeOf(db.prepare('select 1')) as Record<string, Method>;
  db.close();
  const before = ['all', 'get', 'run'].map((name) => [name, methods[name]!] as const);
  for (const [name, method] of before) {
    methods[name] = function watched(...values) {
      note(this.source, values);
      return method.apply(this, values);
    };
  }
  return () => void Object.assign(methods, Object.fromEntries(before));
}

function watchPostgres(note: Note): () => void {
  const client = pg.Client.prototype as unknown as { query: PostgresQuery };
  const before = client.query;
  client.query = function watched(query, ...rest) {
    note(typeof query === 'string' ? query : query.text, rest[0]);
    return before.call(this, query, ...rest);
  };
  return () => void (client.query = before);
}
