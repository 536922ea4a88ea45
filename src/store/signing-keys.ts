import { asc, eq } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Reader, Writer } from './database.ts';

export type SigningKey = Tables['signingKeys']['$inferSelect'];

export async function findSigningKey(db: Reader, id: string): Promise<SigningKey | undefined> {
  return (await db.select().from(db.t.signingKeys).where(eq(db.t.signingKeys.id, id)))[0];
}

export async function listSigningKeys(db: Reader): Promise<SigningKey[]> {
  return db.select().from(db.t.signingKeys).orderBy(asc(db.t.signingKeys.createdAt), asc(db.t.signingKeys.id));
}

/** One that is there stays as it is. */
export async function insertSigningKey(tx: Writer, key: SigningKey): Promise<void> {
  await tx.insert(tx.t.signingKeys).values(key).onConflictDoNothing();
}
