/** What is told while a meeting runs: the plan's limit that comes nearer, and a host that is gone. */
import { eq } from 'drizzle-orm';
import { expect, it } from 'vitest';
import type { ReceivedEvent } from '../../demo/receiver.ts';
import type { World } from '../../demo/world.ts';
import type { VendorEvent } from '../../providers/provider.ts';
import { SECOND } from '../../src/domain/time.ts';
import { findConnection } from '../../src/store/connections.ts';
import { findJob, scheduleJob } from '../../src/store/jobs.ts';
import { applyEvent } from '../../webhooks/apply.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import {
  boughtMeeting,
  databaseOf,
  eventually,
  getMeeting,
  happen,
  MINUTE,
  must,
  restart,
  settled,
  type MeetingJson,
} from '../support/gateway.ts';
import { connect, testWorld, type Vendor } from '../support/world.ts';

/** A Basic user of Zoom: 40 minutes. */
const HOST = 'ben@zoom.sandbox.example';
const LIVE = new Set(['meeting.limit_approaching', 'meeting.limit_reached', 'meeting.host_lost', 'meeting.host_back']);

/** What was told of running meetings, each meeting's in the order in which it was written: deliveries of one moment may overtake each other. */
const told = ({ receiver }: World): ReceivedEvent[] =>
  receiver.events.filter(({ type }) => LIVE.has(type)).toSorted((a, b) => Number(a.data['sequence']) - Number(b.data['sequence']));
const short = (world: World): string[] =>
  told(world).map(({ type, data }) =>
    `${type.replace('meeting.', '')} ${(data['minutes_left'] ?? data['away_seconds'] ?? '') as string | number}`.trim(),
  );

interface Running {
  readonly since: string;
  readonly limit_ends_at: string | null;
  readonly host_lost_at: string | null;
}
const runningOf = async (world: World, { id }: MeetingJson): Promise<Running | null> =>
  ((await getMeeting(world, id)) as unknown as { running: Running | null }).running;

/** Moves the clock, and waits until nothing that is due is left. */
async function pass(world: World, ms: number): Promise<void> {
  world.jump(ms);
  await settled(world);
}

async function act(world: World, meeting: MeetingJson, action: string, body?: unknown): Promise<void> {
  await happen(world, meeting, action, body);
  await settled(world);
}

async function bought(databaseUrl: string, vendor: Vendor = 'zoom', user = HOST): Promise<{ world: World; meeting: MeetingJson }> {
  const world = await testWorld({ databaseUrl });
  await connect(world, vendor, { user });
  await settled(world);
  return { world, meeting: await boughtMeeting(world, { provider: vendor }) };
}

/** The vendor's news without its delivery, so that a test decides when it comes, and in which order. */
async function deliver(world: World, meeting: MeetingJson, ...events: readonly (Partial<VendorEvent> & { at: Date })[]): Promise<void> {
  const { gateway } = world.gateway;
  const { vendorMeetingId } = (
    await gateway.db.read.select().from(gateway.db.read.t.meetings).where(eq(gateway.db.read.t.meetings.id, meeting.id))
  )[0]!;
  for (const event of events) {
    const whole = {
      meetingId: vendorMeetingId,
      instanceId: 'run 1',
      name: null,
      userId: null,
      limitReached: false,
      ...event,
    } as VendorEvent;
    await gateway.db.write((tx) => applyEvent(tx, gateway, gateway.providers.get('zoom')!, whole));
  }
  gateway.wake();
  await settled(world);
}

