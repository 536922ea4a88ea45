import { expect, it } from 'vitest';
import { plus, SECOND } from '../../src/domain/time.ts';
import { claimJobs, CROWDS, holdDueJobs, scheduleJobs, type Crowd, type Lane } from '../../src/store/jobs.ts';
import { describeOnBothDatabases } from '../support/databases.ts';

const NOW = new Date('2026-11-28T12:00:00Z');
const KINDS = [...Object.values(CROWDS).flat(), 'gateway.sweep', 'a kind that no program knows'];

describeOnBothDatabases('jobs that are due', (open) => {
  const start = async () => {
    const db = await open();
    await db.write((tx) =>
      scheduleJobs(
        tx,
        KINDS.flatMap((kind) => [
          { kind, subjectId: 'late', dueAt: plus(NOW, -SECOND) },
          { kind, subjectId: 'now', dueAt: NOW },
          { kind, subjectId: 'soon', dueAt: plus(NOW, 1) },
        ]),
      ),
    );
    return db;
  };

  it('are found in the lane of their kind and in no other, the oldest first', async () => {
    const db = await start();
    const found = (lane: Lane, limit = 100) => db.write((tx) => holdDueJobs(tx, { now: NOW, limit, lane }));
    const seen = new Map<string, Lane>();
    for (const lane of [...(Object.keys(CROWDS) as Crowd[]), 'each'] as const) {
      const jobs = await found(lane);
      const late = jobs.length / 2;
      expect(jobs.map(({ subjectId }) => subjectId)).toEqual([...Array(late).fill('late'), ...Array(late).fill('now')]);
      for (const { kind } of jobs) {
        expect(seen.get(kind) ?? lane, kind).toBe(lane);
        seen.set(kind, lane);
      }
      expect(await found(lane, 1)).toEqual(jobs.slice(0, 1));
    }
    expect([...seen.keys()].toSorted()).toEqual(KINDS.toSorted());
    expect(KINDS.filter((kind) => seen.get(kind) === 'each')).toEqual(['gateway.sweep', 'a kind that no program knows']);
  });

  it('are nobody else’s while they are leased', async () => {
    const db = await start();
    const claim = (now: Date) => db.write((tx) => claimJobs(tx, { now, leaseMs: 10 * SECOND, limit: 1, lane: 'expiries' }));
    expect(await claim(NOW)).toMatchObject([{ id: 'recording.expire:late', attempts: 1, leasedUntil: plus(NOW, 10 * SECOND) }]);
    expect(await claim(NOW)).toMatchObject([{ id: 'recording.expire:now' }]);
    expect(await claim(NOW)).toEqual([]);
    expect(await claim(plus(NOW, 10 * SECOND + 1))).toMatchObject([{ id: 'recording.expire:late', attempts: 2 }]);
  });
});
