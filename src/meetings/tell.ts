import { hostTokenContext, joinTokenContext } from '../connections/sealed.ts';
import { emit, type EventType, type NewEvent } from '../events/emit.ts';
import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import { findMeeting, listAttendees, type Meeting } from '../store/meetings.ts';

/** What every event about a meeting says. */
type Told = Pick<Meeting, 'id' | 'marketplaceId' | 'bookingId' | 'professionalId' | 'provider' | 'state'>;

type Telling = Pick<Gateway, 'now' | 'random' | 'vault'>;

/** An event about a meeting. `key` tells it from others of its type for the same meeting; `links` are kept sealed. */
export const tellMeeting = (
  tx: Writer,
  gateway: Telling,
  meeting: Told,
  type: EventType,
  key: string,
  more: Record<string, unknown> = {},
  links?: Record<string, unknown>,
): Promise<boolean> => emit(tx, gateway, { ...meetingEvent(meeting, type, key, more), ...(links === undefined ? {} : { links }) });

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

/** The meeting is there, perhaps without its link yet; of a continuation also that the earlier one goes on as this one. Each is told once. */
export async function tellCreated(tx: Writer, gateway: Telling & Pick<Gateway, 'config'>, meeting: Meeting): Promise<void> {
  await tellMeeting(tx, gateway, meeting, 'meeting.created', 'once');
  const before = meeting.continues === null ? undefined : await findMeeting(tx, meeting.continues);
  if (before === undefined) return;
  const { config, vault } = gateway;
  const attendees = await listAttendees(tx, [meeting.id]);
  await tellMeeting(
    tx,
    gateway,
    before,
    'meeting.continued',
    // One that came to nothing may have been told before.
    meeting.id,
    { continued_by: meeting.id, duration_minutes: meeting.durationMinutes },
    {
      host_url: `${config.publicUrl}/h/${vault.open(meeting.hostTokenSealed, hostTokenContext(meeting.id))}`,
      attendees: attendees.map(({ id, customerId, joinTokenSealed }) => ({
        customer_id: customerId,
        join_url: `${config.publicUrl}/j/${vault.open(joinTokenSealed, joinTokenContext(id))}`,
      })),
    },
  );
}
