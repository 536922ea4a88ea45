/** Whatever a vendor tells of a recording, in whatever order and however often: one publication, told once (G13). */
import { eq } from 'drizzle-orm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { World } from '../../demo/world.ts';
import { atVendor } from '../../src/connections/account.ts';
import { DAY, MINUTE } from '../../src/domain/time.ts';
import { findSubscriptionOf } from '../../src/store/connections.ts';
import type { Meeting } from '../../src/store/meetings.ts';
import { push } from '../providers/google-meet.options.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { databaseOf, eventually } from '../support/gateway.ts';
import { selfSigned } from '../support/certificate.ts';
import { connect, testWorld, USERS } from '../support/world.ts';
import { bookMeeting, deliver, inbox, knownMeeting, meetingNow, toldAbout, VENDORS, webhookWorld, type Known } from './vendors.ts';

/** Has the meeting held and recorded at the vendor, who stays silent; gives everything that the vendor would tell of the recording. */
async function record(world: World, known: Known): Promise<readonly Buffer[]> {
  const happenings = world.sandbox.sandbox.happenings[known.vendor];
  const id = known.meeting.vendorMeetingId!.replace(/^spaces\//, '');
  happenings.start(id);
  happenings.end(id, 'host');
  const made = happenings.finishRecording(id, { transcript: true }) as Record<string, string>;
  switch (known.vendor) {
    case 'zoom':
      return zoomTellings(id, made['uuid']!, world.now());
    case 'microsoft-teams':
      return teamsTellings(known, made['id']!, made['recording']!);
    case 'google-meet':
      return googleTellings(known, made['recording']!);
  }
}

function zoomTellings(number: string, uuid: string, now: Date): Buffer[] {
  const began = now.getTime();
  const object = { id: Number(number), uuid, host_id: 'host', start_time: now.toISOString(), timezone: 'UTC', duration: 30 };
  const tell = (event: string, afterMs: number, members: object, token = 'one') => {
    const payload = { account_id: 'account', object: { ...object, ...members } };
    return Buffer.from(JSON.stringify({ event, event_ts: began + afterMs, payload, download_token: token }));
  };
  const file = (id: string, type: string, status = 'completed', token = 'one') => ({
    id: `${uuid}-${id}`,
    file_type: type,
    file_size: 1_000,
    recording_start: now.toISOString(),
    recording_end: new Date(began + MINUTE).toISOString(),
    status,
    download_url: `https://zoom.us/rec/download/${token}`,
  });
  const [video, audio, transcript] = [file('video', 'MP4'), file('audio', 'M4A'), file('transcript', 'TRANSCRIPT')];
  return [
    tell('recording.started', 0, { recording_file: { recording_start: now.toISOString(), recording_end: '' } }),
    tell('recording.stopped', 1_000, { recording_file: { recording_start: now.toISOString(), recording_end: now.toISOString() } }),
    tell('recording.completed', 2_000, { recording_files: [video, file('audio', 'M4A', 'processing')] }),
    tell('recording.completed', 3_000, { recording_files: [video, audio] }),
    // The same moment with other addresses, as has been reported, and one of a moment later.
    tell('recording.completed', 3_000, { recording_files: [file('video', 'MP4', 'completed', 'two'), audio] }, 'two'),
    tell('recording.completed', 3_007, { recording_files: [video, audio] }, 'three'),
    tell('recording.transcript_completed', 4_000, { recording_files: [transcript] }, 'four'),
  ];
}

function teamsTellings({ subscriptionId }: Known, meetingId: string, recordingId: string): Buffer[] {
  const resource = `communications/onlineMeetings('${meetingId}')/recordings('${recordingId}')`;
  const tell = (members: object = {}, body: object = {}) => {
    const item = { subscriptionId, changeType: 'created', tenantId: 'tenant', resource, resourceData: { id: recordingId }, ...members };
    return Buffer.from(JSON.stringify({ value: [item], ...body }));
  };
  return [
    tell(),
    tell({ subscriptionExpirationDateTime: '2026-11-23T10:00:00Z' }),
    tell({ resource: `users('organizer')/onlineMeetings('${meetingId}')/recordings('${recordingId}')` }),
    tell({ resource: `communications/onlineMeetings/${meetingId}/recordings/${recordingId}` }),
    // Another spelling of the change, and a notification that nobody asked for.
    tell({ changeType: 'updated' }),
  ];
}

function googleTellings({ subscriptionId }: Known, recording: string): Buffer[] {
  let told = 0;
  const tell = (type: string, data: Record<string, unknown>, message: Record<string, unknown> = {}, id?: string) => {
    told += 1;
    const attributes = {
      'ce-source': `//workspaceevents.googleapis.com/${subscriptionId}`,
      'ce-type': `google.workspace.meet.${type}`,
      'ce-id': id ?? `${recording}-${told}`,
    };
    return push(attributes, data, message);
  };
  const named = { recording: { name: recording } };
  return [
    tell('recording.v2.started', named),
    tell('recording.v2.ended', named),
    tell('recording.v2.fileGenerated', named, {}, `${recording}-made`),
    // Published again under a new message, and told again as a new event.
    tell('recording.v2.fileGenerated', named, { messageId: '2' }, `${recording}-made`),
    tell('recording.v2.fileGenerated', named),
    tell('transcript.v2.fileGenerated', { transcript: { name: `${recording.split('/recordings/')[0]}/transcripts/t` } }),
  ];
}

/** What came of it, for those who look from outside. */
async function outcome(world: World, { id }: Meeting) {
  const { read } = world.gateway.gateway.db;
  const recordings = (await read.select().from(read.t.recordings)).filter(({ meetingId }) => meetingId === id);
  const links = await read.select().from(read.t.recordingLinks);
  const told = (await toldAbout(world, id)).filter((type) => type.startsWith('recording.'));
  return {
    recordings: recordings.map(({ id: recordingId, state }) => ({
      state,
      links: links.filter((link) => link.recordingId === recordingId).length,
    })),
    // Whether it was heard of before it was ready depends on the order.
    told: told.filter((type) => type !== 'recording.processing'),
    processing: told.filter((type) => type === 'recording.processing').length <= 1,
  };
}

const rename = ({ gateway }: World, { id }: Meeting, vendorMeetingId: string | null): Promise<unknown> =>
  gateway.gateway.db.write((tx) => tx.update(tx.t.meetings).set({ vendorMeetingId }).where(eq(tx.t.meetings.id, id)));

const ONCE = { recordings: [{ state: 'published', links: 1 }], told: ['recording.published'], processing: true };

describeOnBothDatabases('G13 everything that a vendor tells of one recording', (_open, engine) => {
  it.each(VENDORS)(
    'cases 32-36, 38: %s: in any order, early, late and repeated, is published once',
    { timeout: 120_000 },
    async (vendor) => {
      const world = await webhookWorld({ databaseUrl: await databaseOf(engine) });
      const account = await knownMeeting(world, vendor);
      let booked = 0;
      let last: { known: Known; tellings: readonly Buffer[] } | undefined;
      const indices = [0, 1, 2, 3, 4, 5, 6];
      const orders = fc.record({
        order: fc.shuffledSubarray(indices, { minLength: indices.length }),
        again: fc.array(fc.constantFrom(...indices), { maxLength: 4 }),
        // So many of them arrive before the gateway knows whose meeting it is.
        early: fc.nat(3),
      });
      await fc.assert(
        fc.asyncProperty(orders, async ({ order, again, early }) => {
          booked += 1;
          const known: Known = { ...account, ...(await bookMeeting(world, vendor, `bk_many_${booked}`)) };
          const tellings = await record(world, known);
          last = { known, tellings };
          const sequence = [...order, ...again].flatMap((index) => tellings[index] ?? []);
          if (early > 0) await rename(world, known.meeting, null);
          for (const bytes of sequence.slice(0, early)) expect(await deliver(world, known, bytes)).toBeLessThan(300);
          expect((await outcome(world, known.meeting)).recordings).toEqual([]);
          await rename(world, known.meeting, known.meeting.vendorMeetingId);
          for (const bytes of sequence.slice(early)) expect(await deliver(world, known, bytes)).toBeLessThan(300);
          world.jump(3 * MINUTE);
          await deliver(world, known, tellings[0]!);
          expect(await outcome(world, known.meeting)).toEqual(ONCE);
        }),
        { numRuns: 5 },
      );

      const { known, tellings } = last!;
      for (let day = 0; day < 15; day += 1) world.jump(DAY);
      await world.receiver.waitFor(
        'recording.expired',
        ({ type, data }) => type === 'recording.expired' && data['meeting_id'] === known.meeting.id,
      );
      for (const bytes of [...tellings, ...later(known, tellings)]) expect(await deliver(world, known, bytes)).toBeLessThan(300);
      expect(await outcome(world, known.meeting)).toMatchObject({
        recordings: [{ state: 'expired' }],
        told: ['recording.expired', 'recording.published'],
      });
      expect((await inbox(world)).filter(({ state }) => state === 'parked')).toEqual([]);
    },
  );
});

/** The same news once more, as happenings of another moment. */
function later({ vendor }: Known, tellings: readonly Buffer[]): Buffer[] {
  if (vendor === 'zoom')
    return tellings.map((bytes) => Buffer.from(bytes.toString().replace(/"event_ts":(\d+)/, (_, ms) => `"event_ts":${Number(ms) + DAY}`)));
  if (vendor === 'google-meet') return tellings.map((bytes) => Buffer.from(bytes.toString().replace(/"ce-id":"/, '"ce-id":"again-')));
  return tellings.map((bytes) => Buffer.from(bytes.toString().replace('"changeType":"created"', '"changeType":"created","id":"again"')));
}

describe('encrypted notifications of Teams over the sandbox', () => {
  it('G13 publish the recording once, and Graph is not asked for what they say', async () => {
    const { certificate, privateKey } = selfSigned();
    const world = await testWorld({ environment: { MICROSOFT_NOTIFICATION_KEYS: certificate + privateKey } });
    const { db } = world.gateway.gateway;
    const connectionId = await connect(world, 'microsoft-teams', { professionalId: 'pro_microsoft-teams' });
    await eventually('its events are subscribed to', () => findSubscriptionOf(db.read, connectionId));
    const { meeting } = await bookMeeting(world, 'microsoft-teams');
    const { happenings, settle, traffic, deliveries } = world.sandbox.sandbox;
    happenings['microsoft-teams'].start(meeting.vendorMeetingId!);
    happenings['microsoft-teams'].end(meeting.vendorMeetingId!, 'host');
    const before = traffic.requests().length;
    happenings['microsoft-teams'].finishRecording(meeting.vendorMeetingId!, { transcript: false });
    await settle();
    await world.receiver.waitFor('recording.published', ({ type }) => type === 'recording.published');
    expect(await outcome(world, meeting)).toEqual(ONCE);
    const told = deliveries.list('microsoft-teams').find(({ type }) => type === 'created');
    expect(told).toMatchObject({ state: 'delivered', attempts: [{ status: 202 }] });
    expect(JSON.stringify(told)).not.toContain('recordingContentUrl');
    expect(
      traffic
        .requests()
        .slice(before)
        .filter(({ path }) => path.includes('/recordings/')),
    ).toEqual([]);
  });
});

describe('recordings of meetings that nobody here knows', () => {
  it.each(VENDORS)('case 38: %s: are put off, dropped and counted, and nobody else gets them', async (vendor) => {
    const world = await webhookWorld({ environment: { METRICS_TOKEN: 'a-token-of-metrics' } });
    const known = await knownMeeting(world, vendor);
    const stranger = { ...known, ...(await bookMeeting(world, vendor, 'bk_stranger')) };
    const tellings = await record(world, stranger);
    // Of the professional's own, as far as the gateway can tell: made at the vendor by hand.
    await rename(world, stranger.meeting, null);
    for (const bytes of tellings) expect(await deliver(world, known, bytes)).toBeLessThan(300);
    const waiting = (await inbox(world)).filter(({ state }) => state === 'pending');
    expect(waiting.length).toBeGreaterThan(0);
    for (const { reason } of waiting) expect(reason).toBe('unmatched');
    for (let passed = 0; passed < 80; passed += 5) {
      world.jump(5 * MINUTE);
      await deliver(world, known, tellings[0]!);
    }
    const rows = await inbox(world);
    expect(rows.filter(({ state }) => state === 'pending')).toEqual([]);
    const dropped = rows.filter(({ state }) => state === 'dropped');
    expect(dropped).toHaveLength(waiting.length);
    for (const { body, reason } of dropped) expect([body, reason]).toEqual([null, 'unmatched']);
    const metrics = await fetch(`${world.publicUrl}/metrics`, { headers: { authorization: 'Bearer a-token-of-metrics' } });
    expect(await metrics.text()).toMatch(new RegExp(`^gateway_inbox_dropped ${waiting.length}$`, 'm'));
    for (const { meeting } of [known, stranger]) expect(await outcome(world, meeting)).toMatchObject({ recordings: [], told: [] });
    expect((await meetingNow(world, known.meeting.id)).state).toBe('confirmed');
  });
});

describeOnBothDatabases('G15 many recordings that are taken away at once', (_open, engine) => {
  const batch = (world: World, accountId: string | null, uuids: readonly string[]) => {
    const object = { meetings: uuids.map((uuid) => ({ meeting_uuid: uuid, recording_file_ids: [] })) };
    const payload = { account_id: accountId, operator: 'admin@example.com', operator_id: 'admin', object };
    return Buffer.from(JSON.stringify({ event: 'recording.batch_deleted', event_ts: world.now().getTime(), payload }));
  };

  it('Zoom: ends the publications of that account that are named, and no others', async () => {
    const world = await webhookWorld({ databaseUrl: await databaseOf(engine) });
    const known = await knownMeeting(world, 'zoom');
    const other: Known = { ...known, ...(await bookMeeting(world, 'zoom', 'bk_2')) };
    const uuids: string[] = [];
    for (const one of [known, other]) {
      const tellings = await record(world, one);
      for (const bytes of tellings) await deliver(world, one, bytes);
      uuids.push((JSON.parse(tellings[0]!.toString()) as { payload: { object: { uuid: string } } }).payload.object.uuid);
    }
    await deliver(world, known, batch(world, 'somebody-elses', uuids));
    for (const { meeting } of [known, other]) expect(await outcome(world, meeting)).toEqual(ONCE);
    world.jump(1_000);
    expect(await deliver(world, known, batch(world, known.connection.organisation, ['unheard-of==', uuids[0]!]))).toBe(200);
    expect(await outcome(world, known.meeting)).toMatchObject({ told: ['recording.published', 'recording.revoked'] });
    expect(await outcome(world, other.meeting)).toEqual(ONCE);
  });
});

describe('automatic recording over the sandbox', () => {
  it.each(VENDORS)('G12 %s: is switched on and off, and told as it is where the account may not record', async (vendor) => {
    const world = await webhookWorld();
    const known = await knownMeeting(world, vendor);
    const set = (on: boolean) =>
      atVendor(world.gateway.gateway, known.connection, (provider, account) =>
        provider.recordAutomatically!(
          account,
          { id: known.meeting.vendorMeetingId!, joinUrl: known.joinUrl, details: known.meeting.vendorDetails },
          on,
        ),
      );
    expect([await set(true), await set(true), await set(false)]).toEqual([true, true, false]);
    const { sandbox } = world.sandbox;
    if (vendor === 'zoom') sandbox.addUser(vendor, { email: USERS.zoom, type: 1 });
    else sandbox.administer(vendor, { recording: { user: USERS[vendor], allowed: false } });
    expect(await set(true)).toBe(false);
  });
});
