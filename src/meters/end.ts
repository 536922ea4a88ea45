import { isFailure } from '../domain/failure.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import { endMeeting } from '../meetings/lifecycle.ts';
import { findMeeting } from '../store/meetings.ts';
import { findMeter } from '../store/meters.ts';
import { endingOf } from './advance.ts';

/** Job `meter.end`: nobody has paid for what comes now (T08). Credit that came in the meantime takes it back. */
export async function endUnpaid(gateway: Gateway, meetingId: string): Promise<void> {
  const { read } = gateway.db;
  const meeting = await findMeeting(read, meetingId);
  const meter = await findMeter(read, meetingId);
  if (meeting?.state !== 'live' || meter === undefined || meter.exhaustedAt === null) return;
  if (endingOf(gateway, await policyFor(read, meeting), meeting) !== 'gateway') return;
  try {
    await endMeeting(gateway, { marketplaceId: meeting.marketplaceId, meetingId, by: 'gateway' });
  } catch (error) {
    // It has ended by itself.
    if (!isFailure(error, 'conflict')) throw error;
  }
}
