/** What really happened, over the vendors' own deliveries, reports and our links. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createSandbox } from '../../sandbox/app.ts';
import { visit } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { listFacts } from '../../src/store/facts.ts';
import { findMeeting } from '../../src/store/meetings.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import {
  boughtMeeting,
  calls,
  DAY,
  databaseOf,
  eventually,
  happen,
  HOUR,
  MINUTE,
  must,
  setPolicy,
  settled,
  vendorState,
  type MeetingJson,
} from '../support/gateway.ts';
import { addPlatformHost, connect, HOST, testWorld, USERS } from '../support/world.ts';

const sessionsOf = async (world: World, { id }: Pick<MeetingJson, 'id'>) => {
  await settled(world);
  return must(await world.api('GET', `/v1/meetings/${id}/sessions`), 200).json;
};
const eventsOf = async (world: World, { id }: MeetingJson, type: string) => {
  const { json } = must(await world.api('GET', '/v1/events?limit=100'), 200);
  return (json['data'] as { type: string; data: Record<string, unknown> }[]).filter(
    (event) => event.type === type && event.data['meeting_id'] === id,
  );
};
/** Zoom tells whole seconds. */
const near = (minutes: number): number => expect.closeTo(minutes, 1) as number;
const click = async (url: string): Promise<void> => {
  expect((await visit(`${url}/join`, { method: 'POST' })).status).toBe(303);
};

