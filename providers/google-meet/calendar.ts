/** The other way to a Meet link, for accounts that may not create spaces: a Calendar event that asks for a conference. */
import { isFailure, Failure } from '../../src/domain/failure.ts';
import { MINUTE, SECOND, plus } from '../../src/domain/time.ts';
import type { Account, MeetingChange, MeetingRequest, VendorMeeting } from '../provider.ts';
import type { Ask } from './client.ts';
import { unlessRefused } from './failures.ts';
import { CALENDAR_EVENTS, SPACE_SETTINGS } from './scopes.ts';
import { calendarEvent, empty, type CalendarEvent, type Space } from './shapes.ts';
import { droppedSettings, type Spaces } from './spaces.ts';

/** Chosen: 7.5 s in all; Google names no time for a pending conference. */
const WAITS_MS = [0.5 * SECOND, SECOND, 2 * SECOND, 4 * SECOND];

export interface Calendar {
  create(account: Account, request: MeetingRequest): Promise<VendorMeeting>;
  change(account: Account, eventId: string, change: MeetingChange): Promise<void>;
  /** Succeeds when the event is gone already. */
  remove(account: Account, eventId: string): Promise<void>;
}

export function createCalendar({ ask, spaces, wait }: { ask: Ask; spaces: Spaces; wait: (ms: number) => Promise<void> }): Calendar {
  const common = { scopes: [CALENDAR_EVENTS], repeatable: true };
  const primary = { calendarId: 'primary' } as const;

  const get = (account: Account, eventId: string): Promise<CalendarEvent> =>
    ask(account, {
      ...common,
      what: 'events.get',
      request: ({ calendar }, options) => calendar.events.get({ ...primary, eventId }, options),
      answer: calendarEvent,
    });

  const remove = async (account: Account, eventId: string): Promise<void> => {
    await unlessRefused(
      ask(account, {
        ...common,
        what: 'events.delete',
        request: ({ calendar }, options) => calendar.events.delete({ ...primary, eventId, sendUpdates: 'none' }, options),
        answer: empty,
      }),
      404,
      410,
    );
  };

  /** Our id makes the call repeatable: the second one is refused with 409, and the event of the first one is taken. */
  const insertOrAdopt = async (account: Account, id: string, request: MeetingRequest): Promise<CalendarEvent> => {
    const conferenceData = { createRequest: { requestId: request.key, conferenceSolutionKey: { type: 'hangoutsMeet' } } };
    const inserted = await unlessRefused(
      ask(account, {
        ...common,
        what: 'events.insert',
        request: ({ calendar }, options) =>
          calendar.events.insert(
            // Without the version Google takes the event and drops the conference in silence.
            { ...primary, conferenceDataVersion: 1, sendUpdates: 'none', requestBody: { id, ...appointment(request), conferenceData } },
            options,
          ),
        answer: calendarEvent,
      }),
      409,
    );
    return inserted ?? get(account, id);
  };

  const conferenceId = async (account: Account, inserted: CalendarEvent): Promise<string> => {
    let event = inserted;
    for (const ms of WAITS_MS) {
      if (!isPending(event)) break;
      await wait(ms);
      event = await get(account, event.id);
    }
    if (isPending(event)) {
      throw new Failure('vendor_unavailable', 'Google Calendar has not made the Meet link yet.', { retryAfterMs: MINUTE });
    }
    if (event.status === 'cancelled') {
      throw new Failure('vendor_refused', 'The Calendar event of this meeting was deleted.', { extra: { vendor_code: 'cancelled' } });
    }
    // A failed request and no conference at all come to the same.
    const code = event.conferenceData?.conferenceId;
    if (code === undefined) throw new Failure('not_capable', 'Google Calendar makes no Meet link for this account.');
    return code;
  };

  /** Guests without a Google account would have to knock otherwise. A space made by Calendar may be changed with `settings` only. */
  const opened = async (account: Account, found: Space, request: MeetingRequest): Promise<Space> => {
    if (!account.scopes.includes(SPACE_SETTINGS)) return found;
    const open = found.config?.accessType === 'OPEN' ? found : await tolerated(spaces.setAccess(account, found.name, 'OPEN'), found);
    return request.recordAutomatically ? tolerated(spaces.setAutoRecording(account, found.name, true), open) : open;
  };

  return {
    async create(account, request) {
      const eventId = eventIdOf(request.key);
      const event = await insertOrAdopt(account, eventId, request);
      try {
        const meetingCode = await conferenceId(account, event);
        // Events and records carry the permanent id; the code may be given to another space after a year.
        const found = await spaces.get(account, `spaces/${meetingCode}`);
        const degraded = droppedSettings(await opened(account, found, request), request);
        return { id: found.name, joinUrl: found.meetingUri, details: { via: 'calendar', eventId }, degraded };
      } catch (error) {
        // An event without a usable link would only confuse the professional. What may still come is left to the next attempt.
        if (isFailure(error, 'not_capable') || isFailure(error, 'vendor_refused')) await remove(account, eventId).catch(() => undefined);
        throw error;
      }
    },

    async change(account, eventId, change) {
      await unlessRefused(
        ask(account, {
          ...common,
          what: 'events.patch',
          request: ({ calendar }, options) =>
            calendar.events.patch({ ...primary, eventId, sendUpdates: 'none', requestBody: appointment(change) }, options),
          answer: empty,
        }),
        404,
        410,
      );
    },

    remove,
  };
}

/** Calendar wants base32hex without padding, `[a-v0-9]{5,1024}`; the same key gives the same id. */
export function eventIdOf(key: string): string {
  const bits = [...Buffer.from(key, 'utf8')].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{1,5}/g) ?? []).map((five) => Number.parseInt(five.padEnd(5, '0'), 2).toString(32)).join('');
}

const isPending = ({ conferenceData }: CalendarEvent): boolean => conferenceData?.createRequest?.status?.statusCode === 'pending';

const appointment = ({ title, startsAt, durationMinutes, timeZone }: MeetingChange) => ({
  summary: title,
  start: { dateTime: startsAt.toISOString(), timeZone },
  end: { dateTime: plus(startsAt, durationMinutes * MINUTE).toISOString(), timeZone },
});

async function tolerated(change: Promise<Space>, otherwise: Space): Promise<Space> {
  try {
    return await change;
  } catch (error) {
    if (isFailure(error, 'vendor_refused') || isFailure(error, 'not_capable')) return otherwise;
    throw error;
  }
}
