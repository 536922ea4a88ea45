/** The adapters of Microsoft and Google as the operator's own account uses them, against the sandbox over real HTTP. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createGoogleMeet } from '../../providers/google-meet/index.ts';
import { createMicrosoftTeams } from '../../providers/microsoft-teams/index.ts';
import type { Account, MeetingRequest, PlatformHost, Provider } from '../../providers/provider.ts';
import type { Failure } from '../../src/domain/failure.ts';
import { DAY, HOUR, plus } from '../../src/domain/time.ts';
import { meetingRequest } from '../conformance/meetings.ts';
import { GOOGLE, MICROSOFT, START, connect, receiver, running, type Received } from '../sandbox/support.ts';

const TENANT = '2432b57b-0abd-43db-aa7b-16eadd115d34';
const TEAMS_HOST = 'host@microsoft.sandbox.example';
const MEET_HOST = 'host@google.sandbox.example';
const CHANGE = { title: 'Moved', startsAt: plus(START, 2 * DAY), durationMinutes: 20, timeZone: 'Asia/Tokyo' };
const HOST_CAN = { plan: 'paid', createsMeetings: true, cloudRecording: 'unknown' };

type Running = Awaited<ReturnType<typeof running>>;

const request = (changes: Partial<MeetingRequest> = {}) => meetingRequest({ now: START }, changes);

const teams = ({ url, sandbox }: Running, { clientSecret = 'sandbox-secret', tenant = TENANT } = {}): Provider =>
  createMicrosoftTeams({
    clientId: 'sandbox-client',
    clientSecret,
    loginUrl: url,
    graphUrl: url,
    clientStateSecrets: [Buffer.alloc(32, 7)],
    mediaOrigins: [url],
    platform: { tenant },
    now: sandbox.now,
  });

async function meet({ url, sandbox }: Running, { privateKey }: { privateKey?: string } = {}): Promise<Provider> {
  const account = await sandbox.serviceAccount();
  return createGoogleMeet({
    clientId: 'sandbox-client',
    clientSecret: 'sandbox-secret',
    authUrl: url,
    tokenUrl: url,
    apiUrl: url,
    jwksUrl: `${url}/oauth2/v3/certs`,
    pubsubTopic: 'projects/p/topics/t',
    pushAudience: 'https://gateway.example/push',
    pushServiceAccount: 'push@p.iam.gserviceaccount.com',
    mediaOrigins: [url],
    platform: { ...account, privateKey: privateKey ?? account.privateKey, tokenUrl: `${url}/token` },
    now: sandbox.now,
  });
}

/** The host as the gateway keeps it: a row with a token that is asked for when it is needed. */
async function hostOf({ platform }: Provider, name: string): Promise<Account & PlatformHost> {
  const subject = platform!.subjectOf(name);
  let grant = await platform!.token(subject);
  const host = await platform!.host(grant, name);
  return {
    ...host,
    hosting: 'platform',
    scopes: grant.scopes,
    spend: () => Promise.resolve(),
    async accessToken(rejected) {
      if (rejected === grant.accessToken) grant = await platform!.token(subject);
      return grant.accessToken;
    },
  };
}

const failed = (work: Promise<unknown>): Promise<Failure> =>
  work.then(
    (value) => Promise.reject(new Error(`expected a failure, got ${JSON.stringify(value)}`)),
    (error: Failure) => error,
  );

async function bytesOf(body: ReadableStream<Uint8Array>): Promise<number> {
  return (await new Response(body).arrayBuffer()).byteLength;
}

const echo = ({ query }: Received): Response =>
  new Response(query.get('validationToken') ?? null, { status: query.has('validationToken') ? 200 : 202 });

