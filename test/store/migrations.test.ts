import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { generateDrizzleJson, generateMigration, generateSQLiteDrizzleJson, generateSQLiteMigration } from 'drizzle-kit/api';
import { getTableConfig as pgConfig } from 'drizzle-orm/pg-core';
import { getTableConfig as sqliteConfig, type SQLiteTable } from 'drizzle-orm/sqlite-core';
import { describe, expect, test } from 'vitest';
import { pgKit, sqliteKit } from '../../drizzle/kit.ts';
import { defineTables } from '../../drizzle/schema.ts';
import { openDatabase } from '../../src/store/database.ts';
import { CREATE_JOURNAL, migrationsOf } from '../../src/store/engine/migrations.ts';
import { CROWDS, scheduleJobs } from '../../src/store/jobs.ts';
import { describeOnBothDatabases, raw, useDatabases } from '../support/databases.ts';
import { postgresServer } from '../support/support.ts';

const postgresTables = defineTables(pgKit);
const sqliteTables = defineTables(sqliteKit);

const CREATED = new Date('2026-01-02T03:04:05Z');

describe('the schema', () => {
  test('has no change that the SQLite migrations do not have', async () => {
    const now = await generateSQLiteDrizzleJson(sqliteTables, undefined, 'snake_case');
    expect(await generateSQLiteMigration(latestSnapshot('sqlite') as typeof now, now)).toEqual([]);
  });

  test('has no change that the PostgreSQL migrations do not have', async () => {
    const now = generateDrizzleJson(postgresTables, undefined, undefined, 'snake_case');
    expect(await generateMigration(latestSnapshot('postgres') as typeof now, now)).toEqual([]);
  });

  test.each(Object.keys(postgresTables) as (keyof typeof postgresTables)[])('is the same on both engines: %s', (name) => {
    const postgres = pgConfig(postgresTables[name]);
    const sqlite = sqliteConfig(sqliteTables[name] as unknown as SQLiteTable);
    expect(sqlite.name).toBe(postgres.name);
    expect(sqlite.columns.map(facts)).toEqual(postgres.columns.map(facts));
    expect(sqlite.indexes.map((index) => index.config.name)).toEqual(postgres.indexes.map((index) => index.config.name));
    expect(sqlite.indexes.map((index) => index.config.unique)).toEqual(postgres.indexes.map((index) => index.config.unique));
    const keys = (table: { primaryKeys: { columns: { name: string }[] }[] }) =>
      table.primaryKeys.map((key) => key.columns.map((column) => column.name));
    expect(keys(sqlite)).toEqual(keys(postgres));
  });
});

describe('migrating', () => {
  const sqlite = useDatabases('sqlite');
  const postgres = useDatabases('postgres');

  test('case 6: a process killed while it migrates leaves a file that the next one opens', { timeout: 60_000 }, async () => {
    const files = await Promise.all(Array.from({ length: 6 }, () => sqlite.engine.createUrl({ migrated: false, onDisk: true })));
    const children = files.map(migrator);
    await Promise.all(children.map((child) => once(child, 'message')));
    for (const [round, file] of files.entries()) {
      const child = children[round]!;
      const killed = once(child, 'exit');
      child.send('go');
      // Creating and migrating takes 10 to 20 milliseconds; each round kills at another moment of them.
      const until = performance.now() + round * 3;
      while (performance.now() < until);
      child.kill('SIGKILL');
      await killed;
      const db = await sqlite.engine.openAt(file);
      expect(await db.read.$count(db.read.t.pulses)).toBe(0);
      await db.close();
      expect(await raw(file, 'pragma integrity_check')).toEqual([{ integrity_check: 'ok' }]);
      expect(await raw(file, 'select hash from __drizzle_migrations order by created_at')).toEqual(
        migrationsOf('sqlite').map(({ hash }) => ({ hash })),
      );
    }
  });

  test('three processes that start at once on one new SQLite file apply each migration once', async () => {
    const file = await sqlite.engine.createUrl({ migrated: false });
    const children = [migrator(file), migrator(file), migrator(file)];
    await Promise.all(children.map((child) => once(child, 'message')));
    const exits = children.map((child) => once(child, 'exit'));
    for (const child of children) child.send('go');
    expect((await Promise.all(exits)).map(([code]) => code as unknown)).toEqual([0, 0, 0]);
    expect(await raw(file, 'select count(*) n from __drizzle_migrations')).toEqual([{ n: migrationsOf('sqlite').length }]);
  });

  test('several processes that start at once on one new PostgreSQL database apply each migration once', async () => {
    const url = await postgres.engine.createUrl({ migrated: false });
    const opened = await Promise.all(Array.from({ length: 5 }, () => openDatabase(url, { onError: () => {} })));
    for (const db of opened) await db.close();
    expect(await raw(url, 'select count(*)::int n from __drizzle_migrations')).toEqual([{ n: migrationsOf('postgres').length }]);
  });

  test('case 6: a PostgreSQL migration that fails half-way leaves nothing behind', async () => {
    const url = await postgres.engine.createUrl({ migrated: false });
    // In the way of one of the last statements.
    await raw(url, 'create table pulses (wrong text)');
    await expect(openDatabase(url, { onError: () => {} })).rejects.toThrow('already exists');
    expect(await raw(url, `select tablename from pg_tables where schemaname = 'public'`)).toEqual([{ tablename: 'pulses' }]);
    await raw(url, 'drop table pulses');
    await (await postgres.engine.openAt(url)).close();
  });

  test('the template of the tests is migrated', async () => {
    const { server, template } = await postgresServer();
    expect(await raw(server, `select 1 found from pg_database where datname = '${template}'`)).toEqual([{ found: 1 }]);
  });
});

