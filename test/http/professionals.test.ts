import { expect, it } from 'vitest';
import type { World } from '../../demo/world.ts';
import type { PresenceStatus } from '../../src/domain/presence.ts';
import type { Gateway } from '../../src/gateway.ts';
import { presenceOf, setPresence } from '../../src/professionals/presence.ts';
import type { Reader } from '../../src/store/database.ts';
import { findMarketplace } from '../../src/store/marketplaces.ts';
import { clientOf } from '../client/support.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { databaseOf, MINUTE, must, otherMarketplace, setPolicy, settled } from '../support/gateway.ts';
import { connect, meetingBody, testWorld } from '../support/world.ts';

const SECOND = 1_000;

interface Told {
  readonly professional_id: string;
  readonly status: string;
  readonly video: boolean;
  readonly reason: string;
  readonly version: number;
}

const tell = (world: Pick<World, 'api'>, id: string, body: object) =>
  world.api('PUT', `/v1/professionals/${encodeURIComponent(id)}/presence`, body);

async function presences({ api }: Pick<World, 'api'>, ...ids: string[]): Promise<unknown> {
  const query = ids.map((id) => `professional_id=${encodeURIComponent(id)}`).join('&');
  return must(await api('GET', `/v1/presence?${query}`), 200).json['data'];
}

/** What was told of the presence so far, oldest first, once nothing is under way any more. */
async function news(world: World): Promise<Told[]> {
  await settled(world);
  const told = world.receiver.events.filter(({ type }) => type === 'professional.presence_changed');
  return told.map(({ data }) => data as unknown as Told).toSorted((a, b) => a.version - b.version);
}

const later = ({ now }: World, ms: number): string => new Date(now().getTime() + ms).toISOString();

describeOnBothDatabases('the presence of a professional', (_open, engine) => {
  const start = async () => testWorld({ databaseUrl: await databaseOf(engine) });

  it('T02 R01 is told by the marketplace, answered for many at once, and each change is one event', async () => {
    const world = await start();
    const until = later(world, 120 * SECOND);
    expect(must(await tell(world, 'pro_1', { status: 'available', video: true, expires_in_seconds: 120 }), 200).json).toEqual({
      professional_id: 'pro_1',
      status: 'available',
      video: true,
      until,
    });
    must(await tell(world, 'Ада/2', { status: 'away', expires_in_seconds: 120 }), 200);
    const foreign = await otherMarketplace(world);
    must(await tell(foreign, 'pro_3', { status: 'busy' }), 200);
    expect(await presences(world, 'pro_1', 'pro_3', 'Ада/2', 'pro_1')).toEqual([
      { professional_id: 'pro_1', status: 'available', video: true, until },
      { professional_id: 'pro_3', status: 'unknown', video: false, until: null },
      { professional_id: 'Ада/2', status: 'away', video: false, until },
    ]);
    must(await tell(world, 'pro_1', { status: 'available', video: false }), 200);
    must(await tell(world, 'pro_1', { status: 'busy' }), 200);
    expect(must(await tell(world, 'pro_1', { status: 'unknown', video: true }), 200).json).toMatchObject({
      status: 'unknown',
      video: false,
      until: null,
    });
    const told = (status: string, video: boolean, version: number) => ({
      professional_id: 'pro_1',
      status,
      video,
      reason: 'told',
      version,
    });
    expect((await news(world)).filter((one) => one.professional_id === 'pro_1')).toEqual([
      told('available', true, 1),
      told('available', false, 2),
      told('busy', false, 3),
      told('unknown', false, 4),
    ]);
  });

  it('T02 ends when the heartbeat of the policy stops, is `unknown` from that moment on, and this is told once', async () => {
    const world = await start();
    await setPolicy(world, { presence: { heartbeat_seconds: 60 } });
    const holds = { status: 'available', video: true };
    must(await tell(world, 'pro_1', holds), 200);
    for (let beat = 0; beat < 3; beat++) {
      world.jump(40 * SECOND);
      expect(must(await tell(world, 'pro_1', holds), 200).json['until']).toBe(later(world, 60 * SECOND));
      await settled(world);
    }
    world.jump(60 * SECOND - 1);
    await settled(world);
    expect(await presences(world, 'pro_1')).toMatchObject([holds]);
    world.jump(1);
    expect(await presences(world, 'pro_1')).toEqual([{ professional_id: 'pro_1', status: 'unknown', video: false, until: null }]);
    await settled(world);
    world.jump(10 * MINUTE);
    const lapsed = { professional_id: 'pro_1', status: 'unknown', video: false, reason: 'expired', version: 2 };
    expect(await news(world)).toMatchObject([{ version: 1 }, lapsed]);
    must(await tell(world, 'pro_1', holds), 200);
    expect(await news(world)).toMatchObject([{ version: 1 }, lapsed, { ...holds, version: 3, reason: 'told' }]);
  });

  it('T02 a heartbeat that holds shorter than the one before counts, too', async () => {
    const world = await start();
    must(await tell(world, 'pro_1', { status: 'away', expires_in_seconds: 3_600 }), 200);
    must(await tell(world, 'pro_1', { status: 'away', expires_in_seconds: 30 }), 200);
    world.jump(30 * SECOND);
    expect(await news(world)).toMatchObject([{ status: 'away' }, { status: 'unknown', reason: 'expired' }]);
  });

  it('T02 a whole marketplace that falls silent is unknown at once, each professional told once', async () => {
    const world = await start();
    const { gateway } = world.gateway;
    const marketplace = (await findMarketplace(gateway.db.read, world.marketplaceId))!;
    const beat = (professionalId: string) =>
      setPresence(gateway, { marketplace, professionalId, status: 'available', video: true, expiresInSeconds: 60 });
    const ids = Array.from({ length: 40 }, (_, index) => `pro_${index}`);
    for (const id of ids) await beat(id);
    world.jump(30 * SECOND);
    await beat('pro_7');
    world.jump(30 * SECOND);
    const lapsed = (await news(world)).filter(({ reason }) => reason === 'expired').map((one) => one.professional_id);
    expect(lapsed.toSorted()).toEqual(ids.filter((id) => id !== 'pro_7').toSorted());
    expect(await presences(world, 'pro_6', 'pro_7')).toMatchObject([{ status: 'unknown' }, { status: 'available' }]);
  });

  it('R01 refuses what is no presence, and more than a hundred questions at once', async () => {
    const world = await start();
    for (const body of [{ status: 'asleep' }, {}, { status: 'away', video: 'yes' }, { status: 'away', expires_in_seconds: 29 }])
      expect((await tell(world, 'pro_1', body)).status).toBe(422);
    for (const query of ['', '?professional_id=', `?${'professional_id=a&'.repeat(101)}`, '?professional_id=a&other=1'])
      expect((await world.api('GET', `/v1/presence${query}`)).status, query).toBe(422);
  });
});

