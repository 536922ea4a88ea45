/** The real program, killed again and again without warning, at moments chosen by dice. */
import { randomInt } from 'node:crypto';
import { beforeAll, expect, it, vi } from 'vitest';
import { deliveryKey } from '../../providers/zoom/delivery-key.ts';
import { MINUTE } from '../../src/domain/time.ts';
import type { Running } from '../../src/server.ts';
import { describeOnBothDatabases, raw } from '../support/databases.ts';
import { built } from '../support/support.ts';
import { connect, meetingBody } from '../support/world.ts';
import { createDice } from './dice.ts';
import { createStage, zoomMeetings, ZOOM_SECRET, type Stage } from './stage.ts';
import { tellGateway, zoomStory, type Told } from './zoom-story.ts';

/** The program runs on the real clock and its leases on the database; this puts them behind us: 90 s of work, 2 min of an Idempotency-Key. */
const AFTER_ALL_LEASES_MS = 3 * MINUTE;
/** A repeated request is the same to the last byte. */
const STARTED_AT = new Date();

beforeAll(built);

/** A meeting is asked for at the vendor, and the answer is not there yet. */
const isVendorBusy = ({ sandbox }: Stage): boolean =>
  sandbox.sandbox.traffic.requests().some(({ method, path, status }) => method === 'POST' && path.endsWith('/meetings') && status === null);

