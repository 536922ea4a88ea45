import { Failure, notFound } from '../domain/failure.ts';
import { contradictionsIn } from '../domain/policy.ts';
import { patched, policyOf } from '../domain/presets/index.ts';
import type { Gateway } from '../gateway.ts';
import { closeSharesSoon } from '../recordings/unshare.ts';
import { lockMarketplace, setPolicyPatch } from '../store/marketplaces.ts';
import { policyInForce, type PolicyInForce } from './policy.ts';

/**
 * Overrides values of the preset. Changes at the same moment follow each other, and each builds on the one before.
 * `patch`: a JSON merge patch that `policyPatchSchema` has accepted.
 * @throws Failure `not_found`, `invalid` for values that contradict each other; then nothing is changed
 */
export async function changePolicy(
  gateway: Gateway,
  { marketplaceId, patch }: { marketplaceId: string; patch: Readonly<Record<string, unknown>> },
): Promise<PolicyInForce> {
  const { db, wake } = gateway;
  const changed = await db.write(async (tx) => {
    const marketplace = await lockMarketplace(tx, marketplaceId);
    if (marketplace === undefined) throw notFound();
    const source = patched(marketplace, patch);
    const found = contradictionsIn(policyOf(source));
    if (found.length > 0) {
      throw new Failure('invalid', 'The values would contradict each other.', {
        errors: found.map(({ pointer, detail }) => ({ pointer, detail })),
        extra: { contradictions: [...new Set(found.map(({ name }) => name))] },
      });
    }
    await setPolicyPatch(tx, { id: marketplace.id, policyPatch: source.policyPatch });
    if (policyOf(source).recording.delivery !== 'redirect') await closeSharesSoon(tx, gateway, marketplace.id);
    return policyInForce(source);
  });
  wake();
  return changed;
}
