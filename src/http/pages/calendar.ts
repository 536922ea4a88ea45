/** A meeting as an entry for the customer's own calendar (RFC 5545). It leads to the join page; the vendor's link is no part of it (C03). */
import { endsAt } from '../../domain/meeting.ts';
import { dateTimeRange, zoneName } from '../../domain/spoken-time.ts';
import type { Meeting } from '../../store/meetings.ts';
import { type Language, translator } from './texts/index.ts';

export interface CalendarEntry {
  readonly language: Language;
  readonly now: Date;
  readonly meeting: Meeting;
  readonly marketplace: string;
  /** The name of the app, as people know it. */
  readonly app: string;
  readonly joinUrl: string;
}

/**
 * `add` puts it into a calendar or moves the entry that is there; `take_out` takes it out. Moments are in UTC, which every calendar shows
 * in its own zone: a TZID would need the rules of that zone in the file (RFC 5545, 3.2.19). The text names the zone of the meeting.
 */
export async function calendarFile(
  kind: 'add' | 'take_out',
  { language, now, meeting, marketplace, app, joinUrl }: CalendarEntry,
): Promise<string> {
  const { default: createCalendar, ICalCalendarMethod: Method, ICalEventStatus: Status } = await import('ical-generator');
  const t = translator(language);
  const until = endsAt(meeting);
  const cancelled = kind === 'take_out';
  const calendar = createCalendar({
    prodId: { company: 'conferencing-gateway', product: 'meetings', language: language.toUpperCase() },
    method: cancelled ? Method.CANCEL : Method.PUBLISH,
  });
  calendar.createEvent({
    id: `${meeting.id}@${new URL(joinUrl).hostname}`,
    stamp: now,
    // A cancellation has to be newer than what it cancels (RFC 5546, 3.2.5).
    sequence: cancelled ? 1 : 0,
    start: meeting.startsAt,
    end: until,
    summary: meeting.title,
    location: app,
    description: [
      cancelled ? t('calendar.cancelled') : t('calendar.about', { app, marketplace }),
      `${dateTimeRange(language, meeting.startsAt, until, meeting.timeZone)}, ${zoneName(language, meeting.startsAt, meeting.timeZone)}`,
      ...(cancelled ? [] : [t('calendar.join', { url: joinUrl })]),
    ].join('\n'),
    url: joinUrl,
    status: cancelled ? Status.CANCELLED : Status.CONFIRMED,
  });
  return calendar.toString();
}
