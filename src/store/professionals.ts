import { and, eq, inArray, lte, or, sql } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Reader, Writer } from './database.ts';

export type Professional = Tables['professionals']['$inferSelect'];
export type ProfessionalKey = Pick<Professional, 'marketplaceId' | 'professionalId'>;

/** What is true of a professional of whom the marketplace has told nothing. */
const UNTOLD: Omit<Professional, keyof ProfessionalKey> = {
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
};

const isOne = ({ professionals }: Tables, { marketplaceId, professionalId }: ProfessionalKey) =>
  and(eq(professionals.marketplaceId, marketplaceId), eq(professionals.professionalId, professionalId));

function areAmong({ professionals }: Tables, keys: readonly ProfessionalKey[]) {
  const ofMarketplaces = [...new Set(keys.map(({ marketplaceId }) => marketplaceId))].map((marketplaceId) => {
    const own = keys.filter((key) => key.marketplaceId === marketplaceId).map(({ professionalId }) => professionalId);
    return and(eq(professionals.marketplaceId, marketplaceId), inArray(professionals.professionalId, own));
  });
  return or(sql`false`, ...ofMarketplaces);
}

/** The row, made when it is missing; whoever else wants to change it waits. */
export const professionalRow = (tx: Writer, marketplaceId: string, professionalId: string): Promise<Professional> =>
  saveProfessional(tx, { marketplaceId, professionalId }, { professionalId });

/** Changes the row, or makes it with these values; as it is then. */
export async function saveProfessional(tx: Writer, key: ProfessionalKey, values: Partial<Professional>): Promise<Professional> {
  const { professionals } = tx.t;
  const rows = await tx
    .insert(professionals)
    .values({ ...UNTOLD, ...key, ...values })
    .onConflictDoUpdate({ target: [professionals.marketplaceId, professionals.professionalId], set: values })
    .returning();
  return rows[0]!;
}

export async function findProfessional(db: Reader, key: ProfessionalKey): Promise<Professional | undefined> {
  return (await db.select().from(db.t.professionals).where(isOne(db.t, key)))[0];
}

/** Those of them of whom something was told, in no order. */
export async function listProfessionals(db: Reader, marketplaceId: string, professionalIds: readonly string[]): Promise<Professional[]> {
  const { professionals } = db.t;
  return db
    .select()
    .from(professionals)
    .where(and(eq(professionals.marketplaceId, marketplaceId), inArray(professionals.professionalId, [...professionalIds])));
}

/** Those that nobody else changes at this moment; nobody else changes them until the end of the transaction. */
export async function lockFreeProfessionals(tx: Writer, keys: readonly ProfessionalKey[]): Promise<Professional[]> {
  return tx.skipLocked(tx.select().from(tx.t.professionals).where(areAmong(tx.t, keys)).$dynamic());
}

/** Another presence for each of them, counted as a change. */
export async function changePresences(
  tx: Writer,
  keys: readonly ProfessionalKey[],
  presence: Pick<Professional, 'presence' | 'video' | 'presentUntil'>,
): Promise<void> {
  const { professionals } = tx.t;
  await tx
    .update(professionals)
    .set({ ...presence, presenceVersion: sql`${professionals.presenceVersion} + 1` })
    .where(areAmong(tx.t, keys));
}

/** Lets a presence hold for longer; false when it is another one, or would end earlier. */
export async function renewPresence(
  tx: Writer,
  key: ProfessionalKey,
  { status, video, until }: { status: string; video: boolean; until: Date },
): Promise<boolean> {
  const { professionals } = tx.t;
  const rows = await tx
    .update(professionals)
    .set({ presentUntil: until })
    .where(
      and(isOne(tx.t, key), eq(professionals.presence, status), eq(professionals.video, video), lte(professionals.presentUntil, until)),
    )
    .returning({ id: professionals.professionalId });
  return rows.length === 1;
}
