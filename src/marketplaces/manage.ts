/** Marketplaces and their API keys, for the operator. */
import { Failure } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import type { PresetName } from '../domain/presets/index.ts';
import { hashToken, newToken } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import { findMarketplace, insertApiKey, insertMarketplace, revokeApiKey, type Marketplace } from '../store/marketplaces.ts';

/** The key is shown once; only its hash is kept. */
export async function createMarketplace(
  gateway: Gateway,
  { name, preset, returnUrls }: { name: string; preset: PresetName; returnUrls: readonly string[] },
): Promise<{ marketplace: Marketplace; keyId: string; apiKey: string }> {
  const { db, now } = gateway;
  const wrong = returnUrls.find((url) => !URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol));
  if (wrong !== undefined) throw new Failure('invalid', 'A return URL has to be an http(s) URL.');
  const marketplace: Marketplace = {
    id: newId(gateway, 'mkt'),
    name,
    preset,
    policyPatch: {},
    returnUrls: [...returnUrls],
    createdAt: now(),
  };
  const { key, apiKey } = newKey(gateway, marketplace.id);
  await db.write(async (tx) => {
    await insertMarketplace(tx, marketplace);
    await insertApiKey(tx, key);
  });
  return { marketplace, keyId: key.id, apiKey };
}

/** A further key, so that the old one can be replaced without a gap. */
export async function createKey(gateway: Gateway, marketplaceId: string): Promise<{ keyId: string; apiKey: string }> {
  const { key, apiKey } = newKey(gateway, marketplaceId);
  await gateway.db.write(async (tx) => {
    if ((await findMarketplace(tx, marketplaceId)) === undefined) throw new Failure('not_found', 'There is no such marketplace.');
    await insertApiKey(tx, key);
  });
  return { keyId: key.id, apiKey };
}

export async function revokeKey({ db, now }: Gateway, keyId: string): Promise<void> {
  if (!(await db.write((tx) => revokeApiKey(tx, keyId, now()))))
    throw new Failure('not_found', 'There is no such key, or it was revoked before.');
}

function newKey(gateway: Gateway, marketplaceId: string) {
  const apiKey = `gk_${newToken(gateway.random)}`;
  return {
    apiKey,
    key: { id: newId(gateway, 'key'), marketplaceId, keyHash: hashToken(apiKey), createdAt: gateway.now(), revokedAt: null },
  };
}
