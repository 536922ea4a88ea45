/** Meetings that the platform hosts (F04): the pool of hosts, and who gets which at what time. */
import { describe, expect, it } from 'vitest';
import { visit } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { disconnect } from '../../src/connections/disconnect.ts';
import { addHost, checkPlatforms } from '../../src/connections/platform.ts';
import { markReconnectRequired } from '../../src/connections/health.ts';
import { readProfileAgain } from '../../src/connections/keep.ts';
import { spend } from '../../src/connections/quota.ts';
import { findConnection, type Connection } from '../../src/store/connections.ts';
import { scheduleJob } from '../../src/store/jobs.ts';
import { describeOnBothDatabases, useDatabases } from '../support/databases.ts';
import {
  boughtMeeting,
  calls,
  createMeeting,
  databaseOf,
  DAY,
  eventually,
  fault,
  getMeeting,
  happen,
  HOUR,
  MINUTE,
  must,
  otherMarketplace,
  setPolicy,
  settled,
  vendorMeetings,
  type MeetingJson,
} from '../support/gateway.ts';
import { addPlatformHost, connect, HOST, meetingBody, testWorld } from '../support/world.ts';

/** A user of the operator's account at Zoom. */
async function newUser(world: World, name: string, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const email = `${name}@zoom.sandbox.example`;
  const user = { vendor: 'zoom', email, name, account_id: 'sandbox-account', ...more };
  must(
    await visit(`${world.sandbox.url}/control/users`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(user),
    }),
    201,
  );
  return email;
}

async function pool(world: World, size: number): Promise<Connection[]> {
  const hosts = [];
  for (let count = 0; count < size; count += 1) hosts.push(await addPlatformHost(world, await newUser(world, `pool${count}`)));
  return hosts;
}

const booking = (id: string) => ({ booking: { id, kind: 'one_to_one', title: 'Call' }, recording: 'always' });
const at = (world: World, minutes: number) => new Date(world.now().getTime() + minutes * MINUTE).toISOString();
const ask = (world: World, id: string, changes: Readonly<Record<string, unknown>> = {}) =>
  world.api('POST', '/v1/meetings', meetingBody(world, { ...booking(id), ...changes }));
const booked = (world: World, id: string, changes: Readonly<Record<string, unknown>> = {}): Promise<MeetingJson> =>
  createMeeting(world, { ...booking(id), ...changes });

async function slotsOf(world: World) {
  const { read } = world.gateway.gateway.db;
  return read.select().from(read.t.hostSlots);
}

