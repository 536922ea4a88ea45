/** The clocks of running meetings. They are jobs, so a restart loses none; and as there may be thousands due in one second, they are done in crowds. */
import { isOver, type MeetingState } from '../domain/meeting.ts';
import type { Policy } from '../domain/policy.ts';
import type { Gateway } from '../gateway.ts';
import { policiesFor } from '../marketplaces/policy.ts';
import type { Writer } from '../store/database.ts';
import { CROWDS, scheduleJob, type Job } from '../store/jobs.ts';
import { lockFreeMeetings, lockMeeting, type TimedMeeting } from '../store/meetings.ts';
import { tickMeters } from '../meters/follow.ts';
import { runCrowd, settleJobs, type Alone } from './crowd.ts';
import { tellLostHosts } from './host-watch.ts';
import { tellLimits } from './limit-timer.ts';

/** Tells what is due about running meetings that are locked; when to look again, by meeting. Nothing but the database is waited for. */
export type Timer = (
  tx: Writer,
  gateway: Gateway,
  meetings: readonly TimedMeeting[],
  policyOf: (owned: Pick<TimedMeeting, 'marketplaceId'>) => Promise<Policy>,
) => Promise<Map<string, Date>>;

const KINDS = CROWDS.timers;
type TimerKind = (typeof KINDS)[number];

const TIMERS: Readonly<Record<TimerKind, Timer>> = {
  'meeting.limit': tellLimits,
  'meeting.host': tellLostHosts,
  'meter.tick': tickMeters,
};

/** Jobs of one transaction. It holds SQLite's only writer, and the event loop: some ten milliseconds. */
const BATCH = 256;

/** Does what is due. */
export const runDueTimers = (gateway: Gateway, alone: Alone) =>
  runCrowd(gateway, { lane: 'timers', batch: BATCH, ...alone }, async (tx, due) => {
    // Who changes a meeting at this moment may change its timer next: such a meeting is left for the next look, and nobody waits for anybody.
    const meetings = new Map((await lockFreeMeetings(tx, subjectsOf(due))).map((meeting) => [meeting.id, meeting]));
    const jobs = due.filter(({ subjectId }) => meetings.has(subjectId));
    const policyOf = policiesFor(tx);
    let done = 0;
    for (const kind of KINDS) {
      const own = jobs.filter((job) => job.kind === kind);
      if (own.length === 0) continue;
      const looks = await TIMERS[kind](tx, gateway, running(own.map(({ subjectId }) => meetings.get(subjectId)!)), policyOf);
      await settleJobs(tx, kind, subjectsOf(own), looks);
      done += own.length;
    }
    // A kind that only a newer program knows is left to it.
    return done;
  });

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
