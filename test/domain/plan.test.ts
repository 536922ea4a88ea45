import { describe, expect, it } from 'vitest';
import { isTooLong, planOf } from '../../src/domain/plan.ts';

describe('the plan of an account', () => {
  it.each([
    ['free', 'paid', 'paid', 'free', 'vendor'],
    ['paid', 'free', 'free', 'paid', 'vendor'],
    ['paid', null, null, 'paid', 'vendor'],
    ['unknown', 'free', 'paid', 'free', 'learned'],
    ['unknown', 'paid', 'free', 'paid', 'learned'],
    ['unknown', null, 'free', 'free', 'declared'],
    ['unknown', null, 'paid', 'paid', 'declared'],
    ['unknown', null, null, 'unknown', 'none'],
    ['unknown', 'nonsense', 'gold', 'unknown', 'none'],
  ] as const)('G14 vendor %s, learned %s, declared %s: %s by %s', (plan, learnedPlan, declaredPlan, expected, basis) => {
    expect(planOf({ plan, learnedPlan, declaredPlan })).toEqual({ plan: expected, basis });
  });

  it('G14 a booking fits when it is as long as the limit, and no limit is too short', () => {
    const limit = (minutes: number | null) => ({ limit: { minutes, asOf: '2026-10-04', source: 'a test' } });
    expect(isTooLong(limit(40), 40)).toBe(false);
    expect(isTooLong(limit(40), 41)).toBe(true);
    expect(isTooLong(limit(null), 1_440)).toBe(false);
  });
});
