/** Vendors that refuse, fail, talk nonsense or fall silent, while a meeting is made, changed and cancelled. Against the sandbox. */
import { describe, expect, it, vi } from 'vitest';
import type { World } from '../../demo/world.ts';
import { DAY, MINUTE, plus, SECOND } from '../../src/domain/time.ts';
import { releaseLink } from '../../src/meetings/link.ts';
import { connect, meetingBody, testWorld, USERS, type Vendor } from '../support/world.ts';

interface Subject {
  readonly vendor: Vendor;
  readonly user: string;
  readonly create: Call;
  readonly change: Call;
  readonly cancel: Call;
}
interface Call {
  readonly method: string;
  readonly path: string;
}

const SUBJECTS: readonly Subject[] = [
  {
    vendor: 'zoom',
    user: USERS.zoom,
    create: { method: 'POST', path: '/v2/users/me/meetings' },
    change: { method: 'PATCH', path: '/v2/meetings/' },
    cancel: { method: 'DELETE', path: '/v2/meetings/' },
  },
  {
    vendor: 'microsoft-teams',
    user: USERS['microsoft-teams'],
    create: { method: 'POST', path: '/me/events' },
    change: { method: 'PATCH', path: '/me/events/' },
    cancel: { method: 'DELETE', path: '/me/events/' },
  },
  {
    // A personal account, whose links are made by Calendar: spaces have neither keys nor times nor an end.
    vendor: 'google-meet',
    user: 'ben@gmail.sandbox.example',
    create: { method: 'POST', path: '/calendars/primary/events' },
    change: { method: 'PATCH', path: '/calendars/primary/events/' },
    cancel: { method: 'DELETE', path: '/calendars/primary/events/' },
  },
];

type Fault = Parameters<World['sandbox']['sandbox']['traffic']['addFault']>[0];

/** More than any adapter tries in one go. */
const MANY = 9;

/** Every one of these leaves a meeting that is made a little later. */
const PASSING: readonly [name: string, times: number, answer: Fault['answer']][] = [
  ['429 with seconds', 1, { status: 429, headers: { 'retry-after': '30' } }],
  ['429 with a date', 1, { status: 429, headers: { 'retry-after': 'Fri, 31 Dec 1999 23:59:59 GMT' } }],
  ['429 without a time', 1, { status: 429 }],
  ['429 with nonsense', 1, { status: 429, headers: { 'retry-after': 'abc' } }],
  ['429 with a negative time', 1, { status: 429, headers: { 'retry-after': '-5' } }],
  ['500', MANY, { status: 500, body: 'down' }],
  ['502', MANY, { status: 502, body: '<html>bad gateway</html>' }],
  ['503 with seconds', MANY, { status: 503, headers: { 'retry-after': '20' } }],
  ['504', MANY, { status: 504 }],
  ['a cut connection, nothing done', MANY, { drop_connection: 'before' }],
  ['a lost answer to what was done', MANY, { drop_connection: 'after' }],
  ['500 to what was done', MANY, { process: true, status: 500 }],
];

/** Every one of these ends the attempt: the vendor may have made a meeting, which has to go. */
const SENSELESS: readonly [name: string, answer: Fault['answer']][] = [
  ['an HTML page with 200', { status: 200, body: '<html>hello</html>' }],
  ['an HTML page with 200 for what was done', { process: true, status: 200, body: '<html>hello</html>' }],
  ['an empty object with 201', { status: 201, body: {} }],
  ['a list with 200 for what was done', { process: true, status: 200, body: [] }],
  ['broken JSON with 201 for what was done', { process: true, status: 201, body: '{"id":' }],
];

