import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { chainHash, NO_HASH } from '../../src/domain/audit-chain.ts';
import { newId } from '../../src/domain/id.ts';
import { verifyAudit } from '../../src/evidence/verify-audit.ts';
import { findAuditHead, insertAuditEntry, pageOfChain, type NewAuditEntry } from '../../src/store/audit.ts';
import type { Database, Writer } from '../../src/store/database.ts';
import { describeOnBothDatabases, raw, useDatabases } from '../support/databases.ts';

const AT = new Date('2026-09-01T10:00:00.000Z');

const entry = (marketplaceId: string, note: string): NewAuditEntry => ({
  id: newId({ now: () => AT, random: randomBytes }, 'aud'),
  marketplaceId,
  at: AT,
  action: 'recording.viewed',
  subjectId: 'rec_1',
  details: { note, at: 1.5, 'b c': { z: null, a: [{ y: 1, x: 2 }] } },
});

const note = (db: Database, marketplaceId: string, ...notes: string[]): Promise<void> =>
  db.write(async (tx) => {
    for (const text of notes) await insertAuditEntry(tx, entry(marketplaceId, text));
  });

describeOnBothDatabases('the audit log', (_open, engine) => {
  const opened = async () => {
    const url = await engine.createUrl();
    const db = await engine.openAt(url);
    return { url, db };
  };

  it('is missed where it was taken away with its head, and none is made up for a marketplace that is not there', async () => {
    const { db } = await opened();
    const marketplace = { id: 'mkt_1', name: 'M', preset: 'guide', policyPatch: {}, returnUrls: [], createdAt: AT };
    await db.write((tx) => tx.insert(tx.t.marketplaces).values(marketplace));
    await note(db, 'mkt_1', 'a');
    await db.write(async (tx) => {
      await tx.delete(tx.t.audit);
      await tx.delete(tx.t.auditHeads);
    });
    const report = [{ marketplaceId: 'mkt_1', sound: 0, unchained: 0, broken: null }];
    expect([await verifyAudit(db), await verifyAudit(db, 'mkt_1')]).toEqual([report, report]);
    await expect(verifyAudit(db, 'mkt_typo')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('chains the entries of each marketplace by itself', async () => {
    const { db } = await opened();
    await note(db, 'mkt_1', 'a', 'b');
    await db.write(async (tx) => {
      await insertAuditEntry(tx, entry('mkt_2', 'c'));
      await insertAuditEntry(tx, entry('mkt_1', 'd'));
    });
    const chain = await pageOfChain(db.read, { marketplaceId: 'mkt_1', after: 0, limit: 10 });
    expect(chain.map(({ seq, details }) => [seq, details['note']])).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, 'd'],
    ]);
    let previous = NO_HASH;
    for (const one of chain) {
      expect(one.hash).toBe(chainHash(one, { seq: one.seq!, previous }));
      previous = one.hash!;
    }
    expect(await findAuditHead(db.read, 'mkt_1')).toEqual({ marketplaceId: 'mkt_1', seq: 3, hash: previous });
    expect(await verifyAudit(db)).toEqual([
      { marketplaceId: 'mkt_1', sound: 3, unchained: 0, broken: null },
      { marketplaceId: 'mkt_2', sound: 1, unchained: 0, broken: null },
    ]);
  });

  it('has nothing of a transaction that was rolled back', async () => {
    const { db } = await opened();
    await note(db, 'mkt_1', 'a');
    const failed = db.write(async (tx) => {
      await insertAuditEntry(tx, entry('mkt_1', 'never'));
      throw new Error('on purpose');
    });
    await expect(failed).rejects.toThrow('on purpose');
    await note(db, 'mkt_1', 'b');
    expect(await verifyAudit(db)).toMatchObject([{ sound: 2, broken: null }]);
  });

  it('counts what was written before there was a chain', async () => {
    const { db } = await opened();
    await db.write((tx) => tx.insert(tx.t.audit).values({ ...entry('mkt_1', 'old'), seq: null, hash: null }));
    await note(db, 'mkt_1', 'a');
    expect(await verifyAudit(db, 'mkt_1')).toEqual([{ marketplaceId: 'mkt_1', sound: 1, unchained: 1, broken: null }]);
  });

  it.each([
    ['a changed detail', `update audit set details = '{"note":"x"}' where seq = 3`, 'changed', 3],
    ['a changed subject', `update audit set subject_id = 'rec_2' where seq = 2`, 'changed', 2],
    ['an entry that is gone', `delete from audit where seq = 2`, 'missing', 2],
    ['the last entry that is gone', `delete from audit where seq = 5`, 'missing', 5],
    [
      'two entries that changed places',
      `update audit set seq = 99 where seq = 2; update audit set seq = 2 where seq = 3; update audit set seq = 3 where seq = 99`,
      'changed',
      2,
    ],
    [
      'an entry that is gone and the others moved up',
      `delete from audit where seq = 2; update audit set seq = 2 where seq = 3; update audit set seq = 3 where seq = 4; update audit set seq = 4 where seq = 5; update audit_heads set seq = 4`,
      'changed',
      2,
    ],
    ['a head with another hash', `update audit_heads set hash = 'x'`, 'head', 5],
    ['a head that was set back', `update audit_heads set seq = 4, hash = (select hash from audit where seq = 4)`, 'head', 5],
    ['a head that was set forward', `update audit_heads set seq = 6`, 'missing', 6],
    ['a head that is gone', `delete from audit_heads`, 'head', 1],
  ] as const)('shows %s', async (_what, statements, problem, seq) => {
    const { url, db } = await opened();
    await note(db, 'mkt_1', 'a', 'b', 'c', 'd', 'e');
    for (const statement of statements.split('; ')) await raw(url, statement);
    const [report] = await verifyAudit(db, 'mkt_1');
    const [there] = problem === 'changed' ? await raw(url, `select id from audit where seq = ${seq}`) : [];
    expect(report).toMatchObject({ broken: { problem, seq, ...(there === undefined ? {} : { entryId: there['id'] }) } });
  });

  it('is one chain after many transactions at once, whatever marketplaces they write to', async () => {
    const { db } = await opened();
    await Promise.all(
      Array.from({ length: 16 }, async (_, worker) => {
        for (let round = 0; round < 5; round += 1) {
          // Against each other: half of them begin with the one, half with the other.
          const order = worker % 2 === 0 ? ['mkt_1', 'mkt_2'] : ['mkt_2', 'mkt_1'];
          await db.write(async (tx) => {
            for (const marketplaceId of order) await insertAuditEntry(tx, entry(marketplaceId, `${worker}.${round}`));
          });
        }
      }),
    );
    expect(await verifyAudit(db)).toMatchObject([
      { marketplaceId: 'mkt_1', sound: 80, broken: null },
      { marketplaceId: 'mkt_2', sound: 80, broken: null },
    ]);
  });
});

