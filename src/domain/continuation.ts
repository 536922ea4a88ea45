/** When a meeting may go on under another link, and for how long (G14). */
import type { ProviderId } from './apps.ts';
import { endsAt, joinWindow, type MeetingState } from './meeting.ts';
import type { Policy } from './policy.ts';
import type { Session } from './session.ts';
import { MINUTE, plus } from './time.ts';

/** However little is left: people have to come over, and to say goodbye. */
const SHORTEST_CONTINUATION_MINUTES = 10;
/** How far the end of a run may be from the limit and still be its doing, where the vendor gives no reason. */
const TOLERANCE_MS = MINUTE;
/** Who is done a few minutes before the booked end was not cut off, however long that took. */
const CLEARLY_LEFT_MS = 5 * MINUTE;
/** Zoom says of everybody whom it sends out why; where it says nothing of a limit, there was none. */
const GIVES_REASONS: ReadonlySet<string> = new Set<ProviderId>(['zoom']);

export interface Continuable {
  readonly state: string;
  readonly provider: string;
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

/**
 * Whether the plan's limit ended the meeting: as the vendor says, or, where the vendor gives no reasons, by the clock. By the clock only
 * with booked time clearly left, for else a meeting that is booked up to the limit and ends as planned looks the same.
 */
export function wasCutOff(meeting: Continuable, sessions: readonly Session[]): boolean {
  const { provider, startedAt, endedAt, limitMinutes } = meeting;
  if (endedAt === null) return false;
  if (sessions.some((run) => run.limitReached && (run.endedAt ?? endedAt) >= endedAt)) return true;
  if (GIVES_REASONS.has(provider) || limitMinutes === null || plannedEnd(meeting) - endedAt.getTime() < CLEARLY_LEFT_MS) return false;
  const starts = [startedAt, ...sessions.map((run) => run.startedAt)].filter((start) => start !== null);
  return starts.some((start) => Math.abs(plus(start, limitMinutes * MINUTE).getTime() - endedAt.getTime()) <= TOLERANCE_MS);
}

/** Whole minutes up to the planned end. */
export function remainingMinutes(meeting: Continuable, now: Date): number {
  return Math.max(SHORTEST_CONTINUATION_MINUTES, Math.ceil((plannedEnd(meeting) - now.getTime()) / MINUTE));
}

/** As booked. Who started late has the booked length all the same. */
function plannedEnd(meeting: Continuable): number {
  const booked = endsAt(meeting);
  const late = meeting.startedAt === null ? booked : endsAt({ ...meeting, startsAt: meeting.startedAt });
  return Math.max(booked.getTime(), late.getTime());
}

/** Whether people can be led on to a continuation in this state: it has its link, and was not called off. */
export const leadsOn = (state: MeetingState): boolean => state !== 'link_pending' && state !== 'cancelled' && state !== 'expired';
