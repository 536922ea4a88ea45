import { Hono } from 'hono';
import type { Context } from 'hono';
import { z } from 'zod';
import { HOUR, MINUTE, DAY, plus } from '../clock.ts';
import { alphanumeric, digits } from '../ids.ts';
import type { Env, Routes } from '../world.ts';
import { graphCaller, teamsUser } from './access.ts';
import { graphError, graphTime } from './state.ts';
import type { Microsoft, MicrosoftUser, OnlineMeeting } from './state.ts';

/** Settings and artefacts expire so long after the end. */
const MEETING_LIFE_MS = 60 * DAY;

const moment = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const meetingBody = z.looseObject({ subject: z.string().nullish(), startDateTime: moment.optional(), endDateTime: moment.optional() });
const createOrGetBody = meetingBody.extend({ externalId: z.string().min(1) });

/** What a request may set besides subject and times. */
const WRITABLE = new Set([
  'allowedPresenters',
  'lobbyBypassSettings',
  'recordAutomatically',
  'allowRecording',
  'allowTranscription',
  'allowMeetingChat',
  'allowAttendeeToEnableCamera',
  'allowAttendeeToEnableMic',
  'isEntryExitAnnounced',
  'participants',
]);

export function microsoftOnlineMeetingRoutes(microsoft: Microsoft): Routes {
  const { state } = microsoft;
  const organizerOf = (c: Context<Env>, ...permissions: string[]): MicrosoftUser | Response => {
    const caller = graphCaller(microsoft, c, ...permissions);
    if (caller instanceof Response) return caller;
    return teamsUser(microsoft, c, caller);
  };
  const find = (c: Context<Env>, ...permissions: string[]): OnlineMeeting | Response => {
    const user = organizerOf(c, ...permissions);
    return user instanceof Response ? user : findMeeting(microsoft, c, user);
  };
  const READ = ['OnlineMeetings.Read', 'OnlineMeetings.ReadWrite'];

  const routes = new Hono<Env>();
  for (const base of ['/v1.0/me/onlineMeetings', '/v1.0/users/:user/onlineMeetings'] as const) {
    routes
      .get(base, (c) => {
        const user = organizerOf(c, ...READ);
        if (user instanceof Response) return user;
        const [, field, value] =
          /^\s*(joinWebUrl|joinMeetingIdSettings\/joinMeetingId)\s+eq\s+'(.*)'\s*$/i.exec(c.req.query('$filter') ?? '') ?? [];
        if (field === undefined || value === undefined) {
          return graphError(c, microsoft, 400, 'BadRequest', 'Filter expression expected - $filter=JoinWebUrl eq or joinMeetingId eq.');
        }
        const wanted = plainUrl(value);
        const meeting = state.meetings.find(
          ({ deleted, joinWebUrl, joinMeetingId }) => !deleted && (plainUrl(joinWebUrl) === wanted || joinMeetingId === value),
        );
        if (meeting && meeting.organizer !== user)
          return graphError(c, microsoft, 403, 'Forbidden', 'The user is not the organizer of the meeting.');
        return c.json({ value: meeting ? [describe(meeting)] : [] });
      })

      .post(base, async (c) => {
        const organizer = organizerOf(c, 'OnlineMeetings.ReadWrite');
        if (organizer instanceof Response) return organizer;
        const body = meetingBody.safeParse(await c.req.json().catch(() => undefined));
        if (!body.success) return graphError(c, microsoft, 400, 'BadRequest', z.prettifyError(body.error));
        const meeting = makeFromBody(microsoft, organizer, body.data, null);
        if (!meeting) return graphError(c, microsoft, 400, 'BadRequest', 'Invalid start and end time.');
        Object.assign(meeting.settings, writable(body.data));
        return c.json(describe(meeting), 201);
      })

      .post(`${base}/createOrGet`, async (c) => {
        const organizer = organizerOf(c, 'OnlineMeetings.ReadWrite');
        if (organizer instanceof Response) return organizer;
        const body = createOrGetBody.safeParse(await c.req.json().catch(() => undefined));
        if (!body.success) return graphError(c, microsoft, 400, 'BadRequest', z.prettifyError(body.error));
        const { externalId } = body.data;
        const existing = state.meetings.find(
          (meeting) => meeting.organizer === organizer && meeting.externalId === externalId && !meeting.deleted,
        );
        if (existing) return c.json(describe(existing));
        const meeting = makeFromBody(microsoft, organizer, body.data, externalId);
        return meeting ? c.json(describe(meeting), 201) : graphError(c, microsoft, 400, 'BadRequest', 'Invalid start and end time.');
      })

      .get(`${base}/:meeting`, (c) => {
        const meeting = find(c, ...READ);
        return meeting instanceof Response ? meeting : c.json(describe(meeting));
      })

      .patch(`${base}/:meeting`, async (c) => {
        const meeting = find(c, 'OnlineMeetings.ReadWrite');
        if (meeting instanceof Response) return meeting;
        const body = meetingBody.safeParse(await c.req.json().catch(() => undefined));
        if (!body.success) return graphError(c, microsoft, 400, 'BadRequest', z.prettifyError(body.error));
        const { startDateTime, endDateTime, subject } = body.data;
        if ((startDateTime === undefined) !== (endDateTime === undefined)) {
          return graphError(c, microsoft, 400, 'BadRequest', 'startDateTime and endDateTime have to be updated together.');
        }
        Object.assign(meeting, {
          subject: subject === undefined ? meeting.subject : subject,
          start: startDateTime ?? meeting.start,
          end: endDateTime ?? meeting.end,
        });
        const dropped = state.mayNotRecord.has(meeting.organizer.id) ? { recordAutomatically: false } : {};
        Object.assign(meeting.settings, writable(body.data), dropped);
        return c.json(describe(meeting));
      })

      .delete(`${base}/:meeting`, (c) => {
        const meeting = find(c, 'OnlineMeetings.ReadWrite');
        if (meeting instanceof Response) return meeting;
        meeting.deleted = true;
        return c.body(null, 204);
      });
  }
  return routes;
}

