import { eq } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { visit } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { applyEvent } from '../../webhooks/apply.ts';
import { findSubscriptionOf } from '../../src/store/connections.ts';
import {
  boughtMeeting,
  calls,
  databaseOf,
  DAY,
  eventually,
  fault,
  happen,
  HOUR,
  MINUTE,
  must,
  restart,
  settled,
  VENDORS,
  type MeetingJson,
} from '../support/gateway.ts';
import { describeOnBothDatabases, raw } from '../support/databases.ts';
import { connect, testWorld, type Vendor } from '../support/world.ts';

/** What the vendor is asked for when its recordings are looked for. */
const LISTS: Readonly<Record<Vendor, RegExp>> = {
  zoom: /^\/v2\/(meetings|users)\/[^/]+\/recordings/,
  'microsoft-teams': /\/recordings$/,
  'google-meet': /\/conferenceRecords/,
};

const told = ({ receiver }: World, type: string) => receiver.events.filter((event) => event.type === type);
const waitFor = (world: World, type: string, meetingId: string) =>
  world.receiver.waitFor(type, (event) => event.type === type && event.data['meeting_id'] === meetingId);
const looksAt = (world: World, vendor: Vendor): number => calls(world, vendor, 'GET', LISTS[vendor]).length;
/** From here on no webhook of any vendor arrives; the sandbox keeps them. */
const lose = ({ sandbox }: World, lost = true): void => sandbox.sandbox.deliveries.lose(lost);

interface Recordings {
  readonly data: readonly { readonly id: string; readonly state: string }[];
  readonly expected: { readonly state: string; readonly until: string } | null;
}
const recordingsOf = async ({ api }: World, { id }: MeetingJson): Promise<Recordings> =>
  must(await api('GET', `/v1/meetings/${id}/recordings`), 200).json as unknown as Recordings;

async function metrics(world: World): Promise<string> {
  const answer = await visit(`${world.publicUrl}/metrics`, { headers: { authorization: 'Bearer metrics-token-of-the-tests' } });
  return must(answer, 200).text;
}

async function booked(world: World, vendor: Vendor, changes: Readonly<Record<string, unknown>> = {}): Promise<MeetingJson> {
  await connect(world, vendor);
  await settled(world);
  const meeting = await boughtMeeting(world, { provider: vendor, recording: 'on_consent', ...changes });
  const decision = { decision: 'granted', locale: 'en', text_version: 'v1' };
  if (changes['recording'] !== 'none')
    must(await world.api('PUT', `/v1/meetings/${meeting.id}/attendees/cus_1/recording-consent`, decision), 200);
  // The vendor knows that it is to record.
  await settled(world);
  return meeting;
}

async function held(world: World, meeting: MeetingJson): Promise<void> {
  await happen(world, meeting, 'start');
  await happen(world, meeting, 'join', { name: 'Ada' });
  await happen(world, meeting, 'end');
}

/** A meeting at Zoom was held, and the word that its recording is ready gets lost. */
async function heldUnheard(world: World): Promise<MeetingJson> {
  const meeting = await booked(world, 'zoom');
  await held(world, meeting);
  await settled(world);
  lose(world);
  await happen(world, meeting, 'finish-recording');
  return meeting;
}

