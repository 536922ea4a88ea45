/** A customer has bought: the first purchase locks the link (G06, G08), each one opens that customer's way in (G03). */
import { Failure, notFound } from '../domain/failure.ts';
import { isOver, joinWindow, type MeetingState } from '../domain/meeting.ts';
import { policyOf } from '../domain/presets/index.ts';
import type { Gateway } from '../gateway.ts';
import { considerRecording } from '../recordings/automatic.ts';
import { shareWith } from '../recordings/ready.ts';
import { cancelJob, scheduleJob } from '../store/jobs.ts';
import type { Marketplace } from '../store/marketplaces.ts';
import {
  findAttendee,
  findOwnMeeting,
  insertAttendee,
  markPurchased,
  updateMeeting,
  type Attendee,
  type Meeting,
} from '../store/meetings.ts';
import type { Writer } from '../store/database.ts';
import { listPackageMeetings } from '../store/packages.ts';
import { newAttendee } from './reserve.ts';
import { tellMeeting } from './tell.ts';

/** A meeting moves a few times in its whole life; more than that in a row is a mistake of ours. */
const MAX_ATTEMPTS = 5;

export interface Purchase {
  readonly meeting: Meeting;
  readonly attendee: Attendee;
  /** True when this very purchase was reported before. */
  readonly repeated: boolean;
}

/** @throws Failure `not_found`, `purchase_expired`, `conflict` */
export function purchase(gateway: Gateway, what: { marketplace: Marketplace; meetingId: string; customerId: string }): Promise<Purchase> {
  return unlessMoved(gateway, (tx) => buyIn(tx, gateway, what));
}

/** Every meeting of a package, or none. */
export function purchasePackage(
  gateway: Gateway,
  { marketplace, packageId, customerId }: { marketplace: Marketplace; packageId: string; customerId: string },
): Promise<Purchase[]> {
  return unlessMoved(gateway, async (tx) => {
    const meetings = await listPackageMeetings(tx, marketplace.id, packageId);
    if (meetings.length === 0) throw notFound();
    const purchases: Purchase[] = [];
    for (const { id } of meetings) purchases.push(await buyIn(tx, gateway, { marketplace, meetingId: id, customerId }));
    return purchases;
  });
}

/** Again, when somebody else moved a meeting in between: two customers may buy at the same moment. */
export async function unlessMoved<T>(gateway: Gateway, work: (tx: Writer) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const result = await gateway.db.write(work);
      gateway.wake();
      return result;
    } catch (error) {
      if (!(error instanceof Moved)) throw error;
      if (attempt === MAX_ATTEMPTS) throw new Failure('conflict', 'The meeting has just changed. Try again.');
    }
  }
}

class Moved extends Error {}

/** The same in an open transaction. */
export async function buyIn(
  tx: Writer,
  gateway: Gateway,
  { marketplace, meetingId, customerId }: { marketplace: Marketplace; meetingId: string; customerId: string },
): Promise<Purchase> {
  const meeting = await findOwnMeeting(tx, marketplace.id, meetingId);
  if (meeting === undefined) throw notFound();
  const known = await findAttendee(tx, meeting.id, customerId);
  if (known?.purchasedAt) return { meeting, attendee: known, repeated: true };
  const at = gateway.now();
  checkOpen(meeting, at);
  if (known === undefined && meeting.bookingKind !== 'event') throw new Failure('not_found', 'This customer is not part of the booking.');

  const unknown = known ?? newAttendee(gateway, meeting, { customerId, name: null, locale: null, cameraOff: false });
  if (known === undefined) await insertAttendee(tx, unknown);
  // Two reports of one purchase may arrive together: one of them marks it.
  const attendee = await markPurchased(tx, { meetingId: meeting.id, customerId, at });
  if (attendee === undefined) return { meeting, attendee: (await findAttendee(tx, meeting.id, customerId))!, repeated: true };

  const updated = await updateMeeting(
    tx,
    { id: meeting.id, from: [meeting.state] },
    { lockedAt: meeting.lockedAt ?? at, ...(meeting.state === 'awaiting_purchase' ? { state: 'confirmed' } : {}) },
  );
  if (updated === undefined) throw new Moved();
  if (meeting.lockedAt === null) {
    const policy = policyOf(marketplace);
    await cancelJob(tx, { kind: 'meeting.expire', subjectId: meeting.id });
    await scheduleJob(tx, { kind: 'meeting.close', subjectId: meeting.id, dueAt: joinWindow(policy, updated).closesAt });
    await tellMeeting(tx, gateway, updated, 'meeting.link_locked', 'once');
  }
  await tellMeeting(tx, gateway, updated, 'meeting.purchased', customerId, { customer_id: customerId });
  await shareWith(tx, gateway, updated, customerId);
  await considerRecording(tx, gateway, updated);
  return { meeting: updated, attendee, repeated: false };
}

function checkOpen(meeting: Meeting, now: Date): void {
  const state = meeting.state as MeetingState;
  if (state === 'link_pending') throw new Failure('conflict', 'The link is not made yet. Wait for meeting.link_ready.');
  if (state === 'expired' || (meeting.lockedAt === null && now >= meeting.purchaseBy))
    throw new Failure('purchase_expired', 'The time to complete the purchase is over.');
  if (isOver(state)) throw new Failure('conflict', `The meeting is ${state}.`);
  if (meeting.continuedBy !== null)
    throw new Failure('conflict', 'The meeting goes on as another one: that is the one to buy.', {
      extra: { continued_by: meeting.continuedBy },
    });
}