describeOnBothDatabases('a gateway that is killed', (_open, engine) => {
  it('cases 1-5: loses nothing that it acknowledged and does nothing twice, in 50 deaths', { timeout: 300_000 }, async () => {
    await withSeed(async (seed) => {
      const dice = createDice(seed);
      const stage = await createStage(await engine.createUrl({ onDisk: true }));
      const meetings = await prepareMeetings(stage, 10);
      const stories = meetings.map(({ number }) => zoomStory(number, { startsAt: new Date(), people: 25 }));
      const keys = (told: readonly Told[]) => told.map(({ bytes }) => `zoom:${keyOf(bytes)}`);

      const waiting = dice.shuffled(stories.flat());
      const acknowledged: Told[] = [];
      /** What the marketplace was told about its new meetings, by booking; undefined when it got no answer. */
      const asked = new Map<string, Record<string, unknown> | undefined>();
      const perRound = Math.ceil(waiting.length / ROUNDS);
      let unfinished = 0;
      const cutOff = new Set<string>();
      for (let round = 0; round < ROUNDS; round++) {
        const program = await stage.start();
        const killed = new AbortController();
        const kill = (): void => {
          killed.abort();
          program.kill('SIGKILL');
        };
        // By turns: at some moment, after some acknowledgement, while the marketplace holds an event that it has not answered, and about
        // when it gets the answer to a booking. What does not come is waited for until the vendor has had so many answers.
        const moment = round % 4;
        const byAck = moment === 1 ? dice.between(1, perRound) : PATIENT_ACKS;
        const byArrival = dice.between(1, 10);
        let [acks, arrivals] = [0, 0];
        stage.ledger.onArrival = () => {
          if (moment === 2 && ++arrivals === byArrival) kill();
        };
        const timer = setTimeout(kill, moment === 0 ? dice.between(1, 200) : 5_000);
        let fresh = perRound;
        const send = async (): Promise<void> => {
          while (!killed.signal.aborted) {
            // Vendors repeat what they have sent before, acknowledged or not.
            const isNew = fresh > 0 && waiting.length > 0 && (acknowledged.length === 0 || dice.between(1, 4) > 1);
            if (!isNew && acknowledged.length === 0) return;
            const told = isNew ? waiting.shift()! : dice.pick(acknowledged);
            if (isNew) fresh -= 1;
            const ok = await tellGateway(stage.publicUrl, ZOOM_SECRET, told, new Date());
            if (isNew) (ok ? acknowledged : waiting).push(told);
            if (ok && ++acks >= byAck && moment !== 3) kill();
          }
        };
        const booking = `bk_round_${round}`;
        const book = async (): Promise<void> => {
          const answer = await ask(stage, booking);
          expect([undefined, 201]).toContain(answer?.status);
          asked.set(booking, answer?.json);
          if (moment === 3) kill();
        };
        await Promise.all([book(), ...Array.from({ length: 4 }, send)]);
        const exit = await program.exit;
        clearTimeout(timer);
        expect(exit.signal, `round ${round}: ${program.stderr()}`).toBe('SIGKILL');
        unfinished += await count(stage, `select count(*) as n from inbox where state = 'pending'`);
        const underWay = await raw(
          stage.databaseUrl,
          `select event_id, leased_until from deliveries where state = 'pending' and leased_until is not null`,
        );
        for (const { event_id: id, leased_until: until } of underWay) cutOff.add(`${String(id)} ${Number(until)}`);
      }
      stage.ledger.onArrival = undefined;

      // Every acknowledged one is there, before anybody repeats it.
      const stored = new Set((await raw(stage.databaseUrl, 'select key from inbox')).map(({ key }) => String(key)));
      expect(acknowledged.length).toBeGreaterThan(ROUNDS);
      expect(keys(acknowledged).filter((key) => !stored.has(key))).toEqual([]);
      const known = new Map(
        (await raw(stage.databaseUrl, 'select id, booking_id from meetings')).map((row) => [row['booking_id'], row['id']]),
      );
      const answered = [...asked].filter(([, json]) => json !== undefined);
      expect(answered.map(([booking]) => known.get(booking))).toEqual(answered.map(([, json]) => json!['id']));
      // The loop was no walk in the park: work was cut off in the middle.
      expect(unfinished).toBeGreaterThan(0);
      expect(cutOff.size).toBeGreaterThan(0);
      expect(answered.length).toBeGreaterThan(0);
      expect(answered.length).toBeLessThan(ROUNDS);

      // A process that comes after all leases finishes what the dead ones began, and gets the vendor's last repeats.
      const running = await stage.serve({ aheadMs: AFTER_ALL_LEASES_MS });
      for (const told of waiting) expect(await tellGateway(stage.publicUrl, ZOOM_SECRET, told, running.gateway.now())).toBe(true);
      await everythingDone(stage, running, `state = 'link_pending'`);
      // The marketplace asks again with the same keys, and who had an answer gets the same one.
      for (const [booking, before] of asked) {
        const again = await ask(stage, booking);
        expect(again?.status).toBe(201);
        expect(again?.json).toEqual(before ?? again?.json);
        asked.set(booking, again?.json);
      }
      await everythingDone(stage, running, `state = 'link_pending'`);

      const rows = await raw(stage.databaseUrl, 'select key, state, body_sealed from inbox order by key');
      expect(rows).toEqual(
        keys(stories.flat())
          .toSorted()
          .map((key) => ({ key, state: 'applied', body_sealed: null })),
      );
      await checkEffects(stage, running, meetings, stories);
      await checkDeliveries(stage, running, cutOff);
      const booked = (await raw(stage.databaseUrl, 'select id, booking_id, vendor_meeting_id from meetings')).filter(
        ({ booking_id: booking }) => asked.has(String(booking)),
      );
      expect(booked.map(({ id }) => String(id)).toSorted()).toEqual([...asked.values()].map((json) => String(json!['id'])).toSorted());
      const numbers = [...meetings.map(({ number }) => number), ...booked.map(({ vendor_meeting_id: id }) => String(id))];
      expect((await zoomMeetings(stage)).toSorted()).toEqual(numbers.toSorted());
    });
  });

  it('cases 3, 66, 67: a burst of new meetings leaves exactly one vendor meeting for each reservation', { timeout: 120_000 }, async () => {
    await withSeed(async (seed) => {
      const dice = createDice(seed);
      const stage = await createStage(await engine.createUrl({ onDisk: true }));
      const first = await stage.serve();
      await connect(stage, 'zoom');
      await first.close();
      const bookings: string[] = [];
      let unsettled = 0;
      for (let round = 0; round < BURSTS; round++) {
        const burst = Array.from({ length: 6 }, (_, index) => `bk_${round}_${index}`);
        bookings.push(...burst);
        // By turns: killed while the vendor is at it, however slow the machine is, and at any moment.
        const isCaught = round % 2 === 0;
        stage.sandbox.sandbox.traffic.addFault({
          vendor: 'zoom',
          match: { method: 'POST', path: '/users/me/meetings$' },
          times: 3,
          answer: { delay_ms: isCaught ? 1_000 : dice.between(1, 150) },
        });
        const program = await stage.start();
        const answers = burst.map((booking) => ask(stage, booking));
        await vi.waitFor(() => expect(!isCaught || isVendorBusy(stage)).toBe(true), { interval: 5, timeout: 10_000 });
        const timer = setTimeout(() => program.kill('SIGKILL'), isCaught ? 0 : dice.between(5, 250));
        expect((await program.exit).signal).toBe('SIGKILL');
        clearTimeout(timer);
        await Promise.all(answers);
        unsettled += await count(stage, `select count(*) as n from meetings where state = 'link_pending'`);
      }
      // Calls that outlive their caller still reach the vendor; nothing is compared before they have.
      await vi.waitFor(() => expect(stage.sandbox.sandbox.traffic.requests().every(({ status }) => status !== null)).toBe(true), {
        timeout: 10_000,
      });
      expect(unsettled).toBeGreaterThan(0);

      const running = await stage.serve({ aheadMs: AFTER_ALL_LEASES_MS });
      await everythingDone(stage, running, `state = 'link_pending'`);
      // The marketplace, which got no answer, asks again with the same key.
      for (const booking of bookings)
        expect(await ask(stage, booking)).toMatchObject({ status: 201, json: { state: 'awaiting_purchase' } });
      await everythingDone(stage, running, `state = 'link_pending'`);

      const made = await raw(stage.databaseUrl, 'select booking_id, state, vendor_meeting_id from meetings order by booking_id');
      expect(made.map(({ booking_id: booking }) => booking)).toEqual(bookings.toSorted());
      expect(new Set(made.map(({ state }) => state))).toEqual(new Set(['awaiting_purchase']));
      expect(made.map(({ vendor_meeting_id: id }) => String(id)).toSorted()).toEqual((await zoomMeetings(stage)).toSorted());
    });
  });
});