describeOnBothDatabases('sessions from events', (_open, engine) => {
  it.each([
    ['zoom', USERS.zoom],
    ['google-meet', USERS['google-meet']],
  ] as const)('%s: sides, minutes of each and both, on either side of a break', async (vendor, user) => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, vendor);
    const meeting = await boughtMeeting(world, { provider: vendor });
    const start = world.now();
    const after = (minutes: number): string => new Date(start.getTime() + minutes * MINUTE).toISOString().replace(/\.\d+Z$/, '.000Z');
    const wait = async (minutes: number): Promise<void> => {
      await settled(world);
      world.jump(minutes * MINUTE);
    };
    await happen(world, meeting, 'start');
    await happen(world, meeting, 'join', { user });
    await wait(5);
    await happen(world, meeting, 'join', { name: 'Ada' });
    await settled(world);
    expect((await findMeeting(world.gateway.gateway.db.read, meeting.id))!.runningSince).not.toBeNull();
    const running = await sessionsOf(world, meeting);
    expect(running).toMatchObject({ sessions: [{ ended_at: null, estimated: false, source: 'events' }] });
    await wait(10);
    await happen(world, meeting, 'leave', { user });
    await wait(5);
    await happen(world, meeting, 'end');
    await wait(10);
    await happen(world, meeting, 'join', { user });
    await happen(world, meeting, 'join', { name: 'Ada' });
    await wait(10);
    await happen(world, meeting, 'end');
    await settled(world);

    const told = await sessionsOf(world, meeting);
    expect(told).toMatchObject({
      booked_minutes: 30,
      minutes: { total: 30, host: 25, customer: 25, joint: 20 },
      segments: [{ meeting_id: meeting.id, minutes: { joint: 20 }, limit_reached: false, estimated: false }],
      segments_minutes: { total: 30, host: 25, customer: 25, joint: 20 },
    });
    expect(told['sessions']).toMatchObject([
      { limit_reached: false, minutes: { total: 20, host: 15, customer: 15, joint: 10 } },
      { limit_reached: false, minutes: { total: 10, host: 10, customer: 10, joint: 10 } },
    ]);
    const [first] = told['sessions'] as {
      started_at: string;
      participants: { side: string; customer_id: string | null; stays: unknown[] }[];
    }[];
    expect(first!.started_at.slice(0, 19)).toBe(after(0).slice(0, 19));
    expect(first!.participants.map(({ side, customer_id }) => `${side} ${customer_id}`).toSorted()).toEqual([
      'customer cus_1',
      'host null',
    ]);
    expect(await eventsOf(world, meeting, 'meeting.started')).toHaveLength(2);
    expect(await eventsOf(world, meeting, 'meeting.ended')).toHaveLength(2);
    expect((await eventsOf(world, meeting, 'meeting.participant_joined')).map(({ data }) => data['participant'])).toMatchObject(
      Array.from({ length: 4 }, () => ({ side: expect.stringMatching(/host|customer/) as string })),
    );
    expect((await findMeeting(world.gateway.gateway.db.read, meeting.id))!).toMatchObject({ state: 'ended', runningSince: null });
  });

  it('G14 a free Zoom meeting that the plan cut off says so', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const connection = await connect(world, 'zoom');
    const meeting = await boughtMeeting(world, { provider: 'zoom' });
    await happen(world, meeting, 'join', { user: USERS.zoom });
    await happen(world, meeting, 'join', { name: 'Ada' });
    await settled(world);
    world.jump(40 * MINUTE);
    await happen(world, meeting, 'end', { reason: 'limit' });
    expect(await sessionsOf(world, meeting)).toMatchObject({ sessions: [{ limit_reached: true, minutes: { total: 40, joint: 40 } }] });
    const month = meeting.starts_at.slice(0, 7);
    expect(must(await world.api('GET', `/v1/connections/${connection}/usage?month=${month}`), 200).json).toEqual({
      connection_id: connection,
      month,
      meetings: 1,
      held: 1,
      sessions: 1,
      estimated_sessions: 0,
      limit_reached: 1,
      booked_minutes: 30,
      minutes: { total: 40, host: 40, customer: 40, joint: 40 },
    });
  });

  it('a run whose end Zoom never tells is closed by the clock, marked as estimated, and the late end replaces that', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world, { provider: 'zoom' });
    await happen(world, meeting, 'join', { user: USERS.zoom });
    await settled(world);
    // 10 minutes to the start, 30 of meeting, 60 of window, 12 hours of overrun.
    world.jump(100 * MINUTE + 12 * HOUR);
    await eventually('the clock closes it', async () => (await findMeeting(world.gateway.gateway.db.read, meeting.id))!.state === 'ended');
    expect(await sessionsOf(world, meeting)).toMatchObject({
      sessions: [{ estimated: true, source: 'events', minutes: { total: near(40) } }],
    });
    await happen(world, meeting, 'end');
    expect(await sessionsOf(world, meeting)).toMatchObject({ sessions: [{ estimated: false, minutes: { total: near(820) } }] });
    expect(await eventsOf(world, meeting, 'meeting.ended')).toHaveLength(1);
  });

  it('Teams: what was reported after the end replaces the clicks, and is asked for no longer than a day', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'microsoft-teams');
    const meeting = await boughtMeeting(world, { provider: 'microsoft-teams' });
    world.jump(10 * MINUTE);
    await click(meeting.attendees[0]!.join_url);
    await click(meeting.host_url);
    expect(await sessionsOf(world, meeting)).toMatchObject({ sessions: [{ estimated: true, source: 'clicks', ended_at: null }] });
    await happen(world, meeting, 'join', { name: 'Ada' });
    world.jump(4 * MINUTE);
    await happen(world, meeting, 'join', { user: USERS['microsoft-teams'] });
    world.jump(20 * MINUTE);
    await happen(world, meeting, 'end');
    expect((await findMeeting(world.gateway.gateway.db.read, meeting.id))!.state).toBe('confirmed');

    world.jump(66 * MINUTE);
    await eventually('the report is read', async () =>
      (await listFacts(world.gateway.gateway.db.read, meeting.id)).some(({ source }) => source === 'attendance'),
    );
    expect(await sessionsOf(world, meeting)).toMatchObject({
      minutes: { total: 24, host: 20, customer: 24, joint: 20 },
      sessions: [{ estimated: false, source: 'attendance', limit_reached: false }],
    });
    // The end was told when the window closed; a report is no news of it.
    expect(await eventsOf(world, meeting, 'meeting.ended')).toHaveLength(1);
    expect((await findMeeting(world.gateway.gateway.db.read, meeting.id))!.state).toBe('ended');

    for (let hours = 0; hours < 50; hours += 1) {
      world.jump(HOUR);
      await settled(world);
    }
    const asked = calls(world, 'microsoft-teams', 'GET', /attendanceReports$/).length;
    expect(asked).toBeGreaterThan(1);
    expect(asked).toBeLessThan(12);
    world.jump(5 * DAY);
    await settled(world);
    expect(calls(world, 'microsoft-teams', 'GET', /attendanceReports$/)).toHaveLength(asked);
    expect(await sessionsOf(world, meeting)).toMatchObject({ minutes: { total: 24 } });
  });

  it('Teams without that permission: the clicks stay an estimate, and nothing is asked for', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const connection = await connect(world, 'microsoft-teams', { recordings: false });
    const meeting = await boughtMeeting(world, { provider: 'microsoft-teams' });
    world.jump(8 * MINUTE);
    await click(meeting.attendees[0]!.join_url);
    world.jump(2 * MINUTE);
    await click(meeting.host_url);
    await click(meeting.host_url);
    world.jump(90 * MINUTE);
    await eventually('the clock closes it', async () => (await findMeeting(world.gateway.gateway.db.read, meeting.id))!.state === 'ended');
    const told = await sessionsOf(world, meeting);
    expect(told).toMatchObject({ sessions: [{ estimated: true, source: 'clicks' }], segments: [{ estimated: true }] });
    // To the minute, which the world's clock may have begun anywhere in.
    const { total, host, joint } = told['minutes'] as { total: number; host: number; joint: number };
    expect(total - host).toBeCloseTo(2);
    expect(joint).toBe(host);
    expect(Math.floor(host)).toBeGreaterThanOrEqual(30);
    expect(host).toBeLessThan(31);
    expect(await eventsOf(world, meeting, 'meeting.started')).toEqual([]);
    expect(await listFacts(world.gateway.gateway.db.read, meeting.id)).toHaveLength(3);
    expect(calls(world, 'microsoft-teams', 'GET', /attendanceReports/)).toEqual([]);
    const month = meeting.starts_at.slice(0, 7);
    expect(must(await world.api('GET', `/v1/connections/${connection}/usage?month=${month}`), 200).json).toMatchObject({
      sessions: 1,
      estimated_sessions: 1,
    });
  });
});

