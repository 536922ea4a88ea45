/**
 * What is known of one meeting, for an export of evidence. It reads across tables, each list bounded, so that what came last is
 * there: nobody else needs it together.
 */
import { and, desc, eq, inArray, isNotNull, or } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { AuditEntry } from './audit.ts';
import type { Reader } from './database.ts';
import type { Delivery, DeliveryAttempt } from './deliveries.ts';
import type { StoredEvent } from './events.ts';
import type { Attendee } from './meetings.ts';
import type { Recording, RecordingLink } from './recordings.ts';

type Row<Name extends keyof Tables> = Tables[Name]['$inferSelect'];

interface Of {
  readonly meetingId: string;
  readonly limit: number;
}

/** Read from the end, shown from the beginning. */
const newest = async <Found>(rows: PromiseLike<Found[]>): Promise<Found[]> => (await rows).toReversed();

export async function attendeesOf(db: Reader, { meetingId, limit }: Of): Promise<Attendee[]> {
  const { attendees } = db.t;
  return newest(db.select().from(attendees).where(eq(attendees.meetingId, meetingId)).orderBy(desc(attendees.id)).limit(limit));
}

/** Of its customers, and of these guests, in whichever meeting of the booking they were invited. */
export async function consentsOf(
  db: Reader,
  { meetingId, guests, limit }: Of & { guests: readonly Row<'guests'>[] },
): Promise<Row<'consents'>[]> {
  const { consents } = db.t;
  return newest(
    db
      .select()
      .from(consents)
      .where(
        and(
          inArray(consents.meetingId, [meetingId, ...guests.map((guest) => guest.meetingId)]),
          or(
            eq(consents.meetingId, meetingId),
            inArray(
              consents.customerId,
              guests.map(({ id }) => id),
            ),
          ),
        ),
      )
      .orderBy(desc(consents.at), desc(consents.id))
      .limit(limit),
  );
}

/** When a link of the gateway was followed to the vendor, to the minute. */
export async function clicksOf(db: Reader, { meetingId, limit }: Of): Promise<Row<'meetingFacts'>[]> {
  const { meetingFacts } = db.t;
  return newest(
    db
      .select()
      .from(meetingFacts)
      .where(and(eq(meetingFacts.meetingId, meetingId), eq(meetingFacts.source, 'estimate'), eq(meetingFacts.kind, 'joined')))
      .orderBy(desc(meetingFacts.at), desc(meetingFacts.key))
      .limit(limit),
  );
}

/** From how many browsers each personal link was opened, and when first from each. */
export async function placesOf(db: Reader, { meetingId, limit }: Of): Promise<{ customerId: string; at: Date }[]> {
  const { attendees, joinPlaces } = db.t;
  return newest(
    db
      .select({ customerId: attendees.customerId, at: joinPlaces.at })
      .from(attendees)
      .innerJoin(joinPlaces, eq(joinPlaces.attendeeId, attendees.id))
      .where(eq(attendees.meetingId, meetingId))
      .orderBy(desc(joinPlaces.at), desc(joinPlaces.placeHash))
      .limit(limit),
  );
}

export async function recordingsOf(db: Reader, { meetingId, limit }: Of): Promise<Recording[]> {
  const { recordings } = db.t;
  return newest(db.select().from(recordings).where(eq(recordings.meetingId, meetingId)).orderBy(desc(recordings.id)).limit(limit));
}

export async function recordingLinksOf(db: Reader, { meetingId, limit }: Of): Promise<RecordingLink[]> {
  const { recordings, recordingLinks } = db.t;
  const own = db.select({ id: recordings.id }).from(recordings).where(eq(recordings.meetingId, meetingId));
  return newest(
    db.select().from(recordingLinks).where(inArray(recordingLinks.recordingId, own)).orderBy(desc(recordingLinks.id)).limit(limit),
  );
}

export async function meterOf(db: Reader, meetingId: string): Promise<Row<'meters'> | undefined> {
  return (await db.select().from(db.t.meters).where(eq(db.t.meters.meetingId, meetingId)))[0];
}

export async function blocksOf(db: Reader, { meetingId, limit }: Of): Promise<Row<'meterBlocks'>[]> {
  const { meterBlocks } = db.t;
  return newest(
    db
      .select()
      .from(meterBlocks)
      .where(eq(meterBlocks.meetingId, meetingId))
      .orderBy(desc(meterBlocks.startsAt), desc(meterBlocks.instanceId), desc(meterBlocks.number))
      .limit(limit),
  );
}

export async function earlyEndsOf(db: Reader, { meetingId, limit }: Of): Promise<Row<'earlyEnds'>[]> {
  const { earlyEnds } = db.t;
  return newest(db.select().from(earlyEnds).where(eq(earlyEnds.meetingId, meetingId)).orderBy(desc(earlyEnds.id)).limit(limit));
}

export async function ratingsOf(db: Reader, { meetingId, limit }: Of): Promise<Row<'ratings'>[]> {
  const { ratings } = db.t;
  return newest(db.select().from(ratings).where(eq(ratings.meetingId, meetingId)).orderBy(desc(ratings.id)).limit(limit));
}

export async function eventsAbout(
  db: Reader,
  { subjectIds, limit }: { subjectIds: readonly string[]; limit: number },
): Promise<StoredEvent[]> {
  const { events } = db.t;
  return newest(
    db
      .select()
      .from(events)
      .where(inArray(events.subjectId, [...subjectIds]))
      .orderBy(desc(events.at), desc(events.sequence), desc(events.position))
      .limit(limit),
  );
}

export async function deliveriesOf(db: Reader, { eventIds, limit }: { eventIds: readonly string[]; limit: number }): Promise<Delivery[]> {
  const { deliveries } = db.t;
  if (eventIds.length === 0) return [];
  return newest(
    db
      .select()
      .from(deliveries)
      .where(inArray(deliveries.eventId, [...eventIds]))
      .orderBy(desc(deliveries.id))
      .limit(limit),
  );
}

export async function attemptsOf(
  db: Reader,
  { deliveryIds, limit }: { deliveryIds: readonly string[]; limit: number },
): Promise<DeliveryAttempt[]> {
  const { deliveryAttempts } = db.t;
  if (deliveryIds.length === 0) return [];
  return newest(
    db
      .select()
      .from(deliveryAttempts)
      .where(inArray(deliveryAttempts.deliveryId, [...deliveryIds]))
      .orderBy(desc(deliveryAttempts.id))
      .limit(limit),
  );
}

/** In the order of the chain; entries from before there was one are missing. */
export async function chainedAbout(
  db: Reader,
  { marketplaceId, subjectIds, limit }: { marketplaceId: string; subjectIds: readonly string[]; limit: number },
): Promise<AuditEntry[]> {
  const { audit } = db.t;
  return newest(
    db
      .select()
      .from(audit)
      .where(and(eq(audit.marketplaceId, marketplaceId), inArray(audit.subjectId, [...subjectIds]), isNotNull(audit.seq)))
      .orderBy(desc(audit.seq))
      .limit(limit),
  );
}

/** The hashes at these places of the chain. */
export async function hashesAt(db: Reader, marketplaceId: string, places: readonly number[]): Promise<Map<number, string>> {
  const { audit } = db.t;
  if (places.length === 0) return new Map();
  const rows = await db
    .select({ seq: audit.seq, hash: audit.hash })
    .from(audit)
    .where(and(eq(audit.marketplaceId, marketplaceId), inArray(audit.seq, [...places])));
  return new Map(rows.map(({ seq, hash }) => [seq!, hash!]));
}
