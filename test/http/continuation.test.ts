/** A booking goes on under a new link when a plan's limit ends its meeting (G14). */
import { describe, expect, it } from 'vitest';
import { location, visit, type Answer } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import {
  boughtMeeting,
  createMeeting,
  databaseOf,
  eventually,
  everythingStored,
  fault,
  getMeeting,
  happen,
  MINUTE,
  must,
  otherMarketplace,
  setPolicy,
  settled,
  vendorMeetings,
  type MeetingJson,
} from '../support/gateway.ts';
import { addPlatformHost, connect, meetingBody, testWorld } from '../support/world.ts';

const BASIC = 'ben@zoom.sandbox.example';
const LIMIT = 40;

interface Segment extends MeetingJson {
  readonly continues: string | null;
  readonly continued_by: string | null;
  readonly booking: { id: string; kind: string; title: string };
  readonly recording: string;
}

/** 50 minutes at once, on an account that Zoom gives 40. */
const booked = (world: World, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  provider: 'zoom',
  starts_at: world.now().toISOString(),
  duration_minutes: 50,
  ...changes,
});

const ask = (world: World, id: string): Promise<Answer> => world.api('POST', `/v1/meetings/${id}/continuation`);
const continued = async (world: World, id: string): Promise<Segment> => must(await ask(world, id), 201).json as unknown as Segment;
const read = async (world: World, id: string): Promise<Segment> => (await getMeeting(world, id)) as Segment;
const post = (url: string, form: Record<string, string> = {}): Promise<Answer> =>
  visit(url, { method: 'POST', body: new URLSearchParams(form) });
const path = (url: string): string => new URL(url).pathname;

async function startWorld(engine: Parameters<typeof databaseOf>[0], policy: Record<string, unknown> = {}): Promise<World> {
  const world = await testWorld({ databaseUrl: await databaseOf(engine) });
  await setPolicy(world, { limits: { on_exceed: 'warn' }, ...policy });
  await connect(world, 'zoom', { user: BASIC });
  return world;
}

const inState = (world: World, { id }: { id: string }, state: string): Promise<Segment> =>
  eventually(`the meeting is ${state}`, async () => {
    const meeting = await read(world, id);
    return meeting.state === state && meeting;
  });

async function start(world: World, meeting: MeetingJson): Promise<void> {
  await happen(world, meeting, 'start');
  await happen(world, meeting, 'join', { name: 'Ada' });
  await inState(world, meeting, 'live');
}

async function cutOff(world: World, meeting: MeetingJson, after = LIMIT): Promise<void> {
  world.jump(after * MINUTE);
  await happen(world, meeting, 'end', { reason: 'limit' });
  await inState(world, meeting, 'ended');
  // That the limit did it is said of those who left, which may come after the end.
  await settled(world);
}

async function claims(world: World): Promise<{ key: string; meetingId: string }[]> {
  const { read: db } = world.gateway.gateway.db;
  return db.select().from(db.t.liveBookings);
}

