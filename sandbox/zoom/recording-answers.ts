import { seconds } from '../clock.ts';
import type { RecordingFile, Zoom, ZoomRecording } from './state.ts';

const EXTENSIONS = { MP4: 'MP4', M4A: 'M4A', TRANSCRIPT: 'VTT', CC: 'VTT' } as const;

/** `api`: asked for by itself, where Zoom documents no address of the page. */
type Place = 'api' | 'list' | 'event';

/** The recording as the API tells it, or as an event carries it: events have more fields and other download addresses. */
export function describeRecording({ world }: Zoom, recording: ZoomRecording, place: Place): Record<string, unknown> {
  const { meeting, files } = recording;
  const minutes = Math.max(1, Math.round((recording.endedAt.getTime() - recording.startedAt.getTime()) / 60_000));
  const described = {
    uuid: recording.uuid,
    id: meeting.id,
    account_id: meeting.host.accountId,
    host_id: meeting.host.id,
    topic: meeting.topic,
    type: place === 'event' ? meeting.type : String(meeting.type),
    start_time: seconds(recording.startedAt),
    timezone: meeting.timezone,
    duration: minutes,
    total_size: files.reduce((sum, { size }) => sum + size, 0),
    recording_count: files.length,
    recording_play_passcode: recording.passcode,
    auto_delete: false,
    recording_files: files.map((file) => describeFile(world.origin, recording, file, place)),
    participant_audio_files: [],
  };
  const share_url = `${world.origin}/rec/share/${encodeURIComponent(recording.passcode)}`;
  if (place === 'api') return described;
  return place === 'list'
    ? { ...described, share_url }
    : { ...described, host_email: meeting.host.email, share_url, password: meeting.password, on_prem: false };
}

function describeFile(origin: string, recording: ZoomRecording, file: RecordingFile, place: Place): Record<string, unknown> {
  const common = {
    meeting_id: recording.uuid,
    recording_start: seconds(recording.startedAt),
    recording_end: seconds(recording.endedAt),
    file_type: file.fileType,
    file_extension: EXTENSIONS[file.fileType],
    recording_type: file.recordingType,
    // The address in an event answers with a redirect, the one of the API with the bytes.
    download_url: `${origin}/rec/${place === 'event' ? 'webhook_download' : 'download'}/${file.id}`,
  };
  if (file.fileType === 'CC') return common;
  return { id: file.id, ...common, file_size: file.size, play_url: `${origin}/rec/play/${file.id}`, status: 'completed' };
}
