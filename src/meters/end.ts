import { isFailure } from '../domain/failure.ts';
import { emitAll } from '../events/emit.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import { endMeeting } from '../meetings/lifecycle.ts';
import { meetingEvent } from '../meetings/tell.ts';
import { lockMeeting, type Meeting } from '../store/meetings.ts';
import { findMeter } from '../store/meters.ts';
import { endingOf } from './advance.ts';
import { followMeter, toldSessions } from './follow.ts';

/** Job `meter.end`: nobody has paid for what comes now (T08). Credit that came in the meantime takes it back. */
export async function endUnpaid(gateway: Gateway, meetingId: string): Promise<void> {
  const meeting = await gateway.db.write(async (tx) => {
    const current = await lockMeeting(tx, meetingId);
    if (current?.state !== 'live') return undefined;
    await followMeter(tx, gateway, current, await toldSessions(tx, meetingId));
    const meter = await findMeter(tx, meetingId);
    if (meter === undefined || meter.exhaustedAt === null) return undefined;
    return endingOf(gateway, await policyFor(tx, current), current) === 'gateway' ? current : undefined;
  });
  if (meeting === undefined) return;
  try {
    await endMeeting(gateway, { marketplaceId: meeting.marketplaceId, meetingId, by: 'gateway' });
  } catch (error) {
    // It has ended by itself.
    if (isFailure(error, 'conflict')) return;
    // The account cannot be reached any more: only the people can end it now.
    if (isFailure(error, 'reconnect_required') || isFailure(error, 'not_capable')) return tellUnended(gateway, meeting);
    throw error;
  }
}

/** Told once more, with another ending than was promised. */
async function tellUnended(gateway: Gateway, meeting: Meeting): Promise<void> {
  await gateway.db.write(async (tx) => {
    const meter = await findMeter(tx, meeting.id);
    const running = (await toldSessions(tx, meeting.id)).findLast(({ endedAt }) => endedAt === null);
    if (meter === undefined || meter.exhaustedAt === null || meter.creditBlocks === null || running === undefined) return;
    await emitAll(tx, gateway, [
      meetingEvent(meeting, 'meter.credit_exhausted', `${running.instanceId} ${meter.creditBlocks} not ended`, {
        session_id: running.instanceId,
        at: meter.exhaustedAt.toISOString(),
        used_blocks: meter.usedBlocks,
        credit_blocks: meter.creditBlocks,
        ending: 'not_capable',
      }),
    ]);
  });
  gateway.wake();
}
