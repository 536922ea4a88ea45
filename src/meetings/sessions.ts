/** What really happened, computed from the facts when somebody asks. */
import { found, notFound } from '../domain/failure.ts';
import { endsAt, isOver, type MeetingState } from '../domain/meeting.ts';
import { minutesOf, sessionsOf, sumOf, type Fact, type Minutes, type Session } from '../domain/session.ts';
import type { Gateway } from '../gateway.ts';
import { findOwnConnection } from '../store/connections.ts';
import { listFacts, listFactsOfConnection } from '../store/facts.ts';
import { findOwnMeeting, listMeetingsOfConnection, type Meeting } from '../store/meetings.ts';
import { segmentsOf } from './segments.ts';

export interface Segment {
  readonly meeting: Meeting;
  readonly sessions: readonly (Session & { readonly minutes: Minutes })[];
  readonly minutes: Minutes;
}

export interface Usage {
  /** A booking counts once, into however many meetings a limit cut it. */
  readonly meetings: number;
  /** Those of which anything is known. */
  readonly held: number;
  readonly sessions: number;
  readonly estimatedSessions: number;
  readonly limitReached: number;
  readonly bookedMinutes: number;
  readonly minutes: Minutes;
}

/** The meeting, and all meetings that continue each other with it, the first one first. @throws Failure `not_found` */
export async function sessionsOfMeeting(
  { db, now }: Gateway,
  { marketplaceId, meetingId }: { marketplaceId: string; meetingId: string },
): Promise<{ own: Segment; segments: readonly Segment[] }> {
  const meeting = await findOwnMeeting(db.read, marketplaceId, meetingId);
  if (meeting === undefined) throw notFound();
  const chain = await segmentsOf(db.read, meeting);
  const segments: Segment[] = [];
  for (const link of chain) segments.push(segmentOf(link, await listFacts(db.read, link.id), now()));
  return { own: segments[chain.indexOf(meeting)]!, segments };
}

function segmentOf(meeting: Meeting, facts: readonly Fact[], now: Date): Segment {
  // Of a meeting that is over by our own rules nobody tells the end any more.
  const over = isOver(meeting.state as MeetingState);
  const until = over ? earlier(now, meeting.endedAt ?? endsAt(meeting)) : now;
  const sessions = sessionsOf(facts).map((session) => ({ ...session, minutes: minutesOf(session, until) }));
  return { meeting, sessions, minutes: sumOf(sessions.map(({ minutes }) => minutes)) };
}

const earlier = (a: Date, b: Date): Date => (a < b ? a : b);

/** Of the meetings that were booked to start within the period, cancelled and expired ones left out. @throws Failure `not_found` */
export async function usageOf(
  { db, now }: Gateway,
  { marketplaceId, connectionId, from, until }: { marketplaceId: string; connectionId: string; from: Date; until: Date },
): Promise<Usage> {
  const { id } = found(await findOwnConnection(db.read, marketplaceId, connectionId));
  const meetings = await listMeetingsOfConnection(db.read, { connectionId: id, from, until, states: ['confirmed', 'live', 'ended'] });
  const facts = await listFactsOfConnection(db.read, { connectionId: id, from, until });
  const segments = meetings.map((meeting) => segmentOf(meeting, facts.get(meeting.id) ?? [], now()));
  // What continues another meeting was booked with it.
  const booked = segments.filter(({ meeting }) => meeting.continues === null);
  const sessions = segments.flatMap((segment) => segment.sessions);
  return {
    meetings: booked.length,
    held: booked.filter((segment) => segment.sessions.length > 0).length,
    sessions: sessions.length,
    estimatedSessions: sessions.filter(({ estimated }) => estimated).length,
    limitReached: sessions.filter(({ limitReached }) => limitReached).length,
    bookedMinutes: booked.reduce((sum, { meeting }) => sum + meeting.durationMinutes, 0),
    minutes: sumOf(segments.map(({ minutes }) => minutes)),
  };
}