describe("F04 a Teams host of the operator's tenant", () => {
  it('is read by its sign-in name or its object id, with one token for every host', async () => {
    const provider = teams(await running());
    const { platform } = provider;
    const { id, email, organisation, plan, concurrentMeetings } = await hostOf(provider, TEAMS_HOST);
    expect({ email, organisation, plan }).toEqual({ email: TEAMS_HOST, organisation: TENANT, plan: 'paid' });
    expect(concurrentMeetings).toBeGreaterThan(1);
    expect((await hostOf(provider, id)).email).toBe(TEAMS_HOST);
    expect([platform!.subjectOf(TEAMS_HOST), platform!.subjectOf(id)]).toEqual([TENANT, TENANT]);
  });

  it('has its meetings made, changed and cancelled under its object id, and nothing is asked as "me"', async () => {
    const world = await running();
    const provider = teams(world);
    const host = await hostOf(provider, TEAMS_HOST);
    const meeting = await provider.createMeeting(host, request({ recordAutomatically: true }));
    expect(meeting.degraded).toEqual([]);
    expect(await provider.hostUrl(host, meeting)).toBe(meeting.joinUrl);
    expect((await provider.createMeeting(host, request({ recordAutomatically: true, retry: true }))).id).toBe(meeting.id);
    await provider.changeMeeting(host, meeting, CHANGE);
    expect(await events(world)).toMatchObject([{ owner: TEAMS_HOST, subject: 'Moved', start: CHANGE.startsAt.toISOString() }]);
    await provider.cancelMeeting(host, meeting);
    expect(await events(world)).toEqual([]);
    expect(await provider.oauth.readAgain(host)).toMatchObject({ id: host.id, email: TEAMS_HOST, ...HOST_CAN });

    const paths = world.sandbox.traffic.requests().map(({ path }) => path);
    expect(paths.filter((path) => path.startsWith(`/v1.0/users/${host.id}/`)).length).toBeGreaterThan(5);
    expect(paths.filter((path) => path.startsWith('/v1.0/me'))).toEqual([]);
  });

  it('has its recordings announced, found and streamed', async () => {
    const world = await running();
    const gateway = await receiver(echo);
    const provider = teams(world);
    const host = await hostOf(provider, TEAMS_HOST);
    const urls = { notificationUrl: `${gateway.url}/notify`, lifecycleUrl: `${gateway.url}/lifecycle` };
    const first = await provider.subscriptions!.create(host, urls);
    const other = await provider.subscriptions!.create(await hostOf(provider, 'ada@microsoft.sandbox.example'), urls);
    expect(other.id).not.toBe(first.id);
    expect((await provider.subscriptions!.create(host, urls)).id).toBe(first.id);

    const meeting = await provider.createMeeting(host, request());
    world.sandbox.happenings['microsoft-teams'].start(meeting.id);
    world.sandbox.happenings['microsoft-teams'].finishRecording(meeting.id, { transcript: false });
    await world.sandbox.settle();
    const notified = gateway.received.filter(({ query }) => !query.has('validationToken'));
    expect(notified).toHaveLength(1);
    const opened = await provider.webhook.open({
      bytes: Buffer.from(notified[0]!.text),
      header: () => undefined,
      query: new URLSearchParams(),
      channel: 'events',
      now: START,
    });
    const [pointer] = opened.kind === 'deliveries' ? provider.webhook.read(opened.deliveries[0]!.bytes) : [];
    if (pointer?.type !== 'pointer') throw new Error('no pointer came');
    expect(pointer.subscriptionId).toBe(first.id);
    const [event] = await provider.webhook.resolve!(host, pointer);
    const [listed] = await provider.recordings.list(host, meeting);
    expect(event).toMatchObject({ type: 'recording.ready', meetingId: meeting.id, recording: listed });

    const media = await provider.recordings.open(host, {
      meeting,
      recordingId: listed!.id,
      fileId: listed!.files[0]!.id,
      range: undefined,
      signal: new AbortController().signal,
    });
    expect([media.status, media.contentType]).toEqual([200, 'video/mp4']);
    expect(await bytesOf(media.body)).toBeGreaterThan(100_000);

    expect((await provider.subscriptions!.renew(host, first.id)).id).toBe(first.id);
    await provider.subscriptions!.remove(host, first.id);
    expect((await failed(provider.subscriptions!.renew(host, first.id))).code).toBe('gone');
  });

  it('case 71: goes on with a token that is really new when Graph does not take the old one any more', async () => {
    const world = await running();
    const provider = teams(world);
    const host = await hostOf(provider, TEAMS_HOST);
    const before = await host.accessToken();
    await world.sandbox.advance(2 * HOUR);
    await provider.createMeeting(host, request());
    expect(await host.accessToken()).not.toBe(before);
  });

  it('is refused with the commands for the operator while no access policy covers it, and leaves nothing in the calendar', async () => {
    const world = await running();
    const provider = teams(world);
    const host = await hostOf(provider, TEAMS_HOST);
    world.sandbox.administer('microsoft-teams', { access_policy: { user: TEAMS_HOST, covered: false } });
    const failure = await failed(provider.createMeeting(host, request()));
    expect(failure).toMatchObject({ code: 'not_capable', extra: { vendor_code: 'Unauthorized' } });
    expect(failure.message).toMatch(/New-CsApplicationAccessPolicy .+ Grant-CsApplicationAccessPolicy .+30 minutes/);
    expect(failure.message).not.toContain(host.id);
    expect(await events(world)).toEqual([]);
    world.sandbox.administer('microsoft-teams', { access_policy: { user: TEAMS_HOST, covered: true } });
    expect((await provider.createMeeting(host, request({ retry: true }))).degraded).toEqual([]);
  });

  it.each([
    ['Calendars.ReadWrite', (provider: Provider, host: Account) => provider.createMeeting(host, request())],
    ['OnlineMeetings.ReadWrite.All', (provider: Provider, host: Account) => provider.createMeeting(host, request())],
    ['OnlineMeetingRecording.Read.All', (provider: Provider, host: Account) => provider.recordings.list(host, MEETING)],
    [
      'OnlineMeetingRecording.Read.All',
      (provider: Provider, host: Account) =>
        provider.subscriptions!.create(host, { notificationUrl: 'https://gateway.example/n', lifecycleUrl: 'https://gateway.example/l' }),
    ],
    ['User.Read.All', (provider: Provider) => hostOf(provider, TEAMS_HOST)],
  ])('names the application permissions when %s is not among the granted ones', async (missing, call) => {
    const world = await running();
    const provider = teams(world);
    const known = await hostOf(provider, TEAMS_HOST);
    const permissions = ['User.Read.All', 'Calendars.ReadWrite', 'OnlineMeetings.ReadWrite.All', 'OnlineMeetingRecording.Read.All'];
    world.sandbox.administer('microsoft-teams', { application_permissions: permissions.filter((name) => name !== missing) });
    const { accessToken } = await provider.platform!.token(TENANT);
    const failure = await failed(call(provider, { ...known, accessToken: () => Promise.resolve(accessToken) }));
    expect(failure.code).toBe('not_capable');
    expect(failure.message).toContain(missing);
    expect(await events(world)).toEqual([]);
  });

  it('is for the operator to repair when the secret or the tenant is wrong', async () => {
    const world = await running();
    const wrongSecret = await failed(teams(world, { clientSecret: 'old' }).platform!.token(TENANT));
    expect(wrongSecret).toMatchObject({ code: 'credentials_rejected', extra: { vendor_code: 'AADSTS7000215' } });
    const tenant = 'aaaaaaaa-0000-4000-8000-00000000000f';
    const wrongTenant = await failed(teams(world, { tenant }).platform!.token(tenant));
    expect(wrongTenant).toMatchObject({ code: 'credentials_rejected', extra: { vendor_code: 'AADSTS90002' } });
    expect(wrongTenant.message).toContain(tenant);
  });

  it('cannot be a user who is not there, of another tenant, or without Teams', async () => {
    const world = await running();
    const provider = teams(world);
    world.sandbox.addUser('microsoft-teams', { email: 'dora@other.example' });
    expect((await failed(hostOf(provider, 'nobody@microsoft.sandbox.example'))).code).toBe('not_found');
    expect((await failed(hostOf(provider, 'dora@other.example'))).code).toBe('not_found');
    expect((await failed(hostOf(provider, 'ben@outlook.sandbox.example'))).code).toBe('not_found');
    expect((await failed(hostOf(provider, 'cleo@microsoft.sandbox.example'))).code).toBe('not_capable');
  });
});

