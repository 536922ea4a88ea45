/** What the preview promises is what the request then does, and the preview itself does nothing. */
import { describe, expect, it } from 'vitest';
import type { Answer } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { spend } from '../../src/connections/quota.ts';
import { findConnection, updateConnection } from '../../src/store/connections.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { createMeeting, databaseOf, everythingStored, must, setPolicy, settled } from '../support/gateway.ts';
import { addPlatformHost, connect, meetingBody, testWorld } from '../support/world.ts';

const BEN = { user: 'ben@zoom.sandbox.example' };
const UPLOAD = 'https://meet.google.com/abc-defg-hij';
const another = { booking: { id: 'bk_2', kind: 'one_to_one', title: 'x' } };
const limits = (changes: Record<string, unknown>) => (world: World) => setPolicy(world, { limits: changes });
const change = async ({ gateway }: World, id: string, changes: Parameters<typeof updateConnection>[2]) =>
  gateway.gateway.db.write((tx) => updateConnection(tx, id, changes));
const lost = { status: 'reconnect_required', statusReason: 'expired' };

interface Situation {
  readonly policy?: 'guide' | 'tvip' | 'fiverr' | 'rodrun';
  readonly before?: readonly ((world: World) => Promise<unknown>)[];
  readonly body?: Readonly<Record<string, unknown>>;
  readonly expected: Readonly<Record<string, unknown>>;
}

const created = (more: Readonly<Record<string, unknown>> = {}) => ({ would_be: 'created', problem: null, ...more });
const refused = (code: string, more: Readonly<Record<string, unknown>> = {}) => ({ would_be: 'refused', problem: { code }, ...more });
const zoom = (world: World) => connect(world, 'zoom', BEN);
const meet = (world: World) => connect(world, 'google-meet');
const sure = { provider: 'zoom', duration_minutes: 50 };

const SITUATIONS: Readonly<Record<string, Situation>> = {
  'a plan that fits': {
    before: [zoom],
    body: { duration_minutes: 40 },
    expected: created({
      provider: 'zoom',
      warnings: [],
      limit: { minutes: 40, plan: 'free', plan_basis: 'vendor', exceeded: false, as_of: '2026-10-04' },
    }),
  },
  'G14 auto goes to what fits': {
    before: [zoom, meet],
    body: { provider: 'auto', duration_minutes: 50 },
    expected: created({
      provider: 'google-meet',
      decision: {
        asked: 'auto',
        reason: 'first_fitting',
        considered: [{ provider: 'zoom', rejected: 'limit_exceeded', plan: 'free', plan_basis: 'vendor' }, { provider: 'microsoft-teams' }],
      },
    }),
  },
  'G14 too long for what was asked for': {
    before: [zoom, meet],
    body: sure,
    expected: refused('limit_exceeded', {
      provider: null,
      alternatives: [{ provider: 'google-meet', limit_minutes: 60, plan: 'unknown', plan_basis: 'none' }],
    }),
  },
  'G14 warned': {
    policy: 'rodrun',
    before: [zoom],
    body: sure,
    expected: created({ limit: { exceeded: true }, warnings: [{ code: 'limit_exceeded' }] }),
  },
  'G14 a plan that is not known': {
    before: [meet],
    body: { duration_minutes: 90 },
    expected: created({ limit: { exceeded: true, plan: 'unknown', plan_basis: 'none' }, warnings: [{ code: 'limit_possible' }] }),
  },
  'G14 another app, told': {
    before: [limits({ on_exceed: 'choose_other' }), zoom, meet],
    body: sure,
    expected: created({
      provider: 'google-meet',
      decision: { asked: 'zoom', chosen: 'google-meet', reason: 'asked_too_short' },
      warnings: [{ code: 'app_replaced' }],
    }),
  },
  'G14 no other app': {
    before: [limits({ on_exceed: 'choose_other' }), zoom],
    body: sure,
    expected: refused('limit_exceeded', { alternatives: [] }),
  },
  "G14 a pair by the vendor's own figure": {
    before: [limits({ pairs: 'as_vendor' }), meet],
    body: { duration_minutes: 90 },
    expected: created({ limit: { minutes: null, exceeded: false } }),
  },
  "G14 a group by the vendor's figure": {
    before: [limits({ pairs: 'as_vendor' }), meet],
    body: {
      duration_minutes: 90,
      booking: { id: 'g', kind: 'private_group', title: 'x' },
      attendees: [{ customer_id: 'a' }, { customer_id: 'b' }],
    },
    expected: created({ limit: { minutes: 60, exceeded: true } }),
  },
  "G14 the marketplace's own figure": {
    before: [limits({ minutes: { zoom: 45 } }), zoom],
    body: { duration_minutes: 45 },
    expected: created({ limit: { minutes: 45, as_of: null, exceeded: false } }),
  },
  'G01 an app that is not used': {
    policy: 'fiverr',
    body: { provider: 'google-meet', recording: 'always' },
    expected: refused('app_not_approved'),
  },
  'G01 a link of a fourth app': {
    body: { join_url: 'https://webex.com/meet/x' },
    expected: refused('app_not_approved', { decision: null }),
  },
  'a link that is none': { body: { join_url: 'https://zoom.us/signin' }, expected: refused('join_url_invalid') },
  'G12 a recording mode that is not allowed': {
    before: [zoom],
    body: { recording: 'always' },
    expected: refused('recording_not_allowed', { problem: { allowed: ['none', 'on_consent'] } }),
  },
  'a meeting that is over': {
    before: [zoom],
    body: { starts_at: '2020-01-01T00:00:00Z' },
    expected: refused('invalid', { problem: { errors: [{ pointer: '/starts_at' }] } }),
  },
  'nothing connected': { expected: refused('not_connected', { alternatives: [] }) },
  'an account that makes no links': {
    before: [async (world) => change(world, await zoom(world), { createsMeetings: false })],
    expected: refused('not_capable'),
  },
  'a connection that was lost': {
    before: [async (world) => change(world, await zoom(world), lost)],
    expected: refused('reconnect_required', {
      decision: { considered: [{ provider: 'zoom', rejected: 'reconnect_required', plan: 'free' }, {}, {}] },
    }),
  },
  'a live meeting for the booking': { before: [zoom, (world) => createMeeting(world)], expected: refused('meeting_exists') },
  'an uploaded link': {
    body: { join_url: UPLOAD, duration_minutes: 90 },
    expected: created({
      provider: 'google-meet',
      connection_id: null,
      limit: { minutes: 60, plan: 'unknown', plan_basis: 'none', exceeded: true },
      decision: { reason: 'link' },
      warnings: [{ code: 'limit_possible' }],
    }),
  },
  'an uploaded link of another app than asked for': { body: { join_url: UPLOAD, provider: 'zoom' }, expected: refused('invalid') },
  'G05 an uploaded link that was used': {
    before: [(world) => createMeeting(world, { join_url: UPLOAD, ...another })],
    body: { join_url: UPLOAD },
    expected: refused('link_already_used'),
  },
  'F04 a host of the platform': {
    policy: 'fiverr',
    before: [(world) => addPlatformHost(world)],
    body: { recording: 'always' },
    expected: created({ provider: 'zoom', limit: { plan: 'paid', plan_basis: 'vendor', minutes: null } }),
  },
  'F04 hosts that are taken': {
    policy: 'fiverr',
    before: [(world) => addPlatformHost(world), (world) => createMeeting(world, { recording: 'always', ...another })],
    body: { recording: 'always' },
    expected: refused('host_pool_exhausted', { problem: { free_at: expect.any(String) } }),
  },
  'F04 no host': { policy: 'fiverr', body: { recording: 'always' }, expected: refused('not_connected') },
};

