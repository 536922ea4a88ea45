import type { Gateway } from '../gateway.ts';
import { move } from '../meetings/lifecycle.ts';
import { bookingKeys } from '../meetings/reserve.ts';
import type { Call } from '../store/calls.ts';
import type { Writer } from '../store/database.ts';
import { findLiveBooking, findMeeting } from '../store/meetings.ts';

/** What an answer that died, or is still under way, has made for a call that ends otherwise is taken away: nobody goes there. */
export async function dropMeeting(tx: Writer, gateway: Gateway, call: Call, reason: string): Promise<void> {
  if (call.answeredAt === null) return;
  const claim = {
    marketplace: { id: call.marketplaceId },
    booking: { id: call.bookingId, kind: 'one_to_one' as const },
    attendees: [{ customerId: call.customerId }],
  };
  const holder = await findLiveBooking(tx, bookingKeys(claim));
  const meeting = holder === undefined ? undefined : await findMeeting(tx, holder);
  if (meeting?.callId === call.id) await move(tx, gateway, meeting, { type: 'cancelled' }, { cancelReason: reason });
}