describeOnBothDatabases('a heartbeat', (_open, engine) => {
  it('T02 that changes nothing is one statement, which plans and tells nothing; a hundred presences are one, too', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const { gateway } = world.gateway;
    const marketplace = (await findMarketplace(gateway.db.read, world.marketplaceId))!;
    const asked: string[] = [];
    const watched: Gateway = { ...gateway, db: { ...gateway.db, write: (work) => gateway.db.write((tx) => work(watching(tx, asked))) } };
    const beat = (status: PresenceStatus) =>
      setPresence(watched, { marketplace, professionalId: 'pro_1', status, video: true, expiresInSeconds: undefined });
    await beat('available');
    expect(await news(world)).toHaveLength(1);
    const jobs = () => gateway.db.read.select().from(gateway.db.read.t.jobs);
    const planned = await jobs();
    asked.length = 0;
    world.jump(SECOND);
    expect((await beat('available')).until).toEqual(new Date(later(world, 300 * SECOND)));
    expect(asked).toEqual(['update']);
    expect(await jobs()).toEqual(planned);
    expect(await news(world)).toHaveLength(1);
    asked.length = 0;
    await beat('away');
    expect(asked.length).toBeGreaterThan(1);
    asked.length = 0;
    const ids = Array.from({ length: 100 }, (_, index) => `pro_${index}`);
    const present = await presenceOf(watching(gateway.db.read, asked), marketplace.id, ids, world.now());
    expect([present.size, present.get('pro_1')?.status, asked]).toEqual([100, 'away', ['select']]);
  });
});