describeOnBothDatabases('a continuation', (_open, engine) => {
  it('G14 of a meeting that the limit cut off is a new link for the minutes that are left, bought and locked at once', async () => {
    const world = await startWorld(engine);
    const attendees = [{ customer_id: 'cus_1', name: 'Ada', locale: 'de', camera_off: true }];
    const first = await boughtMeeting(world, booked(world, { attendees, recording: 'on_consent' }));
    await start(world, first);
    await cutOff(world, first);
    world.jump(MINUTE);
    const next = await continued(world, first.id);
    expect(next).toMatchObject({
      state: 'confirmed',
      continues: first.id,
      continued_by: null,
      provider: 'zoom',
      booking: { id: 'bk_1', kind: 'one_to_one', title: 'Tax consultation' },
      connection_id: first.connection_id,
      // Nine are left; no less than ten are given.
      duration_minutes: 10,
      starts_at: world.now().toISOString(),
      recording: 'on_consent',
      limit: { minutes: 40, exceeded: false },
      link: { source: 'created', locked_at: world.now().toISOString() },
      attendees: [{ customer_id: 'cus_1', state: 'purchased', camera_off: true }],
    });
    expect(next.link.provider_join_url).not.toBe(first.link.provider_join_url);
    expect(next.attendees[0]!.join_url).not.toBe(first.attendees[0]!.join_url);
    expect(next.host_url).not.toBe(first.host_url);
    expect(await read(world, first.id)).toMatchObject({ state: 'ended', continued_by: next.id, continues: null });
    // The camera wish of the customer reached the vendor as well.
    const made = (await vendorMeetings(world, 'zoom')).find(({ id }) => next.link.provider_join_url.includes(String(id)));
    expect(made).toMatchObject({ settings: { participant_video: false } });

    const joined = await post(`${next.attendees[0]!.join_url}/join`);
    expect([joined.status, location(joined)]).toEqual([303, next.link.provider_join_url]);
    expect((await post(`${next.host_url}/join`)).status).toBe(303);
    await start(world, next);
  });

  it('F10 G14 keeps its guests: nobody in it is taken for the customer after one came in by a link of the first meeting', async () => {
    const world = await startWorld(engine, { links: { shareable: true } });
    const first = await boughtMeeting(world, booked(world));
    const guest = must(await world.api('POST', `/v1/meetings/${first.id}/guests`, {}), 201).json as unknown as { url: string };
    await start(world, first);
    await cutOff(world, first);
    const next = await continued(world, first.id);
    const joined = await post(`${guest.url}/join`);
    expect(location(joined)).toBe(next.link.provider_join_url);
    await start(world, next);
    const people = await eventually('somebody is there', async () => {
      const { sessions } = must(await world.api('GET', `/v1/meetings/${next.id}/sessions`), 200).json as unknown as {
        sessions: { participants: { side: string; customer_id: string | null }[] }[];
      };
      const found = sessions.flatMap(({ participants }) => participants);
      return found.some(({ side }) => side !== 'host') && found;
    });
    expect(people.map(({ side, customer_id: id }) => [side, id])).not.toContainEqual(['customer', 'cus_1']);
  });

  it('G14 of a meeting that still runs has the booked minutes, counted from the real start where that was late', async () => {
    const world = await startWorld(engine);
    const first = await boughtMeeting(world, booked(world, { duration_minutes: 90 }));
    world.jump(7 * MINUTE);
    await start(world, first);
    world.jump(30 * MINUTE);
    const next = await continued(world, first.id);
    expect(next).toMatchObject({ state: 'confirmed', duration_minutes: 60 });
    // The vendor's old meeting ends by itself.
    expect((await read(world, first.id)).state).toBe('live');
    expect((await vendorMeetings(world, 'zoom')).length).toBe(2);
  });

  it('G14 is one, however often it is asked for: 201, then 200 with the same', async () => {
    const world = await startWorld(engine);
    const first = await boughtMeeting(world, booked(world));
    await start(world, first);
    const next = await continued(world, first.id);
    const again = must(await ask(world, first.id), 200).json as unknown as Segment;
    expect(again.id).toBe(next.id);
    await cutOff(world, first);
    expect(must(await ask(world, first.id), 200).json['id']).toBe(next.id);
    expect(await vendorMeetings(world, 'zoom')).toHaveLength(2);
  });

  it('G14 is one of 20 calls at the same moment, from the API and from the host', async () => {
    const world = await startWorld(engine);
    const first = await boughtMeeting(world, booked(world));
    await start(world, first);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => (n % 4 === 3 ? post(`${first.host_url}/continue`) : ask(world, first.id))),
    );
    const { continued_by: id } = await read(world, first.id);
    const [api, clicks] = [answers.filter((_, n) => n % 4 !== 3), answers.filter((_, n) => n % 4 === 3)];
    expect(new Set(api.map(({ json }) => json['id']))).toEqual(new Set([id]));
    expect(answers.filter(({ status }) => status === 201).length).toBeLessThanOrEqual(1);
    expect(api.filter(({ status }) => status !== 201).map(({ status }) => status)).not.toContain(409);
    const next = await read(world, id!);
    expect(new Set(clicks.map((answer) => `${answer.status} ${location(answer)}`))).toEqual(new Set([`303 ${path(next.host_url)}`]));
    expect(await vendorMeetings(world, 'zoom')).toHaveLength(2);
    await settled(world);
    for (const type of ['meeting.continued', 'meeting.created'])
      expect(world.receiver.events.filter((event) => event.type === type)).toHaveLength(type === 'meeting.created' ? 2 : 1);
    expect(await claims(world)).toEqual([expect.objectContaining({ meetingId: id })]);
  });

  it('G14 may be continued in turn, as often as the booking lasts', async () => {
    const world = await startWorld(engine);
    const first = await boughtMeeting(world, booked(world, { duration_minutes: 150 }));
    await start(world, first);
    await cutOff(world, first);
    const second = await continued(world, first.id);
    expect(second.duration_minutes).toBe(110);
    await start(world, second);
    await cutOff(world, second);
    const third = await continued(world, second.id);
    expect(third).toMatchObject({ duration_minutes: 70, continues: second.id, state: 'confirmed' });
    expect(await read(world, second.id)).toMatchObject({ continues: first.id, continued_by: third.id });
    const links = [first, second, third].map(({ link }) => link.provider_join_url);
    expect(new Set(links).size).toBe(3);
    // The oldest link leads on, step by step.
    const customer = first.attendees[0]!.join_url;
    expect(await leadsTo(customer)).toBe(second.attendees[0]!.join_url);
    expect(await leadsTo(second.attendees[0]!.join_url)).toBe(third.attendees[0]!.join_url);
    expect(await leadsTo(third.attendees[0]!.join_url)).toBeUndefined();
  });

  it("G14 moves both sides' pages: each old link leads to the same person's new one and to nobody else's", async () => {
    const world = await startWorld(engine);
    const first = await boughtMeeting(
      world,
      booked(world, {
        booking: { id: 'bk_g', kind: 'private_group', title: 'Course' },
        attendees: [{ customer_id: 'a' }, { customer_id: 'b' }],
      }),
    );
    await start(world, first);
    const before = await visit(first.host_url);
    expect(before.text).toContain('/continue"');
    const next = await continued(world, first.id);
    for (const { customer_id: customer, join_url: old } of first.attendees) {
      const own = next.attendees.find((one) => one.customer_id === customer)!.join_url;
      expect(await leadsTo(old)).toBe(own);
      const expected = path(own);
      expect(location(await post(`${old}/join`))).toBe(expected);
      expect(location(await post(`${old}/wishes`, { camera_off: 'yes' }))).toBe(expected);
      const looked = await visit(old);
      expect([looked.headers.get('cache-control'), looked.headers.get('referrer-policy')]).toEqual(['no-store', 'no-referrer']);
    }
    expect(await leadsTo(first.host_url)).toBe(next.host_url);
    expect(location(await post(`${first.host_url}/join`))).toBe(path(next.host_url));
  });

  it('G14 is told by meeting.continued with the new links, which are kept sealed, and by meeting.created', async () => {
    const world = await startWorld(engine);
    const first = await boughtMeeting(world, booked(world));
    await start(world, first);
    const next = await continued(world, first.id);
    const told = await world.receiver.waitFor('continued', ({ type }) => type === 'meeting.continued');
    expect(told.data).toEqual({
      sequence: expect.any(Number) as number,
      meeting_id: first.id,
      booking_id: 'bk_1',
      professional_id: 'pro_1',
      provider: 'zoom',
      state: 'live',
      continued_by: next.id,
      duration_minutes: 50,
      host_url: next.host_url,
      attendees: [{ customer_id: 'cus_1', join_url: next.attendees[0]!.join_url }],
    });
    const created = await world.receiver.waitFor(
      'created',
      ({ type, data }) => type === 'meeting.created' && data['meeting_id'] === next.id,
    );
    expect(created.data['state']).toBe('confirmed');
    const stored = await everythingStored(world);
    for (const url of [next.host_url, next.attendees[0]!.join_url]) expect(stored).not.toContain(url.split('/').at(-1));
  });

  it('G14 carries consents over where customers are asked, and one decision holds for the whole booking', async () => {
    const world = await startWorld(engine);
    const attendees = [{ customer_id: 'yes' }, { customer_id: 'no' }, { customer_id: 'silent' }];
    const booking = { id: 'bk_g', kind: 'private_group', title: 'Course' };
    const first = await boughtMeeting(world, booked(world, { booking, attendees, recording: 'on_consent' }));
    const decide = (id: string, customer: string, decision: string) =>
      world.api('PUT', `/v1/meetings/${id}/attendees/${customer}/recording-consent`, { decision, locale: 'en', text_version: 't-1' });
    must(await decide(first.id, 'yes', 'granted'), 200);
    must(await decide(first.id, 'no', 'refused'), 200);
    await start(world, first);
    const next = await continued(world, first.id);
    const consents = async (id: string) =>
      Object.fromEntries((await read(world, id)).attendees.map((one) => [one.customer_id, one.recording_consent]));
    expect(await consents(next.id)).toEqual({ yes: 'granted', no: 'refused', silent: 'missing' });
    must(await decide(next.id, 'yes', 'refused'), 200);
    must(await decide(first.id, 'silent', 'granted'), 200);
    for (const { id } of [first, next]) expect(await consents(id)).toEqual({ yes: 'refused', no: 'refused', silent: 'granted' });
  });

  it('G14 asks anew where joining is what counts as consent', async () => {
    const world = await startWorld(engine, { recording: { one_to_one: { modes: ['always'], consent: 'implied' } } });
    const first = await boughtMeeting(world, booked(world, { recording: 'always' }));
    await start(world, first);
    await post(`${first.attendees[0]!.join_url}/join`);
    expect((await read(world, first.id)).attendees[0]!.recording_consent).toBe('granted');
    const next = await continued(world, first.id);
    expect(next.attendees[0]!.recording_consent).toBe('missing');
    await post(`${next.attendees[0]!.join_url}/join`);
    expect((await read(world, next.id)).attendees[0]!.recording_consent).toBe('granted');
  });

  it('G14 is bought by nobody again; who has not bought yet buys the continuation', async () => {
    const world = await startWorld(engine);
    const booking = { id: 'bk_g', kind: 'private_group', title: 'Course' };
    const first = await createMeeting(world, booked(world, { booking, attendees: [{ customer_id: 'a' }, { customer_id: 'late' }] }));
    const buy = (id: string, customer: string) => world.api('POST', `/v1/meetings/${id}/purchases`, { customer_id: customer });
    must(await buy(first.id, 'a'), 201);
    await start(world, first);
    const next = await continued(world, first.id);
    expect(Object.fromEntries(next.attendees.map((one) => [one.customer_id, one.state]))).toEqual({
      a: 'purchased',
      late: 'awaiting_purchase',
    });
    must(await buy(next.id, 'a'), 200);
    expect(await buy(first.id, 'late')).toMatchObject({ status: 409, json: { code: 'conflict', continued_by: next.id } });
    must(await buy(next.id, 'late'), 201);
  });

  it('G14 holds the booking from then on: no other meeting is made for it before or after the first one has ended', async () => {
    const world = await startWorld(engine);
    const first = await boughtMeeting(world, booked(world));
    await start(world, first);
    const next = await continued(world, first.id);
    const other = () => world.api('POST', '/v1/meetings', meetingBody(world, booked(world)));
    expect(await other()).toMatchObject({ status: 409, json: { code: 'meeting_exists', meeting_id: next.id } });
    await cutOff(world, first);
    expect(await other()).toMatchObject({ status: 409, json: { code: 'meeting_exists', meeting_id: next.id } });
    // And the other way round: a booking that has a new meeting already is not continued.
    await start(world, next);
    await cutOff(world, next);
    const made = await createMeeting(world, booked(world));
    expect(await ask(world, next.id)).toMatchObject({ status: 409, json: { code: 'meeting_exists', meeting_id: made.id } });
    expect((await read(world, next.id)).continued_by).toBeNull();
  });

  it('G14 of a meeting of a package holds its place in it; the package keeps the meetings that were sold', async () => {
    const world = await startWorld(engine);
    const { starts_at: _starts, duration_minutes: _minutes, ...common } = meetingBody(world, { provider: 'zoom' });
    const lesson = (days: number) => ({
      starts_at: new Date(world.now().getTime() + days * 24 * 60 * MINUTE).toISOString(),
      duration_minutes: 50,
    });
    const made = must(await world.api('POST', '/v1/packages', { ...common, meetings: [1, 0, 2].map(lesson) }), 201).json;
    must(await world.api('POST', `/v1/packages/${String(made['id'])}/purchases`, { customer_id: 'cus_1' }), 201);
    const second = (made['meetings'] as Segment[])[1]!;
    await start(world, second);
    const before = (await claims(world)).map(({ key }) => key).toSorted();
    await cutOff(world, second);
    const next = await continued(world, second.id);
    await start(world, next);
    await cutOff(world, next);
    const last = await continued(world, next.id);
    const held = await claims(world);
    expect(held.map(({ key }) => key).toSorted()).toEqual(before);
    expect(held.find(({ meetingId }) => meetingId === last.id)?.key).toBe(JSON.stringify([world.marketplaceId, 'bk_1', 'cus_1', 1]));
    const shown = must(await world.api('GET', `/v1/packages/${String(made['id'])}`), 200).json['meetings'] as Segment[];
    expect(shown.map(({ continued_by }) => continued_by)).toEqual([null, next.id, null]);
  });

  it('G14 F04 takes another host of the platform while there is one, else the one that moves on with everybody', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine), policy: 'fiverr' });
    const only = await addPlatformHost(world);
    const first = await boughtMeeting(world, booked(world, { recording: 'always' }));
    await start(world, first);
    const next = await continued(world, first.id);
    expect(next.connection_id).toBe(only.id);
    const { read: db } = world.gateway.gateway.db;
    const slots = async () => (await db.select().from(db.t.hostSlots)).map(({ meetingId, connectionId }) => [meetingId, connectionId]);
    expect(await slots()).toEqual([[next.id, only.id]]);
    await happen(world, first, 'end');
    await inState(world, first, 'ended');
    await start(world, next);

    const user = { vendor: 'zoom', email: 'second@zoom.sandbox.example', name: 'second', account_id: 'sandbox-account' };
    must(await visit(`${world.sandbox.url}/control/users`, { method: 'POST', body: JSON.stringify(user) }), 201);
    const second = await addPlatformHost(world, user.email);
    const last = await continued(world, next.id);
    expect(last.connection_id).toBe(second.id);
    expect(Object.fromEntries(await slots())).toEqual({ [next.id]: only.id, [last.id]: second.id });
  });

  it('G14 of an event: the places that are sold after it are places of the continuation', async () => {
    const world = await startWorld(engine);
    const first = await createMeeting(world, booked(world, { booking: { id: 'ev', kind: 'event', title: 'Talk' }, attendees: [] }));
    const buy = (id: string, customer: string) => world.api('POST', `/v1/meetings/${id}/purchases`, { customer_id: customer });
    must(await buy(first.id, 'a'), 201);
    await start(world, first);
    const next = await continued(world, first.id);
    expect(next.purchase_by).toBe(new Date(Date.parse(next.starts_at) + next.duration_minutes * MINUTE).toISOString());
    expect(await buy(first.id, 'b')).toMatchObject({ status: 409, json: { continued_by: next.id } });
    must(await buy(next.id, 'b'), 201);
    expect((await read(world, next.id)).attendees.map(({ customer_id: id }) => id).toSorted()).toEqual(['a', 'b']);
  });

  it('G14 waits for a vendor that is not reachable: link_pending at once, and the pages say so until the link is there', async () => {
    const world = await startWorld(engine);
    const first = await boughtMeeting(world, booked(world));
    await start(world, first);
    await settled(world);
    fault(world, 'zoom', 'POST', '/meetings$', { status: 503 }, 50);
    const next = await continued(world, first.id);
    expect(next).toMatchObject({ state: 'link_pending', link: { provider_join_url: null }, attendees: [{ state: 'purchased' }] });
    expect((await read(world, first.id)).continued_by).toBe(next.id);
    expect((await visit(first.attendees[0]!.join_url)).status).toBe(200);
    expect((await visit(next.attendees[0]!.join_url)).status).toBe(200);
    await world.receiver.waitFor('continued', ({ type }) => type === 'meeting.continued');

    world.sandbox.sandbox.traffic.reset();
    world.jump(2 * MINUTE);
    const ready = await inState(world, next, 'confirmed');
    expect(await leadsTo(first.attendees[0]!.join_url)).toBe(ready.attendees[0]!.join_url);
    expect(location(await post(`${first.attendees[0]!.join_url}/join`))).toBe(path(ready.attendees[0]!.join_url));
    await world.receiver.waitFor('ready', ({ type, data }) => type === 'meeting.link_ready' && data['meeting_id'] === next.id);
    await settled(world);
    expect(world.receiver.events.filter(({ type }) => type === 'meeting.continued')).toHaveLength(1);
  });

  it('G14 that the vendor refuses is taken back as a whole: the meeting holds its booking again, and the next try counts', async () => {
    const world = await startWorld(engine);
    const first = await boughtMeeting(world, booked(world));
    await start(world, first);
    const before = await claims(world);
    fault(world, 'zoom', 'POST', '/meetings$', { status: 400, body: { code: 300, message: 'no' } });
    expect(await ask(world, first.id)).toMatchObject({ status: 422, json: { code: 'vendor_refused' } });
    expect((await read(world, first.id)).continued_by).toBeNull();
    expect(await claims(world)).toEqual(before);
    expect(world.receiver.events.map(({ type }) => type)).not.toContain('meeting.continued');
    expect((await continued(world, first.id)).state).toBe('confirmed');
  });

  it('G14 whose link never comes ends with the time of the booking', async () => {
    const world = await startWorld(engine);
    const first = await boughtMeeting(world, booked(world));
    await start(world, first);
    await settled(world);
    fault(world, 'zoom', 'POST', '/meetings$', { status: 503 }, 500);
    const next = await continued(world, first.id);
    world.jump(111 * MINUTE);
    await inState(world, next, 'cancelled');
    await settled(world);
    expect((await claims(world)).filter(({ meetingId }) => meetingId === next.id)).toEqual([]);
    expect((await read(world, first.id)).continued_by).toBeNull();
  });

  it('G14 that is cancelled gives the booking back, and a later one is told with its own links', async () => {
    const world = await startWorld(engine);
    const first = await boughtMeeting(world, booked(world));
    await start(world, first);
    const before = await claims(world);
    const called = await continued(world, first.id);
    must(await world.api('POST', `/v1/meetings/${called.id}/cancel`), 200);
    expect((await read(world, first.id)).continued_by).toBeNull();
    expect(await claims(world)).toEqual(before);
    expect(await leadsTo(first.attendees[0]!.join_url)).toBeUndefined();

    const next = await continued(world, first.id);
    expect(next.id).not.toBe(called.id);
    await settled(world);
    const told = world.receiver.events.filter(({ type }) => type === 'meeting.continued');
    expect(told.map(({ data }) => data['continued_by'])).toEqual([called.id, next.id]);
    expect(told[1]!.data['host_url']).toBe(next.host_url);
    expect(await leadsTo(first.attendees[0]!.join_url)).toBe(next.attendees[0]!.join_url);

    // Of a meeting that is over there is nothing to hold any more; it may go on all the same.
    await cutOff(world, first);
    must(await world.api('POST', `/v1/meetings/${next.id}/cancel`), 200);
    expect(await claims(world)).toEqual([]);
    const last = await continued(world, first.id);
    expect(await read(world, first.id)).toMatchObject({ state: 'ended', continued_by: last.id });
  });

  it('G14 F04 that is cancelled gives the host of the platform back', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine), policy: 'fiverr' });
    const only = await addPlatformHost(world);
    const first = await boughtMeeting(world, booked(world, { recording: 'always' }));
    await start(world, first);
    const next = await continued(world, first.id);
    must(await world.api('POST', `/v1/meetings/${next.id}/cancel`), 200);
    const { read: db } = world.gateway.gateway.db;
    const slots = await db.select().from(db.t.hostSlots);
    expect(slots.map(({ meetingId, connectionId }) => [meetingId, connectionId])).toEqual([[first.id, only.id]]);
  });

  it('G14 whose link the vendor refuses for good, while it waits, is cancelled and makes way for another one', async () => {
    const world = await startWorld(engine);
    const first = await boughtMeeting(world, booked(world));
    await start(world, first);
    await settled(world);
    fault(world, 'zoom', 'POST', '/meetings$', { status: 503 }, 50);
    const waiting = await continued(world, first.id);
    expect(waiting.state).toBe('link_pending');
    world.sandbox.sandbox.traffic.reset();
    fault(world, 'zoom', 'POST', '/meetings$', { status: 400, body: { code: 200, message: 'no' } }, 5);
    world.jump(2 * MINUTE);
    await inState(world, waiting, 'cancelled');
    expect((await read(world, first.id)).continued_by).toBeNull();
    world.sandbox.sandbox.traffic.reset();
    expect((await continued(world, first.id)).state).toBe('confirmed');
  });

  it('G14 is named when somebody changes the earlier meeting, which stays as it is', async () => {
    const world = await startWorld(engine);
    const first = await boughtMeeting(world, booked(world));
    await start(world, first);
    const next = await continued(world, first.id);
    expect(await world.api('PATCH', `/v1/meetings/${first.id}`, { title: 'Second half' })).toMatchObject({
      status: 409,
      json: { code: 'conflict', continued_by: next.id },
    });
    expect((await read(world, first.id)).booking.title).toBe('Tax consultation');
  });

  it('G14 hears the wishes that a customer still sends to the earlier meeting; what was wished later stays there', async () => {
    const world = await startWorld(engine);
    const first = await boughtMeeting(world, booked(world));
    await start(world, first);
    const next = await continued(world, first.id);
    const wish = (id: string, wishes: Record<string, unknown>) => world.api('PUT', `/v1/meetings/${id}/attendees/cus_1`, wishes);
    const wished = async (id: string) => (await read(world, id)).attendees.map(({ camera_off, locale }) => [camera_off, locale]);
    must(await wish(first.id, { camera_off: true, locale: 'de' }), 200);
    for (const { id } of [first, next]) expect(await wished(id)).toEqual([[true, 'de']]);
    must(await wish(next.id, { camera_off: false }), 200);
    expect([await wished(first.id), await wished(next.id)]).toEqual([[[true, 'de']], [[false, 'de']]]);
  });
});

