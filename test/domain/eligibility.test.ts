import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkEligible,
  factsSchema,
  restOf,
  ruleSchema,
  type Condition,
  type Facts,
  type Rest,
  type Rule,
} from '../../src/domain/eligibility.ts';
import { Failure } from '../../src/domain/failure.ts';
import { policyPatchSchema } from '../../src/domain/policy.ts';
import { PRESETS } from '../../src/domain/presets/index.ts';
import { DAY, plus } from '../../src/domain/time.ts';

const NOW = new Date('2026-12-01T12:00:00Z');
const daysAgo = (days: number, more = 0): string => plus(NOW, -days * DAY - more).toISOString();

function refusal(rules: readonly Rule[], facts: Facts): Failure | undefined {
  try {
    checkEligible(rules, facts, NOW);
    return undefined;
  } catch (error) {
    return error as Failure;
  }
}

describe('F03 the rule of the source: level, average price and a recent order, or a Pro or Select client', () => {
  const { eligibility } = PRESETS.fiverr;
  const good = { level: 1, average_selling_price: 50, last_order_at: daysAgo(60) };

  it.each<[string, Facts]>([
    ['everything exactly at its bound', good],
    ['a moment in another zone', { ...good, last_order_at: '2026-10-02T14:00:00+02:00' }],
    ['a Pro client, of whatever freelancer', { client_program: 'pro' }],
    ['a Select client, although another fact is no number', { client_program: 'select', average_selling_price: 'many' }],
  ])('holds for %s', (_what, facts) => {
    expect(refusal(eligibility, facts)).toBeUndefined();
  });

  it.each<[string, Facts, string, string]>([
    ['a cent less', { ...good, average_selling_price: 49.99 }, 'average_selling_price', 'not_met'],
    ['a level of nothing', { ...good, level: 0 }, 'level', 'not_met'],
    ['an order a millisecond too old', { ...good, last_order_at: daysAgo(60, 1) }, 'last_order_at', 'not_met'],
    ['no order at all', { level: 1, average_selling_price: 50 }, 'last_order_at', 'missing'],
    ['a price as text', { ...good, average_selling_price: '50' }, 'average_selling_price', 'wrong_type'],
    ['a date without its time', { ...good, last_order_at: '2026-11-30' }, 'last_order_at', 'wrong_type'],
  ])('refuses %s, and names the rule and the fact', (_what, facts, fact, problem) => {
    const failure = refusal(eligibility, facts)!;
    expect(failure.code).toBe('not_eligible');
    expect(failure.extra).toMatchObject({ rule: 'Level, average selling price and a recent order', fact });
    expect(JSON.stringify(failure.extra['lacking'])).toContain(`"problem":"${problem}"`);
  });

  it('finds no fact in what every object has', () => {
    const rule = { fact: 'constructor', is: 'equal', value: 'x' } as const;
    expect(restOf(rule, {}, NOW)).toMatchObject({ problem: 'missing' });
  });

  it('says in the refusal what would have sufficed', () => {
    const failure = refusal(eligibility, { level: 1, average_selling_price: 40, last_order_at: daysAgo(3), client_program: 'basic' })!;
    expect(failure.message).toBe(
      'Level, average selling price and a recent order (the fact "average_selling_price" has to be at least 50), ' +
        'or A Pro or Select client (the fact "client_program" has to be one of pro, select).',
    );
    expect(failure.extra).toEqual({
      rule: 'Level, average selling price and a recent order',
      fact: 'average_selling_price',
      pointer: '/eligibility/0/any/0/all/1',
      lacking: [
        {
          rule: null,
          pointer: '/eligibility/0',
          any: [
            {
              rule: 'Level, average selling price and a recent order',
              pointer: '/eligibility/0/any/0',
              all: [
                {
                  rule: null,
                  pointer: '/eligibility/0/any/0/all/1',
                  fact: 'average_selling_price',
                  is: 'at_least',
                  value: 50,
                  problem: 'not_met',
                },
              ],
            },
            {
              rule: 'A Pro or Select client',
              pointer: '/eligibility/0/any/1',
              fact: 'client_program',
              is: 'one_of',
              value: ['pro', 'select'],
              problem: 'not_met',
            },
          ],
        },
      ],
    });
  });
});

describe('F03 rules in a policy', () => {
  it.each<[string, unknown, string, RegExp]>([
    ['a comparison with a text', [{ fact: 'a', is: 'at_least', value: '5' }], '/eligibility/0/value', /a number with `at_least`/],
    ['`one_of` without a list', [{ all: [{ fact: 'a', is: 'one_of', value: 'x' }] }], '/eligibility/0/all/0/value', /a list with `one_of`/],
    ['a list that is to be equal', [{ fact: 'a', is: 'equal', value: ['x'] }], '/eligibility/0/value', /with `equal`/],
    [
      'days that are no number, deep inside',
      [{ fact: 'a', is: 'equal', value: 1 }, { any: [{ all: [{ fact: 'a', is: 'days_since_at_most', value: 'sixty' }] }] }],
      '/eligibility/1/any/0/all/0/value',
      /a number of days/,
    ],
    ['days before now that lie ahead', [{ fact: 'a', is: 'days_since_at_most', value: -1 }], '/eligibility/0/value', /0 or more/],
    ['a group of nothing', [{ any: [] }], '/eligibility/0/any', /./],
    ['a comparison that does not exist', [{ fact: 'a', is: 'about', value: 1 }], '/eligibility/0', /a condition/],
    [
      'a fact that no JSON of a marketplace would name so',
      [{ fact: 'Level 1', is: 'equal', value: 1 }],
      '/eligibility/0/fact',
      /lower case/,
    ],
  ])('refuse %s, and point to it', (_what, eligibility, pointer, words) => {
    const issues = policyPatchSchema.safeParse({ eligibility }).error?.issues ?? [];
    expect(issues.map(({ path }) => `/${path.map(String).join('/')}`)).toEqual([pointer]);
    expect(issues[0]!.message).toMatch(words);
  });
});

