/** A small stateful Google for the adapter's tests: Meet, Calendar, Workspace Events and Drive on one origin. Answers have the published shapes. */
import { http, HttpResponse, type RequestHandler } from 'msw';
import type { VendorStandIn } from '../conformance/provider.ts';

export const API = 'https://google.test';
export const NOW = new Date('2026-11-20T10:00:00.000Z');
const RECORD = 'kRyYx8b7vNDsLpR1tG_cNjFUQBoBRhHIMoGJAJkBCQ';

export interface StandInOptions {
  /** What `spaces.create` says: allowed, or the refusal that is reported for personal accounts. */
  readonly mayCreateSpaces?: boolean;
  /** What a space's settings are whatever is asked for. */
  readonly overrides?: { readonly accessType?: string; readonly autoRecordingGeneration?: string };
  /** `spaces.patch` is refused. */
  readonly fixedSettings?: boolean;
  /** `autoRecordingGeneration: ON` is refused at `spaces.create`. */
  readonly recordingRefused?: boolean;
  /** How often a Calendar event has to be read until its conference is there. */
  readonly pendingReads?: number;
  readonly conference?: 'success' | 'failure' | 'absent';
}

interface StoredSpace {
  readonly name: string;
  readonly code: string;
  accessType: string;
  autoRecordingGeneration: string;
  running: boolean;
}
interface StoredEvent {
  readonly id: string;
  readonly code: string;
  readonly requestId: string;
  summary: string;
  start: { dateTime: string; timeZone: string };
  end: { dateTime: string; timeZone: string };
  status: 'confirmed' | 'cancelled';
  reads: number;
}
interface StoredRecording {
  readonly space: string;
  readonly name: string;
  readonly file: string;
  readonly state: 'ENDED' | 'FILE_GENERATED';
  readonly content: Buffer;
  readonly contentType: string;
}

export interface GoogleStandIn extends VendorStandIn {
  readonly handlers: readonly RequestHandler[];
  /** Every request as `METHOD /path?query`, oldest first. */
  readonly log: readonly string[];
  readonly bodies: readonly unknown[];
  readonly spaces: ReadonlyMap<string, StoredSpace>;
  readonly events: ReadonlyMap<string, StoredEvent>;
  suspend(): void;
  subscriptions(): readonly string[];
}

export const refused = (code: number, status: string, reason?: string, metadata: Record<string, string> = {}): Response =>
  HttpResponse.json(
    {
      error: {
        code,
        message: 'Permission denied on resource Space (or it might not exist)',
        status,
        ...(reason === undefined
          ? {}
          : { details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'googleapis.com', metadata }] }),
      },
    },
    { status: code },
  );

