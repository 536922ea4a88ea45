/** A new meeting link per customer: reserve, call the vendor, settle. */
import { classifyJoinUrl, type JoinLink } from '../../providers/approved.ts';
import { limitMinutes } from '../../providers/limits.ts';
import type { VendorMeeting } from '../../providers/provider.ts';
import { createConnectSession } from '../connections/connect.ts';
import type { Plan, ProviderId } from '../domain/apps.ts';
import { decide, type Candidate, type Decision } from '../domain/decision.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import { endsAt, purchaseBy } from '../domain/meeting.ts';
import { effectivePolicy, type BookingKind, type Policy, type RecordingMode } from '../domain/policy.ts';
import { MINUTE, plus } from '../domain/time.ts';
import { fingerprint, hashToken, newToken } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import { listConnections, type Connection } from '../store/connections.ts';
import type { Writer } from '../store/database.ts';
import { cancelJob, scheduleJob } from '../store/jobs.ts';
import type { Marketplace } from '../store/marketplaces.ts';
import {
  findMeeting,
  insertAttendee,
  insertMeeting,
  releaseLiveBookings,
  reserveLink,
  reserveLiveBookings,
  updateMeeting,
  type Attendee,
  type Meeting,
} from '../store/meetings.ts';
import { joinUrlContext, makeVendorMeeting, settleLink } from './link.ts';
import { tellMeeting } from './tell.ts';

export interface AttendeeRequest {
  readonly customerId: string;
  readonly name: string | null;
  readonly locale: string | null;
  readonly cameraOff: boolean;
}

export interface MeetingRequest {
  readonly marketplace: Marketplace;
  readonly booking: { readonly id: string; readonly kind: BookingKind; readonly title: string };
  readonly professionalId: string;
  readonly attendees: readonly AttendeeRequest[];
  readonly provider: ProviderId | 'auto';
  readonly startsAt: Date;
  readonly durationMinutes: number;
  readonly timeZone: string;
  readonly recording: RecordingMode;
  /** An uploaded link instead of a created one. */
  readonly joinUrl: string | null;
  /** Digest of the request's Idempotency-Key; a repeat after a crash gets the meeting that the first attempt reserved. */
  readonly requestKey: string | null;
}

/** How long the reservation is left alone before the sweeper finishes or repairs it; longer than any vendor call. */
const REPAIR_AFTER_MS = MINUTE;

/**
 * @throws Failure `meeting_exists`, `not_connected`, `limit_exceeded`, `reconnect_required`, `app_not_approved`, `join_url_invalid`,
 * `link_already_used`, `recording_not_allowed`, `invalid`, and what the vendor's adapter throws
 */
export async function createMeeting(gateway: Gateway, request: MeetingRequest): Promise<Meeting> {
  const policy = effectivePolicy({ preset: request.marketplace.preset, patch: request.marketplace.policyPatch });
  checkRequest(policy, request, gateway.now());
  try {
    return await (request.joinUrl === null
      ? createLinkedMeeting(gateway, policy, request)
      : uploadMeeting(gateway, policy, request, classifyJoinUrl(request.joinUrl, policy.approved_apps)));
  } catch (error) {
    const own = isFailure(error, 'meeting_exists') ? await findMeeting(gateway.db.read, String(error.extra['meeting_id'])) : undefined;
    if (own !== undefined && request.requestKey !== null && own.requestKey === request.requestKey) return own;
    throw error;
  }
}

async function createLinkedMeeting(gateway: Gateway, policy: Policy, request: MeetingRequest): Promise<Meeting> {
  const { db, now } = gateway;
  const { connection, decision } = await chooseConnection(gateway, policy, request);
  const id = newId(gateway, 'mtg');

  // 1. Reserve: from here on nobody else makes a meeting for these customers, and a crash is repaired by the job.
  const reserved = newMeeting(gateway, policy, request, {
    id,
    connectionId: connection.id,
    provider: connection.provider as ProviderId,
    plan: connection.plan as Plan,
    linkSource: 'created',
    decision,
  });
  await db.write(async (tx) => {
    await reserve(tx, gateway, request, reserved);
    await scheduleJob(tx, { kind: 'meeting.link', subjectId: id, dueAt: plus(now(), REPAIR_AFTER_MS) });
  });

  // 2. Call: no transaction is open.
  let made: VendorMeeting;
  try {
    made = await makeVendorMeeting(gateway, reserved, connection, { retry: false });
  } catch (error) {
    return giveUpOrWait(gateway, policy, request, reserved, Failure.from(error));
  }

  // 3. Settle, with the events.
  return settleLink(gateway, reserved, made, 'meeting.created');
}