// Each condition of a generated rule is about a fact of its own, so that any of them can be fulfilled by itself.
const MOST_FACTS = 40;
const conditions = fc.oneof(
  fc.record({ is: fc.constantFrom('at_least' as const, 'at_most' as const), value: fc.integer({ min: -5, max: 5 }) }),
  fc.record({
    is: fc.constant('equal' as const),
    value: fc.oneof(fc.integer({ min: 0, max: 2 }), fc.constantFrom('a', 'b'), fc.boolean()),
  }),
  fc.record({
    is: fc.constant('one_of' as const),
    value: fc.array(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom('a', 'b')), { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ is: fc.constant('days_since_at_most' as const), value: fc.integer({ min: 0, max: 5 }) }),
);
type Bare = typeof conditions extends fc.Arbitrary<infer One> ? One : never;
type Shape = Bare | { readonly all: readonly Shape[] } | { readonly any: readonly Shape[] };
const groups = (member: fc.Arbitrary<Shape>): fc.Arbitrary<Shape> => {
  const members = fc.array(member, { minLength: 1, maxLength: 3 });
  return fc.oneof(member, fc.record({ all: members }), fc.record({ any: members }));
};
const rules = groups(groups(conditions)).map((shape): Rule => {
  let count = 0;
  const named = (one: Shape): unknown => {
    if ('all' in one) return { all: one.all.map(named) };
    if ('any' in one) return { any: one.any.map(named) };
    return { ...one, fact: `f${count++}` };
  };
  return ruleSchema.parse(named(shape));
});
const someFacts = fc.dictionary(
  fc.integer({ min: 0, max: MOST_FACTS }).map((number) => `f${number}`),
  fc.oneof(
    fc.integer({ min: -6, max: 6 }),
    fc.constantFrom('a', 'b', 'c'),
    fc.boolean(),
    fc.integer({ min: -1, max: 7 }).map((days) => daysAgo(days)),
  ),
  { maxKeys: MOST_FACTS },
);

/** A fact that fulfils the condition. */
function fulfilling({ is, value }: Pick<Condition, 'is' | 'value'>): Facts[string] {
  if (is === 'days_since_at_most') return daysAgo(Number(value));
  return Array.isArray(value) ? value.at(-1)! : value;
}

/** What the rest asks for: of an `any` the last way. */
function asked(rest: Rest): [string, Facts[string]][] {
  if ('fact' in rest) return [[rest.fact, fulfilling(rest)]];
  return 'all' in rest ? rest.all.flatMap(asked) : asked(rest.any.at(-1)!);
}

/** The meaning of a rule, said once more and as plainly as possible. */
function holds(rule: Rule, facts: Facts): boolean {
  if ('all' in rule) return rule.all.every((one) => holds(one, facts));
  if ('any' in rule) return rule.any.some((one) => holds(one, facts));
  const { is, value } = rule;
  const fact = facts[rule.fact];
  if (is === 'equal') return fact === value;
  if (is === 'one_of') return (value as unknown[]).includes(fact);
  if (is === 'days_since_at_most')
    return typeof fact === 'string' && fact.length > 1 && Date.parse(fact) >= NOW.getTime() - Number(value) * DAY;
  if (typeof fact !== 'number') return false;
  return is === 'at_least' ? fact >= Number(value) : fact <= Number(value);
}

describe('F03 every rule and all facts', () => {
  it('leave no rest exactly when the rule holds', () => {
    fc.assert(
      fc.property(rules, someFacts, (rule, facts) => {
        expect(factsSchema.safeParse(facts).success).toBe(true);
        expect(restOf(rule, facts, NOW) === undefined).toBe(holds(rule, facts));
      }),
      { numRuns: 2_000 },
    );
  });

  it('leave a rest that suffices: with the facts that it asks for the rule holds', () => {
    fc.assert(
      fc.property(rules, someFacts, (rule, facts) => {
        const rest = restOf(rule, facts, NOW);
        fc.pre(rest !== undefined);
        expect(restOf(rule, { ...facts, ...Object.fromEntries(asked(rest)) }, NOW)).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  });

  it('refuse with a fact that does not fulfil its condition, where the pointer leads to', () => {
    fc.assert(
      fc.property(fc.array(rules, { minLength: 1, maxLength: 3 }), someFacts, (all, facts) => {
        const failure = refusal(all, facts);
        fc.pre(failure !== undefined);
        const steps = String(failure.extra['pointer']).split('/').slice(2);
        const condition = steps.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], all) as Condition;
        expect(condition.fact).toBe(failure.extra['fact']);
        expect(holds(condition, facts)).toBe(false);
        expect(failure.message.length).toBeLessThanOrEqual(1_000);
      }),
    );
  });
});
