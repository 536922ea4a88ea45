import { Hono } from 'hono';
import type { Context } from 'hono';
import { z } from 'zod';
import type { Env, Routes } from '../world.ts';
import { graphCaller, pathGraphUser } from './access.ts';
import { makeOnlineMeeting } from './online-meetings.ts';
import { graphError, graphTime } from './state.ts';
import type { CalendarEvent, Microsoft } from './state.ts';
import { readZonedTime } from './time-zone.ts';

const when = z.object({ dateTime: z.string(), timeZone: z.string().default('UTC') });
const eventBody = z.object({
  subject: z.string().optional(),
  body: z.record(z.string(), z.unknown()).optional(),
  start: when.optional(),
  end: when.optional(),
  attendees: z.array(z.unknown()).optional(),
  isOnlineMeeting: z.boolean().optional(),
  onlineMeetingProvider: z.string().optional(),
  transactionId: z.string().nullish(),
});

export function microsoftCalendarRoutes(microsoft: Microsoft): Routes {
  const { world, state } = microsoft;
  const find = (c: Context<Env>): CalendarEvent | Response => {
    const caller = graphCaller(microsoft, c, 'Calendars.ReadWrite', 'Calendars.Read');
    if (caller instanceof Response) return caller;
    const user = pathGraphUser(microsoft, c, caller);
    if (user instanceof Response) return user;
    const event = state.events.find(({ id, owner }) => id === c.req.param('event') && owner === user);
    return event ?? graphError(c, microsoft, 404, 'ErrorItemNotFound', 'The specified object was not found in the store.');
  };
  const remove = (event: CalendarEvent): void => {
    state.events = state.events.filter((other) => other !== event);
  };

  const routes = new Hono<Env>();
  for (const base of ['/v1.0/me/events', '/v1.0/users/:user/events'] as const) {
    routes
      .post(base, async (c) => {
        const caller = graphCaller(microsoft, c, 'Calendars.ReadWrite');
        if (caller instanceof Response) return caller;
        const owner = pathGraphUser(microsoft, c, caller);
        if (owner instanceof Response) return owner;
        const parsed = eventBody.required({ start: true, end: true }).safeParse(await c.req.json().catch(() => undefined));
        if (!parsed.success) return graphError(c, microsoft, 400, 'RequestBodyRead', z.prettifyError(parsed.error));
        const body = parsed.data;
        const [start, end] = [readZonedTime(body.start), readZonedTime(body.end)];
        if (start === undefined || end === undefined) {
          return graphError(c, microsoft, 400, 'TimeZoneNotSupportedException', 'A start or end time or its time zone is not valid.');
        }
        if (end < start) return graphError(c, microsoft, 400, 'ErrorPropertyValidationFailure', 'At least one property failed validation.');
        const twin = state.events.find(
          (event) => event.owner === owner && event.transactionId !== null && event.transactionId === body.transactionId,
        );
        if (twin) return c.json(describe(microsoft, twin), 201);

        const id = `AAMk${world.random(24).toString('base64url')}AAA=`;
        // Accounts without Teams: accepted, and the wish ignored.
        const meeting =
          body.isOnlineMeeting === true && owner.hasTeams
            ? makeOnlineMeeting(microsoft, { organizer: owner, subject: body.subject ?? '', start, end, eventId: id, externalId: null })
            : null;
        const event: CalendarEvent = {
          id,
          owner,
          transactionId: body.transactionId ?? null,
          createdAt: world.agenda.now(),
          meetingId: meeting?.id ?? null,
          subject: body.subject ?? '',
          start,
          end,
          timeZone: body.start.timeZone,
          body: body.body ?? { contentType: 'text', content: '' },
          attendees: body.attendees ?? [],
        };
        state.events.push(event);
        return c.json(describe(microsoft, event), 201);
      })

      .get(base, (c) => {
        const caller = graphCaller(microsoft, c, 'Calendars.ReadWrite', 'Calendars.Read');
        if (caller instanceof Response) return caller;
        const owner = pathGraphUser(microsoft, c, caller);
        if (owner instanceof Response) return owner;
        const period = startPeriod(c.req.query('$filter'));
        if (period === undefined)
          return graphError(c, microsoft, 400, 'BadRequest', 'The sandbox knows $filter on events by start/dateTime only.');
        const events = state.events
          .filter((event) => event.owner === owner && event.start >= period.from && event.start < period.until)
          .toReversed();
        const top = Number(c.req.query('$top') ?? 10);
        const skip = Number(c.req.query('$skip') ?? 0);
        const next =
          skip + top < events.length ? { '@odata.nextLink': `${world.origin}/v1.0/me/events?$top=${top}&$skip=${skip + top}` } : {};
        return c.json({ value: events.slice(skip, skip + top).map((event) => describe(microsoft, event)), ...next });
      })

      .get(`${base}/:event`, (c) => {
        const event = find(c);
        return event instanceof Response ? event : c.json(describe(microsoft, event));
      })

      .patch(`${base}/:event`, async (c) => {
        const event = find(c);
        if (event instanceof Response) return event;
        const parsed = eventBody.safeParse(await c.req.json().catch(() => undefined));
        if (!parsed.success) return graphError(c, microsoft, 400, 'RequestBodyRead', z.prettifyError(parsed.error));
        const { subject, start, end, body, attendees } = parsed.data;
        const [startsAt, endsAt] = [start ? readZonedTime(start) : event.start, end ? readZonedTime(end) : event.end];
        if (startsAt === undefined || endsAt === undefined) {
          return graphError(c, microsoft, 400, 'TimeZoneNotSupportedException', 'A start or end time or its time zone is not valid.');
        }
        Object.assign(event, {
          subject: subject ?? event.subject,
          start: startsAt,
          end: endsAt,
          timeZone: start?.timeZone ?? event.timeZone,
          body: body ?? event.body,
          attendees: attendees ?? event.attendees,
        });
        const meeting = state.meetings.find(({ id }) => id === event.meetingId);
        if (meeting) Object.assign(meeting, { subject: event.subject, start: event.start, end: event.end });
        return c.json(describe(microsoft, event));
      })

      .delete(`${base}/:event`, (c) => {
        const event = find(c);
        if (event instanceof Response) return event;
        remove(event);
        return c.body(null, 204);
      })

      .post(`${base}/:event/cancel`, (c) => {
        const event = find(c);
        if (event instanceof Response) return event;
        remove(event);
        return c.body(null, 202);
      });
  }
  return routes;
}

