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
  markPurchased,
  updateMeeting,
  type Attendee,
  type Meeting,
} from '../store/meetings.ts';
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
export async function purchase(
  gateway: Gateway,
  { marketplace, meetingId, customerId }: { marketplace: Marketplace; meetingId: string; customerId: string },
): Promise<Purchase> {
  const { wake } = gateway;
  for (let attempt = 1; ; attempt += 1) {
    const result = await buy(gateway, marketplace, meetingId, customerId);
    if (result !== undefined) {
      wake();
      return result;
    }
    if (attempt === MAX_ATTEMPTS) throw new Failure('conflict', 'The meeting has just changed. Try again.');
  }
}

/** Undefined when somebody else moved the meeting in between: two customers may buy at the same moment. */
async function buy(gateway: Gateway, marketplace: Marketplace, meetingId: string, customerId: string): Promise<Purchase | undefined> {
  const changed = new Error('The meeting was moved by somebody else.');
  try {
    return await gateway.db.write(async (tx) => {
      const meeting = await findOwnMeeting(tx, marketplace.id, meetingId);
      if (meeting === undefined) throw new Failure('not_found', 'There is no such resource.');
      const known = await findAttendee(tx, meeting.id, customerId);
      if (known?.purchasedAt) return { meeting, attendee: known, repeated: true };
      const at = gateway.now();
      checkOpen(meeting, at);
      if (known === undefined && meeting.bookingKind !== 'event')
        throw new Failure('not_found', 'This customer is not part of the booking.');

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
      if (updated === undefined) throw changed;
      if (meeting.lockedAt === null) {
        const policy = policyOf(marketplace);
        await cancelJob(tx, { kind: 'meeting.expire', subjectId: meeting.id });
        await scheduleJob(tx, { kind: 'meeting.close', subjectId: meeting.id, dueAt: joinWindow(policy, updated).closesAt });
        await tellMeeting(tx, gateway, updated, 'meeting.link_locked', 'once');
      }
      await tellMeeting(tx, gateway, updated, 'meeting.purchased', customerId, { customer_id: customerId });
      return { meeting: updated, attendee, repeated: false };
    });
  } catch (error) {
    if (error === changed) return undefined;
    throw error;
  }
}

function checkOpen(meeting: Meeting, now: Date): void {
  const state = meeting.state as MeetingState;
  if (state === 'link_pending') throw new Failure('conflict', 'The link is not made yet. Wait for meeting.link_ready.');
  if (state === 'expired' || (meeting.lockedAt === null && now >= meeting.purchaseBy))
    throw new Failure('purchase_expired', 'The time to complete the purchase is over.');
  if (isOver(state)) throw new Failure('conflict', `The meeting is ${state}.`);
}
