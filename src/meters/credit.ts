/** What the marketplace has paid for (T08), and what its customers see of it (T11). */
import { Failure, found } from '../domain/failure.ts';
import type { Policy } from '../domain/policy.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import type { Writer } from '../store/database.ts';
import { findOwnMeeting, lockMeeting, type Meeting } from '../store/meetings.ts';
import { findMeter, listMeterBlocks, saveMeters, type Meter, type MeterBlock } from '../store/meters.ts';
import { endingOf, newMeter, type Ending } from './advance.ts';
import { followMeter, toldSessions } from './follow.ts';

export interface Paid {
  /** All blocks that are paid for, those that were used included. */
  readonly blocks: number;
  /** Left out: as it was. */
  readonly balanceText?: string | null | undefined;
}

/** Credit is set, not added, so a repeat changes nothing. What comes while the meeting still runs takes its end back. */
export async function creditMeeting(
  tx: Writer,
  gateway: Gateway,
  { id }: Pick<Meeting, 'id'>,
  { blocks, balanceText }: Paid,
): Promise<void> {
  const meeting = found(await lockMeeting(tx, id));
  const meter = (await findMeter(tx, id)) ?? newMeter(meeting);
  await saveMeters(tx, [{ ...meter, creditBlocks: blocks, balanceText: balanceText === undefined ? meter.balanceText : balanceText }]);
  if (meeting.state === 'live' || meeting.state === 'ended') await followMeter(tx, gateway, meeting, await toldSessions(tx, id));
}

interface Which {
  readonly marketplaceId: string;
  readonly meetingId: string;
}

export interface MeterView {
  readonly meeting: Meeting;
  readonly policy: Policy;
  readonly meter: Meter;
  readonly blocks: readonly MeterBlock[];
  readonly ending: Ending;
}

/** @throws Failure `not_found`; `conflict` where nothing is metered, and of a meeting that will not take place */
export async function setCredit(gateway: Gateway, { marketplaceId, meetingId }: Which, paid: Paid): Promise<MeterView> {
  await gateway.db.write(async (tx) => {
    const meeting = found(await findOwnMeeting(tx, marketplaceId, meetingId));
    if (!(await policyFor(tx, meeting)).meter.enabled) throw new Failure('conflict', 'The policy does not meter sessions.');
    if (meeting.state === 'cancelled' || meeting.state === 'expired') throw new Failure('conflict', `The meeting is ${meeting.state}.`);
    const { continuedBy } = meeting;
    if (continuedBy !== null && (await findMeter(tx, continuedBy)) !== undefined) {
      throw new Failure('conflict', 'The meeting goes on as another one, and so does its credit.', {
        extra: { continued_by: continuedBy },
      });
    }
    await creditMeeting(tx, gateway, meeting, paid);
  });
  gateway.wake();
  return showMeter(gateway, { marketplaceId, meetingId });
}

/** @throws Failure `not_found` */
export async function showMeter(gateway: Gateway, { marketplaceId, meetingId }: Which): Promise<MeterView> {
  const { read } = gateway.db;
  const meeting = found(await findOwnMeeting(read, marketplaceId, meetingId));
  const policy = await policyFor(read, meeting);
  return {
    meeting,
    policy,
    meter: (await findMeter(read, meetingId)) ?? newMeter(meeting),
    blocks: (await listMeterBlocks(read, [meetingId])).get(meetingId) ?? [],
    ending: endingOf(gateway, policy, meeting),
  };
}
