/** A small stateful Zoom for tests, with answers in the published shapes. */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { http, HttpResponse } from 'msw';
import type { SetupServer } from 'msw/node';
import { createZoom, type ZoomOptions } from '../../providers/zoom/index.ts';
import { meetingRequest } from '../conformance/meetings.ts';
import { testAccount } from '../support/account.ts';
import type { GuardOptions } from '../contracts/validate.ts';
import type { StoredMeeting, VendorStandIn } from '../conformance/options.ts';

export const API = 'https://zoom.test/v2';
export const OAUTH = 'https://zoom.test';
export const MEDIA = 'https://us02web.zoom.us';

interface Stored {
  readonly id: number;
  readonly join_url: string;
  agenda: string;
  created_at: string;
  topic: string;
  start_time: string;
  duration: number;
  timezone: string;
  settings: Record<string, unknown>;
  status: 'waiting' | 'started';
}

interface Recorded {
  readonly meetingId: number;
  readonly uuid: string;
  readonly startTime: string;
  readonly files: Record<string, unknown>[];
  sharing?: Record<string, unknown>;
  trashed?: boolean;
}

export interface ZoomStandIn extends VendorStandIn {
  readonly stored: Stored[];
  readonly recorded: Recorded[];
  /** What arrived, as `METHOD path?query`, newest last. */
  readonly log: string[];
  /** Headers of the requests for media. */
  readonly mediaRequests: { url: string; authorization: string | null; range: string | null }[];
}

export const zoomError = (code: number, message = 'refused') => ({ code, message });
const missing = () => HttpResponse.json(zoomError(3001, 'Meeting does not exist.'), { status: 404 });