describeOnBothDatabases('a recording that no webhook told of', (_open, engine) => {
  const start = async () =>
    testWorld({ databaseUrl: await databaseOf(engine), environment: { METRICS_TOKEN: 'metrics-token-of-the-tests' } });

  it.each(VENDORS)('G13 case 37: of %s is found although every webhook was lost, and published once', async (vendor) => {
    const world = await start();
    const meeting = await booked(world, vendor);
    lose(world);
    await held(world, meeting);
    await happen(world, meeting, 'finish-recording');
    await settled(world);
    expect(await recordingsOf(world, meeting)).toMatchObject({ data: [], expected: null });
    world.jump(3 * HOUR);
    const event = await waitFor(world, 'recording.published', meeting.id);
    const link = (event.data['links'] as { url: string }[])[0]!.url;
    expect((await visit(link)).status).toBe(200);
    expect(await recordingsOf(world, meeting)).toMatchObject({ data: [{ state: 'published' }], expected: { state: 'met' } });

    lose(world, false);
    const { sandbox } = world.sandbox;
    const lost = sandbox.deliveries.list(vendor).filter(({ state }) => state === 'failed');
    expect(lost.length).toBeGreaterThan(0);
    for (const { id } of lost) sandbox.deliveries.resend(id, null);
    await sandbox.settle();
    await settled(world);
    expect((await recordingsOf(world, meeting)).data).toMatchObject([{ id: event.data['recording_id'], state: 'published' }]);
    expect(told(world, 'recording.published')).toHaveLength(1);
    const figures = await metrics(world);
    expect(figures).toContain('gateway_recordings_found{by="reconciliation"} 1\n');
    expect(figures).toContain('gateway_recordings_found{by="webhook"} 0\n');
  });

  it('G13 that came by webhook is not looked for, but for one look a day later', async () => {
    const world = await start();
    const meeting = await booked(world, 'zoom');
    await held(world, meeting);
    await happen(world, meeting, 'finish-recording');
    await waitFor(world, 'recording.published', meeting.id);
    world.jump(12 * HOUR);
    await settled(world);
    expect(looksAt(world, 'zoom')).toBe(0);
    expect(await metrics(world)).toContain('gateway_recordings_found{by="webhook"} 1\n');
    world.jump(13 * HOUR);
    await settled(world);
    const once = looksAt(world, 'zoom');
    expect(once).toBeGreaterThan(0);
    for (let day = 0; day < 15; day += 1) {
      world.jump(DAY);
      await settled(world);
    }
    expect(looksAt(world, 'zoom')).toBe(once);
  });

  it('G13 of a second conference of one meeting is found after the first', async () => {
    const world = await start();
    const meeting = await booked(world, 'google-meet');
    await held(world, meeting);
    await happen(world, meeting, 'finish-recording');
    await waitFor(world, 'recording.published', meeting.id);
    await held(world, meeting);
    await settled(world);
    lose(world);
    await happen(world, meeting, 'finish-recording');
    world.jump(HOUR);
    await eventually('both are published', async () => (await recordingsOf(world, meeting)).data.length === 2);
    await settled(world);
    expect(told(world, 'recording.published')).toHaveLength(2);
  });

  it('G13 of a meeting whose end got lost is looked for from its planned end', async () => {
    const world = await start();
    const meeting = await booked(world, 'zoom');
    await happen(world, meeting, 'start');
    await waitFor(world, 'meeting.started', meeting.id);
    lose(world);
    await happen(world, meeting, 'end');
    await happen(world, meeting, 'finish-recording');
    world.jump(2 * HOUR);
    await waitFor(world, 'recording.published', meeting.id);
  });

  it('G13 is found when the vendor is back after it was down', async () => {
    const world = await start();
    const meeting = await heldUnheard(world);
    // One look: each call is tried three times.
    fault(world, 'zoom', 'GET', '/recordings', { status: 503 }, 3);
    world.jump(HOUR);
    await eventually('the look failed', () => looksAt(world, 'zoom') === 3);
    await settled(world);
    // Told at the end of the meeting; nothing has been found since.
    expect((await recordingsOf(world, meeting)).data).toMatchObject([{ state: 'processing' }]);
    world.jump(75 * MINUTE);
    await waitFor(world, 'recording.published', meeting.id);
  });

  it('G13 the vendor is left alone for as long as it asked', async () => {
    const world = await start();
    const meeting = await heldUnheard(world);
    fault(world, 'zoom', 'GET', '/recordings', { status: 429, headers: { 'retry-after': String((3 * HOUR) / 1_000) } });
    world.jump(HOUR);
    await eventually('the vendor was asked', () => looksAt(world, 'zoom') === 1);
    await settled(world);
    world.jump(3 * HOUR - MINUTE);
    await settled(world);
    expect(looksAt(world, 'zoom')).toBe(1);
    world.jump(HOUR);
    await waitFor(world, 'recording.published', meeting.id);
  });

  it('G13 is found as soon as the account is connected again, after it was missed without one', async () => {
    const world = await start();
    const meeting = await heldUnheard(world);
    const { db } = world.gateway.gateway;
    await db.write((tx) =>
      tx.update(tx.t.connections).set({ status: 'reconnect_required' }).where(eq(tx.t.connections.professionalId, 'pro_1')),
    );
    world.jump(3 * DAY);
    const missing = await waitFor(world, 'recording.missing', meeting.id);
    expect(missing.data).toMatchObject({ looks: 0, reason: 'reconnect_required' });
    expect(looksAt(world, 'zoom')).toBe(0);
    await connect(world, 'zoom');
    await eventually('the sweep has planned a look', async () => {
      world.jump(1_000);
      return told(world, 'recording.published').length === 1;
    });
    expect(await recordingsOf(world, meeting)).toMatchObject({ expected: { state: 'met' } });
  });

  it('G13 is missed at the deadline, told once, and taken all the same when it comes later', async () => {
    const world = await start();
    const meeting = await booked(world, 'zoom');
    await held(world, meeting);
    await settled(world);
    const { expected } = await recordingsOf(world, meeting);
    expect(expected).toMatchObject({ state: 'open' });
    world.jump(HOUR);
    await settled(world);
    world.jump(Date.parse(expected!.until) - world.now().getTime() - 1);
    await settled(world);
    expect(told(world, 'recording.missing')).toEqual([]);
    world.jump(1);
    const missing = await waitFor(world, 'recording.missing', meeting.id);
    expect(missing.data).toMatchObject({ until: expected!.until, reason: 'processing' });
    expect(missing.data['looks']).toBeGreaterThan(1);
    expect(await metrics(world)).toContain('gateway_recordings_expected{state="missed"} 1\n');
    // Once a day it is still looked for, until two weeks are over.
    for (let day = 0; day < 3; day += 1) {
      const before = looksAt(world, 'zoom');
      world.jump(1.3 * DAY);
      await settled(world);
      expect(looksAt(world, 'zoom')).toBeGreaterThan(before);
    }
    expect(told(world, 'recording.missing')).toHaveLength(1);
    await happen(world, meeting, 'finish-recording');
    await waitFor(world, 'recording.published', meeting.id);
    expect(await recordingsOf(world, meeting)).toMatchObject({ expected: { state: 'met' } });
    expect(await metrics(world)).toContain('gateway_recordings_expected{state="missed"} 0\n');
  });

  it('G13 of a meeting to which nobody came is not missing', async () => {
    const world = await start();
    const meeting = await booked(world, 'zoom');
    world.jump(3 * HOUR);
    await settled(world);
    expect(await recordingsOf(world, meeting)).toMatchObject({ expected: { state: 'open' } });
    world.jump(3 * DAY);
    await settled(world);
    expect(await recordingsOf(world, meeting)).toMatchObject({ data: [], expected: null });
    expect(told(world, 'recording.missing')).toEqual([]);
  });

  it('G13 of a meeting of which nothing is known is missing when the vendor could not be asked', async () => {
    const world = await start();
    const meeting = await booked(world, 'zoom');
    world.jump(3 * HOUR);
    await settled(world);
    expect(await recordingsOf(world, meeting)).toMatchObject({ expected: { state: 'open' } });
    const { db } = world.gateway.gateway;
    await db.write((tx) => tx.update(tx.t.connections).set({ status: 'reconnect_required' }));
    world.jump(3 * DAY);
    const missing = await waitFor(world, 'recording.missing', meeting.id);
    expect(missing.data).toMatchObject({ reason: 'reconnect_required' });
    expect(await recordingsOf(world, meeting)).toMatchObject({ expected: { state: 'missed' } });
  });

  it('G13 of a meeting that is held once more is missed once more', async () => {
    const world = await start();
    const meeting = await booked(world, 'google-meet');
    for (const times of [1, 2]) {
      await held(world, meeting);
      await settled(world);
      world.jump(3 * DAY);
      await eventually('it is missed', () => told(world, 'recording.missing').length === times);
    }
  });

  it.each(VENDORS)('G11 of a meeting of %s that is not to be recorded is never looked for', async (vendor) => {
    const world = await start();
    const meeting = await booked(world, vendor, { recording: 'none' });
    await held(world, meeting);
    await settled(world);
    const before = looksAt(world, vendor);
    for (const wait of [3 * HOUR, DAY, 15 * DAY]) {
      world.jump(wait);
      await settled(world);
    }
    expect(looksAt(world, vendor)).toBe(before);
    expect((await recordingsOf(world, meeting)).expected).toBeNull();
    expect(told(world, 'recording.missing')).toEqual([]);
  });

  it('G13 Graph says that it could not deliver: what the account has recorded is looked at', async () => {
    const world = await start();
    const meeting = await booked(world, 'microsoft-teams');
    lose(world);
    await held(world, meeting);
    world.jump(3 * HOUR);
    await settled(world);
    await happen(world, meeting, 'finish-recording');
    const before = looksAt(world, 'microsoft-teams');
    const { gateway } = world.gateway;
    const { id } = (await findSubscriptionOf(gateway.db.read, meeting.connection_id!).then((found) => found && { id: found.vendorId }))!;
    const provider = gateway.providers.get('microsoft-teams')!;
    await gateway.db.write((tx) => applyEvent(tx, gateway, provider, { type: 'subscription.missed', subscriptionId: id, reason: null }));
    // Less than until the next look by the schedule.
    await settled(world);
    world.jump(MINUTE);
    await waitFor(world, 'recording.published', meeting.id);
    expect(looksAt(world, 'microsoft-teams')).toBeGreaterThan(before);
  });
});