export function googleStandIn(options: StandInOptions = {}): GoogleStandIn {
  const { mayCreateSpaces = true, overrides = {}, fixedSettings = false, recordingRefused = false } = options;
  const { pendingReads = 0, conference = 'success' } = options;
  const log: string[] = [];
  const bodies: unknown[] = [];
  const spaces = new Map<string, StoredSpace>();
  const events = new Map<string, StoredEvent>();
  let recordings: StoredRecording[] = [];
  let subscription: { name: string; state: string; expireTime: string; topic: string } | undefined;
  let endless: ReadableStream<Uint8Array> | undefined;

  const newSpace = (config: SpaceConfig = {}): StoredSpace => {
    const letter = String.fromCharCode(97 + spaces.size);
    const code = `${letter.repeat(3)}-mnop-xyz`;
    const space = {
      name: `spaces/jQCFfuBOdN5z${spaces.size}`,
      code,
      accessType: overrides.accessType ?? config.accessType ?? 'RESTRICTED',
      autoRecordingGeneration:
        overrides.autoRecordingGeneration ?? config.artifactConfig?.recordingConfig?.autoRecordingGeneration ?? 'OFF',
      running: false,
    };
    spaces.set(space.name, space);
    return space;
  };
  const spaceAnswer = ({ name, code, accessType, autoRecordingGeneration }: StoredSpace): Response =>
    HttpResponse.json({
      name,
      meetingUri: `https://meet.google.com/${code}`,
      meetingCode: code,
      config: { accessType, entryPointAccess: 'ALL', artifactConfig: { recordingConfig: { autoRecordingGeneration } } },
    });
  const eventAnswer = (event: StoredEvent): Response => {
    const { id, code, requestId, summary, start, end, status } = event;
    const pending = event.reads < pendingReads;
    event.reads += 1;
    const statusCode = pending ? 'pending' : conference;
    const createRequest = { requestId, conferenceSolutionKey: { type: 'hangoutsMeet' }, status: { statusCode } };
    const conferenceData =
      statusCode === 'success'
        ? { createRequest, conferenceId: code, entryPoints: [{ entryPointType: 'video', uri: `https://meet.google.com/${code}` }] }
        : { createRequest };
    return HttpResponse.json({
      kind: 'calendar#event',
      id,
      status,
      summary,
      start,
      end,
      ...(statusCode === 'success' ? { hangoutLink: `https://meet.google.com/${code}` } : {}),
      ...(statusCode === 'absent' ? {} : { conferenceData }),
    });
  };
  const operation = (): Response => {
    const { name, state, expireTime, topic } = subscription!;
    return HttpResponse.json({
      name: 'operations/op-1',
      done: true,
      response: {
        '@type': 'type.googleapis.com/google.apps.events.subscriptions.v1.Subscription',
        name,
        state,
        expireTime,
        notificationEndpoint: { pubsubTopic: topic },
      },
    });
  };

  const routes: readonly [string, RegExp, (match: readonly string[], url: URL, body: Body, request: Request) => Response][] = [
    [
      'POST',
      /^\/v2\/spaces$/,
      (_, __, { config }) => {
        if (!mayCreateSpaces) return refused(403, 'PERMISSION_DENIED');
        if (recordingRefused && config?.artifactConfig?.recordingConfig?.autoRecordingGeneration === 'ON') {
          return refused(400, 'INVALID_ARGUMENT');
        }
        return spaceAnswer(newSpace(config));
      },
    ],
    [
      'POST',
      /^\/v2\/(spaces\/[^/:]+):endActiveConference$/,
      ([, name]) => {
        const space = spaces.get(name!);
        if (space === undefined) return refused(404, 'NOT_FOUND');
        space.running = false;
        return HttpResponse.json({});
      },
    ],
    [
      'GET',
      /^\/v2\/(spaces\/([^/:]+))$/,
      ([, name, code]) => {
        const space = spaces.get(name!) ?? [...spaces.values()].find((each) => each.code === code);
        return space === undefined ? refused(404, 'NOT_FOUND') : spaceAnswer(space);
      },
    ],
    [
      'PATCH',
      /^\/v2\/(spaces\/[^/:]+)$/,
      ([, name], url, { config }) => {
        const space = spaces.get(name!);
        if (space === undefined) return refused(404, 'NOT_FOUND');
        if (fixedSettings) return refused(403, 'PERMISSION_DENIED');
        const mask = url.searchParams.get('updateMask');
        if (mask === 'config.accessType') space.accessType = overrides.accessType ?? config!.accessType!;
        else if (mask === 'config.artifactConfig.recordingConfig.autoRecordingGeneration') {
          space.autoRecordingGeneration =
            overrides.autoRecordingGeneration ?? config!.artifactConfig!.recordingConfig!.autoRecordingGeneration!;
        } else return refused(400, 'INVALID_ARGUMENT');
        return spaceAnswer(space);
      },
    ],
    [
      'GET',
      /^\/v2\/conferenceRecords$/,
      (_, url) => {
        const space = /^space\.name = "(spaces\/[^"]+)"$/.exec(url.searchParams.get('filter') ?? '')?.[1];
        const held = recordings.some((recording) => recording.space === space);
        return HttpResponse.json(held ? { conferenceRecords: [{ name: `conferenceRecords/${RECORD}`, space }] } : {});
      },
    ],
    [
      'GET',
      /^\/v2\/conferenceRecords\/[^/]+\/recordings$/,
      () =>
        HttpResponse.json({
          recordings: recordings.map(({ name, state, file }) => ({
            name,
            state,
            startTime: '2026-11-20T09:01:00.123456Z',
            endTime: '2026-11-20T09:57:00Z',
            ...(state === 'FILE_GENERATED'
              ? { driveDestination: { file, exportUri: `https://drive.google.com/file/d/${file}/view` } }
              : {}),
          })),
        }),
    ],
    [
      'GET',
      /^\/drive\/v3\/files\/([^/]+)$/,
      ([, file], _, __, request) => {
        const found = recordings.find((recording) => recording.file === file);
        if (found === undefined) return refused(404, 'NOT_FOUND');
        return endless === undefined
          ? media(found, request.headers.get('range'))
          : new HttpResponse(endless, { headers: { 'content-type': found.contentType } });
      },
    ],
    [
      'POST',
      /^\/calendar\/v3\/calendars\/primary\/events$/,
      (_, url, { id, summary, start, end, conferenceData }) => {
        if (events.has(id!)) return refused(409, 'ALREADY_EXISTS');
        if (url.searchParams.get('conferenceDataVersion') !== '1') return refused(400, 'INVALID_ARGUMENT');
        const { code } = newSpace();
        const { requestId } = conferenceData!.createRequest;
        const event = { id: id!, code, requestId, summary: summary!, start: start!, end: end!, status: 'confirmed' as const, reads: 0 };
        events.set(event.id, event);
        return eventAnswer(event);
      },
    ],
    ...(['GET', 'PATCH', 'DELETE'] as const).map((method): (typeof routes)[number] => [
      method,
      /^\/calendar\/v3\/calendars\/primary\/events\/([^/]+)$/,
      ([, id], _, { summary, start, end }) => {
        const event = events.get(id!);
        if (event === undefined) return refused(404, 'NOT_FOUND');
        if (method === 'GET') return eventAnswer(event);
        if (event.status === 'cancelled') return refused(410, 'GONE');
        if (method === 'PATCH') {
          Object.assign(event, { summary, start, end });
          return eventAnswer(event);
        }
        event.status = 'cancelled';
        return new HttpResponse(null, { status: 204 });
      },
    ]),
    [
      'POST',
      /^\/v1\/subscriptions$/,
      (_, __, { notificationEndpoint }) => {
        if (subscription !== undefined) {
          return refused(409, 'ALREADY_EXISTS', 'SUBSCRIPTION_ALREADY_EXISTS', { current_subscription: subscription.name });
        }
        const topic = notificationEndpoint!.pubsubTopic;
        subscription = { name: 'subscriptions/meet-users-abc', state: 'ACTIVE', expireTime: '2026-11-27T10:00:00Z', topic };
        return operation();
      },
    ],
    ['PATCH', /^\/v1\/(subscriptions\/[^/:]+)$/, ([, name]) => (subscription?.name === name ? operation() : refused(404, 'NOT_FOUND'))],
    [
      'POST',
      /^\/v1\/(subscriptions\/[^/:]+):reactivate$/,
      () => {
        subscription!.state = 'ACTIVE';
        return operation();
      },
    ],
    [
      'DELETE',
      /^\/v1\/(subscriptions\/[^/:]+)$/,
      () => {
        subscription = undefined;
        return HttpResponse.json({ done: true, response: { '@type': 'type.googleapis.com/google.protobuf.Empty' } });
      },
    ],
  ];

  const handler = http.all(`${API}/*`, async ({ request }) => {
    const url = new URL(request.url);
    const path = decodeURIComponent(url.pathname);
    log.push(`${request.method} ${path}${decodeURIComponent(url.search)}`);
    const text = await request.text();
    const body = (text === '' ? {} : JSON.parse(text)) as Body;
    bodies.push(body);
    for (const [method, pattern, answer] of routes) {
      const match = method === request.method ? pattern.exec(path) : null;
      if (match !== null) return answer([...match], url, body, request) as HttpResponse<null>;
    }
    return undefined;
  });

  return {
    handlers: [handler],
    log,
    bodies,
    spaces,
    events,
    meetings: () =>
      [...events.values()]
        .filter(({ status }) => status === 'confirmed')
        .map(({ code, summary, start, end }) => ({
          id: [...spaces.values()].find((space) => space.code === code)!.name,
          title: summary,
          startsAt: new Date(start.dateTime),
          durationMinutes: (Date.parse(end.dateTime) - Date.parse(start.dateTime)) / 60_000,
        })),
    deleteMeetings() {
      for (const event of events.values()) event.status = 'cancelled';
      spaces.clear();
    },
    record(space, { state, content, contentType }) {
      const name = `conferenceRecords/${RECORD}/recordings/r${recordings.length + 1}`;
      const file = `1kuceFZohVoCh6FulBHxwy6I15Ogpc4h${recordings.length}`;
      recordings.push({ space, name, file, state: state === 'ready' ? 'FILE_GENERATED' : 'ENDED', content, contentType });
    },
    recordsAutomatically: (id) => spaces.get(id)?.autoRecordingGeneration === 'ON',
    deleteRecordings() {
      recordings = [];
    },
    serveEndlessly() {
      let resolve: () => void;
      const cancelled = new Promise<void>((done) => {
        resolve = done;
      });
      endless = new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(1_024)),
        cancel: () => resolve(),
      });
      return { cancelled };
    },
    start(meetingId) {
      spaces.get(meetingId)!.running = true;
    },
    isRunning: (meetingId) => spaces.get(meetingId)!.running,
    subscriptions: () => (subscription === undefined ? [] : [subscription.name]),
    deleteSubscriptions() {
      subscription = undefined;
    },
    suspend() {
      subscription!.state = 'SUSPENDED';
    },
  };
}

