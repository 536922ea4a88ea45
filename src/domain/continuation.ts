/** When a meeting may go on under another link, and for how long (G14). */
import { endsAt, joinWindow, type MeetingState } from './meeting.ts';
import type { Policy } from './policy.ts';
import type { Session } from './session.ts';
import { MINUTE, plus } from './time.ts';

/** However little is left: people have to come over, and to say goodbye. */
const SHORTEST_CONTINUATION_MINUTES = 10;
/** How far the end of a run may be from the limit and still be its doing, where the vendor gives no reason. */
const TOLERANCE_MS = MINUTE;

export interface Continuable {
  readonly state: string;
  readonly lockedAt: Date | null;
  readonly startsAt: Date;
  readonly durationMinutes: number;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly limitMinutes: number | null;
}

/** Why a meeting is not continued. */
export type ContinuationRefusal = 'not_bought' | 'not_started' | 'ended' | 'expired' | 'cancelled' | 'window_over';

/** Undefined when it may be continued. `sessions`: of this meeting alone. */
export function whyNotContinued(
  policy: Policy,
  meeting: Continuable,
  { sessions, now }: { sessions: readonly Session[]; now: Date },
): ContinuationRefusal | undefined {
  const state = meeting.state as MeetingState;
  if (state === 'expired' || state === 'cancelled') return state;
  if (meeting.lockedAt === null) return 'not_bought';
  if (now >= joinWindow(policy, meeting).closesAt) return 'window_over';
  if (state === 'ended') return wasCutOff(meeting, sessions) ? undefined : 'ended';
  return state === 'live' ? undefined : 'not_started';
}

/** Whether the plan's limit ended the meeting: as the vendor says, or by the clock, for not every vendor gives a reason. */
export function wasCutOff({ startedAt, endedAt, limitMinutes }: Continuable, sessions: readonly Session[]): boolean {
  if (endedAt === null) return false;
  if (sessions.some((run) => run.limitReached && (run.endedAt ?? endedAt) >= endedAt)) return true;
  if (limitMinutes === null) return false;
  const starts = [startedAt, ...sessions.map((run) => run.startedAt)].filter((start) => start !== null);
  return starts.some((start) => Math.abs(plus(start, limitMinutes * MINUTE).getTime() - endedAt.getTime()) <= TOLERANCE_MS);
}

/** Whole minutes up to the planned end. Who started late has the booked length all the same. */
export function remainingMinutes(meeting: Continuable, now: Date): number {
  const planned = endsAt(meeting);
  const late = meeting.startedAt === null ? planned : endsAt({ ...meeting, startsAt: meeting.startedAt });
  const end = Math.max(planned.getTime(), late.getTime());
  return Math.max(SHORTEST_CONTINUATION_MINUTES, Math.ceil((end - now.getTime()) / MINUTE));
}