type Json = Readonly<Record<string, unknown>>;
const made = ({ provider, connection_id, limit, decision }: Json) => ({ status: 201, provider, connection_id, limit, decision });
const promised = (preview: Json) => (preview['would_be'] === 'created' ? made(preview) : preview['problem']);
/** What only a real refusal has: the id of its request, and a link made for the moment. */
function kept({ status, json }: Answer) {
  if (status === 201) return made(json);
  const { request_id: _id, connect_url: _url, ...problem } = json;
  return { ...problem, status };
}

describe('POST /v1/meetings/preview', () => {
  it.each(Object.entries(SITUATIONS))(
    'G14 equals what the request then does: %s',
    async (_name, { policy, before = [], body = {}, expected }) => {
      const world = await testWorld(policy === undefined ? {} : { policy });
      for (const step of before) await step(world);
      const request = meetingBody(world, body);
      const preview = must(await world.api('POST', '/v1/meetings/preview', request), 200).json;
      expect(preview).toMatchObject(expected);
      const real = await world.api('POST', '/v1/meetings', request);
      expect(promised(preview)).toEqual(kept(real));
    },
  );
});

describeOnBothDatabases('a preview', (_open, engine) => {
  it('makes no row, calls no vendor, takes nothing of a budget and makes no connect link', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    await change(world, await connect(world, 'zoom', { professionalId: 'pro_2', ...BEN }), lost);
    await settled(world);
    const [before, calls] = [await everythingStored(world), world.sandbox.sandbox.traffic.requests().length];
    for (const changes of [{}, { provider: 'zoom', duration_minutes: 90 }, { professional_id: 'pro_2' }, { join_url: UPLOAD }]) {
      const answer = must(await world.api('POST', '/v1/meetings/preview', meetingBody(world, changes)), 200);
      expect(answer.text).not.toContain('/connect/');
    }
    // The rows themselves would fill the screen.
    expect((await everythingStored(world)) === before).toBe(true);
    expect(world.sandbox.sandbox.traffic.requests()).toHaveLength(calls);
  });

  it("says that the link will come late once the vendor's budget is used up, or refuses where the policy does not wait", async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const { gateway } = world.gateway;
    const id = await connect(world, 'zoom');
    const connection = (await findConnection(gateway.db.read, id))!;
    for (let times = 0; times < 100; times += 1) await spend(gateway, connection, 'create');
    const preview = async () => must(await world.api('POST', '/v1/meetings/preview', meetingBody(world)), 200).json;
    expect(await preview()).toMatchObject({ would_be: 'created', warnings: [{ code: 'link_pending' }] });
    expect(await createMeeting(world)).toMatchObject({ state: 'link_pending' });
    await setPolicy(world, { vendor_unavailable: 'refuse' });
    expect(must(await world.api('POST', '/v1/meetings/preview', meetingBody(world, another)), 200).json).toMatchObject({
      would_be: 'refused',
      problem: { code: 'vendor_quota', limit: 100 },
    });
  });

  it('refuses a body that breaks the schema as the request does', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const answer = await world.api('POST', '/v1/meetings/preview', { ...meetingBody(world), colour: 'red' });
    expect(answer).toMatchObject({ status: 422, json: { code: 'invalid', errors: [{ pointer: '/colour' }] } });
  });
});
