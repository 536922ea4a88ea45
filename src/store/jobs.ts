import { and, asc, eq, inArray, isNotNull, isNull, lt, lte, or, sql } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import { plus } from '../domain/time.ts';
import { among, prepared, preparedRows, slot, type Reader, type Writer } from './database.ts';

export type Job = Tables['jobs']['$inferSelect'];

/**
 * Kinds of which thousands may be due in one second, by the lane that does many of them in one transaction. Whoever moves a kind to another
 * lane moves the jobs that are planned, too, with a migration.
 */
export const CROWDS = {
  timers: ['meeting.limit', 'meeting.host', 'meter.tick'],
  calls: ['call.expire'],
  expiries: ['recording.expire'],
  lapses: ['presence.expire'],
} as const;

export type Crowd = keyof typeof CROWDS;
/** `each`: of all other kinds, one by one. */
export type Lane = Crowd | 'each';

const LANES: ReadonlyMap<string, string> = new Map(
  Object.entries(CROWDS).flatMap(([lane, kinds]) => kinds.map((kind): [string, string] => [kind, lane])),
);

/** Plans the job, or moves the one with the same kind and subject to the new time. */
export const scheduleJob = (tx: Writer, job: Plan): Promise<void> => scheduleJobs(tx, [job]);

interface Plan {
  readonly kind: string;
  readonly subjectId: string;
  readonly dueAt: Date;
}

const FRESH = { leasedUntil: sql`null`, attempts: sql`0`, deadAt: sql`null`, lastError: sql`null` };

const planned = preparedRows('jobs_schedule', (tx: Writer) => tx.t.jobs, {
  given: ({ id, kind, subjectId, lane, dueAt }) => ({ id, kind, subjectId, lane, dueAt }),
  rest: () => FRESH,
  finish: (insert, { id }) =>
    insert.onConflictDoUpdate({ target: id, set: { ...FRESH, lane: sql`excluded.lane`, dueAt: sql`excluded.due_at` } }),
});

/** The same for many, no two of which have both kind and subject in common. */
export async function scheduleJobs(tx: Writer, plans: readonly Plan[]): Promise<void> {
  await planned(
    tx,
    plans.map(({ kind, subjectId, dueAt }) => ({ id: `${kind}:${subjectId}`, kind, subjectId, lane: LANES.get(kind) ?? 'each', dueAt })),
  );
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

const errors = prepared('jobs_forget_errors', (tx: Writer) => {
  const { jobs } = tx.t;
  return tx
    .update(jobs)
    .set({ lastError: null })
    .where(and(among(jobs.id, 'ids'), isNotNull(jobs.lastError)));
});

/** What these jobs failed with is not kept any longer. */
export async function forgetErrors(tx: Writer, jobIds: readonly string[]): Promise<void> {
  await errors(tx, { ids: jobIds });
}

const due = prepared('jobs_due', (tx: Writer) => {
  const { jobs } = tx.t;
  const now = slot('now', jobs.dueAt);
  return tx.skipLocked(
    tx
      .select()
      .from(jobs)
      .where(
        and(
          eq(jobs.lane, slot('lane', jobs.lane)),
          isNull(jobs.deadAt),
          lte(jobs.dueAt, now),
          or(isNull(jobs.leasedUntil), lt(jobs.leasedUntil, now)),
        ),
      )
      .orderBy(asc(jobs.dueAt))
      .limit(sql.placeholder('limit'))
      .$dynamic(),
  );
});

/** What is due in a lane and nobody's, without a lease: held for this transaction only. */
export const holdDueJobs = (tx: Writer, look: { now: Date; limit: number; lane: Lane }): Promise<Job[]> => due(tx, look);

const ended = prepared('jobs_end', (tx: Writer) => tx.delete(tx.t.jobs).where(among(tx.t.jobs.id, 'ids')));

/** Ends jobs that are held. */
export async function endJobs(tx: Writer, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await ended(tx, { ids });
}

export async function claimJobs(
  tx: Writer,
  { now, leaseMs, limit, lane }: { now: Date; leaseMs: number; limit: number; lane: Lane },
): Promise<Job[]> {
  const { jobs } = tx.t;
  const due = await holdDueJobs(tx, { now, limit, lane });
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
