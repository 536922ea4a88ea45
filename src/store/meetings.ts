import { and, asc, count, desc, eq, getTableColumns, gt, gte, inArray, isNotNull, isNull, lt, lte, notInArray, or, sql } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import { among, prepared, slot, type Reader, type Writer } from './database.ts';

export type Meeting = Tables['meetings']['$inferSelect'];
export type Attendee = Tables['attendees']['$inferSelect'];

export async function insertMeeting(tx: Writer, meeting: Meeting): Promise<void> {
  await tx.insert(tx.t.meetings).values(meeting);
}

/** Reserves the keys for the meeting; the id of the live meeting that holds one of them already, otherwise undefined. */
export async function reserveLiveBookings(tx: Writer, meetingId: string, keys: readonly string[]): Promise<string | undefined> {
  const { liveBookings } = tx.t;
  if (keys.length === 0) return undefined;
  const reserved = await tx
    .insert(liveBookings)
    .values(keys.map((key) => ({ key, meetingId })))
    .onConflictDoNothing()
    .returning({ key: liveBookings.key });
  if (reserved.length === keys.length) return undefined;
  const holders = await tx
    .select()
    .from(liveBookings)
    .where(inArray(liveBookings.key, [...keys]));
  return holders.find((holder) => holder.meetingId !== meetingId)?.meetingId;
}

/** The live meeting that holds one of these keys. */
export async function findLiveBooking(db: Reader, keys: readonly string[]): Promise<string | undefined> {
  const { liveBookings } = db.t;
  if (keys.length === 0) return undefined;
  return (
    await db
      .select()
      .from(liveBookings)
      .where(inArray(liveBookings.key, [...keys]))
  )[0]?.meetingId;
}

/** What one meeting holds is the other one's from now on. */
export async function handOverLiveBookings(tx: Writer, { from, to }: { from: string; to: string }): Promise<void> {
  const { liveBookings } = tx.t;
  await tx.update(liveBookings).set({ meetingId: to }).where(eq(liveBookings.meetingId, from));
}

export async function releaseLiveBookings(tx: Writer, meetingId: string): Promise<void> {
  await tx.delete(tx.t.liveBookings).where(eq(tx.t.liveBookings.meetingId, meetingId));
}

/** Whether the link was used before, by anybody. */
export async function isLinkUsed(db: Reader, linkHash: string): Promise<boolean> {
  return (await db.$count(db.t.usedLinks, eq(db.t.usedLinks.linkHash, linkHash))) > 0;
}

/** False when the link was used before, by anybody. */
export async function reserveLink(tx: Writer, link: { linkHash: string; meetingId: string }): Promise<boolean> {
  const rows = await tx.insert(tx.t.usedLinks).values(link).onConflictDoNothing().returning({ meetingId: tx.t.usedLinks.meetingId });
  if (rows.length === 1) return true;
  const [used] = await tx.select().from(tx.t.usedLinks).where(eq(tx.t.usedLinks.linkHash, link.linkHash));
  return used?.meetingId === link.meetingId;
}

export async function findMeeting(db: Reader, id: string): Promise<Meeting | undefined> {
  return (await db.select().from(db.t.meetings).where(eq(db.t.meetings.id, id)))[0];
}

/** The same, and whoever else wants to change it waits until this transaction is over. */
export async function lockMeeting(tx: Writer, id: string): Promise<Meeting | undefined> {
  const { meetings } = tx.t;
  // A write that changes nothing takes the row's lock and reads it anew, on both engines.
  return (await tx.update(meetings).set({ id }).where(eq(meetings.id, id)).returning())[0];
}

/** As much of a meeting as the end of its recordings needs. */
export type RecordedMeeting = Pick<Meeting, 'id' | 'marketplaceId' | 'bookingId' | 'professionalId' | 'provider' | 'connectionId'>;

const recordedMeetings = prepared('recorded_meetings', (db: Reader) => {
  const { meetings } = db.t;
  return db
    .select({
      id: meetings.id,
      marketplaceId: meetings.marketplaceId,
      bookingId: meetings.bookingId,
      professionalId: meetings.professionalId,
      provider: meetings.provider,
      connectionId: meetings.connectionId,
    })
    .from(meetings)
    .where(among(meetings.id, 'ids'));
});

