/** Vendors deliver late, twice, out of order and at the same moment; what it comes to is always the same. */
import { randomBytes } from 'node:crypto';
import { eq } from 'drizzle-orm';
import fc from 'fast-check';
import pino from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Provider, VendorEvent } from '../../providers/provider.ts';
import { readConfig } from '../../src/config.ts';
import { MINUTE, plus } from '../../src/domain/time.ts';
import { minutesOf, sessionsOf, sumOf } from '../../src/domain/session.ts';
import type { Gateway } from '../../src/gateway.ts';
import { createMarketplace } from '../../src/marketplaces/manage.ts';
import { recordConsent } from '../../src/meetings/consent.ts';
import { createMeeting } from '../../src/meetings/create.ts';
import { purchase } from '../../src/meetings/purchase.ts';
import { usedBlocks } from '../../src/meters/follow.ts';
import { openGateway } from '../../src/server.ts';
import { listFacts } from '../../src/store/facts.ts';
import type { Marketplace } from '../../src/store/marketplaces.ts';
import { findMeeting, insertAttendee, insertMeeting } from '../../src/store/meetings.ts';
import { listMeterBlocks } from '../../src/store/meters.ts';
import { applyEvent } from '../../webhooks/apply.ts';
import { zoomStory } from '../faults/zoom-story.ts';
import { describeOnBothDatabases, useDatabases } from '../support/databases.ts';

const NOW = new Date('2026-11-20T10:00:00Z');

interface Bench {
  readonly gateway: Gateway;
  readonly zoom: Provider;
  /** A new bought meeting that Zoom knows under this number. */
  book(number: string): Promise<string>;
  apply(event: VendorEvent): Promise<boolean>;
}

/** No server, no worker: only what a test does happens. */
async function createBench(address: string): Promise<Bench> {
  const config = readConfig({
    DATABASE_URL: address.startsWith('postgres') ? address : `file:${address}`,
    ENCRYPTION_KEYS: `test:${randomBytes(32).toString('base64')}`,
    ZOOM_CLIENT_ID: 'client',
    ZOOM_CLIENT_SECRET: 'secret',
    ZOOM_WEBHOOK_SECRET: 'webhook-secret',
  });
  const gateway = await openGateway(config, {
    now: () => NOW,
    random: randomBytes,
    keys: config.encryptionKeys!,
    log: pino({ level: 'silent' }),
  });
  onTestFinished(() => gateway.db.close());
  const { marketplace } = await createMarketplace(gateway, { name: 'Test', preset: 'guide', returnUrls: [] });
  const zoom = gateway.providers.get('zoom')!;
  return {
    gateway,
    zoom,
    book: (number) => book(gateway, marketplace, number),
    apply: (event) => gateway.db.write((tx) => applyEvent(tx, gateway, zoom, event)),
  };
}

async function book(gateway: Gateway, marketplace: Marketplace, number: string): Promise<string> {
  const { id: meetingId } = await createMeeting(gateway, {
    marketplace,
    booking: { id: `bk_${number}`, kind: 'one_to_one', title: 'Test' },
    professionalId: 'pro_1',
    attendees: [{ customerId: 'cus_1', name: null, locale: null, cameraOff: false }],
    provider: 'zoom',
    startsAt: plus(NOW, 10 * MINUTE),
    durationMinutes: 30,
    timeZone: 'Europe/Berlin',
    recording: 'on_consent',
    joinUrl: `https://zoom.us/j/${number}`,
    requestKey: null,
    facts: {},
  });
  await purchase(gateway, { marketplace, meetingId, customerId: 'cus_1' });
  const decision = { decision: 'granted', locale: 'en', textVersion: '1', channel: 'api' } as const;
  await recordConsent(gateway, { marketplaceId: marketplace.id, meetingId, customerId: 'cus_1' }, decision);
  await gateway.db.write((tx) => tx.update(tx.t.meetings).set({ vendorMeetingId: number }).where(eq(tx.t.meetings.id, meetingId)));
  return meetingId;
}

