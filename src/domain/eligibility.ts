/**
 * Who may be called or booked, as data (F03): rules over facts that the marketplace sends with its request. A fact is a number, a text, a
 * boolean or a moment; days count back from now.
 */
import { z } from 'zod';

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

/** `all` or `any` of further rules, down to single conditions. */
export type Rule =
  | Condition
  | { readonly name?: string | undefined; readonly all: readonly Rule[] }
  | { readonly name?: string | undefined; readonly any: readonly Rule[] };

export const ruleSchema: z.ZodType<Rule> = z.lazy(() =>
  z.union([
    condition,
    z.strictObject({ name, all: z.array(ruleSchema).min(1).max(20) }),
    z.strictObject({ name, any: z.array(ruleSchema).min(1).max(20) }),
  ]),
);
