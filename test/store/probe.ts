/** A table that only the tests know, with every kind of column. */
import { type Kit, pgKit, sqliteKit } from '../../drizzle/kit.ts';
import { type Engine, raw } from '../support/databases.ts';

const defineProbe = (kit: Kit) =>
  kit.table('probe', {
    id: kit.text().primaryKey(),
    counter: kit.integer().notNull().default(0),
    flag: kit.boolean(),
    moment: kit.instant(),
    document: kit.json<Record<string, unknown>>(),
    payload: kit.bytes(),
  });

export type Probe = ReturnType<typeof defineProbe>;

/** Adds the table to an open database. */
export async function createProbe({ dialect }: Engine, url: string): Promise<Probe> {
  const types =
    dialect === 'sqlite' ? ['integer', 'integer', 'text', 'blob'] : ['boolean', 'timestamp(3) with time zone', 'jsonb', 'bytea'];
  const [flag, moment, document, payload] = types;
  await raw(
    url,
    `create table probe (id text primary key, counter integer not null default 0, flag ${flag}, moment ${moment}, document ${document}, payload ${payload})`,
  );
  return defineProbe(dialect === 'sqlite' ? sqliteKit : pgKit);
}