/** The meeting in the path, for its organiser. */
export function findMeeting(microsoft: Microsoft, c: Context<Env>, organizer: MicrosoftUser): OnlineMeeting | Response {
  const meeting = microsoft.state.meetings.find(({ id, deleted }) => id === c.req.param('meeting') && !deleted);
  return meeting?.organizer === organizer ? meeting : graphError(c, microsoft, 404, 'NotFound', 'The meeting does not exist.');
}

export function makeOnlineMeeting(
  { world, state }: Microsoft,
  fields: Pick<OnlineMeeting, 'organizer' | 'subject' | 'start' | 'end' | 'eventId' | 'externalId'>,
): OnlineMeeting {
  const { organizer } = fields;
  const threadId = `19:meeting_${alphanumeric(world.random, 48)}@thread.v2`;
  const context = encodeURIComponent(JSON.stringify({ Tid: organizer.tenantId, Oid: organizer.id })).replaceAll(/%../g, (code) =>
    code.toLowerCase(),
  );
  const meeting: OnlineMeeting = {
    ...fields,
    id: Buffer.from(`1*${organizer.id}*0**${threadId}`).toString('base64url'),
    threadId,
    joinWebUrl: `https://teams.microsoft.com/l/meetup-join/${threadId.replace(':', '%3a').replace('@', '%40')}/0?context=${context}`,
    joinMeetingId: digits(world.random, 12),
    createdAt: world.agenda.now(),
    settings: {
      allowedPresenters: 'everyone',
      lobbyBypassSettings: { scope: 'organization', isDialInBypassEnabled: false },
      recordAutomatically: false,
      allowRecording: true,
      allowTranscription: true,
      isEntryExitAnnounced: false,
      allowMeetingChat: 'enabled',
      allowAttendeeToEnableCamera: true,
      allowAttendeeToEnableMic: true,
    },
    deleted: false,
    sessions: [],
    recordings: [],
  };
  state.meetings.push(meeting);
  return meeting;
}

/** No start: now. No end: an hour later. An end without a start is an error. */
function makeFromBody(
  microsoft: Microsoft,
  organizer: MicrosoftUser,
  { subject = null, startDateTime, endDateTime }: z.infer<typeof meetingBody>,
  externalId: string | null,
): OnlineMeeting | undefined {
  const start = startDateTime ?? microsoft.world.agenda.now();
  const end = endDateTime ?? plus(start, HOUR);
  if ((startDateTime === undefined && endDateTime !== undefined) || end.getTime() - start.getTime() < MINUTE) return undefined;
  return makeOnlineMeeting(microsoft, { organizer, subject, start, end, eventId: null, externalId });
}

const writable = (body: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(body).filter(([name]) => WRITABLE.has(name)));

/** Encoded once, twice or not at all: the same address. */
function plainUrl(url: string): string {
  try {
    const decoded = decodeURIComponent(url);
    return decoded === url ? url : plainUrl(decoded);
  } catch {
    return url;
  }
}

function describe({
  id,
  organizer,
  joinWebUrl,
  threadId,
  joinMeetingId,
  createdAt,
  subject,
  start,
  end,
  settings,
  externalId,
}: OnlineMeeting): object {
  const { participants, ...rest } = settings;
  return {
    '@odata.context': `https://graph.microsoft.com/v1.0/$metadata#users('${organizer.id}')/onlineMeetings/$entity`,
    id,
    creationDateTime: graphTime(createdAt),
    startDateTime: graphTime(start),
    endDateTime: graphTime(end),
    expiryDateTime: graphTime(plus(end, MEETING_LIFE_MS)),
    joinWebUrl,
    subject,
    ...(externalId === null ? {} : { externalId }),
    ...rest,
    participants: {
      organizer: { upn: organizer.email, role: 'presenter', identity: { user: { id: organizer.id, displayName: organizer.name } } },
      attendees: (participants as { attendees?: unknown[] } | undefined)?.attendees ?? [],
    },
    chatInfo: { threadId, messageId: '0', replyChainMessageId: null },
    joinMeetingIdSettings: { isPasscodeRequired: false, joinMeetingId, passcode: null },
  };
}
