import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { eq } from 'drizzle-orm';
import { describe, expect, it, vi } from 'vitest';
import { visit } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import {
  boughtMeeting,
  calls,
  databaseOf,
  DAY,
  eventually,
  everythingStored,
  fault,
  happen,
  HOUR,
  MINUTE,
  must,
  otherMarketplace,
  restart,
  settled,
  VENDORS,
  vendorState,
  type MeetingJson,
} from '../support/gateway.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { addPlatformHost, connect, testWorld, type Vendor } from '../support/world.ts';

interface RecordingJson {
  readonly id: string;
  readonly meeting_id: string;
  readonly source: string;
  readonly state: string;
  readonly files: readonly { kind: string; content_type: string; bytes: number | null }[];
  readonly published_at: string | null;
  readonly expires_at: string | null;
  readonly links: readonly {
    customer_id: string;
    url: string | null;
    views: number;
    first_viewed_at: string | null;
    revoked_at: string | null;
  }[];
  readonly erased_at: string | null;
}

const told = ({ receiver }: World, type: string) => receiver.events.filter((event) => event.type === type);
const waitFor = (world: World, type: string, meetingId: string) =>
  world.receiver.waitFor(type, (event) => event.type === type && event.data['meeting_id'] === meetingId);
const recordingsOf = async ({ api }: World, meetingId: string): Promise<RecordingJson[]> =>
  must(await api('GET', `/v1/meetings/${meetingId}/recordings`), 200).json['data'] as RecordingJson[];
const recordingOf = async ({ api }: World, id: string): Promise<RecordingJson> =>
  must(await api('GET', `/v1/recordings/${id}`), 200).json as unknown as RecordingJson;
const consent = async ({ api }: World, meetingId: string, customer = 'cus_1', decision = 'granted') =>
  must(
    await api('PUT', `/v1/meetings/${meetingId}/attendees/${customer}/recording-consent`, { decision, locale: 'en', text_version: 'v1' }),
    200,
  );

/** A meeting that everybody has bought, ready to be held. */
async function booked(world: World, vendor: Vendor, changes: Readonly<Record<string, unknown>> = {}): Promise<MeetingJson> {
  await connect(world, vendor);
  await settled(world);
  return boughtMeeting(world, { provider: vendor, recording: 'on_consent', ...changes });
}

/** The meeting takes place, and the vendor has finished its recording. */
async function held(world: World, meeting: MeetingJson, { transcript = false } = {}): Promise<void> {
  await happen(world, meeting, 'start');
  await happen(world, meeting, 'join', { name: 'Ada' });
  await happen(world, meeting, 'end');
  await happen(world, meeting, 'finish-recording', { transcript });
}

async function published(world: World, vendor: Vendor, changes: Readonly<Record<string, unknown>> = {}) {
  const meeting = await booked(world, vendor, changes);
  for (const { customer_id } of meeting.attendees) await consent(world, meeting.id, customer_id);
  await held(world, meeting);
  const event = await waitFor(world, 'recording.published', meeting.id);
  const recording = await recordingOf(world, String(event.data['recording_id']));
  return { meeting, event, recording, link: recording.links[0]!.url! };
}