export const listRecordedMeetings = async (db: Reader, ids: readonly string[]): Promise<RecordedMeeting[]> =>
  ids.length === 0 ? [] : recordedMeetings(db, { ids });

/** As much of a meeting as its clocks need: thousands of them may be read in one second. */
export type TimedMeeting = Pick<
  Meeting,
  | 'id'
  | 'marketplaceId'
  | 'bookingId'
  | 'professionalId'
  | 'provider'
  | 'state'
  | 'linkSource'
  | 'plan'
  | 'planBasis'
  | 'limitMinutes'
  | 'runningSince'
  | 'limitEndsAt'
  | 'hostAwaySince'
  | 'hostLostAt'
  | 'endedBy'
>;

const freeMeetings = prepared('meetings_free', (tx: Writer) => {
  const { meetings } = tx.t;
  return tx.skipLocked(
    tx
      .select({
        id: meetings.id,
        marketplaceId: meetings.marketplaceId,
        bookingId: meetings.bookingId,
        professionalId: meetings.professionalId,
        provider: meetings.provider,
        state: meetings.state,
        linkSource: meetings.linkSource,
        plan: meetings.plan,
        planBasis: meetings.planBasis,
        limitMinutes: meetings.limitMinutes,
        runningSince: meetings.runningSince,
        limitEndsAt: meetings.limitEndsAt,
        hostAwaySince: meetings.hostAwaySince,
        hostLostAt: meetings.hostLostAt,
        endedBy: meetings.endedBy,
      })
      .from(meetings)
      .where(among(meetings.id, 'ids'))
      .$dynamic(),
  );
});

/** Those of them that nobody else is changing; until the end of the transaction nobody else will. */
export const lockFreeMeetings = async (tx: Writer, ids: readonly string[]): Promise<TimedMeeting[]> =>
  ids.length === 0 ? [] : freeMeetings(tx, { ids });

/** What is known of the run that goes on now. */
export async function setMeetingLive(
  tx: Writer,
  id: string,
  changes: Partial<Pick<Meeting, 'runningSince' | 'limitEndsAt' | 'hostAwaySince' | 'hostLostAt'>>,
): Promise<void> {
  await tx.update(tx.t.meetings).set(changes).where(eq(tx.t.meetings.id, id));
}

/** Lock the meetings before. */
export async function setHostsLost(tx: Writer, ids: readonly string[], at: Date): Promise<void> {
  const { meetings } = tx.t;
  if (ids.length > 0)
    await tx
      .update(meetings)
      .set({ hostLostAt: at })
      .where(inArray(meetings.id, [...ids]));
}

export async function findMeetings(db: Reader, ids: readonly string[]): Promise<Meeting[]> {
  if (ids.length === 0) return [];
  return db
    .select()
    .from(db.t.meetings)
    .where(inArray(db.t.meetings.id, [...ids]));
}

/** Below what either database takes as parameters of one statement. */
const MOST_IDS = 5_000;

/**
 * What pages that are open depend on, per meeting as one text to compare: another text means that something has changed. One statement
 * for up to 5,000 meetings; those that do not exist are missing.
 */
