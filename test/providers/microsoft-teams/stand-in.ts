/** A small stand-in of Microsoft Graph: the user's calendar, the online meetings behind it, recordings, subscriptions. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { http, HttpResponse } from 'msw';
import { OUTSIDE_CONTRACT } from '../../contracts/validate.ts';
import type { StoredMeeting, VendorStandIn } from '../../conformance/options.ts';

export const GRAPH = 'https://graph.test';
const V1 = `${GRAPH}/v1.0`;

export interface GraphOptions {
  /** What the tenant ignores, although it answers 200. */
  readonly drops?: 'recording' | 'lobby' | 'camera';
  /** The tenant records every meeting, whatever is asked for. */
  readonly alwaysRecords?: boolean;
  /** Whose paths are served: `/me`, or `/users/{object id}` for the app itself. */
  readonly organizer?: string;
}

interface Entry {
  readonly id: string;
  readonly transactionId: string | undefined;
  subject: string;
  start: string;
  end: string;
  readonly joinUrl: string;
  readonly meetingId: string;
  recordAutomatically: boolean;
  allowAttendeeToEnableCamera: boolean;
  lobby: string;
  readonly recordings: Recording[];
}
interface Recording {
  readonly id: string;
  readonly content: Buffer;
  readonly contentType: string;
}
interface Body {
  readonly [name: string]: unknown;
}
interface Times {
  readonly subject: string;
  readonly start: { readonly dateTime: string };
  readonly end: { readonly dateTime: string };
}

export interface GraphStandIn extends VendorStandIn {
  /** The events as they stand in the calendar. */
  events(): readonly { readonly id: string; readonly transactionId: string | undefined }[];
}