const ROUNDS = 50;
const PATIENT_ACKS = 40;
const BURSTS = 8;

/** Undefined when the answer never came. */
const ask = (stage: Stage, booking: string) =>
  stage.api('POST', '/v1/meetings', bookingBody(booking), { 'idempotency-key': booking }).catch(() => undefined);

interface Prepared {
  readonly id: string;
  readonly number: string;
}

/** Bought, consented meetings of one professional, told to the ledger; the gateway that made them is closed again. */
async function prepareMeetings(stage: Stage, amount: number): Promise<Prepared[]> {
  const running = await stage.serve();
  await connect(stage, 'zoom');
  const meetings: Prepared[] = [];
  for (let index = 0; index < amount; index++) {
    const created = await stage.api('POST', '/v1/meetings', bookingBody(`bk_${index}`));
    expect(created.status, created.text).toBe(201);
    const { id, link } = created.json as { id: string; link: { provider_join_url: string } };
    expect((await stage.api('POST', `/v1/meetings/${id}/purchases`, { customer_id: 'cus_1' })).status).toBe(201);
    const consent = { decision: 'granted', locale: 'en', text_version: '1' };
    expect((await stage.api('PUT', `/v1/meetings/${id}/attendees/cus_1/recording-consent`, consent)).status).toBe(200);
    meetings.push({ id, number: new URL(link.provider_join_url).pathname.split('/').at(-1)! });
  }
  expect((await stage.api('POST', '/v1/webhook-endpoints', { url: stage.ledger.url })).status).toBe(201);
  await running.close();
  return meetings;
}

const bookingBody = (id: string): Record<string, unknown> =>
  meetingBody(
    { now: () => STARTED_AT },
    { booking: { id, kind: 'one_to_one', title: 'Tax consultation' }, provider: 'zoom', recording: 'on_consent' },
  );

/** Nothing is waiting any more: no delivery of a vendor, no event to the marketplace, no meeting in `where`. */
async function everythingDone(stage: Stage, running: Running, where = '1 = 0'): Promise<void> {
  await vi.waitFor(
    async () => {
      running.gateway.wake();
      expect({
        inbox: await count(stage, `select count(*) as n from inbox where state = 'pending'`),
        deliveries: await count(stage, `select count(*) as n from deliveries where state <> 'delivered'`),
        meetings: await count(stage, `select count(*) as n from meetings where ${where}`),
      }).toEqual({ inbox: 0, deliveries: 0, meetings: 0 });
    },
    { timeout: 60_000, interval: 100 },
  );
}

