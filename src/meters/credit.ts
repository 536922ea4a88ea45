import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import type { Meeting } from '../store/meetings.ts';

/** What the meeting may use. */
export async function creditMeeting(
  tx: Writer,
  _gateway: Gateway,
  { id: meetingId, marketplaceId, bookingId }: Meeting,
  { blocks: creditBlocks, balanceText }: { blocks: number; balanceText: string | null },
): Promise<void> {
  const { meters } = tx.t;
  await tx
    .insert(meters)
    .values({ meetingId, marketplaceId, bookingId, creditBlocks, usedBlocks: 0, blockEndsAt: null, exhaustedAt: null, balanceText })
    .onConflictDoUpdate({ target: meters.meetingId, set: { creditBlocks, balanceText } });
}
