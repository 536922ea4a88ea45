/** Consent decides who may see a recording: before, while and after the meeting, and as long as the recording is kept. */
import { createHmac } from 'node:crypto';
import { decodeJwt } from 'jose';
import { expect, it } from 'vitest';
import { location, visit, type Answer } from '../../demo/clients.ts';
import type { World, WorldOptions } from '../../demo/world.ts';
import { describeOnBothDatabases, raw } from '../support/databases.ts';
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
  setPolicy,
  settled,
  VENDORS,
  vendorState,
  type MeetingJson,
} from '../support/gateway.ts';
import { noteRecovered, noteRemoved } from '../../src/recordings/vendor-news.ts';
import { deliveryBody } from '../../src/events/deliver.ts';
import { findOwnEvent } from '../../src/store/events.ts';
import { findMeeting, markPurchased } from '../../src/store/meetings.ts';
import { addPlatformHost, connect, testWorld, type Vendor } from '../support/world.ts';

interface RecordingJson {
  readonly id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly files: readonly unknown[];
  readonly published_at: string | null;
  readonly expires_at: string | null;
  readonly ready_at: string | null;
  readonly links: readonly { customer_id: string; url: string | null; revoked_at: string | null }[];
}

const GROUP = { booking: { id: 'g', kind: 'private_group', title: 'Group' }, attendees: [{ customer_id: 'a' }, { customer_id: 'b' }] };
const EVENT = { booking: { id: 'e', kind: 'event', title: 'Talk' }, attendees: [{ customer_id: 'a' }], recording: 'always' };

const recordingsOf = async ({ api }: World, meetingId: string): Promise<RecordingJson[]> =>
  must(await api('GET', `/v1/meetings/${meetingId}/recordings`), 200).json['data'] as RecordingJson[];
const recordingOf = async (world: World, { id }: Pick<MeetingJson, 'id'>): Promise<RecordingJson> => (await recordingsOf(world, id))[0]!;
const again = async ({ api }: World, { id }: RecordingJson): Promise<RecordingJson> =>
  must(await api('GET', `/v1/recordings/${id}`), 200).json as unknown as RecordingJson;
const publish = ({ api }: World, { id }: RecordingJson): Promise<Answer> => api('POST', `/v1/recordings/${id}/publish`);
const decide = async ({ api }: World, meetingId: string, decision: 'granted' | 'refused', customer = 'cus_1'): Promise<Answer> =>
  must(
    await api('PUT', `/v1/meetings/${meetingId}/attendees/${customer}/recording-consent`, { decision, locale: 'en', text_version: 'v1' }),
    200,
  );
const buy = async ({ api }: World, { id }: MeetingJson, customer: string): Promise<Answer> =>
  must(await api('POST', `/v1/meetings/${id}/purchases`, { customer_id: customer }), 201);
const told = ({ receiver }: World, type: string) => receiver.events.filter((event) => event.type === type);
const statuses = async (link: string): Promise<number[]> => [(await visit(link)).status, (await visit(`${link}/media`)).status];
const inDays = ({ now }: World, days: number): string => new Date(now().getTime() + days * DAY).toISOString();

/** Everybody who is named when it is booked has bought. */
async function booked(world: World, vendor: Vendor = 'zoom', changes: Readonly<Record<string, unknown>> = {}): Promise<MeetingJson> {
  await connect(world, vendor);
  await settled(world);
  return boughtMeeting(world, { provider: vendor, recording: 'on_consent', ...changes });
}

/** Once more when a vendor's meeting was held before. */
async function held(world: World, meeting: MeetingJson): Promise<void> {
  for (const happening of ['start', 'end', 'finish-recording']) await happen(world, meeting, happening);
  await settled(world);
}

async function published(world: World, changes: Readonly<Record<string, unknown>> = {}) {
  const meeting = await booked(world, 'zoom', changes);
  for (const { customer_id } of meeting.attendees) await decide(world, meeting.id, 'granted', customer_id);
  await held(world, meeting);
  const recording = await recordingOf(world, meeting);
  expect(recording.state).toBe('published');
  return { meeting, recording, link: recording.links[0]!.url! };
}

/** What the vendor would do now. */
async function vendorRecords(world: World, vendor: Vendor): Promise<boolean> {
  const { meetings = [], spaces = [] } = await vendorState(world, vendor);
  if (vendor === 'zoom') return (meetings[0]!['settings'] as Record<string, unknown>)['auto_recording'] === 'cloud';
  if (vendor === 'microsoft-teams') return JSON.stringify(meetings[0]).includes('"recordAutomatically":true');
  return JSON.stringify(spaces[0]).includes('"autoRecordingGeneration":"ON"');
}

