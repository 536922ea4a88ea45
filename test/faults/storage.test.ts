/** The real program and its database: locked, unreachable, unusable from the start, and left in good order. */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../demo/world.ts';
import { Sqlite } from '../../src/store/engine/better-sqlite3.ts';
import { signZoom } from '../providers/zoom-vendor.ts';
import { describeOnBothDatabases, raw, useDatabases } from '../support/databases.ts';
import { built } from '../support/support.ts';
import { expectOutage, rows, story } from './outage.ts';
import { startProgram } from './program.ts';
import { createStage, ZOOM_SECRET, type Stage } from './stage.ts';
import type { Told } from './zoom-story.ts';

beforeAll(built);

describe('a database that cannot be written for a while', () => {
  const sqlite = useDatabases('sqlite');
  const postgres = useDatabases('postgres');

  it('case 11: SQLite, locked by another process: 503 within the time that Zoom gives', { timeout: 60_000 }, async () => {
    const stage = await createStage(await sqlite.engine.createUrl());
    await expectOutage(stage, async () => {
      const other = new Sqlite(stage.databaseUrl);
      other.exec('begin immediate');
      return async () => {
        other.exec('rollback');
        other.close();
      };
    });
  });

  it('case 28: PostgreSQL, not reachable', { timeout: 60_000 }, async () => {
    const stage = await createStage(await postgres.engine.createUrl());
    const name = new URL(stage.databaseUrl).pathname.slice(1);
    const server = new URL(stage.databaseUrl);
    server.pathname = '/postgres';
    await expectOutage(stage, async () => {
      await raw(server.href, `alter database ${name} with allow_connections false`);
      await raw(server.href, `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`);
      return async () => void (await raw(server.href, `alter database ${name} with allow_connections true`));
    });
  });

  it.each([
    ['case 8: PostgreSQL, whose disk takes no more', '53100', 'trigger failing before insert or update'],
    ['case 9: PostgreSQL, whose disk fails the commit', '58030', 'constraint trigger failing after insert or update'],
  ])('%s', { timeout: 60_000 }, async (_, code, trigger) => {
    const stage = await createStage(await postgres.engine.createUrl());
    await expectOutage(stage, async () => {
      // The server's own answer to ENOSPC and EIO, given by the tables that receive.
      await raw(
        stage.databaseUrl,
        `create function failing() returns trigger language plpgsql as $$ begin raise exception 'the disk' using errcode = '${code}'; end $$`,
      );
      const [kind, name, ...when] = trigger.replace('constraint trigger', 'constraint_trigger').split(' ');
      for (const table of ['inbox', 'pulses'])
        await raw(
          stage.databaseUrl,
          `create ${kind!.replace('_', ' ')} ${name} ${when.join(' ')} on ${table}
           ${kind === 'trigger' ? '' : 'deferrable initially deferred'} for each row execute function failing()`,
        );
      return async () => void (await raw(stage.databaseUrl, 'drop function failing cascade'));
    });
  });

  it('case 28: PostgreSQL, read-only after a failover', { timeout: 60_000 }, async () => {
    const stage = await createStage(await postgres.engine.createUrl());
    const name = new URL(stage.databaseUrl).pathname.slice(1);
    const server = new URL(stage.databaseUrl);
    server.pathname = '/postgres';
    const reconnect = () => raw(server.href, `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`);
    await expectOutage(stage, async () => {
      await raw(server.href, `alter database ${name} set default_transaction_read_only = on`);
      await reconnect();
      return async () => {
        await raw(server.href, `alter database ${name} reset default_transaction_read_only`);
        await reconnect();
      };
    });
  });
});

