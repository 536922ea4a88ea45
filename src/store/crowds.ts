/** Statements about many rows at once that are built once per connection: building their text costs more than running them. */
import { inArray, type Column, sql, type SQL } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import { prepared, type Reader, type Writer } from './database.ts';
import type { Preparable } from './engine/statements.ts';

/** Rows of one statement. Any other number is made of them, largest first; a crowd's batch is one. */
const ROWS = [256, 64, 16, 4, 1];
/** Ids of one statement. A list is filled up with its last id, which changes nothing. */
const IDS = [1, 16, 256];

/** As many as one statement takes, of rows and of ids. */
export const MOST = 256;

/** `columns`: those that each row has, all other values stand in `build`. What each statement answers, in the order of the rows. */
export function preparedInsert<Row extends object, Answer>(
  name: string,
  { tableOf, columns }: { tableOf: (t: Tables) => object; columns: readonly (keyof Row & string)[] },
  build: (tx: Writer, rows: Record<keyof Row & string, SQL>[]) => Preparable<Answer>,
): (tx: Writer, rows: readonly Row[]) => Promise<Answer[]> {
  const statements = ROWS.map((length) => {
    const names = Array.from({ length }, (_, row) => columns.map((column) => `${column}${row}`));
    const insert = prepared(`${name}_${length}`, (tx: Writer) =>
      build(
        tx,
        names.map((row) => Object.fromEntries(row.map((slot, index) => [columns[index]!, sql`${sql.placeholder(slot)}`])) as never),
      ),
    );
    return { length, names, insert };
  });
  return async (tx, rows) => {
    const table = tableOf(tx.t) as Record<string, Column>;
    const answers: Answer[] = [];
    let from = 0;
    for (const { length, names, insert } of statements) {
      for (; rows.length - from >= length; from += length) {
        const values: Record<string, unknown> = {};
        for (const [row, slots] of names.entries()) {
          for (const [index, slot] of slots.entries()) {
            const column = columns[index]!;
            const value = rows[from + row]![column];
            values[slot] = value === null ? null : table[column]!.mapToDriverValue(value);
          }
        }
        answers.push(await insert(tx, values));
      }
    }
    return answers;
  };
}

/** A query about rows by a column of texts. `build` gets the condition. What each statement answers; nothing when there are no ids. */
export function preparedIn<On extends Reader, Answer>(
  name: string,
  columnOf: (t: Tables) => Column,
  build: (on: On, among: SQL) => Preparable<Answer>,
): (on: On, ids: readonly string[], values?: Record<string, unknown>) => Promise<Answer[]> {
  const statements = IDS.map((length) => {
    const names = Array.from({ length }, (_, index) => `id${index}`);
    const among = (on: On): SQL =>
      inArray(
        columnOf(on.t),
        names.map((slot) => sql.placeholder(slot)),
      );
    return { length, names, run: prepared(`${name}_${length}`, (on: On) => build(on, among(on))) };
  });
  return async (on, ids, values = {}) => {
    const answers: Answer[] = [];
    for (let from = 0; from < ids.length; from += MOST) {
      const piece = ids.slice(from, from + MOST);
      const { names, run } = statements.find(({ length }) => length >= piece.length)!;
      const filled = { ...values };
      for (const [index, slot] of names.entries()) filled[slot] = piece[Math.min(index, piece.length - 1)];
      answers.push(await run(on, filled));
    }
    return answers;
  };
}