/** Zoom's news of a recording, as of `at`. */
async function zoomSays(world: World, { link }: MeetingJson, event: string, uuid: unknown, at = world.now()): Promise<void> {
  const id = Number(new URL(link.provider_join_url).pathname.split('/').at(-1));
  const body = JSON.stringify({
    event,
    event_ts: at.getTime(),
    payload: { account_id: 'adaAccountSandbox12345', object: { id, uuid, host_id: 'x' } },
  });
  const timestamp = String(Math.floor(world.now().getTime() / 1_000));
  const signature = createHmac('sha256', world.zoomWebhookSecret).update(`v0:${timestamp}:${body}`).digest('hex');
  const headers = { 'content-type': 'application/json', 'x-zm-request-timestamp': timestamp, 'x-zm-signature': `v0=${signature}` };
  must(await visit(`${world.publicUrl}/webhooks/zoom`, { method: 'POST', headers, body }), 200);
  await settledFeed(world);
}

/** Until every delivery of the vendor is applied. */
const settledFeed = ({ gateway }: World): Promise<true> =>
  eventually('the deliveries are applied', async () => {
    const { read } = gateway.gateway.db;
    return (await read.select().from(read.t.inbox)).every(({ state }) => state !== 'pending');
  });

const uuidOf = async (world: World): Promise<unknown> => (await vendorState(world, 'zoom')).recordings![0]!['uuid'];