describe('a start that cannot succeed', () => {
  const { engine } = useDatabases('sqlite');
  const postgres = useDatabases('postgres');
  let folder = '';
  let file = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gateway-start-'));
    file = join(folder, 'gateway.db');
  });
  afterEach(() => {
    chmodSync(folder, 0o700);
    rmSync(folder, { recursive: true, force: true });
  });

  const KEY = `test:${randomBytes(32).toString('base64')}`;
  const environmentOf = async (databaseUrl: string) => ({
    PORT: String(await freePort()),
    DATABASE_URL: databaseUrl,
    ENCRYPTION_KEYS: KEY,
  });
  /** What it says when it gives up: these lines and nothing else, no stack. */
  async function lastWords(environment: Readonly<Record<string, string>>, asUser?: number): Promise<string[]> {
    const program = startProgram(environment, asUser === undefined ? {} : { asUser });
    expect(await program.exit).toEqual({ code: 1, signal: null });
    expect(program.stdout()).not.toContain('listening');
    expect(program.stderr()).not.toMatch(/\n\s+at /);
    return program.stderr().trimEnd().split('\n');
  }

  it('case 16: a file that is no database is refused in one line and left as it is', async () => {
    writeFileSync(file, 'Dear diary, this is not a database at all.');
    const words = await lastWords(await environmentOf(`file:${file}`));
    expect(words).toEqual([`${file} is not a SQLite database; it was left as it is`]);
    expect(readFileSync(file, 'utf8')).toBe('Dear diary, this is not a database at all.');
    expect(readdirSync(folder)).toEqual(['gateway.db']);
  });

  it('case 10: a folder that may not be written is refused in one line', async () => {
    chmodSync(folder, 0o555);
    const words = await lastWords(await environmentOf(`file:${file}`), NOBODY);
    expect(words).toEqual([`${file} cannot be written (SQLITE_CANTOPEN): check the owner of the file and its folder`]);
    expect(existsSync(file)).toBe(false);
  });

  it('case 20: a newer schema is refused in one line and left as it is', async () => {
    const url = await engine.createUrl();
    await (await engine.openAt(url)).close();
    await raw(url, `insert into __drizzle_migrations (hash, created_at) values ('of-tomorrow', 99999999999999)`);
    const before = readFileSync(url);
    const words = await lastWords(await environmentOf(`file:${url}`));
    expect(words).toHaveLength(1);
    expect(words[0]).toContain('has a newer schema than this program knows');
    expect(readFileSync(url).equals(before)).toBe(true);
  });

  it('case 20: a newer schema in PostgreSQL is refused in one line', async () => {
    const url = await postgres.engine.createUrl();
    await raw(url, `insert into __drizzle_migrations (hash, created_at) values ('of-tomorrow', 99999999999999)`);
    const words = await lastWords(await environmentOf(url));
    expect(words).toHaveLength(1);
    expect(words[0]).toContain('has a newer schema than this program knows');
  });

  it('a PostgreSQL that does not answer is refused in one line without the password', async () => {
    const port = await freePort();
    const words = await lastWords(await environmentOf(`postgres://gateway:hunter2@127.0.0.1:${port}/gateway`));
    expect(words).toHaveLength(1);
    expect(words[0]).toContain(`PostgreSQL 127.0.0.1:${port}/gateway cannot be used`);
    expect(words[0]).not.toContain('hunter2');
  });

  it('a port that is taken is refused in one line', async () => {
    const stage = await createStage(await engine.createUrl());
    await stage.start();
    const words = await lastWords({ ...stage.environment, DATABASE_URL: `file:${file}` });
    expect(words).toHaveLength(1);
    expect(words[0]).toContain('EADDRINUSE');
  });

  it('case 127: a wrong configuration is listed completely, one line for each problem, without values', async () => {
    const words = await lastWords({
      PORT: 'seventy',
      PUBLIC_URL: 'http://gateway.example/secret-path',
      DATABASE_URL: 'mysql://root:hunter2@db/gateway',
      ENCRYPTION_KEYS: 'short:c2hvcnQ=',
      ZOOM_CLIENT_ID: 'zoom-client-of-ours',
      LOG_LEVEL: 'shout',
    });
    const [headline, ...problems] = words;
    expect(headline).toBe('The configuration is wrong:');
    const named = problems.map((problem) => /^ {2}([A-Z_]+) /.exec(problem)?.[1] ?? problem);
    expect(new Set(named)).toEqual(
      new Set(['DATABASE_URL', 'ENCRYPTION_KEYS', 'LOG_LEVEL', 'PORT', 'PUBLIC_URL', 'ZOOM_CLIENT_SECRET', 'ZOOM_WEBHOOK_SECRET']),
    );
    expect(named).toHaveLength(7);
    for (const value of ['seventy', 'secret-path', 'hunter2', 'c2hvcnQ', 'zoom-client-of-ours', 'shout'])
      expect(words.join('\n')).not.toContain(value);
  });

  it('a public address without encryption keys is refused', async () => {
    const { ENCRYPTION_KEYS: _keys, ...environment } = await environmentOf(`file:${file}`);
    const words = await lastWords({ ...environment, PUBLIC_URL: 'https://gateway.example' });
    expect(words.join('\n')).toContain('ENCRYPTION_KEYS is missing');
    expect(readdirSync(folder)).toEqual([]);
  });
});

