import { and, eq, isNull, lt } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Writer } from './database.ts';

export type IdempotencyKey = Tables['idempotencyKeys']['$inferSelect'];

/** Takes the key for this request; otherwise what is known about it. A lease that ran out belongs to a process that died: it is taken over. */
export async function takeIdempotencyKey(tx: Writer, key: IdempotencyKey, now: Date): Promise<IdempotencyKey | undefined> {
  const { idempotencyKeys } = tx.t;
  const taken = await tx.insert(idempotencyKeys).values(key).onConflictDoNothing().returning({ key: idempotencyKeys.key });
  if (taken.length === 1) return undefined;
  const same = and(eq(idempotencyKeys.marketplaceId, key.marketplaceId), eq(idempotencyKeys.key, key.key));
  const overtaken = await tx
    .update(idempotencyKeys)
    .set({ leasedUntil: key.leasedUntil })
    .where(
      and(same, eq(idempotencyKeys.fingerprint, key.fingerprint), isNull(idempotencyKeys.status), lt(idempotencyKeys.leasedUntil, now)),
    )
    .returning({ key: idempotencyKeys.key });
  if (overtaken.length === 1) return undefined;
  return (await tx.select().from(idempotencyKeys).where(same))[0];
}

export async function finishIdempotencyKey(
  tx: Writer,
  { marketplaceId, key }: { marketplaceId: string; key: string },
  answer: Pick<IdempotencyKey, 'status' | 'bodySealed'>,
): Promise<void> {
  const { idempotencyKeys } = tx.t;
  await tx
    .update(idempotencyKeys)
    .set(answer)
    .where(and(eq(idempotencyKeys.marketplaceId, marketplaceId), eq(idempotencyKeys.key, key)));
}

/** The request failed in a way that may be tried again: the key is free. */
export async function freeIdempotencyKey(tx: Writer, { marketplaceId, key }: { marketplaceId: string; key: string }): Promise<void> {
  const { idempotencyKeys } = tx.t;
  await tx.delete(idempotencyKeys).where(and(eq(idempotencyKeys.marketplaceId, marketplaceId), eq(idempotencyKeys.key, key)));
}

export async function deleteOldIdempotencyKeys(tx: Writer, before: Date): Promise<void> {
  await tx.delete(tx.t.idempotencyKeys).where(lt(tx.t.idempotencyKeys.createdAt, before));
}