describeOnBothDatabases('the consent to a recording', (_open, engine) => {
  const start = async (options: Partial<WorldOptions> = {}): Promise<World> =>
    testWorld({ databaseUrl: await databaseOf(engine), ...options });

  it('case 111: G12 G15 a no takes a published recording back at once; a yes and a request show it again, and its days go on', async () => {
    const world = await start();
    const { meeting, recording, link } = await published(world);
    expect(recording).toMatchObject({ expires_at: inDays(world, 14) });
    world.jump(5 * DAY);
    expect(await statuses(link)).toEqual([200, 200]);

    await decide(world, meeting.id, 'refused');
    expect(await statuses(link)).toEqual([410, 410]);
    await settled(world);
    expect(told(world, 'recording.withheld').map(({ data }) => data)).toMatchObject([
      { recording_id: recording.id, reason: 'consent_withdrawn', expires_at: recording.expires_at },
    ]);
    expect(await recordingOf(world, meeting)).toMatchObject({
      state: 'withheld',
      reason: 'consent_withdrawn',
      links: [{ revoked_at: null }],
    });
    expect(await publish(world, recording)).toMatchObject({ status: 409, json: { code: 'consent_missing' } });

    world.jump(4 * DAY);
    await decide(world, meeting.id, 'granted');
    await settled(world);
    expect(await statuses(link), 'nothing is published by itself').toEqual([410, 410]);
    expect(must(await publish(world, recording), 200).json).toMatchObject({
      state: 'published',
      reason: null,
      published_at: recording.published_at,
      expires_at: recording.expires_at,
      links: [{ url: link }],
    });
    expect(await statuses(link)).toEqual([200, 200]);
    await decide(world, meeting.id, 'refused');
    await settled(world);
    expect([told(world, 'recording.published').length, told(world, 'recording.withheld').length]).toEqual([2, 2]);
    await decide(world, meeting.id, 'granted');
    must(await publish(world, recording), 200);

    world.jump(5 * DAY);
    expect(await statuses(link)).toEqual([410, 410]);
    await settled(world);
    expect(told(world, 'recording.expired')).toHaveLength(1);
  });

  it('G12 of one customer of a group hides it from the others as well, and everybody’s link is the same afterwards', async () => {
    const world = await start();
    const { meeting, recording } = await published(world, GROUP);
    const urls = recording.links.map(({ url }) => url!);
    await decide(world, meeting.id, 'refused', 'b');
    for (const url of urls) expect(await statuses(url)).toEqual([410, 410]);
    await decide(world, meeting.id, 'granted', 'b');
    expect((must(await publish(world, recording), 200).json as unknown as RecordingJson).links.map(({ url }) => url)).toEqual(urls);
    for (const url of urls) expect((await visit(url)).status).toBe(200);
  });

  it('G17 a link that was taken back alone stays taken back when the recording is shown again', async () => {
    const world = await start();
    const { meeting, recording } = await published(world, GROUP);
    must(await world.api('POST', `/v1/recordings/${recording.id}/revoke`, { customer_id: 'a' }), 200);
    world.jump(MINUTE);
    await decide(world, meeting.id, 'refused', 'b');
    await decide(world, meeting.id, 'granted', 'b');
    const { links } = must(await publish(world, recording), 200).json as unknown as RecordingJson;
    expect(links.map(({ customer_id, revoked_at }) => `${customer_id} ${revoked_at === null ? 'open' : 'closed'}`).toSorted()).toEqual([
      'a closed',
      'b open',
    ]);
  });

  it('G17 who is taken out before the publication gets no link, then and after a recovery; the others do', async () => {
    const world = await start();
    const meeting = await booked(world, 'zoom', GROUP);
    await decide(world, meeting.id, 'granted', 'a');
    await held(world, meeting);
    const withheld = await recordingOf(world, meeting);
    expect(withheld.state).toBe('withheld');
    const revoke = (customer: string) => world.api('POST', `/v1/recordings/${withheld.id}/revoke`, { customer_id: customer });
    expect((await revoke('nobody')).status).toBe(404);
    expect(must(await revoke('a'), 200).json).toMatchObject({
      state: 'withheld',
      links: [{ customer_id: 'a', url: null, revoked_at: world.now().toISOString() }],
    });
    must(await revoke('a'), 200);
    await decide(world, meeting.id, 'granted', 'b');
    const open = ({ links }: RecordingJson) => links.filter(({ revoked_at }) => revoked_at === null).map(({ customer_id }) => customer_id);
    expect(open(must(await publish(world, withheld), 200).json as unknown as RecordingJson)).toEqual(['b']);
    await settled(world);
    expect(told(world, 'recording.revoked').map(({ data }) => data['customer_id'])).toEqual(['a']);

    const { gateway } = world.gateway;
    const recordingId = String(await uuidOf(world));
    await gateway.db.write(async (tx) => {
      const row = (await findMeeting(tx, meeting.id))!;
      await noteRemoved(tx, gateway, row, { recordingId, fileIds: null, at: new Date(world.now().getTime() + 1) });
      await noteRecovered(tx, gateway, row, { recordingId, fileIds: null, at: new Date(world.now().getTime() + 2) });
    });
    gateway.wake();
    await settled(world);
    expect(open(must(await publish(world, withheld), 200).json as unknown as RecordingJson)).toEqual(['b']);
  });

  it('G17 the link of one customer that was taken back is nowhere to be read, and who took it back is in the audit log', async () => {
    const world = await start();
    const { recording } = await published(world, GROUP);
    await settled(world);
    const urlOf = (customer: string) => recording.links.find(({ customer_id }) => customer_id === customer)!.url!;
    const events = async () => must(await world.api('GET', '/v1/events?type=recording.published'), 200);
    expect((await events()).text).toContain(urlOf('a'));
    must(await world.api('POST', `/v1/recordings/${recording.id}/revoke`, { customer_id: 'a' }), 200);
    const after = await events();
    expect([after.text.includes(urlOf('a')), after.text.includes(urlOf('b'))]).toEqual([false, true]);
    const [event] = after.json['data'] as { id: string }[];
    const { read } = world.gateway.gateway.db;
    // What a redelivery would send.
    const stored = (await findOwnEvent(read, world.marketplaceId, event!.id))!;
    expect(deliveryBody(world.gateway.gateway, stored)).toMatchObject({
      data: { links: [{ customer_id: 'b', url: urlOf('b') }] },
    });
    const entries = (await read.select().from(read.t.audit)).filter(({ action }) => action === 'recording.link_revoked');
    expect(entries).toMatchObject([
      {
        subjectId: recording.id,
        details: { customer_id: 'a', link_id: expect.stringMatching(/^rcl_/), by: expect.stringMatching(/^key_/) },
      },
    ]);
  });

  it('G12 the consent that makes a withheld recording publishable is told, each time that it turns', async () => {
    const world = await start();
    const meeting = await booked(world, 'zoom', GROUP);
    await held(world, meeting);
    const { id, expires_at } = await recordingOf(world, meeting);
    const publishable = async () => {
      await settled(world);
      return told(world, 'recording.publishable').map(({ data }) => data);
    };
    await decide(world, meeting.id, 'granted', 'a');
    expect(await publishable()).toEqual([]);
    await decide(world, meeting.id, 'granted', 'b');
    await decide(world, meeting.id, 'granted', 'b');
    const first = { recording_id: id, meeting_id: meeting.id, reason: 'consent_missing', expires_at };
    expect(await publishable()).toEqual([expect.objectContaining(first)]);
    await decide(world, meeting.id, 'refused', 'a');
    await decide(world, meeting.id, 'granted', 'a');
    expect(await publishable()).toHaveLength(2);
    must(await publish(world, await recordingOf(world, meeting)), 200);
    await decide(world, meeting.id, 'refused', 'a');
    await decide(world, meeting.id, 'granted', 'a');
    expect((await publishable()).map(({ reason }) => reason)).toEqual(['consent_missing', 'consent_missing', 'consent_withdrawn']);
  });

  it('G15 is not published when its time would be over by then', async () => {
    const world = await start();
    await setPolicy(world, { recording: { retention_from: 'upload', retention_days: 30 } });
    const meeting = await booked(world);
    await held(world, meeting);
    await setPolicy(world, { recording: { retention_from: 'upload', retention_days: 7 } });
    world.jump(10 * DAY);
    await decide(world, meeting.id, 'granted');
    const recording = await recordingOf(world, meeting);
    expect(recording.state).toBe('withheld');
    expect(await publish(world, recording)).toMatchObject({ status: 409, json: { code: 'conflict' } });
    expect(await recordingOf(world, meeting)).toMatchObject({ state: 'withheld', links: [] });
    await settled(world);
    expect(told(world, 'recording.published')).toEqual([]);
  });

  it('G12 a no counts that comes while its own purchase is still being written', async () => {
    const databaseUrl = await databaseOf(engine);
    const world = await start({ databaseUrl });
    await connect(world, 'zoom');
    await settled(world);
    const meeting = await createMeeting(world, { provider: 'zoom', recording: 'on_consent', ...GROUP });
    await buy(world, meeting, 'a');
    await decide(world, meeting.id, 'granted', 'a');
    await held(world, meeting);
    expect(await recordingOf(world, meeting)).toMatchObject({ state: 'published' });
    let refusal: Promise<Answer> | undefined;
    await world.gateway.gateway.db.write(async (tx) => {
      await markPurchased(tx, { meetingId: meeting.id, customerId: 'b', at: world.now() });
      refusal = decide(world, meeting.id, 'refused', 'b');
      // SQLite has one writer, for whom everybody else waits anyway.
      if (engine.dialect === 'sqlite') return;
      await eventually('the refusal waits', async () => {
        const waiting = await raw(
          databaseUrl,
          "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
        );
        return waiting.length > 0;
      });
    });
    await refusal;
    expect(await recordingOf(world, meeting)).toMatchObject({ state: 'withheld', reason: 'consent_withdrawn' });
  });

  it('G12 is still asked on the join page when the meeting is over, and a no counts there as well', async () => {
    const world = await start();
    const { meeting, link } = await published(world);
    const page = meeting.attendees[0]!.join_url;
    world.jump(DAY);
    const shown = await visit(page);
    expect(shown.text).toContain('You agreed to the recording.');
    expect(shown.text).toContain('you can still change your mind');
    const version = /name="text_version" value="([^"]+)"/.exec(shown.text)![1]!;
    const answer = await visit(`${page}/consent`, {
      method: 'POST',
      body: new URLSearchParams({ decision: 'refused', text_version: version, locale: 'en' }),
    });
    expect([answer.status, location(answer)]).toEqual([303, new URL(page).pathname]);
    expect(await statuses(link)).toEqual([410, 410]);
    expect((await visit(page)).text).toContain('You said no.');
  });

  it('G12 a no in one part of a booking takes back the recordings of all its parts', async () => {
    const world = await start();
    await setPolicy(world, { limits: { on_exceed: 'warn' } });
    const first = await booked(world, 'zoom', { starts_at: world.now().toISOString(), duration_minutes: 60 });
    await decide(world, first.id, 'granted');
    await happen(world, first, 'start');
    await settled(world);
    world.jump(20 * MINUTE);
    const second = must(await world.api('POST', `/v1/meetings/${first.id}/continuation`), 201).json as unknown as MeetingJson;
    for (const happening of ['end', 'finish-recording']) await happen(world, first, happening);
    await held(world, second);
    const links: string[] = [];
    for (const { id } of [first, second]) links.push((await recordingOf(world, { id })).links[0]!.url!);
    for (const link of links) expect((await visit(link)).status).toBe(200);
    await decide(world, second.id, 'refused');
    for (const link of links) expect(await statuses(link)).toEqual([410, 410]);
    for (const { id } of [first, second]) expect(await recordingOf(world, { id })).toMatchObject({ reason: 'consent_withdrawn' });
  });

  it('F09 is given by joining, needs no word, and ends where somebody says no', async () => {
    const world = await start({ policy: 'fiverr' });
    await addPlatformHost(world);
    const meeting = await booked(world, 'zoom', { recording: 'always' });
    const answer = await visit(`${meeting.attendees[0]!.join_url}/join`, { method: 'POST' });
    expect(answer.status).toBe(303);
    expect((await getMeeting(world, meeting.id)).attendees).toMatchObject([{ recording_consent: 'granted' }]);
    await held(world, meeting);
    const { links, ...recording } = await recordingOf(world, meeting);
    expect(recording).toMatchObject({ state: 'published', expires_at: inDays(world, 30) });
    expect(links.map(({ customer_id }) => customer_id).toSorted(), 'F07 both sides').toEqual(['cus_1', 'pro_1']);
    await decide(world, meeting.id, 'refused');
    for (const { url } of links) expect(await statuses(url!)).toEqual([410, 410]);
  });

  it('G11 of an event is a notice: a no of one visitor changes nothing for the others', async () => {
    const world = await start();
    const meeting = await booked(world, 'zoom', EVENT);
    expect((await visit(meeting.attendees[0]!.join_url)).text).toContain('This event may be recorded');
    await decide(world, meeting.id, 'refused', 'a');
    await held(world, meeting);
    expect(await recordingOf(world, meeting)).toMatchObject({ state: 'published', links: [{ customer_id: 'a' }] });
  });

  it('G12 either stops a publication or takes it back when both happen at the same moment', async () => {
    const world = await start();
    const meeting = await booked(world);
    await held(world, meeting);
    const recording = await recordingOf(world, meeting);
    for (let round = 0; round < 5; round += 1) {
      await decide(world, meeting.id, 'granted');
      await Promise.all([publish(world, recording), decide(world, meeting.id, 'refused')]);
      expect((await recordingOf(world, meeting)).state).toBe('withheld');
    }
  });
});

