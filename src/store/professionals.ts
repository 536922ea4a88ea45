import type { Tables } from '../../drizzle/schema.ts';
import type { Writer } from './database.ts';

export type Professional = Tables['professionals']['$inferSelect'];

/** The professional's row, made with defaults when there is none yet; whoever else asks for it waits until the end of the transaction. */
export async function professionalRow(tx: Writer, marketplaceId: string, professionalId: string): Promise<Professional> {
  const { professionals } = tx.t;
  const [row] = await tx
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
    // A write that changes nothing takes the row's lock and reads it anew, on both engines.
    .onConflictDoUpdate({ target: [professionals.marketplaceId, professionals.professionalId], set: { professionalId } })
    .returning();
  return row!;
}