describeOnBothDatabases('a recording', (_open, engine) => {
  const start = async (options = {}) => testWorld({ databaseUrl: await databaseOf(engine), ...options });

  it.each(VENDORS)('G12 of %s is withheld without consent, and published by request once it is there', async (vendor) => {
    const world = await start();
    const meeting = await booked(world, vendor);
    await held(world, meeting);
    const event = await waitFor(world, 'recording.withheld', meeting.id);
    expect(event.data).toMatchObject({ reason: 'consent_missing' });
    const [recording] = await recordingsOf(world, meeting.id);
    const expiresAt = new Date(world.now().getTime() + 14 * DAY).toISOString();
    expect(recording).toMatchObject({ state: 'withheld', published_at: null, expires_at: expiresAt, links: [] });
    const publish = () => world.api('POST', `/v1/recordings/${recording!.id}/publish`);
    expect(await publish()).toMatchObject({ status: 409, json: { code: 'consent_missing' } });
    await consent(world, meeting.id, 'cus_1', 'refused');
    expect(await publish()).toMatchObject({ status: 409, json: { code: 'consent_missing' } });
    await consent(world, meeting.id);
    const answer = must(await publish(), 200);
    expect(answer.json).toMatchObject({ state: 'published', links: [{ customer_id: 'cus_1', views: 0, first_viewed_at: null }] });
    const told = await waitFor(world, 'recording.published', meeting.id);
    const link = (told.data['links'] as { url: string }[])[0]!.url;
    expect((await visit(link)).status).toBe(200);
    expect(await publish()).toMatchObject({ status: 409, json: { code: 'conflict' } });
  });

  it('G12 of a group needs the consent of everybody who bought', async () => {
    const world = await start();
    const meeting = await booked(world, 'zoom', {
      booking: { id: 'g', kind: 'private_group', title: 'Group' },
      attendees: [{ customer_id: 'a' }, { customer_id: 'b' }],
    });
    await consent(world, meeting.id, 'a');
    await held(world, meeting);
    await waitFor(world, 'recording.withheld', meeting.id);
    await consent(world, meeting.id, 'b');
    const [recording] = await recordingsOf(world, meeting.id);
    const answer = must(await world.api('POST', `/v1/recordings/${recording!.id}/publish`), 200).json as unknown as RecordingJson;
    expect(answer.links.map(({ customer_id }) => customer_id).toSorted()).toEqual(['a', 'b']);
    expect(new Set(answer.links.map(({ url }) => url)).size).toBe(2);
  });

  it('G11 of an event needs no consent, and goes to everybody who bought and nobody else', async () => {
    const world = await start();
    const meeting = await booked(world, 'zoom', {
      booking: { id: 'e', kind: 'event', title: 'Talk' },
      attendees: [{ customer_id: 'a' }],
      recording: 'always',
    });
    must(await world.api('POST', `/v1/meetings/${meeting.id}/purchases`, { customer_id: 'b' }), 201);
    await held(world, meeting);
    const event = await waitFor(world, 'recording.published', meeting.id);
    expect((event.data['links'] as { customer_id: string }[]).map(({ customer_id }) => customer_id).toSorted()).toEqual(['a', 'b']);
  });

  it('F07 F09 goes to the professional, too, where the policy says everyone', async () => {
    const world = await start({ policy: 'fiverr' });
    await addPlatformHost(world);
    const meeting = await booked(world, 'zoom', { recording: 'always' });
    await held(world, meeting);
    const event = await waitFor(world, 'recording.published', meeting.id);
    expect((event.data['links'] as { customer_id: string }[]).map(({ customer_id }) => customer_id).toSorted()).toEqual(['cus_1', 'pro_1']);
    expect(Date.parse(String(event.data['expires_at'])) - Date.parse(String(event.data['published_at']))).toBe(30 * DAY);
  });

  it('G13 is told while the vendor works on it, and published under the same id when it is ready', async () => {
    const world = await start();
    const meeting = await booked(world, 'zoom');
    await consent(world, meeting.id);
    await happen(world, meeting, 'start');
    await happen(world, meeting, 'end');
    const [vendorMeeting] = (await vendorState(world, 'zoom')).meetings!;
    const { uuid } = (vendorMeeting!['instances'] as { uuid: string }[])[0]!;
    const seconds = Math.floor(world.now().getTime() / 1_000);
    await zoomDelivery(world, {
      event: 'recording.stopped',
      event_ts: seconds * 1_000,
      payload: {
        account_id: 'adaAccountSandbox12345',
        object: {
          id: vendorMeeting!['id'],
          uuid,
          host_id: 'adaLicensedUser1234567',
          recording_file: { recording_start: world.now().toISOString() },
        },
      },
    });
    const processing = await waitFor(world, 'recording.processing', meeting.id);
    expect(processing.data['note']).toMatch(/next day/);
    expect(await recordingsOf(world, meeting.id)).toMatchObject([{ state: 'processing', links: [], files: [] }]);
    world.jump(DAY);
    await happen(world, meeting, 'finish-recording');
    const event = await waitFor(world, 'recording.published', meeting.id);
    expect(event.data['recording_id']).toBe(processing.data['recording_id']);
    expect(event.data['published_at']).toBe(world.now().toISOString());
  });

  it('G13 G15 that the vendor never finishes ends when it is looked for no more', async () => {
    const world = await start();
    const meeting = await booked(world, 'zoom');
    await consent(world, meeting.id);
    // The vendor knows that it is to record.
    await settled(world);
    await happen(world, meeting, 'start');
    await happen(world, meeting, 'end');
    await waitFor(world, 'recording.processing', meeting.id);
    await settled(world);
    world.jump(14 * DAY);
    world.gateway.gateway.wake();
    await waitFor(world, 'recording.expired', meeting.id);
    expect(await recordingsOf(world, meeting.id)).toMatchObject([{ state: 'expired', files: [] }]);
    const { read } = world.gateway.gateway.db;
    expect(await read.select().from(read.t.recordings)).toMatchObject([{ vendorRecordingSealed: null, erasedAt: world.now() }]);
  });

  it.each(VENDORS)('of %s that is told again and again is one recording and one event', async (vendor) => {
    const world = await start();
    const { meeting } = await published(world, vendor);
    const { sandbox } = world.sandbox;
    for (const { id } of sandbox.deliveries.list(vendor)) sandbox.deliveries.resend(id, null);
    await sandbox.settle();
    await settled(world);
    expect(await recordingsOf(world, meeting.id)).toHaveLength(1);
    for (const type of ['recording.published', 'meeting.ended', 'meeting.started'])
      expect(told(world, type).length, type).toBeLessThanOrEqual(1);
  });

  it('of somebody else’s meeting is nobody’s', async () => {
    const world = await start();
    const meeting = await booked(world, 'zoom');
    const { db } = world.gateway.gateway;
    await db.write((tx) => tx.update(tx.t.meetings).set({ vendorMeetingId: '1' }));
    await held(world, meeting);
    await eventually('the deliveries wait for their meeting', async () => {
      const waiting = (await db.read.select().from(db.read.t.inbox)).filter(({ state }) => state === 'pending');
      return waiting.length > 0 && waiting.every(({ reason }) => reason === 'unmatched');
    });
    // It is looked for a few times in the first hour, and then forgotten.
    for (let look = 0; look < 5; look += 1) {
      world.jump(HOUR);
      await settled(world);
    }
    expect(await recordingsOf(world, meeting.id)).toEqual([]);
    const kept = (await db.read.select().from(db.read.t.inbox)).filter(({ state }) => state !== 'applied');
    expect(kept.length).toBeGreaterThan(0);
    for (const { state, bodySealed, reason } of kept)
      expect({ state, bodySealed, reason }).toEqual({ state: 'dropped', bodySealed: null, reason: 'unmatched' });
  });
});