describeOnBothDatabases('who gets a link to a recording', (_open, engine) => {
  const start = async (options: Partial<WorldOptions> = {}): Promise<World> =>
    testWorld({ databaseUrl: await databaseOf(engine), ...options });

  /** The host ended too early and begins anew: places are sold again. */
  async function resumed(world: World, meeting: MeetingJson): Promise<void> {
    world.jump(MINUTE);
    await happen(world, meeting, 'start');
    await eventually('it runs again', async () => (await getMeeting(world, meeting.id)).state === 'live');
  }

  it('G11 G13 somebody who buys an event later gets a link of one’s own, and is the only one who is told', async () => {
    const world = await start();
    const meeting = await booked(world, 'zoom', EVENT);
    await held(world, meeting);
    const recording = await recordingOf(world, meeting);
    await resumed(world, meeting);
    await buy(world, meeting, 'late');
    await settled(world);
    const { links } = await again(world, recording);
    expect(links.map(({ customer_id }) => customer_id).toSorted()).toEqual(['a', 'late']);
    const given = told(world, 'recording.published').map(({ data }) => data['links'] as { customer_id: string; url: string }[]);
    expect(given.map((list) => list.map(({ customer_id }) => customer_id))).toEqual([['a'], ['late']]);
    expect((await visit(given[1]![0]!.url)).status).toBe(200);
    must(await world.api('POST', `/v1/meetings/${meeting.id}/purchases`, { customer_id: 'late' }), 200);
    expect((await again(world, recording)).links).toHaveLength(2);
  });

  it('G12 somebody who buys a place in a group later and has not agreed withholds what was published', async () => {
    const world = await start();
    await connect(world, 'zoom');
    const meeting = await createMeeting(world, { ...GROUP, provider: 'zoom', recording: 'on_consent' });
    await buy(world, meeting, 'a');
    await decide(world, meeting.id, 'granted', 'a');
    await held(world, meeting);
    const recording = await recordingOf(world, meeting);
    const link = recording.links[0]!.url!;
    expect((await visit(link)).status).toBe(200);
    await resumed(world, meeting);
    await buy(world, meeting, 'b');
    expect(await statuses(link)).toEqual([410, 410]);
    expect(await again(world, recording)).toMatchObject({ state: 'withheld', reason: 'consent_missing' });
    await decide(world, meeting.id, 'granted', 'b');
    const { links } = must(await publish(world, recording), 200).json as unknown as RecordingJson;
    expect(links.map(({ customer_id }) => customer_id).toSorted()).toEqual(['a', 'b']);
    for (const { url } of links) expect((await visit(url!)).status).toBe(200);
  });

  it('F07 a professional who is a customer as well gets one', async () => {
    const world = await start({ policy: 'fiverr' });
    await addPlatformHost(world);
    const meeting = await booked(world, 'zoom', { recording: 'always', attendees: [{ customer_id: 'pro_1' }] });
    await held(world, meeting);
    expect((await recordingOf(world, meeting)).links.map(({ customer_id }) => customer_id)).toEqual(['pro_1']);
  });
});