export async function readMarks(db: Reader, ids: readonly string[]): Promise<Map<string, string>> {
  const { attendees, earlyEnds, meetings: m, meters, professionals } = db.t;
  const marks = new Map<string, string>();
  for (let start = 0; start < ids.length; start += MOST_IDS) {
    const rows = await db
      .select({
        id: m.id,
        state: m.state,
        provider: m.provider,
        startsAt: m.startsAt,
        durationMinutes: m.durationMinutes,
        lockedAt: m.lockedAt,
        runningSince: m.runningSince,
        limitEndsAt: m.limitEndsAt,
        hostLostAt: m.hostLostAt,
        continuedBy: m.continuedBy,
        // A page leads on to it only while there is something to join.
        continuation: sql<string | null>`(select next.state from ${m} as next where next.id = ${m.continuedBy})`,
        creditBlocks: meters.creditBlocks,
        usedBlocks: meters.usedBlocks,
        blockEndsAt: meters.blockEndsAt,
        exhaustedAt: meters.exhaustedAt,
        balanceText: meters.balanceText,
        earlyEnd: sql<
          string | null
        >`(select asked.id || asked.state from ${earlyEnds} as asked where asked.meeting_id = ${m.id} order by asked.id desc limit 1)`,
        // Who was barred may have to stop.
        standing: sql<string | null>`(
          select barred.decision_id from ${professionals} as barred
          where barred.marketplace_id = ${m.marketplaceId} and barred.professional_id = ${m.professionalId}
        )`,
        purchases: count(attendees.purchasedAt),
      })
      .from(m)
      .leftJoin(attendees, eq(attendees.meetingId, m.id))
      .leftJoin(meters, eq(meters.meetingId, m.id))
      .where(inArray(m.id, ids.slice(start, start + MOST_IDS)))
      .groupBy(m.id, meters.meetingId);
    for (const { id, ...row } of rows) marks.set(id, JSON.stringify(Object.values(row)));
  }
  return marks;
}

/** How many customers have bought, per meeting; those without anybody are missing. */
export async function countPurchases(db: Reader, meetingIds: readonly string[]): Promise<Map<string, number>> {
  const { attendees } = db.t;
  if (meetingIds.length === 0) return new Map();
  const rows = await db
    .select({ meetingId: attendees.meetingId, purchases: count(attendees.purchasedAt) })
    .from(attendees)
    .where(inArray(attendees.meetingId, [...meetingIds]))
    .groupBy(attendees.meetingId);
  return new Map(rows.map(({ meetingId, purchases }) => [meetingId, purchases]));
}

export async function findOwnMeeting(db: Reader, marketplaceId: string, id: string): Promise<Meeting | undefined> {
  const { meetings } = db.t;
  return (
    await db
      .select()
      .from(meetings)
      .where(and(eq(meetings.id, id), eq(meetings.marketplaceId, marketplaceId)))
  )[0];
}

const meetingByVendorId = prepared('meeting_by_vendor_id', (db: Reader) => {
  const { meetings } = db.t;
  return db
    .select()
    .from(meetings)
    .where(
      and(eq(meetings.provider, slot('provider', meetings.provider)), eq(meetings.vendorMeetingId, slot('id', meetings.vendorMeetingId))),
    );
});

/** Asked for every delivery of a vendor. */
export async function findMeetingByVendorId(db: Reader, provider: string, vendorMeetingId: string): Promise<Meeting | undefined> {
  return (await meetingByVendorId(db, { provider, id: vendorMeetingId }))[0];
}

export async function findMeetingByHostToken(db: Reader, hostTokenHash: string): Promise<Meeting | undefined> {
  return (await db.select().from(db.t.meetings).where(eq(db.t.meetings.hostTokenHash, hostTokenHash)))[0];
}

/** Newest first. */
export async function listMeetings(
  db: Reader,
  filter: {
    marketplaceId: string;
    bookingId?: string | undefined;
    professionalId?: string | undefined;
    state?: string | undefined;
    before?: string | undefined;
    limit: number;
  },
): Promise<Meeting[]> {
  const { meetings } = db.t;
  return db
    .select()
    .from(meetings)
    .where(
      and(
        eq(meetings.marketplaceId, filter.marketplaceId),
        filter.bookingId === undefined ? undefined : eq(meetings.bookingId, filter.bookingId),
        filter.professionalId === undefined ? undefined : eq(meetings.professionalId, filter.professionalId),
        filter.state === undefined ? undefined : eq(meetings.state, filter.state),
        filter.before === undefined ? undefined : lt(meetings.id, filter.before),
      ),
    )
    .orderBy(desc(meetings.id))
    .limit(filter.limit);
}

/**
 * Those that go on, and those whose time has come although nothing was heard of them; over all marketplaces. Each that was bought has the
 * job `meeting.close` until it is over, and there are far fewer jobs than meetings. `after`: the id that a page begins behind.
 */
