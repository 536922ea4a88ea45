import { getTableColumns } from 'drizzle-orm';
import { getTableConfig } from 'drizzle-orm/pg-core';
import { expect, it } from 'vitest';
import { pgKit } from '../../drizzle/kit.ts';
import { defineTables } from '../../drizzle/schema.ts';
import { SEALED_COLUMNS } from '../../src/connections/sealed.ts';

const tables = defineTables(pgKit);

it('every column of ciphertext is in the registry: what is missing there keeps its old key for ever', () => {
  const inSchema = Object.entries(tables).flatMap(([table, definition]) =>
    Object.entries(getTableColumns(definition))
      .filter(([name, column]) => name.endsWith('Sealed') || column.getSQLType() === 'bytea')
      .map(([column]) => `${table}.${column}`),
  );
  const registered = SEALED_COLUMNS.map(({ table, column }) => `${table}.${column}`);
  expect(registered.toSorted()).toEqual(inSchema.filter((name) => name !== 'encryptionKeys.checkSealed').toSorted());
});

it('the registry names the primary key of each table, in its order', () => {
  for (const { table, key } of SEALED_COLUMNS) {
    const definition = tables[table];
    const { columns, primaryKeys } = getTableConfig(definition);
    const primary = primaryKeys[0]?.columns ?? columns.filter(({ primary }) => primary);
    const named = Object.entries(getTableColumns(definition)).filter(([name]) => key.includes(name));
    expect(
      named.map(([, column]) => column.name),
      table,
    ).toEqual(primary.map((column) => column.name));
  }
});

it('no two values of the database are bound to the same context, but the two secrets of an endpoint', () => {
  const contexts = SEALED_COLUMNS.map(({ table, column, key, context }) => {
    const row = Object.fromEntries(key.map((name) => [name, 'same']));
    return { name: `${table}.${column}`, context: JSON.stringify(context(row)) };
  });
  const shared = contexts.filter(({ context }) => contexts.filter((other) => other.context === context).length > 1);
  expect(shared.map(({ name }) => name)).toEqual(['webhookEndpoints.secretSealed', 'webhookEndpoints.previousSecretSealed']);
});