describeOnBothDatabases('a gateway that was away', (_open, engine) => {
  const lived = async () => {
    const url = await engine.createUrl();
    const world = await testWorld({ databaseUrl: engine.dialect === 'sqlite' ? `file:${url}` : url });
    const meeting = await booked(world, 'zoom');
    await happen(world, meeting, 'start');
    await waitFor(world, 'meeting.started', meeting.id);
    await settled(world);
    lose(world);
    await happen(world, meeting, 'end');
    await happen(world, meeting, 'finish-recording');
    const planned = async (kind = 'recording.look_soon'): Promise<number> =>
      (await raw(url, `select id from jobs where kind = '${kind}'`)).length;
    return { world, meeting, planned };
  };

  it('G13 case 37: finds what was told meanwhile, of meetings that were running, too', async () => {
    const { world, meeting, planned } = await lived();
    await restart(world, { after: 5 * MINUTE });
    await eventually('a look is planned', async () => (await planned()) === 1);
    world.jump(1_000);
    await waitFor(world, 'recording.published', meeting.id);
    expect(told(world, 'recording.published')).toHaveLength(1);
  });

  it('G13 does not look for anything after a short restart', async () => {
    const { world, planned } = await lived();
    await restart(world, { after: MINUTE });
    expect(await planned('gateway.pulse')).toBe(1);
    for (const kind of ['recording.sweep', 'recording.look_soon']) expect(await planned(kind)).toBe(0);
    expect(looksAt(world, 'zoom')).toBe(0);
  });
});

