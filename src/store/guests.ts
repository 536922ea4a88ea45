import { and, asc, eq, gt, inArray, isNull, sql } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import { prepared, slot, type Reader, type Writer } from './database.ts';

export type Guest = Tables['guests']['$inferSelect'];

export async function insertGuest(tx: Writer, guest: Guest): Promise<void> {
  await tx.insert(tx.t.guests).values(guest);
}

export async function findGuestByToken(db: Reader, tokenHash: string): Promise<Guest | undefined> {
  return (await db.select().from(db.t.guests).where(eq(db.t.guests.tokenHash, tokenHash)))[0];
}

export async function findOwnGuest(db: Reader, marketplaceId: string, id: string): Promise<Guest | undefined> {
  const { guests } = db.t;
  return (
    await db
      .select()
      .from(guests)
      .where(and(eq(guests.id, id), eq(guests.marketplaceId, marketplaceId)))
  )[0];
}

/** Oldest first, those that were revoked included. */
export async function listGuests(db: Reader, meetingIds: readonly string[]): Promise<Guest[]> {
  const { guests } = db.t;
  return db
    .select()
    .from(guests)
    .where(inArray(guests.meetingId, [...meetingIds]))
    .orderBy(asc(guests.id));
}

/** Holds the row until the transaction ends. */
export async function lockGuest(tx: Writer, id: string): Promise<Guest | undefined> {
  const { guests } = tx.t;
  return (await tx.update(guests).set({ id }).where(eq(guests.id, id)).returning())[0];
}

/** How many uses there are now. */
export async function countGuestUse(tx: Writer, id: string, at: Date): Promise<number> {
  const { guests } = tx.t;
  const rows = await tx
    .update(guests)
    .set({ uses: sql`${guests.uses} + 1`, lastUsedAt: at })
    .where(eq(guests.id, id))
    .returning({ uses: guests.uses });
  return rows[0]?.uses ?? 0;
}

/** Undefined when it was revoked before. */
export async function markGuestRevoked(tx: Writer, id: string, at: Date): Promise<Guest | undefined> {
  const { guests } = tx.t;
  const rows = await tx
    .update(guests)
    .set({ revokedAt: at })
    .where(and(eq(guests.id, id), isNull(guests.revokedAt)))
    .returning();
  return rows[0];
}

const guestsWhoCame = prepared('guests_who_came', (db: Reader) => {
  const { guests } = db.t;
  return db
    .select({ id: guests.id })
    .from(guests)
    .where(and(eq(guests.meetingId, slot('meetingId', guests.meetingId)), gt(guests.uses, 0)))
    .limit(1);
});

/** Whether a guest link that was made for the meeting was used. Asked for everybody whom a vendor tells of. */
export const wasGuestIn = async (db: Reader, meetingId: string): Promise<boolean> => (await guestsWhoCame(db, { meetingId })).length === 1;

/** What each guest who came in has decided last about the recording; `missing` for who was not asked. */
export async function listGuestsConsents(db: Reader, meetingIds: readonly string[]): Promise<string[]> {
  const { consents } = db.t;
  const came = (await listGuests(db, meetingIds)).filter(({ uses }) => uses > 0).map(({ id }) => id);
  if (came.length === 0) return [];
  const rows = await db
    .select({ id: consents.customerId, decision: consents.decision })
    .from(consents)
    .where(and(inArray(consents.meetingId, [...meetingIds]), inArray(consents.customerId, came)))
    .orderBy(asc(consents.id));
  const last = new Map(rows.map(({ id, decision }) => [id, decision]));
  return came.map((id) => last.get(id) ?? 'missing');
}

/** What this guest has decided last about the recording; undefined before the first decision. */
export async function findGuestConsent(db: Reader, guest: Pick<Guest, 'id' | 'meetingId'>): Promise<string | undefined> {
  const { consents } = db.t;
  const rows = await db
    .select({ decision: consents.decision })
    .from(consents)
    .where(and(eq(consents.meetingId, guest.meetingId), eq(consents.customerId, guest.id)))
    .orderBy(asc(consents.id));
  return rows.at(-1)?.decision;
}