/** In the database, at the marketplace and at the vendor: everything happened, and once. */
async function checkEffects(stage: Stage, running: Running, meetings: readonly Prepared[], stories: readonly Told[][]): Promise<void> {
  const { db } = running.gateway;
  const { receipts } = stage.ledger;

  const told = new Set(meetings.map(({ id }) => id));
  for (const { id, state } of await raw(stage.databaseUrl, 'select id, state from meetings'))
    expect(state).toBe(told.has(String(id)) ? 'ended' : 'awaiting_purchase');
  const recordings = await db.read.select().from(db.read.t.recordings);
  expect(recordings.map(({ meetingId }) => meetingId).toSorted()).toEqual(meetings.map(({ id }) => id).toSorted());
  for (const { state, files } of recordings) expect({ state, kinds: files.map(({ kind }) => kind).toSorted() }).toEqual(PUBLISHED);
  const links = await db.read.select().from(db.read.t.recordingLinks);
  expect(links.map(({ recordingId, customerId }) => `${recordingId} ${customerId}`).toSorted()).toEqual(
    recordings.map(({ id }) => `${id} cus_1`).toSorted(),
  );

  // One happening, one id, one body; and at least one event came again because its receipt could not be written down.
  const ids = new Map<string, Set<string>>();
  const bodies = new Map<string, Set<string>>();
  for (const { id, type, data, body } of receipts) {
    const participant = (data['participant'] as { id: string } | undefined)?.id ?? '';
    const happening = [type, data['meeting_id'], participant].join(' ');
    ids.set(happening, (ids.get(happening) ?? new Set()).add(id));
    bodies.set(id, (bodies.get(id) ?? new Set()).add(body));
  }
  expect([...ids].filter(([, all]) => all.size > 1)).toEqual([]);
  expect([...bodies].filter(([, all]) => all.size > 1)).toEqual([]);
  expect(receipts.length).toBeGreaterThan(bodies.size);

  const arrived = new Set(ids.keys());
  const people = stories[0]!.filter(({ event }) => event === 'meeting.participant_joined').length;
  const expected = meetings.flatMap(({ id, number }) => [
    `meeting.ended ${id} `,
    `recording.processing ${id} `,
    `recording.published ${id} `,
    ...Array.from({ length: people }, (_, index) => [
      `meeting.participant_joined ${id} ${number}-${index}`,
      `meeting.participant_left ${id} ${number}-${index}`,
    ]).flat(),
  ]);
  // Whether it is told that a meeting started depends on what arrived first; whether it is told that files are being made, too.
  const optional = /^(meeting\.started|recording\.processing) /;
  const ours = [...arrived].filter((happening) => told.has(happening.split(' ')[1]!));
  expect(ours.filter((happening) => !optional.test(happening)).toSorted()).toEqual(
    expected.filter((happening) => !optional.test(happening)).toSorted(),
  );
  const published = receipts.filter(({ type }) => type === 'recording.published');
  for (const { data } of published) expect(data['links']).toMatchObject([{ customer_id: 'cus_1' }]);
}

/**
 * Case 5, both sides: what the marketplace took is written down here as delivered, every repeat of it was counted as an attempt of the same
 * delivery or cut off by a death, and nothing arrived whose id is not that of an event. `cutOff`: an event and the end of a lease, of each
 * delivery that was under way when a process died.
 */
async function checkDeliveries(stage: Stage, { gateway: { db } }: Running, cutOff: ReadonlySet<string>): Promise<void> {
  const received = new Map<string, number>();
  for (const { id } of stage.ledger.receipts) received.set(id, (received.get(id) ?? 0) + 1);
  const deliveries = await db.read.select().from(db.read.t.deliveries);
  expect(new Set(deliveries.map(({ eventId }) => eventId)).size).toBe(deliveries.length);
  expect([...received.keys()].toSorted()).toEqual(deliveries.map(({ eventId }) => eventId).toSorted());
  const lines = await db.read.select().from(db.read.t.deliveryAttempts);
  const succeeded = new Set(lines.filter(({ status }) => status === 204).map(({ deliveryId }) => deliveryId));
  for (const { id, eventId, state, attempts } of deliveries) {
    expect({ state, written: succeeded.has(id) }).toEqual({ state: 'delivered', written: true });
    const unfinished = [...cutOff].filter((lease) => lease.startsWith(`${eventId} `)).length;
    expect(attempts + unfinished, eventId).toBeGreaterThanOrEqual(received.get(eventId)!);
  }
}

const PUBLISHED = { state: 'published', kinds: ['audio', 'transcript', 'video'] };

const keyOf = (bytes: Buffer): string => deliveryKey(JSON.parse(bytes.toString('utf8')), bytes);

const count = async ({ databaseUrl }: Stage, query: string): Promise<number> => Number((await raw(databaseUrl, query))[0]!['n']);

/** A failure names the seed that leads to it. */
async function withSeed(run: (seed: number) => Promise<void>): Promise<void> {
  const seed = randomInt(2 ** 31);
  try {
    await run(seed);
  } catch (error) {
    throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
