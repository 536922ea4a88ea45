/** The plan of an account, how it is known, and what it allows. */
import type { Plan } from './apps.ts';

/**
 * `vendor`: the vendor tells it. `learned`: it showed itself in what happened. `declared`: the professional or the marketplace said so.
 * `none`: nobody knows it.
 */
export const PLAN_BASES = ['vendor', 'learned', 'declared', 'none'] as const;
export type PlanBasis = (typeof PLAN_BASES)[number];

export type CertainPlan = Exclude<Plan, 'unknown'>;

export interface PlanSources {
  /** The vendor's word; `unknown` where it tells nothing. */
  readonly plan: string;
  readonly learnedPlan: string | null;
  readonly declaredPlan: string | null;
}

/** The best word on the plan: the vendor's, then what happened, then what was said. */
export function planOf({ plan, learnedPlan, declaredPlan }: PlanSources): { plan: Plan; basis: PlanBasis } {
  const words = [
    ['vendor', plan],
    ['learned', learnedPlan],
    ['declared', declaredPlan],
  ] as const;
  for (const [basis, word] of words) if (isCertain(word)) return { plan: word, basis };
  return { plan: 'unknown', basis: 'none' };
}

const isCertain = (word: string | null): word is CertainPlan => word === 'free' || word === 'paid';

/** How long a meeting may last. */
export interface Limit {
  /** Null: no booking is long enough to reach it. */
  readonly minutes: number | null;
  /** The day of the source, `2026-10-04`; null when it is the marketplace's own figure. */
  readonly asOf: string | null;
  /** An address, or a few words. */
  readonly source: string;
}

/** What is known of the plan that a meeting is made under. */
export interface Terms {
  readonly plan: Plan;
  readonly planBasis: PlanBasis;
  readonly limit: Limit;
}

/** Whether a booking of this length is, or may be, ended by the plan. */
export const isTooLong = ({ limit: { minutes } }: Pick<Terms, 'limit'>, durationMinutes: number): boolean =>
  minutes !== null && durationMinutes > minutes;
