/** The main job for one app, from the first sign-in to the published recording. Every step is checked; the first one that fails ends the story. */
import { createBrowser, location, visit, type Answer } from './clients.ts';
import type { ReceivedEvent } from './receiver.ts';
import type { World } from './world.ts';

export interface Cast {
  readonly provider: 'zoom' | 'microsoft-teams' | 'google-meet';
  readonly app: string;
  /** The sandbox's user who connects. */
  readonly user: string;
  /** Where the join link has to lead. */
  readonly joinHost: RegExp;
}

export const CASTS: readonly Cast[] = [
  { provider: 'zoom', app: 'Zoom', user: 'ada@zoom.sandbox.example', joinHost: /^https:\/\/[a-z0-9]+\.zoom\.us\/j\// },
  {
    provider: 'microsoft-teams',
    app: 'Microsoft Teams',
    user: 'ada@microsoft.sandbox.example',
    joinHost: /^https:\/\/teams\.microsoft\.com\/l\/meetup-join\//,
  },
  { provider: 'google-meet', app: 'Google Meet', user: 'ada@google.sandbox.example', joinHost: /^https:\/\/meet\.google\.com\// },
];

export interface Published {
  readonly meetingId: string;
  readonly recordingId: string;
  readonly link: string;
}

export type Say = (what: string, detail?: string) => void;

const MINUTE = 60_000;

export async function playStory(world: World, cast: Cast, say: Say): Promise<Published> {
  const { api, sandbox } = world;
  const professional = `pro_${cast.provider}`;
  const customer = `cus_${cast.provider}`;

  const connectionId = await connect(world, cast, professional, say);

  const created = await api(
    'POST',
    '/v1/meetings',
    {
      booking: { id: `bk_${cast.provider}`, kind: 'one_to_one', title: 'Tax consultation' },
      professional_id: professional,
      attendees: [{ customer_id: customer, name: 'Ada', locale: 'en' }],
      provider: cast.provider,
      starts_at: new Date(world.now().getTime() + 10 * MINUTE).toISOString(),
      duration_minutes: 30,
      time_zone: 'Europe/Berlin',
      recording: 'on_consent',
    },
    { 'idempotency-key': `demo-${cast.provider}` },
  );
  expect(created, 201);
  const meeting = created.json as {
    id: string;
    state: string;
    connection_id: string;
    host_url: string;
    link: { provider_join_url: string };
    attendees: { join_url: string }[];
  };
  check(
    meeting.state === 'awaiting_purchase' && meeting.connection_id === connectionId,
    'the meeting waits for the purchase on the connected account',
  );
  check(cast.joinHost.test(meeting.link.provider_join_url), `the link is one of ${cast.app}`);
  say('POST /v1/meetings', `201 ${meeting.id}, ${new URL(meeting.link.provider_join_url).host}, state ${meeting.state}`);

  const joinUrl = meeting.attendees[0]!.join_url;
  const early = await visit(joinUrl);
  check(
    early.status === 402 && !early.text.includes(new URL(meeting.link.provider_join_url).host),
    'the join page hides the link before the purchase',
  );
  say('GET  /j/… before the purchase', '402, the vendor link is nowhere on the page');

  const purchase = await api('POST', `/v1/meetings/${meeting.id}/purchases`, { customer_id: customer });
  expect(purchase, 201);
  expect(
    await api('PUT', `/v1/meetings/${meeting.id}/attendees/${customer}/recording-consent`, {
      decision: 'granted',
      locale: 'en',
      text_version: 'demo-1',
    }),
    200,
  );
  await told(world, 'meeting.link_locked', { meeting_id: meeting.id });
  say('POST …/purchases, PUT …/recording-consent', '201, link locked, consent in the ledger');

  const change = await api('PATCH', `/v1/meetings/${meeting.id}`, { join_url: 'https://zoom.us/j/99999999999' });
  check(change.status === 409 && change.json['code'] === 'link_locked', 'the link may not change after the purchase');
  say('PATCH /v1/meetings/… with another link', '409 link_locked');

  const host = await visit(`${meeting.host_url}/join`, { method: 'POST' });
  check(host.status === 303 && location(host) !== '', 'the host link leads to the vendor');
  const join = await visit(`${joinUrl}/join`, { method: 'POST' });
  check(join.status === 303 && location(join) === meeting.link.provider_join_url, 'the join link leads to the vendor');
  say('POST /h/…/join and /j/…/join', `303 -> ${shortened(location(join))}`);

  const control = (action: string, body?: object) => happen(world, cast, meeting.link.provider_join_url, action, body);
  await control('start');
  await control('join', { name: 'Ada' });
  await control('end');
  await control('finish-recording');
  const deliveries = ((await visit(`${sandbox.url}/control/deliveries?vendor=${cast.provider}`)).json['deliveries'] ?? []) as {
    status?: number;
    event?: string;
    attempts?: unknown[];
  }[];
  say(`${cast.app} held the meeting and recorded it`, `${deliveries.length} signed deliveries to /webhooks/${cast.provider}`);

  const published = await told(world, 'recording.published', { meeting_id: meeting.id });
  const links = published.data['links'] as { customer_id: string; url: string }[];
  check(links.length === 1 && links[0]!.customer_id === customer, 'the customer has one personal link');
  const days = (Date.parse(String(published.data['expires_at'])) - Date.parse(String(published.data['published_at']))) / 86_400_000;
  check(days === 14, 'the link lives 14 days');
  say('event recording.published', `signature ok, ${published.id}, link for ${links[0]!.customer_id}, ${days} days`);

  const link = links[0]!.url;
  const page = await visit(link);
  expect(page, 200);
  const media = await fetch(`${link}/media`, { headers: { range: 'bytes=0-99' } });
  const bytes = (await media.arrayBuffer()).byteLength;
  // Graph documents no ranges for recordings: the whole file is a correct answer there.
  check(media.status === 206 ? bytes === 100 : media.status === 200 && bytes > 100, 'the recording streams through the gateway');
  check(!page.text.includes(sandbox.url) && !page.text.includes('token='), 'the page shows no vendor URL');
  await told(world, 'recording.viewed', { meeting_id: meeting.id });
  say('GET  /r/… and /r/…/media', `200, then ${media.status} with ${bytes} bytes of ${media.headers.get('content-type')}`);
  return { meetingId: meeting.id, recordingId: String(published.data['recording_id']), link };
}

/** Day 15: the link is gone, here and in the database. */
export async function checkGone(world: World, { link, recordingId }: Published, say: Say): Promise<void> {
  const { api } = world;
  const page = await visit(link);
  const media = await visit(`${link}/media`);
  check(page.status === 410 && media.status === 410, 'the link answers 410');
  await told(world, 'recording.expired', { recording_id: recordingId });
  const recording = await api('GET', `/v1/recordings/${recordingId}`);
  check(recording.json['state'] === 'expired' && typeof recording.json['erased_at'] === 'string', 'the recording is erased');
  check(JSON.stringify(recording.json['files']) === '[]' && !recording.text.includes('/r/'), 'files and links are gone');
  say('GET  /r/… on day 15', '410; recording.expired received; files, vendor ids and links erased');
}

/** The connect page, the vendor's consent, and back; the connection's id. */
export async function connect(world: World, cast: Cast, professional: string, say: Say): Promise<string> {
  const { api } = world;
  const session = await api('POST', '/v1/connect-sessions', { professional_id: professional, providers: [cast.provider] });
  expect(session, 201);
  const browser = createBrowser();
  const connectUrl = String(session.json['url']);
  expect(await browser(connectUrl), 200);
  const away = await browser(`${connectUrl}/${cast.provider}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'recordings=yes',
  });
  expect(away, 303);
  const authorize = new URL(location(away));
  check(authorize.searchParams.get('code_challenge_method') === 'S256', 'PKCE is used');
  authorize.searchParams.set('sandbox_user', cast.user);
  authorize.searchParams.set('sandbox_decision', 'allow');
  const consent = await browser(authorize.href);
  const back = await browser(location(consent));
  expect(back, 303);
  const connectionId = new URL(location(back), connectUrl).searchParams.get('connection_id') ?? '';
  await told(world, 'connection.active', { connection_id: connectionId });
  const connection = await api('GET', `/v1/connections/${connectionId}`);
  check(
    connection.json['status'] === 'active' && JSON.stringify(connection.json['missing_scopes']) === '[]',
    `the connection is active with every permission: ${connection.text}`,
  );
  say('OAuth with PKCE on the connect page', `${connectionId}, ${cast.user}, plan ${String(connection.json['plan'])}`);
  return connectionId;
}

/** What people do at the vendor: `start`, `join`, `leave`, `end`, `finish-recording`, as the sandbox's control API has them. */
export async function happen(
  { sandbox }: World,
  { provider }: Pick<Cast, 'provider'>,
  joinUrl: string,
  action: string,
  body: object = {},
): Promise<void> {
  const id = provider === 'microsoft-teams' ? joinUrl : new URL(joinUrl).pathname.split('/').at(-1)!;
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  expect(await visit(`${sandbox.url}/control/meetings/${provider}/${encodeURIComponent(id)}/${action}`, init), 200);
}

/** The event of this type whose data has these values. */
export const told = ({ receiver }: World, type: string, values: Readonly<Record<string, unknown>>): Promise<ReceivedEvent> =>
  receiver.waitFor(type, (event) => event.type === type && Object.entries(values).every(([name, value]) => event.data[name] === value));

const shortened = (url: string): string => (url.length > 60 ? `${url.slice(0, 57)}…` : url);

export class StepFailed extends Error {}

export function check(holds: boolean, what: string): void {
  if (!holds) throw new StepFailed(`not true: ${what}`);
}

export function expect(answer: Answer, status: number): void {
  if (answer.status !== status) throw new StepFailed(`expected ${status}, got ${answer.status}: ${answer.text.slice(0, 300)}`);
}
