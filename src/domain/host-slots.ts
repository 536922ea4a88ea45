/**
 * When a platform's host is taken by a meeting: as long as its join links lead to the vendor, for that long somebody may start it. What
 * the window leaves after the planned end is for meetings that run over. A meeting that ends early frees its host at once.
 */
import { joinWindow } from './meeting.ts';
import type { Policy } from './policy.ts';
import { plus } from './time.ts';

export interface Span {
  readonly startsAt: Date;
  readonly endsAt: Date;
}

export function slotSpan(policy: Policy, meeting: { startsAt: Date; durationMinutes: number }): Span {
  const { opensAt, closesAt } = joinWindow(policy, meeting);
  return { startsAt: opensAt, endsAt: closesAt };
}

/** Spans that touch do not overlap. */
export const overlaps = (a: Span, b: Span): boolean => a.startsAt < b.endsAt && b.startsAt < a.endsAt;

/** True when one more span keeps the host at or below its capacity at every moment. */
export function hasRoom(taken: readonly Span[], span: Span, capacity: number): boolean {
  const crossing = taken.filter((other) => overlaps(other, span));
  // The most at once are reached where one of them begins, or at the very start.
  return [span, ...crossing]
    .map(({ startsAt }) => (startsAt > span.startsAt ? startsAt : span.startsAt))
    .every((moment) => crossing.filter((other) => other.startsAt <= moment && moment < other.endsAt).length < capacity);
}

/** The earliest moment not before `span` at which a span of the same length has room; undefined when that is not before `until`. */
export function nextRoom(taken: readonly Span[], span: Span, capacity: number, until: Date): Date | undefined {
  const lengthMs = span.endsAt.getTime() - span.startsAt.getTime();
  // Room begins where something ends.
  return [span.startsAt, ...taken.map(({ endsAt }) => endsAt)]
    .filter((moment) => moment >= span.startsAt && moment < until)
    .toSorted((a, b) => a.getTime() - b.getTime())
    .find((startsAt) => hasRoom(taken, { startsAt, endsAt: plus(startsAt, lengthMs) }, capacity));
}
