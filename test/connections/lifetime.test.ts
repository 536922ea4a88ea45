import { ne } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import type { World } from '../../demo/world.ts';
import { accessTokenOf } from '../../src/connections/access-token.ts';
import { spreadOf } from '../../src/connections/upkeep.ts';
import { plus } from '../../src/domain/time.ts';
import type { Connection } from '../../src/store/connections.ts';
import { cancelJob } from '../../src/store/jobs.ts';
import { DAY, HOUR, MINUTE, VENDORS } from '../support/gateway.ts';
import { testWorld, type Vendor } from '../support/world.ts';
import { connectMany } from './crowd.ts';
import { quiet, states, toldReasons, tokenCalls } from './support.ts';

/** How long an unused grant lives, by the vendors' documents. */
const IDLE_LIFE_MS: Readonly<Record<Vendor, number>> = { zoom: 90 * DAY, 'microsoft-teams': 90 * DAY, 'google-meet': 180 * DAY };

const use = ({ gateway }: World, { grantId }: Connection): Promise<string> => accessTokenOf(gateway.gateway, grantId);

describe('a thousand connections', () => {
  it('live through a week with the least refreshes', { timeout: 180_000 }, async () => {
    const world = await testWorld();
    const crowd = {
      zoom: await connectMany(world, 'zoom', 400),
      'microsoft-teams': await connectMany(world, 'microsoft-teams', 299),
      'google-meet': await connectMany(world, 'google-meet', 300),
    };
    await connectMany(world, 'microsoft-teams', 1, { feed: true });
    await quiet(world);
    world.sandbox.sandbox.traffic.reset();
    // The sandbox remembers 5,000 requests; each day is counted on its own.
    const refreshes: Record<Vendor, number> = { zoom: 0, 'microsoft-teams': 0, 'google-meet': 0 };

    // Some work every day; the others sign in once and are not seen again.
    const busy = [...crowd.zoom.slice(0, 20), ...crowd['microsoft-teams'].slice(0, 10), ...crowd['google-meet'].slice(0, 10)];
    // Two lives of a token, however early within its last quarter of an hour each is renewed: 9:00 and 10:10.
    const uses = [0, 20, 40, 70, 90].map((minutes) => 9 * HOUR + minutes * MINUTE);
    const began = world.now();
    for (let day = 0; day < 7; day++) {
      const end = plus(began, (day + 1) * DAY);
      const planned = uses.map((ms) => plus(began, day * DAY + ms));
      while (world.now() < end) {
        const next = [await nextJob(world), planned[0], end].reduce<Date>(
          (first, at) => (at !== undefined && at < first ? at : first),
          end,
        );
        world.jump(Math.max(0, next.getTime() - world.now().getTime()));
        await quiet(world);
        if (planned[0] !== undefined && planned[0] <= world.now()) {
          planned.shift();
          // Each used by several callers at the same time.
          await Promise.all([...busy, ...busy].map((connection) => use(world, connection)));
        }
      }
      for (const vendor of VENDORS) refreshes[vendor] += tokenCalls(world, vendor).length;
      world.sandbox.sandbox.traffic.reset();
    }

    expect(await states(world)).toEqual(['active']);
    expect(await toldReasons(world, 'connection.reconnect_required')).toEqual([]);
    expect(refreshes).toEqual({
      // 20 busy ones, two a day; nothing for the 380 idle ones.
      zoom: 20 * 2 * 7,
      'google-meet': 10 * 2 * 7,
      // And for the feed one with every renewal: Graph delivers only while the token of the last one lives.
      'microsoft-teams': 10 * 2 * 7 + Math.floor((7 * DAY) / (44 * MINUTE)),
    });
  });
});

