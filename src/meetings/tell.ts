import { hostTokenContext, joinTokenContext } from '../connections/sealed.ts';
import type { ProviderId } from '../domain/apps.ts';
import type { MeetingState } from '../domain/meeting.ts';
import type { EventType, OwnData } from '../events/catalogue.ts';
import { emit, emitAll, type NewEvent } from '../events/emit.ts';
import { inPieces } from '../events/pieces.ts';
import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import { findMeeting, listAttendees, type Meeting } from '../store/meetings.ts';

/** What every event about a meeting says. */
type Told = Pick<Meeting, 'id' | 'marketplaceId' | 'bookingId' | 'professionalId' | 'provider' | 'state'>;

type Telling = Pick<Gateway, 'now' | 'random' | 'vault'>;

type Common = 'meeting_id' | 'booking_id' | 'professional_id' | 'provider' | 'state';
/** The types of events that say all this, and what each says beyond it. */
type MeetingEventType = { [Type in EventType]: OwnData<Type> extends OwnData<'meeting.created'> ? Type : never }[EventType];
type More<Type extends MeetingEventType> = Omit<OwnData<Type>, Common>;
type Rest<Type extends MeetingEventType> = keyof More<Type> extends never ? [] : [more: More<Type>];

/** An event about a meeting. `key` tells it from others of its type for the same meeting. */
export const tellMeeting = <Type extends MeetingEventType>(
  tx: Writer,
  gateway: Telling,
  meeting: Told,
  type: Type,
  key: string,
  ...rest: Rest<Type>
): Promise<boolean> => emit(tx, gateway, meetingEvent(meeting, type, key, ...rest));

/** The same event, to be written later or with others. */
export const meetingEvent = <Type extends MeetingEventType>(
  meeting: Told,
  type: Type,
  key: string,
  ...[more]: Rest<Type>
): NewEvent<Type> & NewEvent => {
  const data = {
    meeting_id: meeting.id,
    booking_id: meeting.bookingId,
    professional_id: meeting.professionalId,
    provider: meeting.provider as ProviderId,
    state: meeting.state as MeetingState,
    ...more,
  };
  // What is common and what is more make the whole; the compiler does not put them together for a type that it does not know yet.
  return { marketplaceId: meeting.marketplaceId, type, subjectId: meeting.id, key, data } as unknown as NewEvent<Type> & NewEvent;
};

/** The meeting is there, perhaps without its link yet; of a continuation also that the earlier one goes on as this one. Each is told once. */
export async function tellCreated(tx: Writer, gateway: Telling & Pick<Gateway, 'config'>, meeting: Meeting): Promise<void> {
  await tellMeeting(tx, gateway, meeting, 'meeting.created', 'once');
  const before = meeting.continues === null ? undefined : await findMeeting(tx, meeting.continues);
  if (before === undefined) return;
  const { config, vault } = gateway;
  const host_url = `${config.publicUrl}/h/${vault.open(meeting.hostTokenSealed, hostTokenContext(meeting.id))}`;
  const attendees = (await listAttendees(tx, [meeting.id])).map(({ id, customerId, joinTokenSealed }) => ({
    customer_id: customerId,
    join_url: `${config.publicUrl}/j/${vault.open(joinTokenSealed, joinTokenContext(id))}`,
  }));
  const more = { continued_by: meeting.id, duration_minutes: meeting.durationMinutes };
  await emitAll(
    tx,
    gateway,
    // One that came to nothing may have been told before: the key is the continuation.
    inPieces(meeting.id, attendees).map(({ key, items }) => ({
      ...meetingEvent(before, 'meeting.continued', key, more),
      links: { host_url, attendees: [...items] },
    })),
  );
}
