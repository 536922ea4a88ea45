import type { Policy } from '../domain/policy.ts';
import { policyOf } from '../domain/presets/index.ts';
import type { Reader } from '../store/database.ts';
import { findMarketplace } from '../store/marketplaces.ts';

/** The policy in force for something that a marketplace owns. */
export async function policyFor(db: Reader, { marketplaceId }: { marketplaceId: string }): Promise<Policy> {
  const marketplace = await findMarketplace(db, marketplaceId);
  if (marketplace === undefined) throw new Error(`The marketplace ${marketplaceId} is missing.`);
  return policyOf(marketplace);
}
