/** When a plan's limit is near, and what is told of it. */
import { MINUTE, plus } from './time.ts';

export type LimitNews =
  /** `threshold`: the warning it is, for its key. `minutesLeft`: what really is left, which is less when the warning is late. */
  { readonly type: 'approaching'; readonly threshold: number; readonly minutesLeft: number } | { readonly type: 'reached' };

/**
 * What there is to tell at `now`, and when to look again; null: nothing, never. Of several warnings whose moment has passed only the
 * nearest is told, for the ones before it are not true any more.
 */
export function limitNews({
  endsAt,
  limitMinutes,
  warnMinutes,
  now,
}: {
  endsAt: Date;
  limitMinutes: number;
  warnMinutes: readonly number[];
  now: Date;
}): { news: LimitNews | null; nextAt: Date | null } {
  const leftMs = endsAt.getTime() - now.getTime();
  if (leftMs <= 0) return { news: { type: 'reached' }, nextAt: null };
  // A warning that is as long as the limit itself would come with every start.
  const thresholds = warnMinutes.filter((minutes) => minutes < limitMinutes);
  const passed = thresholds.filter((minutes) => minutes * MINUTE >= leftMs);
  const next = Math.max(0, ...thresholds.filter((minutes) => minutes * MINUTE < leftMs));
  return {
    news: passed.length === 0 ? null : { type: 'approaching', threshold: Math.min(...passed), minutesLeft: Math.ceil(leftMs / MINUTE) },
    nextAt: plus(endsAt, -next * MINUTE),
  };
}
