/** A meeting that a plan's limit ends goes on under a new link, and nobody pays again (G14). */
import { remainingMinutes, whyNotContinued, type ContinuationRefusal } from '../domain/continuation.ts';
import { Failure, isFailure, notFound } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import { endsAt, joinWindow } from '../domain/meeting.ts';
import type { BookingKind, Policy, RecordingMode } from '../domain/policy.ts';
import { policyOf } from '../domain/presets/index.ts';
import type { ProviderId } from '../domain/apps.ts';
import { isAsked } from '../domain/recording.ts';
import { isBarred } from '../domain/standing.ts';
import { sessionsOf } from '../domain/session.ts';
import { plus } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { checkStanding, holdStanding } from '../professionals/standing.ts';
import { insertAuditEntry } from '../store/audit.ts';
import type { Reader, Writer } from '../store/database.ts';
import { listFacts } from '../store/facts.ts';
import { scheduleJob } from '../store/jobs.ts';
import { findMarketplace, type Marketplace } from '../store/marketplaces.ts';
import {
  findMeeting,
  findOwnMeeting,
  insertAttendee,
  insertMeeting,
  listAttendees,
  lockMeeting,
  releaseLiveBookings,
  updateMeeting,
  type Attendee,
  type Meeting,
} from '../store/meetings.ts';
import { listPackageMeetings } from '../store/packages.ts';
import { findStanding } from '../store/standing.ts';
import { makeLink, REPAIR_AFTER_MS } from './create.ts';
import { draftLinked, type Linked } from './draft.ts';
import { freeHost } from './pool.ts';
import type { MeetingRequest } from './request.ts';
import { claimBooking, newAttendee } from './reserve.ts';
import { segmentsOf } from './segments.ts';

export interface Continuation {
  readonly meeting: Meeting;
  /** True when the meeting was continued before, and this is what continues it. */
  readonly repeated: boolean;
}

/**
 * The meeting that continues this one: made now, for the booked minutes that are left, in the same app. A meeting is continued once, however
 * often and by however many this is asked for; its continuation may be continued in turn. The vendor's old meeting is left to end by itself.
 * @throws Failure `not_found`, `not_capable`, `conflict` with `extra.reason`, and what a new meeting throws
 */
export async function continueMeeting(
  gateway: Gateway,
  { marketplaceId, meetingId, by }: { marketplaceId: string; meetingId: string; by: 'marketplace' | 'host' },
): Promise<Continuation> {
  const { db, now } = gateway;
  const meeting = await findOwnMeeting(db.read, marketplaceId, meetingId);
  const marketplace = await findMarketplace(db.read, marketplaceId);
  if (meeting === undefined || marketplace === undefined) throw notFound();
  const known = await continuationOf(db.read, meeting);
  if (known !== undefined) return { meeting: known, repeated: true };
  const policy = goingOn(policyOf(marketplace));
  if (isStandingAsked(policy)) await checkStanding(db.read, { ...ownerOf(meeting), now: now() });
  await checkContinuable(db.read, gateway, policy, meeting);
  const id = newId(gateway, 'mtg');
  const request = requestOf(marketplace, meeting, now());
  const draft = await draftLinked(gateway, policy, request, id);

  // 1. Reserve. Whoever asks at the same moment waits for the row, and then finds the continuation.
  const reserved = await db.write(async (tx) => {
    const current = (await lockMeeting(tx, meeting.id))!;
    const other = await continuationOf(tx, current);
    if (other !== undefined) return { other };
    await checkContinuable(tx, gateway, policy, current);
    if (isStandingAsked(policy)) await holdStanding(tx, { ...ownerOf(meeting), now: request.startsAt });
    const attendees = await listAttendees(tx, [current.id]);
    const asked = { ...request, attendees, place: await placeOf(tx, current) };
    await releaseLiveBookings(tx, current.id);
    await claimBooking(tx, asked, id);
    const { meeting: drafted, connection } = await draftBeside(tx, draft, current);
    const next: Meeting = {
      ...drafted,
      continues: current.id,
      lockedAt: request.startsAt,
      purchaseBy: current.bookingKind === 'event' ? endsAt(drafted) : current.purchaseBy,
    };
    await insertMeeting(tx, next);
    for (const attendee of attendees) await insertAttendee(tx, carriedOver(gateway, policy, next, attendee));
    await updateMeeting(tx, { id: current.id, from: [current.state] }, { continuedBy: id });
    await scheduleJob(tx, { kind: 'meeting.close', subjectId: id, dueAt: joinWindow(policy, next).closesAt });
    await scheduleJob(tx, { kind: 'meeting.link', subjectId: id, dueAt: plus(request.startsAt, REPAIR_AFTER_MS) });
    await insertAuditEntry(tx, {
      id: newId(gateway, 'aud'),
      marketplaceId,
      at: request.startsAt,
      action: 'meeting.continued',
      subjectId: current.id,
      details: { continued_by: id, asked_by: by },
    });
    return { asked, linked: { meeting: next, connection } };
  });
  if ('other' in reserved) return { meeting: reserved.other, repeated: true };
  return { meeting: await makeLink(gateway, policy, reserved.asked, reserved.linked), repeated: false };
}

