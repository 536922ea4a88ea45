/** A booking whose meeting was cut off by a plan's limit goes on as another meeting: its segments. */
import { hostTokenContext, joinTokenContext } from '../connections/sealed.ts';
import { leadsOn } from '../domain/continuation.ts';
import type { MeetingState } from '../domain/meeting.ts';
import type { Gateway } from '../gateway.ts';
import type { Reader } from '../store/database.ts';
import { findAttendee, findMeeting, type Meeting } from '../store/meetings.ts';

/** A booking has no more continuations than a day has of the shortest limit. */
const LONGEST_CHAIN = 50;

/** All of them, oldest first; the meeting alone when it continues nothing and nothing continues it. */
export async function segmentsOf(db: Reader, meeting: Meeting): Promise<Meeting[]> {
  const segments = [meeting];
  for (let first = meeting; first.continues !== null && segments.length < LONGEST_CHAIN; first = segments[0]!) {
    const before = await findMeeting(db, first.continues);
    if (before === undefined) break;
    segments.unshift(before);
  }
  for (let last = meeting; last.continuedBy !== null && segments.length < LONGEST_CHAIN; last = segments.at(-1)!) {
    const after = await findMeeting(db, last.continuedBy);
    if (after === undefined) break;
    segments.push(after);
  }
  return segments;
}

/** The token of the customer's own link to the continuation, once there is something to join; undefined before, and where there is none. */
export async function nextJoinToken({ db, vault }: Gateway, meeting: Meeting, customerId: string): Promise<string | undefined> {
  const next = await readyContinuation(db.read, meeting);
  const attendee = next && (await findAttendee(db.read, next.id, customerId));
  return attendee && vault.open(attendee.joinTokenSealed, joinTokenContext(attendee.id));
}

/** The same for the host. */
export async function nextHostToken(gateway: Gateway, meeting: Meeting): Promise<string | undefined> {
  const next = await readyContinuation(gateway.db.read, meeting);
  return next && hostTokenOf(gateway, next);
}

export const hostTokenOf = ({ vault }: Gateway, { id, hostTokenSealed }: Meeting): string =>
  vault.open(hostTokenSealed, hostTokenContext(id));

async function readyContinuation(db: Reader, { continuedBy }: Meeting): Promise<Meeting | undefined> {
  const next = continuedBy === null ? undefined : await findMeeting(db, continuedBy);
  return next !== undefined && leadsOn(next.state as MeetingState) ? next : undefined;
}
