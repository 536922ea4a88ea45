/** Whether a meeting is to be recorded by the vendor itself: only while everybody's consent allows it (G12, F09). */
import { isOver, joinWindow, type MeetingState } from '../domain/meeting.ts';
import type { Policy } from '../domain/policy.ts';
import { recordsByItself } from '../domain/recording.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import type { Reader, Writer } from '../store/database.ts';
import { scheduleJob } from '../store/jobs.ts';
import type { Meeting } from '../store/meetings.ts';
import { recordingFacts } from './verdict.ts';

/** What `meetings.degraded` says while the vendor does otherwise than it was told. */
export const DROPPED = 'record_automatically';

/**
 * Has the vendor told when it does not do what is wanted now. When the doors open it is looked at once more: the policy may have changed, and
 * what was dropped in silence is tried again then and not before, because vendors count changes, and what stands in the way (a plan, a
 * setting of the account) does not go within minutes.
 */
export async function considerRecording(tx: Writer, gateway: Gateway, meeting: Meeting): Promise<void> {
  if (!isSettable(meeting)) return;
  const isDropped = meeting.degraded.includes(DROPPED);
  if (meeting.recording === 'none' && !meeting.recordsAutomatically && !isDropped) return;
  const policy = await policyFor(tx, meeting);
  const isRight = (await isWanted(tx, policy, meeting)) === meeting.recordsAutomatically;
  const { opensAt } = joinWindow(policy, meeting);
  const at = gateway.now();
  const isEarly = opensAt > at;
  if (isRight && !isDropped && (!isEarly || meeting.recording === 'none')) return;
  const dueAt = isRight === isDropped || !isEarly ? at : opensAt;
  await scheduleJob(tx, { kind: 'meeting.recording', subjectId: meeting.id, dueAt });
}

/** The vendor's meeting is there and goes on being ours. A link that was made elsewhere is its owner's business. */
export const isSettable = ({ linkSource, state, vendorMeetingId }: Meeting): boolean =>
  linkSource === 'created' && vendorMeetingId !== null && !isOver(state as MeetingState);

export const isWanted = async (db: Reader, policy: Policy, meeting: Meeting): Promise<boolean> =>
  recordsByItself(await recordingFacts(db, policy, meeting));
