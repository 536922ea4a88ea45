import { createHmac } from 'node:crypto';
import { http, HttpResponse } from 'msw';
import { describe } from 'vitest';
import { HOUR } from '../../src/domain/time.ts';
import { describeEndings } from '../conformance/endings.ts';
import { describeMeetings } from '../conformance/meetings.ts';
import type { ProviderConformance } from '../conformance/options.ts';
import { describeProvider, refusalWith } from '../conformance/provider.ts';
import { describeRecordings } from '../conformance/recordings.ts';
import { altered, API, CONTRACT, createTestZoom, fixture, NOW, OAUTH, SECRET, signZoom, zoomError, zoomVendor } from './zoom-vendor.ts';

const about = { meetingId: '1234567890', instanceId: '4444AAAiAAAAAiAiAiiAii==' };
const recordingId = '4444AAAiAAAAAiAiAiiAii==';
const eventAt = new Date(1_626_230_691_572);
const participant = { participantId: '55555AAAiAAAAAiAiAiiAii', name: 'Jill Chill', userId: 'rstuvwxyza789-cde', limitReached: false };
const readyRecording = (files: readonly object[]) => ({
  id: recordingId,
  state: 'ready' as const,
  startedAt: new Date('2021-03-23T22:14:57Z'),
  endedAt: new Date('2021-03-23T23:15:41Z'),
  files: files as never,
});
const audio = { id: 'ed6c2f27-2ae7-42f4-b3d0-835b493e4fa8', kind: 'audio', contentType: 'audio/mp4', bytes: 246_560 };
const video = { id: '388ffb46-1541-460d-8447-4624451a1db7', kind: 'video', contentType: 'video/mp4', bytes: 282_825 };
const transcript = { id: audio.id, kind: 'transcript', contentType: 'text/vtt', bytes: 142 };
const user = { id: 'user-1', account_id: 'account-1', email: 'professional@example.com', type: 2 };
const answers = (account: object, settings: object | Response = { recording: { cloud_recording: true } }) => [
  http.get(`${API}/users/me`, () => HttpResponse.json(account)),
  http.get(`${API}/users/me/settings`, () => (settings instanceof Response ? settings : HttpResponse.json(settings))),
];
const profile = {
  id: 'user-1',
  email: 'professional@example.com',
  organisation: 'account-1',
  plan: 'paid',
  createsMeetings: true,
  cloudRecording: 'yes',
} as const;
const dailyLimit =
  'You have exceeded the daily rate limit (100) of Meeting Create/Update API requests permitted for this particular user. You may resume these requests at GMT 00:00:00.';

