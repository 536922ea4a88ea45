/** When a vendor is asked for the recording of a meeting, because its webhook may have got lost (G13). */
import type { ProviderId } from './apps.ts';
import { DAY, MINUTE, plus } from './time.ts';

/** Sooner than this no vendor has finished anything. */
const SHORTEST_WAIT_MS = 15 * MINUTE;
/** From then on a look a day. */
const LONGEST_WAIT_MS = DAY;
/** Looks end here; a webhook is taken however late. Google forgets a conference after 30 days, Microsoft a meeting after 60. */
export const LAST_LOOK_MS = 14 * DAY;
/** By then every vendor has shown what belongs to a meeting, be it a second recording of it. */
const SETTLED_MS = DAY;
/** Up to so much later, for half of all meetings end at the full hour. */
const SPREAD = 0.2;

/**
 * After how long the marketplace is told that nothing was found. Zoom: about twice the length as a rule, up to a day when it is busy.
 * Graph: minutes to hours, and its notification up to an hour more. Meet: minutes to a day.
 */
const MISSING_AFTER_MS: Readonly<Record<ProviderId, number>> = {
  zoom: 2 * DAY,
  'microsoft-teams': DAY,
  'google-meet': 2 * DAY,
};

export const deadlineOf = (provider: ProviderId, endedAt: Date): Date => plus(endedAt, MISSING_AFTER_MS[provider]);

/** Zoom takes its time by the length of the meeting. `chance` is in [0, 1). */
export function firstLookAt(
  provider: ProviderId,
  { endedAt, lengthMs, chance }: { endedAt: Date; lengthMs: number; chance: number },
): Date {
  const waitMs = provider === 'zoom' ? Math.max(SHORTEST_WAIT_MS, lengthMs) : SHORTEST_WAIT_MS;
  return plus(endedAt, waitMs * (1 + SPREAD * chance));
}

/** Each wait is as long as the time since the end, at most a day; undefined after two weeks. */
export function nextLookAt({ endedAt, now, chance }: { endedAt: Date; now: Date; chance: number }): Date | undefined {
  const pastMs = now.getTime() - endedAt.getTime();
  if (pastMs >= LAST_LOOK_MS) return undefined;
  const waitMs = Math.min(Math.max(pastMs, SHORTEST_WAIT_MS), LONGEST_WAIT_MS);
  return plus(endedAt, Math.min(pastMs + waitMs * (1 + SPREAD * chance), LAST_LOOK_MS));
}

/** The one look after a recording was found: for others of the same meeting. */
export const settledAt = (endedAt: Date): Date => plus(endedAt, SETTLED_MS);