async function start({ vendor, user }: Subject) {
  const world = await testWorld();
  const connectionId = await connect(world, vendor, { user });
  const { traffic } = world.sandbox.sandbox;
  return {
    world,
    connectionId,
    /** From now on, so many calls of this kind go wrong in this way. */
    fail: ({ method, path }: Call, times: number, answer: Fault['answer']) =>
      traffic.addFault({ vendor, match: { method, path }, times, answer }),
    /** Takes what is left of the faults away. */
    recover: () => traffic.reset(),
    body: (booking: string, changes: Record<string, unknown> = {}) =>
      meetingBody(world, {
        booking: { id: booking, kind: 'one_to_one', title: 'Tax consultation' },
        provider: vendor,
        starts_at: plus(world.now(), 3 * DAY).toISOString(),
        ...changes,
      }),
  };
}

/** The titles and starts of what the vendor has and has not deleted. */
async function atVendor({ sandbox }: World, vendor: Vendor): Promise<{ title: string; start: string }[]> {
  const { vendors } = (await (await fetch(`${sandbox.url}/control/state`)).json()) as {
    vendors: {
      zoom: { meetings: { topic: string; startTime: string; deleted: boolean }[] };
      'microsoft-teams': { events: { subject: string; start: string }[] };
      'google-meet': { events: { fields: { summary: string; start: { dateTime: string } }; cancelled: boolean }[] };
    };
  };
  const iso = (moment: string) => new Date(moment).toISOString();
  if (vendor === 'zoom')
    return vendors.zoom.meetings.filter(({ deleted }) => !deleted).map(({ topic, startTime }) => ({ title: topic, start: iso(startTime) }));
  if (vendor === 'microsoft-teams') return vendors[vendor].events.map(({ subject, start }) => ({ title: subject, start: iso(start) }));
  return vendors[vendor].events
    .filter(({ cancelled }) => !cancelled)
    .map(({ fields }) => ({ title: fields.summary, start: iso(fields.start.dateTime) }));
}

/** Moves the clock in steps until it is so. */
async function eventually(world: World, stepMs: number, check: () => Promise<void>): Promise<void> {
  await vi.waitFor(
    async () => {
      world.jump(stepMs);
      await check();
    },
    { timeout: 10_000, interval: 100 },
  );
}

const state = async (world: World, id: string): Promise<unknown> => (await world.api('GET', `/v1/meetings/${id}`)).json['state'];

