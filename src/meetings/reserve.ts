/** A meeting's rows before the vendor knows of it: meeting, attendees, deadline, and the claim on booking and customer. */
import { hostTokenContext, joinTokenContext } from '../connections/sealed.ts';
import { type Chosen, type Decision, shownDecision } from '../domain/decision.ts';
import { Failure } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import { purchaseBy } from '../domain/meeting.ts';
import type { Policy } from '../domain/policy.ts';
import { hashToken, newToken } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import { scheduleJob } from '../store/jobs.ts';
import { insertAttendee, insertMeeting, reserveLiveBookings, type Attendee, type Meeting } from '../store/meetings.ts';
import type { AttendeeRequest, MeetingRequest } from './request.ts';

export function newMeeting(
  gateway: Gateway,
  policy: Policy,
  request: MeetingRequest,
  { id, linkSource, decision }: Pick<Meeting, 'id' | 'linkSource'> & { decision: Decision<Chosen> },
): Meeting {
  const { now, random, vault } = gateway;
  const hostToken = newToken(random);
  const createdAt = now();
  return {
    id,
    linkSource,
    ...decisionColumns(decision),
    marketplaceId: request.marketplace.id,
    bookingId: request.booking.id,
    bookingKind: request.booking.kind,
    title: request.booking.title,
    professionalId: request.professionalId,
    state: 'link_pending',
    purchaseBy:
      request.call?.purchaseBy ??
      purchaseBy(policy, {
        kind: request.booking.kind,
        confirmedAt: createdAt,
        startsAt: request.startsAt,
        durationMinutes: request.durationMinutes,
      }),
    startsAt: request.startsAt,
    durationMinutes: request.durationMinutes,
    timeZone: request.timeZone,
    recording: request.recording,
    recordsAutomatically: false,
    lockedAt: null,
    vendorMeetingId: null,
    vendorDetails: {},
    vendorJoinUrlSealed: null,
    degraded: [],
    hostTokenHash: hashToken(hostToken),
    hostTokenSealed: vault.seal(hostToken, hostTokenContext(id)),
    startedAt: null,
    endedAt: null,
    runningSince: null,
    limitEndsAt: null,
    hostAwaySince: null,
    hostLostAt: null,
    continues: null,
    continuedBy: null,
    callId: request.call?.id ?? null,
    endedBy: null,
    cancelReason: null,
    requestKey: request.requestKey,
    vendorKey: id,
    packageId: request.packageId ?? null,
    createdAt,
  };
}

/** What the choice of the app writes into a meeting. */
export const decisionColumns = (decision: Decision<Chosen>) => ({
  provider: decision.chosen.provider,
  connectionId: decision.chosen.connectionId,
  plan: decision.chosen.plan,
  planBasis: decision.chosen.planBasis,
  limitMinutes: decision.chosen.limit.minutes,
  limitExceeded: decision.exceeded,
  decision: shownDecision(decision),
});

/** The claim on booking and customer: comes first, so that a repeated request hears of its meeting before anything else. @throws Failure `meeting_exists` */
export async function claimBooking(tx: Writer, request: MeetingRequest, meetingId: string): Promise<void> {
  const holder = await reserveLiveBookings(tx, meetingId, bookingKeys(request));
  if (holder !== undefined) throw meetingExists(holder);
}

interface BookingClaim extends Pick<MeetingRequest, 'place'> {
  readonly marketplace: Pick<MeetingRequest['marketplace'], 'id'>;
  readonly booking: Pick<MeetingRequest['booking'], 'id' | 'kind'>;
  readonly attendees: readonly Pick<AttendeeRequest, 'customerId'>[];
}

/** What a live meeting holds so that nobody makes a second one: the booking of an event, else the booking with each customer. */
export function bookingKeys({ marketplace, booking, attendees, place }: BookingClaim): string[] {
  const keys =
    booking.kind === 'event' ? [[marketplace.id, booking.id]] : attendees.map(({ customerId }) => [marketplace.id, booking.id, customerId]);
  // The first meeting of a package holds the booking itself, the others a place in it.
  const places = place === undefined || place === 0 ? [] : [place];
  return keys.map((key) => JSON.stringify([...key, ...places]));
}

export const meetingExists = (holder: string): Failure =>
  new Failure('meeting_exists', 'There is a live meeting for this booking and customer already.', { extra: { meeting_id: holder } });

/** The meeting, its attendees and its deadlines; its booking has been claimed. */
export async function reserve(tx: Writer, gateway: Gateway, request: MeetingRequest, meeting: Meeting): Promise<void> {
  await insertMeeting(tx, meeting);
  for (const attendee of request.attendees) await insertAttendee(tx, newAttendee(gateway, meeting, attendee));
  await scheduleJob(tx, { kind: 'meeting.expire', subjectId: meeting.id, dueAt: meeting.purchaseBy });
}

export function newAttendee(gateway: Gateway, meeting: Meeting, request: AttendeeRequest): Attendee {
  const id = newId(gateway, 'att');
  const token = newToken(gateway.random);
  return {
    id,
    marketplaceId: meeting.marketplaceId,
    meetingId: meeting.id,
    customerId: request.customerId,
    name: request.name,
    locale: request.locale,
    cameraOff: request.cameraOff,
    purchasedAt: null,
    recordingConsent: 'missing',
    joinTokenHash: hashToken(token),
    joinTokenSealed: gateway.vault.seal(token, joinTokenContext(id)),
    createdAt: gateway.now(),
  };
}