describeOnBothDatabases('the end of a publication', (_open, engine) => {
  const start = async () => testWorld({ databaseUrl: await databaseOf(engine) });

  it.each(VENDORS)('G15 for %s comes after 14 days, to the millisecond, and leaves nothing behind', async (vendor) => {
    const world = await start();
    const { meeting, recording, link } = await published(world, vendor);
    expect(Date.parse(recording.expires_at!) - Date.parse(recording.published_at!)).toBe(14 * DAY);
    const canaries = await canariesOf(world, vendor, link);
    expect(canaries.length).toBeGreaterThan(1);
    // They are really looked for: before the end, the ids of Zoom's files are there.
    const before = await everythingStored(world);
    expect(canaries.some((canary) => before.includes(canary)) || vendor !== 'zoom').toBe(true);
    expect(before).not.toContain(link.split('/').at(-1));

    world.jump(Date.parse(recording.expires_at!) - world.now().getTime() - 1);
    expect((await visit(link)).status).toBe(200);
    world.jump(1);
    for (const url of [link, `${link}/media`]) expect((await visit(url)).status).toBe(410);
    await waitFor(world, 'recording.expired', meeting.id);
    const gone = await recordingOf(world, recording.id);
    expect(gone).toMatchObject({
      state: 'expired',
      files: [],
      links: [{ customer_id: 'cus_1', url: null }],
      erased_at: world.now().toISOString(),
    });
    expect((await visit(link)).status).toBe(410);

    await settled(world);
    const after = await everythingStored(world);
    for (const canary of canaries) expect(after, canary).not.toContain(canary);
    // The event about it is still there, without its links.
    const events = must(await world.api('GET', '/v1/events?type=recording.published'), 200).text;
    expect(events).toContain(recording.id);
    expect(events).not.toContain('/r/');
    const { db } = world.gateway.gateway;
    const audit = await db.read.select().from(db.read.t.audit);
    expect(audit.map(({ action }) => action)).toContain('recording.expired');
    if (engine.dialect === 'sqlite') await showsNothingInFile(world, canaries);
    // Late news does not bring it back.
    await happen(world, meeting, 'finish-recording').catch(() => {});
    const { sandbox } = world.sandbox;
    for (const { id } of sandbox.deliveries.list(vendor)) sandbox.deliveries.resend(id, null);
    await sandbox.settle();
    await settled(world);
    expect((await recordingOf(world, recording.id)).state).toBe('expired');
  });

  it('G17 all links can be taken back at once, and everything is erased', async () => {
    const world = await start();
    const { meeting, recording, link } = await published(world, 'zoom');
    const canaries = await canariesOf(world, 'zoom', link);
    const answer = must(await world.api('POST', `/v1/recordings/${recording.id}/revoke`), 200);
    expect(answer.json).toMatchObject({
      state: 'revoked',
      files: [],
      links: [{ url: null, revoked_at: world.now().toISOString() }],
      erased_at: world.now().toISOString(),
    });
    for (const url of [link, `${link}/media`]) expect((await visit(url)).status).toBe(410);
    await waitFor(world, 'recording.revoked', meeting.id);
    const stored = await everythingStored(world);
    for (const canary of canaries) expect(stored, canary).not.toContain(canary);
    must(await world.api('POST', `/v1/recordings/${recording.id}/revoke`), 200);
    expect(await world.api('POST', `/v1/recordings/${recording.id}/publish`)).toMatchObject({ status: 409, json: { code: 'conflict' } });
    world.jump(15 * DAY);
    await settled(world);
    expect(told(world, 'recording.expired')).toEqual([]);
    expect(told(world, 'recording.revoked')).toHaveLength(1);
  });

  it('G17 the links of one customer can be taken back, the others stay', async () => {
    const world = await start();
    const { recording } = await published(world, 'zoom', {
      booking: { id: 'g', kind: 'private_group', title: 'Group' },
      attendees: [{ customer_id: 'a' }, { customer_id: 'b' }],
    });
    const url = (customer: string) => recording.links.find(({ customer_id }) => customer_id === customer)!.url!;
    const answer = must(await world.api('POST', `/v1/recordings/${recording.id}/revoke`, { customer_id: 'a' }), 200);
    expect(answer.json).toMatchObject({ state: 'published' });
    expect([(await visit(url('a'))).status, (await visit(`${url('a')}/media`)).status, (await visit(url('b'))).status]).toEqual([
      410, 410, 200,
    ]);
    const event = await world.receiver.waitFor('revoked', ({ type }) => type === 'recording.revoked');
    expect(event.data).toMatchObject({ customer_id: 'a' });
  });

  it('what the vendor deletes is taken back here', async () => {
    const world = await start();
    const { meeting, link } = await published(world, 'zoom');
    const [vendorRecording] = (await vendorState(world, 'zoom')).recordings!;
    await zoomDelivery(world, {
      event: 'recording.trashed',
      event_ts: world.now().getTime(),
      payload: {
        account_id: 'adaAccountSandbox12345',
        object: {
          id: Number(new URL(meeting.link.provider_join_url).pathname.split('/').at(-1)),
          uuid: vendorRecording!['uuid'],
          host_id: 'x',
        },
      },
    });
    await waitFor(world, 'recording.revoked', meeting.id);
    expect((await visit(link)).status).toBe(410);
  });

  it('G15 comes however often it has failed before', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const { meeting } = await published(world, 'zoom');
    const { db } = world.gateway.gateway;
    const move = (from: string, to: string) => db.write((tx) => tx.update(tx.t.meetings).set({ id: to }).where(eq(tx.t.meetings.id, from)));
    const expiry = async () => (await db.read.select().from(db.read.t.jobs)).find(({ kind }) => kind === 'recording.expire');
    await move(meeting.id, 'mtg_elsewhere');
    await db.write((tx) => tx.update(tx.t.jobs).set({ attempts: 40 }).where(eq(tx.t.jobs.kind, 'recording.expire')));
    world.jump(14 * DAY);
    world.gateway.gateway.wake();
    await vi.waitFor(async () => expect(await expiry()).toMatchObject({ lastError: expect.any(String) }), 10_000);
    await move('mtg_elsewhere', meeting.id);
    world.jump(DAY);
    world.gateway.gateway.wake();
    await waitFor(world, 'recording.expired', meeting.id);
  });
});

