/** Platform hosting (F04) at Microsoft and Google: hosts of the operator's own tenant and domain. Zoom's are in platform.test.ts. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createSandbox } from '../../sandbox/app.ts';
import { visit } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { checkPlatforms } from '../../src/connections/platform.ts';
import { listConnections } from '../../src/store/connections.ts';
import {
  boughtMeeting,
  calls,
  eventually,
  fault,
  happen,
  HOUR,
  must,
  setPolicy,
  settled,
  vendorState,
  type MeetingJson,
} from '../support/gateway.ts';
import { addPlatformHost, meetingBody, testWorld, type Vendor } from '../support/world.ts';

const TENANT = '2432b57b-0abd-43db-aa7b-16eadd115d34';
const HOSTS = { 'microsoft-teams': 'host@microsoft.sandbox.example', 'google-meet': 'host@google.sandbox.example' } as const;
type Hosted = keyof typeof HOSTS;
/** What the token endpoints answer when the operator's own credentials are not good any more. */
const REFUSALS = {
  'microsoft-teams': {
    path: '/oauth2/v2.0/token',
    body: { error: 'invalid_client', error_description: 'AADSTS7000222: The secret is expired.' },
  },
  'google-meet': { path: '^/token$', body: { error: 'unauthorized_client', error_description: 'Client is unauthorized' } },
} as const;

async function start(): Promise<World> {
  // The key is the same in every sandbox of a process, and has to be there before the gateway reads its environment.
  const sandbox = createSandbox({ now: () => new Date(), random: randomBytes, origin: 'http://sandbox.example', schedule: null });
  const { clientEmail, clientId, privateKey } = await sandbox.serviceAccount();
  const key = JSON.stringify({ client_email: clientEmail, client_id: clientId, private_key: privateKey });
  const world = await testWorld({
    policy: 'fiverr',
    environment: { MICROSOFT_PLATFORM_TENANT: TENANT, GOOGLE_SERVICE_ACCOUNT_KEY: key },
  });
  await setPolicy(world, { approved_apps: ['zoom', 'microsoft-teams', 'google-meet'] });
  return world;
}

const booking = (id: string) => ({ booking: { id, kind: 'one_to_one', title: 'Call' }, recording: 'always' });

async function hostOf(world: World, vendor: Vendor) {
  const { gateway } = world.gateway;
  return (await listConnections(gateway.db.read, { marketplaceId: world.marketplaceId })).find(({ provider }) => provider === vendor)!;
}

const published = (world: World) => world.receiver.waitFor('recording.published', ({ type }) => type === 'recording.published');

async function recorded(world: World, meeting: MeetingJson): Promise<void> {
  await happen(world, meeting, 'start');
  await happen(world, meeting, 'end');
  await happen(world, meeting, 'finish-recording');
}

describe.each<Hosted>(['microsoft-teams', 'google-meet'])('a meeting hosted by the platform at %s', (vendor) => {
  it('F04 is made, moved, recorded and cancelled with a host of the operator, whose event feed is kept', async () => {
    const world = await start();
    const host = await addPlatformHost(world, HOSTS[vendor], vendor);
    expect(host).toMatchObject({ provider: vendor, professionalId: null, status: 'active', concurrentMeetings: 10 });
    // What the app itself was given is another list than what a professional is asked for.
    expect(must(await world.api('GET', `/v1/connections/${host.id}`), 200).json).toMatchObject({
      professional_id: null,
      missing_scopes: [],
      features: ['create', 'recordings'],
    });
    await eventually('the host has a feed', async () => (await vendorState(world, vendor)).subscriptions?.length === 1);
    const meeting = await boughtMeeting(world, booking('bk_1'));
    expect(meeting).toMatchObject({ provider: vendor, connection_id: host.id, link: { degraded: [] } });
    await recorded(world, meeting);
    const links = (await published(world)).data['links'] as { url: string }[];
    const media = await visit(`${links[0]!.url}/media`);
    expect([media.status, media.headers.get('content-type')]).toEqual([200, 'video/mp4']);

    const other = must(await world.api('POST', '/v1/meetings', meetingBody(world, booking('bk_2'))), 201).json as unknown as MeetingJson;
    must(await world.api('PATCH', `/v1/meetings/${other.id}`, { duration_minutes: 20 }), 200);
    must(await world.api('POST', `/v1/meetings/${other.id}/cancel`), 200);
    await settled(world);
    expect(calls(world, 'microsoft-teams', 'GET', /\/v1\.0\/me\b/)).toEqual([]);
    expect(await checkPlatforms(world.gateway.gateway)).toContainEqual({ provider: vendor, result: 'ok' });
  });

  it('F04 case 71: many calls with one refused token ask for one new token', async () => {
    const world = await start();
    await addPlatformHost(world, HOSTS[vendor], vendor);
    await settled(world);
    const tokens = () => calls(world, vendor, 'POST', vendor === 'google-meet' ? /^\/token$/ : /\/oauth2\/v2\.0\/token$/).length;
    const before = tokens();
    world.jump(2 * HOUR);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => world.api('POST', '/v1/meetings', meetingBody(world, booking(`bk_${index}`)))),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 201));
    expect(tokens() - before).toBe(1);
  });

  it('F04 case 86: refused credentials are for the operator, and the host stays as it is', async () => {
    const world = await start();
    await addPlatformHost(world, HOSTS[vendor], vendor);
    await settled(world);
    const { path, body } = REFUSALS[vendor];
    fault(world, vendor, 'POST', path, { status: 401, body }, 20);
    world.jump(2 * HOUR);
    const refused = await world.api('POST', '/v1/meetings', meetingBody(world, booking('bk_1')));
    expect(refused).toMatchObject({ status: 503, json: { code: 'credentials_rejected' } });
    expect((await hostOf(world, vendor)).status).toBe('active');
  });
});

it('F04 a host whom the domain does not have any more is told by name', async () => {
  const world = await start();
  await addPlatformHost(world, HOSTS['google-meet'], 'google-meet');
  await settled(world);
  fault(
    world,
    'google-meet',
    'POST',
    '^/token$',
    { status: 400, body: { error: 'invalid_grant', error_description: 'Invalid email or User ID' } },
    20,
  );
  world.jump(2 * HOUR);
  const refused = await world.api('POST', '/v1/meetings', meetingBody(world, booking('bk_1')));
  expect(refused.status).toBeGreaterThanOrEqual(400);
  expect(await hostOf(world, 'google-meet')).toMatchObject({ status: 'reconnect_required', statusReason: 'account_gone' });
});