describeOnBothDatabases('the days of a recording', (_open, engine) => {
  const start = async (): Promise<World> => testWorld({ databaseUrl: await databaseOf(engine) });

  it('G12 G15 end by themselves for one that nobody published', async () => {
    const world = await start();
    const meeting = await booked(world);
    await held(world, meeting);
    const recording = await recordingOf(world, meeting);
    expect(recording).toMatchObject({ state: 'withheld', expires_at: inDays(world, 14) });
    world.jump(14 * DAY);
    await decide(world, meeting.id, 'granted');
    expect(await publish(world, recording)).toMatchObject({ status: 409, json: { code: 'conflict' } });
    await settled(world);
    expect(await recordingOf(world, meeting)).toMatchObject({ state: 'expired', files: [], links: [] });
    const { db } = world.gateway.gateway;
    expect(await db.read.select().from(db.read.t.recordings)).toMatchObject([{ vendorRecordingSealed: null }]);
    expect(told(world, 'recording.expired')).toHaveLength(1);
  });

  it.each([
    ['notification', 3 + 14],
    ['upload', 14],
  ] as const)('G13 G15 F01 begin with the %s', async (from, days) => {
    const world = await start();
    await setPolicy(world, { recording: { retention_from: from } });
    const meeting = await booked(world);
    await held(world, meeting);
    const expiresAt = inDays(world, days);
    world.jump(3 * DAY);
    await decide(world, meeting.id, 'granted');
    expect(must(await publish(world, await recordingOf(world, meeting)), 200).json).toMatchObject({
      published_at: world.now().toISOString(),
      expires_at: expiresAt,
    });
  });
});

