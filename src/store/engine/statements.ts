/** Statements that are built once per connection. */
import { type Column, is, Param, Placeholder, type SQL, sql } from 'drizzle-orm';
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

/** Statements are prepared for these numbers of rows; any other number is made of them, largest first. */
const ROWS = [256, 64, 16, 4, 1];

const slots = new Map<string, string[]>();

/** The names of a member's slots by row: putting them together again for each value takes longer than filling them. */
function slotsOf(member: string): string[] {
  const names = slots.get(member) ?? Array.from({ length: ROWS[0]! }, (_, row) => `${member}${row}`);
  slots.set(member, names);
  return names;
}

/**
 * The same for an insert of any number of rows: `build` gets rows with a slot for each of `columns`, which the rows fill that are given when
 * it runs. What each of the statements gave back, in the order of the rows.
 */
export function preparedRows<Handle extends { readonly statements: Statements }, Member extends string, Rows>(
  name: string,
  columns: (on: Handle) => Readonly<Record<Member, Column>>,
  build: (on: Handle, rows: Record<Member, SQL>[]) => Preparable<Rows>,
) {
  const sized = ROWS.map((size) => {
    const run = prepared(`${name}_${size}`, (on: Handle) => {
      const members = Object.entries<Column>(columns(on));
      const rows = Array.from({ length: size }, (_, row) =>
        Object.fromEntries(members.map(([member, column]) => [member, slot(`${member}${row}`, column)])),
      );
      return build(on, rows as Record<Member, SQL>[]);
    });
    return { size, run };
  });
  return async (on: Handle, rows: readonly Readonly<Record<Member, unknown>>[]): Promise<Rows[]> => {
    const results: Rows[] = [];
    let from = 0;
    for (const { size, run } of sized) {
      for (; rows.length - from >= size; from += size) {
        const values: Record<string, unknown> = {};
        for (let row = 0; row < size; row++) {
          const given = rows[from + row]!;
          for (const member in given) values[slotsOf(member)[row]!] = given[member];
        }
        results.push(await run(on, values));
      }
    }
    return results;
  };
}
