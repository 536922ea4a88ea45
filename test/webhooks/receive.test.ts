import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import { connect as connectSocket, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createApp } from '../../src/app.ts';
import { inboxContext } from '../../src/connections/sealed.ts';
import { Failure } from '../../src/domain/failure.ts';
import { plus, SECOND } from '../../src/domain/time.ts';
import { createLive } from '../../src/http/live.ts';
import type { Database } from '../../src/store/database.ts';
import type { NewInboxEntry } from '../../src/store/inbox.ts';
import { createIntake } from '../../webhooks/intake.ts';
import { MAX_WEBHOOK_BYTES } from '../../webhooks/receive.ts';
import { fixture, signZoom } from '../providers/zoom-vendor.ts';
import { describeOnBothDatabases, raw } from '../support/databases.ts';
import { testWorld } from '../support/world.ts';

const AT = new Date('2026-11-20T10:00:00Z');

const entry = (key: string, body = Buffer.from(key)): NewInboxEntry => ({ key, provider: 'zoom', bodySealed: body, receivedAt: AT });
const settled = (promises: readonly Promise<unknown>[]): Promise<string[]> =>
  Promise.all(
    promises.map((promise) =>
      promise.then(
        () => 'stored',
        (error: unknown) => Failure.from(error).code,
      ),
    ),
  );

/** The database, with every transaction counted. */
function counted(db: Database): { db: Database; commits: () => number } {
  let commits = 0;
  const write: Database['write'] = async (work) => {
    const result = await db.write(work);
    commits += 1;
    return result;
  };
  return { db: { ...db, write }, commits: () => commits };
}

/** A database whose transactions end when the test says so, one after another. */
function gated(): { db: Database; running: () => number; end: (error?: Error) => Promise<void> } {
  const open: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const write = () => new Promise<void>((resolve, reject) => open.push({ resolve, reject }));
  return {
    db: { dialect: 'sqlite', write } as unknown as Database,
    running: () => open.length,
    async end(error) {
      const transaction = open.shift()!;
      if (error === undefined) transaction.resolve();
      else transaction.reject(error);
      await turn();
    },
  };
}

describeOnBothDatabases('the intake', (open, engine) => {
  test('what arrives in one turn shares one commit, and is in the database when its promise resolves', async () => {
    const url = await engine.createUrl();
    const { db, commits } = counted(await engine.openAt(url));
    const wake = vi.fn();
    const { intake } = createIntake({ db, now: () => AT, wake });
    const names = Array.from({ length: 50 }, (_, index) => `zoom:${String(index).padStart(2, '0')}`);
    const stored = names.map((name) => intake([entry(name)]));
    await stored[0];
    expect((await raw(url, 'select key from inbox order by key')).map((row) => row['key'])).toEqual(names);
    await Promise.all(stored);
    expect(commits()).toBe(1);
    expect(wake).toHaveBeenCalled();
  });

  test('stores the deliveries of one request together, and repeats within a commit and over several once', async () => {
    const { db, commits } = counted(await open());
    const { intake } = createIntake({ db, now: () => AT, wake: () => {} });
    await Promise.all([intake([entry('zoom:a'), entry('zoom:b')]), intake([entry('zoom:b'), entry('zoom:a')])]);
    expect(commits()).toBe(1);
    await intake([entry('zoom:b'), entry('zoom:c')]);
    expect(commits()).toBe(2);
    expect(await db.read.$count(db.read.t.inbox)).toBe(3);
  });

  test('a storage that is gone is storage_unavailable for all who wait', async () => {
    const db = await open();
    const { intake } = createIntake({ db, now: () => AT, wake: () => {} });
    await db.close();
    expect(await settled([intake([entry('zoom:a')]), intake([entry('zoom:b')])])).toEqual(['storage_unavailable', 'storage_unavailable']);
  });
});

