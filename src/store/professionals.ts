import type { Tables } from '../../drizzle/schema.ts';
import type { Writer } from './database.ts';

export type Professional = Tables['professionals']['$inferSelect'];

/** The row of a professional, made when it is missing; whoever else wants to change it waits until this transaction is over. */
export async function professionalRow(tx: Writer, marketplaceId: string, professionalId: string): Promise<Professional> {
  const { professionals } = tx.t;
  const rows = await tx
    .insert(professionals)
    .values({
      marketplaceId,
      professionalId,
      presence: 'unknown',
      video: false,
      presentUntil: null,
      presenceVersion: 0,
      timeZone: null,
      hours: [],
      defaultDurationMinutes: null,
      standing: 'good',
      standingUntil: null,
      decisionId: null,
    })
    .onConflictDoUpdate({ target: [professionals.marketplaceId, professionals.professionalId], set: { professionalId } })
    .returning();
  return rows[0]!;
}