const SHARES = { page: /\/rec\/share\//, passcode: 'Abc12345' };

const conformance: ProviderConformance = {
  id: 'zoom',
  now: NOW,
  contract: CONTRACT,
  create: ({ now = () => NOW } = {}) => createTestZoom({ now }),
  vendor: () => zoomVendor(),
  api: [`${API}/*`],
  errorBody: (status) => zoomError(status, 'refused'),
  refusals: [
    {
      name: 'a field that breaks validation',
      status: 400,
      body: zoomError(300, 'Validation Failed.'),
      code: 'vendor_refused',
      vendorCode: '300',
    },
    { name: 'a business refusal', status: 400, body: zoomError(3000), code: 'vendor_refused', vendorCode: '3000' },
    { name: 'a plan that is too small', status: 400, body: zoomError(200, 'Only available for paid account'), code: 'not_capable' },
    { name: 'a user who may not host', status: 400, body: zoomError(3161), code: 'not_capable' },
    { name: 'an unknown user', status: 404, body: zoomError(1001), code: 'reconnect_required' },
    { name: 'a user of another account', status: 400, body: zoomError(1010), code: 'reconnect_required' },
    { name: 'missing scopes', status: 400, body: zoomError(4711), code: 'reconnect_required' },
    { name: 'an access that the user has to allow', status: 403, body: zoomError(2306), code: 'vendor_refused', vendorCode: '2306' },
    { name: 'a refusal without a code', status: 403, body: {}, code: 'vendor_refused', vendorCode: '403' },
    { name: 'a conflict', status: 409, body: zoomError(409), code: 'vendor_refused' },
    {
      name: 'case 72: the daily limit, until midnight UTC',
      status: 429,
      body: zoomError(429, dailyLimit),
      code: 'vendor_quota',
      retryAfterMs: 14 * HOUR - 250,
    },
    {
      name: 'a limit that only its header calls daily',
      status: 429,
      headers: { 'x-ratelimit-type': 'Daily-limit' },
      body: zoomError(429),
      code: 'vendor_quota',
      retryAfterMs: 14 * HOUR - 250,
    },
    {
      name: 'the limit per second',
      status: 429,
      body: zoomError(4001, 'You have reached the maximum per-second rate limit for this API. Try again later.'),
      code: 'vendor_quota',
      retryAfterMs: 2_000,
    },
  ],
  createIsRepeatable: false,
  settingDropped: {
    neverOn: () => zoomVendor({ settings: { auto_recording: 'none' } }),
    alwaysOn: () => zoomVendor({ settings: { auto_recording: 'cloud' } }),
  },
  shares: { ...SHARES, neverOpen: () => zoomVendor({ sharing: { share_recording: 'internally' } }) },
  removal: {
    refusals: [
      { name: 'it is still being made', status: 400, body: zoomError(3303), code: 'vendor_unavailable', vendorCode: '3303' },
      { name: 'it is in use', status: 404, body: zoomError(3310), code: 'vendor_unavailable', vendorCode: '3310' },
      { name: 'the plan or the role', status: 400, body: zoomError(200), code: 'not_capable', vendorCode: '200' },
      {
        name: 'a missing scope',
        status: 400,
        body: zoomError(4711, 'Invalid access token, does not contain scopes:[cloud_recording:delete:meeting_recording].'),
        code: 'not_capable',
        vendorCode: '4711',
      },
    ],
  },
  degraded: [
    {
      name: 'automatic recording',
      request: { recordAutomatically: true },
      vendor: () => zoomVendor({ settings: { auto_recording: 'none' } }),
      lists: ['record_automatically'],
    },
    {
      name: 'G12 no recording, where the account records everything',
      request: {},
      vendor: () => zoomVendor({ settings: { auto_recording: 'cloud' } }),
      lists: ['record_automatically'],
    },
    {
      name: 'G10 the camera kept off',
      request: { participantVideo: false },
      vendor: () => zoomVendor({ settings: { participant_video: true } }),
      lists: ['participant_video'],
    },
    {
      name: 'open access, where a waiting room is enforced',
      request: {},
      vendor: () => zoomVendor({ settings: { waiting_room: true } }),
      lists: ['open_access'],
    },
    { name: 'the start', request: {}, vendor: () => zoomVendor({ move: () => '2026-11-20T10:00:00Z' }), lists: ['starts_at'] },
  ],
  hostUrl: /^https:\/\/us02web\.zoom\.us\/s\/\d+\?zak=/,
  endMeeting: true,
  ranges: true,
  processingIsListed: true,
  oauth: {
    authorizationPage: `${OAUTH}/oauth/authorize`,
    tokenUrl: `${OAUTH}/oauth/token`,
    clientId: 'client-1',
    clientSecret: 'client-secret-1',
    secretIn: 'basic',
    scopesInUrl: { notApplicable: "Zoom takes the scopes from the app's configuration" },
    tokenAnswer: ({ accessToken, refreshToken }) => ({
      access_token: accessToken,
      token_type: 'bearer',
      expires_in: 3_600,
      scope: 'meeting:write:meeting user:read',
      api_url: 'https://api-eu.zoom.us',
      ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    }),
    rotates: true,
    badCode: { status: 400, body: { reason: 'Invalid authorization code', error: 'invalid_grant' } },
    deadGrants: [
      { name: 'a used or revoked refresh token', status: 400, body: { reason: 'Invalid Token!', error: 'invalid_grant' } },
      { name: 'a token replaced by a newer authorization', status: 401, body: { reason: '4741 token revoked', error: 'invalid_request' } },
    ],
    ourFault: [
      { name: 'a wrong client secret', status: 401, body: { reason: 'Invalid client_id or client_secret', error: 'invalid_client' } },
      { name: 'an unsupported grant', status: 400, body: { reason: 'unsupported grant type', error: 'unsupported_grant_type' } },
    ],
    revocation: { url: `${OAUTH}/oauth/revoke`, success: { status: 'success' } },
    profiles: [
      { name: 'reads a licensed user with cloud recording', grant: {}, handlers: answers(user), profile },
      {
        name: 'reads a licensed user whose cloud recording is off',
        grant: {},
        handlers: answers(user, { recording: { cloud_recording: false } }),
        profile: { ...profile, cloudRecording: 'no' },
      },
      {
        name: 'does not guess when the settings may not be read',
        grant: {},
        handlers: answers(user, refusalWith(400, zoomError(4711))),
        profile: { ...profile, cloudRecording: 'unknown' },
      },
      {
        name: 'G14 knows a Basic user as free, without cloud recording',
        grant: {},
        handlers: answers({ ...user, type: 1 }),
        profile: { ...profile, plan: 'free', cloudRecording: 'no' },
      },
      {
        name: 'knows that a user without meetings cannot host',
        grant: {},
        handlers: answers({ id: 'user-1', type: 4 }),
        profile: { id: 'user-1', email: null, organisation: null, plan: 'unknown', createsMeetings: false, cloudRecording: 'no' },
      },
    ],
  },
  webhook: {
    sign: (bytes, now) => ({ bytes, headers: signZoom(SECRET, bytes, now) }),
    unsigned: (bytes) => ({ bytes }),
    forged: (bytes, now) => ({ bytes, headers: { ...signZoom(SECRET, bytes, now), 'x-zm-signature': `v0=${'0'.repeat(64)}` } }),
    wrongSecret: (bytes, now) => ({ bytes, headers: signZoom('another secret', bytes, now) }),
    proofCoversBytes: true,
    signedMoment: { toleranceMs: 300_000 },
    moreForgeries: [
      {
        name: 'a signature without a timestamp',
        arrive: (bytes, now) => ({ bytes, headers: { 'x-zm-signature': signZoom(SECRET, bytes, now)['x-zm-signature']! } }),
      },
      { name: 'a timestamp without a signature', arrive: (bytes) => ({ bytes, headers: { 'x-zm-request-timestamp': '1795168800' } }) },
      ...['v1=', 'v0', '', 'sha256=', 'v0= '].map((prefix) => ({
        name: `the prefix "${prefix}"`,
        arrive: (bytes: Buffer, now: Date) => {
          const headers = signZoom(SECRET, bytes, now);
          return { bytes, headers: { ...headers, 'x-zm-signature': headers['x-zm-signature']!.replace('v0=', prefix) } };
        },
      })),
      {
        name: 'a signature in capitals',
        arrive: (bytes, now) => {
          const headers = signZoom(SECRET, bytes, now);
          return { bytes, headers: { ...headers, 'x-zm-signature': `v0=${headers['x-zm-signature']!.slice(3).toUpperCase()}` } };
        },
      },
    ],
    deliveries: [
      {
        name: 'meeting.started',
        bytes: fixture('meeting.started'),
        notices: [{ type: 'meeting.started', ...about, at: new Date('2021-07-13T21:44:51Z') }],
      },
      {
        name: 'meeting.ended',
        bytes: fixture('meeting.ended'),
        notices: [{ type: 'meeting.ended', ...about, at: new Date('2021-07-13T23:00:51Z'), limitReached: false }],
      },
      {
        name: 'meeting.participant_joined',
        bytes: fixture('meeting.participant_joined'),
        notices: [{ type: 'participant.joined', ...about, ...participant, at: new Date('2021-07-13T21:44:51Z') }],
      },
      {
        name: 'meeting.participant_left',
        bytes: fixture('meeting.participant_left'),
        notices: [{ type: 'participant.left', ...about, ...participant, at: new Date('2021-07-13T22:50:51Z') }],
      },
      {
        name: 'recording.started',
        bytes: fixture('recording.started'),
        notices: [{ type: 'recording.processing', meetingId: about.meetingId, recordingId, at: eventAt }],
      },
      {
        name: 'recording.stopped',
        bytes: fixture('recording.stopped'),
        notices: [{ type: 'recording.processing', meetingId: about.meetingId, recordingId, at: eventAt }],
      },
      {
        name: 'recording.completed',
        bytes: fixture('recording.completed'),
        notices: [{ type: 'recording.ready', meetingId: about.meetingId, at: eventAt, recording: readyRecording([audio, video]) }],
      },
      {
        name: 'recording.transcript_completed',
        bytes: fixture('recording.transcript_completed'),
        notices: [{ type: 'recording.ready', meetingId: about.meetingId, at: eventAt, recording: readyRecording([transcript]) }],
      },
      {
        name: 'recording.trashed',
        bytes: fixture('recording.trashed'),
        notices: [{ type: 'recording.removed', meetingId: about.meetingId, recordingId, fileIds: [audio.id, video.id], at: eventAt }],
      },
      {
        name: 'recording.deleted',
        bytes: fixture('recording.deleted'),
        notices: [{ type: 'recording.removed', meetingId: about.meetingId, recordingId, fileIds: [audio.id, video.id], at: eventAt }],
      },
      {
        name: 'recording.recovered',
        bytes: fixture('recording.recovered'),
        notices: [{ type: 'recording.recovered', meetingId: about.meetingId, recordingId, fileIds: [audio.id, video.id], at: eventAt }],
      },
      {
        name: 'app_deauthorized, with its moment inside the payload',
        bytes: fixture('app_deauthorized'),
        notices: [
          { type: 'account.deauthorized', organisation: 'AAAAAABBBB', userId: 'abcD3ojfdbjfg', at: new Date('2024-09-08T15:58:40Z') },
        ],
      },
    ],
    redelivered: [
      {
        name: 'recording.completed with other download addresses and another token',
        first: fixture('recording.completed'),
        again: altered('recording.completed', (document) => {
          document['download_token'] = 'another';
          for (const file of document.payload.object.recording_files) file['download_url'] = 'https://zoom.us/other';
        }),
      },
      {
        name: 'meeting.started with its members in another order',
        first: fixture('meeting.started'),
        again: altered('meeting.started', (document) => {
          const event = document['event'];
          delete document['event'];
          document['event'] = event!;
        }),
      },
      {
        name: 'the id as a number',
        first: fixture('meeting.started'),
        again: altered('meeting.started', (document) => void (document.payload.object['id'] = 1_234_567_890)),
      },
    ],
    distinct: [
      { name: 'start and end', one: fixture('meeting.started'), other: fixture('meeting.ended') },
      { name: 'a transcript and its recording', one: fixture('recording.completed'), other: fixture('recording.transcript_completed') },
      {
        name: 'two instances of one meeting',
        one: fixture('meeting.started'),
        other: altered('meeting.started', (document) => void (document.payload.object['uuid'] = 'another==')),
      },
      {
        name: 'two participants in the same millisecond',
        one: fixture('meeting.participant_joined'),
        other: altered(
          'meeting.participant_joined',
          (document) => void (document.payload.object.participant['participant_uuid'] = 'another'),
        ),
      },
      { name: 'two bodies that cannot be read', one: Buffer.from('{"event":'), other: Buffer.from('not JSON') },
    ],
    inOrder: {
      earlier: altered('meeting.ended', (document) => void (document['event_ts'] = 999_999_999_999)),
      later: altered('meeting.started', (document) => void (document['event_ts'] = 1_626_230_691_573)),
    },
    unknown: [
      fixture('meeting.created'),
      fixture('meeting.updated'),
      fixture('meeting.deleted'),
      Buffer.from('{"event":"user.updated","event_ts":1626230691572,"payload":{}}'),
      Buffer.from('{"event":"constructor"}'),
    ],
    garbage: [
      Buffer.from('{"event":"meeting.started","event_ts":1626230691572,"payload":null}'),
      altered('meeting.started', (document) => void delete document['event_ts']),
      altered('meeting.started', (document) => void (document.payload.object['uuid'] = '')),
      altered('meeting.started', (document) => void (document.payload.object['id'] = 1.5)),
      altered('meeting.started', (document) => void (document.payload.object['id'] = '../users')),
      altered('recording.completed', (document) => void Object.assign(document.payload.object, { recording_files: 'none' })),
    ],
    handshakes: (['signed', 'unsigned'] as const).map((how) => ({
      name: `case 44: url_validation, ${how}`,
      bytes: fixture('endpoint.url_validation'),
      arrival: (bytes: Buffer, now: Date) => ({ bytes, ...(how === 'signed' ? { headers: signZoom(SECRET, bytes, now) } : {}) }),
      contentType: /^application\/json/,
      body: JSON.stringify({
        plainToken: 'qgg8vlvZRS6UYooatFL8Aw',
        encryptedToken: createHmac('sha256', SECRET).update('qgg8vlvZRS6UYooatFL8Aw').digest('hex'),
      }),
    })),
    resolve: { notApplicable: 'events of Zoom say everything themselves' },
  },
  subscriptions: { notApplicable: "the feed belongs to the app's configuration and does not expire" },
};

const server = describeProvider(conformance);

describe('F04 zoom keeps the contract for a host of the operator, too', () => {
  const hosted: ProviderConformance = {
    ...conformance,
    account: { hosting: 'platform', id: 'host-1' },
    vendor: () => zoomVendor({ user: 'host-1' }),
    degraded: { notApplicable: 'the answer is read by the same code as that of an own account' },
    settingDropped: { notApplicable: 'the answer is read by the same code as that of an own account' },
    shares: { ...SHARES, neverOpen: () => zoomVendor({ user: 'host-1', sharing: { share_recording: 'internally' } }) },
  };
  describeMeetings(server, hosted);
  describeRecordings(server, hosted);
  describeEndings(server, hosted);
});
