/** Everything the gateway holds about the meeting of an incident, for whoever has to decide about it (T14). No links, no secrets. */
import { NO_HASH } from '../domain/audit-chain.ts';
import { found } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import type { Gateway } from '../gateway.ts';
import { guestsOf } from '../meetings/guests.ts';
import { sessionsOfMeeting } from '../meetings/sessions.ts';
import { insertAuditEntry } from '../store/audit.ts';
import * as read from '../store/evidence.ts';
import { findOwnIncident, type Incident } from '../store/incidents.ts';
import { findOwnMeeting, type Meeting } from '../store/meetings.ts';
import { timelineOf } from './timeline.ts';

/** Of each list. Chosen: no meeting of a few people comes near, and the largest export stays below a few megabytes. */
export const MOST_ROWS = 500;

export type Evidence = Awaited<ReturnType<typeof collectEvidence>>;

/** The incident and what is known of its meeting at this moment. That it was asked for is in the audit log, and so in the evidence itself. */
export async function exportEvidence(
  gateway: Gateway,
  { marketplaceId, id, by }: { marketplaceId: string; id: string; by: string },
): Promise<Evidence> {
  const incident = await gateway.db.write(async (tx) => {
    const own = found(await findOwnIncident(tx, marketplaceId, id));
    await insertAuditEntry(tx, {
      id: newId(gateway, 'aud'),
      marketplaceId,
      at: gateway.now(),
      action: 'incident.evidence_exported',
      subjectId: id,
      details: { meeting_id: own.meetingId, by },
    });
    return own;
  });
  return collectEvidence(gateway, incident);
}

/**
 * Lists begin with the oldest; of a longer one the newest entries are there, so that nobody pushes out what was decided last. `leftOut`: those
 * that have more than is here. What other incidents of the meeting left behind is theirs, and what a customer of a group reports shows the
 * other customers with their minutes only.
 */
export async function collectEvidence(gateway: Gateway, incident: Incident) {
  const { read: db } = gateway.db;
  const { marketplaceId, meetingId } = incident;
  const leftOut: string[] = [];
  const bounded = <Item>(name: string, items: readonly Item[], most = MOST_ROWS): Item[] => {
    if (items.length > most) leftOut.push(name);
    return items.slice(-most);
  };
  // One more than is shown tells that there are more.
  const own = { meetingId, limit: MOST_ROWS + 1 };
  const meeting = found(await findOwnMeeting(db, marketplaceId, meetingId));
  const sessions = await sessionsOfMeeting(gateway, { marketplaceId, meetingId });
  const isParty = partiesTo(incident, meeting);
  const recordings = bounded('recordings', await read.recordingsOf(db, own));
  const guests = bounded('guests', await guestsOf(db, meeting)).filter(isParty);
  const guestIds = guests.map(({ id }) => id);
  const earlyEnds = bounded('early_ends', await read.earlyEndsOf(db, own));
  const subjectIds = [meetingId, ...recordings.map(({ id }) => id), ...(meeting.callId === null ? [] : [meeting.callId])];
  const aboutIt = bounded('events', await read.eventsAbout(db, { subjectIds, limit: own.limit }));
  const isOwn = (words: Readonly<Record<string, unknown>>): boolean =>
    (words['incident_id'] ?? incident.id) === incident.id && isParty({ customerId: (words['customer_id'] ?? null) as string | null });
  const events = aboutIt.filter(({ data }) => isOwn(data));
  const eventIds = events.map(({ id }) => id);
  const deliveries = bounded('deliveries', await read.deliveriesOf(db, { eventIds, limit: own.limit }));
  const deliveryIds = deliveries.map(({ id }) => id);
  const audit = bounded(
    'audit',
    await read.chainedAbout(db, {
      marketplaceId,
      subjectIds: [...subjectIds, incident.id, ...guestIds, ...earlyEnds.map(({ id }) => id)],
      limit: own.limit,
    }),
  ).filter(({ details }) => isOwn(details));
  const before = await read.hashesAt(
    db,
    marketplaceId,
    audit.map(({ seq }) => seq! - 1),
  );
  return {
    at: gateway.now(),
    incident,
    // What those who work on it note for each other is not for the parties.
    timeline: bounded('timeline', await timelineOf(db, incident)).filter(({ kind }) => kind !== 'note'),
    meeting,
    customers: bounded('customers', await read.attendeesOf(db, own)).filter(isParty),
    sessions: {
      ...sessions,
      own: {
        ...sessions.own,
        sessions: bounded('sessions', sessions.own.sessions).map((session) => ({
          ...session,
          participants: bounded('participants', session.participants),
        })),
      },
    },
    consents: bounded('consents', await read.consentsOf(db, { ...own, guests })).filter(
      ({ customerId }) => guestIds.includes(customerId) || isParty({ customerId }),
    ),
    clicks: bounded('clicks', await read.clicksOf(db, own)).filter(isParty),
    guests,
    places: bounded('places', await read.placesOf(db, own)).filter(isParty),
    recordings,
    recordingLinks: bounded('recording_links', await read.recordingLinksOf(db, own)).filter(
      (link) => (link.incidentId ?? incident.id) === incident.id && (link.kind !== 'recipient' || isParty(link)),
    ),
    meter: await read.meterOf(db, meetingId),
    blocks: bounded('blocks', await read.blocksOf(db, own)),
    earlyEnds,
    ratings: bounded('ratings', await read.ratingsOf(db, own)).filter(isParty),
    events,
    deliveries,
    attempts: bounded('attempts', await read.attemptsOf(db, { deliveryIds, limit: own.limit })),
    audit: audit.map((entry) => ({ ...entry, previous: before.get(entry.seq! - 1) ?? NO_HASH })),
    leftOut: [...new Set(leftOut)].toSorted((a, b) => (a < b ? -1 : 1)),
  };
}

/** Whether something is of one of the two sides: where several customers were in it, of the professional's or of who reported. */
const partiesTo =
  ({ side, reporterId }: Incident, { bookingKind }: Meeting) =>
  ({ customerId }: { readonly customerId: string | null }): boolean =>
    customerId === null || side !== 'customer' || bookingKind === 'one_to_one' || customerId === reporterId;
