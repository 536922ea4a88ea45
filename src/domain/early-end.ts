/** One side asks to end a running meeting before its time, the other agrees or refuses (R05). */
import type { MeetingState } from './meeting.ts';
import type { BookingKind, Policy } from './policy.ts';

export const EARLY_END_SIDES = ['customer', 'professional'] as const;
export type EarlyEndSide = (typeof EARLY_END_SIDES)[number];

/** `lapsed`: nobody answered in time. */
export const EARLY_END_STATES = ['asked', 'agreed', 'refused', 'lapsed'] as const;
export type EarlyEndState = (typeof EARLY_END_STATES)[number];

export interface EarlyEndMeeting {
  readonly state: string;
  readonly bookingKind: string;
  readonly startsAt: Date;
  readonly runningSince: Date | null;
}

export interface AskedEarlyEnd {
  readonly state: string;
  readonly askedBy: string;
  readonly answerBy: Date;
  readonly answeredAt: Date | null;
}

/**
 * Why an early end cannot be asked for now; undefined when it can. `off`: by the policy. `several`: more than two people, and nobody agrees
 * for the others. `not_running`: the meeting does not run, or its time has not come where the vendor tells nothing.
 */
export function earlyEndRefusal(
  { early_end: { answer_within_seconds: seconds } }: Policy,
  { state, bookingKind, startsAt }: EarlyEndMeeting,
  now: Date,
): 'off' | 'several' | 'not_running' | undefined {
  if (seconds === 0) return 'off';
  if ((bookingKind as BookingKind) !== 'one_to_one') return 'several';
  const runs = (state as MeetingState) === 'live' || ((state as MeetingState) === 'confirmed' && startsAt <= now);
  return runs ? undefined : 'not_running';
}

/**
 * Whether the run that was agreed to end is over. Started once more after that, it is another run, for which nobody has agreed to anything;
 * and what does not run any more is not ended.
 */
export const agreedRunIsOver = ({ state, runningSince }: EarlyEndMeeting, { answeredAt }: AskedEarlyEnd): boolean =>
  ((state as MeetingState) !== 'live' && (state as MeetingState) !== 'confirmed') ||
  (runningSince !== null && answeredAt !== null && runningSince > answeredAt);

/** The deadline counts from its moment, not from when the job gets to it. */
export const waitsForAnswer = ({ state, answerBy }: AskedEarlyEnd, now: Date): boolean => state === 'asked' && now < answerBy;

/** What the page of one side shows. */
export type EarlyEndNews =
  | { readonly kind: 'askable' }
  /** Asked by this side (`mine`), or by the other one, which waits for this side's answer. */
  | { readonly kind: 'asked'; readonly mine: boolean; readonly answerBy: Date }
  /** Of this side's own request; it may ask again. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'lapsed' }
  /** `ends`: the vendor's meeting is ended for both. Else they leave it themselves. */
  | { readonly kind: 'agreed'; readonly ends: boolean };

/** `newest`: the last request of the meeting. Null: nothing is to be shown. */
export function earlyEndNews(
  policy: Policy,
  meeting: EarlyEndMeeting,
  { newest, side, ends, now }: { newest: AskedEarlyEnd | undefined; side: EarlyEndSide; ends: boolean; now: Date },
): EarlyEndNews | null {
  if (earlyEndRefusal(policy, meeting, now) !== undefined) return null;
  if (newest === undefined) return { kind: 'askable' };
  const mine = newest.askedBy === side;
  if (waitsForAnswer(newest, now)) return { kind: 'asked', mine, answerBy: newest.answerBy };
  if (newest.state === 'agreed') return agreedRunIsOver(meeting, newest) ? { kind: 'askable' } : { kind: 'agreed', ends };
  if (!mine) return { kind: 'askable' };
  return { kind: newest.state === 'refused' ? 'refused' : 'lapsed' };
}