/** `settings` and `sharing` are what this account enforces, whatever was asked for; `user` is how the paths have to name the host. */
export function zoomVendor({
  settings = {},
  sharing = {},
  move,
  user = 'me',
}: {
  settings?: Record<string, unknown>;
  sharing?: Record<string, unknown>;
  move?: (start: string) => string;
  user?: string;
} = {}): ZoomStandIn {
  const stored: Stored[] = [];
  const recorded: Recorded[] = [];
  const log: string[] = [];
  const mediaRequests: ZoomStandIn['mediaRequests'] = [];
  let nextId = 85_746_065_001;
  let content: Buffer = Buffer.alloc(0);
  let endless: (() => ReadableStream<Uint8Array>) | undefined;

  const byId = (id: unknown) => stored.find((meeting) => String(meeting.id) === id);
  const echo = (meeting: Stored) => ({
    ...meeting,
    type: 2,
    uuid: `${meeting.id}==`,
    start_url: `https://us02web.zoom.us/s/${meeting.id}?zak=secret`,
  });
  const described = ({ meetingId, uuid, startTime, files }: Recorded) => ({
    uuid,
    id: meetingId,
    start_time: startTime,
    recording_count: files.length,
    recording_files: files,
  });

  const noRecording = () => HttpResponse.json(zoomError(3301, 'This recording does not exist.'), { status: 404 });
  /** By uuid, once or twice escaped, or the latest of a meeting number. */
  const recordedAs = (named: unknown): Recorded | undefined => {
    const uuid = decodeURIComponent(String(named));
    return recorded.findLast(
      (instance) => !instance.trashed && (String(instance.meetingId) === named || instance.uuid === named || instance.uuid === uuid),
    );
  };
  const sharingOf = (recording: Recorded) => ({
    share_recording: 'none',
    viewer_download: true,
    on_demand: false,
    recording_authentication: false,
    ...recording.sharing,
    ...sharing,
  });
  const pageOf = ({ uuid }: Recorded) => `${MEDIA}/rec/share/${encodeURIComponent(uuid)}`;

  const handlers = [
    http.post(`${API}/users/${user}/meetings`, async ({ request }) => {
      const body = (await request.json()) as Omit<Stored, 'id' | 'join_url' | 'created_at' | 'status'>;
      const id = nextId++;
      const meeting: Stored = {
        id,
        join_url: `https://us02web.zoom.us/j/${id}?pwd=x`,
        created_at: '2026-11-20T10:00:00Z',
        status: 'waiting',
        agenda: body.agenda,
        topic: body.topic,
        start_time: move?.(body.start_time) ?? body.start_time,
        duration: body.duration,
        timezone: body.timezone,
        settings: { ...body.settings, ...settings },
      };
      stored.push(meeting);
      return HttpResponse.json(echo(meeting), { status: 201 });
    }),
    http.get(`${API}/users/${user}/meetings`, () =>
      HttpResponse.json({
        page_size: 300,
        total_records: stored.length,
        next_page_token: '',
        meetings: stored.map(({ id, agenda, created_at, join_url, start_time }) => ({
          id,
          agenda,
          created_at,
          join_url,
          start_time,
          type: 2,
        })),
      }),
    ),
    http.get(`${API}/meetings/:id`, ({ params }) => {
      const meeting = byId(params['id']);
      return meeting === undefined ? missing() : HttpResponse.json(echo(meeting));
    }),
    http.patch(`${API}/meetings/:id`, async ({ params, request }) => {
      const meeting = byId(params['id']);
      if (meeting === undefined) return missing();
      const { settings: changed = {}, ...facts } = (await request.json()) as Partial<Stored>;
      Object.assign(meeting, facts, { settings: { ...meeting.settings, ...changed, ...settings } });
      return new HttpResponse(null, { status: 204 });
    }),
    http.delete(`${API}/meetings/:id`, ({ params }) => {
      const meeting = byId(params['id']);
      if (meeting === undefined) return missing();
      stored.splice(stored.indexOf(meeting), 1);
      return new HttpResponse(null, { status: 204 });
    }),
    http.put(`${API}/meetings/:id/status`, ({ params }) => {
      const meeting = byId(params['id']);
      if (meeting === undefined) return missing();
      if (meeting.status !== 'started') return HttpResponse.json(zoomError(3000, 'The meeting is not running.'), { status: 400 });
      meeting.status = 'waiting';
      return new HttpResponse(null, { status: 204 });
    }),
    http.get(`${API}/users/${user}/recordings`, ({ request }) => {
      const { searchParams } = new URL(request.url);
      const [from, to] = [searchParams.get('from') ?? '', searchParams.get('to') ?? ''];
      const inTrash = searchParams.get('trash') === 'true';
      const found = recorded.filter(
        ({ startTime, trashed = false }) =>
          trashed === inTrash && (inTrash || (startTime.slice(0, 10) >= from && startTime.slice(0, 10) <= to)),
      );
      const meetings = found.map((recording) => ({ ...described(recording), share_url: pageOf(recording) }));
      return HttpResponse.json({ from, to, page_size: 300, next_page_token: '', meetings });
    }),
    http.get(`${API}/meetings/:id/recordings`, ({ params }) => {
      const latest = recordedAs(params['id']);
      if (latest === undefined) return noRecording();
      return HttpResponse.json({ ...described(latest), password: 'Abc12345', download_access_token: 'download-token' });
    }),
    http.delete(`${API}/meetings/:id/recordings`, ({ params, request }) => {
      const recording = recordedAs(params['id']);
      if (recording === undefined) return noRecording();
      if (new URL(request.url).searchParams.get('action') === 'delete') recorded.splice(recorded.indexOf(recording), 1);
      else recording.trashed = true;
      return new HttpResponse(null, { status: 204 });
    }),
    http.get(`${API}/meetings/:id/recordings/settings`, ({ params }) => {
      const recording = recordedAs(params['id']);
      return recording === undefined ? noRecording() : HttpResponse.json(sharingOf(recording));
    }),
    http.patch(`${API}/meetings/:id/recordings/settings`, async ({ params, request }) => {
      const recording = recordedAs(params['id']);
      if (recording === undefined) return noRecording();
      recording.sharing = { ...recording.sharing, ...((await request.json()) as object) };
      return new HttpResponse(null, { status: 204 });
    }),
    http.get(`${MEDIA}/rec/download/*`, ({ request }) => {
      mediaRequests.push({ url: request.url, authorization: request.headers.get('authorization'), range: request.headers.get('range') });
      if (request.headers.get('authorization') !== 'Bearer download-token') return new HttpResponse(null, { status: 401 });
      if (endless !== undefined) return new HttpResponse(endless(), { headers: { 'content-type': 'video/mp4' } });
      return ranged(content, request.headers.get('range'));
    }),
  ];

  const logging = http.all(`${API}/*`, ({ request }) => {
    const { pathname, search } = new URL(request.url);
    log.push(`${request.method} ${pathname.replace('/v2', '')}${search}`);
  });

  return {
    stored,
    recorded,
    log,
    mediaRequests,
    handlers: [logging, ...handlers],
    meetings: () =>
      stored.map(({ id, topic, start_time: startTime, duration }): StoredMeeting => ({
        id: String(id),
        title: topic,
        startsAt: new Date(startTime),
        durationMinutes: duration,
      })),
    deleteMeetings: () => void stored.splice(0),
    record(meetingId, recording) {
      content = recording.content;
      recorded.push({
        meetingId: Number(meetingId),
        uuid: `inst${recorded.length + 1}==`,
        startTime: '2026-11-20T09:00:00Z',
        files: recording.state === 'processing' ? [] : [videoFile(`file-${recorded.length + 1}`)],
      });
    },
    deleteRecordings: () => void recorded.splice(0),
    serveEndlessly() {
      let stop!: () => void;
      const cancelled = new Promise<void>((resolve) => (stop = resolve));
      endless = () => new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(64)), cancel: () => stop() });
      return { cancelled };
    },
    recordsAutomatically: (id) => byId(id)?.settings['auto_recording'] === 'cloud',
    shared: () => recorded.filter((one) => sharingOf(one).share_recording === 'publicly').map(({ uuid }) => uuid),
    remaining: () => recorded.map(({ uuid }) => uuid),
    trash: () => recorded.forEach((one) => (one.trashed = true)),
    start: (id) => void (byId(id)!.status = 'started'),
    isRunning: (id) => byId(id)?.status === 'started',
  };
}