describeOnBothDatabases('a recording that the vendor does not give any more', (_open, engine) => {
  const published = async (vendor: Vendor) => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const meeting = await booked(world, vendor);
    await held(world, meeting);
    await happen(world, meeting, 'finish-recording');
    const event = await waitFor(world, 'recording.published', meeting.id);
    await settled(world);
    return { world, meeting, link: (event.data['links'] as { url: string }[])[0]!.url };
  };
  const gone = { status: 404, body: { code: 3301, message: 'There is no recording for this meeting.' } };

  it('is taken back once the vendor’s list does not show it either, although no webhook said so', async () => {
    const { world, meeting, link } = await published('zoom');
    fault(world, 'zoom', 'GET', '^/v2/meetings/.*/recordings', gone, 50);
    fault(world, 'zoom', 'GET', '^/v2/users/.*/recordings', { status: 200, body: { meetings: [] } }, 50);
    const media = await visit(`${link}/media`);
    expect([media.status, media.headers.get('content-type')]).toEqual([410, 'text/html; charset=UTF-8']);
    expect((await recordingsOf(world, meeting)).data).toMatchObject([{ state: 'published' }]);
    world.jump(10 * MINUTE);
    const revoked = await waitFor(world, 'recording.revoked', meeting.id);
    expect(revoked.data).toMatchObject({ reason: 'deleted_at_vendor' });
    expect((await visit(link)).status).toBe(410);
  });

  it('is looked at in its time, however often somebody tries to watch it', async () => {
    const { world, meeting, link } = await published('zoom');
    fault(world, 'zoom', 'GET', '^/v2/meetings/.*/recordings', gone, 50);
    fault(world, 'zoom', 'GET', '^/v2/users/.*/recordings', { status: 200, body: { meetings: [] } }, 50);
    for (const later of [0, 4 * MINUTE]) {
      world.jump(later);
      expect((await visit(`${link}/media`)).status).toBe(410);
    }
    world.jump(MINUTE);
    await waitFor(world, 'recording.revoked', meeting.id);
  });

  it('stays after one odd answer', async () => {
    const { world, meeting, link } = await published('zoom');
    fault(world, 'zoom', 'GET', '^/v2/meetings/.*/recordings', gone, 1);
    expect((await visit(`${link}/media`)).status).toBe(410);
    world.jump(10 * MINUTE);
    await settled(world);
    expect((await recordingsOf(world, meeting)).data).toMatchObject([{ state: 'published' }]);
    expect((await visit(`${link}/media`)).status).toBe(200);
    expect(told(world, 'recording.revoked')).toEqual([]);
  });

  it('is taken back when Google still names it, and its file is deleted', async () => {
    const { world, meeting, link } = await published('google-meet');
    fault(world, 'google-meet', 'GET', '^/drive/', { status: 404, body: { error: { code: 404, message: 'File not found.' } } }, 50);
    expect((await visit(`${link}/media`)).status).toBe(410);
    world.jump(10 * MINUTE);
    await waitFor(world, 'recording.revoked', meeting.id);
  });
});