/** What counts in the end. Whether a recording was still processing when it was heard of depends on the order. */
async function outcome({ gateway }: Bench, meetingId: string) {
  const { read } = gateway.db;
  const { state, startedAt, endedAt } = (await findMeeting(read, meetingId))!;
  const recordings = (await read.select().from(read.t.recordings)).filter((recording) => recording.meetingId === meetingId);
  const links = await read.select().from(read.t.recordingLinks);
  const events = (await read.select().from(read.t.events)).filter(({ data }) => data['meeting_id'] === meetingId);
  return {
    life: { state, startedAt, endedAt },
    sessions: sessionsOf(await listFacts(read, meetingId)).map(({ startedAt: from, endedAt: to, participants, ...session }) => ({
      from,
      to,
      limitReached: session.limitReached,
      stays: participants.flatMap(({ stays }) => stays).toSorted((a, b) => a.joinedAt.getTime() - b.joinedAt.getTime()),
    })),
    recordings: recordings.map((recording) => ({
      state: recording.state,
      files: recording.files.map(({ kind }) => kind).toSorted(),
      period: [recording.startedAt, recording.endedAt],
      links: links.filter(({ recordingId }) => recordingId === recording.id).length,
    })),
    told: events
      .map(({ type, data }) => `${type} ${(data['participant'] as { name: string } | undefined)?.name ?? ''}`)
      .filter((line) => !/^(meeting\.(created|purchased|link_locked)|recording\.processing) /.test(line))
      .toSorted(),
  };
}

/** Everything Zoom tells of a meeting, the way the adapter reads it. */
const storyOf = ({ zoom }: Bench, number: string): VendorEvent[] =>
  zoomStory(number, { startsAt: NOW, people: 2 }).flatMap(({ bytes }) => zoom.webhook.read(bytes) as readonly VendorEvent[]);

/** Forty minutes, a break of ten, forty minutes more. */
const twoRuns = (meetingId: string): VendorEvent[] =>
  [0, 50].flatMap((minutes) => {
    const about = { meetingId, instanceId: `run-${minutes}` };
    return [
      { type: 'meeting.started', ...about, at: plus(NOW, minutes * MINUTE) },
      { type: 'meeting.ended', ...about, at: plus(NOW, (minutes + 40) * MINUTE), limitReached: minutes === 0 },
    ] satisfies VendorEvent[];
  });
const AFTER_TWO_RUNS = { state: 'ended', startedAt: NOW, endedAt: plus(NOW, 90 * MINUTE) };
const TOLD_OF_TWO_RUNS = ['meeting.ended ', 'meeting.ended ', 'meeting.limit_reached ', 'meeting.started ', 'meeting.started '];

