import { and, asc, eq, isNull } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import { prepared, slot, type Reader, type Writer } from './database.ts';

export type Marketplace = Tables['marketplaces']['$inferSelect'];
export type ApiKey = Tables['apiKeys']['$inferSelect'];

export async function insertMarketplace(tx: Writer, marketplace: Marketplace): Promise<void> {
  await tx.insert(tx.t.marketplaces).values(marketplace);
}

const marketplaceById = prepared('marketplace_by_id', (db: Reader) =>
  db
    .select()
    .from(db.t.marketplaces)
    .where(eq(db.t.marketplaces.id, slot('id', db.t.marketplaces.id))),
);

export async function findMarketplace(db: Reader, id: string): Promise<Marketplace | undefined> {
  return (await marketplaceById(db, { id }))[0];
}

/** The same, and whoever else wants to change it waits until this transaction is over. */
export async function lockMarketplace(tx: Writer, id: string): Promise<Marketplace | undefined> {
  const { marketplaces } = tx.t;
  // A write that changes nothing takes the row's lock and reads it anew, on both engines.
  return (await tx.update(marketplaces).set({ id }).where(eq(marketplaces.id, id)).returning())[0];
}

/** Lock the marketplace before: the patch replaces the one that was read. */
export async function setPolicyPatch(tx: Writer, { id, policyPatch }: Pick<Marketplace, 'id' | 'policyPatch'>): Promise<void> {
  await tx.update(tx.t.marketplaces).set({ policyPatch }).where(eq(tx.t.marketplaces.id, id));
}

export async function listMarketplaces(db: Reader): Promise<Marketplace[]> {
  return db.select().from(db.t.marketplaces).orderBy(asc(db.t.marketplaces.id));
}

export async function insertApiKey(tx: Writer, key: ApiKey): Promise<void> {
  await tx.insert(tx.t.apiKeys).values(key);
}

/** The marketplace behind a key that is not revoked. */
export async function findMarketplaceByKey(db: Reader, keyHash: string): Promise<{ keyId: string; marketplace: Marketplace } | undefined> {
  const { apiKeys, marketplaces } = db.t;
  const [row] = await db
    .select({ keyId: apiKeys.id, marketplace: marketplaces })
    .from(apiKeys)
    .innerJoin(marketplaces, eq(marketplaces.id, apiKeys.marketplaceId))
    .where(and(eq(apiKeys.keyHash, keyHash), isNull(apiKeys.revokedAt)));
  return row;
}

/** False when there is no such key, or it was revoked before. */
export async function revokeApiKey(tx: Writer, id: string, at: Date): Promise<boolean> {
  const { apiKeys } = tx.t;
  const rows = await tx
    .update(apiKeys)
    .set({ revokedAt: at })
    .where(and(eq(apiKeys.id, id), isNull(apiKeys.revokedAt)))
    .returning({ id: apiKeys.id });
  return rows.length === 1;
}
