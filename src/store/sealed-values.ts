/** The ciphertext of any column, page by page, and its replacement. What the columns are bound to is not known here. */
import { and, asc, eq, getTableColumns, isNotNull, sql, type SQL } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { Tables } from '../../drizzle/schema.ts';
import type { Reader, Writer } from './database.ts';

export type { Tables };

export interface SealedColumn {
  readonly table: keyof Tables;
  readonly column: string;
  /** The primary key's columns, in order. */
  readonly key: readonly string[];
}

export interface SealedValue {
  /** The primary key's values, by column. */
  readonly key: Readonly<Record<string, string>>;
  readonly sealed: Buffer;
}

/** Values that are not null, in the order of the primary key, after that of `after`. `bytes`: only so many from the start of each. */
export async function pageOfSealed(
  db: Reader,
  { table, column, key }: SealedColumn,
  { after, limit, bytes }: { after: SealedValue['key'] | undefined; limit: number; bytes?: number },
): Promise<SealedValue[]> {
  const columns = columnsOf(db, table);
  const sealed = columns[column]!;
  const keys = key.map((name) => columns[name]!);
  const rows = await db
    .select({
      ...Object.fromEntries(key.map((name) => [name, columns[name]!])),
      sealed: bytes === undefined ? sealed : sql<Buffer>`substr(${sealed}, 1, ${sql.raw(String(bytes))})`,
    })
    .from(db.t[table])
    .where(
      and(
        isNotNull(sealed),
        after === undefined
          ? undefined
          : isAfter(
              keys,
              key.map((name) => after[name]!),
            ),
      ),
    )
    .orderBy(...keys.map((one) => asc(one)))
    .limit(limit);
  return (rows as Record<string, unknown>[]).map((row) => ({
    key: Object.fromEntries(key.map((name) => [name, String(row[name])])),
    sealed: row['sealed'] as Buffer,
  }));
}

/** False when the value is another one by now, or gone. */
export async function replaceSealed(
  tx: Writer,
  { table, column, key }: SealedColumn,
  { value, by }: { value: SealedValue; by: Buffer },
): Promise<boolean> {
  const columns = columnsOf(tx, table);
  const rows = await tx
    .update(tx.t[table] as PgTable)
    .set({ [column]: by })
    .where(and(...key.map((name) => eq(columns[name]!, value.key[name]!)), eq(columns[column]!, value.sealed)))
    .returning({ key: columns[key[0]!]! });
  return rows.length === 1;
}

const columnsOf = (db: Reader, table: keyof Tables): Record<string, PgColumn> => getTableColumns(db.t[table]);

/** Rows are compared column by column, as the index is ordered. */
const isAfter = (keys: readonly PgColumn[], values: readonly string[]): SQL =>
  sql`(${sql.join([...keys], sql`, `)}) > (${sql.join(
    [...values].map((value) => sql`${value}`),
    sql`, `,
  )})`;
