import { Hono } from 'hono';
import type { Context } from 'hono';
import { z } from 'zod';
import { letters } from '../ids.ts';
import type { Env, Routes } from '../world.ts';
import { makeSpace } from './spaces.ts';
import { CALENDAR, googleCaller, legacyError } from './state.ts';
import type { Google, GoogleCaller, GoogleEvent } from './state.ts';

const createRequest = z.object({ requestId: z.string().min(1), conferenceSolutionKey: z.object({ type: z.string() }).optional() });
const eventBody = z.looseObject({
  id: z.string().optional(),
  start: z.looseObject({}).optional(),
  end: z.looseObject({}).optional(),
  conferenceData: z.looseObject({ createRequest: createRequest.optional() }).nullish(),
});

export function googleCalendarRoutes(google: Google): Routes {
  const { world, state } = google;
  const base = '/calendar/v3/calendars/:calendar/events';
  const notFound = (c: Context<Env>): Response => legacyError(c, 404, 'notFound', 'Not Found');

  const callerOf = (c: Context<Env>): GoogleCaller | Response => {
    const caller = googleCaller(google, c, 'calendar', CALENDAR);
    if (caller instanceof Response) return caller;
    return [caller.user.email, 'primary'].includes(c.req.param('calendar') ?? '') ? caller : notFound(c);
  };
  const find = (c: Context<Env>): GoogleEvent | Response => {
    const caller = callerOf(c);
    if (caller instanceof Response) return caller;
    return state.events.find(({ id, owner }) => id === c.req.param('event') && owner === caller.user) ?? notFound(c);
  };

  /** Undefined when the wish for a conference is refused. */
  const withConference = (
    c: Context<Env>,
    event: GoogleEvent,
    data: z.infer<typeof eventBody>['conferenceData'],
  ): GoogleEvent | undefined => {
    const request = data?.createRequest;
    // Without the version the wish is ignored in silence; the same request again makes nothing new.
    if (!request || c.req.query('conferenceDataVersion') !== '1' || event.conference?.requestId === request.requestId) return event;
    if (request.conferenceSolutionKey?.type !== undefined && request.conferenceSolutionKey.type !== 'hangoutsMeet') return undefined;
    const status = event.owner.slowConferences ? 'pending' : 'success';
    event.conference = { requestId: request.requestId, space: makeSpace(google, event.owner, false), status };
    return event;
  };

  return new Hono<Env>()
    .post(base, async (c) => {
      const caller = callerOf(c);
      if (caller instanceof Response) return caller;
      const parsed = eventBody.safeParse(await c.req.json().catch(() => undefined));
      if (!parsed.success) return legacyError(c, 400, 'parseError', 'Parse Error');
      const { id = letters(world.random, 26).replaceAll(/[w-z]/g, '0'), conferenceData, ...fields } = parsed.data;
      if (!/^[a-v0-9]{5,1024}$/.test(id)) return legacyError(c, 400, 'invalid', 'Invalid resource id value.');
      if (!fields.start) return legacyError(c, 400, 'required', 'Missing start time.');
      if (!fields.end) return legacyError(c, 400, 'required', 'Missing end time.');
      // The id of a deleted event is not free again.
      if (state.events.some((event) => event.id === id && event.owner === caller.user)) {
        return legacyError(c, 409, 'duplicate', 'The requested identifier already exists.');
      }
      const now = world.agenda.now();
      const event: GoogleEvent = { id, owner: caller.user, createdAt: now, updatedAt: now, fields, conference: null, cancelled: false };
      if (!withConference(c, event, conferenceData)) return legacyError(c, 400, 'invalid', 'Invalid conference type value.');
      state.events.push(event);
      return c.json(describe(event));
    })

    .get(`${base}/:event`, (c) => {
      const event = find(c);
      if (event instanceof Response) return event;
      if (event.conference) event.conference.status = 'success';
      return c.json(describe(event));
    })

    .patch(`${base}/:event`, async (c) => {
      const event = find(c);
      if (event instanceof Response) return event;
      const parsed = eventBody.safeParse(await c.req.json().catch(() => undefined));
      if (!parsed.success) return legacyError(c, 400, 'parseError', 'Parse Error');
      if (event.cancelled) return legacyError(c, 410, 'deleted', 'Resource has been deleted');
      const { id: _, conferenceData, ...fields } = parsed.data;
      if (!withConference(c, event, conferenceData)) return legacyError(c, 400, 'invalid', 'Invalid conference type value.');
      event.fields = { ...event.fields, ...fields };
      event.updatedAt = world.agenda.now();
      return c.json(describe(event));
    })

    .delete(`${base}/:event`, (c) => {
      const event = find(c);
      if (event instanceof Response) return event;
      if (event.cancelled) return legacyError(c, 410, 'deleted', 'Resource has been deleted');
      event.cancelled = true;
      event.updatedAt = world.agenda.now();
      return c.body(null, 204);
    });
}

function describe({ id, owner, createdAt, updatedAt, fields, conference, cancelled }: GoogleEvent): object {
  const person = { email: owner.email, self: true };
  return {
    kind: 'calendar#event',
    etag: `"${updatedAt.getTime()}"`,
    id,
    status: cancelled ? 'cancelled' : 'confirmed',
    htmlLink: `https://www.google.com/calendar/event?eid=${Buffer.from(id).toString('base64url')}`,
    created: createdAt.toISOString(),
    updated: updatedAt.toISOString(),
    creator: person,
    organizer: person,
    iCalUID: `${id}@google.com`,
    sequence: 0,
    eventType: 'default',
    ...fields,
    ...(conference ? describeConference(conference) : {}),
  };
}

function describeConference({ requestId, space, status }: NonNullable<GoogleEvent['conference']>): object {
  const request = { requestId, conferenceSolutionKey: { type: 'hangoutsMeet' }, status: { statusCode: status } };
  if (status === 'pending') return { conferenceData: { createRequest: request } };
  const label = `meet.google.com/${space.code}`;
  return {
    hangoutLink: `https://${label}`,
    conferenceData: {
      createRequest: request,
      entryPoints: [{ entryPointType: 'video', uri: `https://${label}`, label }],
      conferenceSolution: {
        key: { type: 'hangoutsMeet' },
        name: 'Google Meet',
        iconUri: 'https://fonts.gstatic.com/s/i/productlogos/meet_2020q4/v6/web-512dp/logo_meet_2020q4_color_2x_web_512dp.png',
      },
      conferenceId: space.code,
    },
  };
}
