/** Statements that are built once per connection. */
import { type Column, Param, Placeholder, type SQL, sql } from 'drizzle-orm';

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

/** A value to be filled in later, converted as `column` converts it (dates, json, booleans). */
export const slot = (name: string, column: Column): SQL => sql`${new Param(new Placeholder(name), column)}`;
