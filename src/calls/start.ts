/** Somebody calls: refused where the policy or the professional's presence says so, else it rings or is counted (T02, T03, R01, R03, F02). */
import { customerCallContext, professionalCallContext } from '../connections/sealed.ts';
import { callTitle, DEFAULT_CALL_MINUTES, mayStart, receptionOf, type NoReception } from '../domain/call.ts';
import { checkEligible } from '../domain/eligibility.ts';
import { Failure } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import { languageOf } from '../domain/important-notes.ts';
import type { Policy } from '../domain/policy.ts';
import { policyOf } from '../domain/presets/index.ts';
import { plus, SECOND } from '../domain/time.ts';
import { isWithin } from '../domain/weekly-hours.ts';
import { hashToken, newToken } from '../domain/token.ts';
import { emit } from '../events/emit.ts';
import type { Gateway } from '../gateway.ts';
import { reconnectFailure } from '../meetings/choose.ts';
import { previewMeeting } from '../meetings/preview.ts';
import { availabilityOf } from '../professionals/availability.ts';
import { presenceOf } from '../professionals/presence.ts';
import { checkStanding, holdStanding } from '../professionals/standing.ts';
import { insertCall, listCalls, lockRingingCall, type Call } from '../store/calls.ts';
import type { Reader, Writer } from '../store/database.ts';
import { scheduleJob } from '../store/jobs.ts';
import { findProfessional } from '../store/professionals.ts';
import { expireCalls } from './expire.ts';
import { askedOf, atOnce, meetingRequestOf, type Asked, type CallRequest } from './request.ts';
import { ringingEvent } from './tell.ts';

/** Calls between the same two that may have come since a request that is repeated. */
const REPEATS_AMONG = 20;

/**
 * What would keep its meeting from being made is refused here, before anybody is rung for nothing; a vendor that is not reachable cannot be
 * foreseen.
 * @throws Failure `forbidden`, `professional_suspended`, `not_eligible`, `prepayment_missing`, `professional_unavailable`, `call_exists`, and
 * what a new meeting throws
 */
export async function startCall(gateway: Gateway, request: CallRequest): Promise<Call> {
  const { db, now, wake } = gateway;
  const { marketplace, professionalId, facts } = request;
  const policy = policyOf(marketplace);
  const at = now();
  const known = await startedBefore(db.read, request);
  if (known !== undefined) return known;
  await checkStart(gateway, policy, request, at);
  const rings = await checkReception(gateway, policy, request, at);
  const call = await draftCall(gateway, policy, request, { at, rings });
  const meeting = meetingRequestOf(marketplace, call, askedOf(call), at);
  const { refusal } = await previewMeeting(gateway, { ...meeting, facts }, atOnce(policy));
  if (refusal?.code === 'reconnect_required' && policy.hosting === 'professional')
    throw await reconnectFailure(gateway, { marketplace, professionalId }, refusal.extra['considered'] ?? []);
  if (refusal !== null) throw refusal;

  const started = await db.write(async (tx) => {
    // A decision about the professional that is made at this moment finds the call ringing, or is found.
    await holdStanding(tx, { marketplaceId: marketplace.id, professionalId, now: now() });
    const other = await ringingBetween(tx, gateway, call);
    if (other !== undefined) {
      const { requestKey } = askedOf(other);
      if (requestKey !== null && requestKey === request.requestKey) return other;
      throw callExists(other);
    }
    // Another request was faster by a moment.
    if (!(await insertCall(tx, call))) throw callExists(await lockRingingCall(tx, call));
    await scheduleJob(tx, { kind: 'call.expire', subjectId: call.id, dueAt: call.acceptBy });
    await emit(tx, gateway, ringingEvent(call));
    return call;
  });
  wake();
  return started;
}

/** What a repeat after a crash gets, whatever has become of the call meanwhile. */
async function startedBefore(db: Reader, { marketplace, professionalId, customerId, requestKey }: CallRequest): Promise<Call | undefined> {
  if (requestKey === null) return undefined;
  const newest = await listCalls(db, { marketplaceId: marketplace.id, professionalId, customerId, limit: REPEATS_AMONG });
  return newest.find((call) => askedOf(call).requestKey === requestKey);
}