describe('an idle connection', () => {
  it('is renewed three times as often as it has to be, and lives for seven months and on', { timeout: 60_000 }, async () => {
    const world = await testWorld();
    const idle = await connectEach(world, 3);
    const refreshes = new Map<Vendor, number[]>(VENDORS.map((vendor) => [vendor, []]));
    world.sandbox.sandbox.traffic.reset();
    for (let day = 1; day <= 213; day++) {
      world.jump(DAY);
      await quiet(world);
      for (const vendor of VENDORS) refreshes.get(vendor)!.push(...tokenCalls(world, vendor).map(() => day));
      world.sandbox.sandbox.traffic.reset();
    }
    for (const vendor of VENDORS) {
      // Every grant by its own rhythm, within 90 and 100 percent of a third of its idle life, seen at the end of the day.
      const expected = idle[vendor].flatMap(({ grantId }) => {
        const everyMs = Math.round((IDLE_LIFE_MS[vendor] / 3) * (0.9 + 0.1 * spreadOf(grantId)));
        const days = Math.ceil(everyMs / DAY);
        return Array.from({ length: Math.floor(213 / days) }, (_, index) => (index + 1) * days);
      });
      expect(refreshes.get(vendor)!.toSorted(byNumber)).toEqual(expected.toSorted(byNumber));
    }
    expect(await states(world)).toEqual(['active']);
    for (const connection of Object.values(idle).flat()) await use(world, connection);
  });

  it('would be dead without that, at each vendor after its own time', async () => {
    const world = await testWorld();
    const idle = await connectEach(world, 2);
    for (const { grantId } of Object.values(idle).flat())
      await world.gateway.gateway.db.write((tx) => cancelJob(tx, { kind: 'grant.keep', subjectId: grantId }));
    const outcome = (connection: Connection | undefined) =>
      use(world, connection!).then(
        () => 'works',
        ({ code }: { code: string }) => code,
      );
    world.jump(89 * DAY);
    for (const vendor of VENDORS) expect(await outcome(idle[vendor][0]), vendor).toBe('works');
    world.jump(2 * DAY);
    expect(await outcome(idle.zoom[1])).toBe('reconnect_required');
    expect(await outcome(idle['microsoft-teams'][1])).toBe('reconnect_required');
    world.jump(88 * DAY);
    // Google's first one was used 90 days ago, its second one never; that one dies first.
    world.jump(2 * DAY);
    expect(await outcome(idle['google-meet'][0])).toBe('works');
    expect(await outcome(idle['google-meet'][1])).toBe('reconnect_required');
  });

  it('outlives a vendor that does not answer when it should be renewed', async () => {
    const world = await testWorld();
    const [connection] = await connectMany(world, 'zoom', 1);
    world.sandbox.sandbox.traffic.addFault({ vendor: 'zoom', match: { path: '/oauth/token$' }, times: 50, answer: { status: 503 } });
    world.jump(31 * DAY);
    // Two days of hourly tries are more than any other job gets.
    for (let hour = 0; hour < 48; hour++) {
      await quiet(world);
      world.jump(90 * MINUTE);
    }
    await quiet(world);
    expect(tokenCalls(world, 'zoom').filter(({ status }) => status === 503).length).toBeGreaterThan(15);
    world.sandbox.sandbox.traffic.reset();
    world.jump(2 * HOUR);
    await quiet(world);
    expect(tokenCalls(world, 'zoom').map(({ status }) => status)).toEqual([200]);
    world.jump(80 * DAY);
    expect(await states(world)).toEqual(['active']);
    expect(connection).toBeDefined();
  });
});

async function connectEach(world: World, count: number): Promise<Record<Vendor, Connection[]>> {
  return {
    zoom: await connectMany(world, 'zoom', count),
    'microsoft-teams': await connectMany(world, 'microsoft-teams', count),
    'google-meet': await connectMany(world, 'google-meet', count),
  };
}

async function nextJob({ gateway }: World): Promise<Date | undefined> {
  const { read } = gateway.gateway.db;
  const { jobs } = read.t;
  // The sign of life comes every minute and asks no vendor for anything.
  const others = ne(jobs.kind, 'gateway.pulse');
  return (await read.select({ dueAt: jobs.dueAt }).from(jobs).where(others).orderBy(jobs.dueAt).limit(1))[0]?.dueAt;
}

const byNumber = (a: number, b: number): number => a - b;
