/** A recipient opens a personal link: checked, counted, streamed. */
import type { Media } from '../../providers/provider.ts';
import { atVendor } from '../connections/account.ts';
import { vendorRecordingContext } from '../connections/sealed.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import { hashToken } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import { connectionOf, meetingRef } from '../meetings/link.ts';
import { insertAuditEntry } from '../store/audit.ts';
import { findMeeting, type Meeting } from '../store/meetings.ts';
import { countView, findRecordingByLink, type Recording, type RecordingLink } from '../store/recordings.ts';
import { tellRecording } from './ready.ts';
import { suspectGone } from './vanished.ts';

export interface OpenedRecording {
  readonly link: RecordingLink;
  readonly recording: Recording;
}

/** @throws Failure `not_found`, `gone` (expired, revoked, withheld again) */
export async function openRecordingLink({ db, now }: Gateway, token: string): Promise<OpenedRecording> {
  const found = await findRecordingByLink(db.read, hashToken(token));
  if (found === undefined) throw new Failure('not_found', 'There is no such recording link.');
  const { link, recording } = found;
  // The day of expiry counts from its moment, not from when the job gets to it.
  const open = recording.state === 'published' && link.revokedAt === null && recording.expiresAt !== null && recording.expiresAt > now();
  if (!open) throw new Failure('gone', 'This recording is no longer available.');
  return found;
}

/** Writes the view down; the first one of each recipient is told to the marketplace. */
export async function noteView(gateway: Gateway, { link, recording }: OpenedRecording, meeting: Meeting): Promise<void> {
  const { db, now, wake } = gateway;
  const first = await db.write(async (tx) => {
    const isFirst = await countView(tx, link.id, now());
    await insertAuditEntry(tx, {
      id: newId(gateway, 'aud'),
      marketplaceId: recording.marketplaceId,
      at: now(),
      action: 'recording.viewed',
      subjectId: recording.id,
      details: { customer_id: link.customerId },
    });
    if (isFirst)
      await tellRecording(tx, gateway, meeting, recording, 'recording.viewed', { customer_id: link.customerId }, undefined, link.id);
    return isFirst;
  });
  if (first) wake();
}

/** One file as a stream from the vendor; the browser sees neither the vendor's URL nor a token. */
export async function openMedia(
  gateway: Gateway,
  token: string,
  { fileIndex, range, signal }: { fileIndex: number; range: string | undefined; signal: AbortSignal },
): Promise<Media> {
  const { db, vault } = gateway;
  const { recording } = await openRecordingLink(gateway, token);
  const file = recording.files[fileIndex];
  const meeting = await findMeeting(db.read, recording.meetingId);
  if (file === undefined || meeting === undefined) throw new Failure('not_found', 'There is no such file.');
  const ref = meetingRef(gateway, meeting);
  const { vendorRecordingSealed } = recording;
  if (ref === undefined || vendorRecordingSealed === null) throw new Failure('gone', 'This recording is no longer available.');
  const recordingId = vault.open(vendorRecordingSealed, vendorRecordingContext(recording.id));
  try {
    return await atVendor(gateway, await connectionOf(gateway, meeting), ({ recordings }, account) =>
      recordings.open(account, { meeting: ref, recordingId, fileId: file.id, range, signal }),
    );
  } catch (error) {
    if (isFailure(error, 'gone')) await suspectGone(gateway, recording.id);
    throw error;
  }
}
