import { eq, sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { openDatabase } from '../../src/store/database.ts';
import { eraseEventLinks } from '../../src/store/events.ts';
import { endRecordings, eraseLinkTokens } from '../../src/store/recordings.ts';
import { raw, useDatabases } from '../support/databases.ts';

const { open, engine } = useDatabases('postgres');

const AT = new Date('2026-11-20T10:00:00Z');
const pulse = (name: string) => ({ name, at: AT });

/** As long as ciphertexts of a vendor's id, a token and the links of an event are. */
const SEALED = { vendorId: Buffer.alloc(60, 7), token: Buffer.alloc(85, 7), links: Buffer.alloc(350, 7) };
const TOKEN_HASH = 'f'.repeat(38);

const publishedRecording = (own: { id: string; marketplaceId: string }) => ({
  ...own,
  meetingId: own.id.replace('rec', 'mtg'),
  source: 'provider',
  state: 'published',
  fingerprint: own.id,
  vendorRecordingSealed: SEALED.vendorId,
  files: [{ id: '6b4f6a1e', kind: 'video' as const, contentType: 'video/mp4', bytes: 1_024 }],
  startedAt: AT,
  endedAt: AT,
  readyAt: AT,
  publishedAt: AT,
  expiresAt: AT,
  createdAt: AT,
});
const personalLink = (own: { id: string; marketplaceId: string; recordingId: string }) => ({
  ...own,
  kind: 'recipient',
  customerId: own.id,
  tokenHash: `${TOKEN_HASH}${own.id.slice(-6)}`,
  tokenSealed: SEALED.token,
  views: 0,
  createdAt: AT,
});
const tellingEvent = (own: { id: string; marketplaceId: string; subjectId: string }) => ({
  ...own,
  type: 'recording.published',
  at: AT,
  position: own.id,
  data: { recording_id: own.subjectId, expires_at: AT.toISOString() },
  linksSealed: SEALED.links,
});

const setting = (name: string) => ({ value: sql<string>`current_setting(${name})` });

test('case 28: a connection lost in a transaction is storage_unavailable, is reported, and the next write succeeds', async () => {
  const url = await engine.createUrl();
  const heard: string[] = [];
  const db = await openDatabase(url, { onError: (error) => heard.push(error.message) });
  try {
    const cut = db.write(async (tx) => {
      await tx.insert(tx.t.pulses).values(pulse('lost'));
      await raw(
        url,
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`,
      );
      await tx.insert(tx.t.pulses).values(pulse('also lost'));
    });
    await expect(cut).rejects.toMatchObject({ code: 'storage_unavailable', status: 503 });
    expect(heard.length).toBeGreaterThan(0);
    await db.write((tx) => tx.insert(tx.t.pulses).values(pulse('next')));
    expect(await db.read.select({ name: db.read.t.pulses.name }).from(db.read.t.pulses)).toEqual([{ name: 'next' }]);
  } finally {
    await db.close();
  }
});

test('case 28: a statement over its time is storage_unavailable', async () => {
  const db = await open();
  const slow = db.write(async (tx) => {
    await tx.select({ set: sql`set_config('statement_timeout', '20', true)` }).from(sql.raw('(select 1) one'));
    await tx.select({ slept: sql`pg_sleep(20)` }).from(sql.raw('(select 1) one'));
  });
  await expect(slow).rejects.toMatchObject({ code: 'storage_unavailable' });
  expect(await db.read.$count(db.read.t.pulses)).toBe(0);
});

test('case 28: of two transactions that block each other both succeed, one of them at its second try', async () => {
  const db = await open();
  await db.write((tx) => tx.insert(tx.t.pulses).values([pulse('a'), pulse('b')]));
  const bothHoldOne = barrier(2);
  let runs = 0;
  const touch = (first: string, second: string) =>
    db.write(async (tx) => {
      runs++;
      await tx
        .update(tx.t.pulses)
        .set({ at: new Date(1) })
        .where(eq(tx.t.pulses.name, first));
      await bothHoldOne();
      await tx
        .update(tx.t.pulses)
        .set({ at: new Date(2) })
        .where(eq(tx.t.pulses.name, second));
    });
  await Promise.all([touch('a', 'b'), touch('b', 'a')]);
  expect(runs).toBe(3);
});

test('case 28: more writers than connections wait for their turn', async () => {
  const db = await open();
  await Promise.all(Array.from({ length: 100 }, (_, index) => db.write((tx) => tx.insert(tx.t.pulses).values(pulse(`p${index}`)))));
  expect(await db.read.$count(db.read.t.pulses)).toBe(100);
});

test('the end of recordings touches no index of their rows, their links and their events', async () => {
  const db = await open();
  const ids = Array.from({ length: 100 }, (_, n) => `rec_0123456789abcdefghjkm${1_000 + n}`);
  const own = (id: string) => ({ id, marketplaceId: 'mkt_0123456789abcdefghjkmnpqrs' });
  await db.write(async (tx) => {
    const { events, recordingLinks, recordings } = tx.t;
    await tx.insert(recordings).values(ids.map((id) => publishedRecording(own(id))));
    const twice = ids.flatMap((subjectId) => ['a', 'b'].map((which) => ({ subjectId, id: `${subjectId}_${which}` })));
    await tx.insert(recordingLinks).values(twice.map(({ id, subjectId }) => personalLink({ ...own(id), recordingId: subjectId })));
    await tx.insert(events).values(twice.map(({ id, subjectId }) => tellingEvent({ ...own(id), subjectId })));
  });
  await db.write(async (tx) => {
    await endRecordings(tx, { ids, from: ['published'] }, { state: 'expired', reason: null, vendorEnding: null, erasedAt: AT });
    await eraseLinkTokens(tx, ids);
    await eraseEventLinks(tx, ids);
    const updates = (table: string, how: 'hot_updated' | 'updated') =>
      sql<number>`pg_stat_get_xact_tuples_${sql.raw(how)}(${table}::regclass)::int`;
    const counted = (table: string) => sql<number[]>`array[${updates(table, 'updated')}, ${updates(table, 'hot_updated')}]`;
    const [counts] = await tx
      .select({ recordings: counted('recordings'), links: counted('recording_links'), events: counted('events') })
      .from(sql.raw('(select 1) one'));
    expect(counts).toEqual({ recordings: [100, 100], links: [200, 200], events: [200, 200] });
  });
});

test('does not pretend to have committed when a failed statement was caught', async () => {
  const db = await open();
  await db.write((tx) => tx.insert(tx.t.pulses).values(pulse('a')));
  const swallowing = db.write(async (tx) => {
    await tx.insert(tx.t.pulses).values(pulse('b'));
    await (async () => tx.insert(tx.t.pulses).values(pulse('a')))().catch(() => {});
  });
  await expect(swallowing).rejects.toThrow('nothing is stored');
  expect(await db.read.$count(db.read.t.pulses)).toBe(1);
});

test('case 29: commits durably although the role, the database or the address say otherwise', async () => {
  const url = await engine.createUrl();
  const name = new URL(url).pathname.slice(1);
  await raw(url, `alter database ${name} set synchronous_commit = off`);
  const db = await engine.openAt(`${url}?options=-c%20synchronous_commit%3Doff%20-c%20geqo%3Doff`);
  const one = sql.raw('(select 1) one') as never;
  expect(await db.read.select(setting('synchronous_commit')).from(one)).toEqual([{ value: 'on' }]);
  // What else the address asks for stays.
  expect(await db.read.select(setting('geqo')).from(one)).toEqual([{ value: 'off' }]);
  expect(await db.write((tx) => tx.select(setting('synchronous_commit')).from(one))).toEqual([{ value: 'on' }]);
  expect(await db.read.select(setting('idle_in_transaction_session_timeout')).from(one)).toEqual([{ value: '5s' }]);
  expect(await db.read.select(setting('statement_timeout')).from(one)).toEqual([{ value: '10s' }]);
});

test('a transaction waiting for something other than the database does not keep others from reading and writing', async () => {
  const db = await open();
  const meet = barrier(2);
  const part = barrier(2);
  const waiting = db.write(async (tx) => {
    await tx.insert(tx.t.pulses).values(pulse('slow'));
    await meet();
    await part();
  });
  await meet();
  await db.write((tx) => tx.insert(tx.t.pulses).values(pulse('quick')));
  expect(await db.read.$count(db.read.t.pulses)).toBe(1);
  await part();
  await waiting;
  expect(await db.read.$count(db.read.t.pulses)).toBe(2);
});

/** Resolves for everybody when `count` have come; who comes later passes. */
function barrier(count: number): () => Promise<void> {
  let arrived = 0;
  let open = (): void => {};
  const all = new Promise<void>((resolve) => {
    open = resolve;
  });
  return () => {
    arrived++;
    if (arrived >= count) open();
    return all;
  };
}