describeOnBothDatabases('what is not continued', (_open, engine) => {
  const refused = async (world: World, id: string, reason: string): Promise<void> => {
    expect(await ask(world, id)).toMatchObject({ status: 409, json: { code: 'conflict', reason } });
    expect((await read(world, id)).continued_by).toBeNull();
  };

  it('G14 a meeting that nobody bought, that has not started, that ended as planned, that is expired or cancelled', async () => {
    const world = await startWorld(engine);
    const booking = (id: string) => ({ booking: { id, kind: 'one_to_one', title: 'Call' } });
    const unsold = await createMeeting(world, booked(world, booking('a')));
    await refused(world, unsold.id, 'not_bought');
    const waiting = await boughtMeeting(world, booked(world, booking('b')));
    await refused(world, waiting.id, 'not_started');
    await start(world, waiting);
    world.jump(20 * MINUTE);
    await happen(world, waiting, 'end');
    await inState(world, waiting, 'ended');
    await refused(world, waiting.id, 'ended');
    const called = await boughtMeeting(world, booked(world, booking('c')));
    must(await world.api('POST', `/v1/meetings/${called.id}/cancel`), 200);
    await refused(world, called.id, 'cancelled');
    world.jump(48 * 60 * MINUTE);
    await inState(world, unsold, 'expired');
    await refused(world, unsold.id, 'expired');
    expect(await ask(world, 'mtg_nothing')).toMatchObject({ status: 404 });
  });

  it('G14 a meeting whose time is over: the window of the policy holds for the continuation as well', async () => {
    const world = await startWorld(engine);
    const first = await boughtMeeting(world, booked(world));
    await start(world, first);
    await cutOff(world, first);
    world.jump(70 * MINUTE - 1);
    await setPolicy(world, { limits: { on_exceed: 'warn' }, join: { closes_minutes_after: 59 } });
    await refused(world, first.id, 'window_over');
    await setPolicy(world, { limits: { on_exceed: 'warn' } });
    expect((await continued(world, first.id)).duration_minutes).toBe(10);
  });

  it('G14 a link that was made elsewhere: there is no account to make another one with', async () => {
    const world = await startWorld(engine);
    const uploaded = await boughtMeeting(world, booked(world, { provider: 'auto', join_url: 'https://zoom.us/j/81234567890' }));
    const answer = await ask(world, uploaded.id);
    expect(answer).toMatchObject({ status: 422, json: { code: 'not_capable' } });
    expect(answer.json['detail']).toContain('no account');
    expect((await visit(uploaded.host_url)).text).not.toContain('/continue"');
  });

  it('G14 a meeting of another marketplace', async () => {
    const world = await startWorld(engine);
    const first = await boughtMeeting(world, booked(world));
    await start(world, first);
    const stranger = await otherMarketplace(world);
    expect(await stranger.api('POST', `/v1/meetings/${first.id}/continuation`)).toMatchObject({ status: 404 });
  });

  it('G14 an app that the marketplace has withdrawn, an account that was disconnected', async () => {
    const world = await startWorld(engine);
    const first = await boughtMeeting(world, booked(world));
    await start(world, first);
    await setPolicy(world, { approved_apps: ['google-meet'], limits: { on_exceed: 'warn' } });
    expect(await ask(world, first.id)).toMatchObject({ status: 422, json: { code: 'app_not_approved' } });
    await setPolicy(world, { limits: { on_exceed: 'warn' } });
    must(
      await visit(`${world.sandbox.url}/control/remove-app`, { method: 'POST', body: JSON.stringify({ vendor: 'zoom', user: BASIC }) }),
      200,
    );
    await settled(world);
    expect(await ask(world, first.id)).toMatchObject({ status: 422, json: { code: 'not_connected' } });
    expect((await read(world, first.id)).continued_by).toBeNull();
  });
});