describe('the last day', () => {
  it('G15 passes while the gateway is down', async () => {
    const world = await testWorld();
    const { meeting, link } = await published(world, 'zoom');
    await settled(world);
    await restart(world, { after: 15 * DAY });
    await waitFor(world, 'recording.expired', meeting.id);
    expect((await visit(link)).status).toBe(410);
  });
});

describe('the recording page', () => {
  it.each(VENDORS)('of %s shows nothing of the vendor, counts what is watched and tells the first time', async (vendor) => {
    const world = await testWorld();
    const { meeting, recording, link } = await published(world, vendor);
    const head = await fetch(link, { method: 'HEAD' });
    expect(head.status).toBe(200);
    for (let count = 0; count < 3; count += 1) {
      const page = must(await visit(link), 200);
      expect(page.text).not.toContain(world.sandbox.url);
      expect(page.text).not.toMatch(/access_token|download_url|[?&]pwd=/);
      expect(page.headers.get('cache-control')).toContain('no-store');
      expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    }
    // Programs that look at a link for a preview watch nothing.
    expect((await recordingOf(world, recording.id)).links).toMatchObject([{ views: 0, first_viewed_at: null }]);
    for (let count = 0; count < 3; count += 1) await (await fetch(`${link}/media`)).arrayBuffer();
    const event = await waitFor(world, 'recording.viewed', meeting.id);
    expect(event.data).toMatchObject({ recording_id: recording.id, customer_id: 'cus_1' });
    await settled(world);
    expect(told(world, 'recording.viewed')).toHaveLength(1);
    expect((await recordingOf(world, recording.id)).links).toMatchObject([{ views: 3, first_viewed_at: world.now().toISOString() }]);
    const { db } = world.gateway.gateway;
    const entries = async () => (await db.read.select().from(db.read.t.audit)).filter(({ action }) => action === 'recording.viewed');
    // The log never gets shorter, and whoever has a link may ask as often as he likes.
    expect(await entries()).toMatchObject([{ details: { customer_id: 'cus_1', views: 1 } }]);
    world.jump(5 * MINUTE);
    await (await fetch(`${link}/media`)).arrayBuffer();
    expect(new Set((await entries()).map(({ details }) => details['views']))).toEqual(new Set([1, 4]));
  });

  it('streams with Range where the vendor does', async () => {
    const world = await testWorld();
    const { link } = await published(world, 'zoom');
    const whole = await fetch(`${link}/media`);
    expect(whole.status).toBe(200);
    const all = Buffer.from(await whole.arrayBuffer());
    expect(whole.headers.get('content-type')).toBe('video/mp4');
    expect(Number(whole.headers.get('content-length'))).toBe(all.length);
    const get = async (range: string) => {
      const answer = await fetch(`${link}/media`, { headers: { range } });
      return { status: answer.status, contentRange: answer.headers.get('content-range'), bytes: Buffer.from(await answer.arrayBuffer()) };
    };
    expect(await get('bytes=0-99')).toEqual({ status: 206, contentRange: `bytes 0-99/${all.length}`, bytes: all.subarray(0, 100) });
    expect(await get(`bytes=${all.length - 5}-`)).toMatchObject({ status: 206, bytes: all.subarray(-5) });
    expect(await get('bytes=-7')).toMatchObject({ status: 206, bytes: all.subarray(-7) });
    expect((await get(`bytes=${all.length + 10}-`)).status).toBe(416);
    // Several ranges at once and nonsense are answered with the whole file.
    expect((await get('bytes=0-1,5-6')).status).toBe(200);
    expect((await get('seconds=1-2')).status).toBe(200);
    const download = await fetch(`${link}/media?download=1`, { headers: { range: 'bytes=0-1' } });
    expect(download.headers.get('content-disposition')).toBe('attachment; filename="video.mp4"');
    await download.arrayBuffer();
  });

  it.each(['microsoft-teams', 'google-meet'] as const)('streams the recording of %s', async (vendor) => {
    const world = await testWorld();
    const { link } = await published(world, vendor);
    const media = await fetch(`${link}/media`, { headers: { range: 'bytes=0-99' } });
    const bytes = (await media.arrayBuffer()).byteLength;
    // Graph documents no ranges: there the whole file is a correct answer.
    expect([200, 206]).toContain(media.status);
    expect(media.status === 206 ? bytes : Math.min(bytes, 101)).toBe(media.status === 206 ? 100 : 101);
    for (const [name, value] of media.headers) expect(`${name}: ${value}`).not.toContain(world.sandbox.url);
  });

  it('404 for a wrong link and for a file that is not there', async () => {
    const world = await testWorld();
    const { link } = await published(world, 'zoom');
    for (const url of [
      `${world.publicUrl}/r/${'A'.repeat(43)}`,
      `${world.publicUrl}/r/${'A'.repeat(43)}/media`,
      `${link}x`,
      `${link}/media?file=99`,
      `${link}/media?file=-1`,
      `${link}/media?file=0x0`,
      `${link}/media?file=1e0`,
    ])
      expect((await visit(url)).status, url).toBe(404);
  });

  it('503 while the vendor is down, with the time to come again', async () => {
    const world = await testWorld();
    const { link } = await published(world, 'zoom');
    fault(world, 'zoom', 'GET', '/recordings', { status: 503 }, 50);
    fault(world, 'zoom', 'GET', '/rec/', { status: 503 }, 50);
    const answer = await visit(`${link}/media`);
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(calls(world, 'zoom', 'GET', /recordings|rec/).length).toBeGreaterThan(0);
  });

  it('belongs to its marketplace', async () => {
    const world = await testWorld();
    const { meeting, recording } = await published(world, 'zoom');
    const { api } = await otherMarketplace(world);
    for (const [method, path] of [
      ['GET', `/v1/recordings/${recording.id}`],
      ['GET', `/v1/meetings/${meeting.id}/recordings`],
      ['POST', `/v1/recordings/${recording.id}/publish`],
      ['POST', `/v1/recordings/${recording.id}/revoke`],
    ] as const)
      expect((await api(method, path)).status).toBe(404);
    expect((await recordingOf(world, recording.id)).state).toBe('published');
  });
});

