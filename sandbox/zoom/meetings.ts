import { Hono } from 'hono';
import { z } from 'zod';
import { DAY, HOUR, MINUTE, plus, seconds, unixSeconds } from '../clock.ts';
import { secret } from '../ids.ts';
import type { Env, Routes } from '../world.ts';
import { callerOf, pathMeeting, pathUser } from './access.ts';
import { endMeeting } from './happenings.ts';
import { allowedSettings, countChange, dailyLimit, readStart } from './meeting-rules.ts';
import { newMeetingId, newPassword, newUuid, signOwn, zoomError } from './state.ts';
import type { Zoom, ZoomMeeting } from './state.ts';

/** Documented for `start_url` of ordinary users. */
const START_URL_LIFE_MS = 2 * HOUR;
/** A meeting that does not recur expires so long after its date. */
const MEETING_ID_LIFE_MS = 30 * DAY;
/** How much of it the list call shows. */
const LISTED_AGENDA_CHARACTERS = 250;

const change = z.object({
  topic: z.string().max(200).optional(),
  type: z.literal([1, 2, 3, 8, 10]).optional(),
  start_time: z.string().optional(),
  duration: z.number().int().min(1).max(1_440).optional(),
  timezone: z.string().optional(),
  agenda: z.string().max(2_000).optional(),
  password: z.string().max(10).optional(),
  settings: z.record(z.string(), z.unknown()).optional(),
});

export function zoomMeetingRoutes(zoom: Zoom): Routes {
  const { world, state } = zoom;
  return new Hono<Env>()
    .post('/v2/users/:user/meetings', async (c) => {
      const caller = callerOf(zoom, c, 'meeting:write:meeting');
      if (caller instanceof Response) return caller;
      const host = pathUser(zoom, c, caller);
      if (host instanceof Response) return host;
      const body = change.safeParse(await c.req.json().catch(() => undefined));
      if (!body.success) return c.json(invalid(body.error), 400);
      if (host.type === 4) {
        return zoomError(c, 400, 3161, 'Your user account is not allowed meeting hosting and scheduling capabilities.');
      }
      if (!countChange(zoom, host)) return dailyLimit();

      const now = world.agenda.now();
      const type = body.data.type ?? 2;
      const timezone = body.data.timezone ?? host.timezone;
      const asked = readStart(body.data.start_time, timezone);
      const meeting: ZoomMeeting = {
        id: newMeetingId(world),
        uuid: newUuid(zoom),
        host,
        topic: body.data.topic ?? 'Zoom Meeting',
        type,
        // A missing, unreadable or past start silently becomes now.
        startTime: type === 2 || type === 8 ? (asked !== null && asked > now ? asked : now) : null,
        duration: body.data.duration ?? 60,
        timezone,
        agenda: body.data.agenda ?? '',
        password: body.data.password ?? newPassword(world),
        encryptedPassword: `${secret(world.random, 24)}.1`,
        createdAt: now,
        settings: allowedSettings(host, body.data.settings ?? {}),
        status: 'waiting',
        deleted: false,
        instances: [],
      };
      state.meetings.push(meeting);
      zoom.fire({
        event: 'meeting.created',
        host,
        accountId: host.accountId,
        payload: {
          operator: host.email,
          operator_id: host.id,
          operation: 'single',
          object: {
            ...brief(meeting),
            join_url: joinUrl(meeting),
            password: meeting.password,
            creation_source: 'open_api',
            settings: meeting.settings,
          },
        },
      });
      return c.json(full(zoom, meeting), 201);
    })

    .get('/v2/users/:user/meetings', (c) => {
      const caller = callerOf(zoom, c, 'meeting:read:list_meetings');
      if (caller instanceof Response) return caller;
      const host = pathUser(zoom, c, caller);
      if (host instanceof Response) return host;
      const now = world.agenda.now();
      const upcoming = c.req.query('type')?.startsWith('upcoming') ?? false;
      const listed = state.meetings.filter((meeting) => {
        if (meeting.host !== host || meeting.deleted || meeting.startTime === null) return false;
        const until = plus(meeting.startTime, upcoming ? meeting.duration * MINUTE : MEETING_ID_LIFE_MS);
        return c.req.query('type') === 'live' ? meeting.status === 'started' : until > now || meeting.status === 'started';
      });
      const pageSize = Math.min(Number(c.req.query('page_size') ?? 30), 300);
      const offset = Number(c.req.query('next_page_token') ?? 0);
      const page = listed.slice(offset, offset + pageSize);
      return c.json({
        page_size: pageSize,
        total_records: listed.length,
        next_page_token: offset + pageSize < listed.length ? String(offset + pageSize) : '',
        meetings: page.map((meeting) =>
          Object.assign(brief(meeting), {
            agenda: meeting.agenda.slice(0, LISTED_AGENDA_CHARACTERS),
            created_at: seconds(meeting.createdAt),
            join_url: joinUrl(meeting),
          }),
        ),
      });
    })

    .get('/v2/meetings/:meeting', (c) => {
      const caller = callerOf(zoom, c, 'meeting:read:meeting');
      if (caller instanceof Response) return caller;
      const meeting = pathMeeting(zoom, c, caller);
      return meeting instanceof Response ? meeting : c.json(full(zoom, meeting));
    })

    .patch('/v2/meetings/:meeting', async (c) => {
      const caller = callerOf(zoom, c, 'meeting:update:meeting');
      if (caller instanceof Response) return caller;
      const meeting = pathMeeting(zoom, c, caller);
      if (meeting instanceof Response) return meeting;
      const body = change.safeParse(await c.req.json().catch(() => undefined));
      if (!body.success) return c.json(invalid(body.error), 400);
      if (!countChange(zoom, meeting.host)) return dailyLimit();

      const { topic, start_time, duration, timezone, agenda, settings } = body.data;
      meeting.topic = topic ?? meeting.topic;
      meeting.duration = duration ?? meeting.duration;
      meeting.timezone = timezone ?? meeting.timezone;
      meeting.agenda = agenda ?? meeting.agenda;
      meeting.settings = { ...meeting.settings, ...(settings ? allowedSettings(meeting.host, settings) : {}) };
      const asked = readStart(start_time, meeting.timezone);
      // A past start is ignored in silence.
      if (asked !== null && asked > world.agenda.now()) meeting.startTime = asked;
      // Documented as "Pro or higher".
      if (meeting.host.type === 2) {
        const object = { ...brief(meeting), join_url: joinUrl(meeting), agenda: meeting.agenda, settings: meeting.settings };
        zoom.fire({
          event: 'meeting.updated',
          host: meeting.host,
          accountId: meeting.host.accountId,
          payload: { operator: meeting.host.email, operator_id: meeting.host.id, object, old_object: { id: meeting.id } },
        });
      }
      return c.body(null, 204);
    })

    .delete('/v2/meetings/:meeting', (c) => {
      const caller = callerOf(zoom, c, 'meeting:delete:meeting');
      if (caller instanceof Response) return caller;
      const meeting = pathMeeting(zoom, c, caller);
      if (meeting instanceof Response) return meeting;
      if (meeting.status === 'started') return zoomError(c, 400, 3002, 'Sorry, you cannot delete this meeting since it is in progress.');
      meeting.deleted = true;
      if (meeting.host.type === 2) {
        zoom.fire({
          event: 'meeting.deleted',
          host: meeting.host,
          accountId: meeting.host.accountId,
          payload: { operator: meeting.host.email, operator_id: meeting.host.id, operation: 'single', object: brief(meeting) },
        });
      }
      return c.body(null, 204);
    })

    .put('/v2/meetings/:meeting/status', async (c) => {
      const caller = callerOf(zoom, c, 'meeting:update:status');
      if (caller instanceof Response) return caller;
      const meeting = pathMeeting(zoom, c, caller);
      if (meeting instanceof Response) return meeting;
      const body = z.object({ action: z.literal('end') }).safeParse(await c.req.json().catch(() => undefined));
      if (!body.success) return zoomError(c, 400, 300, 'Invalid action.');
      endMeeting(zoom, meeting, 'host');
      return c.body(null, 204);
    });
}