async function checkStart({ db }: Gateway, policy: Policy, request: CallRequest, now: Date): Promise<void> {
  const { marketplace, professionalId, initiator, prepaidBlocks, facts } = request;
  const { initiator: allowed, prepaid_blocks: required } = policy.calls;
  if (!mayStart(policy, initiator))
    throw new Failure('forbidden', `The policy of the marketplace does not let a ${initiator} start calls.`, {
      extra: { initiator: allowed },
    });
  await checkStanding(db.read, { marketplaceId: marketplace.id, professionalId, now });
  checkEligible(policy.eligibility, facts, now);
  if ((prepaidBlocks ?? 0) < required)
    throw new Failure('prepayment_missing', `A call needs ${required} paid blocks.`, { extra: { required_blocks: required } });
}

const REFUSALS: Readonly<Record<NoReception, string>> = {
  busy: 'The professional is busy.',
  away: 'The professional is away.',
  unknown: 'It is not known whether the professional is there.',
  no_video: 'The professional has no video.',
  outside_hours: "It is none of the professional's hours, and the professional is not available.",
};

/** Whether it rings. @throws Failure `professional_unavailable` */
async function checkReception({ db }: Gateway, policy: Policy, request: CallRequest, now: Date): Promise<boolean> {
  const { marketplace, professionalId } = request;
  const presence = (await presenceOf(db.read, marketplace.id, [professionalId], now)).get(professionalId)!;
  const { timeZone, hours } = await availabilityOf(db.read, { marketplaceId: marketplace.id, professionalId });
  const outside = timeZone !== null && !isWithin(hours, timeZone, now);
  const reception = receptionOf(policy, request, { ...presence, outside });
  if (reception === 'rings' || reception === 'counted') return reception === 'rings';
  throw new Failure('professional_unavailable', REFUSALS[reception], { extra: { reason: reception } });
}

async function draftCall(
  gateway: Gateway,
  policy: Policy,
  request: CallRequest,
  { at, rings }: { at: Date; rings: boolean },
): Promise<Call> {
  const { db, random, vault } = gateway;
  const { marketplace, professionalId, booking, locale, provider, customerName, professionalName, cameraOff, requestKey } = request;
  const professional = await findProfessional(db.read, { marketplaceId: marketplace.id, professionalId });
  const asked: Asked = {
    title: booking?.title ?? callTitle(languageOf(locale ?? undefined) ?? 'en'),
    provider,
    durationMinutes: request.durationMinutes ?? professional?.defaultDurationMinutes ?? DEFAULT_CALL_MINUTES,
    timeZone: professional?.timeZone ?? 'UTC',
    recording: request.recording ?? policy.recording.one_to_one.modes[0]!,
    locale,
    customerName,
    professionalName,
    cameraOff,
    requestKey,
  };
  const id = newId(gateway, 'cal');
  const [forProfessional, forCustomer] = [newToken(random), newToken(random)];
  return {
    id,
    marketplaceId: marketplace.id,
    bookingId: booking?.id ?? id,
    professionalId,
    customerId: request.customerId,
    initiator: request.initiator,
    purpose: request.purpose,
    conversationId: request.conversationId,
    video: request.video,
    prepaidBlocks: request.prepaidBlocks,
    state: 'ringing',
    rings,
    acceptBy: plus(at, policy.calls.accept_within_seconds * SECOND),
    answeredAt: null,
    meetingId: null,
    request: { ...asked },
    professionalTokenHash: hashToken(forProfessional),
    professionalTokenSealed: vault.seal(forProfessional, professionalCallContext(id)),
    customerTokenHash: hashToken(forCustomer),
    customerTokenSealed: vault.seal(forCustomer, customerCallContext(id)),
    createdAt: at,
  };
}

/** One whose time is over does not ring any more, though its job may not have got to it yet. */
async function ringingBetween(tx: Writer, gateway: Gateway, call: Call): Promise<Call | undefined> {
  const other = await lockRingingCall(tx, call);
  if (other === undefined) return undefined;
  const later = await expireCalls(tx, gateway, [other]);
  return later.has(other.id) ? other : undefined;
}

const callExists = (other: Call | undefined): Failure =>
  new Failure('call_exists', 'A call between the two is ringing already.', { extra: { call_id: other?.id ?? null } });