describeOnBothDatabases('the limit of a running meeting', (_open, engine) => {
  it('G14 comes nearer by the clock of the vendor’s start, and is reached once when Zoom cuts the meeting off', async () => {
    const { world, meeting } = await bought(await databaseOf(engine));
    expect(await runningOf(world, meeting)).toBeNull();
    // Booked in ten minutes; the people are early.
    await pass(world, 5 * MINUTE);
    await act(world, meeting, 'start');
    await act(world, meeting, 'join', { name: 'Ada' });
    const running = (await runningOf(world, meeting))!;
    expect(Date.parse(running.limit_ends_at!) - Date.parse(running.since)).toBe(40 * MINUTE);
    await pass(world, 29 * MINUTE);
    expect(short(world)).toEqual([]);
    await pass(world, MINUTE);
    expect(short(world)).toEqual(['limit_approaching 10']);
    expect(told(world)[0]!.data).toMatchObject({
      meeting_id: meeting.id,
      minutes_left: 10,
      ends_at: running.limit_ends_at,
      limit_minutes: 40,
      plan: 'free',
      plan_basis: 'vendor',
      certain: true,
    });
    await pass(world, 5 * MINUTE);
    await pass(world, 4 * MINUTE);
    await pass(world, 59 * SECOND);
    expect(short(world)).toEqual(['limit_approaching 10', 'limit_approaching 5', 'limit_approaching 1']);
    await act(world, meeting, 'end', { reason: 'limit' });
    await pass(world, MINUTE);
    expect(short(world)).toEqual(['limit_approaching 10', 'limit_approaching 5', 'limit_approaching 1', 'limit_reached']);
    expect(told(world).at(-1)!.data).toMatchObject({ told_by: 'vendor', limit_minutes: 40, certain: true });
    expect(await runningOf(world, meeting)).toBeNull();
  });

  it('G14 that the clock has told is not told again by the vendor, and a second run has a clock of its own', async () => {
    const { world, meeting } = await bought(await databaseOf(engine));
    await act(world, meeting, 'start');
    await pass(world, 40 * MINUTE);
    expect(short(world)).toEqual(['limit_reached']);
    expect(told(world)[0]!.data).toMatchObject({ told_by: 'clock' });
    await act(world, meeting, 'join', { name: 'Ada' });
    await act(world, meeting, 'end', { reason: 'limit' });
    expect(short(world)).toEqual(['limit_reached']);
    await pass(world, MINUTE);
    await act(world, meeting, 'start');
    await pass(world, 30 * MINUTE);
    await pass(world, 10 * MINUTE);
    expect(short(world)).toEqual(['limit_reached', 'limit_approaching 10', 'limit_reached']);
  });

  it('G14 a run that ends takes its clock with it', async () => {
    const { world, meeting } = await bought(await databaseOf(engine));
    await act(world, meeting, 'start');
    await pass(world, 30 * MINUTE);
    await act(world, meeting, 'end');
    expect(await findJob(world.gateway.gateway.db.read, { kind: 'meeting.limit', subjectId: meeting.id })).toBeUndefined();
    await pass(world, 20 * MINUTE);
    expect(short(world)).toEqual(['limit_approaching 10']);
  });

  it('G14 no warning is lost with a restart, and one that is not true any more is left out', async () => {
    const { world, meeting } = await bought(await databaseOf(engine));
    await act(world, meeting, 'start');
    await pass(world, 30 * MINUTE);
    expect(short(world)).toEqual(['limit_approaching 10']);
    await restart(world, { after: 8 * MINUTE });
    await eventually('the nearest is told', () => told(world).length === 2);
    expect(short(world)).toEqual(['limit_approaching 10', 'limit_approaching 2']);
    world.jump(2 * MINUTE);
    await eventually('the end is told', () => told(world).length === 3);
    expect(short(world).at(-1)).toBe('limit_reached');
  });

  it('G14 a changed policy holds from the next look on', async () => {
    const { world, meeting } = await bought(await databaseOf(engine));
    await act(world, meeting, 'start');
    await pass(world, 30 * MINUTE);
    must(await world.api('PATCH', '/v1/policy', { limits: { warn_minutes: [3] } }), 200);
    await pass(world, 5 * MINUTE);
    await pass(world, 2 * MINUTE);
    await pass(world, 3 * MINUTE);
    expect(short(world)).toEqual(['limit_approaching 10', 'limit_approaching 3', 'limit_reached']);
    expect(await world.api('PATCH', '/v1/policy', { limits: { warn_minutes: [1, 5] } })).toMatchObject({
      status: 422,
      json: { errors: [{ pointer: '/limits/warn_minutes' }] },
    });
  });

  it('G14 of a plan that nobody knows is counted and told as not certain; a paid plan has none', async () => {
    const { world, meeting } = await bought(await databaseOf(engine), 'google-meet', 'ada@google.sandbox.example');
    await act(world, meeting, 'start');
    await pass(world, 50 * MINUTE);
    expect(short(world)).toEqual(['limit_approaching 10']);
    expect(told(world)[0]!.data).toMatchObject({ plan: 'unknown', plan_basis: 'none', certain: false, limit_minutes: 60 });
    const paid = await bought(await databaseOf(engine), 'zoom', 'ada@zoom.sandbox.example');
    await act(paid.world, paid.meeting, 'start');
    expect(await runningOf(paid.world, paid.meeting)).toMatchObject({ limit_ends_at: null });
    await pass(paid.world, 60 * MINUTE);
    expect(short(paid.world)).toEqual([]);
  });

  it.each([
    ['two, to whom Meet gives a day', [], 'free', {}, { certain: false, limit_minutes: 60 }],
    ['three', ['Linus'], 'free', {}, { certain: true, limit_minutes: 60 }],
    ['three, of whom one has left', ['Linus', 'leaves'], 'free', {}, { certain: false }],
    ['three on an unknown plan', ['Linus'], null, {}, { certain: false }],
    ["three, by the marketplace's own figure", ['Linus'], 'free', { 'google-meet': 50 }, { certain: false, limit_minutes: 50 }],
  ] as const)('G14 of %s is certain only if the vendor ends such a meeting then', async (_who, more, declared, minutes, expected) => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const id = await connect(world, 'google-meet');
    must(await world.api('PATCH', `/v1/connections/${id}`, { declared_plan: declared }), 200);
    must(await world.api('PATCH', '/v1/policy', { limits: { minutes } }), 200);
    await settled(world);
    // In a booking of two, everybody but the host would be the one customer.
    const booking = { id: 'bk_1', kind: 'private_group', title: 'Workshop' };
    const meeting = await boughtMeeting(world, { provider: 'google-meet', booking });
    await act(world, meeting, 'join', { user: 'ada@google.sandbox.example' });
    await act(world, meeting, 'join', { name: 'Grace' });
    const [third, leaves] = more;
    if (third !== undefined) await act(world, meeting, 'join', { name: third });
    if (leaves !== undefined) await act(world, meeting, 'leave', { name: third });
    await pass(world, 50 * MINUTE);
    await pass(world, 10 * MINUTE);
    const events = told(world);
    expect(events.at(-1)!.type).toBe('meeting.limit_reached');
    for (const { data } of events) expect(data).toMatchObject(expected);
  });

  it('G14 news of the start that come late, twice and in any order change nothing but what is still true', async () => {
    const { world, meeting } = await bought(await databaseOf(engine));
    const start = new Date(Math.floor(world.now().getTime() / SECOND) * SECOND);
    world.jump(32 * MINUTE);
    const joined = { type: 'participant.joined', participantId: 'a', at: new Date(start.getTime() + SECOND) } as const;
    await deliver(world, meeting, joined);
    expect(short(world)).toEqual(['limit_approaching 9']);
    await deliver(world, meeting, { type: 'meeting.started', at: start }, joined, { type: 'meeting.started', at: start });
    expect(short(world)).toEqual(['limit_approaching 9']);
    expect(await runningOf(world, meeting)).toMatchObject({ since: start.toISOString() });
    await pass(world, 3 * MINUTE);
    expect(short(world)).toEqual(['limit_approaching 9', 'limit_approaching 5']);
  });

  it('one timer that cannot run does not hold up the others', async () => {
    const { world, meeting } = await bought(await databaseOf(engine));
    const { db } = world.gateway.gateway;
    const other = await boughtMeeting(world, { provider: 'zoom', booking: { id: 'bk_2', kind: 'one_to_one', title: 'Other' } });
    await act(world, meeting, 'start');
    // A meeting of a marketplace that does not exist has no policy.
    await db.write(async (tx) => {
      const broken = { marketplaceId: 'mkt_gone', state: 'live', runningSince: world.now(), hostAwaySince: world.now() };
      await tx.update(tx.t.meetings).set(broken).where(eq(tx.t.meetings.id, other.id));
      await scheduleJob(tx, { kind: 'meeting.host', subjectId: other.id, dueAt: world.now() });
    });
    world.jump(30 * MINUTE);
    await world.receiver.waitFor('approaching', ({ type }) => type === 'meeting.limit_approaching');
    const failed = await eventually('the other waits', async () => {
      const job = await findJob(db.read, { kind: 'meeting.host', subjectId: other.id });
      return job?.lastError ? job : undefined;
    });
    expect(failed).toMatchObject({ attempts: 1, lastError: expect.stringContaining('internal') as string });
  });
});

