import type { Policy } from '../domain/policy.ts';
import { overridesOf, policyOf, type PolicySource } from '../domain/presets/index.ts';
import { pointersOf } from '../domain/presets/merge-patch.ts';
import type { Reader } from '../store/database.ts';
import { findMarketplace } from '../store/marketplaces.ts';

export interface PolicyInForce {
  readonly preset: string;
  readonly values: Policy;
  /** JSON pointers of the values that differ from the preset's. */
  readonly changed: readonly string[];
}

/** The policy in force for something that a marketplace owns. */
export async function policyFor(db: Reader, { marketplaceId }: { marketplaceId: string }): Promise<Policy> {
  const marketplace = await findMarketplace(db, marketplaceId);
  if (marketplace === undefined) throw new Error(`The marketplace ${marketplaceId} is missing.`);
  return policyOf(marketplace);
}

/** The same for many things at once: each marketplace is asked for once. */
export function policiesFor(db: Reader): (owned: { marketplaceId: string }) => Promise<Policy> {
  const known = new Map<string, Promise<Policy>>();
  return ({ marketplaceId }) => {
    const policy = known.get(marketplaceId) ?? policyFor(db, { marketplaceId });
    known.set(marketplaceId, policy);
    return policy;
  };
}

export const policyInForce = (source: PolicySource): PolicyInForce => ({
  preset: source.preset,
  values: policyOf(source),
  changed: pointersOf(overridesOf(source)),
});