describe('the intake, commit by commit', () => {
  const trouble = new Failure('storage_unavailable', 'The disk is full.');
  afterEach(() => {
    vi.useRealTimers();
  });

  test('who comes while a commit runs is in the next one, and a failed commit refuses exactly those that were in it', async () => {
    const { db, running, end } = gated();
    const { intake } = createIntake({ db, now: () => AT, wake: () => {} });
    const first = settled([intake([entry('a')]), intake([entry('b')])]);
    await turn();
    const second = settled([intake([entry('c')]), intake([entry('d')])]);
    await turn();
    expect(running()).toBe(1);
    await end(trouble);
    expect(await first).toEqual(['storage_unavailable', 'storage_unavailable']);
    await turn();
    expect(running()).toBe(1);
    await end();
    expect(await second).toEqual(['stored', 'stored']);
  });

  test('case 60: refuses more than it can store in time, and takes them again when it has caught up', async () => {
    const { db, end } = gated();
    const { intake } = createIntake({ db, now: () => AT, wake: () => {} });
    const large = Buffer.alloc(16 * 1024 * 1024);
    const running = settled([intake([entry('under way')])]);
    await turn();
    const waiting = settled(['a', 'b', 'c', 'd'].map((key) => intake([entry(key, large)])));
    const refused = await intake([entry('e', large)]).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'storage_unavailable', retryAfterMs: 2 * SECOND });
    await end();
    expect(await running).toEqual(['stored']);
    await turn();
    const again = settled([intake([entry('e', large)])]);
    await end();
    expect(await waiting).toEqual(['stored', 'stored', 'stored', 'stored']);
    await turn();
    await end();
    expect(await again).toEqual(['stored']);
  });

  test('case 60: refuses small ones that are too many', async () => {
    const { db } = gated();
    const { intake } = createIntake({ db, now: () => AT, wake: () => {} });
    const codes: unknown[] = [];
    for (let index = 0; index < 20_010; index++) intake([entry('x')]).catch((error: unknown) => codes.push(Failure.from(error).code));
    await turn();
    expect(codes).toEqual(Array.from({ length: 10 }, () => 'storage_unavailable'));
  });

  test('case 11: answers before the vendor loses patience when the storage does not answer at all', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { db } = gated();
    const { intake } = createIntake({ db, now: () => AT, wake: () => {} });
    const answer = settled([intake([entry('a')])]);
    await turn();
    // Zoom waits three seconds.
    vi.advanceTimersByTime(2_900);
    expect(await answer).toEqual(['storage_unavailable']);
  });

  test('case 11: who has waited too long behind a stuck commit is refused without another try', async () => {
    const { db, running, end } = gated();
    let now = AT;
    const { intake } = createIntake({ db, now: () => now, wake: () => {} });
    const first = settled([intake([entry('a')])]);
    await turn();
    const late = settled([intake([entry('b')])]);
    now = plus(AT, 1_500);
    const fresh = settled([intake([entry('c')])]);
    await end(trouble);
    expect(await first).toEqual(['storage_unavailable']);
    await turn();
    expect(running()).toBe(1);
    await end();
    expect([await late, await fresh]).toEqual([['storage_unavailable'], ['stored']]);
  });

  test('a break comes at once when nothing arrives, and after a few commits when it never stops', async () => {
    const { db, end } = gated();
    const { intake, takeBreak } = createIntake({ db, now: () => AT, wake: () => {} });
    await takeBreak();
    const state = { over: false };
    let stored = 0;
    const stream = async (): Promise<void> => {
      while (!state.over) {
        const one = intake([entry('x')]);
        await turn();
        await end();
        await one;
        stored += 1;
      }
    };
    const first = intake([entry('first')]);
    const breaking = takeBreak().then(() => (state.over = true));
    await turn();
    await end();
    await first;
    await stream();
    await breaking;
    expect(stored).toBeGreaterThanOrEqual(7);
  });
});