describeOnBothDatabases('a host of a running meeting', (_open, engine) => {
  it.each([
    ['zoom', HOST],
    ['google-meet', 'ada@google.sandbox.example'],
  ] as const)('R06 at %s is lost after 15 seconds, and back when back', async (vendor, user) => {
    const { world, meeting } = await bought(await databaseOf(engine), vendor, user);
    await act(world, meeting, 'start');
    await act(world, meeting, 'join', { name: 'Ada' });
    await pass(world, MINUTE);
    expect(short(world)).toEqual([]);
    await act(world, meeting, 'join', { user });
    await pass(world, MINUTE);
    await act(world, meeting, 'leave', { user });
    await pass(world, 14 * SECOND);
    expect(short(world)).toEqual([]);
    await pass(world, SECOND);
    expect(short(world)).toEqual(['host_lost']);
    expect(told(world)[0]!.data).toMatchObject({ meeting_id: meeting.id, since: expect.any(String) });
    expect(await runningOf(world, meeting)).toMatchObject({ host_lost_at: world.now().toISOString() });
    await pass(world, 30 * SECOND);
    await act(world, meeting, 'join', { user });
    expect(short(world)).toEqual(['host_lost', 'host_back 45']);
    expect(await runningOf(world, meeting)).toMatchObject({ host_lost_at: null });
    await pass(world, MINUTE);
    await act(world, meeting, 'leave', { user });
    await act(world, meeting, 'end');
    await pass(world, MINUTE);
    expect(short(world)).toEqual(['host_lost', 'host_back 45']);
  });

  it('R06 that leaves and returns within 15 seconds, again and again, is not lost', async () => {
    const { world, meeting } = await bought(await databaseOf(engine));
    await act(world, meeting, 'start');
    for (let round = 0; round < 3; round++) {
      await act(world, meeting, 'join', { user: HOST });
      await pass(world, 5 * SECOND);
      await act(world, meeting, 'leave', { user: HOST });
      await pass(world, 10 * SECOND);
    }
    await act(world, meeting, 'join', { user: HOST });
    await pass(world, MINUTE);
    expect(short(world)).toEqual([]);
  });

  it('R06 is lost after as long as the policy says, and never when it says 0', async () => {
    const { world, meeting } = await bought(await databaseOf(engine));
    must(await world.api('PATCH', '/v1/policy', { host_lost_after_seconds: 60 }), 200);
    await act(world, meeting, 'join', { user: HOST });
    await act(world, meeting, 'leave', { user: HOST });
    await pass(world, 58 * SECOND);
    expect(short(world)).toEqual([]);
    await pass(world, 2 * SECOND);
    expect(short(world)).toEqual(['host_lost']);
    await act(world, meeting, 'join', { user: HOST });
    must(await world.api('PATCH', '/v1/policy', { host_lost_after_seconds: 0 }), 200);
    await pass(world, MINUTE);
    await act(world, meeting, 'leave', { user: HOST });
    await pass(world, 5 * MINUTE);
    expect(short(world)).toEqual(['host_lost', 'host_back 60']);
  });

  it('R06 is told from what happened, not from the order in which it became known', async () => {
    const { world, meeting } = await bought(await databaseOf(engine));
    const { db } = world.gateway.gateway;
    const { accountId: userId } = (await findConnection(db.read, meeting.connection_id!))!;
    const start = world.now().getTime();
    const at = (seconds: number): Date => new Date(start + seconds * SECOND);
    const move = (type: 'participant.joined' | 'participant.left', seconds: number, participantId = 'laptop') =>
      ({ type, participantId, userId, at: at(seconds) }) as const;
    // Five minutes later the news arrive: an absence that was over long ago is not told.
    world.jump(5 * MINUTE);
    const early = [
      move('participant.joined', 0),
      move('participant.left', 20),
      move('participant.joined', 80),
      { type: 'meeting.started', at: at(0) } as const,
    ];
    await deliver(world, meeting, ...early.toReversed());
    expect(short(world)).toEqual([]);
    // Gone since a minute: told at once, and once, however often it is said.
    await deliver(world, meeting, move('participant.left', 240), move('participant.left', 240));
    expect(short(world)).toEqual(['host_lost']);
    // A second device had been there for ten seconds more: the host was not gone yet, and then it was.
    await deliver(world, meeting, move('participant.joined', 100, 'phone'), move('participant.left', 250, 'phone'));
    expect(short(world)).toEqual(['host_lost', 'host_back 0', 'host_lost']);
    await deliver(world, meeting, ...early, move('participant.joined', 290));
    expect(short(world)).toEqual(['host_lost', 'host_back 0', 'host_lost', 'host_back 40']);
  });
});