describeOnBothDatabases('a recording in the vendor’s trash', (_open, engine) => {
  const start = async (): Promise<World> => testWorld({ databaseUrl: await databaseOf(engine) });

  it('G15 comes back withheld when it is recovered, and is shown again under new links, for the rest of its days', async () => {
    const world = await start();
    const { meeting, recording, link } = await published(world);
    const uuid = await uuidOf(world);
    world.jump(DAY);
    const trashedAt = world.now();
    await zoomSays(world, meeting, 'recording.trashed', uuid);
    expect(await recordingOf(world, meeting)).toMatchObject({ state: 'revoked', reason: 'deleted_at_vendor' });
    world.jump(DAY);
    await zoomSays(world, meeting, 'recording.recovered', uuid);
    expect(await recordingOf(world, meeting)).toMatchObject({ state: 'withheld', reason: 'recovered', expires_at: recording.expires_at });
    await eventually('it is told', () => told(world, 'recording.withheld').some(({ data }) => data['reason'] === 'recovered'));
    // Told again, and an older word that comes late.
    await zoomSays(world, meeting, 'recording.recovered', uuid);
    await zoomSays(world, meeting, 'recording.trashed', uuid, new Date(trashedAt.getTime() + HOUR));
    const shown = must(await publish(world, recording), 200).json as unknown as RecordingJson;
    expect(shown).toMatchObject({ state: 'published', published_at: recording.published_at, expires_at: recording.expires_at });
    const fresh = shown.links.find(({ revoked_at }) => revoked_at === null)!;
    expect(fresh.url).not.toBe(link);
    expect([(await visit(fresh.url!)).status, (await visit(link)).status]).toEqual([200, 410]);
    await zoomSays(world, meeting, 'recording.recovered', uuid);
    await zoomSays(world, meeting, 'recording.trashed', uuid, trashedAt);
    expect((await visit(fresh.url!)).status).toBe(200);
  });

  it('G15 is not shown without its files: these are asked for until the vendor tells them', async () => {
    const world = await start();
    await setPolicy(world, { recording: { retention_days: 60 } });
    const { meeting, recording } = await published(world);
    const uuid = await uuidOf(world);
    world.jump(20 * DAY);
    await settled(world);
    await zoomSays(world, meeting, 'recording.trashed', uuid);
    fault(world, 'zoom', 'GET', '/recordings', { status: 503 }, 3);
    await zoomSays(world, meeting, 'recording.recovered', uuid, new Date(world.now().getTime() + 1));
    await settled(world);
    expect(await recordingOf(world, meeting)).toMatchObject({ state: 'withheld', files: [] });
    expect(await publish(world, recording)).toMatchObject({ status: 409, json: { code: 'conflict' } });
    world.jump(HOUR);
    world.gateway.gateway.wake();
    await settled(world);
    expect((await recordingOf(world, meeting)).files).not.toEqual([]);
    must(await publish(world, recording), 200);
  });

  it('G15 that nobody here ever knew is certified as that', async () => {
    const world = await start();
    const meeting = await booked(world);
    await happen(world, meeting, 'start');
    await happen(world, meeting, 'end');
    await settled(world);
    await zoomSays(world, meeting, 'recording.deleted', 'AnotherInstanceOfIt==');
    const { id } = (await recordingsOf(world, meeting.id)).find(({ state }) => state === 'revoked')!;
    const { json } = must(await world.api('GET', `/v1/recordings/${id}/deletion-certificate`), 200);
    expect(decodeJwt(String(json['certificate']))).toMatchObject({ erased: [], personal_links: 0, audit: { seq: 1 } });
  });

  it('case 35: G15 ends in the same way in whatever order its news come', async () => {
    const world = await start();
    const meeting = await booked(world);
    await decide(world, meeting.id, 'granted');
    await happen(world, meeting, 'start');
    await happen(world, meeting, 'end');
    await settled(world);
    const [vendorMeeting] = (await vendorState(world, 'zoom')).meetings!;
    const { uuid } = (vendorMeeting!['instances'] as { uuid: string }[])[0]!;
    const after = (ms: number) => new Date(world.now().getTime() + ms);
    // Deleted, recovered, deleted: told from the end.
    await zoomSays(world, meeting, 'recording.deleted', uuid, after(3_000));
    await zoomSays(world, meeting, 'recording.recovered', uuid, after(2_000));
    await zoomSays(world, meeting, 'recording.trashed', uuid, after(1_000));
    await happen(world, meeting, 'finish-recording');
    await settledFeed(world);
    expect(await recordingsOf(world, meeting.id)).toMatchObject([{ state: 'revoked', reason: 'deleted_at_vendor', files: [], links: [] }]);
    expect(told(world, 'recording.published')).toEqual([]);
    await zoomSays(world, meeting, 'recording.recovered', uuid, after(4_000));
    expect(await recordingOf(world, meeting)).toMatchObject({ state: 'withheld', reason: 'recovered' });
  });

  it('G15 stays gone when its days are over, or when the marketplace had taken it back', async () => {
    const world = await start();
    const { meeting, recording } = await published(world);
    const uuid = await uuidOf(world);
    must(await world.api('POST', `/v1/recordings/${recording.id}/revoke`), 200);
    world.jump(DAY);
    await zoomSays(world, meeting, 'recording.trashed', uuid);
    await zoomSays(world, meeting, 'recording.recovered', uuid, new Date(world.now().getTime() + 1));
    expect(await recordingOf(world, meeting)).toMatchObject({ state: 'revoked', reason: 'marketplace' });
  });
});

