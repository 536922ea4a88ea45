/** Deliveries that could not be applied: told, shown, run again, given up; and they hold up nobody. */
import { eq } from 'drizzle-orm';
import { expect, it, vi } from 'vitest';
import type { World } from '../../demo/world.ts';
import { inboxContext } from '../../src/connections/sealed.ts';
import { DAY, HOUR, MINUTE, plus } from '../../src/domain/time.ts';
import { findAlarm } from '../../src/store/alarms.ts';
import { insertInboxEntries } from '../../src/store/inbox.ts';
import { describeDelivery, dropParked, rerunParked } from '../../webhooks/parked.ts';
import { describeOnBothDatabases, raw } from '../support/databases.ts';
import { fixture } from '../providers/zoom-vendor.ts';
import { bookMeeting, deliver, inbox, knownMeeting, lookedAt, toldAbout, webhookWorld } from './vendors.ts';

const GOOD = 1_000;
const MEETINGS = 20;
const METRICS = 'a-token-of-metrics';

const about = (name: string, vendorMeetingId: string): string => fixture(name).toString().replace('"1234567890"', `"${vendorMeetingId}"`);

const alarm = ({ gateway }: World) => findAlarm(gateway.gateway.db.read, 'inbox_parked:zoom');

async function figures({ publicUrl }: World): Promise<string> {
  return (await fetch(`${publicUrl}/metrics`, { headers: { authorization: `Bearer ${METRICS}` } })).text();
}

/** From now on the database takes no fact of this meeting: what a bug of ours looks like to everything above. The repair. */
async function breakMeeting(url: string, id: string): Promise<() => Promise<void>> {
  if (!url.startsWith('postgres:')) {
    await raw(
      url,
      `create trigger poison before insert on meeting_facts when new.meeting_id = '${id}' begin select raise(abort, 'poison'); end`,
    );
    return async () => void (await raw(url, 'drop trigger poison'));
  }
  await raw(url, `create function poison() returns trigger language plpgsql as $$ begin raise exception 'poison'; end $$`);
  await raw(
    url,
    `create trigger poison before insert on meeting_facts for each row when (new.meeting_id = '${id}') execute function poison()`,
  );
  return async () => void (await raw(url, 'drop trigger poison on meeting_facts'));
}

