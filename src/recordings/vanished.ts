/** A recording whose file the vendor does not give any more, while nobody told that it was deleted. */
import type { Account, MediaRequest, Recordings } from '../../providers/provider.ts';
import { atVendor } from '../connections/account.ts';
import { isFailure } from '../domain/failure.ts';
import { MINUTE, plus } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { connectionOf } from '../meetings/link.ts';
import type { Writer } from '../store/database.ts';
import { findJob, scheduleJob } from '../store/jobs.ts';
import { findMeeting } from '../store/meetings.ts';
import { findRecording, lockRecording, type Recording } from '../store/recordings.ts';
import { recordingRef } from './at-vendor.ts';
import { revokeRecording } from './erase.ts';
import { dropFiles } from './files.ts';

export const VERIFY = 'recording.verify';

/** One odd answer says nothing: the vendor is asked once more when whatever was odd may be over. */
const WAIT_MS = 5 * MINUTE;

export async function suspectGone(tx: Writer, { now }: Pick<Gateway, 'now'>, recordingId: string): Promise<void> {
  const job = { kind: VERIFY, subjectId: recordingId };
  const planned = await findJob(tx, job);
  // A viewer who tries again and again does not put it off.
  if (planned === undefined || planned.deadAt !== null) await scheduleJob(tx, { ...job, dueAt: plus(now(), WAIT_MS) });
}

/** Job `recording.verify`: files that the vendor does not have any more go, and the recording with the last one that could be watched. */
export async function verifyRecording(gateway: Gateway, recordingId: string): Promise<void> {
  const { db, wake } = gateway;
  const recording = await findRecording(db.read, recordingId);
  const meeting = recording && (await findMeeting(db.read, recording.meetingId));
  const named = meeting && recordingRef(gateway, recording, meeting);
  if (recording === undefined || meeting === undefined || named === undefined || !isShown(recording)) return;
  const connection = await connectionOf(gateway, meeting);
  if (connection.status !== 'active') return;
  const { isListed, gone } = await atVendor(gateway, connection, async ({ recordings }, account) => {
    const listed = (await recordings.list(account, named.meeting)).some(({ id }) => id === named.recordingId);
    const missing: string[] = [];
    // Google still names a recording whose file was deleted; at Zoom one of several may have been.
    for (const { id: fileId } of listed ? recording.files : []) {
      if (!(await opens(recordings, account, { ...named, fileId }))) missing.push(fileId);
    }
    return { isListed: listed, gone: missing };
  });
  if (isListed && gone.length === 0) return;
  await db.write(async (tx) => {
    const current = await lockRecording(tx, recordingId);
    if (current === undefined || !isShown(current)) return;
    if (isListed) await dropFiles(tx, gateway, meeting, current, gone);
    else await revokeRecording(tx, gateway, meeting, current, 'deleted_at_vendor');
  });
  wake();
}

const isShown = ({ state, vendorRecordingSealed }: Recording): boolean =>
  vendorRecordingSealed !== null && (state === 'published' || state === 'withheld');

async function opens(
  recordings: Recordings,
  account: Account,
  file: Pick<MediaRequest, 'meeting' | 'recordingId' | 'fileId'>,
): Promise<boolean> {
  const stop = new AbortController();
  try {
    await recordings.open(account, { ...file, range: 'bytes=0-0', signal: stop.signal });
    return true;
  } catch (error) {
    if (isFailure(error, 'gone')) return false;
    throw error;
  } finally {
    stop.abort();
  }
}