describeOnBothDatabases('migrating what was stored before grants', (_open, engine) => {
  const at = engine.dialect === 'sqlite' ? String(CREATED.getTime()) : `'${CREATED.toISOString()}'`;
  const bytes = (text: string): string => {
    const hex = Buffer.from(text).toString('hex');
    return engine.dialect === 'sqlite' ? `x'${hex}'` : `'\\x${hex}'::bytea`;
  };
  const yes = engine.dialect === 'sqlite' ? '1' : 'true';

  /** A database as the first release left it: its one migration, and the journal that says so. */
  async function firstRelease(): Promise<string> {
    const url = await engine.createUrl({ migrated: false });
    const [first] = migrationsOf(engine.dialect);
    for (const statement of [...first!.sql, CREATE_JOURNAL[engine.dialect]]) await raw(url, statement);
    await raw(url, `insert into __drizzle_migrations (hash, created_at) values ('${first!.hash}', ${first!.folderMillis})`);
    return url;
  }

  const insertConnection = (
    url: string,
    {
      id,
      marketplace,
      account,
      status,
      reason,
      tokens,
    }: Readonly<Record<'id' | 'marketplace' | 'account' | 'status', string>> & {
      reason: string | null;
      tokens: string | null;
    },
  ) =>
    raw(
      url,
      `insert into connections (id, marketplace_id, professional_id, provider, account_id, plan, creates_meetings, cloud_recording, scopes,
        status, status_reason, tokens_sealed, access_expires_at, token_version, created_at)
       values ('${id}', '${marketplace}', 'pro_1', 'zoom', '${account}', 'paid', ${yes}, 'yes', '["meeting:write:meeting"]',
        '${status}', ${reason === null ? 'null' : `'${reason}'`}, ${tokens === null ? 'null' : bytes(tokens)},
        ${tokens === null ? 'null' : at}, 3, ${at})`,
    );

  test(
    'case 6: killed in the middle it has changed nothing or everything, and the next process ends it',
    { timeout: 120_000 },
    async () => {
      const urls = await Promise.all(Array.from({ length: 6 }, firstRelease));
      for (const url of urls)
        await insertConnection(url, {
          id: 'con_1',
          marketplace: 'mkt_1',
          account: 'ada',
          status: 'active',
          reason: null,
          tokens: 'living',
        });
      const hashes = migrationsOf(engine.dialect).map(({ hash }) => ({ hash }));
      const journal = (url: string) => raw(url, 'select hash from __drizzle_migrations order by created_at');
      const hasGrants = async (url: string): Promise<boolean> =>
        raw(url, 'select id from grants').then(
          () => true,
          () => false,
        );
      const children = urls.map(migrator);
      await Promise.all(children.map((child) => once(child, 'message')));
      for (const [round, url] of urls.entries()) {
        const child = children[round]!;
        const killed = once(child, 'exit');
        child.send('go');
        // Another moment each time; PostgreSQL takes some for the connection first.
        const until = performance.now() + round * (engine.dialect === 'sqlite' ? 3 : 12);
        while (performance.now() < until);
        child.kill('SIGKILL');
        await killed;
        const done = (await journal(url)).length > 1;
        expect(await journal(url)).toEqual(done ? hashes : hashes.slice(0, 1));
        expect(await hasGrants(url)).toBe(done);
        const db = await engine.openAt(url);
        expect(await db.read.select({ id: db.read.t.grants.id }).from(db.read.t.grants)).toEqual([{ id: 'con_1' }]);
        expect(await journal(url)).toEqual(hashes);
        await db.close();
      }
    },
  );

  test('gives each account one grant, with the tokens of the connection that works, and names for the reasons', async () => {
    const url = await firstRelease();
    await insertConnection(url, {
      id: 'con_1',
      marketplace: 'mkt_1',
      account: 'ada',
      status: 'revoked',
      reason: 'free text',
      tokens: null,
    });
    await insertConnection(url, { id: 'con_2', marketplace: 'mkt_2', account: 'ada', status: 'active', reason: 'old', tokens: 'living' });
    await insertConnection(url, {
      id: 'con_3',
      marketplace: 'mkt_1',
      account: 'ben',
      status: 'reconnect_required',
      reason: 'The vendor said no.',
      tokens: 'dead',
    });
    await raw(
      url,
      `insert into inbox (key, provider, body, state, received_at, due_at, attempts) values
        ('key', 'zoom', ${bytes('body')}, 'pending', ${at}, ${at}, 0)`,
    );

    const db = await engine.openAt(url);
    const { connections, grants, inbox } = db.read.t;
    expect((await db.read.select().from(grants)).toSorted((a, b) => (a.id < b.id ? -1 : 1))).toMatchObject([
      {
        id: 'con_2',
        provider: 'zoom',
        kind: 'user',
        accountId: 'ada',
        tokensSealed: Buffer.from('living'),
        accessExpiresAt: CREATED,
        scopes: ['meeting:write:meeting'],
        tokenVersion: 3,
        refreshedAt: CREATED,
        failures: 0,
        retryAt: null,
      },
      { id: 'con_3', accountId: 'ben', tokensSealed: Buffer.from('dead') },
    ]);
    const rows = await db.read.select().from(connections);
    expect(rows.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toMatchObject([
      { id: 'con_1', grantId: 'con_2', status: 'revoked', statusReason: 'disconnected', statusVersion: 1, profileReadAt: CREATED },
      { id: 'con_2', grantId: 'con_2', status: 'active', statusReason: null, concurrentMeetings: 1, erasedAt: null },
      { id: 'con_3', grantId: 'con_3', status: 'reconnect_required', statusReason: 'unknown', preferredAt: null },
    ]);
    expect(await db.read.select().from(inbox)).toMatchObject([{ key: 'key', bodySealed: Buffer.from('body'), state: 'pending' }]);
    await db.close();
  });

  test('puts what is planned into the lane in which it would be planned now', async () => {
    const url = await firstRelease();
    const kinds = ['gateway.sweep', ...Object.values(CROWDS).flat()];
    const plan = (kind: string) => `('${kind}:1', '${kind}', '1', ${at}, 0)`;
    await raw(url, `insert into jobs (id, kind, subject_id, due_at, attempts) values ${kinds.map(plan).join(', ')}`);

    const db = await engine.openAt(url);
    const { jobs } = db.read.t;
    const lanes = () => db.read.select({ kind: jobs.kind, lane: jobs.lane }).from(jobs).orderBy(jobs.kind);
    const migrated = await lanes();
    expect(migrated).toHaveLength(kinds.length);
    await db.write((tx) =>
      scheduleJobs(
        tx,
        kinds.map((kind) => ({ kind, subjectId: '1', dueAt: CREATED })),
      ),
    );
    expect(await lanes()).toEqual(migrated);
    expect(migrated).toContainEqual({ kind: 'gateway.sweep', lane: 'each' });
    expect(migrated).toContainEqual({ kind: 'recording.expire', lane: 'expiries' });
    await db.close();
  });
});

const facts = (column: {
  name: string;
  notNull: boolean;
  hasDefault: boolean;
  default: unknown;
  primary: boolean;
  isUnique: boolean;
  dataType: string;
  enumValues: unknown;
}) => ({
  name: column.name,
  notNull: column.notNull,
  hasDefault: column.hasDefault,
  default: column.default,
  primary: column.primary,
  isUnique: column.isUnique,
  // SQLite's blob says "buffer" where the custom type says "custom".
  dataType: column.dataType === 'buffer' ? 'custom' : column.dataType,
  enumValues: column.enumValues,
});

function latestSnapshot(dialect: 'sqlite' | 'postgres'): unknown {
  const folder = new URL(`../../drizzle/${dialect}/meta/`, import.meta.url);
  const journal = JSON.parse(readFileSync(new URL('_journal.json', folder), 'utf8')) as { entries: { idx: number }[] };
  const latest = String(journal.entries.at(-1)!.idx).padStart(4, '0');
  return JSON.parse(readFileSync(new URL(`${latest}_snapshot.json`, folder), 'utf8'));
}

/** A process that opens the database when it is told to, and ends. */
const migrator = (file: string): ChildProcess =>
  fork(new URL('open-when-told.ts', import.meta.url), [file], { execArgv: ['--import', 'tsx'] });
