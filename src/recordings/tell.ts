import type { EventType, OwnData } from '../events/catalogue.ts';
import { emit, type NewEvent } from '../events/emit.ts';
import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import type { RecordedMeeting } from '../store/meetings.ts';
import type { Recording } from '../store/recordings.ts';

type Common = 'recording_id' | 'meeting_id' | 'booking_id' | 'professional_id';
/** The types of events that say all this, and what each says beyond it. */
type RecordingEventType = {
  [Type in EventType]: OwnData<Type> extends Record<Common, string> ? Type : never;
}[EventType];
type More<Type extends RecordingEventType> = Omit<OwnData<Type>, Common>;

export const tellRecording = <Type extends RecordingEventType>(
  tx: Writer,
  gateway: Pick<Gateway, 'now' | 'random' | 'vault'>,
  meeting: RecordedMeeting,
  recording: Pick<Recording, 'id'>,
  type: Type,
  more: More<Type>,
  key = 'once',
): Promise<boolean> => emit(tx, gateway, recordingEvent(meeting, recording, type, key, more));

/** The same event, to be written later or with others. */
export const recordingEvent = <Type extends RecordingEventType>(
  meeting: RecordedMeeting,
  { id }: Pick<Recording, 'id'>,
  type: Type,
  key: string,
  more: More<Type>,
): NewEvent<Type> & NewEvent => {
  const data = {
    recording_id: id,
    meeting_id: meeting.id,
    booking_id: meeting.bookingId,
    professional_id: meeting.professionalId,
    ...more,
  };
  // What is common and what is more make the whole; the compiler does not put them together for a type that it does not know yet.
  return { marketplaceId: meeting.marketplaceId, type, subjectId: id, key, data } as unknown as NewEvent<Type> & NewEvent;
};
