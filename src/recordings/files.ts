/** Single files of a recording that the vendor has no more: its owner can delete them one by one. */
import { newId } from '../domain/id.ts';
import type { Gateway } from '../gateway.ts';
import { insertAuditEntry } from '../store/audit.ts';
import type { Writer } from '../store/database.ts';
import type { Meeting } from '../store/meetings.ts';
import { updateRecording, type Recording } from '../store/recordings.ts';
import { revokeRecording } from './erase.ts';

type Files = Recording['files'];

/** Whether some of its files are not among these. Of a recording without files that are known, the vendor means the whole. */
export const isPart = ({ files }: Pick<Recording, 'files'>, fileIds: readonly string[] | null): fileIds is readonly string[] =>
  fileIds !== null && files.some(({ id }) => !fileIds.includes(id));

/** The recording, which is locked, goes on without them, or is taken back when nothing is left to be watched. */
export async function dropFiles(
  tx: Writer,
  gateway: Gateway,
  meeting: Meeting,
  recording: Recording,
  fileIds: readonly string[],
): Promise<void> {
  const left = recording.files.filter(({ id }) => !fileIds.includes(id));
  if (left.length === recording.files.length) return;
  if (left.length === 0 || (hasVideo(recording.files) && !hasVideo(left)))
    return revokeRecording(tx, gateway, meeting, recording, 'deleted_at_vendor');
  await updateRecording(tx, { id: recording.id, from: [recording.state] }, { files: left });
  await insertAuditEntry(tx, {
    id: newId(gateway, 'aud'),
    marketplaceId: recording.marketplaceId,
    at: gateway.now(),
    action: 'recording.files_removed',
    subjectId: recording.id,
    details: { meeting_id: meeting.id, reason: 'deleted_at_vendor', removed: recording.files.length - left.length, left: left.length },
  });
}

const hasVideo = (files: Files): boolean => files.some(({ kind }) => kind === 'video');
