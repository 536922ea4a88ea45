/** A customer has bought: the first purchase locks the link (G06, G08), each one opens that customer's way in (G03). */
import { Failure } from '../domain/failure.ts';
import { isOver, joinWindow, type MeetingState } from '../domain/meeting.ts';
import { policyOf } from '../domain/presets/index.ts';
import type { Gateway } from '../gateway.ts';
import { cancelJob, scheduleJob } from '../store/jobs.ts';
import type { Marketplace } from '../store/marketplaces.ts';
import {
  findAttendee,
  findOwnMeeting,
  insertAttendee,
  updateAttendee,
  updateMeeting,
  type Attendee,
  type Meeting,
} from '../store/meetings.ts';
import { newAttendee } from './reserve.ts';
import { tellMeeting } from './tell.ts';

export interface Purchase {
  readonly meeting: Meeting;
  readonly attendee: Attendee;
  /** True when this very purchase was reported before. */
  readonly repeated: boolean;
}

/** @throws Failure `not_found`, `purchase_expired`, `conflict` */
export async function purchase(
  gateway: Gateway,
  { marketplace, meetingId, customerId }: { marketplace: Marketplace; meetingId: string; customerId: string },
): Promise<Purchase> {
  const { db, now, wake } = gateway;
  const result = await db.write(async (tx) => {
    const meeting = await findOwnMeeting(tx, marketplace.id, meetingId);
    if (meeting === undefined) throw new Failure('not_found', 'There is no such resource.');
    const known = await findAttendee(tx, meeting.id, customerId);
    if (known?.purchasedAt) return { meeting, attendee: known, repeated: true };
    const at = now();
    checkOpen(meeting, at);
    if (known === undefined && meeting.bookingKind !== 'event') throw new Failure('not_found', 'This customer is not part of the booking.');

    const bought = known ?? newAttendee(gateway, meeting, { customerId, name: null, locale: null, cameraOff: false });
    // Two reports of one purchase may arrive together: the second one finds the first one's row.
    const inserted = known === undefined && (await insertAttendee(tx, { ...bought, purchasedAt: at }));
    const attendee = inserted
      ? { ...bought, purchasedAt: at }
      : await updateAttendee(tx, (known ?? (await findAttendee(tx, meeting.id, customerId)))!.id, { purchasedAt: at });

    const first = meeting.lockedAt === null;
    const updated = await updateMeeting(
      tx,
      { id: meeting.id, from: [meeting.state] },
      { lockedAt: meeting.lockedAt ?? at, ...(meeting.state === 'awaiting_purchase' ? { state: 'confirmed' } : {}) },
    );
    if (updated === undefined) throw new Failure('conflict', 'The meeting has just changed. Try again.');
    if (first) {
      const policy = policyOf(marketplace);
      await cancelJob(tx, { kind: 'meeting.expire', subjectId: meeting.id });
      await scheduleJob(tx, { kind: 'meeting.close', subjectId: meeting.id, dueAt: joinWindow(policy, updated).closesAt });
      await tellMeeting(tx, gateway, updated, 'meeting.link_locked', 'once');
    }
    await tellMeeting(tx, gateway, updated, 'meeting.purchased', customerId, { customer_id: customerId });
    return { meeting: updated, attendee: attendee!, repeated: false };
  });
  wake();
  return result;
}

function checkOpen(meeting: Meeting, now: Date): void {
  const state = meeting.state as MeetingState;
  if (state === 'link_pending') throw new Failure('conflict', 'The link is not made yet. Wait for meeting.link_ready.');
  if (state === 'expired' || (meeting.lockedAt === null && now >= meeting.purchaseBy))
    throw new Failure('purchase_expired', 'The time to complete the purchase is over.');
  if (isOver(state)) throw new Failure('conflict', `The meeting is ${state}.`);
}