export async function listUnderWay(
  db: Reader,
  { startedBy, after, limit }: { startedBy: Date; after: string; limit: number },
): Promise<Meeting[]> {
  const { jobs, meetings } = db.t;
  return db
    .select(getTableColumns(meetings))
    .from(jobs)
    .innerJoin(meetings, eq(meetings.id, jobs.subjectId))
    .where(
      and(
        eq(jobs.kind, 'meeting.close'),
        or(eq(meetings.state, 'live'), and(eq(meetings.state, 'confirmed'), lte(meetings.startsAt, startedBy))),
        gt(meetings.id, after),
      ),
    )
    .orderBy(asc(meetings.id))
    .limit(limit);
}

/**
 * The professional's that are not over, over the same jobs: each has one of the two until it is bought, and the other one until it is over.
 */
export async function listOpenMeetings(
  db: Reader,
  { marketplaceId, professionalId }: { marketplaceId: string; professionalId: string },
): Promise<string[]> {
  const { jobs, meetings } = db.t;
  const rows = await db
    .selectDistinct({ id: meetings.id })
    .from(jobs)
    .innerJoin(meetings, eq(meetings.id, jobs.subjectId))
    .where(
      and(
        inArray(jobs.kind, ['meeting.expire', 'meeting.close']),
        eq(meetings.marketplaceId, marketplaceId),
        eq(meetings.professionalId, professionalId),
        notInArray(meetings.state, ['ended', 'expired', 'cancelled']),
      ),
    );
  return rows.map(({ id }) => id);
}

/** Those that were booked to start in the period. */
export async function listMeetingsOfConnection(
  db: Reader,
  { connectionId, from, until, states }: { connectionId: string; from: Date; until: Date; states: readonly string[] },
): Promise<Meeting[]> {
  const { meetings } = db.t;
  return db
    .select()
    .from(meetings)
    .where(
      and(
        eq(meetings.connectionId, connectionId),
        gte(meetings.startsAt, from),
        lt(meetings.startsAt, until),
        inArray(meetings.state, [...states]),
      ),
    );
}

/** Changes the meeting while it is in one of `from`; undefined when it is not. */
export async function updateMeeting(
  tx: Writer,
  { id, from }: { id: string; from: readonly string[] },
  changes: Partial<Meeting>,
): Promise<Meeting | undefined> {
  const { meetings } = tx.t;
  const rows = await tx
    .update(meetings)
    .set(changes)
    .where(and(eq(meetings.id, id), inArray(meetings.state, [...from])))
    .returning();
  return rows[0];
}

/** The meeting is not continued by that one any more; undefined when it was not, or is by another one. */
export async function clearContinuation(
  tx: Writer,
  { id, continuedBy }: { id: string; continuedBy: string },
): Promise<Meeting | undefined> {
  const { meetings } = tx.t;
  const rows = await tx
    .update(meetings)
    .set({ continuedBy: null })
    .where(and(eq(meetings.id, id), eq(meetings.continuedBy, continuedBy)))
    .returning();
  return rows[0];
}

export async function insertAttendee(tx: Writer, attendee: Attendee): Promise<boolean> {
  const rows = await tx.insert(tx.t.attendees).values(attendee).onConflictDoNothing().returning({ id: tx.t.attendees.id });
  return rows.length === 1;
}

export async function listAttendees(db: Reader, meetingIds: readonly string[]): Promise<Attendee[]> {
  if (meetingIds.length === 0) return [];
  return db
    .select()
    .from(db.t.attendees)
    .where(inArray(db.t.attendees.meetingId, [...meetingIds]))
    .orderBy(db.t.attendees.id);
}

/** What those who bought have decided about the recording, each decision once: an event may have thousands of them. */
export async function listBuyersConsents(db: Reader, meetingId: string): Promise<string[]> {
  const { attendees } = db.t;
  const rows = await db
    .selectDistinct({ consent: attendees.recordingConsent })
    .from(attendees)
    .where(and(eq(attendees.meetingId, meetingId), isNotNull(attendees.purchasedAt)));
  return rows.map(({ consent }) => consent);
}

export async function findAttendee(db: Reader, meetingId: string, customerId: string): Promise<Attendee | undefined> {
  const { attendees } = db.t;
  return (
    await db
      .select()
      .from(attendees)
      .where(and(eq(attendees.meetingId, meetingId), eq(attendees.customerId, customerId)))
  )[0];
}

