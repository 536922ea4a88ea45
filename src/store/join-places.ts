import { and, count, eq, inArray, lt, min } from 'drizzle-orm';
import { idBefore } from '../domain/id.ts';
import type { Reader, Writer } from './database.ts';

export async function isKnownPlace(db: Reader, place: { attendeeId: string; placeHash: string }): Promise<boolean> {
  const { joinPlaces } = db.t;
  const known = and(eq(joinPlaces.attendeeId, place.attendeeId), eq(joinPlaces.placeHash, place.placeHash));
  return (await db.$count(joinPlaces, known)) > 0;
}

/** From how many places the link has been opened, this one included. */
export async function addPlace(tx: Writer, place: { attendeeId: string; placeHash: string; at: Date }): Promise<number> {
  const { joinPlaces } = tx.t;
  await tx.insert(joinPlaces).values(place).onConflictDoNothing();
  return tx.$count(joinPlaces, eq(joinPlaces.attendeeId, place.attendeeId));
}

export interface Places {
  readonly attendeeId: string;
  readonly places: number;
  readonly since: Date;
}

/** Of each of these attendees from how many places the link was opened, and since when; who never opened it is missing. */
export async function countPlaces(db: Reader, attendeeIds: readonly string[]): Promise<Places[]> {
  const { joinPlaces } = db.t;
  if (attendeeIds.length === 0) return [];
  const rows = await db
    .select({ attendeeId: joinPlaces.attendeeId, places: count(), since: min(joinPlaces.at) })
    .from(joinPlaces)
    .where(inArray(joinPlaces.attendeeId, [...attendeeIds]))
    .groupBy(joinPlaces.attendeeId);
  // Of a group that has rows there is a first one.
  return rows.map(({ since, ...row }) => ({ ...row, since: since! }));
}

export async function deleteOldPlaces(tx: Writer, before: Date): Promise<void> {
  const { joinPlaces } = tx.t;
  // Nobody opens the link of an attendee who is not there yet: the key leads to all of them.
  await tx.delete(joinPlaces).where(and(lt(joinPlaces.attendeeId, idBefore('att', before)), lt(joinPlaces.at, before)));
}
