import { and, eq, inArray } from 'drizzle-orm';
import type { Reader } from '../store/database.ts';

export interface Presence {
  readonly status: 'available' | 'away' | 'busy' | 'unknown';
  readonly video: boolean;
  readonly until: Date | null;
}

/** One for each that was asked for. */
export async function presenceOf(
  db: Reader,
  marketplaceId: string,
  professionalIds: readonly string[],
  now: Date,
): Promise<Map<string, Presence>> {
  const { professionals } = db.t;
  const rows = await db
    .select()
    .from(professionals)
    .where(and(eq(professionals.marketplaceId, marketplaceId), inArray(professionals.professionalId, [...professionalIds])));
  const unknown: Presence = { status: 'unknown', video: false, until: null };
  const known = new Map(rows.map((row) => [row.professionalId, row]));
  return new Map(
    professionalIds.map((id) => {
      const row = known.get(id);
      if (row === undefined || row.presentUntil === null || row.presentUntil <= now) return [id, unknown];
      return [id, { status: row.presence as Presence['status'], video: row.video, until: row.presentUntil }];
    }),
  );
}
