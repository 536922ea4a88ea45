/** Vendors' budgets and pauses over the running gateway. Against the sandbox, which keeps the documented limits itself. */
import { eq } from 'drizzle-orm';
import { expect, it, vi } from 'vitest';
import type { World } from '../../demo/world.ts';
import { spend } from '../../src/connections/quota.ts';
import { Failure } from '../../src/domain/failure.ts';
import { afterReset, jobBackoffMs } from '../../src/domain/backoff.ts';
import { HOUR, plus, SECOND } from '../../src/domain/time.ts';
import { findConnection } from '../../src/store/connections.ts';
import { scheduleJob } from '../../src/store/jobs.ts';
import {
  calls,
  createMeeting,
  databaseOf,
  DAY,
  eventually,
  fault,
  getMeeting,
  type MeetingJson,
  MINUTE,
  must,
  otherMarketplace,
  setPolicy,
  settled,
  vendorMeetings,
} from '../support/gateway.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { connect, meetingBody, testWorld, type Vendor } from '../support/world.ts';

const midnight = (world: World): Date => plus(world.now(), DAY - (world.now().getTime() % DAY));
const booking = (id: string) => ({ booking: { id, kind: 'one_to_one', title: 'Tax consultation' } });
const zoomCreates = (world: World) => calls(world, 'zoom', 'POST', /\/meetings$/).length;
const allZoomCalls = (world: World) =>
  calls(world, 'zoom', 'POST', /^\/v2\//).length +
  calls(world, 'zoom', 'GET', /^\/v2\//).length +
  calls(world, 'zoom', 'PATCH', /^\/v2\//).length;
/** The daily refusal, as reported in https://devforum.zoom.us/t/18928. */
const DAILY = {
  status: 429,
  body: {
    code: 429,
    message:
      'You have exceeded the daily rate limit (100) of Meeting Create/Update API requests permitted for this particular user. You may resume these requests at GMT 00:00:00.',
  },
};

async function start(databaseUrl: string, also?: Vendor): Promise<{ world: World; connectionId: string; other: string }> {
  const world = await testWorld({ databaseUrl });
  // At noon UTC, so that a test that moves the clock by minutes stays within its day; before an account is connected, which then would be
  // old enough, on some mornings, to be asked for its profile again.
  world.jump(DAY + 12 * HOUR - (world.now().getTime() % DAY));
  const connectionId = await connect(world, 'zoom');
  return { world, connectionId, other: also === undefined ? '' : await connect(world, also) };
}

/** As if the gateway had made so many creates today. */
async function use({ gateway }: World, connectionId: string, times: number): Promise<PromiseSettledResult<void>[]> {
  const connection = (await findConnection(gateway.gateway.db.read, connectionId))!;
  return Promise.allSettled(Array.from({ length: times }, () => spend(gateway.gateway, connection, 'create')));
}

const quotaOf = async (world: World, connectionId: string, api = world.api) =>
  must(await api('GET', `/v1/connections/${connectionId}`), 200).json['daily_quota'];

describeOnBothDatabases('the budget of a host', (_, engine) => {
  it('case 72: exactly 100 of 130 concurrent creates are let through', async () => {
    const { world, connectionId } = await start(await databaseOf(engine));
    const results = await use(world, connectionId, 130);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(100);
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [Failure.from(result.reason)] : []));
    expect(refused).toHaveLength(30);
    for (const failure of refused) {
      expect(failure).toMatchObject({
        code: 'vendor_quota',
        retryAfterMs: midnight(world).getTime() - world.now().getTime(),
        extra: { limit: 100, resets_at: midnight(world).toISOString() },
      });
    }
    expect(await quotaOf(world, connectionId)).toEqual({ limit: 100, used: 100, resets_at: midnight(world).toISOString() });
  });

  it('case 72: the 101st create of a day is refused with the moment of the reset and without a call, and works again at 00:00 UTC', async () => {
    const { world, connectionId } = await start(await databaseOf(engine));
    await setPolicy(world, { vendor_unavailable: 'refuse' });
    await use(world, connectionId, 99);
    const last = await createMeeting(world, booking('bk_100'));
    expect(last.state).toBe('awaiting_purchase');
    const before = allZoomCalls(world);

    const refused = must(await world.api('POST', '/v1/meetings', meetingBody(world, booking('bk_101'))), 503);
    const resetsAt = midnight(world);
    expect(refused.json).toMatchObject({ code: 'vendor_quota', resets_at: resetsAt.toISOString(), limit: 100 });
    expect(Number(refused.headers.get('retry-after'))).toBe(Math.ceil((resetsAt.getTime() - world.now().getTime()) / SECOND));
    // Changes count against the same hundred; what changes nothing costs nothing.
    must(await world.api('PATCH', `/v1/meetings/${last.id}`, { title: 'Another title' }), 503);
    must(await world.api('PATCH', `/v1/meetings/${last.id}`, { title: 'Tax consultation' }), 200);
    expect(allZoomCalls(world)).toBe(before);
    // The end of a meeting does not count.
    must(await world.api('POST', `/v1/meetings/${last.id}/cancel`, {}), 200);
    await eventually('the cancelled meeting is gone at the vendor', async () => (await vendorMeetings(world, 'zoom')).length === 0);
    // Nothing was made, so nothing is looked for and taken away.
    await settled(world);
    const { read } = world.gateway.gateway.db;
    expect((await read.select().from(read.t.jobs)).filter(({ kind }) => kind === 'meeting.release')).toEqual([]);

    world.jump(resetsAt.getTime() - world.now().getTime() - 1);
    must(await world.api('POST', '/v1/meetings', meetingBody(world, booking('bk_101'))), 503);
    world.jump(1);
    expect(await quotaOf(world, connectionId)).toEqual({ limit: 100, used: 0, resets_at: plus(resetsAt, DAY).toISOString() });
    expect((await createMeeting(world, booking('bk_101'))).state).toBe('awaiting_purchase');
    expect(await quotaOf(world, connectionId)).toMatchObject({ used: 1 });
  });

  it('case 72: with the policy "wait" the links come by themselves after the reset, and waiting burns nothing', async () => {
    const { world, connectionId } = await start(await databaseOf(engine));
    await use(world, connectionId, 100);
    const waiting = [await createMeeting(world, booking('bk_1')), await createMeeting(world, booking('bk_2'))];
    expect(waiting.map(({ state }) => state)).toEqual(['link_pending', 'link_pending']);
    const { read } = world.gateway.gateway.db;
    const due = (await read.select().from(read.t.jobs)).filter(({ kind }) => kind === 'meeting.link').map(({ dueAt }) => dueAt);
    // Not both in the first millisecond, and none before it.
    for (const moment of due) {
      expect(moment.getTime()).toBeGreaterThanOrEqual(midnight(world).getTime());
      expect(moment.getTime()).toBeLessThanOrEqual(midnight(world).getTime() + 2 * MINUTE);
    }

    for (let hour = 0; hour < 11; hour += 1) world.jump(HOUR);
    await settled(world);
    expect(zoomCreates(world)).toBe(0);
    world.jump(midnight(world).getTime() - world.now().getTime() + 2 * MINUTE);
    await eventually('both links are made', async () =>
      (await Promise.all(waiting.map(({ id }) => getMeeting(world, id)))).every(({ state }) => state === 'awaiting_purchase'),
    );
    expect(zoomCreates(world)).toBe(2);
    expect(await quotaOf(world, connectionId)).toMatchObject({ used: 2 });
    expect(await vendorMeetings(world, 'zoom')).toHaveLength(2);
  });

  it('case 72: two marketplaces share the hundred of one Zoom user, and another user has a hundred of its own', async () => {
    const { world, connectionId } = await start(await databaseOf(engine));
    const other = await otherMarketplace(world);
    const theirs = await connect({ api: other.api }, 'zoom');
    const ben = await connect(world, 'zoom', { professionalId: 'pro_2', user: 'ben@zoom.sandbox.example' });
    await use(world, connectionId, 60);
    await use(world, theirs, 40);
    for (const [id, api] of [
      [connectionId, world.api],
      [theirs, other.api],
    ] as const)
      expect(await quotaOf(world, id, api)).toMatchObject({ limit: 100, used: 100 });
    expect(await quotaOf(world, ben)).toMatchObject({ limit: 100, used: 0 });
    expect((await createMeeting(world, { ...booking('bk_1'), professional_id: 'pro_2' })).state).toBe('awaiting_purchase');
    expect((await createMeeting(world, booking('bk_2'))).state).toBe('link_pending');
  });

  it('case 72: a daily limit that calls made elsewhere have used up is believed, and asked about once', async () => {
    const { world, connectionId } = await start(await databaseOf(engine));
    await setPolicy(world, { vendor_unavailable: 'refuse' });
    fault(world, 'zoom', 'POST', '/v2/users/me/meetings', DAILY, 1);
    const told = must(await world.api('POST', '/v1/meetings', meetingBody(world, booking('bk_1'))), 503);
    expect(told.json).toMatchObject({ code: 'vendor_quota', resets_at: midnight(world).toISOString(), limit: 100 });
    expect(told.text).not.toContain('limit_of');
    expect(await quotaOf(world, connectionId)).toEqual({ limit: 100, used: 100, resets_at: midnight(world).toISOString() });
    must(await world.api('POST', '/v1/meetings', meetingBody(world, booking('bk_1'))), 503);
    expect(zoomCreates(world)).toBe(1);
    world.jump(midnight(world).getTime() - world.now().getTime());
    expect((await createMeeting(world, booking('bk_1'))).state).toBe('awaiting_purchase');
  });

  it("case 72: in the first minute of a day the vendor's clock may still be in the last one", async () => {
    const { world, connectionId } = await start(await databaseOf(engine));
    world.jump(midnight(world).getTime() - world.now().getTime() + SECOND);
    fault(world, 'zoom', 'POST', '/v2/users/me/meetings', DAILY, 1);
    const waiting = await createMeeting(world, booking('bk_1'));
    expect(waiting.state).toBe('link_pending');
    expect(await quotaOf(world, connectionId)).toMatchObject({ used: 100, resets_at: plus(world.now(), MINUTE).toISOString() });
    world.jump(1.25 * MINUTE);
    await eventually('the link is made', async () => (await getMeeting(world, waiting.id)).state === 'awaiting_purchase');
  });

  it('case 72: a package that the day cannot hold is refused before any of it is made', async () => {
    const { world, connectionId } = await start(await databaseOf(engine));
    await use(world, connectionId, 98);
    const { starts_at: startsAt, duration_minutes: minutes, ...common } = meetingBody(world, { provider: 'zoom' });
    const meetings = [1, 2, 3].map((lesson) => ({ title: `Lesson ${lesson}`, starts_at: startsAt, duration_minutes: minutes }));
    const refused = must(await world.api('POST', '/v1/packages', { ...common, meetings }), 503);
    expect(refused.json).toMatchObject({ code: 'vendor_quota', resets_at: midnight(world).toISOString() });
    expect(zoomCreates(world)).toBe(0);
    expect(await quotaOf(world, connectionId)).toMatchObject({ used: 98 });
    must(await world.api('POST', '/v1/packages', { ...common, meetings: meetings.slice(0, 2) }), 201);
  });

  it('case 72: Meet makes ten spaces a minute and account, the eleventh comes with the next minute', async () => {
    const { world } = await start(await databaseOf(engine), 'google-meet');
    world.jump(MINUTE - (world.now().getTime() % MINUTE));
    const made: MeetingJson[] = [];
    for (let index = 0; index < 11; index += 1)
      made.push(await createMeeting(world, { ...booking(`bk_${index}`), provider: 'google-meet' }));
    expect(made.map(({ state }) => state)).toEqual([...Array.from({ length: 10 }, () => 'awaiting_purchase'), 'link_pending']);
    expect(calls(world, 'google-meet', 'POST', /^\/v2\/spaces$/)).toHaveLength(10);
    world.jump(1.25 * MINUTE);
    await eventually('the eleventh is made', async () => (await getMeeting(world, made[10]!.id)).state === 'awaiting_purchase');
    expect(calls(world, 'google-meet', 'POST', /^\/v2\/spaces$/).map(({ status }) => status)).toEqual(
      Array.from({ length: 11 }, () => 200),
    );
  });

  it('case 72: Meet makes a hundred spaces a minute for all accounts of the project together, and who is refused keeps the own ten', async () => {
    const { world } = await start(await databaseOf(engine));
    const { gateway } = world.gateway;
    const account = (number: number) => ({ provider: 'google-meet', accountId: `user-${number}`, organisation: null });
    const ask = (number: number, times: number) =>
      Promise.allSettled(Array.from({ length: times }, () => spend(gateway, account(number), 'create')));
    const results = (await Promise.all(Array.from({ length: 11 }, (_, number) => ask(number, 10)))).flat();
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(100);
    const { read } = gateway.db;
    const rows = await read.select().from(read.t.quotaWindows);
    const hosts = rows.filter(({ key }) => key.includes(':host:'));
    expect(rows.find(({ key }) => key === 'budget:google-meet:minute:app')).toMatchObject({ used: 100 });
    expect(hosts.reduce((sum, { used }) => sum + used, 0)).toBe(100);
  });

  it('forgets windows that have ended with the hourly sweep', async () => {
    const { world, connectionId } = await start(await databaseOf(engine));
    await use(world, connectionId, 1);
    const { read } = world.gateway.gateway.db;
    expect(await read.select().from(read.t.quotaWindows)).toHaveLength(1);
    world.jump(DAY);
    await eventually('the row is gone', async () => (await read.select().from(read.t.quotaWindows)).length === 0);
  });
});

describeOnBothDatabases('a pause that a vendor asks for', (_, engine) => {
  /** Header as of the moment it is sent; how long everybody waits then. */
  const FORMS: readonly [name: string, header: (at: Date) => string | undefined, waitMs: (at: Date) => number][] = [
    ['seconds', () => '30', () => 30 * SECOND],
    ['decimals', () => '2.128', () => 2_128],
    ['an HTTP date', (at) => plus(at, 90 * SECOND).toUTCString(), (at) => 90 * SECOND - (at.getTime() % SECOND)],
    ['an ISO date', (at) => plus(at, 90 * SECOND).toISOString(), () => 90 * SECOND],
    ['nothing', () => undefined, () => MINUTE],
    ['a word', () => 'abc', () => MINUTE],
    ['a negative number', () => '-5', () => MINUTE],
    ['ten days', () => '864000', () => DAY],
  ];

  it('case 63: holds for its time in every form of Retry-After, for nobody else, and is counted', { timeout: 60_000 }, async () => {
    const world = await testWorld({
      databaseUrl: await databaseOf(engine),
      environment: { METRICS_TOKEN: 'a-token-for-metrics-only-32-chars' },
    });
    await setPolicy(world, { vendor_unavailable: 'refuse' });
    await connect(world, 'microsoft-teams');
    await connect(world, 'google-meet');
    await connect(world, 'zoom', { professionalId: 'pro_2', user: 'ben@zoom.sandbox.example' });
    await connect(world, 'zoom');
    await settled(world);
    const pauses = async () =>
      Number(
        /^gateway_vendor_pauses (\d+)$/m.exec(
          await (
            await fetch(`${world.publicUrl}/metrics`, { headers: { authorization: 'Bearer a-token-for-metrics-only-32-chars' } })
          ).text(),
        )?.[1],
      );
    const ask = (id: string, provider: string, professionalId = 'pro_1') =>
      world.api('POST', '/v1/meetings', meetingBody(world, { ...booking(id), provider, professional_id: professionalId }));
    expect(await pauses()).toBe(0);
    for (const [index, [name, header, waitMs]] of FORMS.entries()) {
      const at = world.now();
      const value = header(at);
      fault(world, 'zoom', 'POST', '/v2/users/me/meetings', { status: 429, headers: value === undefined ? {} : { 'retry-after': value } });
      const told = must(await ask(`bk_${index}`, 'zoom'), 503);
      const ends = plus(at, waitMs(at));
      expect(told.json, name).toMatchObject({ code: 'vendor_quota', resets_at: ends.toISOString() });
      expect(await pauses(), name).toBe(1);

      world.jump(100);
      const before = allZoomCalls(world);
      const early = must(await ask(`bk_${index}`, 'zoom'), 503);
      expect(early.json, name).toMatchObject({ code: 'vendor_quota', resets_at: ends.toISOString() });
      expect(early.headers.get('retry-after'), name).toBe(String(Math.ceil((waitMs(at) - 100) / SECOND)));
      expect(allZoomCalls(world), name).toBe(before);
      // Another organisation, and other vendors.
      must(await ask(`bk_ben_${index}`, 'zoom', 'pro_2'), 201);
      must(await ask(`bk_teams_${index}`, 'microsoft-teams'), 201);
      must(await ask(`bk_meet_${index}`, 'google-meet'), 201);

      world.jump(waitMs(at) - 100);
      expect(await pauses(), name).toBe(0);
      must(await ask(`bk_${index}`, 'zoom'), 201);
      // Meet's minute is not what is asked here.
      world.jump(MINUTE);
    }
  });

  it('case 63: of at most two seconds is waited out inside the call', async () => {
    const { world } = await start(await databaseOf(engine));
    fault(world, 'zoom', 'POST', '/v2/users/me/meetings', {
      status: 429,
      body: { code: 4001, message: 'You have reached the maximum per-second rate limit for this API. Try again later.' },
      headers: { 'retry-after': '0.3' },
    });
    expect((await createMeeting(world, booking('bk_1'))).state).toBe('awaiting_purchase');
    expect(zoomCreates(world)).toBe(2);
    expect(await vendorMeetings(world, 'zoom')).toHaveLength(1);
  });

  it("case 63: Google's 403 for a rate is a pause of the user, and what needs no call is not held up", async () => {
    const { world } = await start(await databaseOf(engine), 'google-meet');
    const open = await createMeeting(world, { ...booking('bk_0'), provider: 'google-meet' });
    const limited = {
      status: 403,
      body: { error: { code: 403, message: 'x', status: 'PERMISSION_DENIED', details: [{ reason: 'RATE_LIMIT_EXCEEDED' }] } },
    };
    fault(world, 'google-meet', 'POST', '/v2/spaces', limited);
    const waiting = await createMeeting(world, { ...booking('bk_1'), provider: 'google-meet' });
    expect(waiting.state).toBe('link_pending');
    const before = calls(world, 'google-meet', 'POST', /^\/v2\//).length;
    expect((await createMeeting(world, { ...booking('bk_2'), provider: 'google-meet' })).state).toBe('link_pending');
    expect(calls(world, 'google-meet', 'POST', /^\/v2\//)).toHaveLength(before);
    // A space has no title, so Google is not told.
    must(await world.api('PATCH', `/v1/meetings/${open.id}`, { title: 'Another title' }), 200);
    world.jump(1.25 * MINUTE);
    await eventually('the link is made', async () => (await getMeeting(world, waiting.id)).state === 'awaiting_purchase');
  });

  it('case 63: a subscription is renewed when the pause is over, and not before', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const connectionId = await connect(world, 'microsoft-teams');
    await settled(world);
    fault(world, 'microsoft-teams', 'PATCH', '/subscriptions', { status: 429, headers: { 'retry-after': '600' } });
    const { db, wake } = world.gateway.gateway;
    await db.write((tx) => scheduleJob(tx, { kind: 'subscription.renew', subjectId: connectionId, dueAt: world.now() }));
    wake();
    const renewals = () => calls(world, 'microsoft-teams', 'PATCH', /\/subscriptions/).map(({ status }) => status);
    await vi.waitFor(() => expect(renewals()).toEqual([429]), { timeout: 5_000 });
    await settled(world);
    world.jump(9 * MINUTE);
    await settled(world);
    expect(renewals()).toEqual([429]);
    world.jump(3 * MINUTE);
    await vi.waitFor(() => expect(renewals()).toEqual([429, 200]), { timeout: 5_000 });
  });
});

it('case 73: after an outage of hours a thousand jobs do not come back at once', () => {
  for (const attempts of [10, 12, 20]) {
    const waits = Array.from({ length: 1_000 }, (_, index) => jobBackoffMs(attempts, index / 1_000));
    expect(Math.max(...waits)).toBeLessThanOrEqual(1.2 * HOUR);
    // Over 0.4 of the wait, evenly: in no second more than one of 150, instead of all.
    const perSecond = new Map<number, number>();
    for (const ms of waits) perSecond.set(Math.floor(ms / SECOND), (perSecond.get(Math.floor(ms / SECOND)) ?? 0) + 1);
    expect(Math.max(...perSecond.values())).toBeLessThanOrEqual(1_000 / 150);
    expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(0.35 * Math.min(2 ** attempts * SECOND, HOUR));
  }
});

it('case 73: what waits for one reset is spread over the minutes after it, and nothing of it comes before', () => {
  for (const [waitMs, longestMs] of [
    [30 * SECOND, 7.5 * SECOND],
    [12 * HOUR, 2 * MINUTE],
  ] as const) {
    const waits = Array.from({ length: 1_000 }, (_, index) => afterReset(waitMs, index / 1_000));
    expect(Math.min(...waits)).toBe(waitMs);
    expect(Math.max(...waits)).toBeLessThanOrEqual(waitMs + longestMs);
    expect(new Set(waits).size).toBe(1_000);
  }
});

describeOnBothDatabases('jobs that wait for the same reset', (_, engine) => {
  it('case 73: are not due in the same millisecond', async () => {
    const { world, connectionId } = await start(await databaseOf(engine));
    // One after the other: under load some of a hundred at once may fail, and leave something of the budget.
    for (let times = 0; times < 100; times += 1) await use(world, connectionId, 1);
    for (let index = 0; index < 10; index += 1)
      expect((await createMeeting(world, { ...booking(`bk_${index}`), attendees: [{ customer_id: `cus_${index}` }] })).state).toBe(
        'link_pending',
      );
    const { db, wake } = world.gateway.gateway;
    const dueOf = async () =>
      (await db.read.select().from(db.read.t.jobs)).filter(({ kind }) => kind === 'meeting.link').map(({ dueAt }) => dueAt.getTime());
    // By the request that made it wait, and by the worker that found the budget used up.
    for (const look of ['request', 'worker']) {
      const due = await dueOf();
      expect(new Set(due).size, look).toBeGreaterThan(8);
      expect(Math.min(...due), look).toBeGreaterThanOrEqual(midnight(world).getTime());
      const { jobs } = db.read.t;
      await db.write((tx) => tx.update(jobs).set({ dueAt: world.now() }).where(eq(jobs.kind, 'meeting.link')));
      wake();
      await settled(world);
    }
  });
});
