import { and, asc, eq, isNull, lt, lte, or, sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { type Database, prepared, type Reader, slot, type Writer } from '../../src/store/database.ts';
import { MINUTE, plus } from '../../src/domain/time.ts';
import { describeOnBothDatabases, type Engine } from '../support/databases.ts';
import { createProbe, type Probe } from './probe.ts';

const START = new Date('2026-11-20T10:00:00.123Z');

const job = (id: string) => ({ id, kind: 'test', subjectId: 'nobody', dueAt: START, attempts: 0 });
const ids = async (db: Database): Promise<string[]> =>
  (await db.read.select({ id: db.read.t.jobs.id }).from(db.read.t.jobs).orderBy(asc(db.read.t.jobs.id))).map((row) => row.id);

describeOnBothDatabases('the database', (open, engine) => {
  test('commits what a transaction wrote and hands on its result', async () => {
    const db = await open();
    const rows = await db.write((tx) => tx.insert(tx.t.jobs).values(job('a')).returning({ id: tx.t.jobs.id }));
    expect(rows).toEqual([{ id: 'a' }]);
    expect(await ids(db)).toEqual(['a']);
  });

  test('rolls back everything when the transaction throws, and takes the next one', async () => {
    const db = await open();
    const failing = db.write(async (tx) => {
      await tx.insert(tx.t.jobs).values(job('a'));
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    await db.write((tx) => tx.insert(tx.t.jobs).values(job('b')));
    expect(await ids(db)).toEqual(['b']);
  });

  test('shows readers nothing that is not committed', async () => {
    const db = await open();
    const seen = await db.write(async (tx) => {
      await tx.insert(tx.t.jobs).values(job('a'));
      return { outside: await db.read.$count(db.read.t.jobs), inside: await tx.$count(tx.t.jobs) };
    });
    expect(seen).toEqual({ outside: 0, inside: 1 });
    expect(await db.read.$count(db.read.t.jobs)).toBe(1);
  });

  test('refuses a handle that outlived its transaction', async () => {
    const db = await open();
    const tx = await db.write(async (tx) => ({ kept: tx }));
    await expect((async () => tx.kept.insert(tx.kept.t.jobs).values(job('late')))()).rejects.toThrow('after its transaction was over');
    expect(await ids(db)).toEqual([]);
  });

  test('refuses a statement that was built in a transaction and sent after it', async () => {
    const db = await open();
    const { statement } = await db.write(async (tx) => ({ statement: tx.insert(tx.t.jobs).values(job('late')) }));
    await expect((async () => statement)()).rejects.toThrow('after its transaction was over');
    expect(await ids(db)).toEqual([]);
  });

  test('counts to 40 when 40 callers compare and set at once', async () => {
    const { db, probe } = await openWithProbe(engine);
    await db.write((tx) => tx.insert(probe).values({ id: 'counter' }));
    const increment = async (): Promise<void> => {
      for (;;) {
        const done = await db.write(async (tx) => {
          const [row] = await tx.select().from(probe).where(eq(probe.id, 'counter'));
          const rows = await tx
            .update(probe)
            .set({ counter: row!.counter + 1 })
            .where(and(eq(probe.id, 'counter'), eq(probe.counter, row!.counter)))
            .returning({ id: probe.id });
          return rows.length === 1;
        });
        if (done) return;
      }
    };
    await Promise.all(Array.from({ length: 40 }, increment));
    expect(await db.read.select({ counter: probe.counter }).from(probe)).toEqual([{ counter: 40 }]);
  });

  test('gives no row to two claimers, and every row to one', async () => {
    const db = await open();
    await db.write((tx) => tx.insert(tx.t.jobs).values(Array.from({ length: 60 }, (_, index) => job(`job-${index}`))));
    const claimed = (await Promise.all(Array.from({ length: 12 }, () => db.write((tx) => claim(tx, 5))))).flat();
    expect(new Set(claimed).size).toBe(claimed.length);
    // Claimers that met skipped each other's rows, but nothing is lost.
    const rest = await db.write((tx) => claim(tx, 100));
    expect([...claimed, ...rest].toSorted()).toEqual((await ids(db)).toSorted());
  });

  test('keeps every kind of column as it was given', async () => {
    const { db, probe } = await openWithProbe(engine);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    const rows = [
      {
        id: 'full',
        counter: -2_147_483_648,
        flag: true,
        moment: START,
        document: { text: 'Zürich ☎ 🎥', list: [1, 2.5, null], nested: { no: false } },
        payload: bytes,
      },
      { id: 'none', counter: 0, flag: null, moment: null, document: null, payload: null },
      { id: 'zero', counter: 2_147_483_647, flag: false, moment: new Date(0), document: {}, payload: Buffer.alloc(0) },
    ];
    await db.write((tx) => tx.insert(probe).values(rows));
    expect(await db.read.select().from(probe).orderBy(asc(probe.id))).toEqual(rows);
    expect(await db.read.select({ id: probe.id }).from(probe).where(lte(probe.moment, START)).orderBy(asc(probe.id))).toEqual([
      { id: 'full' },
      { id: 'zero' },
    ]);
    expect(await db.read.select({ id: probe.id }).from(probe).where(lt(probe.moment, START))).toEqual([{ id: 'zero' }]);
  });

  test('runs prepared statements in transactions and outside, with dates and json, again and again', async () => {
    const { db, probe } = await openWithProbe(engine);
    const put = prepared('test_put', (tx: Writer) =>
      tx
        .insert(probe)
        .values({
          id: sql.placeholder('id'),
          moment: sql.placeholder('moment'),
          document: sql.placeholder('document'),
          flag: sql.placeholder('flag'),
        })
        .returning({ id: probe.id }),
    );
    const before = prepared('test_before', (on: Reader) =>
      on
        .select({ id: probe.id, moment: probe.moment, document: probe.document, flag: probe.flag })
        .from(probe)
        .where(lt(probe.moment, slot('moment', probe.moment)))
        .orderBy(asc(probe.id)),
    );
    const first = { id: 'a', moment: START, document: { n: 1 }, flag: true };
    const second = { id: 'b', moment: plus(START, 1), document: { n: 2 }, flag: false };
    expect(await db.write((tx) => put(tx, first))).toEqual([{ id: 'a' }]);
    expect(await db.write(async (tx) => [await put(tx, second), await before(tx, { moment: plus(START, 2) })])).toEqual([
      [{ id: 'b' }],
      [first, second],
    ]);
    // More at once than there are connections.
    const answers = await Promise.all(Array.from({ length: 30 }, () => before(db.read, { moment: plus(START, 1) })));
    expect(answers).toEqual(Array.from({ length: 30 }, () => [first]));
    expect(await db.write((tx) => before(tx, { moment: START }))).toEqual([]);
  });

  test('rolls prepared statements back, and refuses them after their transaction', async () => {
    const { db, probe } = await openWithProbe(engine);
    const put = prepared('test_put_id', (tx: Writer) => tx.insert(probe).values({ id: sql.placeholder('id') }));
    let kept: Writer | undefined;
    const failing = db.write(async (tx) => {
      kept = tx;
      await put(tx, { id: 'a' });
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    await expect(put(kept!, { id: 'b' })).rejects.toThrow('after its transaction was over');
    expect(await db.read.$count(probe)).toBe(0);
  });

  test('keeps the values of a row out of the error of a failed statement', async () => {
    const { db, probe } = await openWithProbe(engine);
    const insert = (): Promise<unknown> => db.write((tx) => tx.insert(probe).values({ id: 'a', document: { secret: 'marker-4711' } }));
    await insert();
    const error = await insert().catch((thrown: unknown) => thrown as Error);
    expect(error).toBeInstanceOf(Error);
    expect(`${(error as Error).message} ${(error as Error).stack}`).not.toContain('marker-4711');
  });

  test('waits for the transactions that are under way before it closes', async () => {
    const db = await open();
    const writing = db.write(async (tx) => {
      await tx.insert(tx.t.jobs).values(job('a'));
      return tx.$count(tx.t.jobs);
    });
    await db.close();
    expect(await writing).toBe(1);
  });
});

async function openWithProbe(engine: Engine): Promise<{ db: Database; probe: Probe }> {
  const url = await engine.createUrl();
  const db = await engine.openAt(url);
  return { db, probe: await createProbe(engine, url) };
}

async function claim(tx: Writer, limit: number): Promise<string[]> {
  const { jobs } = tx.t;
  const due = await tx.skipLocked(
    tx
      .select({ id: jobs.id })
      .from(jobs)
      .where(and(lte(jobs.dueAt, START), or(isNull(jobs.leasedUntil), lt(jobs.leasedUntil, START))))
      .orderBy(asc(jobs.dueAt), asc(jobs.id))
      .limit(limit)
      .$dynamic(),
  );
  for (const { id } of due)
    await tx
      .update(jobs)
      .set({ leasedUntil: plus(START, MINUTE) })
      .where(eq(jobs.id, id));
  return due.map((row) => row.id);
}