describeOnBothDatabases('the limit of a continuation', (_open, engine) => {
  it.each(['reject', 'choose_other'])('G14 only warns, in the same app, also where the policy says %s', async (onExceed) => {
    const world = await startWorld(engine);
    await connect(world, 'google-meet');
    const first = await boughtMeeting(world, booked(world, { duration_minutes: 90 }));
    await start(world, first);
    await setPolicy(world, { limits: { on_exceed: onExceed } });
    expect(await continued(world, first.id)).toMatchObject({
      provider: 'zoom',
      connection_id: first.connection_id,
      duration_minutes: 90,
      limit: { minutes: 40, exceeded: true },
    });
  });
});

describeOnBothDatabases("the host's one click", (_open, engine) => {
  it('G14 works without JavaScript: the form of the host page leads to the new host page', async () => {
    const world = await startWorld(engine);
    const first = await boughtMeeting(world, booked(world));
    const { pathname } = new URL(first.host_url);
    const offered = async () => (await visit(first.host_url)).text.includes(`<form method="post" action="${pathname}/continue">`);
    expect(await offered()).toBe(false);
    await start(world, first);
    expect(await offered()).toBe(true);
    await cutOff(world, first);
    expect(await offered()).toBe(true);
    const clicked = await post(`${first.host_url}/continue`);
    const next = await read(world, (await read(world, first.id)).continued_by!);
    expect([clicked.status, location(clicked)]).toEqual([303, path(next.host_url)]);
    const page = await visit(next.host_url);
    expect([page.status, page.text.includes('/continue"')]).toEqual([200, false]);
    // A second click, or the page loaded again.
    expect(location(await post(`${first.host_url}/continue`))).toBe(path(next.host_url));
  });

  it("G14 is nobody else's: forms of other sites, unknown links and meetings that are not continued", async () => {
    const world = await startWorld(engine);
    const first = await boughtMeeting(world, booked(world));
    expect((await post(`${first.host_url}/continue`)).status).toBe(409);
    await start(world, first);
    const foreign = await visit(`${first.host_url}/continue`, { method: 'POST', headers: { 'sec-fetch-site': 'cross-site' } });
    expect(foreign.status).toBe(403);
    expect((await post(`${world.publicUrl}/h/nobody/continue`)).status).toBe(404);
    expect((await visit(`${first.host_url}/continue`)).status).toBe(404);
    expect((await read(world, first.id)).continued_by).toBeNull();
  });
});