describeOnBothDatabases('a platform-hosted meeting', (_open, engine) => {
  const start = async (options = {}) => testWorld({ databaseUrl: await databaseOf(engine), policy: 'fiverr', ...options });

  it('F04 is made, joined, started and recorded with a host of the platform; the professional has no account', async () => {
    const world = await start();
    const host = await addPlatformHost(world);
    const meeting = await boughtMeeting(world, booking('bk_1'));
    expect(meeting).toMatchObject({ provider: 'zoom', connection_id: host.id, limit: { plan: 'paid' } });
    const { join_url: joinUrl } = meeting.attendees[0]!;
    const joined = await visit(`${joinUrl}/join`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: '',
    });
    expect([joined.status, joined.headers.get('location')]).toEqual([303, meeting.link.provider_join_url]);
    const hosted = await visit(`${meeting.host_url}/join`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: '',
    });
    expect(hosted.status).toBe(303);
    expect(hosted.headers.get('location')).toContain('zak=');
    await happen(world, meeting, 'start');
    await happen(world, meeting, 'join', { name: 'Ada' });
    await happen(world, meeting, 'end');
    await happen(world, meeting, 'finish-recording');
    const published = await world.receiver.waitFor('recording.published', ({ type }) => type === 'recording.published');
    const links = published.data['links'] as { url: string }[];
    const media = await visit(`${links[0]!.url}/media`);
    expect([media.status, media.headers.get('content-type')]).toEqual([200, 'video/mp4']);
    // Nothing that only a token of the user himself may say.
    expect(calls(world, 'zoom', 'POST', /\/users\/hostPoolUser1234567890\/meetings$/)).toHaveLength(1);
    for (const method of ['GET', 'POST']) expect(calls(world, 'zoom', method, /\/users\/me(\/|$)/)).toEqual([]);
  });

  it('F04 of 50 bookings at once for one time exactly 5 get one of the 5 hosts, and no host gets two', async () => {
    const world = await start();
    const hosts = await pool(world, 5);
    // On a busy machine fifty may wait too long for a connection of the database: whoever is told to come again does.
    const insist = async (booking: string): Promise<Awaited<ReturnType<typeof ask>>> => {
      const answer = await ask(world, booking);
      return answer.json['code'] === 'storage_unavailable' ? insist(booking) : answer;
    };
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => insist(`bk_${index}`)));
    const made = answers.filter(({ status }) => status === 201);
    expect(answers.filter(({ status }) => status !== 201).map(({ json }) => json['code'])).toEqual(
      Array.from({ length: 45 }, () => 'host_pool_exhausted'),
    );
    expect(made.map(({ json }) => String(json['connection_id'])).toSorted()).toEqual(hosts.map(({ id }) => id).toSorted());
    expect(await vendorMeetings(world, 'zoom')).toHaveLength(5);
  });

  it('F04 no host has more meetings at once than its plan allows, whatever is booked, moved and cancelled at the same time', async () => {
    const world = await start();
    const hosts = await pool(world, 2);
    hosts.push(await addPlatformHost(world, await newUser(world, 'business', { plan_united_type: '32' })));
    const first = await Promise.all(
      Array.from({ length: 12 }, (_, n) => ask(world, `a_${n}`, { starts_at: at(world, 60 + 45 * (n % 6)) })),
    );
    const own = first.filter(({ status }) => status === 201).map(({ json }) => String(json['id']));
    expect(own.length).toBeGreaterThan(3);
    const second = await Promise.all([
      ...own.map((id, n) =>
        n % 3 === 0
          ? world.api('POST', `/v1/meetings/${id}/cancel`)
          : world.api('PATCH', `/v1/meetings/${id}`, { starts_at: at(world, 40 + 70 * n), duration_minutes: 30 + 10 * n }),
      ),
      ...Array.from({ length: 12 }, (_, n) => ask(world, `b_${n}`, { starts_at: at(world, 50 + 40 * (n % 6)) })),
    ]);
    const refusals = [...first, ...second].filter(({ status }) => status >= 300);
    expect(new Set(refusals.map(({ json }) => json['code']))).toEqual(new Set(['host_pool_exhausted']));
    const slots = await slotsOf(world);
    const { data } = must(await world.api('GET', '/v1/meetings?limit=100'), 200).json as unknown as { data: MeetingJson[] };
    const alive = data.filter(({ state }) => state === 'awaiting_purchase');
    // Every meeting has the slot of its own time, and there are no others.
    const held = slots.map(({ meetingId, connectionId, startsAt }) => `${meetingId} ${connectionId} ${startsAt.toISOString()}`);
    const expected = alive.map(
      ({ id, connection_id, starts_at }) => `${id} ${connection_id} ${new Date(Date.parse(starts_at) - 15 * MINUTE).toISOString()}`,
    );
    expect(held.toSorted()).toEqual(expected.toSorted());
    for (const { id, concurrentMeetings } of hosts) {
      const ofHost = slots.filter(({ connectionId }) => connectionId === id);
      for (const { startsAt } of ofHost)
        expect(ofHost.filter((other) => other.startsAt <= startsAt && startsAt < other.endsAt).length).toBeLessThanOrEqual(
          concurrentMeetings,
        );
    }
  });

  it('F04 a host is free again after a cancellation, an expiry, an early end and a refusal of the vendor', async () => {
    const world = await start();
    await addPlatformHost(world);
    const cancelled = await booked(world, 'bk_1');
    expect((await ask(world, 'bk_2')).json).toMatchObject({ code: 'host_pool_exhausted' });
    must(await world.api('POST', `/v1/meetings/${cancelled.id}/cancel`), 200);

    fault(world, 'zoom', 'POST', '/v2/users/.*/meetings$', { status: 400, body: { code: 300, message: 'no' } });
    expect((await ask(world, 'bk_3')).json).toMatchObject({ code: 'vendor_refused' });

    const held = await boughtMeeting(world, booking('bk_4'));
    await happen(world, held, 'start');
    await happen(world, held, 'end');
    await eventually('it has ended', async () => (await getMeeting(world, held.id)).state === 'ended');

    const unsold = await booked(world, 'bk_5', { starts_at: at(world, 3 * 24 * 60) });
    world.jump(2 * DAY + MINUTE);
    await eventually('it has expired', async () => (await getMeeting(world, unsold.id)).state === 'expired');
    expect(await slotsOf(world)).toEqual([]);
    await booked(world, 'bk_6', { starts_at: unsold.starts_at });
  });

  it('F04 who asks again for a meeting that exists hears of it, also when all hosts are taken', async () => {
    const world = await start();
    await addPlatformHost(world);
    const meeting = await booked(world, 'bk_1');
    expect(await ask(world, 'bk_1')).toMatchObject({ status: 409, json: { code: 'meeting_exists', meeting_id: meeting.id } });
  });

  it('F04 an ended meeting that is started again has its host again', async () => {
    const world = await start();
    await addPlatformHost(world);
    const meeting = await boughtMeeting(world, booking('bk_1'));
    await happen(world, meeting, 'start');
    world.jump(MINUTE);
    await happen(world, meeting, 'end');
    await eventually('it has ended', async () => (await getMeeting(world, meeting.id)).state === 'ended');
    world.jump(MINUTE);
    await happen(world, meeting, 'start');
    await eventually('it is live', async () => (await getMeeting(world, meeting.id)).state === 'live');
    expect((await ask(world, 'bk_2')).json).toMatchObject({ code: 'host_pool_exhausted' });
  });

  it('F04 a refusal tells from when on a host is free', async () => {
    const world = await start();
    await addPlatformHost(world);
    await booked(world, 'bk_1', { starts_at: at(world, 60) });
    const refused = await ask(world, 'bk_2', { starts_at: at(world, 60) });
    // 30 minutes of meeting, 60 in which it may run over, and 15 in which the next one may be joined early.
    expect(refused).toMatchObject({ status: 503, json: { code: 'host_pool_exhausted', free_at: at(world, 60 + 30 + 60 + 15) } });
    await booked(world, 'bk_2', { starts_at: refused.json['free_at'] });
  });

  it('F04 G06 a meeting moves with its host, or not at all when the host is taken then', async () => {
    const world = await start();
    await addPlatformHost(world);
    const meeting = await booked(world, 'bk_1', { starts_at: at(world, 60) });
    await booked(world, 'bk_2', { starts_at: at(world, 600) });
    const before = calls(world, 'zoom', 'PATCH', /\/meetings\//).length;
    const refused = await world.api('PATCH', `/v1/meetings/${meeting.id}`, { starts_at: at(world, 590) });
    expect(refused).toMatchObject({ status: 503, json: { code: 'host_pool_exhausted' } });
    expect(calls(world, 'zoom', 'PATCH', /\/meetings\//)).toHaveLength(before);
    expect(await getMeeting(world, meeting.id)).toMatchObject({ starts_at: meeting.starts_at });
    // Its own time does not stand in its way, and the old time is free.
    must(await world.api('PATCH', `/v1/meetings/${meeting.id}`, { starts_at: at(world, 70), title: 'Later' }), 200);
    must(await world.api('PATCH', `/v1/meetings/${meeting.id}`, { starts_at: at(world, 300) }), 200);
    fault(world, 'zoom', 'PATCH', '/v2/meetings/', { status: 400, body: { code: 300, message: 'no' } });
    expect((await world.api('PATCH', `/v1/meetings/${meeting.id}`, { starts_at: at(world, 60) })).json).toMatchObject({
      code: 'vendor_refused',
    });
    await booked(world, 'bk_3', { starts_at: at(world, 60) });
    expect((await slotsOf(world)).map(({ startsAt }) => startsAt.toISOString()).toSorted()).toEqual(
      [45, 285, 585].map((minutes) => at(world, minutes)).toSorted(),
    );
  });

  it('F04 G07 a package gets hosts for all of its meetings or none', async () => {
    const world = await start();
    await pool(world, 2);
    const lessons = (times: readonly number[]) => {
      const { starts_at: _, duration_minutes: _minutes, ...common } = meetingBody(world, booking(`bk_${times.join('_')}`));
      return { ...common, meetings: times.map((minutes) => ({ starts_at: at(world, minutes), duration_minutes: 30 })) };
    };
    expect((await world.api('POST', '/v1/packages', lessons([60, 65, 70]))).json).toMatchObject({ code: 'host_pool_exhausted' });
    expect(await slotsOf(world)).toEqual([]);
    must(await world.api('POST', '/v1/packages', lessons([60, 65, 600])), 201);
    fault(world, 'zoom', 'POST', '/v2/users/.*/meetings$', { status: 400, body: { code: 300, message: 'no' } });
    expect((await world.api('POST', '/v1/packages', lessons([900, 1_200]))).json).toMatchObject({ code: 'vendor_refused' });
    expect(await slotsOf(world)).toHaveLength(3);
  });

  it('F04 G06 an uploaded link frees the host, and a made one takes one again', async () => {
    const world = await start();
    await addPlatformHost(world);
    const meeting = await booked(world, 'bk_1');
    must(await world.api('PATCH', `/v1/meetings/${meeting.id}`, { join_url: 'https://us02web.zoom.us/j/81234567890?pwd=abc' }), 200);
    const other = await booked(world, 'bk_2');
    const refused = await world.api('PATCH', `/v1/meetings/${meeting.id}`, { provider: 'zoom' });
    expect(refused).toMatchObject({ status: 503, json: { code: 'host_pool_exhausted' } });
    must(await world.api('POST', `/v1/meetings/${other.id}/cancel`), 200);
    must(await world.api('PATCH', `/v1/meetings/${meeting.id}`, { provider: 'zoom' }), 200);
    expect((await slotsOf(world)).map(({ meetingId }) => meetingId)).toEqual([meeting.id]);
    await settled(world);
    expect(await vendorMeetings(world, 'zoom')).toHaveLength(1);
  });

  it("F04 the hosts of one marketplace are nobody else's, and a professional's own account is used where the policy says so", async () => {
    const world = await start();
    await addPlatformHost(world);
    const other = await otherMarketplace(world, 'fiverr');
    await expect(addHost(world.gateway.gateway, { marketplaceId: other.id, provider: 'zoom', host: HOST })).rejects.toMatchObject({
      code: 'conflict',
    });
    expect((await other.api('POST', '/v1/meetings', meetingBody(world, booking('bk_1')))).json).toMatchObject({ code: 'not_connected' });
    expect(must(await other.api('GET', '/v1/connections'), 200).json).toMatchObject({ data: [] });
    await setPolicy(world, { hosting: 'professional' });
    expect((await ask(world, 'bk_1')).json).toMatchObject({ code: 'not_connected' });
    const own = await connect(world, 'zoom');
    expect(await booked(world, 'bk_1')).toMatchObject({ connection_id: own });
    expect(await slotsOf(world)).toEqual([]);
  });
});

describe('the pool of hosts', () => {
  const { engine } = useDatabases('sqlite');
  const start = async (options = {}) => testWorld({ databaseUrl: await databaseOf(engine), policy: 'fiverr', ...options });

  it('F04 a host that is added again keeps its id, and the API shows it as nobody in particular', async () => {
    const world = await start();
    const first = await addPlatformHost(world);
    expect((await addPlatformHost(world)).id).toBe(first.id);
    expect(must(await world.api('GET', '/v1/connections'), 200).json['data']).toMatchObject([
      {
        id: first.id,
        professional_id: null,
        provider: 'zoom',
        account: { id: 'hostPoolUser1234567890', email: HOST },
        plan: 'paid',
        limit_minutes: null,
        status: 'active',
        missing_scopes: [],
        features: ['create', 'recordings'],
      },
    ]);
  });

  it('F04 case 72: a host whose day is used up comes after the busier one that may still make meetings', async () => {
    const world = await start();
    const [first, second] = await pool(world, 2);
    const { gateway } = world.gateway;
    for (let times = 0; times < 100; times += 1) await spend(gateway, first!, 'create');
    const chosen = [];
    for (const [index, minutes] of [60, 600].entries())
      chosen.push((await booked(world, `bk_${index}`, { starts_at: at(world, minutes) })).connection_id);
    // The second has a slot within sight of the other booking by now, and is chosen all the same.
    expect(chosen).toEqual([second!.id, second!.id]);
  });

  it('F04 a user whom the account does not have, or who may not host, is no host', async () => {
    const world = await start();
    await expect(addPlatformHost(world, 'nobody@zoom.sandbox.example')).rejects.toMatchObject({ code: 'not_found' });
    await expect(addPlatformHost(world, 'ada@zoom.sandbox.example')).rejects.toMatchObject({ code: 'not_found' });
    const attendee = await newUser(world, 'attendee', { type: 4 });
    await expect(addPlatformHost(world, attendee)).rejects.toMatchObject({ code: 'not_capable' });
    const bare = await start({ environment: { ZOOM_ACCOUNT_ID: undefined } });
    await expect(addPlatformHost(bare)).rejects.toMatchObject({ code: 'not_configured' });
    expect((await ask(bare, 'bk_1')).json).toMatchObject({ code: 'not_connected' });
  });

  it('F04 G14 the limit of the plan counts for a Basic host, too', async () => {
    const world = await start();
    await addPlatformHost(world, await newUser(world, 'basic', { type: 1 }));
    expect((await ask(world, 'bk_1', { duration_minutes: 60 })).json).toMatchObject({ code: 'limit_exceeded', limit_minutes: 40 });
    expect(await booked(world, 'bk_1')).toMatchObject({ limit: { plan: 'free', minutes: 40 } });
  });

  it('F04 one token serves all hosts, and is renewed once when it has ended', async () => {
    const world = await start();
    await pool(world, 3);
    const before = calls(world, 'zoom', 'POST', /\/oauth\/token$/).length;
    world.jump(2 * HOUR);
    const answers = await Promise.all([1, 2, 3].map((n) => ask(world, `bk_${n}`)));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(calls(world, 'zoom', 'POST', /\/oauth\/token$/)).toHaveLength(before + 1);
  });

  it('F04 credentials that Zoom refuses are an alarm for the operator and end no host', async () => {
    const world = await start();
    await addPlatformHost(world);
    world.jump(2 * HOUR);
    fault(world, 'zoom', 'POST', '/oauth/token', { status: 400, body: { reason: 'Invalid client', error: 'invalid_client' } }, 5);
    expect((await ask(world, 'bk_1')).json).toMatchObject({ code: 'credentials_rejected' });
    expect(await checkPlatforms(world.gateway.gateway)).toContainEqual({
      provider: 'zoom',
      result: "The vendor does not accept the gateway's own credentials.",
    });
    expect(must(await world.api('GET', '/v1/connections'), 200).json['data']).toMatchObject([{ status: 'active' }]);
  });

  it('F04 a changed plan is noticed, and a user who has left the account gets no more meetings until he is added again', async () => {
    const world = await start();
    const email = await newUser(world, 'changing');
    const host = await addPlatformHost(world, email);
    expect(await checkPlatforms(world.gateway.gateway)).toContainEqual({ provider: 'zoom', result: 'ok' });
    const readAgain = async () => {
      await world.gateway.gateway.db.write((tx) => scheduleJob(tx, { kind: 'grant.profile', subjectId: host.grantId, dueAt: world.now() }));
      world.gateway.gateway.wake();
      await settled(world);
    };
    fault(world, 'zoom', 'GET', `/v2/users/${host.accountId}$`, {
      status: 200,
      body: { id: host.accountId, account_id: 'sandbox-account', email, type: 1 },
    });
    await readAgain();
    expect(must(await world.api('GET', '/v1/connections'), 200).json['data']).toMatchObject([{ plan: 'free', limit_minutes: 40 }]);
    fault(world, 'zoom', 'GET', `/v2/users/${host.accountId}$`, { status: 404, body: { code: 1001, message: 'User does not exist.' } });
    await readAgain();
    expect(must(await world.api('GET', '/v1/connections'), 200).json['data']).toMatchObject([
      { status: 'reconnect_required', status_reason: 'account_gone' },
    ]);
    expect((await ask(world, 'bk_1')).json).toMatchObject({ code: 'not_connected' });
    expect((await addPlatformHost(world, email)).id).toBe(host.id);
    await booked(world, 'bk_1');
  });

  it("F04 a host is the operator's: the marketplace can neither end it nor say which plan it has", async () => {
    const world = await start();
    const { id } = await addPlatformHost(world);
    const path = `/v1/connections/${id}`;
    expect(await world.api('DELETE', path)).toMatchObject({ status: 409, json: { code: 'conflict' } });
    expect(await world.api('PATCH', path, { declared_plan: 'free' })).toMatchObject({ status: 409, json: { code: 'conflict' } });
    expect(must(await world.api('GET', path), 200).json).toMatchObject({ status: 'active', plan: 'paid' });
  });

  it('F04 another host that is added does not bring back one that has left the account', async () => {
    const world = await start();
    const [gone, waiting] = await pool(world, 2);
    const { gateway } = world.gateway;
    await markReconnectRequired(gateway, gone!, 'account_gone');
    await markReconnectRequired(gateway, waiting!, 'unknown');
    await addPlatformHost(world);
    const statusOf = async ({ id }: Connection) => must(await world.api('GET', `/v1/connections/${id}`), 200).json['status'];
    expect(await Promise.all([gone!, waiting!].map(statusOf))).toEqual(['reconnect_required', 'active']);
  });

  it('F04 the trouble with one host keeps no other from being read, and one that may not host is not read every hour', async () => {
    const world = await start();
    const [failing, incapable, fine] = await pool(world, 3);
    const { db } = world.gateway.gateway;
    world.jump(25 * HOUR);
    fault(world, 'zoom', 'GET', `/v2/users/${failing!.accountId}$`, { status: 400, body: { code: 300, message: 'no' } }, 100);
    fault(world, 'zoom', 'GET', `/v2/users/${incapable!.accountId}$`, {
      status: 200,
      body: { id: incapable!.accountId, account_id: 'sandbox-account', email: incapable!.email, type: 4 },
    });
    await expect(readProfileAgain(world.gateway.gateway, failing!.grantId)).rejects.toMatchObject({ code: 'vendor_refused' });
    const readAt = async ({ id }: Connection) => (await findConnection(db.read, id))!.profileReadAt;
    expect(await readAt(failing!)).toEqual(failing!.profileReadAt);
    expect(await Promise.all([readAt(incapable!), readAt(fine!)])).toEqual([world.now(), world.now()]);
    expect(await findConnection(db.read, incapable!.id)).toMatchObject({ createsMeetings: false });
  });

  it('F04 a removed host gets no more meetings, and the others stay', async () => {
    const world = await start();
    const [first, second] = await pool(world, 2);
    await disconnect(world.gateway.gateway, { marketplaceId: world.marketplaceId, id: first!.id });
    expect(await booked(world, 'bk_1')).toMatchObject({ connection_id: second!.id });
    expect((await ask(world, 'bk_2')).json).toMatchObject({ code: 'host_pool_exhausted' });
  });

  it('F04 the sandbox lets a host run one meeting at a time, as Zoom does', async () => {
    const world = await start();
    await addPlatformHost(world);
    const one = await boughtMeeting(world, { ...booking('bk_1'), starts_at: at(world, 10) });
    const two = await boughtMeeting(world, { ...booking('bk_2'), starts_at: at(world, 600) });
    await happen(world, one, 'start');
    await expect(happen(world, two, 'start')).rejects.toThrow('409');
  });
});
