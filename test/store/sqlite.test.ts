import { execFile, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { sql } from 'drizzle-orm';
import { expect, test, vi } from 'vitest';
import type { Reader } from '../../src/store/database.ts';
import { Sqlite } from '../../src/store/engine/better-sqlite3.ts';
import { useDatabases } from '../support/databases.ts';

const { open, engine } = useDatabases('sqlite');

const AT = new Date('2026-11-20T10:00:00Z');
const pulse = (name: string) => ({ name, at: AT });

test('rolls back a transaction that lets a turn of the event loop pass', async () => {
  const db = await open();
  const waiting = db.write(async (tx) => {
    await tx.insert(tx.t.pulses).values(pulse('before'));
    await turn();
    await tx.insert(tx.t.pulses).values(pulse('after'));
  });
  await expect(waiting).rejects.toThrow('awaited something other than the database');
  await turn();
  await db.write((tx) => tx.insert(tx.t.pulses).values(pulse('next')));
  expect(await db.read.select({ name: db.read.t.pulses.name }).from(db.read.t.pulses)).toEqual([{ name: 'next' }]);
});

test('fails a write inside a write instead of waiting for ever', async () => {
  const db = await open();
  const nested = db.write(async (tx) => {
    await tx.insert(tx.t.pulses).values(pulse('outer'));
    await db.write((inner) => inner.insert(inner.t.pulses).values(pulse('inner')));
  });
  await expect(nested).rejects.toThrow('awaited something other than the database');
  await db.write((tx) => tx.$count(tx.t.pulses));
  // The inner one was waiting for its turn, and is a transaction of its own once the outer one is gone.
  expect(await db.read.select({ name: db.read.t.pulses.name }).from(db.read.t.pulses)).toEqual([{ name: 'inner' }]);
});

test('case 7: every connection runs with synchronous=FULL, also after it has written', async () => {
  const db = await open();
  const settings = async (on: Reader): Promise<unknown> => {
    const pragmas = ['synchronous', 'secure_delete', 'foreign_keys'];
    const values = await Promise.all(pragmas.map((pragma) => on.select({ value: sql.raw(pragma) }).from(sql.raw(`pragma_${pragma}`))));
    return values.map((rows) => rows[0]?.value);
  };
  await db.write((tx) => tx.insert(tx.t.pulses).values(pulse('a')));
  await db.read.$count(db.read.t.pulses);
  expect(await db.write((tx) => settings(tx))).toEqual([2, 1, 1]);
  expect(await settings(db.read)).toEqual([2, 1, 1]);
});

test('overwrites what was deleted, in the file and in its log', async () => {
  const file = await engine.createUrl();
  const db = await engine.openAt(file);
  const marker = 'marker-5b1d0c';
  const onDisk = (): number => [file, `${file}-wal`].filter((path) => readFileSync(path).includes(marker)).length;
  await db.write((tx) => tx.insert(tx.t.pulses).values(Array.from({ length: 500 }, (_, index) => pulse(`${marker}-${index}`))));
  expect(await db.checkpoint()).toBe(true);
  expect(onDisk()).toBe(1);
  await db.write((tx) => tx.delete(tx.t.pulses));
  expect(await db.checkpoint()).toBe(true);
  expect(onDisk()).toBe(0);
});

test('copies its log into the file as work of its own, long before a commit has to', async () => {
  const file = await engine.createUrl();
  const db = await engine.openAt(file);
  const write = async (name: string, times: number): Promise<void> => {
    for (let time = 0; time < times; time += 1) await db.write((tx) => tx.insert(tx.t.pulses).values(pulse(`${name}-${time}`)));
  };
  const isInFile = (name: string): boolean => readFileSync(file).includes(name);
  await write('first', 200);
  expect(isInFile('first-0')).toBe(false);
  await write('second', 100);
  await vi.waitFor(() => expect(isInFile('first-0')).toBe(true), { timeout: 5_000 });
  expect(await db.read.$count(db.read.t.pulses)).toBe(300);
});

test('case 11: another process that holds the lock costs a write 1.5 seconds and storage_unavailable, and readers nothing', async () => {
  const file = await engine.createUrl();
  const db = await engine.openAt(file);
  const holder = spawn(process.execPath, ['--import', 'tsx', 'test/store/hold-lock.ts', file], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    await once(holder.stdout, 'data');
    const before = performance.now();
    await expect(db.write((tx) => tx.insert(tx.t.pulses).values(pulse('a')))).rejects.toMatchObject({
      code: 'storage_unavailable',
      status: 503,
      retryAfterMs: 2_000,
    });
    const waited = performance.now() - before;
    expect(waited).toBeGreaterThan(1_000);
    expect(waited).toBeLessThan(2_500);
    expect(await db.read.$count(db.read.t.pulses)).toBe(0);
  } finally {
    const exit = once(holder, 'exit');
    holder.stdin.end();
    await exit;
  }
  await db.write((tx) => tx.insert(tx.t.pulses).values(pulse('b')));
  expect(await db.read.$count(db.read.t.pulses)).toBe(1);
});

test('case 12: a transaction takes the write lock before its first statement', async () => {
  const file = await engine.createUrl();
  const db = await engine.openAt(file);
  const other = new Sqlite(file, { timeout: 0 });
  try {
    await db.write(async () => {
      expect(() => other.exec('begin immediate')).toThrow('database is locked');
    });
    other.exec('begin immediate; rollback');
  } finally {
    other.close();
  }
});

test('case 12: two processes that read and then write miss nothing of each other', { timeout: 60_000 }, async () => {
  const file = await engine.createUrl();
  const db = await engine.openAt(file);
  await db.write((tx) => tx.insert(tx.t.pulses).values({ name: 'a', at: new Date(0) }));
  const counters = [0, 1].map(() => fork('test/store/count-up.ts', [file], { execArgv: ['--import', 'tsx'] }));
  await Promise.all(counters.map((counter) => once(counter, 'message')));
  const snapshots = Promise.all(counters.map((counter) => once(counter, 'message')));
  const exits = Promise.all(counters.map((counter) => once(counter, 'exit')));
  for (const counter of counters) counter.send('go');
  expect((await snapshots).map(([codes]) => codes as unknown)).toEqual([[], []]);
  expect((await exits).map(([code]) => code as unknown)).toEqual([0, 0]);
  expect(await db.read.select({ at: db.read.t.pulses.at }).from(db.read.t.pulses)).toEqual([{ at: new Date(200) }]);
});

test('case 13: a long reader keeps the log from being emptied, and the checkpoint says so', async () => {
  const file = await engine.createUrl();
  const db = await engine.openAt(file);
  await db.write((tx) => tx.insert(tx.t.pulses).values(pulse('a')));
  const backup = new Sqlite(file, { readonly: true });
  backup.exec('begin; select count(*) from pulses');
  backup.prepare('select count(*) from pulses').get();
  await db.write((tx) => tx.insert(tx.t.pulses).values(pulse('b')));
  expect(await db.checkpoint()).toBe(false);
  backup.exec('commit');
  backup.close();
  expect(await db.checkpoint()).toBe(true);
  expect(readFileSync(`${file}-wal`)).toHaveLength(0);
});

test('case 8: a disk that takes no more is storage_unavailable, and writes succeed again when there is room', async () => {
  const file = await engine.createUrl();
  await (await engine.openAt(file)).close();
  // The operating system's limit on the size of a file stands for the full disk.
  const limited = ['-c', 'ulimit -f 4000 && exec "$0" "$@"', process.execPath, '--import', 'tsx', 'test/store/full-disk.ts', file];
  const { stdout } = await promisify(execFile)('sh', limited);
  expect(JSON.parse(stdout)).toEqual({ failed: 'storage_unavailable', keptTheLastCommit: true, afterwards: 'stored', integrity: 'ok' });
});

test('names the storage trouble of a read as well', async () => {
  const db = await open();
  await db.close();
  await expect((async () => db.read.select().from(db.read.t.pulses))()).rejects.toMatchObject({ code: 'storage_unavailable' });
  await expect(db.write((tx) => tx.$count(tx.t.pulses))).rejects.toMatchObject({ code: 'storage_unavailable' });
});
