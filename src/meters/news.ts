/** What the pages of a running meeting show of its meter (T11). Of many meetings at once: the number of queries does not grow with them. */
import type { Policy } from '../domain/policy.ts';
import { MINUTE, plus } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { findMeter, listMeterBlocks, listMeters, type Meter, type MeterBlock } from '../store/meters.ts';
import type { Reader } from '../store/database.ts';
import type { Meeting } from '../store/meetings.ts';
import { endingOf, type Ending } from './advance.ts';

export interface MeterNews {
  /** Null before the session begins. */
  readonly session: SessionNews | null;
  /** As the marketplace wrote it. */
  readonly balance: string | null;
  /** What becomes of the meeting while there is a block that nobody has paid for; null where there is none. */
  readonly unpaid: Ending | null;
}

export interface SessionNews {
  readonly since: Date;
  /** From 1 in each session. */
  readonly block: number;
  readonly blockEndsAt: Date;
  /** Whether more than this block is paid for. */
  readonly last: boolean;
}

/** Minutes that are paid for, where the vendor cannot end the meeting after them; null elsewhere. */
export async function selfTimedMinutes(gateway: Gateway, meeting: Meeting, policy: Policy): Promise<number | null> {
  if (!policy.meter.enabled || endingOf(gateway, policy, meeting) !== 'not_capable') return null;
  const { creditBlocks = null } = (await findMeter(gateway.db.read, meeting.id)) ?? {};
  return creditBlocks === null ? null : creditBlocks * policy.meter.block_minutes;
}

/** Of a running meeting; null where nothing is known to be paid or used. */
export async function meterNews(
  db: Reader,
  meetings: readonly Meeting[],
): Promise<(gateway: Gateway, meeting: Meeting, policy: Policy) => MeterNews | null> {
  const meters = await listMeters(
    db,
    meetings.filter(({ runningSince }) => runningSince !== null).map(({ id }) => id),
  );
  const blocks = await listMeterBlocks(
    db,
    [...meters.values()].filter(({ usedBlocks }) => usedBlocks > 0).map(({ meetingId }) => meetingId),
  );
  return (gateway, meeting, policy) => {
    const meter = meters.get(meeting.id);
    if (meter === undefined || !policy.meter.enabled) return null;
    return {
      session: sessionOf(
        meeting,
        meter,
        (blocks.get(meeting.id) ?? []).filter(({ voidedAt }) => voidedAt === null),
        policy,
      ),
      balance: meter.balanceText,
      unpaid: meter.exhaustedAt === null ? null : endingOf(gateway, policy, meeting),
    };
  };
}

/** `blocks`: those that count, oldest first. In the grace there is none yet, and the first one runs all the same. */
function sessionOf({ runningSince }: Meeting, meter: Meter, blocks: readonly MeterBlock[], { meter: rules }: Policy): SessionNews | null {
  const { blockEndsAt, creditBlocks, usedBlocks } = meter;
  const blockMs = rules.block_minutes * MINUTE;
  const current = blocks.findLast(({ startsAt }) => runningSince !== null && startsAt >= runningSince);
  if (current === undefined) {
    return blockEndsAt === null ? null : { since: plus(blockEndsAt, -blockMs), block: 1, blockEndsAt, last: creditBlocks === 1 };
  }
  const { startsAt: since } = blocks.find(({ instanceId }) => instanceId === current.instanceId) ?? current;
  return {
    since,
    block: current.number,
    blockEndsAt: plus(current.startsAt, blockMs),
    last: creditBlocks !== null && usedBlocks >= creditBlocks,
  };
}
