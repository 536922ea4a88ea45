/** Everything the gateway holds about the meeting of an incident, for whoever has to decide about it (T14). No links, no secrets. */
import { NO_HASH } from '../domain/audit-chain.ts';
import { found } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import type { Gateway } from '../gateway.ts';
import { sessionsOfMeeting } from '../meetings/sessions.ts';
import { insertAuditEntry } from '../store/audit.ts';
import * as read from '../store/evidence.ts';
import { findOwnIncident, type Incident } from '../store/incidents.ts';
import { findOwnMeeting } from '../store/meetings.ts';
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

/** Lists begin with the oldest. `leftOut`: those that have more than is here. */
export async function collectEvidence(gateway: Gateway, incident: Incident) {
  const { read: db } = gateway.db;
  const { marketplaceId, meetingId } = incident;
  const leftOut: string[] = [];
  const bounded = <Item>(name: string, items: readonly Item[], most = MOST_ROWS): Item[] => {
    if (items.length > most) leftOut.push(name);
    return items.slice(0, most);
  };
  // One more than is shown tells that there are more.
  const own = { meetingId, limit: MOST_ROWS + 1 };
  const meeting = found(await findOwnMeeting(db, marketplaceId, meetingId));
  const sessions = await sessionsOfMeeting(gateway, { marketplaceId, meetingId });
  const recordings = bounded('recordings', await read.recordingsOf(db, own));
  const subjectIds = [meetingId, ...recordings.map(({ id }) => id), ...(meeting.callId === null ? [] : [meeting.callId])];
  const aboutIt = bounded('events', await read.eventsAbout(db, { subjectIds, limit: own.limit }));
  // What others reported about the same meeting is theirs.
  const events = aboutIt.filter(({ data }) => (data['incident_id'] ?? incident.id) === incident.id);
  const eventIds = events.map(({ id }) => id);
  const deliveries = bounded('deliveries', await read.deliveriesOf(db, { eventIds, limit: own.limit }));
  const deliveryIds = deliveries.map(({ id }) => id);
  const audit = bounded(
    'audit',
    await read.chainedAbout(db, { marketplaceId, subjectIds: [...subjectIds, incident.id], limit: own.limit }),
  );
  const before = await read.hashesAt(
    db,
    marketplaceId,
    audit.map(({ seq }) => seq! - 1),
  );
  return {
    at: gateway.now(),
    incident,
    timeline: bounded('timeline', await timelineOf(db, incident)),
    meeting,
    customers: bounded('customers', await read.attendeesOf(db, own)),
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
    consents: bounded('consents', await read.consentsOf(db, own)),
    clicks: bounded('clicks', await read.clicksOf(db, own)),
    guests: bounded('guests', await read.guestsOf(db, own)),
    places: bounded('places', await read.placesOf(db, own)),
    recordings,
    recordingLinks: bounded('recording_links', await read.recordingLinksOf(db, own)),
    meter: await read.meterOf(db, meetingId),
    blocks: bounded('blocks', await read.blocksOf(db, own)),
    earlyEnds: bounded('early_ends', await read.earlyEndsOf(db, own)),
    ratings: bounded('ratings', await read.ratingsOf(db, own)),
    events,
    deliveries,
    attempts: bounded('attempts', await read.attemptsOf(db, { deliveryIds, limit: own.limit })),
    audit: audit.map((entry) => ({ ...entry, previous: before.get(entry.seq! - 1) ?? NO_HASH })),
    leftOut: [...new Set(leftOut)].toSorted((a, b) => (a < b ? -1 : 1)),
  };
}
