/**
 * Jobs of which thousands may be due in one second, and that do nothing but write to the database: many share one transaction, in which a
 * job is done and gone, or planned anew, without ever being leased.
 */
import { isFailure } from '../domain/failure.ts';
import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import { claimJobs, endJobs, holdDueJobs, scheduleJobs, type Crowd, type Job } from '../store/jobs.ts';

/** Of what is leased because it could not be done with others: how much, and for how long. */
export interface Alone {
  readonly limit: number;
  readonly leaseMs: number;
}

/**
 * Lets `work` do up to `batch` jobs that are due; it says how many of them it has done. When that fails, up to `limit` jobs are leased and
 * returned: each alone does its work or fails for its own reason. `more`: there was more to do than fitted.
 */
export async function runCrowd(
  { db, now, wake }: Gateway,
  { lane, batch, limit, leaseMs }: Alone & { readonly lane: Crowd; readonly batch: number },
  work: (tx: Writer, due: readonly Job[]) => Promise<number>,
): Promise<{ alone: Job[]; more: boolean }> {
  try {
    const { found, done } = await db.write(async (tx) => {
      const due = await holdDueJobs(tx, { now: now(), limit: batch, lane });
      return { found: due.length, done: await work(tx, due) };
    });
    const more = found === batch && done > 0;
    // Once for all of a crowd: each look of the other lanes would cost the next batch its time.
    if (done > 0 && !more) wake();
    return { alone: [], more };
  } catch (error) {
    if (isFailure(error, 'storage_unavailable')) throw error;
    const claim = { now: now(), leaseMs, limit, lane };
    return { alone: await db.write((tx) => claimJobs(tx, claim)), more: true };
  }
}

/** The jobs of these subjects are done, except for those that have to be looked at again `later`. */
export async function settleJobs(tx: Writer, kind: string, subjectIds: readonly string[], later: ReadonlyMap<string, Date>): Promise<void> {
  await Promise.all([
    scheduleJobs(
      tx,
      [...later].map(([subjectId, dueAt]) => ({ kind, subjectId, dueAt })),
    ),
    endJobs(
      tx,
      subjectIds.filter((subjectId) => !later.has(subjectId)).map((subjectId) => `${kind}:${subjectId}`),
    ),
  ]);
}