interface SpaceConfig {
  readonly accessType?: string;
  readonly artifactConfig?: { readonly recordingConfig?: { readonly autoRecordingGeneration?: string } };
}
interface Body {
  readonly config?: SpaceConfig;
  readonly id?: string;
  readonly summary?: string;
  readonly start?: StoredEvent['start'];
  readonly end?: StoredEvent['end'];
  readonly conferenceData?: { readonly createRequest: { readonly requestId: string } };
  readonly notificationEndpoint?: { readonly pubsubTopic: string };
}

function media({ content, contentType }: StoredRecording, range: string | null): Response {
  const headers = { 'content-type': contentType };
  const size = content.length;
  const match = range === null ? null : /^bytes=(\d*)-(\d*)$/.exec(range);
  if (match === null) return new HttpResponse(new Uint8Array(content), { headers: { ...headers, 'content-length': String(size) } });
  const [, first = '', last = ''] = match;
  const start = first === '' ? size - Number(last) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Number(last);
  if (start >= size) return new HttpResponse(null, { status: 416, headers: { 'content-range': `bytes */${size}` } });
  const part = new Uint8Array(content.subarray(start, end + 1));
  return new HttpResponse(part, { status: 206, headers: { ...headers, 'content-range': `bytes ${start}-${end}/${size}` } });
}
