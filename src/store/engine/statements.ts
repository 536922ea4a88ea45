/** Statements that are built once per connection. */
import { type Column, getTableColumns, is, Param, Placeholder, type SQL, sql } from 'drizzle-orm';
import { type PgDatabase, type PgInsertBase, type PgInsertValue, type PgQueryResultHKT, PgTable } from 'drizzle-orm/pg-core';
import { SQLiteColumn } from 'drizzle-orm/sqlite-core';

interface PreparedQuery<Rows> {
  execute(values?: Record<string, unknown>): Promise<Rows>;
}

export interface Preparable<Rows> {
  prepare(name: string): PreparedQuery<Rows>;
}

/** The prepared statements of one connection. */
export interface Statements {
  /** Throws when the transaction of this handle is over. */
  readonly check: () => void;
  readonly known: Map<object, unknown>;
  /** A handle on the connection itself, not on one transaction: what is prepared with it outlives the transaction. */
  readonly base: () => unknown;
}

/**
 * A query for a hot path: built once per connection (drizzle's building is most of a point read's cost) and planned once under `name`,
 * which is unique in the program. Its `slot`s are filled by `values`:
 *
 *     const jobById = prepared('job_by_id', (db: Reader) => db.select().from(db.t.jobs).where(eq(db.t.jobs.id, slot('id', db.t.jobs.id))));
 *     const [job] = await jobById(tx, { id });
 *
 * `build` may not depend on anything but the tables. Values of an insert are `sql.placeholder(name)`.
 */
export function prepared<Handle extends { readonly statements: Statements }, Rows>(name: string, build: (on: Handle) => Preparable<Rows>) {
  const key = {};
  return async (on: Handle, values: Record<string, unknown> = {}): Promise<Rows> => {
    const { check, known, base } = on.statements;
    check();
    let statement = known.get(key) as PreparedQuery<Rows> | undefined;
    if (statement === undefined) {
      statement = build(base() as Handle).prepare(name);
      known.set(key, statement);
    }
    return statement.execute(values);
  };
}

/** A value to be filled in later, converted as `column` converts it (dates, json, booleans); null stays null. */
export const slot = (name: string, column: Column): SQL =>
  sql`${new Param(new Placeholder(name), { mapToDriverValue: (value) => (value === null ? null : column.mapToDriverValue(value)) })}`;

/** `column in (…)` of a list that `values` fills under `name`: one text for any number of values. */
export const among = (column: Column, name: string): SQL =>
  is(column, SQLiteColumn)
    ? sql`${column} in (select value from json_each(${new Param(new Placeholder(name), { mapToDriverValue: JSON.stringify })}))`
    : sql`${column} = any(${new Placeholder(name)})`;

type Inserter = Pick<PgDatabase<PgQueryResultHKT>, 'insert'> & { readonly statements: Statements };
type Member<Table extends PgTable> = keyof Table['$inferInsert'] & string;

interface Insert<Table extends PgTable, Given extends Member<Table>, Rows> {
  /** Members of a row that are given when it runs. */
  readonly given: (table: Table) => Readonly<Record<Given, Column>>;
  /** All other members, made of those. */
  readonly rest?: (row: Readonly<Record<Given, SQL>>) => Readonly<Record<Exclude<Member<Table>, Given>, SQL>>;
  /** What follows the rows. */
  readonly finish: (insert: PgInsertBase<Table, PgQueryResultHKT>, table: Table) => Preparable<Rows>;
}

/** The same for an insert of any number of rows into a table. What its statements gave back, in the order of the rows. */
export function preparedRows<Handle extends Inserter, Table extends PgTable, Given extends Member<Table>, Rows>(
  name: string,
  tableOf: (on: Handle) => Table,
  insert: Insert<Table, Given, Rows>,
): (on: Handle, rows: readonly Readonly<Record<Given, unknown>>[]) => Promise<Rows[]> {
  const bySize = sized(name, tableOf, insert);
  const asOne = recordset(name, tableOf, insert);
  return (on, rows) => (is(tableOf(on), PgTable) ? asOne(on, rows) : bySize(on, rows));
}

