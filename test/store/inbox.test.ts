import { expect, test } from 'vitest';
import { MINUTE, plus } from '../../src/domain/time.ts';
import type { Database } from '../../src/store/database.ts';
import {
  deleteOldInboxEntries,
  dropInboxEntries,
  dropParkedEntries,
  eraseParkedBodies,
  findDueInboxEntries,
  findInboxEntry,
  finishInboxEntries,
  insertInboxEntries,
  leaseInboxEntries,
  listInboxEntries,
  parkInboxEntry,
  rerunInboxEntries,
  retryInboxEntries,
  type InboxEntry,
  type NewInboxEntry,
} from '../../src/store/inbox.ts';
import { describeOnBothDatabases, raw } from '../support/databases.ts';

const AT = new Date('2026-11-20T10:00:00.123Z');

const entry = (key: string, changes: Partial<NewInboxEntry> = {}): NewInboxEntry => ({
  key: `zoom:${key}`,
  provider: 'zoom',
  bodySealed: Buffer.from(`body of ${key}`),
  receivedAt: AT,
  ...changes,
});
const entries = (count: number): NewInboxEntry[] => Array.from({ length: count }, (_, index) => entry(String(index).padStart(4, '0')));
const insert = (db: Database, ...list: NewInboxEntry[]): Promise<void> => db.write((tx) => insertInboxEntries(tx, list));
const due = (db: Database, now = AT, limit = 100): Promise<InboxEntry[]> => db.write((tx) => findDueInboxEntries(tx, { now, limit }));
const keys = (list: readonly { key: string }[]): string[] => list.map(({ key }) => key);
const lease = (db: Database, limit: number, { now = AT, until = plus(AT, MINUTE) } = {}): Promise<InboxEntry[]> =>
  db.write(async (tx) => leaseInboxEntries(tx, await findDueInboxEntries(tx, { now, limit }), until));