export function graphStandIn({ drops, alwaysRecords = false, organizer = '/me' }: GraphOptions = {}): GraphStandIn {
  let entries: Entry[] = [];
  let subscriptions: Body[] = [];
  let made = 0;
  let endless: ReadableStream<Uint8Array> | undefined;

  const segment = (request: Request, index: number) =>
    decodeURIComponent(new URL(request.url).pathname.replace(organizer, '/me').split('/')[index] ?? '');
  const error = (status: number, code: string) =>
    HttpResponse.json({ error: { code, message: 'refused', innerError: { 'request-id': 'r' } } }, { status });
  const bodyOf = async (request: Request) => (await request.json()) as Body;
  const byMeeting = (id: string) => entries.find(({ meetingId }) => meetingId === id);

  const eventJson = ({ id, transactionId, subject, start, end, joinUrl }: Entry) => ({
    id,
    transactionId: transactionId ?? null,
    subject,
    start: { dateTime: `${start}.0000000`, timeZone: 'UTC' },
    end: { dateTime: `${end}.0000000`, timeZone: 'UTC' },
    isOnlineMeeting: true,
    onlineMeetingProvider: 'teamsForBusiness',
    onlineMeetingUrl: null,
    onlineMeeting: { joinUrl },
  });
  const meetingJson = ({ meetingId, joinUrl, subject, recordAutomatically, allowAttendeeToEnableCamera, lobby }: Entry) => ({
    id: meetingId,
    joinWebUrl: joinUrl,
    subject,
    recordAutomatically: alwaysRecords || recordAutomatically,
    allowAttendeeToEnableCamera,
    lobbyBypassSettings: { scope: lobby, isDialInBypassEnabled: false },
  });
  const recordingJson = (meetingId: string, { id }: Recording) => ({
    id,
    meetingId,
    createdDateTime: '2026-11-21T10:00:12.1234567Z',
    endDateTime: '2026-11-21T10:44:58.7654321Z',
  });

  const create = (body: Times & { transactionId?: string }): Entry => {
    made += 1;
    // As the documented ids: base64 with padding, and a link that is percent-encoded itself.
    const entry: Entry = {
      id: `AAMkADAAABIGYDZ${made}AAA=`,
      transactionId: body.transactionId,
      subject: body.subject,
      start: body.start.dateTime.slice(0, 19),
      end: body.end.dateTime.slice(0, 19),
      joinUrl: `https://teams.microsoft.com/l/meetup-join/19%3ameeting_${made}%40thread.v2/0?context=%7b%22Tid%22%3a%2298a79ebe%22%2c%22Oid%22%3a%22o'n%22%7d`,
      meetingId: `MSo5NzZmNGIzMS1m+${made}/YzY=`,
      recordAutomatically: false,
      allowAttendeeToEnableCamera: true,
      lobby: 'organization',
      recordings: [],
    };
    entries.push(entry);
    return entry;
  };

  const handlers = [
    http.post(`${V1}${organizer}/events`, async ({ request }) => {
      const body = (await request.json()) as Times & { transactionId?: string };
      const known = entries.find(({ transactionId }) => transactionId === body.transactionId);
      return HttpResponse.json(eventJson(known ?? create(body)), { status: 201 });
    }),
    http.get(`${V1}${organizer}/events`, ({ request }) => {
      const [from, until] = [...(new URL(request.url).searchParams.get('$filter') ?? '').matchAll(/'([^']+)'/g)].map(([, text]) => text!);
      return HttpResponse.json({ value: entries.filter(({ start }) => start >= from! && start < until!).map(eventJson) });
    }),
    http.get(`${V1}${organizer}/events/:id`, ({ request }) => {
      const entry = entries.find(({ id }) => id === segment(request, 4));
      return entry ? HttpResponse.json(eventJson(entry)) : error(404, 'ErrorItemNotFound');
    }),
    http.patch(`${V1}${organizer}/events/:id`, async ({ request }) => {
      const entry = entries.find(({ id }) => id === segment(request, 4));
      if (!entry) return error(404, 'ErrorItemNotFound');
      const { subject, start, end } = (await request.json()) as Times;
      Object.assign(entry, { subject, start: start.dateTime, end: end.dateTime });
      return HttpResponse.json(eventJson(entry));
    }),
    http.delete(`${V1}${organizer}/events/:id`, ({ request }) => {
      const before = entries.length;
      entries = entries.filter(({ id }) => id !== segment(request, 4));
      return entries.length < before ? new HttpResponse(null, { status: 204 }) : error(404, 'ErrorItemNotFound');
    }),
    http.get(`${V1}${organizer}/onlineMeetings`, ({ request }) => {
      const filter = new URL(request.url).searchParams.get('$filter') ?? '';
      const found = entries.filter(({ joinUrl }) => filter === `JoinWebUrl eq '${joinUrl.replaceAll("'", "''")}'`);
      return HttpResponse.json({ value: found.map(meetingJson) });
    }),
    http.get(`${V1}${organizer}/onlineMeetings/:id`, ({ request }) => {
      const entry = byMeeting(segment(request, 4));
      return entry ? HttpResponse.json(meetingJson(entry)) : error(404, 'NotFound');
    }),
    http.patch(`${V1}${organizer}/onlineMeetings/:id`, async ({ request }) => {
      const entry = byMeeting(segment(request, 4));
      if (!entry) return error(404, 'NotFound');
      const body = await bodyOf(request);
      if (drops !== 'recording' && 'recordAutomatically' in body) entry.recordAutomatically = body['recordAutomatically'] as boolean;
      if (drops !== 'lobby' && 'lobbyBypassSettings' in body) entry.lobby = (body['lobbyBypassSettings'] as { scope: string }).scope;
      if (drops !== 'camera' && 'allowAttendeeToEnableCamera' in body) entry.allowAttendeeToEnableCamera = false;
      return HttpResponse.json(meetingJson(entry));
    }),
    http.get(`${V1}${organizer}/onlineMeetings/:id/recordings`, ({ request }) => {
      const entry = byMeeting(segment(request, 4));
      if (!entry) return error(404, 'NotFound');
      return HttpResponse.json({ value: entry.recordings.map((recording) => recordingJson(entry.meetingId, recording)) });
    }),
    http.get(`${V1}${organizer}/onlineMeetings/:id/recordings/:recording`, ({ request }) => {
      const entry = byMeeting(segment(request, 4));
      const recording = entry?.recordings.find(({ id }) => id === segment(request, 6));
      return entry && recording ? HttpResponse.json(recordingJson(entry.meetingId, recording)) : error(404, 'NotFound');
    }),
    http.get(`${V1}${organizer}/onlineMeetings/:id/recordings/:recording/content`, ({ request }) => {
      if (endless) return new HttpResponse(endless, { headers: { 'content-type': 'video/mp4' } });
      const recording = byMeeting(segment(request, 4))?.recordings.find(({ id }) => id === segment(request, 6));
      return recording ? media(recording, request.headers.get('range')) : error(404, 'NotFound');
    }),
    http.post(`${V1}/subscriptions`, async ({ request }) => {
      const body = await bodyOf(request);
      if (subscriptions.some(({ resource }) => resource === body['resource'])) return error(409, 'Conflict');
      made += 1;
      const subscription = { ...body, id: `6aa5ced2-0a5a-4643-9274-${String(made).padStart(12, '0')}` };
      subscriptions.push(subscription);
      return HttpResponse.json(subscription, { status: 201 });
    }),
    http.get(`${V1}/subscriptions`, () => HttpResponse.json({ value: subscriptions.map((one) => ({ ...one, clientState: null })) })),
    http.patch(`${V1}/subscriptions/:id`, async ({ request }) => {
      const index = subscriptions.findIndex(({ id }) => id === segment(request, 3));
      if (index < 0) return error(404, 'ResourceNotFound');
      subscriptions[index] = { ...subscriptions[index], ...(await bodyOf(request)) };
      return HttpResponse.json(subscriptions[index]);
    }),
    http.delete(`${V1}/subscriptions/:id`, ({ request }) => {
      const before = subscriptions.length;
      subscriptions = subscriptions.filter(({ id }) => id !== segment(request, 3));
      return subscriptions.length < before ? new HttpResponse(null, { status: 204 }) : error(404, 'ResourceNotFound');
    }),
  ];

  return {
    handlers,
    events: () => entries,
    meetings: () =>
      entries.map(({ meetingId, subject, start, end }): StoredMeeting => {
        const [from, until] = [start, end].map((text) => new Date(`${text}Z`));
        return { id: meetingId, title: subject, startsAt: from!, durationMinutes: (until!.getTime() - from!.getTime()) / 60_000 };
      }),
    deleteMeetings: () => void (entries = []),
    record(meetingId, { content, contentType }) {
      const entry = byMeeting(meetingId)!;
      made += 1;
      entry.recordings.push({ id: `7e31db25-bc6e-4fd8-96c7-${String(made).padStart(12, '0')}`, content, contentType });
    },
    recordsAutomatically: (id) => alwaysRecords || byMeeting(id)?.recordAutomatically === true,
    deleteRecordings() {
      for (const { recordings } of entries) recordings.splice(0);
    },
    serveEndlessly() {
      let leave = () => {};
      const cancelled = new Promise<void>((resolve) => {
        leave = resolve;
      });
      endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1_024)), cancel: () => leave() });
      return { cancelled: collecting(cancelled) };
    },
    subscriptions: () => subscriptions.map(({ id }) => id as string),
    deleteSubscriptions: () => void (subscriptions = []),
  };
}