/** The sides of everybody in the only session. */
async function sidesIn(world: World, meeting: MeetingJson): Promise<string[]> {
  const told = await sessionsOf(world, meeting);
  const [session] = told['sessions'] as { participants: { side: string; customer_id: string | null }[] }[];
  return session!.participants.map(({ side, customer_id }) => `${side} ${customer_id}`).toSorted();
}

describe('whose side somebody is on', () => {
  const hosted = { booking: { id: 'bk_1', kind: 'one_to_one', title: 'Call' }, recording: 'always' };

  it('F04 Zoom, hosted by the platform: who came by the host link is the host, for it signs in as the account', async () => {
    const world = await testWorld({ policy: 'fiverr' });
    await addPlatformHost(world);
    const meeting = await boughtMeeting(world, hosted);
    await happen(world, meeting, 'join', { user: HOST });
    await happen(world, meeting, 'join', { name: 'Somebody' });
    expect(await sidesIn(world, meeting)).toEqual(['customer cus_1', 'host null']);
  });

  it('F04 Google, hosted by the platform: nobody can tell who is who, and the account itself is nobody', async () => {
    const sandbox = createSandbox({ now: () => new Date(), random: randomBytes, origin: 'http://sandbox.example', schedule: null });
    const { clientEmail, clientId, privateKey } = await sandbox.serviceAccount();
    const key = JSON.stringify({ client_email: clientEmail, client_id: clientId, private_key: privateKey });
    const world = await testWorld({ policy: 'fiverr', environment: { GOOGLE_SERVICE_ACCOUNT_KEY: key } });
    await setPolicy(world, { approved_apps: ['google-meet'] });
    await addPlatformHost(world, 'host@google.sandbox.example', 'google-meet');
    await eventually('the host has a feed', async () => (await vendorState(world, 'google-meet')).subscriptions?.length === 1);
    const meeting = await boughtMeeting(world, hosted);
    await happen(world, meeting, 'join', { user: 'host@google.sandbox.example' });
    await happen(world, meeting, 'join', { name: 'Somebody' });
    expect(await sidesIn(world, meeting)).toEqual(['unknown null', 'unknown null']);
  });

  it('G02 who is not the host of a group may be anybody', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world, {
      provider: 'zoom',
      booking: { id: 'bk_g', kind: 'private_group', title: 'Group' },
      attendees: [{ customer_id: 'cus_1' }, { customer_id: 'cus_2' }],
    });
    await happen(world, meeting, 'join', { user: USERS.zoom });
    await happen(world, meeting, 'join', { name: 'Ada' });
    expect(await sidesIn(world, meeting)).toEqual(['host null', 'unknown null']);
  });
});
