/** What Zoom tells about one recorded meeting, as signed requests. */
import { signZoom } from '../providers/zoom-vendor.ts';

export interface Told {
  /** The meeting's number. */
  readonly number: string;
  readonly event: string;
  readonly bytes: Buffer;
}

const seconds = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');

/** In the order in which it happens: start, recording, everybody joins and leaves, end, files, transcript. */
export function zoomStory(number: string, { startsAt, people }: { startsAt: Date; people: number }): Told[] {
  const began = startsAt.getTime();
  const ended = began + 30 * 60_000;
  const uuid = Buffer.from(`instance ${number}`).toString('base64');
  const object = { id: number, uuid, host_id: 'host', topic: 'Test', type: 2, start_time: seconds(began), timezone: 'UTC', duration: 30 };
  const tell = (event: string, ms: number, more: Record<string, unknown>): Told => ({
    number,
    event,
    bytes: Buffer.from(JSON.stringify({ event, event_ts: ms, payload: { account_id: 'account', object: { ...object, ...more } } })),
  });
  const person = (index: number) => ({
    user_id: String(16_778_240 + index),
    user_name: `Person ${index}`,
    participant_uuid: `${number}-${index}`,
  });
  const file = (id: string, type: string) => ({
    id: `${number}-${id}`,
    file_type: type,
    file_size: 1_000,
    recording_start: seconds(began),
    recording_end: seconds(ended),
    status: 'completed',
  });
  const visits = Array.from({ length: people }, (_, index) => {
    const [joined, left] = [began + (index + 1) * 1_000, ended - (index + 1) * 1_000];
    return [
      tell('meeting.participant_joined', joined, { participant: { ...person(index), join_time: seconds(joined) } }),
      tell('meeting.participant_left', left, { participant: { ...person(index), leave_time: seconds(left), leave_reason: 'left' } }),
    ];
  });
  return [
    tell('meeting.started', began, {}),
    tell('recording.started', began, { recording_file: { recording_start: seconds(began), recording_end: '' } }),
    ...visits.map(([joined]) => joined!),
    ...visits.map(([, left]) => left!),
    tell('recording.stopped', ended, { recording_file: { recording_start: seconds(began), recording_end: seconds(ended) } }),
    tell('meeting.ended', ended, { end_time: seconds(ended) }),
    tell('recording.completed', ended + 60_000, { recording_files: [file('video', 'MP4'), file('audio', 'M4A')] }),
    tell('recording.transcript_completed', ended + 90_000, { recording_files: [file('transcript', 'TRANSCRIPT')] }),
  ];
}

/** True when it was acknowledged; false for any other answer and for none. Zoom gives up after three seconds. */
export async function tellGateway(publicUrl: string, secret: string, { bytes }: Told, now: Date): Promise<boolean> {
  try {
    const answer = await fetch(`${publicUrl}/webhooks/zoom`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...signZoom(secret, bytes, now) },
      body: new Uint8Array(bytes),
      signal: AbortSignal.timeout(3_000),
    });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}