/**
 * The interceptor keeps a copy of every answer for its listeners, and a stream is cancelled only when its copy is as well: with
 * the garbage collection, which is hurried here.
 */
async function collecting(cancelled: Promise<void>): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const watched = { done: false };
  const watching = (async () => {
    await cancelled;
    watched.done = true;
  })();
  // 1,000: a cancelled stream needs one or two.
  for (let rounds = 0; !watched.done && rounds < 1_000; rounds += 1) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await watching;
}

/** Ranges are not documented for recordings: the stand-in honours them, the tests of the adapter show both. */
function media({ content, contentType }: Recording, range: string | null): Response {
  const headers = { 'content-type': contentType, [OUTSIDE_CONTRACT]: 'a stream' };
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? [];
  if (first === undefined || last === undefined) {
    return new HttpResponse(new Uint8Array(content), { headers: { ...headers, 'content-length': String(content.length) } });
  }
  const from = first === '' ? content.length - Number(last) : Number(first);
  const to = first === '' || last === '' ? content.length - 1 : Number(last);
  if (from >= content.length) {
    return new HttpResponse('', { status: 416, headers: { ...headers, 'content-range': `bytes */${content.length}` } });
  }
  const part = content.subarray(from, to + 1);
  return new HttpResponse(new Uint8Array(part), {
    status: 206,
    headers: { ...headers, 'content-length': String(part.length), 'content-range': `bytes ${from}-${to}/${content.length}` },
  });
}
