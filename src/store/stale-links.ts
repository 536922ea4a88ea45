import { eq } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Reader, Writer } from './database.ts';

export type StaleLink = Tables['staleLinks']['$inferSelect'];

export async function insertStaleLink(tx: Writer, link: StaleLink): Promise<void> {
  await tx.insert(tx.t.staleLinks).values(link);
}

export async function findStaleLink(db: Reader, key: string): Promise<StaleLink | undefined> {
  return (await db.select().from(db.t.staleLinks).where(eq(db.t.staleLinks.key, key)))[0];
}

export async function deleteStaleLink(tx: Writer, key: string): Promise<void> {
  await tx.delete(tx.t.staleLinks).where(eq(tx.t.staleLinks.key, key));
}

export async function deleteStaleLinksOf(tx: Writer, connectionId: string): Promise<void> {
  await tx.delete(tx.t.staleLinks).where(eq(tx.t.staleLinks.connectionId, connectionId));
}