export const joinUrl = ({ id, encryptedPassword }: ZoomMeeting): string => `https://us05web.zoom.us/j/${id}?pwd=${encryptedPassword}`;

function brief(meeting: ZoomMeeting): Record<string, unknown> {
  const { uuid, id, host, topic, type, startTime, duration, timezone } = meeting;
  return { uuid, id, host_id: host.id, topic, type, ...(startTime ? { start_time: seconds(startTime) } : {}), duration, timezone };
}

function full({ world, key }: Zoom, meeting: ZoomMeeting): Record<string, unknown> {
  const zak = signOwn(key, { uid: meeting.host.id, exp: unixSeconds(plus(world.agenda.now(), START_URL_LIFE_MS)) });
  return {
    ...brief(meeting),
    host_email: meeting.host.email,
    status: meeting.status,
    agenda: meeting.agenda,
    created_at: seconds(meeting.createdAt),
    start_url: `https://us05web.zoom.us/s/${meeting.id}?zak=${zak}`,
    join_url: joinUrl(meeting),
    password: meeting.password,
    h323_password: '123456',
    pstn_password: '123456',
    encrypted_password: meeting.encryptedPassword,
    settings: meeting.settings,
    creation_source: 'open_api',
    pre_schedule: false,
  };
}

const invalid = (error: z.ZodError): object => ({
  code: 300,
  message: 'Validation Failed.',
  errors: error.issues.map(({ path, message }) => ({ field: path.join('.'), message })),
});
