/** Sessions that are metered by blocks, over the vendors' own news. */
import { expect, it } from 'vitest';
import { visit } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { SECOND } from '../../src/domain/time.ts';
import { noteFact } from '../../src/meetings/facts.ts';
import { listFacts } from '../../src/store/facts.ts';
import { findMeeting } from '../../src/store/meetings.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import {
  boughtMeeting,
  calls,
  databaseOf,
  eventually,
  fault,
  getMeeting,
  happen,
  MINUTE,
  must,
  settled,
  type MeetingJson,
} from '../support/gateway.ts';
import { listen } from '../support/live.ts';
import { connect, testWorld, USERS, type Vendor } from '../support/world.ts';

/** Moves the clock, and waits until nothing that is due is left. */
async function pass(world: World, ms: number): Promise<void> {
  world.jump(ms);
  await settled(world);
}

async function act(world: World, meeting: MeetingJson, action: string, body?: unknown): Promise<void> {
  await happen(world, meeting, action, body);
  await settled(world);
}

async function bought(databaseUrl: string, vendor: Vendor = 'zoom'): Promise<{ world: World; meeting: MeetingJson }> {
  const world = await testWorld({ databaseUrl, policy: 'tvip' });
  await connect(world, vendor);
  await settled(world);
  return { world, meeting: await boughtMeeting(world, { provider: vendor }) };
}

/** The host is there, then the customer. */
async function meet(world: World, meeting: MeetingJson): Promise<void> {
  await act(world, meeting, 'start');
  await act(world, meeting, 'join', { user: USERS[meeting.provider] });
  await act(world, meeting, 'join', { name: 'Ada' });
}

const EVENTS = /^meter\./;
/** In the order in which they were written; deliveries of one moment may overtake each other. */
const told = ({ receiver }: World): readonly Readonly<Record<string, unknown>>[] =>
  receiver.events
    .filter(({ type }) => EVENTS.test(type))
    .toSorted((a, b) => Number(a.data['sequence']) - Number(b.data['sequence']))
    .map(({ type, data }) => ({ type, ...data }));
const short = (world: World): string[] =>
  told(world).map(({ type, number, reason }) =>
    `${type as string} ${(number as number) ?? ''} ${(reason as string) ?? ''}`.replace('meter.', '').trim(),
  );

const setCredit = (world: World, { id }: MeetingJson, body: object) => world.api('PUT', `/v1/meetings/${id}/credit`, body);
const meterOf = async (world: World, { id }: MeetingJson) => must(await world.api('GET', `/v1/meetings/${id}/meter`), 200).json;
const ended = (world: World, { id }: MeetingJson) =>
  eventually('the vendor has told the end', async () => (await getMeeting(world, id)).state === 'ended' && (await settled(world)));
const endedOf = ({ receiver }: World) => receiver.events.filter(({ type }) => type === 'meeting.ended').map(({ data }) => data['ended_by']);

