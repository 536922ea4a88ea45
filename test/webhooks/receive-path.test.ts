/** Every documented payload that is a webhook, through the real way in: HTTP, proof, inbox, effect. */
import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import type { World } from '../../demo/world.ts';
import { findConnection, findSubscriptionOf } from '../../src/store/connections.ts';
import { settled } from '../support/gateway.ts';
import { deliver, inbox, knownMeeting, meetingNow, post, sign, toldAbout, webhookWorld, type Known } from './vendors.ts';

const fixture = (path: string): string => readFileSync(new URL(`../fixtures/${path}.json`, import.meta.url), 'utf8');

async function recordingsOf({ gateway }: World) {
  const { read } = gateway.gateway.db;
  return read.select().from(read.t.recordings);
}

/** The one entry that a delivery left behind. */
const onlyEntry = async (world: World) => {
  const entries = await inbox(world);
  expect(entries).toHaveLength(1);
  return entries[0]!;
};
const expectApplied = async (world: World) => expect(await onlyEntry(world)).toMatchObject({ state: 'applied', body: null });

describe('Zoom', () => {
  /** The documented body, about a meeting that the gateway knows. */
  const body = ({ meeting }: Known, event: string): Buffer =>
    Buffer.from(fixture(`zoom/${event}`).replaceAll('1234567890', meeting.vendorMeetingId!));
  const start = async () => {
    const world = await webhookWorld();
    return { world, known: await knownMeeting(world, 'zoom') };
  };

  it('answers the documented challenge and stores nothing', async () => {
    const world = await webhookWorld();
    const bytes = Buffer.from(fixture('zoom/endpoint.url_validation'));
    const answer = await post(world, 'zoom', await sign(world, { vendor: 'zoom', connection: undefined! }, bytes));
    expect(answer.status).toBe(200);
    const { plainToken } = (JSON.parse(bytes.toString()) as { payload: { plainToken: string } }).payload;
    expect(await answer.json()).toMatchObject({ plainToken, encryptedToken: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(await inbox(world)).toEqual([]);
  });

  it.each([
    ['meeting.started', 'live', ['meeting.started']],
    // The documented end is years ago, and so is the time by which a recording should have been there.
    ['meeting.ended', 'ended', ['meeting.ended', 'recording.missing']],
    // Where people come and go the meeting runs, even if the news of its start is lost or late.
    ['meeting.participant_joined', 'live', ['meeting.participant_joined', 'meeting.started']],
    ['meeting.participant_left', 'live', ['meeting.participant_left', 'meeting.started']],
    ['meeting.created', 'confirmed', []],
    ['meeting.updated', 'confirmed', []],
    ['meeting.deleted', 'confirmed', []],
    ['recording.started', 'confirmed', ['recording.processing']],
    ['recording.stopped', 'confirmed', ['recording.processing']],
    ['recording.completed', 'confirmed', ['recording.published']],
    // Without the word about the film it is looked for.
    ['recording.transcript_completed', 'confirmed', ['recording.processing']],
    ['recording.trashed', 'confirmed', []],
    ['recording.deleted', 'confirmed', []],
    // Nobody told that there was one, nor that it was deleted: it is there, and shown when somebody asks for it.
    ['recording.recovered', 'confirmed', ['recording.withheld']],
  ])('%s: the meeting is %s, the marketplace hears %j', async (event, state, told) => {
    const { world, known } = await start();
    expect(await deliver(world, known, body(known, event))).toBe(200);
    await expectApplied(world);
    await settled(world);
    expect((await meetingNow(world, known.meeting.id)).state).toBe(state);
    expect(await toldAbout(world, known.meeting.id)).toEqual(told);
  });

  it('takes start and end from the events, not from the time of their arrival', async () => {
    const { world, known } = await start();
    await deliver(world, known, body(known, 'meeting.started'));
    await deliver(world, known, body(known, 'meeting.ended'));
    expect(await meetingNow(world, known.meeting.id)).toMatchObject({
      state: 'ended',
      startedAt: new Date('2021-07-13T21:44:51Z'),
      endedAt: new Date('2021-07-13T23:00:51Z'),
    });
  });

  it('G13 publishes the recording to the customer, adds the transcript, and takes everything back when it is trashed', async () => {
    const { world, known } = await start();
    await deliver(world, known, body(known, 'recording.completed'));
    const published = await world.receiver.waitFor('recording.published', ({ type }) => type === 'recording.published');
    expect(published.data['links']).toMatchObject([{ customer_id: 'cus_1', url: expect.stringContaining(`${world.publicUrl}/r/`) }]);
    const [link] = published.data['links'] as { url: string }[];
    expect((await fetch(link!.url)).status).toBe(200);

    await deliver(world, known, body(known, 'recording.transcript_completed'));
    const [recording, ...others] = await recordingsOf(world);
    expect(others).toEqual([]);
    expect(recording).toMatchObject({ state: 'published' });
    expect(recording!.files.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['transcript', 'video']));

    await deliver(world, known, body(known, 'recording.trashed'));
    expect(await recordingsOf(world)).toMatchObject([{ state: 'revoked' }]);
    expect((await fetch(link!.url)).status).toBe(410);
    await deliver(world, known, body(known, 'recording.recovered'));
    expect(await recordingsOf(world)).toMatchObject([{ state: 'revoked' }]);
  });

  it('case 87: an account that removed the app is revoked, its tokens are gone', async () => {
    const { world, known } = await start();
    const { organisation, accountId, id } = known.connection;
    const moment = world.now().toISOString().slice(0, 19).replace('T', ' ');
    const document = fixture('zoom/app_deauthorized').replace('AAAAAABBBB', organisation!).replace('abcD3ojfdbjfg', accountId);
    const bytes = Buffer.from(document.replace('2024-09-08 15:58:40', moment));
    expect(await deliver(world, known, bytes)).toBe(200);
    await expectApplied(world);
    const { db } = world.gateway.gateway;
    expect(await findConnection(db.read, id)).toMatchObject({ status: 'revoked', statusReason: 'app_removed' });
    expect(await db.read.select().from(db.read.t.grants)).toMatchObject([{ tokensSealed: null }]);
    await world.receiver.waitFor('connection.revoked', ({ type, data }) => type === 'connection.revoked' && data['connection_id'] === id);
  });
});

describe('Microsoft Teams', () => {
  const start = async () => {
    const world = await webhookWorld();
    const known = await knownMeeting(world, 'microsoft-teams');
    const { happenings } = world.sandbox.sandbox;
    const record = (): { id: string; recording: string } => {
      happenings['microsoft-teams'].start(known.joinUrl);
      happenings['microsoft-teams'].end(known.joinUrl, 'host');
      return happenings['microsoft-teams'].finishRecording(known.joinUrl, { transcript: false }) as { id: string; recording: string };
    };
    return { world, known, record };
  };
  /** With the ids of what is there; everything else stays as documented. */
  const body = (name: string, { subscriptionId }: Known, recorded?: { id: string; recording: string }): Buffer => {
    const document = JSON.parse(fixture(`microsoft-teams/${name}`)) as Record<string, unknown>;
    for (const item of (document['value'] ?? [document]) as Record<string, unknown>[]) {
      item['subscriptionId'] = subscriptionId;
      if (recorded !== undefined)
        item['resource'] = String(item['resource'])
          .replace(/onlineMeetings\('[^']+'\)/, `onlineMeetings('${recorded.id}')`)
          .replace(/recordings\('[^']+'\)/, `recordings('${recorded.recording}')`);
    }
    return Buffer.from(JSON.stringify(document));
  };

  it.each(['notification-recording-basic', 'notification-recording-basic.as-documented', 'notification-recording-rich'])(
    'G13 %s: Graph is asked for the recording, and it is published',
    async (name) => {
      const { world, known, record } = await start();
      expect(await deliver(world, known, body(name, known, record()))).toBe(202);
      await expectApplied(world);
      expect(await recordingsOf(world)).toMatchObject([{ state: 'published', meetingId: known.meeting.id }]);
      expect(await toldAbout(world, known.meeting.id)).toEqual(['recording.published']);
    },
  );

  it('forgets a recording that Graph does not have any more', async () => {
    const { world, known } = await start();
    const gone = { id: known.meeting.vendorMeetingId!, recording: 'VjIjIzE5gone' };
    expect(await deliver(world, known, body('notification-recording-basic', known, gone))).toBe(202);
    await expectApplied(world);
    expect(await recordingsOf(world)).toEqual([]);
  });

  it.each(['notification-basic-message', 'notification-meetingCallEvents-rich', 'notification-rich-generic-chatMessage'])(
    '%s: is none of ours to act on',
    async (name) => {
      const { world, known } = await start();
      expect(await deliver(world, known, body(name, known))).toBe(202);
      await expectApplied(world);
      expect(await toldAbout(world, known.meeting.id)).toEqual([]);
    },
  );

  it.each(['lifecycle-reauthorizationRequired', 'lifecycle-subscriptionRemoved', 'lifecycle-missed'])(
    'case 47: %s: there is a working subscription again',
    async (name) => {
      const { world, known } = await start();
      expect(await deliver(world, known, body(name, known), '/lifecycle')).toBe(202);
      await expectApplied(world);
      await expectNewSubscription(world, known);
    },
  );
});

describe('Google Meet', () => {
  const start = async () => {
    const world = await webhookWorld();
    const known = await knownMeeting(world, 'google-meet');
    const meet = world.sandbox.sandbox.happenings['google-meet'];
    return { world, known, meet, code: new URL(known.joinUrl).pathname.slice(1) };
  };
  /** With the names of what is there, and the moment `at` where it matters; everything else stays as documented. */
  const body = (name: string, { subscriptionId }: Known, resource?: string, at?: Date): Buffer => {
    const text = JSON.parse(fixture(`google-meet/${name}`)) as { body?: object };
    const document = (text.body ?? text) as { message: { attributes?: Record<string, string>; data: string } };
    const { message } = document;
    if (message.attributes?.['ce-source'] !== undefined)
      message.attributes['ce-source'] = `//workspaceevents.googleapis.com/${subscriptionId}`;
    if (at !== undefined) message.attributes = { ...message.attributes, 'ce-time': at.toISOString() };
    if (resource !== undefined) {
      const data = Buffer.from(message.data, 'base64')
        .toString()
        .replace(/"name":"[^"]+"/, `"name":"${resource}"`);
      message.data = Buffer.from(data).toString('base64');
    }
    return Buffer.from(JSON.stringify(document));
  };

  it('the conference starts, somebody joins and leaves, it ends', async () => {
    const { world, known, meet, code } = await start();
    const { conferenceRecord } = meet.start(code) as { conferenceRecord: string };
    const { participantSession } = meet.join(code, { name: 'Ada' }) as { participantSession: string };
    // Who joined at the moment of the documentation, days ago, would be in a meeting that has long reached its limit.
    const push = (name: string, resource: string) =>
      deliver(world, known, body(`composed-push-meet-${name}`, known, resource, world.now()));
    expect(await push('conference-started', conferenceRecord)).toBe(204);
    expect((await meetingNow(world, known.meeting.id)).state).toBe('live');
    await push('participant-joined', participantSession);
    await push('participant-left', participantSession);
    world.jump(60_000);
    meet.end(code, 'host');
    await push('conference-ended', conferenceRecord);
    expect((await meetingNow(world, known.meeting.id)).state).toBe('ended');
    expect((await inbox(world)).map(({ state }) => state)).toEqual(['applied', 'applied', 'applied', 'applied']);
    expect(await toldAbout(world, known.meeting.id)).toEqual([
      'meeting.ended',
      'meeting.participant_joined',
      'meeting.participant_left',
      'meeting.started',
    ]);
  });

  it('G13 the recording starts, ends, and is published once its file is there', async () => {
    const { world, known, meet, code } = await start();
    meet.start(code);
    world.jump(60_000);
    const { recording } = meet.finishRecording(code, { transcript: false }) as { recording: string };
    // The state of this moment counts, whatever an early event was about.
    for (const name of ['recording-started', 'recording-ended', 'recording-fileGenerated'])
      expect(await deliver(world, known, body(`composed-push-meet-${name}`, known, recording))).toBe(204);
    expect(await recordingsOf(world)).toMatchObject([{ state: 'published', meetingId: known.meeting.id }]);
    expect(await toldAbout(world, known.meeting.id)).toEqual(['recording.published']);
  });

  it('forgets a conference that Google does not have any more', async () => {
    const { world, known } = await start();
    expect(await deliver(world, known, body('composed-push-meet-recording-fileGenerated', known))).toBe(204);
    await expectApplied(world);
    expect(await recordingsOf(world)).toEqual([]);
  });

  it.each([
    'composed-push-meet-transcript-fileGenerated',
    'repo-meet-push-transcript-conference-subject',
    'repo-meet-push-transcript-space-target',
    'docs-workspace-event-pubsub-message',
  ])('%s: is taken, and nothing follows from it', async (name) => {
    const { world, known } = await start();
    expect(await deliver(world, known, body(name, known))).toBe(204);
    await expectApplied(world);
    expect(await toldAbout(world, known.meeting.id)).toEqual([]);
  });

  it.each([
    'docs-pubsub-push-body',
    'pubsub-push-envelope-binary',
    'pubsub-push-envelope-duplicatedFields',
    'pubsub-push-envelope-orderingkey',
    'pubsub-push-envelope-text',
  ])('case 50: %s: a message that carries no event is acknowledged and set aside', async (name) => {
    const { world, known } = await start();
    expect(await deliver(world, known, body(name, known))).toBe(204);
    expect(await onlyEntry(world)).toMatchObject({ state: 'parked', reason: expect.stringContaining('malformed') });
  });

  it.each(['composed-push-lifecycle-expirationReminder', 'composed-push-lifecycle-expired', 'composed-push-lifecycle-suspended'])(
    'case 47: %s: there is a working subscription again',
    async (name) => {
      const { world, known } = await start();
      expect(await deliver(world, known, body(name, known, known.subscriptionId))).toBe(204);
      await expectApplied(world);
      await expectNewSubscription(world, known);
    },
  );
});

async function expectNewSubscription(world: World, known: Known): Promise<void> {
  const { gateway } = world.gateway;
  await vi.waitFor(async () => {
    world.gateway.gateway.wake();
    const now = await findSubscriptionOf(gateway.db.read, known.connection.id);
    expect(now).toBeDefined();
    expect(now!.vendorId).not.toBe(known.subscriptionId);
  });
}