describeOnBothDatabases('a program that is asked to stop', (_open, engine) => {
  it(
    'case 21: answers what it has begun to receive, finishes what is under way, keeps no lease, exits with 0',
    { timeout: 60_000 },
    async () => {
      const stage = await createStage(await engine.createUrl());
      const running = await stage.serve();
      const endpoint = await stage.api('POST', '/v1/webhook-endpoints', { url: stage.ledger.url });
      expect(endpoint.status).toBe(201);
      await running.close();

      const program = await stage.start();
      // A marketplace that takes its time, and a webhook of which half has arrived.
      const arrived = new Promise<void>((resolve) => {
        stage.ledger.onArrival = resolve;
      });
      let answerNow!: () => void;
      stage.ledger.hold = new Promise<void>((resolve) => (answerNow = resolve));
      expect((await stage.api('POST', `/v1/webhook-endpoints/${String(endpoint.json['id'])}/test`)).status).toBeLessThan(300);
      await arrived;
      const slow = await slowWebhook(stage, story[0]!);

      program.kill('SIGTERM');
      await vi.waitFor(async () => expect(await fetch(`${stage.publicUrl}/healthz`).catch(() => 'refused')).toBe('refused'), {
        timeout: 5_000,
      });
      expect(await slow.finish()).toContain('HTTP/1.1 200 ');
      answerNow();
      expect(await program.exit).toEqual({ code: 0, signal: null });

      expect(await raw(stage.databaseUrl, 'select state from deliveries')).toEqual([{ state: 'delivered' }]);
      expect(await rows(stage)).toBe(1);
      for (const table of ['inbox', 'jobs', 'deliveries'])
        expect(await raw(stage.databaseUrl, `select * from ${table} where leased_until is not null`)).toEqual([]);
    },
  );

  it('case 21: a second signal ends it at once', { timeout: 30_000 }, async () => {
    const stage = await createStage(await engine.createUrl());
    const program = await stage.start();
    const slow = await slowWebhook(stage, story[0]!);
    program.kill('SIGTERM');
    await vi.waitFor(async () => expect(await fetch(`${stage.publicUrl}/healthz`).catch(() => 'refused')).toBe('refused'), {
      timeout: 5_000,
    });
    program.kill('SIGTERM');
    expect(await program.exit).toEqual({ code: 1, signal: null });
    slow.drop();
    expect(await rows(stage)).toBe(0);
  });
});

/** The first half of a signed webhook, and a way to send the rest. Resolves when the server has begun to read it. */
async function slowWebhook({ publicUrl }: Stage, { bytes }: Told): Promise<{ finish(): Promise<string>; drop(): void }> {
  const { hostname, port } = new URL(publicUrl);
  const headers = { host: `${hostname}:${port}`, 'content-length': String(bytes.length), ...signZoom(ZOOM_SECRET, bytes, new Date()) };
  const head = Object.entries({ ...headers, expect: '100-continue' }).map(([name, value]) => `${name}: ${value}\r\n`);
  const socket = connectSocket(Number(port), hostname);
  socket.on('error', () => {});
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const closed = new Promise<void>((resolve) => {
    socket.on('close', resolve);
  });
  socket.write(`POST /webhooks/zoom HTTP/1.1\r\n${head.join('')}\r\n`);
  // The server says that it is there before it gets the body.
  await vi.waitFor(() => expect(text).toContain('100 Continue'));
  socket.write(bytes.subarray(0, 10));
  return {
    async finish() {
      socket.write(bytes.subarray(10));
      await vi.waitFor(() => expect(text).toMatch(/HTTP\/1\.1 [2-5]/));
      socket.end();
      await closed;
      return text;
    },
    drop: () => socket.destroy(),
  };
}

/** Root may write everywhere, so it starts the program as `nobody`; everybody else is nobody enough. */
const NOBODY = process.getuid?.() === 0 ? 65_534 : undefined;
