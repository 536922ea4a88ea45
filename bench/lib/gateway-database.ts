/** Looks into the gateway's database while and after it is loaded, past everything of the gateway's. */
import pg from 'pg';
import { Sqlite } from '../../src/store/engine/better-sqlite3.ts';
import { FIRST_MEETING } from './deliveries.ts';

export type Row = Readonly<Record<string, string | number>>;

export interface Peek {
  /** Vendor times of all stored deliveries, by the first part of their keys. */
  storedTimes(): Promise<number[]>;
  /** Deliveries that the worker has not looked at yet. */
  untouched(): Promise<number>;
  states(): Promise<Record<string, number>>;
  /** Makes `count` meetings known, as if customers had booked them, without endpoints that would be told. */
  addMeetings(count: number): Promise<void>;
  close(): Promise<void>;
}

export function peek(databaseUrl: string): Peek {
  const { query, close } = connectTo(databaseUrl);
  return {
    storedTimes: async () => (await query(`select substr(key, 6, 13) as ms from inbox`)).map((row) => Number(row['ms'])),
    untouched: async () => Number((await query(`select count(*) as n from inbox where state = 'pending' and attempts = 0`))[0]!['n']),
    states: async () => {
      const rows = await query(`select state, count(*) as n from inbox group by state`);
      return Object.fromEntries(rows.map((row) => [String(row['state']), Number(row['n'])]));
    },
    addMeetings: async (count) => {
      await query(marketplace(isPostgres(databaseUrl)));
      await query(meetings(count, isPostgres(databaseUrl)));
    },
    close,
  };
}

export const isPostgres = (databaseUrl: string): boolean => databaseUrl.startsWith('postgres:');

/** One statement at a time. */
export type Query = (text: string, values?: readonly unknown[]) => Promise<Row[]>;

export const connectTo = (databaseUrl: string): { query: Query; close: () => Promise<void> } =>
  isPostgres(databaseUrl) ? onPostgres(databaseUrl) : onSqlite(databaseUrl);

function onSqlite(databaseUrl: string): { query: Query; close: () => Promise<void> } {
  const db = new Sqlite(databaseUrl.replace(/^file:/, ''));
  return {
    query: async (text, values = []) => {
      const statement = db.prepare(text);
      return statement.reader ? (statement.all(values) as Row[]) : (statement.run(values), []);
    },
    close: async () => void db.close(),
  };
}

function onPostgres(databaseUrl: string): { query: Query; close: () => Promise<void> } {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  return {
    query: async (text, values = []) => (await pool.query<Record<string, string | number>>(text, [...values])).rows,
    close: () => pool.end(),
  };
}

export const marketplace = (postgres: boolean, preset = 'guide'): string =>
  `insert into marketplaces (id, name, preset, policy_patch, return_urls, created_at)
    values ('mkt_bench', 'Bench', '${preset}', '{}', '[]', ${postgres ? 'now()' : Date.now()})`;

/** One statement on both databases; only the moments and the bytes are written differently. */
function meetings(count: number, postgres: boolean): string {
  const now = Date.now();
  const at = postgres ? `to_timestamp(${now / 1_000})` : String(now);
  const bytes = postgres ? `'\\x00'::bytea` : `x'00'`;
  const no = postgres ? 'false' : '0';
  const numbers = postgres
    ? `select ${FIRST_MEETING} + i as n from generate_series(0, ${count - 1}) i`
    : `with recursive counter(n) as (select ${FIRST_MEETING} union all select n + 1 from counter where n < ${FIRST_MEETING + count - 1}) select n from counter`;
  const json = postgres ? '::jsonb' : '';
  return `insert into meetings (id, marketplace_id, booking_id, booking_kind, title, professional_id, provider, state, purchase_by, starts_at,
      duration_minutes, time_zone, recording, records_automatically, link_source, vendor_meeting_id, vendor_details, degraded, host_token_hash, host_token_sealed,
      plan, plan_basis, limit_exceeded, decision, vendor_key, created_at)
    select 'mtg_' || n, 'mkt_bench', 'bk_' || n, 'one_to_one', 'Bench', 'pro_1', 'zoom', 'ended', ${at}, ${at},
      30, 'UTC', 'on_consent', ${no}, 'created', '' || n, '{}'${json}, '[]'${json}, 'host ' || n, ${bytes},
      'paid', 'vendor', ${no}, '{}'${json}, 'mtg_' || n, ${at}
    from (${numbers}) as numbers`;
}
