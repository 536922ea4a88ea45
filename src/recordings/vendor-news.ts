/**
 * The account's owner deletes a recording at the vendor, or takes it out of the trash again. Such news may come late, twice and out of order:
 * the last one by the vendor's clock counts. `recordings.vendorEndedAt` keeps its moment.
 */
import { vendorRecordingContext } from '../connections/sealed.ts';
import { newId } from '../domain/id.ts';
import { expiryOf } from '../domain/recording.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import { insertAuditEntry } from '../store/audit.ts';
import type { Writer } from '../store/database.ts';
import { scheduleJob } from '../store/jobs.ts';
import { lockMeeting, type Meeting } from '../store/meetings.ts';
import { insertRecording, lockRecordingByFingerprint, updateRecording, type Recording } from '../store/recordings.ts';
import { revokeRecording } from './erase.ts';
import { dropFiles, isPart } from './files.ts';
import { newRecording, recordingFingerprint, tellWithheld } from './ready.ts';
import { lookSoon } from './reconcile.ts';
import { closeShareSoon } from './unshare.ts';
import { suspectGone } from './vanished.ts';

interface News {
  /** The vendor's id of the recording. */
  readonly recordingId: string;
  /** Of single files; null when it is about all of them. */
  readonly fileIds: readonly string[] | null;
  /** By the vendor's clock. */
  readonly at: Date;
}

/** It is taken back, for good unless the vendor recovers it; when others of its files are left to be watched, it goes on without these. */
export async function noteRemoved(tx: Writer, gateway: Gateway, meeting: Meeting, { recordingId, fileIds, at }: News): Promise<void> {
  const recording = await lockNamedRecording(tx, meeting, recordingId);
  if (recording === undefined) {
    // Nobody heard of it, and nobody will: what is said of it later was before this.
    const now = gateway.now();
    const tombstone: Recording = {
      ...newRecording(gateway, meeting, recordingId),
      state: 'revoked',
      reason: 'deleted_at_vendor',
      vendorRecordingSealed: null,
      expiresAt: expiryOf(await policyFor(tx, meeting), { readyAt: now, publishedAt: null }),
      vendorEndedAt: at,
      erasedAt: now,
    };
    await insertRecording(tx, tombstone);
    await insertAuditEntry(tx, {
      id: newId(gateway, 'aud'),
      marketplaceId: meeting.marketplaceId,
      at: now,
      action: 'recording.revoked',
      subjectId: tombstone.id,
      details: { meeting_id: meeting.id, reason: 'deleted_at_vendor', never_known: true },
    });
    return;
  }
  if (isTakenBack(recording) && recording.reason !== 'deleted_at_vendor') return;
  const isLive = !isTakenBack(recording);
  if (isLive && isPart(recording, fileIds)) {
    // The later news may have been about other files.
    if (isOlder(at, recording)) return suspectGone(tx, gateway, recording.id);
    await dropFiles(tx, gateway, meeting, recording, fileIds);
    await updateRecording(tx, { id: recording.id, from: [recording.state, 'revoked'] }, { vendorEndedAt: at });
    return;
  }
  if (isOlder(at, recording)) return;
  if (isLive) await revokeRecording(tx, gateway, meeting, recording, 'deleted_at_vendor');
  await updateRecording(tx, { id: recording.id, from: ['revoked'] }, { vendorEndedAt: at });
}

/** Within its time it is there again, and shown to nobody before somebody asks for it. Single files come back to where they were. */
export async function noteRecovered(tx: Writer, gateway: Gateway, meeting: Meeting, news: News): Promise<void> {
  const { recordingId, fileIds, at } = news;
  let recording = await lockNamedRecording(tx, meeting, recordingId);
  if (recording !== undefined && recording.vendorEndedAt !== null && at <= recording.vendorEndedAt) return;
  if (recording !== undefined && !isTakenBack(recording) && isPart(recording, fileIds)) {
    await updateRecording(tx, { id: recording.id, from: [recording.state] }, { vendorEndedAt: at });
    return lookSoon(tx, gateway, meeting.id);
  }
  // It was deleted before; that was not told, or comes later than this.
  if (recording === undefined || !isTakenBack(recording)) {
    await noteRemoved(tx, gateway, meeting, { ...news, fileIds: null });
    recording = (await lockNamedRecording(tx, meeting, recordingId))!;
  }
  const now = gateway.now();
  if (recording.reason !== 'deleted_at_vendor') return;
  if (recording.expiresAt !== null && recording.expiresAt <= now) return closeLate(tx, gateway, recording, news);
  const expiresAt =
    recording.expiresAt ??
    expiryOf(await policyFor(tx, meeting), { readyAt: recording.readyAt ?? now, publishedAt: recording.publishedAt });
  const back = await updateRecording(
    tx,
    { id: recording.id, from: ['revoked'] },
    {
      state: 'withheld',
      reason: 'recovered',
      vendorRecordingSealed: gateway.vault.seal(recordingId, vendorRecordingContext(recording.id)),
      expiresAt,
      vendorEnding: null,
      vendorEndedAt: at,
      erasedAt: null,
    },
  );
  if (back === undefined) return;
  await scheduleJob(tx, { kind: 'recording.expire', subjectId: back.id, dueAt: expiresAt });
  await tellWithheld(tx, gateway, meeting, back);
  // Its page may be open again with it.
  await closeShareSoon(tx, gateway, back);
  // Its files were forgotten with it.
  await lookSoon(tx, gateway, meeting.id);
}

/** Its time is over, and its page may be open again with it: what has to be done at the vendor at an end is done now. */
async function closeLate(tx: Writer, gateway: Gateway, { id, sharedAt }: Recording, { recordingId, at }: News): Promise<void> {
  if (sharedAt === null) return;
  const vendorRecordingSealed = gateway.vault.seal(recordingId, vendorRecordingContext(id));
  const changes = { vendorRecordingSealed, vendorEnding: 'pending', vendorEndedAt: at, erasedAt: null };
  await updateRecording(tx, { id, from: ['revoked'] }, changes);
  await scheduleJob(tx, { kind: 'recording.delete', subjectId: id, dueAt: gateway.now() });
}

/** Consents and purchases of the meeting wait meanwhile. */
async function lockNamedRecording(tx: Writer, meeting: Meeting, vendorRecordingId: string): Promise<Recording | undefined> {
  await lockMeeting(tx, meeting.id);
  return lockRecordingByFingerprint(tx, recordingFingerprint(meeting, vendorRecordingId));
}

const isOlder = (at: Date, { vendorEndedAt }: Recording): boolean => vendorEndedAt !== null && at < vendorEndedAt;
const isTakenBack = ({ state }: Recording): boolean => state === 'expired' || state === 'revoked';
