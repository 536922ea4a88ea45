/** Zoom's description of a recording, the same in lists and in events, as ours. */
import { z } from 'zod';
import type { FileKind, VendorFile, VendorRecording } from '../provider.ts';

const file = z.object({
  // Captions and timelines have no id and cannot be fetched one by one.
  id: z.string().optional(),
  file_type: z.string().optional(),
  file_size: z.number().optional(),
  recording_start: z.string().optional(),
  recording_end: z.string().optional(),
  status: z.string().optional(),
  download_url: z.string().optional(),
});
export type ZoomFile = z.infer<typeof file>;

export const zoomRecording = z.object({
  uuid: z.string().min(1),
  start_time: z.string().optional(),
  recording_files: z.array(file).optional(),
});
export type ZoomRecording = z.infer<typeof zoomRecording>;

const KINDS: Readonly<Record<string, readonly [FileKind, string]>> = {
  MP4: ['video', 'video/mp4'],
  M4A: ['audio', 'audio/mp4'],
  TRANSCRIPT: ['transcript', 'text/vtt'],
  CC: ['transcript', 'text/vtt'],
  CHAT: ['chat', 'text/plain'],
  CHAT_MESSAGE: ['chat', 'text/plain'],
  CSV: ['other', 'text/csv'],
  TB: ['other', 'image/jpeg'],
  SUMMARY: ['other', 'application/json'],
  TIMELINE: ['other', 'application/json'],
};

/** Tracks of single participants (`participant_audio_files`) are no part of what is published. */
export function toRecording({ uuid, start_time: startTime, recording_files: all = [] }: ZoomRecording): VendorRecording {
  const complete = all.filter(({ status }) => status === undefined || status === 'completed');
  const files = complete.flatMap((entry) => toFile(entry) ?? []);
  const stillProcessing = all.some((entry) => entry.status === 'processing' && ['video', 'audio'].includes(kindOf(entry)[0]));
  const state = files.length > 0 && !stillProcessing ? 'ready' : 'processing';
  const starts = [...all.map(({ recording_start: start }) => momentOf(start)), momentOf(startTime)].filter(
    (moment) => moment !== undefined,
  );
  const ends = all.map(({ recording_end: end }) => momentOf(end)).filter((moment) => moment !== undefined);
  return {
    id: uuid,
    state,
    startedAt: starts.reduce<Date | null>((first, moment) => (first === null || moment < first ? moment : first), null),
    endedAt: ends.reduce<Date | null>((last, moment) => (last === null || moment > last ? moment : last), null),
    files: state === 'ready' ? files : [],
  };
}

export const kindOf = ({ file_type: type = '' }: ZoomFile): readonly [FileKind, string] =>
  (Object.hasOwn(KINDS, type) ? KINDS[type] : undefined) ?? ['other', 'application/octet-stream'];

/** Undefined for the empty string, which Zoom sends for "none", and for what is no moment. */
export function momentOf(text: string | undefined): Date | undefined {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? undefined : new Date(ms);
}

function toFile(entry: ZoomFile): VendorFile | undefined {
  if (entry.id === undefined || entry.id === '') return undefined;
  const [kind, contentType] = kindOf(entry);
  return { id: entry.id, kind, contentType, bytes: entry.file_size ?? null };
}