/** A delivery as Zoom signs it. */
async function zoomDelivery(world: World, event: unknown): Promise<void> {
  const body = JSON.stringify(event);
  const timestamp = String(Math.floor(world.now().getTime() / 1_000));
  const signature = createHmac('sha256', world.zoomWebhookSecret).update(`v0:${timestamp}:${body}`).digest('hex');
  const headers = { 'content-type': 'application/json', 'x-zm-request-timestamp': timestamp, 'x-zm-signature': `v0=${signature}` };
  must(await visit(`${world.publicUrl}/webhooks/zoom`, { method: 'POST', headers, body }), 200);
}

/** What a stranger could use: the vendor's ids of the recording and its files, addresses, pass codes, our own token. */
async function canariesOf(world: World, vendor: Vendor, link: string): Promise<string[]> {
  const state = await vendorState(world, vendor);
  const found: string[] = [link.split('/').at(-1)!];
  const collect = (value: unknown, name = ''): void => {
    if (
      typeof value === 'string' &&
      value.length >= 6 &&
      /^(id|uuid|fileId|name|password|passcode|shareUrl|playUrl|downloadUrl|contentUrl|driveId)$/.test(name)
    )
      found.push(value);
    else if (Array.isArray(value)) value.forEach((one) => collect(one, name));
    else if (typeof value === 'object' && value !== null) Object.entries(value).forEach(([key, one]) => collect(one, key));
  };
  const named = state as Record<string, unknown>;
  if (vendor === 'zoom') collect(named['recordings']);
  if (vendor === 'microsoft-teams') for (const { recordings } of state.meetings ?? []) collect(recordings);
  if (vendor === 'google-meet') {
    for (const { recordings } of (named['records'] ?? []) as { recordings: unknown }[]) collect(recordings);
  }
  return [...new Set(found)];
}

async function showsNothingInFile(world: World, canaries: readonly string[]): Promise<void> {
  const { db, config } = world.gateway.gateway;
  await eventually('the write-ahead log is in the file', () => db.checkpoint());
  const file = config.databaseUrl.replace(/^file:/, '');
  for (const name of [file, `${file}-wal`]) {
    const bytes = await readFile(name).catch(() => Buffer.alloc(0));
    for (const canary of canaries) expect(bytes.includes(canary), `${canary} in ${name}`).toBe(false);
  }
}