describe('the clock', () => {
  it('G14 knows a cut-off by the plan where the vendor gives no reason', async () => {
    const world = await testWorld();
    await setPolicy(world, { limits: { on_exceed: 'warn' } });
    await connect(world, 'google-meet', { user: 'ben@gmail.sandbox.example' });
    const first = await boughtMeeting(world, booked(world, { provider: 'google-meet', duration_minutes: 90 }));
    await start(world, first);
    world.jump(60 * MINUTE);
    await happen(world, first, 'end');
    await inState(world, first, 'ended');
    expect(await continued(world, first.id)).toMatchObject({ state: 'confirmed', provider: 'google-meet' });
  });

  it('G14 does not overrule a vendor that gives reasons: a host who ends at the minute of the limit has ended', async () => {
    const world = await testWorld();
    await setPolicy(world, { limits: { on_exceed: 'warn' } });
    await connect(world, 'zoom', { user: BASIC });
    const first = await boughtMeeting(world, booked(world));
    await start(world, first);
    world.jump(LIMIT * MINUTE);
    await happen(world, first, 'end', { reason: 'host' });
    await inState(world, first, 'ended');
    expect(await ask(world, first.id)).toMatchObject({ status: 409, json: { reason: 'ended' } });
  });
});

/** Where an old page moves to by itself; undefined when it stays. */
async function leadsTo(url: string): Promise<string | undefined> {
  const page = await visit(url);
  expect(page.status).toBe(200);
  return /data-move="([^"]+)"/.exec(page.text)?.[1];
}
