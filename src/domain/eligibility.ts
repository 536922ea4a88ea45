/**
 * Who may be called or booked, as data (F03): rules over facts that the marketplace sends with its request. A fact is a number, a text, a
 * boolean or a moment (RFC 3339); days count back from now, 24 hours each.
 *
 * What comes of a rule that does not hold is its rest: the part of the same rule that is still to be fulfilled.
 */
import { z } from 'zod';
import { Failure } from './failure.ts';
import { DAY } from './time.ts';

/** What a refusal tells. */
const name = z.string().min(1).max(100).optional();

const factName = z.string().regex(/^[a-z][a-z0-9_]{0,49}$/, 'has to be a name in lower case, like `average_price`');

/** A fact that the rules do not ask for is no error: which rules hold is the marketplace's to change at any time. */
export const factsSchema = z.record(factName, z.union([z.number(), z.string().max(200), z.boolean()]));
export type Facts = Readonly<z.infer<typeof factsSchema>>;
type Fact = Facts[string];

const condition = z
  .strictObject({
    name,
    fact: factName,
    is: z.enum(['at_least', 'at_most', 'equal', 'one_of', 'days_since_at_most']),
    value: z.union([
      z.number(),
      z.string().max(200),
      z.boolean(),
      z
        .array(z.union([z.number(), z.string().max(200)]))
        .min(1)
        .max(50),
    ]),
  })
  .superRefine(({ is, value }, context) => {
    const { takes, isValue } = OPERATORS[is];
    if (!isValue(value)) context.addIssue({ code: 'custom', path: ['value'], message: `has to be ${takes} with \`${is}\`` });
  });
export type Condition = z.infer<typeof condition>;
type Value = Condition['value'];

const groupsOf = <Member extends z.ZodType>(member: Member) =>
  [z.strictObject({ name, all: z.array(member).min(1).max(20) }), z.strictObject({ name, any: z.array(member).min(1).max(20) })] as const;

const SHAPE = 'has to be a condition (`fact`, `is`, `value`), or `all` or `any` of conditions';

/** `all` or `any` of conditions, or of groups of them. Deeper than that nobody could say in one sentence why somebody was refused. */
export const ruleSchema = z.union([condition, ...groupsOf(z.union([condition, ...groupsOf(condition)], SHAPE))], SHAPE);
export type Rule = z.infer<typeof ruleSchema>;

interface Operator {
  /** What `value` has to be. */
  readonly takes: string;
  readonly isValue: (value: Value) => boolean;
  /** What the fact has to be. */
  readonly asks: (value: Value) => string;
  readonly isFact: (fact: Fact, value: Value) => boolean;
  /** Of a value and a fact that are what they have to be. */
  readonly holds: (fact: Fact, value: Value, now: Date) => boolean;
  /** Said of the fact: it has to be … */
  readonly words: (value: Value) => string;
}

const isNumber = (value: unknown): boolean => typeof value === 'number';
const kindOf = (value: unknown): string => ({ number: 'a number', string: 'a text' })[typeof value as string] ?? 'true or false';
const momentSchema = z.iso.datetime({ offset: true });

const comparing = (words: string, holds: (fact: number, value: number) => boolean): Operator => ({
  takes: 'a number',
  isValue: isNumber,
  asks: () => 'a number',
  isFact: isNumber,
  holds: (fact, value) => holds(Number(fact), Number(value)),
  words: (value) => `${words} ${String(value)}`,
});

const OPERATORS: Readonly<Record<Condition['is'], Operator>> = {
  at_least: comparing('at least', (fact, value) => fact >= value),
  at_most: comparing('at most', (fact, value) => fact <= value),
  equal: {
    takes: 'a number, a text, true or false',
    isValue: (value) => !Array.isArray(value),
    asks: kindOf,
    isFact: (fact, value) => typeof fact === typeof value,
    holds: (fact, value) => fact === value,
    words: String,
  },
  one_of: {
    takes: 'a list',
    isValue: (value) => Array.isArray(value),
    asks: (value) => [...new Set(listOf(value).map(kindOf))].join(' or '),
    isFact: (fact, value) => listOf(value).some((one) => typeof one === typeof fact),
    holds: (fact, value) => listOf(value).includes(fact),
    words: (value) => `one of ${listOf(value).join(', ')}`,
  },
  days_since_at_most: {
    takes: 'a number of days, 0 or more,',
    isValue: (value) => typeof value === 'number' && value >= 0,
    asks: () => 'a moment (RFC 3339)',
    isFact: (fact) => momentSchema.safeParse(fact).success,
    // A day of grace for clocks and zones; what lies further ahead is not ago.
    holds: (fact, value, now) => {
      const ageMs = now.getTime() - Date.parse(String(fact));
      return ageMs >= -DAY && ageMs <= Number(value) * DAY;
    },
    words: (value) => `at most ${String(value)} days ago`,
  },
};

