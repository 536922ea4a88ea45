import type { EventType, NewEvent } from '../events/emit.ts';
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