async function uploadMeeting(gateway: Gateway, policy: Policy, request: MeetingRequest, link: JoinLink): Promise<Meeting> {
  const { db, vault } = gateway;
  if (request.provider !== 'auto' && request.provider !== link.provider) {
    throw new Failure('invalid', 'The link belongs to another app than the one asked for.', {
      errors: [{ pointer: '/provider', detail: `the link is one of ${link.provider}` }],
    });
  }
  const id = newId(gateway, 'mtg');
  const meeting: Meeting = {
    ...newMeeting(gateway, policy, request, {
      id,
      connectionId: null,
      provider: link.provider,
      plan: 'unknown',
      linkSource: 'uploaded',
      decision: { chosen: null, exceeded: request.durationMinutes > (limitMinutes(link.provider, 'unknown') ?? Infinity), considered: [] },
    }),
    state: 'awaiting_purchase',
    vendorJoinUrlSealed: vault.seal(link.url, joinUrlContext(id)),
  };
  await db.write(async (tx) => {
    if (!(await reserveLink(tx, { linkHash: fingerprint('link', link.identity), meetingId: id }))) {
      throw new Failure('link_already_used', 'This link was used for another booking. Every customer needs a new one.');
    }
    await reserve(tx, gateway, request, meeting);
    await tellMeeting(tx, gateway, meeting, 'meeting.created', 'once');
  });
  gateway.wake();
  return meeting;
}

async function chooseConnection(
  gateway: Gateway,
  policy: Policy,
  request: MeetingRequest,
): Promise<{ connection: Connection; decision: Decision }> {
  const { db, providers } = gateway;
  const { marketplace, professionalId } = request;
  const connections = (await listConnections(db.read, { marketplaceId: marketplace.id, professionalId })).filter((connection) =>
    providers.has(connection.provider as ProviderId),
  );
  const candidates = connections.map(candidateOf);
  const decision = decide({ policy, asked: request.provider, durationMinutes: request.durationMinutes, candidates });
  const connection = connections.find(({ id }) => id === decision.chosen?.connectionId);
  if (connection !== undefined) return { connection, decision };

  const considered = decision.considered.map(({ provider, rejected, limitMinutes }) => ({
    provider,
    rejected,
    limit_minutes: limitMinutes,
  }));
  const first = (rejected: string) => decision.considered.find((candidate) => candidate.rejected === rejected);
  const tooLong = first('limit_exceeded');
  if (tooLong !== undefined) {
    const fitting = candidates.filter(
      ({ provider, status, plan, limitMinutes: limit }) =>
        provider !== tooLong.provider &&
        status === 'active' &&
        policy.approved_apps.includes(provider) &&
        (plan === 'paid' || limit === null || limit >= request.durationMinutes),
    );
    throw new Failure('limit_exceeded', `The plan ends a meeting after ${tooLong.limitMinutes} minutes.`, {
      extra: {
        limit_minutes: tooLong.limitMinutes,
        alternatives: fitting.map(({ provider, limitMinutes: limit }) => ({ provider, limit_minutes: limit })),
        considered,
      },
    });
  }
  if (first('reconnect_required') !== undefined) throw await reconnectFailure(gateway, request, considered);
  const unapproved = first('app_not_approved');
  if (unapproved !== undefined)
    throw new Failure('app_not_approved', `The marketplace does not use ${unapproved.provider}.`, {
      extra: { approved_apps: policy.approved_apps },
    });
  if (first('not_capable') !== undefined) {
    throw new Failure('not_capable', 'The connected account cannot make meeting links; the professional can upload one.', {
      extra: { considered },
    });
  }
  throw new Failure('not_connected', 'The professional has not connected an account that could be used.', { extra: { considered } });
}

const candidateOf = (connection: Connection): Candidate => ({
  connectionId: connection.id,
  provider: connection.provider as ProviderId,
  status: connection.status as Candidate['status'],
  createsMeetings: connection.createsMeetings,
  plan: connection.plan as Plan,
  limitMinutes: limitMinutes(connection.provider as ProviderId, connection.plan as Plan),
});

/** The refusal carries the way out: a connect link made for this moment. */
async function reconnectFailure(gateway: Gateway, { marketplace, professionalId }: MeetingRequest, considered: unknown): Promise<Failure> {
  const { url } = await createConnectSession(gateway, { marketplace, professionalId, providers: undefined, returnUrl: null, locale: null });
  return new Failure('reconnect_required', 'The professional has to connect the account again.', {
    extra: { connect_url: url, considered },
  });
}

