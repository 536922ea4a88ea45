/**
 * Publications end in crowds: what was published in one hour ends in one hour. All that is to be done is in the database, so many share one
 * transaction, in which their jobs are done and gone without ever being leased.
 */
import { isFailure } from '../domain/failure.ts';
import type { Gateway } from '../gateway.ts';
import { claimJobs, endJobs, holdDueJobs, scheduleJobs, type Job } from '../store/jobs.ts';
import { lockFreeRecordings } from '../store/recordings.ts';
import { expireDue } from './erase.ts';

export const EXPIRY_KINDS: readonly string[] = ['recording.expire'];

/** Recordings of one transaction. It holds SQLite's only writer, and the event loop: some ten milliseconds. */
const BATCH = { sqlite: 40, postgres: 200 };

/**
 * Ends what is due. When that fails, up to `limit` jobs are leased and returned: each alone does its work or fails for its own reason.
 * `more`: there was more to do than fitted.
 */
export async function runDueExpiries(
  gateway: Gateway,
  { limit, leaseMs }: { limit: number; leaseMs: number },
): Promise<{ alone: Job[]; more: boolean }> {
  const { db, now, wake } = gateway;
  const batch = BATCH[db.dialect];
  try {
    const { found, done } = await db.write(async (tx) => {
      const due = await holdDueJobs(tx, { now: now(), limit: batch, kinds: { only: EXPIRY_KINDS } });
      // Who changes a recording at this moment may end it, or give it more time: it is left for the next look, and nobody waits for anybody.
      const recordings = await lockFreeRecordings(
        tx,
        due.map(({ subjectId }) => subjectId),
      );
      const later = await expireDue(tx, gateway, recordings);
      await scheduleJobs(
        tx,
        [...later].map(([subjectId, dueAt]) => ({ kind: 'recording.expire', subjectId, dueAt })),
      );
      await endJobs(
        tx,
        recordings.filter(({ id }) => !later.has(id)).map(({ id }) => `recording.expire:${id}`),
      );
      return { found: due.length, done: recordings.length };
    });
    const more = found === batch && done > 0;
    // Once for all of a crowd: each look of the other lanes would cost the next batch its time.
    if (done > 0 && !more) wake();
    return { alone: [], more };
  } catch (error) {
    if (isFailure(error, 'storage_unavailable')) throw error;
    const claim = { now: now(), leaseMs, limit, kinds: { only: EXPIRY_KINDS } };
    return { alone: await db.write((tx) => claimJobs(tx, claim)), more: true };
  }
}