const MEETING = { id: 'MSo1', joinUrl: 'https://teams.microsoft.com/l/meetup-join/x', details: {} };

const events = async ({ call }: Running): Promise<readonly Record<string, unknown>[]> => {
  const { body } = await call('GET', '/control/state');
  return (body as unknown as { vendors: { 'microsoft-teams': { events: Record<string, unknown>[] } } }).vendors['microsoft-teams'].events;
};

describe("F04 a Meet host of the operator's domain", () => {
  it('is whom the token of its address speaks for', async () => {
    const provider = await meet(await running());
    expect(provider.platform!.subjectOf('Host@Google.sandbox.example')).toBe(MEET_HOST);
    const host = await hostOf(provider, 'Host@Google.sandbox.example');
    expect(host).toMatchObject({ email: MEET_HOST, organisation: 'google.sandbox.example', ...HOST_CAN, plan: 'unknown' });
    expect(host.id).toMatch(/^\d{21}$/);
    expect(host.concurrentMeetings).toBeGreaterThan(1);
    const other = await hostOf(provider, 'ada@google.sandbox.example');
    expect(await other.accessToken()).not.toBe(await host.accessToken());
  });

  it('owns the spaces that are made, ended and closed for it', async () => {
    const world = await running();
    const provider = await meet(world);
    const host = await hostOf(provider, MEET_HOST);
    const meeting = await provider.createMeeting(host, request({ recordAutomatically: true }));
    expect(meeting.degraded).toEqual([]);
    expect(meeting.details).toEqual({ via: 'space' });
    await provider.changeMeeting(host, meeting, CHANGE);
    await provider.endMeeting!(host, meeting);
    expect(await spaces(world)).toMatchObject([{ owner: MEET_HOST, config: { accessType: 'OPEN' } }]);
    await provider.cancelMeeting(host, meeting);
    expect(await spaces(world)).toMatchObject([{ config: { accessType: 'RESTRICTED' } }]);
    expect(await provider.oauth.readAgain(host)).toMatchObject({ id: host.id, plan: 'unknown' });
  });

  it('has its own event feed, and its recordings found and streamed', async () => {
    const push = await receiver(() => new Response(null, { status: 204 }));
    const world = await running({
      google: {
        webhook: {
          url: push.url,
          audience: 'https://gateway.example/push',
          serviceAccount: 'push@p',
          subscription: 'projects/p/subscriptions/s',
        },
      },
    });
    const provider = await meet(world);
    const host = await hostOf(provider, MEET_HOST);
    const urls = { notificationUrl: '', lifecycleUrl: '' };
    const feed = await provider.subscriptions!.create(host, urls);
    expect(feed.expiresAt).toEqual(plus(START, 7 * DAY));
    expect((await provider.subscriptions!.create(host, urls)).id).toBe(feed.id);
    const other = await provider.subscriptions!.create(await hostOf(provider, 'ada@google.sandbox.example'), urls);
    expect(other.id).not.toBe(feed.id);

    const meeting = await provider.createMeeting(host, request());
    const happenings = world.sandbox.happenings['google-meet'];
    happenings.start(meeting.id);
    happenings.end(meeting.id, 'host');
    happenings.finishRecording(meeting.id, { transcript: false });
    await world.sandbox.settle();
    const types = push.received.map(({ text }) => /"ce-type":"google\.workspace\.meet\.([^"]+)"/.exec(text)?.[1]);
    expect(types).toEqual(expect.arrayContaining(['conference.v2.started', 'conference.v2.ended', 'recording.v2.fileGenerated']));

    const [recording] = await provider.recordings.list(host, meeting);
    const media = await provider.recordings.open(host, {
      meeting,
      recordingId: recording!.id,
      fileId: recording!.files[0]!.id,
      range: 'bytes=0-99',
      signal: new AbortController().signal,
    });
    expect([media.status, await bytesOf(media.body)]).toEqual([206, 100]);

    await world.sandbox.advance(6 * DAY);
    expect((await provider.subscriptions!.renew(host, feed.id)).expiresAt).toEqual(plus(START, 13 * DAY));
    await provider.subscriptions!.remove(host, feed.id);
    expect((await failed(provider.subscriptions!.renew(host, feed.id))).code).toBe('gone');
  });

  it('keeps its grant when the same person takes back the permission given as a professional', async () => {
    const world = await running();
    const provider = await meet(world);
    await connect(world.url, GOOGLE, { user: MEET_HOST, scopes: 'openid email' });
    const host = await hostOf(provider, MEET_HOST);
    world.sandbox.removeApp('google-meet', MEET_HOST);
    expect((await provider.createMeeting(host, request())).degraded).toEqual([]);
  });

  it('cannot be an address that the domain does not have', async () => {
    const provider = await meet(await running());
    expect((await failed(provider.platform!.token('nobody@google.sandbox.example'))).code).toBe('not_found');
  });

  it('is for the operator to repair when the domain has not delegated every scope, and says where', async () => {
    const world = await running();
    const provider = await meet(world);
    const { clientId } = await world.sandbox.serviceAccount();
    world.sandbox.administer('google-meet', { delegated_scopes: ['openid'] });
    const failure = await failed(provider.platform!.token(MEET_HOST));
    expect(failure).toMatchObject({ code: 'credentials_rejected', extra: { vendor_code: 'unauthorized_client' } });
    expect(failure.message).toContain('Domain-wide delegation');
    expect(failure.message).toContain(clientId);
    // A user of another domain looks the same: nobody there has delegated anything.
    expect((await failed(provider.platform!.token('ben@gmail.sandbox.example'))).code).toBe('credentials_rejected');
  });

  it('is for the operator to repair when the key is not, or no longer, that of the service account', async () => {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2_048,
      privateKeyEncoding: PEM,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const provider = await meet(await running(), { privateKey });
    const failure = await failed(provider.platform!.token(MEET_HOST));
    expect(failure).toMatchObject({ code: 'credentials_rejected', extra: { vendor_code: 'invalid_grant' } });
    expect(failure.message + JSON.stringify(failure.extra)).not.toContain('PRIVATE KEY');
  });

  it.each([
    [500, 'vendor_unavailable'],
    [429, 'vendor_quota'],
  ])('is a matter of waiting when the token endpoint answers %i', async (status, code) => {
    const world = await running();
    const provider = await meet(world);
    world.sandbox.traffic.addFault({ vendor: 'google-meet', match: { path: '^/token' }, times: 3, answer: { status } });
    expect((await failed(provider.platform!.token(MEET_HOST))).code).toBe(code);
    expect((await failed(provider.platform!.host({ accessToken: 'unknown', scopes: [] }, MEET_HOST))).code).toBe('reconnect_required');
  });
});