/** `start/dateTime ge '…' and start/dateTime lt '…'`, in UTC; all of time without a filter, undefined for any other. */
function startPeriod(filter: string | undefined): { from: Date; until: Date } | undefined {
  if (filter === undefined) return { from: new Date(0), until: new Date(8.64e15) };
  const [, from, until] = /^start\/dateTime ge '([^']+)' and start\/dateTime lt '([^']+)'$/.exec(filter) ?? [];
  const period = { from: new Date(`${from}Z`), until: new Date(`${until}Z`) };
  return Number.isNaN(period.from.getTime() + period.until.getTime()) ? undefined : period;
}

/** Times come back in UTC: the sandbox knows no `Prefer: outlook.timezone`. */
function describe({ state }: Microsoft, event: CalendarEvent): Record<string, unknown> {
  const meeting = state.meetings.find(({ id }) => id === event.meetingId);
  const at = (moment: Date): object => ({ dateTime: graphTime(moment).replace('Z', ''), timeZone: 'UTC' });
  return {
    '@odata.context': `https://graph.microsoft.com/v1.0/$metadata#users('${event.owner.id}')/events/$entity`,
    '@odata.etag': `W/"${event.id.slice(4, 20)}"`,
    id: event.id,
    createdDateTime: graphTime(event.createdAt),
    lastModifiedDateTime: graphTime(event.createdAt),
    changeKey: event.id.slice(4, 20),
    categories: [],
    transactionId: event.transactionId,
    originalStartTimeZone: event.timeZone,
    originalEndTimeZone: event.timeZone,
    iCalUId: `040000008200E00074C5B7101A82E008${Buffer.from(event.id).toString('hex').toUpperCase()}`,
    reminderMinutesBeforeStart: 15,
    isReminderOn: true,
    hasAttachments: false,
    subject: event.subject,
    bodyPreview: '',
    importance: 'normal',
    sensitivity: 'normal',
    isAllDay: false,
    isCancelled: false,
    isOrganizer: true,
    responseRequested: true,
    showAs: 'busy',
    type: 'singleInstance',
    webLink: `https://outlook.office365.com/owa/?itemid=${encodeURIComponent(event.id)}&exvsurl=1&path=/calendar/item`,
    onlineMeetingUrl: null,
    isOnlineMeeting: meeting !== undefined,
    onlineMeetingProvider: meeting ? 'teamsForBusiness' : 'unknown',
    allowNewTimeProposals: true,
    recurrence: null,
    body: event.body,
    start: at(event.start),
    end: at(event.end),
    attendees: event.attendees,
    organizer: { emailAddress: { name: event.owner.name, address: event.owner.email } },
    onlineMeeting: meeting ? { joinUrl: meeting.joinWebUrl, conferenceId: meeting.joinMeetingId, tollNumber: '+1 323-555-0166' } : null,
  };
}
