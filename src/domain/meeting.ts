/** The life of a meeting as one pure function. */
import type { BookingKind, Policy } from './policy.ts';
import { HOUR, MINUTE, plus } from './time.ts';

export const MEETING_STATES = ['link_pending', 'awaiting_purchase', 'confirmed', 'live', 'ended', 'expired', 'cancelled'] as const;
export type MeetingState = (typeof MEETING_STATES)[number];

/** No way leads out of these, except that a vendor may start an ended meeting once more. */
export const isOver = (state: MeetingState): boolean => state === 'ended' || state === 'expired' || state === 'cancelled';

/** Who ended a meeting, as far as it was done here: in the app itself everybody can, and vendors do not say who did (T09). */
export const ENDERS = ['customer', 'professional', 'marketplace', 'gateway'] as const;
export type Ender = (typeof ENDERS)[number];

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
  /** The vendor's meeting, over all that is known of its runs. Null: one of them goes on. */
  | { readonly type: 'ran'; readonly startedAt: Date; readonly endedAt: Date | null }
  /** By our clock: the vendor told nothing. */
  | { readonly type: 'closed'; readonly at: Date };

/**
 * The life after `happening`; the same object when it changes nothing. What vendors deliver late, twice and out of order comes in as a whole
 * (`ran`), so the order does not matter here.
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
    case 'ran': {
      if (state !== 'confirmed' && state !== 'live' && state !== 'ended') return life;
      // A meeting that a plan's limit cut off is started again under the same link.
      const next = happening.endedAt === null ? 'live' : 'ended';
      const same = next === state && isSame(startedAt, happening.startedAt) && isSame(endedAt, happening.endedAt);
      return same ? life : { state: next, startedAt: happening.startedAt, endedAt: happening.endedAt };
    }
    case 'closed':
      return state === 'confirmed' || state === 'live' ? { ...life, state: 'ended', endedAt: happening.at } : life;
  }
}

const isSame = (a: Date | null, b: Date | null): boolean => a?.getTime() === b?.getTime();

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
