/** The keys that have sealed something here, each with a known text sealed by it. */
import { asc, eq } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Reader, Writer } from './database.ts';

export type KnownKey = Tables['encryptionKeys']['$inferSelect'];

export async function listKnownKeys(db: Reader): Promise<KnownKey[]> {
  return db.select().from(db.t.encryptionKeys).orderBy(asc(db.t.encryptionKeys.id));
}

/** One that is known stays as it is. */
export async function insertKnownKey(tx: Writer, key: KnownKey): Promise<void> {
  await tx.insert(tx.t.encryptionKeys).values(key).onConflictDoNothing();
}

export async function deleteKnownKey(tx: Writer, id: string): Promise<void> {
  await tx.delete(tx.t.encryptionKeys).where(eq(tx.t.encryptionKeys.id, id));
}