const listOf = (value: Value): readonly Fact[] => (Array.isArray(value) ? value : [value]);

const PROBLEMS = ['missing', 'wrong_type', 'not_met'] as const;

/** The part of a rule that does not hold. `pointer`: where it stands in the policy. */
export type Rest = { readonly rule: string | null; readonly pointer: string } & (
  | Unmet
  /** Each of these is missing. */
  | { readonly all: readonly Rest[] }
  /** One of these would suffice. */
  | { readonly any: readonly Rest[] }
);

type Unmet = Pick<Condition, 'fact' | 'is' | 'value'> & {
  readonly problem: (typeof PROBLEMS)[number];
};

/** Undefined when the rule holds. */
export function restOf(rule: Rule, facts: Facts, now: Date, pointer = ''): Rest | undefined {
  const own = { rule: rule.name ?? null, pointer };
  if ('all' in rule) {
    const rests = restsOf(rule.all, facts, now, `${pointer}/all`);
    return rests.length === 0 ? undefined : { ...own, all: rests };
  }
  if ('any' in rule) {
    const rests = restsOf(rule.any, facts, now, `${pointer}/any`);
    return rests.length < rule.any.length ? undefined : { ...own, any: rests };
  }
  const problem = problemOf(rule, facts, now);
  return problem && { ...own, fact: rule.fact, is: rule.is, value: rule.value, problem };
}

const restsOf = (rules: readonly Rule[], facts: Facts, now: Date, pointer: string): Rest[] =>
  rules.flatMap((rule, index) => restOf(rule, facts, now, `${pointer}/${index}`) ?? []);

function problemOf({ fact: named, is, value }: Condition, facts: Facts, now: Date): Unmet['problem'] | undefined {
  // The name is a stranger's: `constructor` is no fact of an object that does not have it itself.
  const fact = Object.hasOwn(facts, named) ? facts[named] : undefined;
  if (fact === undefined) return 'missing';
  const operator = OPERATORS[is];
  if (!operator.isFact(fact, value)) return 'wrong_type';
  return operator.holds(fact, value, now) ? undefined : 'not_met';
}

/**
 * All rules have to hold. The refusal names the first condition that does not: `fact`, and in `rule` the innermost rule around it that has a
 * name. `lacking` is all that is missing: of an `any`, everything that would have sufficed.
 * @throws Failure `not_eligible`
 */
export function checkEligible(rules: readonly Rule[], facts: Facts, now: Date): void {
  const lacking = restsOf(rules, facts, now, '/eligibility');
  const [first] = lacking;
  if (first === undefined) return;
  const { rule, fact, pointer } = firstUnmet(first, null);
  throw new Failure('not_eligible', cut(`${said(first)}.`), { extra: { rule, fact, pointer, lacking } });
}

function firstUnmet(rest: Rest, around: string | null): { rule: string | null; fact: string; pointer: string } {
  const rule = rest.rule ?? around;
  if ('fact' in rest) return { rule, fact: rest.fact, pointer: rest.pointer };
  return firstUnmet(('all' in rest ? rest.all : rest.any)[0]!, rule);
}

/** In one sentence, however nested. */
function said(rest: Rest): string {
  const words = 'fact' in rest ? saidOfFact(rest) : 'all' in rest ? rest.all.map(said).join(' and ') : rest.any.map(said).join(', or ');
  return rest.rule === null ? words : `${rest.rule} (${words})`;
}

function saidOfFact({ fact, is, value, problem }: Unmet): string {
  const operator = OPERATORS[is];
  if (problem === 'missing') return `the fact "${fact}" is missing, which has to be ${operator.words(value)}`;
  return `the fact "${fact}" has to be ${problem === 'wrong_type' ? operator.asks(value) : operator.words(value)}`;
}

const MOST_DETAIL_CHARACTERS = 1_000;
const cut = (text: string): string => (text.length > MOST_DETAIL_CHARACTERS ? `${text.slice(0, MOST_DETAIL_CHARACTERS - 1)}…` : text);
