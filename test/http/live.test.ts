import type { AddressInfo } from 'node:net';
import { serve, type ServerType } from '@hono/node-server';
import { eq } from 'drizzle-orm';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { visit } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { createApp } from '../../src/app.ts';
import { createLive } from '../../src/http/live.ts';
import type { Meeting } from '../../src/store/meetings.ts';
import { describeOnBothDatabases, raw } from '../support/databases.ts';
import { boughtMeeting, createMeeting, databaseOf, eventually, HOUR, MINUTE, must, type MeetingJson } from '../support/gateway.ts';
import { listen, type Heard, type Listener } from '../support/live.ts';
import { connect, testWorld } from '../support/world.ts';

const joinOf = ({ attendees }: MeetingJson): string => attendees[0]!.join_url;
const change = ({ gateway }: World, { id }: { id: string }, changes: Partial<Meeting>) =>
  gateway.gateway.db.write((tx) => tx.update(tx.t.meetings).set(changes).where(eq(tx.t.meetings.id, id)));
const state = (listener: Listener, want: Readonly<Record<string, unknown>>): Promise<Heard> =>
  eventually(`the page is told ${JSON.stringify(want)}`, () =>
    listener.heard.find(({ event, data }) => event === 'state' && Object.entries(want).every(([name, value]) => data[name] === value)),
  );

async function openMeeting(options: Parameters<typeof testWorld>[0] = {}, id = 'bk_1') {
  const world = await testWorld(options);
  await connect(world, 'zoom');
  return { world, meeting: await boughtMeeting(world, { booking: { id, kind: 'one_to_one', title: 'Tax consultation' } }) };
}

describeOnBothDatabases('the stream of an open page', (_, engine) => {
  it('begins with the state, and tells what another process has changed within a second and a half', async () => {
    const databaseUrl = await databaseOf(engine);
    const { world, meeting } = await openMeeting({ databaseUrl });
    const page = await listen(joinOf(meeting));
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    const first = await state(page, { state: 'confirmed', door: 'open' });
    expect(first.data).toEqual({
      state: 'confirmed',
      door: 'open',
      running_since: null,
      limit_ends_at: null,
      meter: null,
      host_lost: false,
      continued: null,
      version: first.id,
      now: world.now().toISOString(),
    });

    const since = new Date(world.now().getTime() - MINUTE);
    const limit = new Date(since.getTime() + 40 * MINUTE);
    const moment = (at: Date) => (engine.dialect === 'sqlite' ? String(at.getTime()) : `'${at.toISOString()}'`);
    // Past this process: nothing rings.
    const began = performance.now();
    await raw(
      databaseUrl.replace(/^file:/, ''),
      `update meetings set state = 'live', running_since = ${moment(since)}, limit_ends_at = ${moment(limit)} where id = '${meeting.id}'`,
    );
    const second = await state(page, { state: 'live', running_since: since.toISOString(), limit_ends_at: limit.toISOString() });
    expect(performance.now() - began).toBeLessThan(1_500);
    expect(second.id).not.toBe(first.id);
    expect(page.heard).toHaveLength(2);
  });

  it('tells nothing of other meetings, and nothing twice', async () => {
    const { world, meeting } = await openMeeting({ databaseUrl: await databaseOf(engine) });
    const other = await boughtMeeting(world, {
      booking: { id: 'bk_2', kind: 'one_to_one', title: 'Other' },
      attendees: [{ customer_id: 'cus_2', name: 'Bob' }],
    });
    const [mine, theirs] = [await listen(joinOf(meeting)), await listen(joinOf(other))];
    await state(mine, { door: 'open' });
    await state(theirs, { door: 'open' });
    await change(world, other, { hostLostAt: world.now(), runningSince: world.now(), state: 'live' });
    await state(theirs, { host_lost: true });
    // Two more looks, at least: the second change is seen after the first one was told to everybody whom it concerns.
    await change(world, other, { hostLostAt: null });
    await eventually('the host is back', () => theirs.heard.at(-1)?.data['host_lost'] === false);
    expect(theirs.heard).toHaveLength(3);
    expect(mine.heard).toHaveLength(1);
  });
});

