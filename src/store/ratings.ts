import { and, count, desc, eq, lt, sum } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Reader, Writer } from './database.ts';

export type Rating = Tables['ratings']['$inferSelect'];

/** False when the customer has rated this meeting before. */
export async function insertRating(tx: Writer, rating: Rating): Promise<boolean> {
  const rows = await tx.insert(tx.t.ratings).values(rating).onConflictDoNothing().returning({ id: tx.t.ratings.id });
  return rows.length === 1;
}

export async function findRating(db: Reader, meetingId: string, customerId: string): Promise<Rating | undefined> {
  const { ratings } = db.t;
  return (
    await db
      .select()
      .from(ratings)
      .where(and(eq(ratings.meetingId, meetingId), eq(ratings.customerId, customerId)))
  )[0];
}

/** Whose ratings: of one meeting, or of a professional at a marketplace. */
export type Rated = { readonly meetingId: string } | { readonly marketplaceId: string; readonly professionalId: string };

const whose = ({ t: { ratings } }: Reader, rated: Rated) =>
  'meetingId' in rated
    ? eq(ratings.meetingId, rated.meetingId)
    : and(eq(ratings.marketplaceId, rated.marketplaceId), eq(ratings.professionalId, rated.professionalId));

/** Newest first. */
export async function listRatings(
  db: Reader,
  rated: Rated,
  { before, limit }: { before?: string | undefined; limit: number },
): Promise<Rating[]> {
  const { ratings } = db.t;
  return db
    .select()
    .from(ratings)
    .where(and(whose(db, rated), before === undefined ? undefined : lt(ratings.id, before)))
    .orderBy(desc(ratings.id))
    .limit(limit);
}

export interface Averages {
  readonly count: number;
  /** Not rounded; null where nobody has rated. */
  readonly professional: number | null;
  readonly connection: number | null;
}

export async function averageRatings(db: Reader, rated: Rated): Promise<Averages> {
  const { ratings } = db.t;
  const [row] = await db
    .select({ count: count(), professional: sum(ratings.professional), connection: sum(ratings.connection) })
    .from(ratings)
    .where(whose(db, rated));
  const found = row!.count;
  // Sums come as text from one engine: they may be larger than any number.
  const average = (total: string | null) => (found === 0 ? null : Number(total) / found);
  return { count: found, professional: average(row!.professional), connection: average(row!.connection) };
}
