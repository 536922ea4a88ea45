/** A new meeting link per customer: reserve, call the vendor, settle. */
import { classifyJoinUrl, type JoinLink } from '../../providers/approved.ts';
import { isUsedUp } from '../connections/quota.ts';
import { afterReset } from '../domain/backoff.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import type { Policy } from '../domain/policy.ts';
import { policyOf } from '../domain/presets/index.ts';
import { MINUTE, plus } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { holdStanding } from '../professionals/standing.ts';
import { cancelJob, scheduleJob } from '../store/jobs.ts';
import { findMeeting, releaseLiveBookings, updateMeeting, type Meeting } from '../store/meetings.ts';
import { admitProfessional } from './admit.ts';
import { reconnectFailure } from './choose.ts';
import { draftLinked, draftUploaded, takeLink, type Linked } from './draft.ts';
import { makeVendorMeeting, settleLink, type MadeMeeting } from './link.ts';
import { freeHost } from './pool.ts';
import { checkRequest, type MeetingRequest } from './request.ts';
import { claimBooking, reserve } from './reserve.ts';
import { takeBack } from './take-back.ts';
import { tellCreated, tellMeeting } from './tell.ts';

/** How long the reservation is left alone before the sweeper finishes or repairs it; longer than any vendor call. */
export const REPAIR_AFTER_MS = MINUTE;

/**
 * `policy`: where something else counts for this one meeting than for others of the marketplace.
 * @throws Failure `professional_suspended`, `not_eligible`, `meeting_exists`, `not_connected`, `limit_exceeded`, `host_pool_exhausted`, `reconnect_required`, `app_not_approved`, `join_url_invalid`,
 * `link_already_used`, `recording_not_allowed`, `invalid`, and what the vendor's adapter throws
 */
export async function createMeeting(
  gateway: Gateway,
  request: MeetingRequest,
  policy: Policy = policyOf(request.marketplace),
): Promise<Meeting> {
  checkRequest(policy, request, gateway.now());
  await admitProfessional(gateway, policy, request);
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
  const id = newId(gateway, 'mtg');
  const draft = await draftLinked(gateway, policy, request, id);

  // 1. Reserve: from here on nobody else makes a meeting for these customers, and a crash is repaired by the job.
  const { meeting, connection } = await db.write(async (tx) => {
    await claimBooking(tx, request, id);
    await holdStanding(tx, { marketplaceId: request.marketplace.id, professionalId: request.professionalId, now: now() });
    const linked = await draft(tx);
    const { meeting } = linked;
    await reserve(tx, gateway, request, meeting);
    await scheduleJob(tx, { kind: 'meeting.link', subjectId: meeting.id, dueAt: plus(now(), REPAIR_AFTER_MS) });
    return linked;
  });

  return makeLink(gateway, policy, request, { meeting, connection });
}

/** The link of a reserved meeting. @throws Failure what the vendor's adapter throws */
export async function makeLink(
  gateway: Gateway,
  policy: Policy,
  request: MeetingRequest,
  { meeting, connection }: Linked,
): Promise<Meeting> {
  // 2. Call: no transaction is open.
  let made: MadeMeeting;
  try {
    made = await makeVendorMeeting(gateway, meeting, connection, { retry: false });
  } catch (error) {
    return giveUpOrWait(gateway, policy, request, meeting, Failure.from(error));
  }

  // 3. Settle, with the events.
  return settleLink(gateway, meeting, made, { late: false });
}

async function uploadMeeting(gateway: Gateway, policy: Policy, request: MeetingRequest, link: JoinLink): Promise<Meeting> {
  const meeting = draftUploaded(gateway, policy, request, link, newId(gateway, 'mtg'));
  await gateway.db.write(async (tx) => {
    await takeLink(tx, link, meeting.id);
    await claimBooking(tx, request, meeting.id);
    await holdStanding(tx, { ...meeting, now: gateway.now() });
    await reserve(tx, gateway, request, meeting);
    await tellMeeting(tx, gateway, meeting, 'meeting.created', 'once');
  });
  gateway.wake();
  return meeting;
}

/** The vendor did not make the meeting: keep the reservation for the sweeper, or take everything back. */
async function giveUpOrWait(
  gateway: Gateway,
  policy: Policy,
  request: MeetingRequest,
  meeting: Meeting,
  failure: Failure,
): Promise<Meeting> {
  const { db, now, random, wake } = gateway;
  const passing = failure.code === 'vendor_unavailable' || failure.code === 'vendor_quota';
  if (passing && policy.vendor_unavailable === 'wait') {
    await db.write(async (tx) => {
      await scheduleJob(tx, {
        kind: 'meeting.link',
        subjectId: meeting.id,
        dueAt: plus(now(), Math.max(afterReset(failure.retryAfterMs ?? 0, random(4).readUInt32BE() / 2 ** 32), MINUTE / 4)),
      });
      await tellCreated(tx, gateway, meeting);
    });
    wake();
    return meeting;
  }
  await db.write(async (tx) => {
    await updateMeeting(tx, { id: meeting.id, from: ['link_pending'] }, { state: 'cancelled', cancelReason: failure.code });
    await freeHost(tx, meeting.id);
    await takeBack(tx, policy, meeting);
    await releaseLiveBookings(tx, meeting.id);
    for (const kind of ['meeting.expire', 'meeting.close']) await cancelJob(tx, { kind, subjectId: meeting.id });
    // After a lost or senseless answer a meeting may exist at the vendor all the same: find it and take it away.
    if ((passing && !isUsedUp(failure)) || failure.code === 'vendor_nonsense')
      await scheduleJob(tx, { kind: 'meeting.release', subjectId: meeting.id, dueAt: plus(now(), MINUTE) });
    await cancelJob(tx, { kind: 'meeting.link', subjectId: meeting.id });
  });
  if (failure.code === 'reconnect_required' && policy.hosting === 'professional') throw await reconnectFailure(gateway, request, []);
  throw failure;
}