describe("the vendors' way in", () => {
  const bodyOf = (length: number): Buffer => {
    const document = fixture('recording.completed').toString().trimEnd();
    return Buffer.from(document.padEnd(length, ' '));
  };

  test('case 51: a body at the limit is taken whole, one byte more is 413, nothing is a body too', async () => {
    const world = await testWorld();
    const post = async (bytes: Buffer): Promise<Response> =>
      fetch(`${world.publicUrl}/webhooks/zoom`, {
        method: 'POST',
        headers: signZoom(world.zoomWebhookSecret, bytes, world.now()),
        body: new Uint8Array(bytes),
      });
    const { db } = world.gateway.gateway;
    expect((await post(bodyOf(MAX_WEBHOOK_BYTES))).status).toBe(200);
    const [stored] = await db.read.select().from(db.read.t.inbox);
    expect(world.gateway.gateway.vault.openBytes(stored!.bodySealed!, inboxContext(stored!.key)).equals(bodyOf(MAX_WEBHOOK_BYTES))).toBe(
      true,
    );
    const refused = await post(bodyOf(MAX_WEBHOOK_BYTES + 1));
    expect([refused.status, refused.headers.get('connection')]).toEqual([413, 'close']);
    // Proven, so it is kept, and refused by its name when it is read.
    expect((await post(Buffer.alloc(0))).status).toBe(200);
    expect(await db.read.$count(db.read.t.inbox)).toBe(2);
    expect((await fetch(`${world.publicUrl}/webhooks/zoom`, { method: 'POST' })).status).toBe(401);
  });

  test('case 51: an endless body is cut off with 413, and its connection closed', async () => {
    const world = await testWorld();
    const socket = dial(world.publicUrl);
    socket.write('POST /webhooks/zoom HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    for (let count = 0; count < 5; count++) socket.write(chunk);
    const text = await everything(socket);
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    expect(text).toMatch(/\r\nconnection: close\r\n/i);
    expect(await rows(world)).toBe(0);
  });

  test('case 51: a Content-Length that lies leads nowhere, too long or too short', async () => {
    const world = await testWorld();
    const bytes = bodyOf(3_000);
    const head = (length: number): string =>
      [
        'POST /webhooks/zoom HTTP/1.1',
        'Host: x',
        ...Object.entries(signZoom(world.zoomWebhookSecret, bytes, world.now())).map(([name, value]) => `${name}: ${value}`),
        `Content-Length: ${length}`,
        '\r\n',
      ].join('\r\n');
    const long = dial(world.publicUrl);
    long.write(head(4_000));
    long.end(bytes);
    expect(await everything(long)).not.toMatch(/^HTTP\/1\.1 2/);
    const short = dial(world.publicUrl);
    short.write(head(2_000));
    short.end(bytes);
    // What is cut off does not have the signature of the whole (401, when it comes through), and the rest is no request.
    const answers = (await everything(short)).match(/HTTP\/1\.1 \d+/g) ?? [];
    expect(answers.filter((answer) => !/40[01]$/.test(answer))).toEqual([]);
    expect(answers.at(-1)).toBe('HTTP/1.1 400');
    expect(await rows(world)).toBe(0);
  });

  test('case 52: a compressed body is 415, an uncompressed one that says so is taken', async () => {
    const world = await testWorld();
    const bytes = bodyOf(3_000);
    const post = (encoding: string): Promise<Response> =>
      fetch(`${world.publicUrl}/webhooks/zoom`, {
        method: 'POST',
        headers: { ...signZoom(world.zoomWebhookSecret, bytes, world.now()), 'content-encoding': encoding },
        body: new Uint8Array(bytes),
      });
    expect((await post('gzip')).status).toBe(415);
    expect(await rows(world)).toBe(0);
    expect((await post('identity')).status).toBe(200);
    expect(await rows(world)).toBe(1);
  });

  test('case 53: slow headers end after 5 s, slow bodies after 15 s', async () => {
    const servers = new Set<Server>();
    const onRequest = (message: unknown): void => void servers.add((message as { server: Server }).server);
    subscribe('http.server.request.start', onRequest);
    onTestFinished(() => void unsubscribe('http.server.request.start', onRequest));
    const world = await testWorld();
    servers.clear();
    await fetch(`${world.publicUrl}/healthz`);
    expect([...servers].map(({ headersTimeout, requestTimeout }) => [headersTimeout, requestTimeout])).toEqual([[5_000, 15_000]]);
  });

  test('case 8: what cannot be stored is 503 with a time to come again, which every vendor repeats', async () => {
    const world = await testWorld();
    const { gateway } = world.gateway;
    const busy = new Failure('storage_unavailable', 'The storage is behind.', { retryAfterMs: 2 * SECOND });
    const app = createApp(gateway, () => Promise.reject(busy), createLive(gateway));
    const bytes = bodyOf(3_000);
    const answer = await app.request('/webhooks/zoom', {
      method: 'POST',
      headers: signZoom(world.zoomWebhookSecret, bytes, world.now()),
      body: new Uint8Array(bytes),
    });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
  });
});

type RunningWorld = Awaited<ReturnType<typeof testWorld>>;

const rows = ({ gateway: { gateway } }: RunningWorld): Promise<number> => gateway.db.read.$count(gateway.db.read.t.inbox);

function dial(url: string): Socket {
  const { hostname, port } = new URL(url);
  return connectSocket({ host: hostname, port: Number(port), allowHalfOpen: true });
}

/** All that the server says until it closes; a reset is a way to close. */
function everything(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString('latin1')));
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve(text));
  });
}
