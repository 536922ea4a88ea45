import { describe, expect, it } from 'vitest';
import { limitOf, PLAN_FIGURES, type Figure } from '../../providers/limits.ts';
import { PROVIDER_IDS } from '../../src/domain/apps.ts';
import type { Policy } from '../../src/domain/policy.ts';
import { PRESETS } from '../../src/domain/presets/index.ts';

const policy = (limits: Partial<Policy['limits']> = {}) => ({ limits: { ...PRESETS.guide.limits, ...limits } });
const minutesOf = (...[of, limits]: [Parameters<typeof limitOf>[0], Partial<Policy['limits']>?]) => limitOf(of, policy(limits)).minutes;

describe('the limits of the plans', () => {
  it.each([
    ['zoom', 40],
    ['microsoft-teams', 60],
    ['google-meet', 60],
  ] as const)('G14 a free meeting at %s ends after %i minutes, however many take part', (provider, minutes) => {
    for (const plan of ['free', 'unknown'] as const)
      for (const participants of [2, 3, 100, null]) expect(minutesOf({ provider, plan, participants })).toBe(minutes);
  });

  it.each(PROVIDER_IDS)('G14 no booking reaches the limit of a paid plan of %s', (provider) => {
    for (const participants of [2, 3, null]) expect(minutesOf({ provider, plan: 'paid', participants })).toBeNull();
    for (const { value } of [PLAN_FIGURES[provider].paid.groups, PLAN_FIGURES[provider].paid.pairs])
      expect(value).toBeGreaterThanOrEqual(1_440);
  });

  it("G14 with `as_vendor` two people have the vendor's own figure, which at Zoom is the same", () => {
    const pair = (provider: (typeof PROVIDER_IDS)[number]) =>
      minutesOf({ provider, plan: 'free', participants: 2 }, { pairs: 'as_vendor' });
    expect(PROVIDER_IDS.map(pair)).toEqual([40, null, null]);
    for (const participants of [3, null])
      expect(minutesOf({ provider: 'google-meet', plan: 'free', participants }, { pairs: 'as_vendor' })).toBe(60);
  });

  it("G14 the marketplace's own figure counts for free and unknown plans, and is said to be its own", () => {
    const minutes = { 'google-meet': 45 };
    for (const plan of ['free', 'unknown'] as const)
      expect(limitOf({ provider: 'google-meet', plan, participants: 2 }, policy({ minutes, pairs: 'as_vendor' }))).toEqual({
        minutes: 45,
        asOf: null,
        source: "the marketplace's policy, /limits/minutes/google-meet",
      });
    expect(minutesOf({ provider: 'google-meet', plan: 'paid', participants: 3 }, { minutes })).toBeNull();
    expect(minutesOf({ provider: 'zoom', plan: 'free', participants: 3 }, { minutes })).toBe(40);
  });

  it('G14 every figure has a day and a source', () => {
    const figures = Object.values(PLAN_FIGURES)
      .flatMap(({ free, paid }) => [free, paid])
      .flatMap((plan) => Object.values(plan).filter((value): value is Figure<never> => typeof value === 'object' && value !== null));
    expect(figures.length).toBeGreaterThan(20);
    for (const { asOf, source } of figures) {
      expect(asOf).toMatch(/^20\d\d-\d\d-\d\d$/);
      expect(source).toMatch(/https:\/\//);
    }
  });
});