describe('out of order', () => {
  const { engine } = useDatabases('sqlite');

  it('case 35: any order, with any repeats, ends as the order in which it happened', { timeout: 60_000 }, async () => {
    const bench = await createBench(await engine.createUrl());
    const first = await bench.book('81000001000');
    const story = storyOf(bench, '81000001000');
    for (const event of story) expect(await bench.apply(event)).toBe(true);
    const expected = await outcome(bench, first);
    expect(expected).toMatchObject({
      life: { state: 'ended', startedAt: NOW, endedAt: plus(NOW, 30 * MINUTE) },
      recordings: [{ state: 'published', files: ['audio', 'transcript', 'video'], links: 1 }],
    });
    expect(expected.told).toHaveLength(7);

    let number = 81_000_002_000;
    const indices = story.map((_, index) => index);
    const orders = fc
      .tuple(fc.shuffledSubarray(indices, { minLength: indices.length }), fc.array(fc.constantFrom(...indices), { maxLength: 4 }))
      .map(([all, again]) => [...all, ...again]);
    await fc.assert(
      fc.asyncProperty(orders, async (order) => {
        number += 1;
        const id = await bench.book(String(number));
        const own = storyOf(bench, String(number));
        for (const index of order) await bench.apply(own[index]!);
        expect(await outcome(bench, id)).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  it('case 35: a meeting that was cut off and started again ends as its last run', { timeout: 60_000 }, async () => {
    const bench = await createBench(await engine.createUrl());
    let number = 81_000_001_000;
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }), async (order) => {
        number += 1;
        const id = await bench.book(String(number));
        for (const index of order) await bench.apply(twoRuns(String(number))[index]!);
        const { life, told } = await outcome(bench, id);
        expect(life).toEqual(AFTER_TWO_RUNS);
        expect(told).toEqual(TOLD_OF_TWO_RUNS);
      }),
      { numRuns: 24 },
    );
  });
});

/** Two runs with people: the limit ends the first while all are in, the host's phone drops out of the second and comes back. */
const crowded = (meetingId: string): VendorEvent[] => {
  const at = (minutes: number): Date => plus(NOW, minutes * MINUTE);
  const told = (instanceId: string, type: 'participant.joined' | 'participant.left', participantId: string, minutes: number) =>
    ({
      type,
      meetingId,
      instanceId,
      participantId,
      at: at(minutes),
      name: null,
      userId: participantId.startsWith('host') ? 'the-host' : null,
      limitReached: minutes === 40,
    }) satisfies VendorEvent;
  return [
    ...twoRuns(meetingId),
    told('run-0', 'participant.joined', 'host-a', 0),
    told('run-0', 'participant.joined', 'guest-a', 2),
    told('run-0', 'participant.left', 'host-a', 40),
    told('run-0', 'participant.left', 'guest-a', 40),
    told('run-50', 'participant.joined', 'host-b', 50),
    told('run-50', 'participant.joined', 'guest-b', 51),
    told('run-50', 'participant.left', 'host-b', 60),
    told('run-50', 'participant.joined', 'host-b', 62),
    told('run-50', 'participant.left', 'guest-b', 90),
    told('run-50', 'participant.left', 'host-b', 90),
  ];
};

describe('sessions', () => {
  const { engine } = useDatabases('sqlite');

  it(
    'case 35, T06: any order of two runs, with repeats and with losses that come later, gives the same, and charges the same blocks',
    { timeout: 120_000 },
    async () => {
      const bench = await createBench(await engine.createUrl());
      const { db } = bench.gateway;
      const template = (await findMeeting(db.read, await bench.book('81000001000')))!;
      await db.write((tx) => tx.update(tx.t.marketplaces).set({ policyPatch: { meter: { enabled: true } } }));
      const account = { provider: 'zoom', accountId: 'the-host', email: 'host@example.com', organisation: null } as const;
      await db.write(async (tx) => {
        const { connections } = tx.t;
        await tx.insert(connections).values({
          ...account,
          id: 'con_1',
          grantId: 'grt_1',
          marketplaceId: template.marketplaceId,
          professionalId: 'pro_1',
          plan: 'free',
          createsMeetings: true,
          cloudRecording: 'no',
          status: 'active',
          statusVersion: 1,
          profileReadAt: NOW,
          concurrentMeetings: 1,
          createdAt: NOW,
        });
      });
      let count = 0;
      /** Copies of the bought meeting: making one by the front door costs more than what is looked at here. */
      const copy = async (): Promise<{ id: string; number: string }> => {
        count += 1;
        const [id, number] = [`mtg_copy_${count}`, String(82_000_000_000 + count)];
        const row = { ...template, id, bookingId: id, vendorMeetingId: number, hostTokenHash: id, connectionId: 'con_1' };
        await db.write((tx) => insertMeeting(tx, row));
        await db.write((tx) =>
          insertAttendee(tx, {
            id: `att_${count}`,
            marketplaceId: row.marketplaceId,
            meetingId: id,
            customerId: 'cus_1',
            name: null,
            locale: null,
            cameraOff: false,
            purchasedAt: NOW,
            recordingConsent: 'missing',
            joinTokenHash: id,
            joinTokenSealed: Buffer.alloc(0),
            createdAt: NOW,
          }),
        );
        return { id, number };
      };
      const result = async (id: string) => {
        const { state, startedAt, endedAt, runningSince } = (await findMeeting(db.read, id))!;
        const { events } = db.read.t;
        const told = await db.read.select().from(events).where(eq(events.subjectId, id));
        return {
          life: { state, startedAt, endedAt },
          runningSince,
          sessions: sessionsOf(await listFacts(db.read, id)),
          told: told
            .map(({ type }) => type)
            .filter((type) => !type.startsWith('meter.'))
            .toSorted(),
          used: await usedBlocks(db.read, id),
          blocks: ((await listMeterBlocks(db.read, [id])).get(id) ?? [])
            .filter(({ voidedAt }) => voidedAt === null)
            .map(({ number, startsAt }) => [number, (startsAt.getTime() - NOW.getTime()) / MINUTE]),
          // What the marketplace has booked if it followed every event.
          charged:
            told.filter(({ type }) => type === 'meter.block_started').length - told.filter(({ type }) => type === 'meter.voided').length,
        };
      };

      const first = await copy();
      for (const event of crowded(first.number)) expect(await bench.apply(event)).toBe(true);
      const expected = await result(first.id);
      expect(expected).toMatchObject({ life: AFTER_TWO_RUNS, runningSince: null });
      const blocks = [2, 17, 32, 51, 66, 81].map((minute, index) => [(index % 3) + 1, minute]);
      expect(expected).toMatchObject({ used: 6, charged: 6, blocks });
      expect(expected.told.filter((type) => type === 'meeting.ended')).toHaveLength(2);
      const sum = sumOf(expected.sessions.map((session) => minutesOf(session, NOW)));
      expect(sum).toEqual({ total: 80, host: 78, customer: 77, joint: 75 });
      expect(expected.sessions.map(({ limitReached }) => limitReached)).toEqual([true, false]);

      const indices = crowded('').map((_, index) => index);
      const orders = fc
        .tuple(fc.shuffledSubarray(indices, { minLength: 1 }), fc.array(fc.constantFrom(...indices), { maxLength: 8 }))
        .chain(([early, again]) =>
          // What the first deliveries lost is delivered again later, in yet another order.
          fc.tuple(fc.constant([...early, ...again]), fc.shuffledSubarray(indices, { minLength: indices.length })),
        );
      await fc.assert(
        fc.asyncProperty(orders, async ([lossy, redelivered]) => {
          const { id, number } = await copy();
          const events = crowded(number);
          for (const batch of [lossy, redelivered]) {
            await db.write(async (tx) => {
              for (const index of batch) await applyEvent(tx, bench.gateway, bench.zoom, events[index]!);
            });
          }
          expect(await result(id)).toEqual(expected);
        }),
        { numRuns: 120 },
      );
    },
  );

  it('a second run that is heard of before the late end of the first keeps the meeting live', async () => {
    const bench = await createBench(await engine.createUrl());
    const id = await bench.book('81000001000');
    const [start, end, again] = twoRuns('81000001000');
    for (const event of [start!, again!, end!]) await bench.apply(event);
    expect((await outcome(bench, id)).life).toEqual({ state: 'live', startedAt: NOW, endedAt: null });
    expect((await findMeeting(bench.gateway.db.read, id))!.runningSince).toEqual(again!.type === 'meeting.started' ? again!.at : null);
  });
});

describe('a second run', () => {
  const { engine } = useDatabases('sqlite');

  it('gets an end of its own, should Zoom never tell it', async () => {
    const bench = await createBench(await engine.createUrl());
    const id = await bench.book('81000001000');
    const [start, end, again] = twoRuns('81000001000');
    const { read } = bench.gateway.db;
    const isPlanned = async () => (await read.select().from(read.t.jobs)).some((job) => job.id === `meeting.close:${id}`);
    for (const event of [start!, end!]) await bench.apply(event);
    expect(await isPlanned()).toBe(false);
    await bench.apply(again!);
    expect((await outcome(bench, id)).life).toEqual({ state: 'live', startedAt: NOW, endedAt: null });
    expect(await isPlanned()).toBe(true);
  });
});

describeOnBothDatabases('on each database', (_open, engine) => {
  it('files of one recording that arrive in several deliveries are all kept', async () => {
    const bench = await createBench(await engine.createUrl());
    const ready = (meetingId: string, file: number): VendorEvent => ({
      type: 'recording.ready',
      meetingId,
      at: NOW,
      recording: {
        id: 'instance',
        state: 'ready',
        startedAt: NOW,
        endedAt: plus(NOW, MINUTE),
        files: [{ id: `file-${file}`, kind: 'video', contentType: 'video/mp4', bytes: 1 }],
      },
    });
    for (let number = 81_000_001_000; number < 81_000_001_005; number++) {
      const id = await bench.book(String(number));
      await bench.apply({ type: 'recording.processing', meetingId: String(number), recordingId: 'instance', at: NOW });
      await Promise.all(Array.from({ length: 8 }, (_, file) => bench.apply(ready(String(number), file))));
      expect(await outcome(bench, id)).toMatchObject({
        recordings: [{ state: 'published', files: Array.from({ length: 8 }, () => 'video'), links: 1 }],
        told: ['recording.published '],
      });
    }
  });

  it('starts and ends of one meeting do not overwrite each other', async () => {
    const bench = await createBench(await engine.createUrl());
    for (let number = 81_000_002_000; number < 81_000_002_010; number++) {
      const id = await bench.book(String(number));
      expect(
        await Promise.all(
          twoRuns(String(number))
            .toReversed()
            .map((event) => bench.apply(event)),
        ),
      ).toEqual([true, true, true, true]);
      expect((await outcome(bench, id)).life).toEqual(AFTER_TWO_RUNS);
    }
  });

  it('people who come while their run is told never wait for each other in a circle: each transaction needs one try', async () => {
    const bench = await createBench(await engine.createUrl());
    let tries = 0;
    const apply = (event: VendorEvent) =>
      bench.gateway.db.write((tx) => {
        tries += 1;
        return applyEvent(tx, bench.gateway, bench.zoom, event);
      });
    for (let number = 81_000_003_000; number < 81_000_003_005; number++) {
      const id = await bench.book(String(number));
      const about = { meetingId: String(number), instanceId: 'run', at: NOW };
      const people = ['Ada', 'Ben', 'Cleo'].map((name): VendorEvent => ({
        type: 'participant.joined',
        ...about,
        participantId: name,
        name,
        userId: null,
        limitReached: false,
      }));
      await Promise.all([...people, { type: 'meeting.started', ...about } satisfies VendorEvent].map(apply));
      expect((await outcome(bench, id)).life).toEqual({ state: 'live', startedAt: NOW, endedAt: null });
    }
    expect(tries).toBe(20);
  });

  it('case 55: a name that a database cannot hold is told without what it cannot hold', async () => {
    const bench = await createBench(await engine.createUrl());
    const id = await bench.book('81000001000');
    const about = { meetingId: '81000001000', instanceId: 'run', at: NOW, userId: null, limitReached: false };
    expect(await bench.apply({ type: 'participant.joined', ...about, participantId: 'p\0', name: 'A\0da \ud800 \u{1f600}' })).toBe(true);
    expect((await outcome(bench, id)).told).toEqual(['meeting.participant_joined A\ufffdda \ufffd \u{1f600}', 'meeting.started ']);
  });
});
