import { and, eq } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Reader } from './database.ts';

export type Professional = Tables['professionals']['$inferSelect'];

/** Undefined while nothing was ever said of this professional. */
export async function findProfessional(db: Reader, marketplaceId: string, professionalId: string): Promise<Professional | undefined> {
  const { professionals } = db.t;
  return (
    await db
      .select()
      .from(professionals)
      .where(and(eq(professionals.marketplaceId, marketplaceId), eq(professionals.professionalId, professionalId)))
  )[0];
}
