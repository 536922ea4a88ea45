/** The clock of a plan's limit: it starts with the vendor's run, not with the booking (G14). */
import { freeMinutesOf } from '../../providers/limits.ts';
import type { Plan, ProviderId } from '../domain/apps.ts';
import { limitNews } from '../domain/limit-clock.ts';
import type { PlanBasis } from '../domain/plan.ts';
import { peopleOf, sessionsOf, type Session } from '../domain/session.ts';
import { MINUTE, plus } from '../domain/time.ts';
import { emitAll, type NewEvent } from '../events/emit.ts';
import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import { listFactsOf } from '../store/facts.ts';
import { cancelJob, scheduleJob } from '../store/jobs.ts';
import { setMeetingLive, type Meeting, type TimedMeeting } from '../store/meetings.ts';
import { meetingEvent } from './tell.ts';
import type { Timer } from './timers.ts';

/** Brings `limitEndsAt` in step with the run that goes on; call it with the meeting as it is now. A plan that is not known is counted, too. */
export async function scheduleLimit(tx: Writer, gateway: Gateway, { id, runningSince, limitMinutes, limitEndsAt }: Meeting): Promise<void> {
  const endsAt = runningSince === null || limitMinutes === null ? null : plus(runningSince, limitMinutes * MINUTE);
  // The job knows when to look next. Planned anew with every fact, it would miss what is due just now.
  if (endsAt?.getTime() === limitEndsAt?.getTime()) return;
  await setMeetingLive(tx, id, { limitEndsAt: endsAt });
  if (endsAt === null) await cancelJob(tx, { kind: 'meeting.limit', subjectId: id });
  else await scheduleJob(tx, { kind: 'meeting.limit', subjectId: id, dueAt: gateway.now() });
}

/** Job `meeting.limit`: tells that the limit comes nearer, and that it is reached while the run goes on by what is known. */
export const tellLimits: Timer = async (tx, gateway, meetings, policyOf) => {
  const now = gateway.now();
  const runs = await runsOf(tx, meetings);
  const events: NewEvent[] = [];
  const looks = new Map<string, Date>();
  for (const meeting of meetings) {
    const { id, limitEndsAt, limitMinutes } = meeting;
    const run = runs.get(id);
    if (run === undefined || limitEndsAt === null || limitMinutes === null) continue;
    const { warn_minutes: warnMinutes } = (await policyOf(meeting)).limits;
    const { news, nextAt } = limitNews({ endsAt: limitEndsAt, limitMinutes, warnMinutes, now });
    if (nextAt !== null) looks.set(id, nextAt);
    if (news?.type === 'reached')
      events.push(limitReached(meeting, run.instanceId, { at: limitEndsAt, toldBy: 'clock', certain: isCertain(meeting, run) }));
    if (news?.type === 'approaching') {
      events.push(
        meetingEvent(meeting, 'meeting.limit_approaching', `${run.instanceId} ${news.threshold}`, {
          minutes_left: news.minutesLeft,
          ends_at: limitEndsAt.toISOString(),
          ...countedLimit(meeting),
          certain: isCertain(meeting, run),
        }),
      );
    }
  }
  await emitAll(tx, gateway, events);
  return looks;
};

/** One event per run, whoever tells it first: the vendor that cut it off, or the clock. */
export const limitReached = (
  meeting: TimedMeeting,
  instanceId: string,
  { at, toldBy, certain }: { at: Date; toldBy: 'vendor' | 'clock'; certain: boolean },
): NewEvent =>
  meetingEvent(meeting, 'meeting.limit_reached', instanceId, {
    at: at.toISOString(),
    told_by: toldBy,
    ...countedLimit(meeting),
    certain,
  });

const countedLimit = ({ limitMinutes, plan, planBasis }: TimedMeeting) => ({
  limit_minutes: limitMinutes,
  plan: plan as Plan,
  plan_basis: planBasis as PlanBasis,
});

/**
 * Whether the vendor itself will end the run at the limit that is counted. Not where the plan is not known, not where the policy counts
 * another figure, and not where the vendor gives more time to the few who are there.
 */
function isCertain({ provider, plan, limitMinutes }: TimedMeeting, run: Session): boolean {
  const present = peopleOf(run).filter(({ stays }) => stays.some(({ leftAt }) => leftAt === null));
  return plan === 'free' && limitMinutes === freeMinutesOf(provider as ProviderId, present.length);
}

/** The run of each meeting that goes on; the meeting's own column says which it is. */
async function runsOf(tx: Writer, meetings: readonly TimedMeeting[]): Promise<Map<string, Session>> {
  const facts = await listFactsOf(
    tx,
    meetings.map(({ id }) => id),
  );
  const runs = new Map<string, Session>();
  for (const { id, runningSince } of meetings) {
    const run = sessionsOf(facts.get(id) ?? []).findLast(
      ({ startedAt, endedAt }) => endedAt === null && startedAt.getTime() === runningSince?.getTime(),
    );
    if (run !== undefined) runs.set(id, run);
  }
  return runs;
}
