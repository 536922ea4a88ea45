/** The life of a meeting as one pure function. */
import type { BookingKind, Policy } from './policy.ts';
import { HOUR, MINUTE, plus } from './time.ts';

export const MEETING_STATES = ['link_pending', 'awaiting_purchase', 'confirmed', 'live', 'ended', 'expired', 'cancelled'] as const;
export type MeetingState = (typeof MEETING_STATES)[number];

/** No way leads out of these, except that a vendor may start an ended meeting once more. */
export const isOver = (state: MeetingState): boolean => state === 'ended' || state === 'expired' || state === 'cancelled';

export interface MeetingLife {
  readonly state: MeetingState;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
}

export type Happening =
  | { readonly type: 'link_made' }
  | { readonly type: 'purchased' }
  | { readonly type: 'deadline_passed' }
  | { readonly type: 'cancelled' }
  /** `at`: when the vendor's meeting really started or ended. */
  | { readonly type: 'started' | 'ended'; readonly at: Date };

/**
 * The life after `happening`; the same object when it changes nothing. Vendors deliver late, twice and out of order,
 * so news older than what is known never moves the state back.
 */
export function live(life: MeetingLife, happening: Happening): MeetingLife {
  const { state, startedAt, endedAt } = life;
  switch (happening.type) {
    case 'link_made':
      return state === 'link_pending' ? { ...life, state: 'awaiting_purchase' } : life;
    case 'purchased':
      return state === 'awaiting_purchase' ? { ...life, state: 'confirmed' } : life;
    case 'deadline_passed':
      return state === 'link_pending' || state === 'awaiting_purchase' ? { ...life, state: 'expired' } : life;
    case 'cancelled':
      return isOver(state) ? life : { ...life, state: 'cancelled' };
    case 'started': {
      if (state !== 'confirmed' && state !== 'live' && state !== 'ended') return life;
      const first = startedAt === null || happening.at < startedAt ? happening.at : startedAt;
      // A meeting that a plan's limit cut off is started again under the same link.
      const runs = endedAt === null || happening.at > endedAt;
      const next: MeetingState = runs ? 'live' : 'ended';
      return next === state && first === startedAt ? life : { state: next, startedAt: first, endedAt: runs ? null : endedAt };
    }
    case 'ended': {
      if (state !== 'confirmed' && state !== 'live' && state !== 'ended') return life;
      if (endedAt !== null && happening.at <= endedAt) return life;
      return { ...life, state: 'ended', endedAt: happening.at };
    }
  }
}

/** Until when the purchase may be completed (G04). Places at an event are sold as long as it lasts (G03). */
export function purchaseBy(
  policy: Policy,
  booking: { kind: BookingKind; confirmedAt: Date; startsAt: Date; durationMinutes: number },
): Date {
  return booking.kind === 'event' ? endsAt(booking) : plus(booking.confirmedAt, policy.purchase.within_hours * HOUR);
}

export const endsAt = ({ startsAt, durationMinutes }: { startsAt: Date; durationMinutes: number }): Date =>
  plus(startsAt, durationMinutes * MINUTE);

/** From when to when the join links lead to the vendor. */
export function joinWindow(policy: Policy, meeting: { startsAt: Date; durationMinutes: number }): { opensAt: Date; closesAt: Date } {
  return {
    opensAt: plus(meeting.startsAt, -policy.join.opens_minutes_before * MINUTE),
    closesAt: plus(endsAt(meeting), policy.join.closes_minutes_after * MINUTE),
  };
}