describeOnBothDatabases('the stream of a page whose meeting is continued', (_, engine) => {
  it('leads on as soon as the continuation has its link, and not before', async () => {
    const { world, meeting } = await openMeeting({ databaseUrl: await databaseOf(engine) });
    const next = await boughtMeeting(world, { booking: { id: 'bk_2', kind: 'one_to_one', title: 'Tax consultation' } });
    await change(world, next, { state: 'link_pending' });
    const [customer, host] = [await listen(joinOf(meeting)), await listen(meeting.host_url)];
    for (const page of [customer, host]) await state(page, { door: 'open' });
    // Both changes are told by one look: the second shows that the first was seen.
    await change(world, meeting, { continuedBy: next.id, state: 'live', runningSince: world.now() });
    for (const page of [customer, host]) expect((await state(page, { state: 'live' })).data['continued']).toBeNull();
    await change(world, next, { state: 'confirmed' });
    await state(customer, { continued: joinOf(next) });
    await state(host, { continued: next.host_url });
    await change(world, next, { state: 'cancelled' });
    for (const page of [customer, host]) await eventually('the way is closed again', () => page.heard.at(-1)?.data['continued'] === null);
  });
});

describe('the stream of an open page', () => {
  it('case 88: one link that does not open silences no other page, and is logged once', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'error' }, { write: (line: string) => void lines.push(line) });
    const { world, meeting } = await openMeeting({ log });
    const next = await boughtMeeting(world, { booking: { id: 'bk_2', kind: 'one_to_one', title: 'Tax consultation' } });
    await change(world, next, { hostTokenSealed: Buffer.from('damaged') });
    const [customer, host] = [await listen(joinOf(meeting)), await listen(meeting.host_url)];
    await change(world, meeting, { continuedBy: next.id });
    await state(customer, { continued: joinOf(next) });
    await change(world, meeting, { state: 'live', runningSince: world.now() });
    expect((await state(host, { state: 'live' })).data['continued']).toBeNull();
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['a link is shown as null, because it does not open']);
  });

  it('R06 the host’s page and the customer’s page are told that the host is lost, and that the host is back', async () => {
    const { world, meeting } = await openMeeting();
    const pages = [await listen(joinOf(meeting)), await listen(meeting.host_url)];
    await change(world, meeting, { state: 'live', runningSince: world.now(), hostLostAt: world.now() });
    for (const page of pages) await state(page, { host_lost: true });
    await change(world, meeting, { hostLostAt: null });
    for (const page of pages) await eventually('the host is back', () => page.heard.at(-1)?.data['host_lost'] === false);
  });

  it('leads everybody to their own page of the meeting that continues this one, and never to the vendor', async () => {
    const { world, meeting } = await openMeeting();
    const next = await boughtMeeting(world, { booking: { id: 'bk_2', kind: 'one_to_one', title: 'Tax consultation' } });
    const [customer, host] = [await listen(joinOf(meeting)), await listen(meeting.host_url)];
    await change(world, meeting, { continuedBy: next.id });
    await state(customer, { continued: joinOf(next) });
    await state(host, { continued: next.host_url });
    for (const { text } of [customer, host]) expect(text()).not.toMatch(/zoom\.us|pwd=|zak=/);
  });

  it('changes nothing for a customer who has no place in the meeting that continues this one', async () => {
    const { world, meeting } = await openMeeting();
    const next = await boughtMeeting(world, {
      booking: { id: 'bk_2', kind: 'one_to_one', title: 'Other' },
      attendees: [{ customer_id: 'cus_2' }],
    });
    const [customer, host] = [await listen(joinOf(meeting)), await listen(meeting.host_url)];
    await state(customer, { door: 'open' });
    await change(world, meeting, { continuedBy: next.id });
    await state(host, { continued: next.host_url });
    expect(customer.heard.map(({ data }) => data['continued'])).toEqual([null]);
  });

  it('opens the door by the clock, and tells the purchase', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await createMeeting(world, { starts_at: new Date(world.now().getTime() + HOUR).toISOString() });
    const page = await listen(joinOf(meeting));
    await state(page, { door: 'unpaid' });
    must(await world.api('POST', `/v1/meetings/${meeting.id}/purchases`, { customer_id: 'cus_1' }), 201);
    await state(page, { door: 'early' });
    world.jump(HOUR - 15 * MINUTE);
    await state(page, { door: 'open' });
  });

  it('tells the host who has bought, though the meeting itself is the same as before', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await createMeeting(world, {
      booking: { id: 'talk', kind: 'event', title: 'Talk' },
      attendees: [{ customer_id: 'cus_1' }, { customer_id: 'cus_2' }],
    });
    const buy = async (customer: string) =>
      must(await world.api('POST', `/v1/meetings/${meeting.id}/purchases`, { customer_id: customer }), 201);
    await buy('cus_1');
    const host = await listen(meeting.host_url);
    const { id: before } = await state(host, { door: 'open' });
    await buy('cus_2');
    await eventually('another version', () => host.heard.at(-1)?.id !== before);
  });

  it('shows a customer who has not bought nothing of what happens inside', async () => {
    const { world, meeting } = await openMeeting();
    await change(world, meeting, { state: 'live', runningSince: world.now(), limitEndsAt: world.now(), hostLostAt: world.now() });
    const { db } = world.gateway.gateway;
    await db.write((tx) => tx.update(tx.t.attendees).set({ purchasedAt: null }));
    const { data } = await state(await listen(joinOf(meeting)), { door: 'unpaid' });
    expect([data['running_since'], data['limit_ends_at'], data['host_lost']]).toEqual([null, null, false]);
  });

  it('gives a browser that comes back the newest state at once, whatever it knew', async () => {
    const { world, meeting } = await openMeeting();
    const page = await listen(joinOf(meeting));
    const { id } = await state(page, { state: 'confirmed' });
    page.hangUp();
    await page.ended;
    await change(world, meeting, { state: 'live', runningSince: world.now() });
    const again = await listen(joinOf(meeting), { 'last-event-id': id! });
    expect((await state(again, { state: 'live' })).id).not.toBe(id);
    const third = await listen(joinOf(meeting), { 'last-event-id': again.heard[0]!.id! });
    expect((await state(third, { state: 'live' })).id).toBe(again.heard[0]!.id);
  });

  it('ends with the meeting, after its last state, and is 410 from then on', async () => {
    const { world, meeting } = await openMeeting();
    const pages = [await listen(joinOf(meeting)), await listen(meeting.host_url)];
    for (const page of pages) await state(page, { door: 'open' });
    must(await world.api('POST', `/v1/meetings/${meeting.id}/cancel`, { reason: 'Ill' }), 200);
    for (const page of pages) {
      await page.ended;
      expect(page.heard.slice(-2).map(({ event, data }) => [event, data['door']])).toEqual([
        ['state', 'cancelled'],
        ['end', undefined],
      ]);
    }
    for (const url of [joinOf(meeting), meeting.host_url]) expect((await listen(url)).status).toBe(410);
  });

  it('ends when the time to come in is over', async () => {
    const { world, meeting } = await openMeeting();
    const page = await listen(joinOf(meeting));
    await state(page, { door: 'open' });
    world.jump(2 * HOUR);
    await page.ended;
    expect(page.heard.at(-2)?.data['door']).toBe('over');
  });

  it('ends when the place in the meeting is gone', async () => {
    const { world, meeting } = await openMeeting();
    const page = await listen(joinOf(meeting));
    await state(page, { door: 'open' });
    const { db } = world.gateway.gateway;
    await db.write((tx) => tx.delete(tx.t.attendees));
    await page.ended;
    expect(page.heard.at(-1)?.event).toBe('end');
    expect((await listen(joinOf(meeting))).status).toBe(404);
  });

  it('is opened by the token of its page only', async () => {
    const { world, meeting } = await openMeeting();
    const token = new URL(joinOf(meeting)).pathname.slice('/j/'.length);
    for (const url of [`${world.publicUrl}/j/${'A'.repeat(43)}`, `${world.publicUrl}/h/${token}`, `${world.publicUrl}/j/${meeting.id}`])
      expect((await listen(url)).status).toBe(404);
    const { headers } = await listen(joinOf(meeting));
    expect(headers.get('cache-control')).toContain('no-store');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  it('is open four times for one link: a fifth page takes the place of the oldest, which does not come back', async () => {
    const { meeting } = await openMeeting();
    const host = await listen(meeting.host_url);
    const pages: Listener[] = [];
    for (let count = 0; count < 5; count += 1) {
      const page = await listen(joinOf(meeting));
      await state(page, { door: 'open' });
      pages.push(page);
    }
    await pages[0]!.ended;
    expect(pages.map(({ heard }) => heard.at(-1)?.event)).toEqual(['end', 'state', 'state', 'state', 'state']);
    // The customer's pages are none of the host's.
    expect(host.heard.map(({ event }) => event)).toEqual(['state']);
  });

  it('is refused with 503 and a time to come again when there are too many in all, until one is closed', async () => {
    const { world, meeting } = await openMeeting();
    const { gateway } = world.gateway;
    const live = createLive(gateway, { inAll: 2 });
    const app = createApp(gateway, () => Promise.resolve(), live);
    const server = await new Promise<ServerType>((resolve) => {
      const starting = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(starting));
    });
    onTestFinished(() => {
      live.close();
      server.close();
    });
    const ask = () => listen(`http://127.0.0.1:${(server.address() as AddressInfo).port}${new URL(joinOf(meeting)).pathname}`);
    const [first, second] = [await ask(), await ask()];
    expect([first.status, second.status]).toEqual([200, 200]);
    const third = await ask();
    expect([third.status, third.headers.get('retry-after')]).toEqual([503, '30']);
    second.hangUp();
    await eventually('there is room again', async () => (await ask()).status === 200);
  });

  it('asks the database only while somebody watches, and once for all', async () => {
    const { world, meeting } = await openMeeting();
    const { gateway } = world.gateway;
    let asked = 0;
    const read = new Proxy(gateway.db.read, {
      get: (target, name) => {
        if (name === 'select') asked += 1;
        return Reflect.get(target, name, target) as unknown;
      },
    });
    const live = createLive({ ...gateway, db: { ...gateway.db, read } }, { perLink: 100 });
    onTestFinished(() => live.close());
    const [attendee] = await gateway.db.read.select().from(gateway.db.read.t.attendees);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const told = new Set<number>();
    const open = (index: number) =>
      live.open(
        { meetingId: meeting.id, attendeeId: attendee!.id },
        { write: (text) => (text.includes('event: state') ? told.add(index) : told, true), end: () => {} },
      )!;
    const pages = Array.from({ length: 100 }, (_, index) => open(index));
    await vi.advanceTimersByTimeAsync(0);
    expect(told.size).toBe(100);
    const first = asked;
    expect(first).toBeLessThan(10);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked - first).toBe(10);
    for (const forget of pages) forget();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked - first).toBe(10);
  });

  it('does not hold up a stop, and its browser is told to come back', async () => {
    const { world, meeting } = await openMeeting();
    const pages = await Promise.all([listen(joinOf(meeting)), listen(meeting.host_url)]);
    for (const page of pages) await state(page, { door: 'open' });
    const began = performance.now();
    await world.gateway.close();
    expect(performance.now() - began).toBeLessThan(3_000);
    for (const page of pages) {
      await page.ended;
      expect(page.heard.map(({ event }) => event)).toEqual(['state']);
      expect(Number(/^retry: (\d+)$/m.exec(page.text())?.[1])).toBeGreaterThanOrEqual(2_000);
    }
    world.gateway.close = async () => {};
  });

  it('the page that is sent has the version that its stream tells', async () => {
    const { world, meeting } = await openMeeting();
    await change(world, meeting, { state: 'live', runningSince: world.now(), limitEndsAt: world.now() });
    for (const url of [joinOf(meeting), meeting.host_url]) {
      const { id } = await state(await listen(url), { state: 'live' });
      expect((await visit(url)).text).toContain(`data-version="${id}"`);
    }
  });
});
