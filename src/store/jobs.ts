import { and, asc, eq, inArray, isNull, lt, lte, or, sql } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import { plus } from '../domain/time.ts';
import type { Reader, Writer } from './database.ts';

export type Job = Tables['jobs']['$inferSelect'];

/** Plans the job, or moves the one with the same kind and subject to the new time. */
export async function scheduleJob(tx: Writer, { kind, subjectId, dueAt }: { kind: string; subjectId: string; dueAt: Date }): Promise<void> {
  const { jobs } = tx.t;
  const fresh = { dueAt, leasedUntil: null, attempts: 0, deadAt: null, lastError: null };
  await tx
    .insert(jobs)
    .values({ id: `${kind}:${subjectId}`, kind, subjectId, ...fresh })
    .onConflictDoUpdate({ target: jobs.id, set: fresh });
}

export async function findJob(db: Reader, { kind, subjectId }: { kind: string; subjectId: string }): Promise<Job | undefined> {
  return (
    await db
      .select()
      .from(db.t.jobs)
      .where(eq(db.t.jobs.id, `${kind}:${subjectId}`))
  )[0];
}

/** Those that are still to be done. */
export async function countJobs(db: Reader, kind: string): Promise<number> {
  const { jobs } = db.t;
  return db.$count(jobs, and(eq(jobs.kind, kind), isNull(jobs.deadAt)));
}

export async function cancelJob(tx: Writer, { kind, subjectId }: { kind: string; subjectId: string }): Promise<void> {
  await tx.delete(tx.t.jobs).where(eq(tx.t.jobs.id, `${kind}:${subjectId}`));
}

export async function claimJobs(tx: Writer, { now, leaseMs, limit }: { now: Date; leaseMs: number; limit: number }): Promise<Job[]> {
  const { jobs } = tx.t;
  const due = await tx.skipLocked(
    tx
      .select({ id: jobs.id })
      .from(jobs)
      .where(and(isNull(jobs.deadAt), lte(jobs.dueAt, now), or(isNull(jobs.leasedUntil), lt(jobs.leasedUntil, now))))
      .orderBy(asc(jobs.dueAt), asc(jobs.id))
      .limit(limit)
      .$dynamic(),
  );
  if (due.length === 0) return [];
  return tx
    .update(jobs)
    .set({ leasedUntil: plus(now, leaseMs), attempts: sql`${jobs.attempts} + 1` })
    .where(
      inArray(
        jobs.id,
        due.map((job) => job.id),
      ),
    )
    .returning();
}

/** Takes the job for other work than its handler's; false when somebody has it, or it is over. */
export async function leaseJob(
  tx: Writer,
  { kind, subjectId }: { kind: string; subjectId: string },
  { now, until }: { now: Date; until: Date },
): Promise<boolean> {
  const { jobs } = tx.t;
  const rows = await tx
    .update(jobs)
    .set({ leasedUntil: until })
    .where(and(eq(jobs.id, `${kind}:${subjectId}`), or(isNull(jobs.leasedUntil), lt(jobs.leasedUntil, now))))
    .returning({ id: jobs.id });
  return rows.length === 1;
}

// A job may have been scheduled anew while it ran; that new plan must survive the end of the old run. The lease tells them apart.
const still = (tx: Writer, job: Job) =>
  and(eq(tx.t.jobs.id, job.id), job.leasedUntil === null ? isNull(tx.t.jobs.leasedUntil) : eq(tx.t.jobs.leasedUntil, job.leasedUntil));

export async function finishJob(tx: Writer, job: Job): Promise<void> {
  await tx.delete(tx.t.jobs).where(still(tx, job));
}

/** `dueAt` null: it failed for good and waits for the operator. */
export async function failJob(
  tx: Writer,
  job: Job,
  { dueAt, error, now }: { dueAt: Date | null; error: string; now: Date },
): Promise<void> {
  await tx
    .update(tx.t.jobs)
    .set({ leasedUntil: null, lastError: error, ...(dueAt === null ? { deadAt: now } : { dueAt }) })
    .where(still(tx, job));
}