/** A handle that writes down which kinds of statements are begun on it. */
const watching = <Handle extends Reader>(handle: Handle, asked: string[]): Handle =>
  new Proxy(handle, {
    get(target, property) {
      const name = property as keyof Handle & string;
      if (['select', 'insert', 'update', 'delete'].includes(name)) asked.push(name);
      const member = target[name];
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });

describeOnBothDatabases('the availability of a professional', (_open, engine) => {
  it('T01 is hours of the week in a zone of their own, which take the place of the earlier ones, and windows that know the clocks', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const of = (query = '') => world.api('GET', `/v1/professionals/pro_1/availability${query}`);
    const give = (body: object) => world.api('PUT', '/v1/professionals/pro_1/availability', body);
    const period = '?from=2026-10-24T12:00:00%2B02:00&until=2026-10-26T12:00:00%2B01:00';
    expect(must(await of(period), 200).json).toEqual({ professional_id: 'pro_1', time_zone: null, hours: [], windows: [] });
    must(await give({ time_zone: 'Asia/Tokyo', hours: [{ day: 'mon', from: '08:00', to: '09:00' }] }), 200);
    const given = {
      time_zone: 'Europe/Berlin',
      hours: [
        { day: 'mon', from: '00:00', to: '01:00' },
        { day: 'sun', from: '23:00', to: '24:00' },
        { day: 'sun', from: '02:00', to: '03:30' },
        { day: 'sun', from: '03:00', to: '04:00' },
      ],
    };
    const merged = {
      professional_id: 'pro_1',
      time_zone: 'Europe/Berlin',
      hours: [
        { day: 'mon', from: '00:00', to: '01:00' },
        { day: 'sun', from: '02:00', to: '04:00' },
        { day: 'sun', from: '23:00', to: '24:00' },
      ],
    };
    expect(must(await give(given), 200).json).toEqual(merged);
    expect(must(await of(), 200).json).toEqual(merged);
    // The clocks show the hour from two to three twice that night.
    expect(must(await of(period), 200).json['windows']).toEqual([
      { starts_at: '2026-10-25T00:00:00.000Z', ends_at: '2026-10-25T03:00:00.000Z' },
      { starts_at: '2026-10-25T22:00:00.000Z', ends_at: '2026-10-26T00:00:00.000Z' },
    ]);
    expect(must(await (await otherMarketplace(world)).api('GET', '/v1/professionals/pro_1/availability'), 200).json).toMatchObject({
      time_zone: null,
    });

    const wrong = async (hours: object, zone = 'Europe/Berlin') =>
      must(await give({ time_zone: zone, hours: [hours] }), 422).json['errors'];
    const day = 'mon';
    expect(await wrong({ day, from: '10:00', to: '09:00' })).toMatchObject([{ pointer: '/hours/0/to' }]);
    expect(await wrong({ day, from: '10:00', to: '10:00' })).toMatchObject([{ pointer: '/hours/0/to' }]);
    expect(await wrong({ day, from: '24:00', to: '24:00' })).toMatchObject([{ pointer: '/hours/0/from' }, { pointer: '/hours/0/to' }]);
    expect(await wrong({ day: 'monday', from: '9:00', to: '24:30' })).toMatchObject([
      { pointer: '/hours/0/day' },
      { pointer: '/hours/0/from' },
      { pointer: '/hours/0/to' },
    ]);
    expect(await wrong({ day, from: '09:00', to: '10:00' }, 'Europe/Atlantis')).toMatchObject([{ pointer: '/time_zone' }]);
    for (const query of [
      '?from=2026-10-24T12:00:00Z',
      '?from=2026-10-24T12:00:00Z&until=2026-10-24T12:00:00Z',
      '?from=2026-10-24T12:00:00Z&until=2027-02-24T12:00:00Z',
      '?from=today&until=tomorrow',
    ])
      expect((await of(query)).status, query).toBe(422);
    expect(must(await of(), 200).json).toEqual(merged);
  });
});

describeOnBothDatabases('the usual length of a professional’s meetings', (_open, engine) => {
  it('R02 counts where no length is asked for, in meetings and packages, and without it the length is needed', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'google-meet');
    const { duration_minutes: _, ...open } = meetingBody(world);
    const [starts_at, booking] = [open['starts_at'], { id: 'bk_p', kind: 'one_to_one', title: 'Package' }];
    const pack = {
      booking,
      professional_id: 'pro_1',
      attendees: open['attendees'],
      meetings: [{ starts_at, duration_minutes: 20 }, { starts_at }],
    };
    const missing = async (path: string, body: object) => must(await world.api('POST', path, body), 422).json['errors'];
    expect(await missing('/v1/meetings', open)).toMatchObject([{ pointer: '/duration_minutes' }]);
    expect(await missing('/v1/meetings/preview', open)).toMatchObject([{ pointer: '/duration_minutes' }]);
    expect(await missing('/v1/packages', pack)).toMatchObject([{ pointer: '/meetings/1/duration_minutes' }]);

    const profile = '/v1/professionals/pro_1';
    expect(must(await world.api('GET', profile), 200).json).toEqual({ professional_id: 'pro_1', default_duration_minutes: null });
    for (const default_duration_minutes of [0, 1_441, 'long', undefined])
      expect((await world.api('PATCH', profile, { default_duration_minutes })).status).toBe(422);
    const usual = { professional_id: 'pro_1', default_duration_minutes: 45 };
    expect(must(await world.api('PATCH', profile, { default_duration_minutes: 45 }), 200).json).toEqual(usual);
    must(await tell(world, 'pro_1', { status: 'busy' }), 200);
    expect(must(await world.api('GET', profile), 200).json).toEqual(usual);

    expect(must(await world.api('POST', '/v1/meetings/preview', open), 200).json).toMatchObject({ would_be: 'created' });
    expect(must(await world.api('POST', '/v1/meetings', open), 201).json).toMatchObject({ duration_minutes: 45 });
    expect(must(await world.api('POST', '/v1/packages', pack), 201).json).toMatchObject({
      meetings: [{ duration_minutes: 20 }, { duration_minutes: 45 }],
    });
    must(await world.api('PATCH', profile, { default_duration_minutes: null }), 200);
    const again = { ...open, booking: { ...booking, id: 'bk_2' } };
    expect(await missing('/v1/meetings', again)).toMatchObject([{ pointer: '/duration_minutes' }]);
  });
});

it('R01 the client asks for many professionals in one request', async () => {
  const world = await testWorld();
  const { professionals } = clientOf(world);
  await professionals.setPresence('pro_2', { status: 'available', video: true });
  const { data } = await professionals.presences({ professional_id: ['pro_1', 'pro_2', 'a,b&c'] });
  expect(data.map(({ professional_id, status }) => [professional_id, status])).toEqual([
    ['pro_1', 'unknown'],
    ['pro_2', 'available'],
    ['a,b&c', 'unknown'],
  ]);
});
