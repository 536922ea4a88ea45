/**
 * The column vocabulary of the schema, once per SQL dialect.
 *
 * Only the types that really differ between the two engines are named here (`instant`, `json`, `bytes`, `boolean`).
 * The schema is type-checked as PostgreSQL: its builders are async-only, so query code cannot reach for SQLite's
 * `.run()` and `.get()`.
 */
import * as pg from 'drizzle-orm/pg-core';
import * as lite from 'drizzle-orm/sqlite-core';

const bytea = pg.customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' });

export const pgKit = {
  table: pg.pgTable,
  text: pg.text,
  integer: pg.integer,
  boolean: () => pg.boolean(),
  /** A moment in time, millisecond precision, as a `Date`. */
  instant: () => pg.timestamp({ withTimezone: true, mode: 'date', precision: 3 }),
  json: <T>() => pg.jsonb().$type<T>(),
  bytes: () => bytea(),
  index: pg.index,
  unique: pg.uniqueIndex,
  primaryKey: pg.primaryKey,
};

export type Kit = typeof pgKit;

// Safe because every entry builds the column of the same name, JavaScript type and nullability as pgKit's;
// test/store/migrations.test.ts compares the two table sets column by column.
export const sqliteKit = {
  table: lite.sqliteTable,
  text: lite.text,
  integer: lite.integer,
  boolean: () => lite.integer({ mode: 'boolean' }),
  instant: () => lite.integer({ mode: 'timestamp_ms' }),
  json: <T>() => lite.text({ mode: 'json' }).$type<T>(),
  bytes: () => lite.blob({ mode: 'buffer' }),
  index: lite.index,
  unique: lite.uniqueIndex,
  primaryKey: lite.primaryKey,
} as unknown as Kit;
