/** Tells the vendor whether it is to record a meeting by itself, and believes what it reads back (G12). */
import { atVendor } from '../connections/account.ts';
import { isFailure } from '../domain/failure.ts';
import { isOver, joinWindow, MEETING_STATES } from '../domain/meeting.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import { connectionOf, meetingRef, providerOf } from '../meetings/link.ts';
import { findMeeting, lockMeeting, updateMeeting, type Meeting } from '../store/meetings.ts';
import { considerRecording, DROPPED, isSettable, isWanted } from './automatic.ts';

const NOT_OVER = MEETING_STATES.filter((state) => !isOver(state));

/** Job `meeting.recording`. @throws Failure what the vendor's adapter throws; then the worker comes back */
export async function switchRecording(gateway: Gateway, meetingId: string): Promise<void> {
  const { db, now } = gateway;
  const meeting = await findMeeting(db.read, meetingId);
  if (meeting === undefined || !isSettable(meeting)) return;
  const policy = await policyFor(db.read, meeting);
  const wanted = await isWanted(db.read, policy, meeting);
  const does = wanted === meeting.recordsAutomatically ? undefined : await tellVendor(gateway, meeting, wanted);

  await db.write(async (tx) => {
    const current = (await lockMeeting(tx, meeting.id))!;
    // Another link has taken its place meanwhile, and was made with what was wanted then.
    if (current.vendorKey !== meeting.vendorKey || current.linkSource !== 'created') return;
    const degraded = current.degraded.filter((name) => name !== DROPPED);
    if (does !== undefined && does !== wanted) degraded.push(DROPPED);
    const changes = does === undefined ? { degraded } : { degraded, recordsAutomatically: does };
    const settled = await updateMeeting(tx, { id: meeting.id, from: NOT_OVER }, changes);
    if (settled === undefined) return;
    // Somebody may have decided while the vendor worked, and found nothing to change.
    const hasChanged = (await isWanted(tx, policy, settled)) !== wanted;
    if (hasChanged || joinWindow(policy, settled).opensAt > now()) await considerRecording(tx, gateway, settled);
  });
}

/** What the vendor does from now on. */
async function tellVendor(gateway: Gateway, meeting: Meeting, wanted: boolean): Promise<boolean> {
  const ref = meetingRef(gateway, meeting);
  const connection = await connectionOf(gateway, meeting);
  const { recordAutomatically } = providerOf(gateway, meeting);
  if (ref === undefined || recordAutomatically === undefined) return meeting.recordsAutomatically;
  try {
    return await atVendor(gateway, connection, (_, account) => recordAutomatically(account, ref, wanted));
  } catch (error) {
    // Where there is no meeting any more, nothing is recorded.
    if (isFailure(error, 'gone')) return false;
    throw error;
  }
}
