/** What customers think of the professional and of the technical connection (R07). */
import { expect, it } from 'vitest';
import { visit, type Answer } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import {
  boughtMeeting,
  databaseOf,
  DAY,
  eventually,
  getMeeting,
  happen,
  MINUTE,
  must,
  otherMarketplace,
  setPolicy,
  settled,
} from '../support/gateway.ts';
import type { MeetingJson } from '../support/gateway.ts';
import { connect, testWorld } from '../support/world.ts';

const rate = ({ api }: Pick<World, 'api'>, { id }: MeetingJson, customer: string, body: unknown): Promise<Answer> =>
  api('PUT', `/v1/meetings/${id}/ratings/${customer}`, body);

async function held(world: World, changes: Readonly<Record<string, unknown>> = {}): Promise<MeetingJson> {
  const meeting = await boughtMeeting(world, changes);
  world.jump(10 * MINUTE);
  await happen(world, meeting, 'start');
  await happen(world, meeting, 'end');
  await eventually('it has ended', async () => (await getMeeting(world, meeting.id)).state === 'ended');
  return meeting;
}

describeOnBothDatabases('ratings', (_open, engine) => {
  const start = async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    return world;
  };

  it('R07 the page asks once after the meeting, keeps what was written when something is missing, and thanks', async () => {
    const world = await start();
    const meeting = await held(world);
    const page = meeting.attendees[0]!.join_url;
    const send = (fields: Readonly<Record<string, string>>): Promise<Answer> => {
      const body = new FormData();
      for (const [name, value] of Object.entries(fields)) body.append(name, value);
      return visit(`${page}/rating`, { method: 'POST', body });
    };
    expect((await visit(page)).text).toContain('How was it?');
    const incomplete = await send({ professional: '5', comment: 'Very <good>' });
    expect(incomplete.status).toBe(422);
    expect(incomplete.text).toContain('Very &lt;good&gt;');
    expect(incomplete.text).toMatch(/name="professional" value="5" required checked/);
    expect((await send({ professional: '5', connection: '3', comment: 'Very\r\ngood' })).status).toBe(303);
    const thanks = (await visit(`${page}?rating=sent`)).text;
    expect(thanks).toContain('Thank you for your rating');
    expect(thanks).not.toContain(`action="${new URL(page).pathname}/rating`);
    // A second, different one changes nothing.
    expect((await send({ professional: '1', connection: '1', comment: '' })).status).toBe(303);
    const { json } = must(await world.api('GET', `/v1/meetings/${meeting.id}/ratings`), 200);
    expect(json).toMatchObject({ data: [{ customer_id: 'cus_1', professional: 5, connection: 3, comment: 'Very\ngood' }] });
    await settled(world);
    expect(world.receiver.events.filter(({ type }) => type === 'meeting.rated').map(({ data }) => data)).toMatchObject([
      { meeting_id: meeting.id, customer_id: 'cus_1', professional: 5, connection: 3, comment: 'Very\ngood' },
    ]);
  });

  it('R07 over the API: once per customer who bought, only after the end and within the days of the policy', async () => {
    const world = await start();
    const meeting = await boughtMeeting(world);
    const good = { professional: 4, connection: 5 };
    expect((await rate(world, meeting, 'cus_1', good)).json).toMatchObject({ status: 409 });
    world.jump(10 * MINUTE);
    await happen(world, meeting, 'start');
    await happen(world, meeting, 'end');
    await eventually('it has ended', async () => (await getMeeting(world, meeting.id)).state === 'ended');
    for (const body of [
      { professional: 0, connection: 5 },
      { professional: 4.5, connection: 5 },
      { ...good, comment: 'x'.repeat(2_001) },
      { connection: 5 },
    ])
      expect((await rate(world, meeting, 'cus_1', body)).status).toBe(422);
    expect((await rate(world, meeting, 'cus_2', good)).status).toBe(404);
    const rated = must(await rate(world, meeting, 'cus_1', good), 201).json;
    expect(must(await rate(world, meeting, 'cus_1', { ...good, comment: ' ' }), 200).json).toEqual(rated);
    expect((await rate(world, meeting, 'cus_1', { ...good, professional: 1 })).json).toMatchObject({ status: 409, rating_id: rated['id'] });
    const late = await held(world, { booking: { id: 'bk_2', kind: 'one_to_one', title: 'Second' } });
    world.jump(14 * DAY);
    expect((await rate(world, late, 'cus_1', good)).status).toBe(409);
    expect((await visit(late.attendees[0]!.join_url)).text).not.toContain('How was it?');
    await setPolicy(world, { ratings: { within_days: 0 } });
    expect((await rate(world, late, 'cus_1', good)).json).toMatchObject({ status: 403, code: 'forbidden' });
  });

  it('R07 are read per meeting and per professional, page by page, with averages over all, and are nobody else’s', async () => {
    const world = await start();
    const group = { kind: 'private_group', title: 'Group' };
    const attendees = [{ customer_id: 'a' }, { customer_id: 'b' }, { customer_id: 'c' }];
    const meeting = await held(world, { booking: { id: 'g1', ...group }, attendees });
    for (const [customer, professional] of [
      ['a', 5],
      ['b', 4],
      ['c', 4],
    ] as const) {
      world.jump(1);
      must(await rate(world, meeting, customer, { professional, connection: 2 }), 201);
    }
    const second = await held(world, { booking: { id: 'bk_3', kind: 'one_to_one', title: 'Other' } });
    must(await rate(world, second, 'cus_1', { professional: 1, connection: 5 }), 201);
    const read = async (path: string) =>
      must(await world.api('GET', path), 200).json as { data: { customer_id: string }[]; next_cursor: string | null };
    expect(await read(`/v1/meetings/${meeting.id}/ratings`)).toMatchObject({ averages: { count: 3, professional: 4.33, connection: 2 } });
    const first = await read('/v1/professionals/pro_1/ratings?limit=3');
    expect(first).toMatchObject({ averages: { count: 4, professional: 3.5, connection: 2.75 } });
    const rest = await read(`/v1/professionals/pro_1/ratings?limit=3&cursor=${first.next_cursor}`);
    expect([...first.data, ...rest.data].map(({ customer_id: id }) => id)).toEqual(['cus_1', 'c', 'b', 'a']);
    expect(rest.next_cursor).toBeNull();
    expect(await read('/v1/professionals/pro_2/ratings')).toMatchObject({
      data: [],
      averages: { count: 0, professional: null, connection: null },
    });
    const foreign = await otherMarketplace(world);
    expect(must(await foreign.api('GET', '/v1/professionals/pro_1/ratings'), 200).json).toMatchObject({ data: [] });
    expect((await foreign.api('GET', `/v1/meetings/${meeting.id}/ratings`)).status).toBe(404);
    expect((await rate(foreign, meeting, 'a', { professional: 1, connection: 1 })).status).toBe(404);
  });
});