const PEM = { type: 'pkcs8', format: 'pem' } as const;

const spaces = async ({ call }: Running): Promise<readonly Record<string, unknown>[]> => {
  const { body } = await call('GET', '/control/state');
  return (body as unknown as { vendors: { 'google-meet': { spaces: Record<string, unknown>[] } } }).vendors['google-meet'].spaces;
};

describe('what the operator has set up does not reach other people', () => {
  it('a professional of the same tenant is still asked as "me", by the token of the sign-in', async () => {
    const world = await running();
    const provider = teams(world);
    const { access } = await connect(world.url, MICROSOFT, {
      user: 'ada@microsoft.sandbox.example',
      scopes: 'openid offline_access User.Read Calendars.ReadWrite OnlineMeetings.ReadWrite',
    });
    const profile = await provider.oauth.profile({
      accessToken: access,
      refreshToken: null,
      expiresInMs: HOUR,
      scopes: [],
      claims: { tid: TENANT },
    });
    const own: Account = {
      ...profile,
      hosting: 'own',
      scopes: [],
      accessToken: () => Promise.resolve(access),
      spend: () => Promise.resolve(),
    };
    world.sandbox.administer('microsoft-teams', { application_permissions: [], access_policy: { user: own.email, covered: false } });
    expect((await provider.createMeeting(own, request())).degraded).toEqual([]);
  });
});
