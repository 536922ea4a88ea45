/** What customers think of a meeting that is over (R07). */
import type { MeetingState } from './meeting.ts';
import type { Policy } from './policy.ts';
import { DAY, plus } from './time.ts';

/** The best; 1 is the worst. */
export const MOST_POINTS = 5;
/** Of a comment, line breaks as one character each. */
export const MOST_COMMENT_CHARACTERS = 2_000;

export interface RateableMeeting {
  readonly state: string;
  readonly endedAt: Date | null;
  readonly continuedBy: string | null;
}

/** Why a customer cannot rate now; undefined when one can. `off`: by the policy. `continued`: the meeting that goes on is the one to rate. */
export function ratingRefusal(
  { ratings: { within_days: days } }: Policy,
  { state, endedAt, continuedBy }: RateableMeeting,
  now: Date,
): 'off' | 'not_over' | 'continued' | 'too_late' | undefined {
  if (days === 0) return 'off';
  if ((state as MeetingState) !== 'ended' || endedAt === null) return 'not_over';
  if (continuedBy !== null) return 'continued';
  return now < plus(endedAt, days * DAY) ? undefined : 'too_late';
}