/** The same, and whoever else changes the attendee waits: a purchase that is just being made is seen, or comes after. */
export async function lockAttendee(tx: Writer, meetingId: string, customerId: string): Promise<Attendee | undefined> {
  const { attendees } = tx.t;
  const own = and(eq(attendees.meetingId, meetingId), eq(attendees.customerId, customerId));
  return (await tx.update(attendees).set({ customerId }).where(own).returning())[0];
}

const customersOfMeeting = prepared('customers_of_meeting', (db: Reader) => {
  const { attendees } = db.t;
  return db
    .select({ customerId: attendees.customerId })
    .from(attendees)
    .where(eq(attendees.meetingId, slot('meetingId', attendees.meetingId)))
    .limit(2);
});

/** The one customer of the meeting; null when there are others. */
export async function findOnlyCustomer(db: Reader, meetingId: string): Promise<string | null> {
  const found = await customersOfMeeting(db, { meetingId });
  return found.length === 1 ? found[0]!.customerId : null;
}

export async function findAttendees(db: Reader, ids: readonly string[]): Promise<Attendee[]> {
  if (ids.length === 0) return [];
  return db
    .select()
    .from(db.t.attendees)
    .where(inArray(db.t.attendees.id, [...ids]));
}

/** Of these meetings those attendees who are one of these customers. */
export async function findCustomers(db: Reader, meetingIds: readonly string[], customerIds: readonly string[]): Promise<Attendee[]> {
  const { attendees } = db.t;
  if (meetingIds.length === 0 || customerIds.length === 0) return [];
  return db
    .select()
    .from(attendees)
    .where(and(inArray(attendees.meetingId, [...meetingIds]), inArray(attendees.customerId, [...customerIds])));
}

export async function findAttendeeByToken(db: Reader, joinTokenHash: string): Promise<Attendee | undefined> {
  return (await db.select().from(db.t.attendees).where(eq(db.t.attendees.joinTokenHash, joinTokenHash)))[0];
}

export async function updateAttendee(tx: Writer, id: string, changes: Partial<Attendee>): Promise<Attendee | undefined> {
  return (await tx.update(tx.t.attendees).set(changes).where(eq(tx.t.attendees.id, id)).returning())[0];
}

/** Undefined when the purchase was marked before. */
export async function markPurchased(
  tx: Writer,
  { meetingId, customerId, at }: { meetingId: string; customerId: string; at: Date },
): Promise<Attendee | undefined> {
  const { attendees } = tx.t;
  const rows = await tx
    .update(attendees)
    .set({ purchasedAt: at })
    .where(and(eq(attendees.meetingId, meetingId), eq(attendees.customerId, customerId), isNull(attendees.purchasedAt)))
    .returning();
  return rows[0];
}

export async function insertConsent(tx: Writer, consent: Tables['consents']['$inferInsert']): Promise<void> {
  await tx.insert(tx.t.consents).values(consent);
}

/** Of the connection's meetings in these states: nothing is left that leads to the vendor. How many it were. */
export async function eraseVendorSide(
  tx: Writer,
  { connectionId, states }: { connectionId: string; states: readonly string[] },
): Promise<number> {
  const { meetings } = tx.t;
  const erased = await tx
    .update(meetings)
    .set({ vendorMeetingId: null, vendorDetails: {}, vendorJoinUrlSealed: null })
    .where(and(eq(meetings.connectionId, connectionId), inArray(meetings.state, [...states]), isNotNull(meetings.vendorMeetingId)))
    .returning({ id: meetings.id });
  return erased.length;
}

/** Whether the connection has a meeting in one of these states. */
export async function hasMeetings(
  db: Reader,
  { connectionId, states }: { connectionId: string; states: readonly string[] },
): Promise<boolean> {
  const { meetings } = db.t;
  const found = await db
    .select({ id: meetings.id })
    .from(meetings)
    .where(and(eq(meetings.connectionId, connectionId), inArray(meetings.state, [...states])))
    .limit(1);
  return found.length === 1;
}