export const videoFile = (id: string, members: Record<string, unknown> = {}) => ({
  id,
  file_type: 'MP4',
  file_extension: 'MP4',
  file_size: 36,
  recording_type: 'shared_screen_with_speaker_view',
  recording_start: '2026-11-20T09:00:00Z',
  recording_end: '2026-11-20T09:45:00Z',
  status: 'completed',
  download_url: `${MEDIA}/rec/download/${id}`,
  ...members,
});

function ranged(content: Buffer, range: string | null): Response {
  const headers = { 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes' };
  const match = /^bytes=(\d*)-(\d*)$/.exec(range ?? '');
  if (match === null)
    return new HttpResponse(new Uint8Array(content), { headers: { ...headers, 'content-length': String(content.length) } });
  const [, from = '', to = ''] = match;
  const start = from === '' ? content.length - Number(to) : Number(from);
  const end = from === '' || to === '' ? content.length - 1 : Number(to);
  if (start >= content.length) return new HttpResponse(null, { status: 416, headers: { 'content-range': `bytes */${content.length}` } });
  return new HttpResponse(new Uint8Array(content.subarray(start, end + 1)), {
    status: 206,
    headers: { ...headers, 'content-length': String(end - start + 1), 'content-range': `bytes ${start}-${end}/${content.length}` },
  });
}

/** Headers as Zoom sets them: `v0:{timestamp}:{raw body}`, seconds. */
export function signZoom(
  secret: string,
  bytes: Buffer,
  now: Date,
  timestamp = String(Math.floor(now.getTime() / 1_000)),
): Record<string, string> {
  const signature = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(bytes).digest('hex');
  return { 'x-zm-request-timestamp': timestamp, 'x-zm-signature': `v0=${signature}` };
}

export const NOW = new Date('2026-11-20T10:00:00.250Z');
export const SECRET = 'zoom-webhook-secret';
export const CONTRACT: GuardOptions = {
  spec: 'zoom',
  origins: { [API]: 'https://api.zoom.us/v2' },
  uncovered: [`${OAUTH}/oauth/`, MEDIA, 'https://files.zoom.us', 'http://127.0.0.1'],
};

export const createTestZoom = (overrides: Partial<ZoomOptions> = {}) =>
  createZoom({
    clientId: 'client-1',
    clientSecret: 'client-secret-1',
    webhookSecrets: [SECRET],
    oauthUrl: OAUTH,
    apiUrl: API,
    mediaOrigins: [],
    now: () => NOW,
    ...overrides,
  });

export const fixture = (event: string) => readFileSync(new URL(`../fixtures/zoom/${event}.json`, import.meta.url));

interface EventBody {
  [member: string]: unknown;
  payload: {
    [member: string]: unknown;
    object: { [member: string]: unknown; participant: Record<string, unknown>; recording_files: Record<string, unknown>[] };
  };
}
/** A documented body with members changed. */
export const altered = (event: string, change: (document: EventBody) => void) => {
  // Which members are there depends on the event; the caller knows.
  const document = JSON.parse(fixture(event).toString()) as EventBody;
  change(document);
  return Buffer.from(JSON.stringify(document));
};

/** An adapter with one meeting at the stand-in. */
export async function startZoom(
  server: SetupServer,
  { vendor = zoomVendor(), ...overrides }: Partial<ZoomOptions> & { vendor?: ZoomStandIn } = {},
) {
  server.use(...vendor.handlers);
  const provider = createTestZoom(overrides);
  const account = testAccount();
  const meeting = await provider.createMeeting(account, meetingRequest({ now: NOW }));
  return { vendor, provider, account, meeting };
}