describe.each(SUBJECTS)('$vendor', (subject) => {
  const { vendor } = subject;

  it('cases 63, 64, 66: a create that fails for now is made later, and once', { timeout: 90_000 }, async () => {
    const { world, fail, recover, body } = await start(subject);
    for (const [index, [name, times, answer]] of PASSING.entries()) {
      fail(subject.create, times, answer);
      const booking = `bk_${index}`;
      const created = await world.api('POST', '/v1/meetings', body(booking));
      recover();
      expect(created, name).toMatchObject({ status: 201, json: { state: 'link_pending', link: { provider_join_url: null } } });
      await eventually(world, 20 * SECOND, async () =>
        expect(await state(world, String(created.json['id'])), name).toBe('awaiting_purchase'),
      );
      expect(await atVendor(world, vendor), name).toHaveLength(index + 1);
    }
    const all = await world.api('GET', '/v1/meetings?limit=100');
    const links = (all.json['data'] as { link: { provider_join_url: string } }[]).map(({ link }) => link.provider_join_url);
    expect(new Set(links).size).toBe(PASSING.length);
  });

  it('case 63: ten days of silence are not believed', async () => {
    const { world, fail, body } = await start(subject);
    fail(subject.create, 1, { status: 429, headers: { 'retry-after': String((10 * DAY) / SECOND) } });
    const created = await world.api('POST', '/v1/meetings', body('bk_1'));
    expect(created.json['state']).toBe('link_pending');
    world.jump(DAY - MINUTE);
    expect(await state(world, String(created.json['id']))).toBe('link_pending');
    expect(await atVendor(world, vendor)).toEqual([]);
    // What waits for one moment comes within two minutes of it.
    world.jump(3 * MINUTE);
    await vi.waitFor(async () => expect(await state(world, String(created.json['id']))).toBe('awaiting_purchase'), { timeout: 5_000 });
  });

  it('case 64: with the policy "refuse" the marketplace hears it at once, by its name, and nothing stays behind', async () => {
    const { world, fail, recover, body } = await start(subject);
    await refuseWhenUnavailable(world);
    const failures: readonly [Fault['answer'], string][] = [
      [{ status: 429, headers: { 'retry-after': '30' } }, 'vendor_quota'],
      [{ status: 500 }, 'vendor_unavailable'],
      [{ drop_connection: 'after' }, 'vendor_unavailable'],
    ];
    for (const [answer, code] of failures) {
      fail(subject.create, MANY, answer);
      const refused = await world.api('POST', '/v1/meetings', body('bk_1'));
      recover();
      expect(refused).toMatchObject({ status: 503, json: { code } });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      // While a pause lasts, nobody asks the vendor.
      if (code === 'vendor_quota') world.jump(30 * SECOND);
    }
    // What the lost answer was about is found and taken away.
    await eventually(world, MINUTE / 3, async () => {
      await noJobsLeft(world);
      expect(await atVendor(world, vendor)).toEqual([]);
    });
    // A process that died before it could write that down does it once more, and finds nothing to do.
    const { data } = (await world.api('GET', '/v1/meetings')).json as { data: { id: string }[] };
    for (const { id } of data) await releaseLink(world.gateway.gateway, id);
    expect(await atVendor(world, vendor)).toEqual([]);
    // The booking is free again.
    expect(await world.api('POST', '/v1/meetings', body('bk_1'))).toMatchObject({ status: 201, json: { state: 'awaiting_purchase' } });
    expect(await atVendor(world, vendor)).toHaveLength(1);
  });

  it('case 65: an answer without sense makes no meeting here, and leaves none there', { timeout: 60_000 }, async () => {
    const { world, fail, recover, body } = await start(subject);
    for (const [name, answer] of SENSELESS) {
      fail(subject.create, MANY, answer);
      const refused = await world.api('POST', '/v1/meetings', body('bk_1'));
      recover();
      expect(refused, name).toMatchObject({ status: 502, json: { code: 'vendor_nonsense' } });
      expect(refused.text, name).not.toContain('hello');
      await eventually(world, MINUTE, () => noJobsLeft(world));
      expect(await atVendor(world, vendor), name).toEqual([]);
    }
    const listed = await world.api('GET', '/v1/meetings');
    expect((listed.json['data'] as { state: string }[]).map((meeting) => meeting.state)).toEqual(SENSELESS.map(() => 'cancelled'));
    expect(await world.api('POST', '/v1/meetings', body('bk_1'))).toMatchObject({ status: 201, json: { state: 'awaiting_purchase' } });
  });

  it('cases 63-65: a change that fails changes nothing here, and succeeds when it is asked for again', async () => {
    const { world, fail, recover, body } = await start(subject);
    const created = await world.api('POST', '/v1/meetings', body('bk_1'));
    const id = String(created.json['id']);
    const failures: readonly [name: string, answer: Fault['answer'], status: number, code: string][] = [
      ['429', { status: 429, headers: { 'retry-after': '30' } }, 503, 'vendor_quota'],
      ['500', { status: 500 }, 503, 'vendor_unavailable'],
      ['cut', { drop_connection: 'before' }, 503, 'vendor_unavailable'],
      ['lost', { drop_connection: 'after' }, 503, 'vendor_unavailable'],
      ['refused', { status: 400, body: { error: { code: 'bad' } } }, 422, 'vendor_refused'],
    ];
    for (const [index, [name, answer, status, code]] of failures.entries()) {
      const before = (await world.api('GET', `/v1/meetings/${id}`)).json;
      const asked = { title: `Title ${index}`, starts_at: plus(world.now(), 3 * DAY + (index + 1) * 60 * MINUTE).toISOString() };
      fail(subject.change, MANY, answer);
      const refused = await world.api('PATCH', `/v1/meetings/${id}`, asked);
      recover();
      expect(refused, name).toMatchObject({ status, json: { code } });
      expect((await world.api('GET', `/v1/meetings/${id}`)).json, name).toEqual(before);
      world.jump(30 * SECOND);
      expect(await world.api('PATCH', `/v1/meetings/${id}`, asked), name).toMatchObject({ status: 200, json: { id } });
      const start = new Date(Math.floor(Date.parse(asked.starts_at) / SECOND) * SECOND).toISOString();
      const [there, ...others] = await atVendor(world, vendor);
      expect(others, name).toEqual([]);
      expect({ ...there, start: new Date(Math.floor(Date.parse(there!.start) / SECOND) * SECOND).toISOString() }, name).toEqual({
        title: asked.title,
        start,
      });
    }
  });

  it('cases 63, 64, 68: a cancellation is ours at once, reaches the vendor in the end, and may be repeated', async () => {
    const { world, fail, recover, body } = await start(subject);
    const failures: readonly Fault['answer'][] = [
      { status: 429, headers: { 'retry-after': '30' } },
      { status: 500 },
      { drop_connection: 'before' },
      { drop_connection: 'after' },
    ];
    for (const answer of failures) {
      const created = await world.api('POST', '/v1/meetings', body('bk_1'));
      expect(created.json['state']).toBe('awaiting_purchase');
      const path = `/v1/meetings/${String(created.json['id'])}/cancel`;
      fail(subject.cancel, MANY, answer);
      for (let time = 0; time < 2; time++)
        expect(await world.api('POST', path, {})).toMatchObject({ status: 200, json: { state: 'cancelled' } });
      await vi.waitFor(() =>
        expect(world.sandbox.sandbox.traffic.requests().some((entry) => entry.fault && entry.method === 'DELETE')).toBe(true),
      );
      recover();
      await eventually(world, MINUTE, () => noJobsLeft(world));
      expect(await atVendor(world, vendor)).toEqual([]);
      expect(await world.api('POST', path, {})).toMatchObject({ status: 200, json: { state: 'cancelled' } });
      await eventually(world, MINUTE, () => noJobsLeft(world));
    }
    await world.receiver.waitFor('meeting.cancelled', ({ type }) => type === 'meeting.cancelled');
    expect(world.receiver.events.filter(({ type }) => type === 'meeting.cancelled')).toHaveLength(failures.length);
  });

  it('case 68: a meeting that the vendor has lost can still be changed and cancelled here', async () => {
    const { world, fail, body } = await start(subject);
    const created = await world.api('POST', '/v1/meetings', body('bk_1'));
    const path = `/v1/meetings/${String(created.json['id'])}`;
    for (const call of [subject.change, { method: 'GET', path: subject.change.path }, subject.cancel])
      fail(call, MANY, { status: 404, body: { code: 3001, message: 'gone', error: { code: 'ErrorItemNotFound', message: 'gone' } } });
    expect(await world.api('PATCH', path, { title: 'Another' })).toMatchObject({ status: 200 });
    expect(await world.api('POST', `${path}/cancel`, {})).toMatchObject({ status: 200, json: { state: 'cancelled' } });
    await eventually(world, MINUTE, () => noJobsLeft(world));
  });
});

/** Nothing of a link is still to be made, repaired or taken away, and nothing of it failed for good. */
async function noJobsLeft({ gateway }: World): Promise<void> {
  const { read } = gateway.gateway.db;
  const jobs = await read.select().from(read.t.jobs);
  expect(jobs.filter(({ kind }) => kind === 'meeting.link' || kind === 'meeting.release')).toEqual([]);
}

const refuseWhenUnavailable = ({ gateway }: World): Promise<unknown> =>
  gateway.gateway.db.write((tx) => tx.update(tx.t.marketplaces).set({ policyPatch: { vendor_unavailable: 'refuse' } }));
