/** What the plan of an account shows itself by, where the vendor does not tell it: over the vendors' own deliveries and reports. */
import { eq } from 'drizzle-orm';
import { expect, it } from 'vitest';
import type { World } from '../../demo/world.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import {
  boughtMeeting,
  databaseOf,
  eventually,
  happen,
  HOUR,
  MINUTE,
  must,
  settled,
  VENDORS,
  type MeetingJson,
} from '../support/gateway.ts';
import { connect, testWorld, type Vendor } from '../support/world.ts';

const UNKNOWN = { plan: 'unknown', plan_basis: 'none' };
const planOf = async (world: World, id: string) => {
  await settled(world);
  return must(await world.api('GET', `/v1/connections/${id}`), 200).json;
};
const becomes = (world: World, id: string, plan: 'free' | 'paid') =>
  eventually(`the account is seen to be ${plan}`, async () => {
    const seen = await planOf(world, id);
    return seen['plan'] === plan && seen['plan_basis'] === 'learned';
  });

/** An account of whose plan the vendor says nothing. */
async function silent(world: World, vendor: Vendor): Promise<string> {
  const id = await connect(world, vendor);
  await settled(world);
  const { db } = world.gateway.gateway;
  await db.write((tx) => tx.update(tx.t.connections).set({ plan: 'unknown' }).where(eq(tx.t.connections.id, id)));
  expect(await planOf(world, id)).toMatchObject(UNKNOWN);
  return id;
}

const group = (world: World, provider: Vendor, changes: Readonly<Record<string, unknown>> = {}): Promise<MeetingJson> =>
  boughtMeeting(world, {
    provider,
    booking: { id: 'bk_1', kind: 'private_group', title: 'Workshop' },
    attendees: [{ customer_id: 'cus_1' }, { customer_id: 'cus_2' }],
    starts_at: world.now().toISOString(),
    duration_minutes: 90,
    ...changes,
  });

/** So many people come at once, and stay until the end. */
async function held(world: World, meeting: MeetingJson, { people, minutes }: { people: number; minutes: number }): Promise<void> {
  await happen(world, meeting, 'start');
  for (let person = 1; person <= people; person++) await happen(world, meeting, 'join', { name: `Person ${person}` });
  await settled(world);
  world.jump(minutes * MINUTE);
  await settled(world);
  await happen(world, meeting, 'end');
  await settled(world);
}

describeOnBothDatabases('a plan that the vendor does not tell', (_open, engine) => {
  const start = async (): Promise<World> => testWorld({ databaseUrl: await databaseOf(engine) });

  it.each(VENDORS)('G13 G14 at %s is a paid one as soon as a recording appears, and not before', async (vendor) => {
    const world = await start();
    const id = await silent(world, vendor);
    const meeting = await boughtMeeting(world, { provider: vendor, recording: 'on_consent' });
    await held(world, meeting, { people: 2, minutes: 20 });
    expect(await planOf(world, id)).toMatchObject(UNKNOWN);
    await happen(world, meeting, 'finish-recording', { transcript: false });
    await becomes(world, id, 'paid');
  });

  it('G14 is not learned from the recording of a link that was made elsewhere', async () => {
    const world = await start();
    const id = await silent(world, 'google-meet');
    const meeting = await boughtMeeting(world, { provider: 'google-meet', recording: 'on_consent' });
    const { db } = world.gateway.gateway;
    await db.write((tx) => tx.update(tx.t.meetings).set({ linkSource: 'uploaded' }).where(eq(tx.t.meetings.id, meeting.id)));
    await held(world, meeting, { people: 2, minutes: 20 });
    await happen(world, meeting, 'finish-recording', { transcript: false });
    await world.receiver.waitFor('withheld', ({ type }) => type === 'recording.withheld');
    expect(await planOf(world, id)).toMatchObject(UNKNOWN);
  });

  it('G14 at Meet is a paid one where three were together clearly past the free hour', async () => {
    const world = await start();
    const id = await silent(world, 'google-meet');
    await held(world, await group(world, 'google-meet'), { people: 3, minutes: 71 });
    await becomes(world, id, 'paid');
  });

  it('G14 at Teams is a paid one by the report of who was there', async () => {
    const world = await start();
    const id = await silent(world, 'microsoft-teams');
    await held(world, await group(world, 'microsoft-teams'), { people: 3, minutes: 71 });
    // The report is asked for after the booked end.
    world.jump(2 * HOUR);
    await becomes(world, id, 'paid');
  });

  it.each([
    ['of two, who may have a whole day on a free plan', { people: 2, minutes: 71 }, {}],
    ['that ran over by no more than a grace', { people: 3, minutes: 65 }, {}],
    ['of an hour, which ended on time', { people: 3, minutes: 60 }, { duration_minutes: 60 }],
    ['that ended at the hour as booked, give or take', { people: 3, minutes: 60 }, { duration_minutes: 63 }],
    [
      'of two by the booking, with a second device',
      { people: 3, minutes: 71 },
      { booking: { id: 'bk_1', kind: 'one_to_one', title: 'Talk' }, attendees: [{ customer_id: 'cus_1' }] },
    ],
  ])('G14 at Meet is not learned from a meeting %s', async (_what, run, changes) => {
    const world = await start();
    const id = await silent(world, 'google-meet');
    await held(world, await group(world, 'google-meet', changes), run);
    expect(await planOf(world, id)).toMatchObject(UNKNOWN);
  });

  it("G14 counts the vendor's hour, not the marketplace's own figure", async () => {
    const world = await start();
    must(await world.api('PATCH', '/v1/policy', { limits: { minutes: { 'google-meet': 30 } } }), 200);
    const id = await silent(world, 'google-meet');
    await held(world, await group(world, 'google-meet'), { people: 3, minutes: 45 });
    expect(await planOf(world, id)).toMatchObject(UNKNOWN);
  });

  it('G14 at Meet is a free one where three were cut off at the hour of a longer booking', async () => {
    const world = await start();
    const id = await silent(world, 'google-meet');
    await held(world, await group(world, 'google-meet'), { people: 3, minutes: 60 });
    await becomes(world, id, 'free');
  });
});
