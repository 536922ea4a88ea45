/** A continuation that comes to nothing leaves the meeting that it was to continue as it was. */
import { isOver, type MeetingState } from '../domain/meeting.ts';
import type { Policy } from '../domain/policy.ts';
import type { Writer } from '../store/database.ts';
import { clearContinuation, handOverLiveBookings, type Meeting } from '../store/meetings.ts';
import { occupyHost } from './pool.ts';

/**
 * The earlier meeting may be continued once more, and while it runs it holds its booking and its host again. Nothing happens for a meeting
 * that continues none, and for one that was continued itself: its booking goes on. Before the claims of `continuation` are released.
 */
export async function takeBack(tx: Writer, policy: Policy, continuation: Meeting): Promise<void> {
  const { id, continues, continuedBy } = continuation;
  if (continues === null || continuedBy !== null) return;
  const before = await clearContinuation(tx, { id: continues, continuedBy: id });
  if (before === undefined || isOver(before.state as MeetingState)) return;
  await handOverLiveBookings(tx, { from: id, to: before.id });
  if (policy.hosting === 'platform') await occupyHost(tx, policy, before);
}