describeOnBothDatabases('recording by the vendor itself', (_open, engine) => {
  const start = async (options: Partial<WorldOptions> = {}): Promise<World> =>
    testWorld({ databaseUrl: await databaseOf(engine), ...options });
  const automatic = async (world: World, { id }: MeetingJson): Promise<[boolean, string[]]> => {
    const { link, ...meeting } = await getMeeting(world, id);
    return [(meeting as unknown as { records_automatically: boolean }).records_automatically, link.degraded];
  };

  it.each(VENDORS)('G12 at %s goes on with the last consent, and off with the first no', async (vendor) => {
    const world = await start();
    const meeting = await booked(world, vendor, GROUP);
    await decide(world, meeting.id, 'granted', 'a');
    await settled(world);
    expect(await vendorRecords(world, vendor)).toBe(false);
    await decide(world, meeting.id, 'granted', 'b');
    await settled(world);
    expect(await vendorRecords(world, vendor)).toBe(true);
    expect((await automatic(world, meeting))[0]).toBe(true);
    await decide(world, meeting.id, 'refused', 'a');
    await settled(world);
    expect(await vendorRecords(world, vendor)).toBe(false);
    expect((await automatic(world, meeting))[0]).toBe(false);
  });

  it('G12 waits for the purchase of those who have agreed, and ends with a purchase of somebody who has not', async () => {
    const world = await start();
    await connect(world, 'zoom');
    const meeting = await createMeeting(world, { ...GROUP, provider: 'zoom', recording: 'on_consent' });
    await decide(world, meeting.id, 'granted', 'a');
    await settled(world);
    expect(await vendorRecords(world, 'zoom')).toBe(false);
    await buy(world, meeting, 'a');
    await settled(world);
    expect(await vendorRecords(world, 'zoom')).toBe(true);
    await buy(world, meeting, 'b');
    await settled(world);
    expect(await vendorRecords(world, 'zoom')).toBe(false);
  });

  it('F01 F09 G11 is on from the start where nobody is asked, and costs no further call', async () => {
    const world = await start({ policy: 'fiverr' });
    await addPlatformHost(world);
    const meeting = await booked(world, 'zoom', { recording: 'always' });
    await settled(world);
    expect(await automatic(world, meeting)).toEqual([true, []]);
    expect(await vendorRecords(world, 'zoom')).toBe(true);
    world.jump(HOUR);
    await settled(world);
    expect(calls(world, 'zoom', 'PATCH', /meetings/)).toEqual([]);
  });

  it('G12 is not believed but read back: what the vendor drops in silence is noted, and tried again when the doors open', async () => {
    const world = await start();
    const meeting = await booked(world, 'zoom', { starts_at: new Date(world.now().getTime() + 2 * HOUR).toISOString() });
    // Zoom says yes, and does nothing.
    fault(world, 'zoom', 'PATCH', '/meetings/', { status: 204 });
    await decide(world, meeting.id, 'granted');
    await settled(world);
    expect(await automatic(world, meeting)).toEqual([false, ['record_automatically']]);
    world.jump(HOUR);
    await settled(world);
    expect(calls(world, 'zoom', 'PATCH', /meetings/)).toHaveLength(1);
    world.jump(45 * MINUTE);
    await settled(world);
    expect(await automatic(world, meeting)).toEqual([true, []]);
    expect(await vendorRecords(world, 'zoom')).toBe(true);
  });

  it('G12 off is not insisted on where the account records everything: one try, and one when the doors open', async () => {
    const world = await start();
    const meeting = await booked(world, 'zoom', { starts_at: new Date(world.now().getTime() + 2 * HOUR).toISOString() });
    await decide(world, meeting.id, 'granted');
    await settled(world);
    const tries = calls(world, 'zoom', 'PATCH', /meetings/).length;
    fault(world, 'zoom', 'PATCH', '/meetings/', { status: 204 }, 50);
    await decide(world, meeting.id, 'refused');
    await settled(world);
    expect(await automatic(world, meeting)).toEqual([true, ['record_automatically']]);
    expect(calls(world, 'zoom', 'PATCH', /meetings/)).toHaveLength(tries + 1);
    await world.gateway.gateway.db.write((tx) => tx.update(tx.t.meetings).set({ recording: 'none' }));
    world.jump(105 * MINUTE);
    await settled(world);
    world.jump(HOUR);
    await settled(world);
    expect(calls(world, 'zoom', 'PATCH', /meetings/)).toHaveLength(tries + 2);
  });

  it('G12 a no that the vendor does not hear at once is told again, and nothing is published meanwhile', async () => {
    const world = await start();
    const meeting = await booked(world);
    await decide(world, meeting.id, 'granted');
    await settled(world);
    fault(world, 'zoom', 'PATCH', '/meetings/', { status: 503 }, 3);
    await decide(world, meeting.id, 'refused');
    await held(world, meeting);
    expect(await recordingOf(world, meeting)).toMatchObject({ state: 'withheld', reason: 'consent_missing' });
  });

  it('G12 goes off when the doors open where the policy has changed, and everybody is asked now', async () => {
    const world = await start({ policy: 'fiverr' });
    await addPlatformHost(world);
    const meeting = await booked(world, 'zoom', {
      recording: 'always',
      starts_at: new Date(world.now().getTime() + 2 * HOUR).toISOString(),
    });
    await settled(world);
    expect(await vendorRecords(world, 'zoom')).toBe(true);
    await setPolicy(world, { recording: { one_to_one: { modes: ['none', 'on_consent'], consent: 'each_customer' } } });
    world.jump(105 * MINUTE);
    await settled(world);
    expect(await vendorRecords(world, 'zoom')).toBe(false);
    expect(await automatic(world, meeting)).toEqual([false, []]);
  });
});

describeOnBothDatabases('news of one transaction', (_open, engine) => {
  it('G15 a recording that is removed, recovered and removed again is told as revoked twice', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const { meeting } = await published(world);
    const { gateway } = world.gateway;
    const recordingId = String(await uuidOf(world));
    const at = (minutes: number) => ({ recordingId, fileIds: null, at: new Date(world.now().getTime() + minutes * MINUTE) });
    await gateway.db.write(async (tx) => {
      const row = (await findMeeting(tx, meeting.id))!;
      await noteRemoved(tx, gateway, row, at(1));
      await noteRecovered(tx, gateway, row, at(2));
      await noteRemoved(tx, gateway, row, at(3));
    });
    gateway.wake();
    await settled(world);
    expect(told(world, 'recording.revoked').map(({ data }) => data['reason'])).toEqual(['deleted_at_vendor', 'deleted_at_vendor']);
  });
});
