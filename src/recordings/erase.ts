/** The end of a publication: links die, everything about the file is erased, a tombstone stays (G15). */
import { newId } from '../domain/id.ts';
import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import type { RevokedReason } from '../domain/recording.ts';
import { insertAuditEntry } from '../store/audit.ts';
import { eraseEventLinks } from '../store/events.ts';
import { cancelJob, scheduleJob } from '../store/jobs.ts';
import { findMeeting, type Meeting } from '../store/meetings.ts';
import { eraseLinkTokens, findRecording, revokeLinks, updateRecording, type Recording } from '../store/recordings.ts';
import { tellRecording } from './ready.ts';

/** Job `recording.expire`. */
export async function expireRecording(gateway: Gateway, recordingId: string): Promise<void> {
  const { db, now, wake } = gateway;
  await db.write(async (tx) => {
    const recording = await findRecording(tx, recordingId);
    if (recording === undefined || recording.expiresAt === null) return;
    if (recording.state !== 'published' && recording.state !== 'withheld') return;
    if (recording.expiresAt > now()) {
      await scheduleJob(tx, { kind: 'recording.expire', subjectId: recording.id, dueAt: recording.expiresAt });
      return;
    }
    const meeting = (await findMeeting(tx, recording.meetingId))!;
    await erase(tx, gateway, recording, { state: 'expired', reason: null });
    await tellRecording(tx, gateway, meeting, recording, 'recording.expired', { erased_at: now().toISOString() });
  });
  wake();
}

/** Takes the whole recording back before its time. */
export async function revokeRecording(
  tx: Writer,
  gateway: Gateway,
  meeting: Meeting,
  recording: Recording,
  reason: RevokedReason,
): Promise<void> {
  await revokeLinks(tx, { recordingId: recording.id, at: gateway.now() });
  await erase(tx, gateway, recording, { state: 'revoked', reason });
  await cancelJob(tx, { kind: 'recording.expire', subjectId: recording.id });
  await tellRecording(tx, gateway, meeting, recording, 'recording.revoked', { reason });
}

/** Only dates, states and one-way digests stay. */
async function erase(
  tx: Writer,
  gateway: Gateway,
  recording: Recording,
  end: { state: 'expired' | 'revoked'; reason: RevokedReason | null },
): Promise<void> {
  const at = gateway.now();
  await updateRecording(
    tx,
    { id: recording.id, from: [recording.state] },
    { ...end, vendorRecordingSealed: null, linkSealed: null, title: null, files: [], startedAt: null, endedAt: null, erasedAt: at },
  );
  await eraseLinkTokens(tx, recording.id);
  await eraseEventLinks(tx, recording.id);
  await insertAuditEntry(tx, {
    id: newId(gateway, 'aud'),
    marketplaceId: recording.marketplaceId,
    at,
    action: `recording.${end.state}`,
    subjectId: recording.id,
    details: { meeting_id: recording.meetingId, published_at: recording.publishedAt?.toISOString() ?? null, files: recording.files.length },
  });
}
