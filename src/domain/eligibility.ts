/**
 * Who may be called or booked, as data (F03): rules over facts that the marketplace sends with its request. A fact is a number, a text, a
 * boolean or a moment; days count back from now.
 */
import { z } from 'zod';
import { Failure } from './failure.ts';

/** What a refusal tells. */
const name = z.string().min(1).max(100).optional();

const condition = z.strictObject({
  name,
  fact: z.string().regex(/^[a-z][a-z0-9_]{0,49}$/, 'has to be a name in lower case, like `average_price`'),
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
});
export type Condition = z.infer<typeof condition>;

const groupsOf = <Member extends z.ZodType>(member: Member) =>
  [z.strictObject({ name, all: z.array(member).min(1).max(20) }), z.strictObject({ name, any: z.array(member).min(1).max(20) })] as const;

/** `all` or `any` of conditions, or of groups of them. Deeper than that nobody could say in one sentence why somebody was refused. */
export const ruleSchema = z.union([condition, ...groupsOf(z.union([condition, ...groupsOf(condition)]))]);
export type Rule = z.infer<typeof ruleSchema>;

/** The facts that a request carries, by name. */
export type Facts = Readonly<Record<string, string | number | boolean>>;

/** @throws Failure `not_eligible` that names the rule and the fact */
export function checkEligible(rules: readonly Rule[], facts: Facts, _now: Date): void {
  for (const rule of rules) {
    if (!('fact' in rule) || rule.is !== 'at_least') continue;
    const fact = facts[rule.fact];
    if (typeof fact !== 'number' || fact < Number(rule.value))
      throw new Failure('not_eligible', 'The professional does not fulfil a rule.', {
        extra: { rule: rule.name ?? null, fact: rule.fact },
      });
  }
}
