/** `GET /v1/meetings/{id}/sessions` and `GET /v1/connections/{id}/usage`. */
import { eq } from 'drizzle-orm';
import { expect, it } from 'vitest';
import type { World } from '../../demo/world.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import {
  boughtMeeting,
  createMeeting,
  databaseOf,
  happen,
  MINUTE,
  must,
  otherMarketplace,
  settled,
  type MeetingJson,
} from '../support/gateway.ts';
import { connect, testWorld, USERS } from '../support/world.ts';

const booking = (id: string) => ({ booking: { id, kind: 'one_to_one', title: 'Call' }, provider: 'zoom' });
const monthOf = ({ starts_at }: MeetingJson): string => starts_at.slice(0, 7);

/** Host and customer for so many minutes. */
async function hold(world: World, meeting: MeetingJson, minutes: number, reason: 'host' | 'limit'): Promise<void> {
  await happen(world, meeting, 'join', { user: USERS.zoom });
  await happen(world, meeting, 'join', { name: 'Ada' });
  await settled(world);
  world.jump(minutes * MINUTE);
  await happen(world, meeting, 'end', { reason });
  await settled(world);
}

describeOnBothDatabases('sessions and usage', (_open, engine) => {
  it('G14 a booking that went on in a second meeting is put together, from either of them, and is one in the usage', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const connection = await connect(world, 'zoom');
    const first = await boughtMeeting(world, booking('bk_1'));
    await hold(world, first, 40, 'limit');
    const second = await boughtMeeting(world, booking('bk_2'));
    await hold(world, second, 12, 'host');
    await world.gateway.gateway.db.write(async (tx) => {
      const { meetings } = tx.t;
      await tx.update(meetings).set({ continuedBy: second.id }).where(eq(meetings.id, first.id));
      await tx.update(meetings).set({ continues: first.id }).where(eq(meetings.id, second.id));
    });

    const told = await Promise.all(
      [first, second].map(async ({ id }) => must(await world.api('GET', `/v1/meetings/${id}/sessions`), 200).json),
    );
    expect(told[0]!['minutes']).toEqual({ total: 40, host: 40, customer: 40, joint: 40 });
    expect(told[1]!['minutes']).toEqual({ total: 12, host: 12, customer: 12, joint: 12 });
    for (const one of told) {
      expect(one['segments']).toMatchObject([
        { meeting_id: first.id, provider: 'zoom', booked_minutes: 30, limit_reached: true, estimated: false, minutes: { joint: 40 } },
        { meeting_id: second.id, provider: 'zoom', booked_minutes: 30, limit_reached: false, estimated: false, minutes: { joint: 12 } },
      ]);
      expect(one['segments_minutes']).toEqual({ total: 52, host: 52, customer: 52, joint: 52 });
    }
    expect(must(await world.api('GET', `/v1/connections/${connection}/usage?month=${monthOf(first)}`), 200).json).toMatchObject({
      meetings: 1,
      held: 1,
      sessions: 2,
      limit_reached: 1,
      booked_minutes: 30,
      minutes: { total: 52 },
    });
  });

  it('nothing happened: no sessions; what nobody bought, or was cancelled, is no usage', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const connection = await connect(world, 'zoom');
    const bought = await boughtMeeting(world, booking('bk_1'));
    await createMeeting(world, booking('bk_2'));
    const cancelled = await boughtMeeting(world, booking('bk_3'));
    must(await world.api('POST', `/v1/meetings/${cancelled.id}/cancel`, {}), 200);
    const none = { total: 0, host: 0, customer: 0, joint: 0 };
    expect(must(await world.api('GET', `/v1/meetings/${bought.id}/sessions`), 200).json).toEqual({
      meeting_id: bought.id,
      booking_id: 'bk_1',
      booked_minutes: 30,
      minutes: none,
      sessions: [],
      segments: [
        {
          meeting_id: bought.id,
          provider: 'zoom',
          starts_at: bought.starts_at,
          booked_minutes: 30,
          limit_reached: false,
          estimated: false,
          minutes: none,
        },
      ],
      segments_minutes: none,
    });
    const usage = async (month: string) => must(await world.api('GET', `/v1/connections/${connection}/usage?month=${month}`), 200).json;
    expect(await usage(monthOf(bought))).toMatchObject({
      meetings: 1,
      held: 0,
      sessions: 0,
      limit_reached: 0,
      booked_minutes: 30,
      minutes: none,
    });
    expect(await usage('2020-01')).toMatchObject({ meetings: 0, booked_minutes: 0 });
  });

  it('are nobody else’s, and a month has to be one', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const connection = await connect(world, 'zoom');
    const meeting = await boughtMeeting(world, booking('bk_1'));
    const other = await otherMarketplace(world);
    const paths = [`/v1/meetings/${meeting.id}/sessions`, `/v1/connections/${connection}/usage?month=2026-11`];
    for (const path of paths) expect((await other.api('GET', path)).json['code']).toBe('not_found');
    for (const month of ['2026-13', '2026', 'november', '']) {
      expect((await world.api('GET', `/v1/connections/${connection}/usage?month=${month}`)).status).toBe(422);
    }
    expect((await world.api('GET', `/v1/connections/${connection}/usage`)).status).toBe(422);
  });
});