/** Whether the meeting could be continued now. */
export async function isContinuable(gateway: Gateway, policy: Policy, meeting: Meeting): Promise<boolean> {
  if (meeting.linkSource !== 'created' || (await refusalOf(gateway.db.read, gateway, policy, meeting)) !== undefined) return false;
  return !isStandingAsked(policy) || !isBarred(await findStanding(gateway.db.read, meeting), gateway.now());
}

/** A suspended professional gets no new link, unless the policy lets go on what runs (C01). */
const isStandingAsked = ({ standing }: Policy): boolean => standing.running === 'end';
const ownerOf = ({ marketplaceId, professionalId }: Meeting) => ({ marketplaceId, professionalId });

async function refusalOf(db: Reader, { now }: Gateway, policy: Policy, meeting: Meeting): Promise<ContinuationRefusal | undefined> {
  // Only of an ended meeting it matters how it ended.
  const sessions = meeting.state === 'ended' ? sessionsOf(await listFacts(db, meeting.id)) : [];
  return whyNotContinued(policy, meeting, { sessions, now: now() });
}

const REFUSALS: Readonly<Record<ContinuationRefusal, string>> = {
  not_bought: 'Nobody has bought the meeting yet.',
  not_started: 'The meeting has not started yet: its own link can still be used.',
  ended: 'The meeting was not ended by a limit.',
  expired: 'The meeting is expired.',
  cancelled: 'The meeting is cancelled.',
  window_over: 'The time of the booking is over.',
};

async function checkContinuable(db: Reader, gateway: Gateway, policy: Policy, meeting: Meeting): Promise<void> {
  if (meeting.linkSource !== 'created')
    throw new Failure('not_capable', 'The link was made elsewhere: there is no account to make another one with.');
  const reason = await refusalOf(db, gateway, policy, meeting);
  if (reason !== undefined) throw new Failure('conflict', REFUSALS[reason], { extra: { reason } });
}

/**
 * The same account's limit holds as before, and everybody knows it by now: it warns, and never leads to another app. A rule that forbids
 * bookings that are too long would forbid what is made for meetings that were.
 */
const goingOn = (policy: Policy): Policy => ({ ...policy, limits: { ...policy.limits, on_exceed: 'warn' } });

/** The same app: nobody has to install another one in the middle of a conversation. */
const requestOf = (marketplace: Marketplace, meeting: Meeting, at: Date): MeetingRequest => ({
  marketplace,
  booking: { id: meeting.bookingId, kind: meeting.bookingKind as BookingKind, title: meeting.title },
  professionalId: meeting.professionalId,
  attendees: [],
  provider: meeting.provider as ProviderId,
  startsAt: at,
  durationMinutes: remainingMinutes(meeting, at),
  timeZone: meeting.timeZone,
  recording: meeting.recording as RecordingMode,
  // Who was eligible when it was booked is so for the rest of the booking.
  facts: {},
  joinUrl: null,
  requestKey: null,
});

/** The meeting's place in the package that its booking was sold in. */
async function placeOf(tx: Writer, meeting: Meeting): Promise<number> {
  const [{ packageId, id } = meeting] = await segmentsOf(tx, meeting);
  if (packageId === null) return 0;
  return (await listPackageMeetings(tx, meeting.marketplaceId, packageId)).findIndex((one) => one.id === id);
}

/** On another host of the platform while the old meeting runs; where none is free, the host of the old one moves on with everybody. */
async function draftBeside(tx: Writer, draft: (tx: Writer) => Promise<Linked>, { id }: Meeting): Promise<Linked> {
  try {
    return await draft(tx);
  } catch (error) {
    if (!isFailure(error, 'host_pool_exhausted')) throw error;
    await freeHost(tx, id);
    return draft(tx);
  }
}

/** What was bought, wished and decided holds for the rest of the booking. Where joining is what counts as consent, joining counts anew. */
function carriedOver(gateway: Gateway, policy: Policy, next: Meeting, attendee: Attendee): Attendee {
  const { recordingConsent } = attendee;
  const isKept = recordingConsent === 'refused' || isAsked(policy, next.bookingKind as BookingKind, next.recording as RecordingMode);
  return {
    ...newAttendee(gateway, next, attendee),
    purchasedAt: attendee.purchasedAt,
    recordingConsent: isKept ? recordingConsent : 'missing',
  };
}

const continuationOf = async (db: Reader, { continuedBy }: Meeting): Promise<Meeting | undefined> =>
  continuedBy === null ? undefined : findMeeting(db, continuedBy);