// Hooks run for the describe block they are called in; these tests need PostgreSQL's own races.
const { open } = useDatabases('postgres');

it('is written once by a transaction that PostgreSQL made run twice', async () => {
  const db = await open();
  await db.write(async (tx) => {
    for (const name of ['a', 'b']) await tx.insert(tx.t.pulses).values({ name, at: AT });
  });
  const met: (() => void)[] = [];
  /** Goes on when both are here, the first time; a repeat finds the door open. */
  const together = (): Promise<void> =>
    new Promise((resolve) => {
      met.push(resolve);
      if (met.length >= 2) for (const go of met) go();
    });
  const runs = { count: 0 };
  const touch = (tx: Writer, name: string) =>
    tx
      .insert(tx.t.pulses)
      .values({ name, at: AT })
      .onConflictDoUpdate({ target: tx.t.pulses.name, set: { at: AT } });
  const crossing = (first: string, second: string): Promise<void> =>
    db.write(async (tx) => {
      runs.count += 1;
      await insertAuditEntry(tx, entry('mkt_1', first));
      await touch(tx, first);
      await together();
      await touch(tx, second);
    });
  await Promise.all([crossing('a', 'b'), crossing('b', 'a')]);
  expect(runs.count).toBe(3);
  expect(await verifyAudit(db)).toEqual([{ marketplaceId: 'mkt_1', sound: 2, unchained: 0, broken: null }]);
});
