/** A call is answered: it becomes a meeting that begins at once (R04, F05). Reserve, call the vendor, settle. */
import { isBeingAnswered, isOpen } from '../domain/call.ts';
import { Failure } from '../domain/failure.ts';
import { policyOf } from '../domain/presets/index.ts';
import { emit } from '../events/emit.ts';
import type { Gateway } from '../gateway.ts';
import { creditMeeting } from '../meters/credit.ts';
import { createMeeting } from '../meetings/create.ts';
import { move } from '../meetings/lifecycle.ts';
import { buyIn, unlessMoved } from '../meetings/purchase.ts';
import { checkStanding } from '../professionals/standing.ts';
import { setCall, stopAnswering, type Call } from '../store/calls.ts';
import type { Writer } from '../store/database.ts';
import { cancelJob, scheduleJob } from '../store/jobs.ts';
import { findMarketplace, type Marketplace } from '../store/marketplaces.ts';
import type { Meeting } from '../store/meetings.ts';
import { auditCall, callIsOver, lockOwnCall, type CallMove } from './end.ts';
import { askedOf, atOnce, meetingRequestOf } from './request.ts';
import { acceptedEvent } from './tell.ts';

/**
 * The accepted call, however often and by however many it is accepted: there is one meeting. One that is withdrawn, declined or expired before
 * its meeting is there stays so, and the meeting is taken away. When the vendor fails, the failure is answered and the call rings on while its
 * time lasts.
 * @throws Failure `not_found`, `professional_suspended`, `conflict` (with `extra.state` when it is over), and what a new meeting throws
 */
export async function acceptCall(gateway: Gateway, { marketplaceId, callId, by }: CallMove): Promise<Call> {
  const { db, now } = gateway;
  const marketplace = (await findMarketplace(db.read, marketplaceId))!;

  // 1. Reserve: from here on the call does not expire before its meeting must be there.
  const call = await db.write(async (tx) => {
    const current = await lockOwnCall(tx, marketplaceId, callId);
    if (current.state === 'accepted') return current;
    const at = now();
    if (!isOpen(current, at)) throw callIsOver(current);
    await checkStanding(tx, { marketplaceId, professionalId: current.professionalId, now: at });
    // Whoever answers beside another one does not give it more time.
    return isBeingAnswered(current, at) ? current : setCall(tx, current.id, { answeredAt: at });
  });
  if (call.state === 'accepted') return call;

  // 2. Call: no transaction is open. An answer that died may have made it before; then it is found again.
  const meeting = await makeMeeting(gateway, marketplace, call);

  // 3. Settle, if nothing else has become of the call meanwhile.
  const settled = await unlessMoved(gateway, (tx) => settle(tx, gateway, marketplace, { call, meeting, by }));
  if (settled.state !== 'accepted') throw callIsOver(settled);
  return settled;
}

async function makeMeeting(gateway: Gateway, marketplace: Marketplace, call: Call): Promise<Meeting> {
  const request = meetingRequestOf(marketplace, call, askedOf(call), gateway.now());
  let meeting: Meeting;
  try {
    meeting = await createMeeting(gateway, request, { ...atOnce(policyOf(marketplace)), eligibility: [] });
  } catch (error) {
    await gateway.db.write(async (tx) => {
      await stopAnswering(tx, { id: call.id, answeredAt: call.answeredAt! });
      await scheduleJob(tx, { kind: 'call.expire', subjectId: call.id, dueAt: call.acceptBy });
    });
    throw error;
  }
  // That of another answer, which is at the vendor now or has died there; then the sweeper finishes it.
  if (meeting.state === 'link_pending')
    throw new Failure('conflict', 'Somebody is answering the call at this moment.', { retryAfterMs: 1_000, extra: { state: 'ringing' } });
  return meeting;
}

async function settle(
  tx: Writer,
  gateway: Gateway,
  marketplace: Marketplace,
  { call, meeting, by }: { call: Call; meeting: Meeting; by: CallMove['by'] },
): Promise<Call> {
  const current = await lockOwnCall(tx, call.marketplaceId, call.id);
  if (current.state === 'accepted') return current;
  if (current.state !== 'ringing') {
    await move(tx, gateway, meeting, { type: 'cancelled' }, { cancelReason: `call_${current.state}` });
    return current;
  }
  const { meeting: bought } = await buyIn(tx, gateway, { marketplace, meetingId: meeting.id, customerId: call.customerId });
  if (policyOf(marketplace).meter.enabled && call.prepaidBlocks !== null)
    await creditMeeting(tx, gateway, bought, { blocks: call.prepaidBlocks, balanceText: null });
  await cancelJob(tx, { kind: 'call.expire', subjectId: call.id });
  await auditCall(tx, gateway, current, { action: 'call.accepted', by, meeting_id: bought.id });
  await emit(tx, gateway, acceptedEvent(current, bought.id));
  return setCall(tx, call.id, { state: 'accepted', answeredAt: gateway.now(), meetingId: bought.id });
}
