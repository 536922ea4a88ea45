/** What a run shows of the plan of the account that hosted it. */
import { freeMinutesOf, GROUP } from '../../providers/limits.ts';
import { learnPlan } from '../connections/plan.ts';
import type { ProviderId } from '../domain/apps.ts';
import { endsAt } from '../domain/meeting.ts';
import { peopleOf, union, type Session } from '../domain/session.ts';
import { MINUTE } from '../domain/time.ts';
import type { Writer } from '../store/database.ts';
import type { Meeting } from '../store/meetings.ts';

/** How far an end may be from the limit and still be its doing. */
const TOLERANCE_MS = MINUTE;
/** How much earlier than booked people do not all leave by themselves. */
const EARLY_MS = 5 * MINUTE;
/** How far past the free figure no free plan goes, with whatever grace the vendor gives. */
const CLEARLY_PAST_MS = 10 * MINUTE;

export async function learnFromRun(tx: Writer, meeting: Meeting, run: Session): Promise<void> {
  if (meeting.connectionId === null) return;
  if (run.limitReached || looksCutOff(meeting, run)) await learnPlan(tx, meeting.connectionId, 'free');
  else if (outlastedFree(meeting, run)) await learnPlan(tx, meeting.connectionId, 'paid');
}

/**
 * Over at the minute of the limit and long before the booked end, with everybody still inside. A hint about the plan, never told as a limit
 * that was reached: Google's limit is for groups, and Google does not say why a conference ended.
 */
function looksCutOff(meeting: Meeting, run: Session): boolean {
  const { startedAt, endedAt, estimated } = run;
  const { provider, limitMinutes, durationMinutes } = meeting;
  if (provider !== 'google-meet' || limitMinutes === null || endedAt === null || estimated) return false;
  const freeMinutes = freeMinutesOf(provider, GROUP);
  // Who books an hour and goes after an hour was cut off by nobody.
  if (durationMinutes <= freeMinutes || endsAt(meeting).getTime() - endedAt.getTime() < EARLY_MS) return false;
  const near = (a: number, b: number): boolean => Math.abs(a - b) <= TOLERANCE_MS;
  if (!near(endedAt.getTime() - startedAt.getTime(), freeMinutes * MINUTE)) return false;
  const isAtTheEnd = (leftAt: Date | null): boolean => leftAt !== null && near(leftAt.getTime(), endedAt.getTime());
  const toTheEnd = peopleOf(run).filter(({ stays }) => stays.some(({ leftAt }) => isAtTheEnd(leftAt)));
  return toTheEnd.length >= GROUP;
}

/**
 * A group was together for longer than the vendor lets a free one be, by the vendor's own figure and the vendor's own word. Zoom is left
 * out, for it tells the plan.
 */
function outlastedFree({ provider }: Meeting, run: Session): boolean {
  if (provider === 'zoom' || run.estimated) return false;
  return longestTogetherMs(run, GROUP) >= freeMinutesOf(provider as ProviderId, GROUP) * MINUTE + CLEARLY_PAST_MS;
}

/** How long so many people were there at once, without a break. A stay that goes on counts for nothing yet, for nothing says up to when. */
function longestTogetherMs(run: Session, people: number): number {
  // Whoever comes with two devices is there once.
  const moves = peopleOf(run)
    .flatMap(({ stays }) =>
      union(stays.flatMap(({ joinedAt, leftAt }) => (leftAt === null ? [] : [[joinedAt.getTime(), leftAt.getTime()] as const]))),
    )
    .flatMap(([joinedAt, leftAt]) => [[joinedAt, 1] as const, [leftAt, -1] as const])
    // Arrivals first: who goes as another one comes was there together with them.
    .toSorted(([a, move], [b, other]) => a - b || other - move);
  let [there, since, longest] = [0, 0, 0];
  for (const [at, move] of moves) {
    if (move === 1 && there === people - 1) since = at;
    if (move === -1 && there === people) longest = Math.max(longest, at - since);
    there += move;
  }
  return longest;
}
