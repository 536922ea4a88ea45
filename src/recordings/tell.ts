import { emit, type EventType, type NewEvent } from '../events/emit.ts';
import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import type { RecordedMeeting } from '../store/meetings.ts';
import type { Recording } from '../store/recordings.ts';

export const recordingEvent = (
  meeting: RecordedMeeting,
  { id }: Pick<Recording, 'id'>,
  type: EventType,
  key: string,
  more: Record<string, unknown> = {},
): NewEvent => ({
  marketplaceId: meeting.marketplaceId,
  type,
  subjectId: id,
  key,
  data: {
    recording_id: id,
    meeting_id: meeting.id,
    booking_id: meeting.bookingId,
    professional_id: meeting.professionalId,
    ...more,
  },
});

/** Written with the change that it tells about; false when it was told before. */
export function tellRecording(
  tx: Writer,
  gateway: Gateway,
  meeting: RecordedMeeting,
  recording: Pick<Recording, 'id'>,
  type: EventType,
  more: Record<string, unknown> = {},
  links?: Record<string, unknown>,
  key = 'once',
): Promise<boolean> {
  return emit(tx, gateway, { ...recordingEvent(meeting, recording, type, key, more), ...(links === undefined ? {} : { links }) });
}