/** The vendor did not make the meeting: keep the reservation for the sweeper, or take everything back. */
async function giveUpOrWait(
  gateway: Gateway,
  policy: Policy,
  request: MeetingRequest,
  meeting: Meeting,
  failure: Failure,
): Promise<Meeting> {
  const { db, now, wake } = gateway;
  const passing = failure.code === 'vendor_unavailable' || failure.code === 'vendor_quota';
  if (passing && policy.vendor_unavailable === 'wait') {
    await db.write(async (tx) => {
      await scheduleJob(tx, {
        kind: 'meeting.link',
        subjectId: meeting.id,
        dueAt: plus(now(), Math.max(failure.retryAfterMs ?? 0, MINUTE / 4)),
      });
      await tellMeeting(tx, gateway, meeting, 'meeting.created', 'once');
    });
    wake();
    return meeting;
  }
  await db.write(async (tx) => {
    await updateMeeting(tx, { id: meeting.id, from: ['link_pending'] }, { state: 'cancelled', cancelReason: failure.code });
    await releaseLiveBookings(tx, meeting.id);
    await cancelJob(tx, { kind: 'meeting.expire', subjectId: meeting.id });
    // After a lost or senseless answer a meeting may exist at the vendor all the same: find it and take it away.
    if (passing || failure.code === 'vendor_nonsense')
      await scheduleJob(tx, { kind: 'meeting.release', subjectId: meeting.id, dueAt: plus(now(), MINUTE) });
    await cancelJob(tx, { kind: 'meeting.link', subjectId: meeting.id });
  });
  if (failure.code === 'reconnect_required') throw await reconnectFailure(gateway, request, []);
  throw failure;
}

function checkRequest(policy: Policy, { booking, attendees, recording, startsAt, durationMinutes }: MeetingRequest, now: Date): void {
  if (!policy.recording[booking.kind].modes.includes(recording)) {
    throw new Failure(
      'recording_not_allowed',
      `A booking of the kind ${booking.kind} may ask for: ${policy.recording[booking.kind].modes.join(', ')}.`,
      {
        extra: { allowed: policy.recording[booking.kind].modes },
      },
    );
  }
  const wrong = (pointer: string, detail: string): Failure =>
    new Failure('invalid', 'The request breaks a rule.', { errors: [{ pointer, detail }] });
  if (booking.kind === 'one_to_one' && attendees.length !== 1) throw wrong('/attendees', 'a one_to_one booking has exactly one');
  if (booking.kind === 'private_group' && attendees.length === 0) throw wrong('/attendees', 'a private_group booking has at least one');
  if (new Set(attendees.map(({ customerId }) => customerId)).size < attendees.length)
    throw wrong('/attendees', 'a customer is in it twice');
  if (endsAt({ startsAt, durationMinutes }) <= now) throw wrong('/starts_at', 'the meeting would be over already');
}

function newMeeting(
  gateway: Gateway,
  policy: Policy,
  request: MeetingRequest,
  link: Pick<Meeting, 'id' | 'connectionId' | 'linkSource'> & { provider: ProviderId; plan: Plan; decision: Decision },
): Meeting {
  const { now, random, vault } = gateway;
  const hostToken = newToken(random);
  const createdAt = now();
  const { decision, ...rest } = link;
  return {
    ...rest,
    marketplaceId: request.marketplace.id,
    bookingId: request.booking.id,
    bookingKind: request.booking.kind,
    title: request.booking.title,
    professionalId: request.professionalId,
    state: 'link_pending',
    purchaseBy: purchaseBy(policy, {
      kind: request.booking.kind,
      confirmedAt: createdAt,
      startsAt: request.startsAt,
      durationMinutes: request.durationMinutes,
    }),
    startsAt: request.startsAt,
    durationMinutes: request.durationMinutes,
    timeZone: request.timeZone,
    recording: request.recording,
    lockedAt: null,
    vendorMeetingId: null,
    vendorDetails: {},
    vendorJoinUrlSealed: null,
    degraded: [],
    hostTokenHash: hashToken(hostToken),
    hostTokenSealed: vault.seal(hostToken, ['meeting', link.id, 'host_token']),
    limitMinutes: limitMinutes(link.provider, link.plan),
    limitExceeded: decision.exceeded,
    decision: {
      chosen: link.provider,
      considered: decision.considered.map(({ provider, rejected, limitMinutes }) => ({ provider, rejected, limit_minutes: limitMinutes })),
    },
    startedAt: null,
    endedAt: null,
    cancelReason: null,
    requestKey: request.requestKey,
    createdAt,
  };
}

/** The meeting, its attendees and its deadlines. @throws Failure `meeting_exists` */
async function reserve(tx: Writer, gateway: Gateway, request: MeetingRequest, meeting: Meeting): Promise<void> {
  const keys =
    request.booking.kind === 'event'
      ? [`${meeting.marketplaceId} ${meeting.bookingId}`]
      : request.attendees.map(({ customerId }) => `${meeting.marketplaceId} ${meeting.bookingId} ${customerId}`);
  const holder = await reserveLiveBookings(tx, meeting.id, keys);
  if (holder !== undefined) {
    throw new Failure('meeting_exists', 'There is a live meeting for this booking and customer already.', {
      extra: { meeting_id: holder },
    });
  }
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
    joinTokenSealed: gateway.vault.seal(token, ['attendee', id, 'join_token']),
    createdAt: gateway.now(),
  };
}
