/**
 * The clocks of running meetings. They are jobs, so a restart loses none; but there may be thousands due in one second, and all they do is
 * write to the database. So many share one transaction, in which a job is done and gone, or planned anew, without ever being leased.
 */
import { isFailure } from '../domain/failure.ts';
import { isOver, type MeetingState } from '../domain/meeting.ts';
import type { Policy } from '../domain/policy.ts';
import type { Gateway } from '../gateway.ts';
import { policiesFor } from '../marketplaces/policy.ts';
import type { Writer } from '../store/database.ts';
import { claimJobs, endJobs, holdDueJobs, scheduleJob, scheduleJobs, type Job } from '../store/jobs.ts';
import { lockFreeMeetings, lockMeeting, type TimedMeeting } from '../store/meetings.ts';
import { tellLostHosts } from './host-watch.ts';
import { tellLimits } from './limit-timer.ts';

/** Tells what is due about running meetings that are locked; when to look again, by meeting. Nothing but the database is waited for. */
export type Timer = (
  tx: Writer,
  gateway: Gateway,
  meetings: readonly TimedMeeting[],
  policyOf: (meeting: TimedMeeting) => Promise<Policy>,
) => Promise<Map<string, Date>>;

export type TimerKind = 'meeting.limit' | 'meeting.host';
const TIMERS: Readonly<Record<TimerKind, Timer>> = { 'meeting.limit': tellLimits, 'meeting.host': tellLostHosts };
export const TIMER_KINDS = Object.keys(TIMERS) as TimerKind[];

/** Jobs of one transaction. It holds SQLite's only writer, and the event loop: some ten milliseconds. */
const BATCH = 200;

/**
 * Does what is due. When that fails, up to `limit` jobs are leased and returned: each alone does its work or fails for its own reason.
 * `more`: there was more to do than fitted.
 */
export async function runDueTimers(
  gateway: Gateway,
  { limit, leaseMs }: { limit: number; leaseMs: number },
): Promise<{ alone: Job[]; more: boolean }> {
  const { db, now, wake } = gateway;
  try {
    const { found, done } = await db.write(async (tx) => {
      const due = await holdDueJobs(tx, { now: now(), limit: BATCH, kinds: { only: TIMER_KINDS } });
      // Who changes a meeting at this moment may change its timer next: such a meeting is left for the next look, and nobody waits for anybody.
      const meetings = new Map((await lockFreeMeetings(tx, subjectsOf(due))).map((meeting) => [meeting.id, meeting]));
      const jobs = due.filter(({ subjectId }) => meetings.has(subjectId));
      const policyOf = policiesFor(tx);
      for (const kind of TIMER_KINDS) {
        const own = jobs.filter((job) => job.kind === kind);
        if (own.length === 0) continue;
        const looks = await TIMERS[kind](tx, gateway, running(own.map(({ subjectId }) => meetings.get(subjectId)!)), policyOf);
        await scheduleJobs(
          tx,
          [...looks].map(([subjectId, dueAt]) => ({ kind, subjectId, dueAt })),
        );
        await endJobs(
          tx,
          own.filter(({ subjectId }) => !looks.has(subjectId)).map(({ id }) => id),
        );
      }
      return { found: due.length, done: jobs.length };
    });
    const more = found === BATCH && done > 0;
    // Once for all of a burst: each look of the other lanes would cost the next batch its time.
    if (done > 0 && !more) wake();
    return { alone: [], more };
  } catch (error) {
    if (isFailure(error, 'storage_unavailable')) throw error;
    const claim = { now: now(), leaseMs, limit, kinds: { only: TIMER_KINDS } };
    return { alone: await db.write((tx) => claimJobs(tx, claim)), more: true };
  }
}

/** One of them for itself. */
export async function runTimer(gateway: Gateway, kind: TimerKind, meetingId: string): Promise<void> {
  const { db, wake } = gateway;
  await db.write(async (tx) => {
    const meeting = await lockMeeting(tx, meetingId);
    if (meeting === undefined) return;
    const looks = await TIMERS[kind](tx, gateway, running([meeting]), policiesFor(tx));
    for (const [subjectId, dueAt] of looks) await scheduleJob(tx, { kind, subjectId, dueAt });
  });
  wake();
}

const subjectsOf = (jobs: readonly Job[]): string[] => [...new Set(jobs.map(({ subjectId }) => subjectId))];

const running = (meetings: readonly TimedMeeting[]): TimedMeeting[] =>
  meetings.filter(({ state, runningSince }) => runningSince !== null && !isOver(state as MeetingState));
