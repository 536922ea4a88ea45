/** A recording that is withheld is shown by nobody: its page at the vendor is closed, and opened anew at the next click when it is shown again. */
import { atVendor } from '../connections/account.ts';
import { vendorRecordingContext } from '../connections/sealed.ts';
import { Failure } from '../domain/failure.ts';
import type { Gateway } from '../gateway.ts';
import { connectionOf, meetingRef } from '../meetings/link.ts';
import type { Writer } from '../store/database.ts';
import { scheduleJob } from '../store/jobs.ts';
import { findMeeting } from '../store/meetings.ts';
import { findRecording, lockRecording, updateRecording, type Recording } from '../store/recordings.ts';
import { closePage, possibleAtVendor, sureFrom } from './at-vendor.ts';

export const UNSHARE = 'recording.unshare';

/** Of a recording whose page at the vendor is not, or may not be, closed. */
export async function closeShareSoon(tx: Writer, { now }: Pick<Gateway, 'now'>, { id, sharedAt }: Recording): Promise<void> {
  if (sharedAt !== null) await scheduleJob(tx, { kind: UNSHARE, subjectId: id, dueAt: now() });
}

/**
 * Job `recording.unshare`. What it cannot close is closed at the end of the recording, where a failure is told.
 * @throws Failure what the vendor's adapter throws, `vendor_nonsense` when the page is still open; then the worker comes back
 */
export async function closeShare(gateway: Gateway, recordingId: string): Promise<void> {
  const { db, now, vault } = gateway;
  const recording = await findRecording(db.read, recordingId);
  const meeting = recording && (await findMeeting(db.read, recording.meetingId));
  const ref = meeting && meetingRef(gateway, meeting);
  if (recording === undefined || meeting === undefined || ref === undefined || !isShared(recording)) return;
  const named = { meeting: ref, recordingId: vault.open(recording.vendorRecordingSealed!, vendorRecordingContext(recording.id)) };
  const connection = await connectionOf(gateway, meeting);
  await atVendor(gateway, connection, async ({ recordings }, account) => {
    const { close } = possibleAtVendor(recordings, connection, { close: true, remove: false });
    if (!close) throw new Failure('not_capable', 'The account does not allow to close the page of its recording.');
    await closePage(recordings.shares!, account, named);
  });
  await db.write(async (tx) => {
    const locked = await lockRecording(tx, recordingId);
    if (locked === undefined) return;
    const sure = sureFrom(locked);
    const isSure = sure <= now();
    // Closed once more when nothing that was asked before can open it any more.
    if (locked.state === 'withheld' && !isSure) await scheduleJob(tx, { kind: UNSHARE, subjectId: recordingId, dueAt: sure });
    // Shown again meanwhile: whether its page was opened before or after this is not known, so the next click opens it.
    const changes = locked.state === 'withheld' && isSure ? { linkSealed: null, sharedAt: null } : { linkSealed: null };
    await updateRecording(tx, { id: recordingId, from: ['withheld', 'published'] }, changes);
  });
}

const isShared = ({ state, sharedAt, vendorRecordingSealed }: Recording): boolean =>
  state === 'withheld' && sharedAt !== null && vendorRecordingSealed !== null;