/** SQLite's statements are prepared for these numbers of rows; any other number is made of them, largest first. */
const SIZES = [256, 64, 16, 4, 1];

const slots = new Map<string, string[]>();

/** The names of a member's slots by row: putting them together again for each value takes longer than filling them. */
function slotsOf(member: string): string[] {
  const names = slots.get(member) ?? Array.from({ length: SIZES[0]! }, (_, row) => `${member}${row}`);
  slots.set(member, names);
  return names;
}

/** A slot for each value: the fastest way into SQLite, which is in this very process. */
function sized<Handle extends Inserter, Table extends PgTable, Given extends Member<Table>, Rows>(
  name: string,
  tableOf: (on: Handle) => Table,
  { given, rest, finish }: Insert<Table, Given, Rows>,
) {
  const statements = SIZES.map((size) => {
    const run = prepared(`${name}_${size}`, (on: Handle) => {
      const table = tableOf(on);
      const members = Object.entries<Column>(given(table));
      const rows = Array.from({ length: size }, (_, row) => {
        const own = Object.fromEntries(members.map(([member, column]) => [member, slot(`${member}${row}`, column)])) as Record<Given, SQL>;
        return { ...own, ...rest?.(own) };
      });
      return finish(on.insert(table).values(rows as PgInsertValue<Table>[]), table);
    });
    return { size, run };
  });
  return async (on: Handle, rows: readonly Readonly<Record<Given, unknown>>[]): Promise<Rows[]> => {
    const results: Rows[] = [];
    let from = 0;
    for (const { size, run } of statements) {
      for (; rows.length - from >= size; from += size) {
        const values: Record<string, unknown> = {};
        for (let row = 0; row < size; row++) {
          const own = rows[from + row]!;
          for (const member in own) values[slotsOf(member)[row]!] = own[member];
        }
        results.push(await run(on, values));
      }
    }
    return results;
  };
}

/** One value for all rows: PostgreSQL's protocol, and its planner, ask their price for each value. */
function recordset<Handle extends Inserter, Table extends PgTable, Given extends Member<Table>, Rows>(
  name: string,
  tableOf: (on: Handle) => Table,
  { given, rest, finish }: Insert<Table, Given, Rows>,
) {
  const run = prepared(name, (on: Handle) => {
    const table = tableOf(on);
    const members = Object.entries<Column>(given(table));
    const own = Object.fromEntries(members.map(([member]) => [member, sql`${sql.identifier(member)}`])) as Record<Given, SQL>;
    const row: Record<string, SQL> = { ...own, ...rest?.(own) };
    const values = Object.keys(getTableColumns(table)).map((member) => row[member]!);
    const shape = members.map(([member, column]) => sql`${sql.identifier(member)} ${sql.raw(column.getSQLType())}`);
    const bytes = members.filter(([, column]) => column.getSQLType() === 'bytea').map(([member]) => member);
    const json = new Param<unknown>(new Placeholder('rows'), {
      mapToDriverValue: (rows) => asJson(rows as Record<string, unknown>[], bytes),
    });
    const rows = sql`json_to_recordset(${json}) as given(${sql.join(shape, sql`, `)})`;
    return finish(on.insert(table).select(sql`select ${sql.join(values, sql`, `)} from ${rows}`), table);
  });
  return async (on: Handle, rows: readonly Readonly<Record<Given, unknown>>[]): Promise<Rows[]> =>
    rows.length === 0 ? [] : [await run(on, { rows })];
}

/** PostgreSQL takes bytes out of JSON as it takes them out of any text: after a mark, in hexadecimal digits. */
function asJson(rows: readonly Record<string, unknown>[], bytes: readonly string[]): string {
  const digits = (value: unknown): unknown => (Buffer.isBuffer(value) ? `\\x${value.toString('hex')}` : value);
  const hasBytes = (row: Record<string, unknown>): boolean => bytes.some((member) => Buffer.isBuffer(row[member]));
  const written = (row: Record<string, unknown>) => ({
    ...row,
    ...Object.fromEntries(bytes.map((member) => [member, digits(row[member])])),
  });
  return JSON.stringify(rows.map((row) => (hasBytes(row) ? written(row) : row)));
}