describeOnBothDatabases('the inbox', (open, engine) => {
  test.each([1, 3, 4, 5, 16, 63, 64, 65, 151])('stores %i deliveries of one call as they are', async (count) => {
    const db = await open();
    await insert(db, ...entries(count));
    expect(await due(db, AT, 1_000)).toEqual(
      entries(count).map((one) => ({ ...one, state: 'pending', reason: null, dueAt: AT, leasedUntil: null, attempts: 0 })),
    );
  });

  test('keeps every byte', async () => {
    const db = await open();
    const body = Buffer.from(Array.from({ length: 512 }, (_, index) => index % 256));
    await insert(db, entry('bytes', { bodySealed: body }), entry('none', { bodySealed: Buffer.alloc(0) }));
    expect((await findInboxEntry(db.read, 'zoom:bytes'))?.bodySealed).toEqual(body);
    expect((await findInboxEntry(db.read, 'zoom:none'))?.bodySealed).toEqual(Buffer.alloc(0));
  });

  test('stores repeats once, in one call and over several, and the first counts', async () => {
    const db = await open();
    await insert(db, entry('a'), entry('a', { bodySealed: Buffer.from('again') }), entry('b'));
    await insert(db, entry('b', { bodySealed: Buffer.from('again'), receivedAt: plus(AT, MINUTE) }), entry('c'));
    expect((await due(db)).map(({ key, bodySealed }) => [key, String(bodySealed)])).toEqual([
      ['zoom:a', 'body of a'],
      ['zoom:b', 'body of b'],
      ['zoom:c', 'body of c'],
    ]);
  });

  test('takes the same deliveries from several at once, whatever their order, without a deadlock', async () => {
    const db = await open();
    const list = entries(100);
    for (let round = 0; round < 5; round++) {
      const mine = list.map((one) => ({ ...one, key: `${one.key}-${round}` }));
      await Promise.all([insert(db, ...mine), insert(db, ...mine.toReversed()), insert(db, ...mine.slice(50), ...mine.slice(0, 50))]);
    }
    expect(await db.read.$count(db.read.t.inbox)).toBe(500);
  });

  test('gives what is due, oldest first, as many as asked for', async () => {
    const db = await open();
    await insert(db, entry('late', { receivedAt: plus(AT, 2) }), entry('b'), entry('a'), entry('future', { receivedAt: plus(AT, 3) }));
    expect(keys(await due(db, plus(AT, 2)))).toEqual(['zoom:a', 'zoom:b', 'zoom:late']);
    expect(keys(await due(db, plus(AT, 2), 2))).toEqual(['zoom:a', 'zoom:b']);
    expect(await due(db, plus(AT, -1))).toEqual([]);
  });

  test('a lease keeps a delivery from others until it ends, and counts the attempt', async () => {
    const db = await open();
    await insert(db, entry('a'), entry('b'));
    const [first] = await lease(db, 1);
    expect(first).toMatchObject({ key: 'zoom:a', attempts: 1, leasedUntil: plus(AT, MINUTE) });
    expect(await findInboxEntry(db.read, 'zoom:a')).toEqual(first);
    expect(keys(await due(db))).toEqual(['zoom:b']);
    expect(keys(await due(db, plus(AT, MINUTE + 1)))).toEqual(['zoom:a', 'zoom:b']);
    expect((await lease(db, 1, { now: plus(AT, MINUTE + 1), until: plus(AT, 2 * MINUTE) }))[0]?.attempts).toBe(2);
  });

  test('gives no delivery to two, and every one to somebody', async () => {
    const db = await open();
    await insert(db, ...entries(60));
    const taken = (await Promise.all(Array.from({ length: 12 }, () => lease(db, 5)))).flat();
    expect(new Set(keys(taken)).size).toBe(taken.length);
    // Those that met skipped each other's rows, but nothing is lost.
    expect(keys([...taken, ...(await lease(db, 100))]).toSorted()).toEqual(keys(entries(60)));
  });

  test('one that is to be tried again comes back when it is due, with its body and its attempts', async () => {
    const db = await open();
    await insert(db, entry('a'));
    await lease(db, 1);
    await db.write((tx) => retryInboxEntries(tx, ['zoom:a'], { dueAt: plus(AT, 5_000), reason: 'unmatched', attempts: 1 }));
    expect(await due(db, plus(AT, 4_999))).toEqual([]);
    expect(await due(db, plus(AT, 5_000))).toEqual([
      { ...entry('a'), state: 'pending', reason: 'unmatched', dueAt: plus(AT, 5_000), leasedUntil: null, attempts: 1 },
    ]);
  });

  test('one that is set aside keeps its body; of those applied or dropped only the key is left, which still recognizes repeats', async () => {
    const url = await engine.createUrl();
    const db = await engine.openAt(url);
    await insert(db, ...['applied', 'applied too', 'dropped', 'parked'].map((key) => entry(key)));
    await lease(db, 4);
    await db.write(async (tx) => {
      await finishInboxEntries(tx, ['zoom:applied', 'zoom:applied too']);
      await dropInboxEntries(tx, ['zoom:dropped'], 'unmatched');
      await parkInboxEntry(tx, 'zoom:parked', 'malformed: no JSON');
      await finishInboxEntries(tx, []);
    });
    await insert(db, ...['applied', 'dropped', 'parked'].map((key) => entry(key)));
    expect(await due(db, plus(AT, 10 * MINUTE))).toEqual([]);
    expect(await raw(url, 'select key, state, reason, body_sealed is null as erased, leased_until from inbox order by key')).toMatchObject([
      { key: 'zoom:applied', state: 'applied', reason: null, leased_until: null },
      { key: 'zoom:applied too', state: 'applied', reason: null, leased_until: null },
      { key: 'zoom:dropped', state: 'dropped', reason: 'unmatched', leased_until: null },
      { key: 'zoom:parked', state: 'parked', reason: 'malformed: no JSON', leased_until: null },
    ]);
    const bodies = await Promise.all(['applied', 'applied too', 'dropped', 'parked'].map((key) => findInboxEntry(db.read, `zoom:${key}`)));
    expect(bodies.map((one) => one?.bodySealed?.toString() ?? null)).toEqual([null, null, null, 'body of parked']);
  });

  test('lists one state, oldest first, in pages, of all providers or of one', async () => {
    const db = await open();
    await insert(db, entry('c'), entry('a', { receivedAt: plus(AT, 1) }), entry('b'), entry('d', { provider: 'google-meet' }), entry('e'));
    await db.write((tx) => dropInboxEntries(tx, ['zoom:e'], 'unmatched'));
    const page = (changes: Partial<Parameters<typeof listInboxEntries>[1]>) =>
      listInboxEntries(db.read, { state: 'pending', limit: 3, ...changes });
    const first = await page({});
    expect(keys(first)).toEqual(['zoom:b', 'zoom:c', 'zoom:d']);
    expect(keys(await page({ after: first[2] }))).toEqual(['zoom:a']);
    expect(keys(await page({ provider: 'google-meet' }))).toEqual(['zoom:d']);
    expect(keys(await page({ state: 'dropped' }))).toEqual(['zoom:e']);
  });

  test('only what is parked is run again or given up, and it is run again only with its body', async () => {
    const db = await open();
    await insert(db, ...['applied', 'bare', 'pending', 'parked'].map((key) => entry(key)));
    await lease(db, 4);
    await db.write(async (tx) => {
      await finishInboxEntries(tx, ['zoom:applied']);
      await parkInboxEntry(tx, 'zoom:bare', 'malformed');
      await eraseParkedBodies(tx, plus(AT, 1), 10);
      await parkInboxEntry(tx, 'zoom:parked', 'malformed');
    });
    const all = ['applied', 'bare', 'pending', 'parked', 'none'].map((key) => `zoom:${key}`);
    expect(await db.write((tx) => rerunInboxEntries(tx, all, plus(AT, 1)))).toEqual(['zoom:parked']);
    expect(await findInboxEntry(db.read, 'zoom:parked')).toMatchObject({
      state: 'pending',
      attempts: 0,
      dueAt: plus(AT, 1),
      leasedUntil: null,
    });
    expect(await findInboxEntry(db.read, 'zoom:pending')).toMatchObject({ attempts: 1, leasedUntil: plus(AT, MINUTE) });
    expect(await db.write((tx) => dropParkedEntries(tx, all))).toEqual(['zoom:bare']);
    expect(await db.write((tx) => dropParkedEntries(tx, []))).toEqual([]);
  });

  test('removes what is old in steps', async () => {
    const db = await open();
    await insert(db, ...entries(5), entry('young', { receivedAt: plus(AT, 1) }));
    const remove = (): Promise<number> => db.write((tx) => deleteOldInboxEntries(tx, plus(AT, 1), 3));
    expect([await remove(), await remove(), await remove()]).toEqual([3, 2, 0]);
    expect(keys(await due(db, plus(AT, 1)))).toEqual(['zoom:young']);
  });
});
