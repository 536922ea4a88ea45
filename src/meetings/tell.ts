import { emit, type EventType, type NewEvent } from '../events/emit.ts';
import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import type { Meeting } from '../store/meetings.ts';

/** What every event about a meeting says. */
type Told = Pick<Meeting, 'id' | 'marketplaceId' | 'bookingId' | 'professionalId' | 'provider' | 'state'>;

/** An event about a meeting. `key` tells it from others of its type for the same meeting. */
export const tellMeeting = (
  tx: Writer,
  gateway: Pick<Gateway, 'now' | 'random' | 'vault'>,
  meeting: Told,
  type: EventType,
  key: string,
  more: Record<string, unknown> = {},
): Promise<boolean> => emit(tx, gateway, meetingEvent(meeting, type, key, more));

/** The same event, to be written later or with others. */
export const meetingEvent = (meeting: Told, type: EventType, key: string, more: Record<string, unknown>): NewEvent => ({
  marketplaceId: meeting.marketplaceId,
  type,
  subjectId: meeting.id,
  key,
  data: {
    meeting_id: meeting.id,
    booking_id: meeting.bookingId,
    professional_id: meeting.professionalId,
    provider: meeting.provider,
    state: meeting.state,
    ...more,
  },
});
