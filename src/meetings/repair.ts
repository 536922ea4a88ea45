/** Job `meeting.link`: finishes a reservation whose vendor call failed, or whose process died. */
import { isFailure } from '../domain/failure.ts';
import type { Gateway } from '../gateway.ts';
import { findMeeting, type Meeting } from '../store/meetings.ts';
import { move } from './lifecycle.ts';
import { connectionOf, makeVendorMeeting, settleLink } from './link.ts';

export async function repairLink(gateway: Gateway, meetingId: string): Promise<void> {
  const { db, wake } = gateway;
  const meeting = await findMeeting(db.read, meetingId);
  if (meeting === undefined || meeting.state !== 'link_pending') return;
  try {
    await makeAndSettle(gateway, meeting);
  } catch (error) {
    // It is not tried again. While a continuation waits, nobody can make another one, and people are in the middle of a conversation.
    const final = isFailure(error, 'reconnect_required') || isFailure(error, 'not_capable');
    if (final && meeting.continues !== null) {
      await db.write(async (tx) => {
        const current = await findMeeting(tx, meeting.id);
        if (current?.state === 'link_pending') await move(tx, gateway, current, { type: 'cancelled' }, { cancelReason: error.code });
      });
      wake();
    }
    throw error;
  }
}

async function makeAndSettle(gateway: Gateway, meeting: Meeting): Promise<void> {
  const connection = await connectionOf(gateway, meeting);
  const made = await makeVendorMeeting(gateway, meeting, connection, { retry: true });
  await settleLink(gateway, meeting, made, { late: true });
}