describeOnBothDatabases('parked deliveries', (_open, engine) => {
  const start = async () => {
    const address = await engine.createUrl();
    const world = await webhookWorld({
      databaseUrl: address.startsWith('postgres') ? address : `file:${address}`,
      environment: { METRICS_TOKEN: METRICS },
    });
    return { address, world, known: await knownMeeting(world, 'zoom') };
  };

  it(
    'case 39: one that cannot be applied among a thousand others holds up none of them, is parked with its reason, and applied once when it is run again',
    { timeout: 120_000 },
    async () => {
      const { address, world, known } = await start();
      const { gateway } = world.gateway;
      const { db, vault, wake } = gateway;
      const broken = (await bookMeeting(world, 'zoom', 'bk_2')).meeting;
      const repair = await breakMeeting(address, broken.id);

      const meetings = [known.meeting];
      while (meetings.length < MEETINGS) meetings.push((await bookMeeting(world, 'zoom', `bk_good_${meetings.length}`)).meeting);
      const bodies = Array.from({ length: GOOD }, (_, index) => {
        const { vendorMeetingId } = meetings[index % MEETINGS]!;
        return about('meeting.participant_joined', vendorMeetingId!).replace('55555AAAiAAAAAiAiAiiAii', `guest-${index}`);
      });
      bodies.splice(GOOD / 2, 0, about('meeting.started', broken.vendorMeetingId!));
      const receivedAt = world.now();
      const entries = bodies.map((body, index) => {
        const key = `zoom:${String(index).padStart(13, '0')}.test`;
        return { key, provider: 'zoom', bodySealed: vault.seal(Buffer.from(body), inboxContext(key)), receivedAt };
      });
      const poison = entries[GOOD / 2]!.key;
      await db.write((tx) => insertInboxEntries(tx, entries));
      wake();
      // All others are applied before the clock has moved, and so before it is tried a second time.
      const applied = () => db.read.$count(db.read.t.inbox, eq(db.read.t.inbox.state, 'applied'));
      await vi.waitFor(async () => expect(await applied()).toBe(GOOD), { timeout: 60_000, interval: 50 });
      expect(await db.read.$count(db.read.t.meetingFacts)).toBe(GOOD);
      await lookedAt(world);
      const waiting = (await inbox(world)).filter(({ state }) => state !== 'applied');
      expect(waiting).toMatchObject([{ key: poison, state: 'pending', attempts: 1, body: 'kept' }]);
      expect(await alarm(world)).toBeUndefined();

      await vi.waitFor(
        async () => {
          world.jump(HOUR);
          await lookedAt(world);
          const entry = (await inbox(world)).find(({ key }) => key === poison);
          expect(entry).toMatchObject({
            state: 'parked',
            attempts: 12,
            reason: expect.stringMatching(/^internal: /) as string,
            body: 'kept',
          });
        },
        { timeout: 60_000, interval: 10 },
      );
      expect(await alarm(world)).toMatchObject({ count: 1, detail: expect.stringContaining('internal: ') as string });
      expect(await figures(world)).toMatch(/^gateway_inbox_parked 1$/m);
      expect(await figures(world)).toContain('gateway_alarms{name="inbox_parked:zoom"} 1');
      expect((await describeDelivery(gateway, poison)).about).toEqual([
        `meeting.started of the meeting ${broken.vendorMeetingId}, which is ${broken.id}, at 2021-07-13T21:44:51.000Z`,
      ]);

      await repair();
      expect(await rerunParked(gateway, { key: poison })).toEqual({ rerun: 1, withoutBody: 0 });
      await lookedAt(world);
      expect(await applied()).toBe(GOOD + 1);
      const started = async () => (await toldAbout(world, broken.id)).filter((type) => type === 'meeting.started').length;
      expect(await started()).toBe(1);
      expect(await alarm(world)).toBeUndefined();
      await expect(rerunParked(gateway, { key: poison })).rejects.toMatchObject({
        code: 'conflict',
        message: `${poison} is not parked but applied.`,
      });
      expect(await started()).toBe(1);
    },
  );

  it('are shown without a name, a link or a token', async () => {
    const { world, known } = await start();
    const { gateway } = world.gateway;
    for (const name of ['recording.completed', 'meeting.participant_joined']) {
      const body = about(name, known.meeting.vendorMeetingId!).replace('"id": 1234567890', `"id": ${known.meeting.vendorMeetingId}`);
      expect(await deliver(world, known, Buffer.from(body))).toBe(200);
    }
    await deliver(world, known, Buffer.from(about('meeting.started', 'no number')));
    await gateway.db.write((tx) => tx.update(tx.t.inbox).set({ state: 'parked', reason: 'malformed: test' }));
    for (const { key } of await inbox(world)) {
      const text = JSON.stringify((await describeDelivery(gateway, key)).about);
      expect(text).not.toMatch(/https?:|token|Jill|@|My Meeting/);
    }
    await expect(describeDelivery(gateway, 'zoom:none')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('of which the body is a week old can only be dropped, and say so', async () => {
    const { world, known } = await start();
    const { gateway } = world.gateway;
    expect(await deliver(world, known, Buffer.from('{"event":'))).toBe(200);
    const { key, reason } = (await inbox(world))[0]!;
    expect(reason).toMatch(/^malformed: /);
    expect((await describeDelivery(gateway, key)).about).toEqual([expect.stringContaining('it cannot be read') as string]);
    for (let day = 0; day < 7; day++) {
      world.jump(DAY);
      await lookedAt(world);
    }
    world.jump(2 * HOUR);
    await vi.waitFor(async () => expect(await inbox(world)).toMatchObject([{ state: 'parked', reason, body: null }]), 10_000);
    expect((await describeDelivery(gateway, key)).about).toEqual(['its body is erased']);
    await expect(rerunParked(gateway, { key })).rejects.toMatchObject({
      code: 'gone',
      message: `The body of ${key} was erased after 7 days. It cannot be run again, only dropped.`,
    });
    expect(await rerunParked(gateway, { provider: undefined })).toEqual({ rerun: 0, withoutBody: 1 });
    expect(await alarm(world)).toBeDefined();
    expect(await dropParked(gateway, { provider: 'google-meet' })).toEqual({ dropped: 0 });
    expect(await dropParked(gateway, { key })).toEqual({ dropped: 1 });
    expect(await inbox(world)).toMatchObject([{ state: 'dropped', reason, body: null }]);
    expect(await alarm(world)).toBeUndefined();
    await expect(dropParked(gateway, { key })).rejects.toMatchObject({ code: 'conflict' });
    await expect(dropParked(gateway, { key: 'zoom:none' })).rejects.toMatchObject({ code: 'not_found' });
  });

  it('are all run again over any number of pages, each once', { timeout: 60_000 }, async () => {
    const { world } = await start();
    const { gateway } = world.gateway;
    const receivedAt = plus(world.now(), -MINUTE);
    const entries = Array.from({ length: 1_100 }, (_, index) => {
      const key = `zoom:${String(index).padStart(13, '0')}.bad`;
      return { key, provider: 'zoom', bodySealed: gateway.vault.seal(Buffer.from('bad'), inboxContext(key)), receivedAt };
    });
    await gateway.db.write((tx) => insertInboxEntries(tx, entries));
    const parked = () => gateway.db.read.$count(gateway.db.read.t.inbox, eq(gateway.db.read.t.inbox.state, 'parked'));
    gateway.wake();
    await vi.waitFor(async () => expect(await parked()).toBe(1_100), { timeout: 20_000 });
    // They are as bad as before, and come back to where they were.
    expect(await rerunParked(gateway, { provider: 'zoom' })).toEqual({ rerun: 1_100, withoutBody: 0 });
    gateway.wake();
    await vi.waitFor(async () => expect(await parked()).toBe(1_100), { timeout: 20_000 });
    expect((await inbox(world)).every(({ attempts }) => attempts === 1)).toBe(true);
    expect((await alarm(world))?.name).toBe('inbox_parked:zoom');
    expect(await dropParked(gateway, { provider: 'zoom' })).toEqual({ dropped: 1_100 });
    expect(await alarm(world)).toBeUndefined();
  });
});