describeOnBothDatabases('a metered session', (_open, engine) => {
  it('T04 T05 T06 T07 begins with host and customer; the first one may be left within a minute, later ones count from second 0', async () => {
    const { world, meeting } = await bought(await databaseOf(engine));
    await act(world, meeting, 'start');
    await act(world, meeting, 'join', { user: USERS.zoom });
    await pass(world, 20 * MINUTE);
    expect(await meterOf(world, meeting)).toMatchObject({ enabled: true, used_blocks: 0, block_ends_at: null, blocks: [] });
    await act(world, meeting, 'join', { name: 'Ada' });
    await pass(world, 50 * SECOND);
    expect(short(world)).toEqual([]);
    await act(world, meeting, 'leave', { name: 'Ada' });
    await act(world, meeting, 'end');
    expect(short(world)).toEqual(['voided 1 grace']);
    expect(await meterOf(world, meeting)).toMatchObject({ used_blocks: 0, blocks: [{ number: 1 }] });

    await pass(world, 5 * MINUTE);
    await meet(world, meeting);
    expect(short(world)).toEqual(['voided 1 grace', 'block_started 1']);
    await pass(world, 15 * MINUTE - SECOND);
    expect(short(world)).toHaveLength(2);
    await pass(world, SECOND);
    await pass(world, 15 * MINUTE);
    expect(short(world)).toEqual(['voided 1 grace', 'block_started 1', 'block_started 2', 'block_started 3']);
    const [, first, second] = told(world) as [unknown, Record<string, string>, Record<string, string>];
    expect(Date.parse(second['starts_at']!) - Date.parse(first['starts_at']!)).toBe(15 * MINUTE);
    expect(second).toMatchObject({ meeting_id: meeting.id, booking_id: 'bk_1', used_blocks: 2, credit_blocks: null, paid: true });
    await pass(world, SECOND);
    await act(world, meeting, 'end');
    await pass(world, 30 * MINUTE);
    expect(short(world)).toHaveLength(4);
    expect(await meterOf(world, meeting)).toMatchObject({ used_blocks: 3, block_ends_at: null });
  });

  it.each(['zoom', 'google-meet'] as const)(
    'T08 %s: credit that comes in time lets the session go on, and without more the meeting is ended',
    async (vendor) => {
      const { world, meeting } = await bought(await databaseOf(engine), vendor);
      must(await setCredit(world, meeting, { blocks: 1, balance_text: '500 ₽' }), 200);
      await meet(world, meeting);
      await pass(world, MINUTE);
      await pass(world, 13 * MINUTE);
      expect(short(world)).toEqual(['block_started 1', 'credit_low']);
      expect(told(world)[1]).toMatchObject({ used_blocks: 1, credit_blocks: 1, ending: 'gateway' });
      expect(must(await setCredit(world, meeting, { blocks: 2 }), 200).json).toMatchObject({
        credit_blocks: 2,
        used_blocks: 1,
        balance_text: '500 ₽',
      });
      await pass(world, MINUTE);
      expect(short(world)).toEqual(['block_started 1', 'credit_low', 'block_started 2']);
      await pass(world, 14 * MINUTE);
      await pass(world, MINUTE);
      expect(short(world)).toEqual(['block_started 1', 'credit_low', 'block_started 2', 'credit_low', 'credit_exhausted']);
      await ended(world, meeting);
      expect(await getMeeting(world, meeting.id)).toMatchObject({ ended_by: 'gateway' });
      expect(endedOf(world)).toEqual(['gateway']);
      expect(await meterOf(world, meeting)).toMatchObject({ used_blocks: 2, credit_blocks: 2 });

      // Whoever comes back without credit is sent away again, and is charged nothing.
      await pass(world, MINUTE);
      await meet(world, meeting);
      await ended(world, meeting);
      expect(await getMeeting(world, meeting.id)).toMatchObject({ ended_by: 'gateway' });
      expect(await meterOf(world, meeting)).toMatchObject({ used_blocks: 2 });
      must(await setCredit(world, meeting, { blocks: 3 }), 200);
      await pass(world, MINUTE);
      expect(await meterOf(world, meeting)).toMatchObject({ used_blocks: 2 });
      await meet(world, meeting);
      expect(await meterOf(world, meeting)).toMatchObject({ used_blocks: 3 });
    },
  );

  it('T08 an end that the vendor refuses for a while is taken back by credit that comes in the meantime', async () => {
    const { world, meeting } = await bought(await databaseOf(engine));
    must(await setCredit(world, meeting, { blocks: 0 }), 200);
    fault(world, 'zoom', 'PUT', '/meetings/.+/status', { status: 503 }, 20);
    await happen(world, meeting, 'start');
    await happen(world, meeting, 'join', { user: USERS.zoom });
    await happen(world, meeting, 'join', { name: 'Ada' });
    await eventually('the gateway tries to end it', () => calls(world, 'zoom', 'PUT', /\/status$/).length > 0);
    must(await setCredit(world, meeting, { blocks: 4 }), 200);
    const asked = await eventually('the try is over', async () => {
      const { length } = calls(world, 'zoom', 'PUT', /\/status$/);
      return (await getMeeting(world, meeting.id)).state === 'live' && length;
    });
    await pass(world, MINUTE);
    await pass(world, 10 * MINUTE);
    expect(asked).toBeGreaterThan(0);
    expect(await getMeeting(world, meeting.id)).toMatchObject({ state: 'live', ended_by: null });
    expect(await meterOf(world, meeting)).toMatchObject({ used_blocks: 1, exhausted_at: null });
  });

  it('T08 Teams cannot be ended: the page says so, and the event does when the report of who was there has come', async () => {
    const { world, meeting } = await bought(await databaseOf(engine), 'microsoft-teams');
    expect(must(await setCredit(world, meeting, { blocks: 1 }), 200).json).toMatchObject({ ending: 'not_capable' });
    const page = await visit(meeting.attendees[0]!.join_url, { headers: { accept: 'text/html', 'accept-language': 'en' } });
    expect(page.text).toContain('Microsoft Teams does not let us end the meeting');
    await meet(world, meeting);
    await pass(world, 31 * MINUTE);
    await act(world, meeting, 'end');
    await pass(world, 60 * MINUTE + 16 * MINUTE);
    await pass(world, 12 * 60 * MINUTE);
    expect(short(world)).toEqual(['block_started 1', 'block_started 2', 'block_started 3', 'credit_exhausted']);
    expect(told(world).map(({ paid }) => paid)).toEqual([true, false, false, undefined]);
    expect(told(world).at(-1)).toMatchObject({ ending: 'not_capable', used_blocks: 3, credit_blocks: 1 });
  });

  it('T08 the rest of the credit goes on with the people when a limit makes them change the meeting, and not before', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine), policy: 'tvip' });
    const user = 'ben@zoom.sandbox.example';
    await connect(world, 'zoom', { user });
    const starts_at = world.now().toISOString();
    const meeting = await boughtMeeting(world, { provider: 'zoom', duration_minutes: 90, starts_at });
    must(await setCredit(world, meeting, { blocks: 4 }), 200);
    const meetAs = async (one: MeetingJson) => {
      await act(world, one, 'start');
      await act(world, one, 'join', { user });
      await act(world, one, 'join', { name: 'Ada' });
    };
    await meetAs(meeting);
    await pass(world, 31 * MINUTE);
    const next = must(await world.api('POST', `/v1/meetings/${meeting.id}/continuation`), 201).json as unknown as MeetingJson;
    expect(await meterOf(world, meeting)).toMatchObject({ credit_blocks: 4, used_blocks: 3, exhausted_at: null });
    await pass(world, 9 * MINUTE);
    await act(world, meeting, 'end', { reason: 'limit' });
    await meetAs(next);
    expect(await meterOf(world, next)).toMatchObject({ credit_blocks: 1, used_blocks: 1, exhausted_at: null });
    expect(await meterOf(world, meeting)).toMatchObject({ credit_blocks: 3, used_blocks: 3 });
    expect(await setCredit(world, meeting, { blocks: 9 })).toMatchObject({ status: 409, json: { continued_by: next.id } });
    expect(must(await setCredit(world, next, { blocks: 3 }), 200).json).toMatchObject({ credit_blocks: 3 });
  });

  it('T06 a block is taken back when it becomes known that the host had left before', async () => {
    const { world, meeting } = await bought(await databaseOf(engine));
    must(await setCredit(world, meeting, { blocks: 1 }), 200);
    await act(world, meeting, 'start');
    await act(world, meeting, 'join', { user: USERS.zoom });
    await pass(world, 10 * SECOND);
    await act(world, meeting, 'join', { name: 'Ada' });
    await pass(world, 2 * MINUTE);
    expect(short(world)).toEqual(['block_started 1']);
    const { gateway } = world.gateway;
    await gateway.db.write(async (tx) => {
      const arrival = (await listFacts(tx, meeting.id)).find(({ side, kind }) => side === 'host' && kind === 'joined')!;
      const left = { ...arrival, kind: 'left', at: new Date(arrival.at.getTime() + 5 * SECOND) } as const;
      await noteFact(tx, gateway, (await findMeeting(tx, meeting.id))!, left);
    });
    gateway.wake();
    await settled(world);
    expect(short(world)).toEqual(['block_started 1', 'voided 1 not_run']);
    expect(await meterOf(world, meeting)).toMatchObject({ used_blocks: 0, block_ends_at: null, exhausted_at: null });
  });

  it('T09 either side may end it, and it is told on whose wish', async () => {
    const { world, meeting } = await bought(await databaseOf(engine));
    await meet(world, meeting);
    fault(world, 'zoom', 'PUT', '/meetings/.+/status', { status: 400, body: { code: 300, message: 'no' } });
    expect((await world.api('POST', `/v1/meetings/${meeting.id}/end`, { by: 'professional' })).status).toBe(422);
    expect(await getMeeting(world, meeting.id)).toMatchObject({ state: 'live', ended_by: null });
    must(await world.api('POST', `/v1/meetings/${meeting.id}/end`, { by: 'customer' }), 200);
    await ended(world, meeting);
    expect(await getMeeting(world, meeting.id)).toMatchObject({ ended_by: 'customer' });
    await pass(world, MINUTE);
    await act(world, meeting, 'start');
    expect(await getMeeting(world, meeting.id)).toMatchObject({ state: 'live', ended_by: null });
    must(await world.api('POST', `/v1/meetings/${meeting.id}/end`), 200);
    await ended(world, meeting);
    await pass(world, MINUTE);
    await act(world, meeting, 'start');
    await act(world, meeting, 'end');
    expect(endedOf(world)).toHaveLength(3);
    expect(new Set(endedOf(world))).toEqual(new Set(['customer', 'marketplace', null]));
  });

  it('T10 T11 the pages of both sides show session time, block and balance, live, whether or not the customer is seen', async () => {
    const { world, meeting } = await bought(await databaseOf(engine));
    must(await world.api('PUT', `/v1/meetings/${meeting.id}/attendees/cus_1`, { camera_off: true }), 200);
    must(await setCredit(world, meeting, { blocks: 2, balance_text: '1 200 ₽' }), 200);
    await meet(world, meeting);
    await pass(world, 2 * MINUTE);
    const pages = [meeting.attendees[0]!.join_url, meeting.host_url];
    const lines = await Promise.all(pages.map((page) => listen(page)));
    for (const page of pages) {
      const { text } = await visit(page, { headers: { accept: 'text/html', 'accept-language': 'en' } });
      for (const word of ['Session time', 'Block ends in', '1 200 ₽']) expect(text).toContain(word);
    }
    await pass(world, 13 * MINUTE);
    must(await setCredit(world, meeting, { blocks: 2, balance_text: '700 ₽' }), 200);
    for (const line of lines) {
      await eventually('the page is told of block 2 and the new balance', () =>
        line.heard.some(({ data }) => {
          const meter = data['meter'] as Record<string, unknown> | null;
          return meter?.['block'] === 2 && meter['balance_text'] === '700 ₽';
        }),
      );
    }
    const { text } = await visit(pages[0]!, { headers: { accept: 'text/html', 'accept-language': 'en' } });
    expect(text).toContain('2, the last one paid for');
  });

  it('T12 a cancelled meeting says whether a block was used', async () => {
    const { world, meeting } = await bought(await databaseOf(engine));
    await meet(world, meeting);
    await pass(world, 61 * SECOND);
    expect(must(await world.api('POST', `/v1/meetings/${meeting.id}/cancel`), 200).json).toMatchObject({
      state: 'cancelled',
      block_used: true,
    });
    const unused = await boughtMeeting(world, { booking: { id: 'bk_2', kind: 'one_to_one', title: 'Tax consultation' } });
    expect(must(await world.api('POST', `/v1/meetings/${unused.id}/cancel`), 200).json).toMatchObject({ block_used: false });
    await pass(world, 15 * MINUTE);
    expect(short(world)).toEqual(['block_started 1']);
    const cancelled = world.receiver.events.filter(({ type }) => type === 'meeting.cancelled');
    expect(new Map(cancelled.map(({ data }) => [data['meeting_id'], data['block_used']]))).toEqual(
      new Map([
        [meeting.id, true],
        [unused.id, false],
      ]),
    );
  });
});
