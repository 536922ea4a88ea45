import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { World } from '../../demo/world.ts';
import { accessTokenOf } from '../../src/connections/access-token.ts';
import { refresh } from '../../src/connections/refresh.ts';
import { openTokens } from '../../src/connections/tokens.ts';
import { plus, SECOND } from '../../src/domain/time.ts';
import { Sqlite } from '../../src/store/engine/better-sqlite3.ts';
import { findConnection, type Connection } from '../../src/store/connections.ts';
import { findGrant, leaseRefresh, releaseRefresh, storeTokens, type Grant } from '../../src/store/grants.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { calls, databaseOf, DAY, eventually, fault, HOUR, MINUTE, must, VENDORS } from '../support/gateway.ts';
import { connect, meetingBody, testWorld, type Vendor } from '../support/world.ts';
import { quiet, states, toldReasons, TOKEN_PATHS, tokenCalls } from './support.ts';

const PASSING = [
  ['a 503', { status: 503 }],
  ['a lost connection', { drop_connection: 'before' }],
  ['a page of HTML', { status: 200, body: '<html></html>' }],
] as const;

async function connected(vendor: Vendor, options: Parameters<typeof testWorld>[0] = {}) {
  const world = await testWorld(options);
  const id = await connect(world, vendor, { recordings: false });
  await quiet(world);
  world.sandbox.sandbox.traffic.reset();
  const connection = (await findConnection(world.gateway.gateway.db.read, id))!;
  return { world, connection, token: () => accessTokenOf(world.gateway.gateway, connection.grantId) };
}

const ask = (world: World, booking: string, vendor: Vendor = 'zoom') =>
  world.api('POST', '/v1/meetings', meetingBody(world, { booking: { id: booking, kind: 'one_to_one', title: 'Tax' }, provider: vendor }));

const twenty = (world: World) => Promise.all(Array.from({ length: 20 }, (_, index) => ask(world, `bk_${index}`)));

const grantOf = async ({ gateway }: World, { grantId }: Connection): Promise<Grant> => (await findGrant(gateway.gateway.db.read, grantId))!;

describeOnBothDatabases('a refresh', (_open, engine) => {
  it('case 83: twenty calls with one expired token that can be renewed once make one refresh, and none fails', async () => {
    const { world } = await connected('zoom', { databaseUrl: await databaseOf(engine) });
    world.jump(2 * HOUR);
    const answers = await twenty(world);
    expect(answers.map(({ status, json }) => `${status} ${String(json['state'])}`)).toEqual(Array(20).fill('201 awaiting_purchase'));
    expect(tokenCalls(world, 'zoom').map(({ status }) => status)).toEqual([200]);
    expect(await states(world)).toEqual(['active']);
  });

  it('case 83: twenty calls that the vendor refuses, because its clock is ahead of ours, make one refresh, and none fails', async () => {
    const { world } = await connected('zoom', { databaseUrl: await databaseOf(engine) });
    await world.sandbox.sandbox.advance(2 * HOUR);
    const answers = await twenty(world);
    expect(answers.map(({ status, json }) => `${status} ${String(json['state'])}`)).toEqual(Array(20).fill('201 awaiting_purchase'));
    expect(tokenCalls(world, 'zoom').map(({ status }) => status)).toEqual([200]);
    expect(calls(world, 'zoom', 'POST', /meetings$/).filter(({ status }) => status === 401).length).toBeGreaterThan(1);
  });

  it('case 86: twenty calls with a grant that was withdrawn ask the vendor once, and tell the marketplace once', async () => {
    const { world } = await connected('zoom', { databaseUrl: await databaseOf(engine) });
    world.sandbox.sandbox.traffic.addFault({
      vendor: 'zoom',
      match: { path: TOKEN_PATHS.zoom },
      times: 100,
      answer: { status: 400, body: { reason: 'Invalid Token!', error: 'invalid_grant' } },
    });
    world.jump(2 * HOUR);
    const answers = await twenty(world);
    expect(new Set(answers.map(({ status, json }) => `${status} ${String(json['code'])}`))).toEqual(new Set(['409 reconnect_required']));
    expect(tokenCalls(world, 'zoom')).toHaveLength(1);
    expect(await states(world)).toEqual(['reconnect_required: expired']);
    expect(await toldReasons(world, 'connection.reconnect_required')).toEqual(['expired']);
    // Nothing goes on asking.
    for (let hour = 0; hour < 3; hour++) {
      world.jump(HOUR);
      await quiet(world);
    }
    expect(tokenCalls(world, 'zoom')).toHaveLength(1);
  });

  it('case 85: a slow refresh that ends after a newer authorization changes nothing, and its caller gets the newer token', async () => {
    const { world, connection, token } = await connected('google-meet', { databaseUrl: await databaseOf(engine) });
    world.jump(2 * HOUR);
    fault(world, 'google-meet', 'POST', TOKEN_PATHS['google-meet'], { delay_ms: 1_500 });
    const slow = token();
    await eventually('the slow refresh is under way', () => tokenCalls(world, 'google-meet').length === 1);
    expect(await connect(world, 'google-meet', { recordings: false })).toBe(connection.id);
    const newer = await grantOf(world, connection);
    expect(await slow).toBe(openTokens(world.gateway.gateway, newer)!.accessToken);
    expect((await grantOf(world, connection)).tokenVersion).toBe(newer.tokenVersion);
  });

  it('case 85: the news that old tokens are dead does not end newer ones', async () => {
    const { world, connection, token } = await connected('zoom', { databaseUrl: await databaseOf(engine) });
    world.jump(2 * HOUR);
    // At Zoom the new authorization kills the tokens of the old one, so the slow refresh is refused.
    fault(world, 'zoom', 'POST', TOKEN_PATHS.zoom, { delay_ms: 1_500 });
    const slow = token();
    await eventually('the slow refresh is under way', () => tokenCalls(world, 'zoom').length === 1);
    await connect(world, 'zoom', { recordings: false });
    expect(await slow).toBe(openTokens(world.gateway.gateway, await grantOf(world, connection))!.accessToken);
    expect(tokenCalls(world, 'zoom').map(({ status }) => status)).toEqual([400, 200]);
    expect(await states(world)).toEqual(['active']);
    expect(await toldReasons(world, 'connection.reconnect_required')).toEqual([]);
  });

  it('case 83: a process that stood still while another took over its lease brings the connection back with what it got', async () => {
    const { world, connection, token } = await connected('zoom', { databaseUrl: await databaseOf(engine) });
    world.jump(2 * HOUR);
    fault(world, 'zoom', 'POST', TOKEN_PATHS.zoom, {
      process: true,
      status: 400,
      body: { error: 'invalid_grant', reason: 'Invalid Token!' },
    });
    // The other process, whose lease is over, has got the new tokens and not stored them yet.
    const before = await grantOf(world, connection);
    const old = openTokens(world.gateway.gateway, before)!;
    await expect(token()).rejects.toMatchObject({ code: 'reconnect_required' });
    expect(await states(world)).toEqual(['reconnect_required: expired']);
    // Its late answer, by the same way as every other.
    const provider = world.gateway.gateway.providers.get('zoom')!;
    const gateway = {
      ...world.gateway.gateway,
      providers: new Map([
        [
          'zoom' as const,
          {
            ...provider,
            oauth: {
              ...provider.oauth,
              refresh: async () => ({ accessToken: 'late', refreshToken: 'late', expiresInMs: HOUR, scopes: [], claims: {} }),
            },
          },
        ],
      ]),
    };
    expect(await refresh(gateway, { ...before, refreshLeasedUntil: world.now() }, old)).toBe('late');
    expect(await states(world)).toEqual(['active']);
    expect(openTokens(world.gateway.gateway, await grantOf(world, connection))).toMatchObject({ refreshToken: 'late' });
  });

  it('case 85: leases and versions let one writer through, whatever the order', async () => {
    const { world, connection } = await connected('zoom', { databaseUrl: await databaseOf(engine) });
    const { db } = world.gateway.gateway;
    const { id, tokenVersion } = await grantOf(world, connection);
    const at = world.now();
    const lease = (now: Date, until: Date) => db.write((tx) => leaseRefresh(tx, { id, tokenVersion, now, until }));
    const write = (version: number) =>
      db.write((tx) =>
        storeTokens(tx, { id, tokenVersion: version, tokensSealed: Buffer.from('x'), accessExpiresAt: at, scopes: [], refreshedAt: at }),
      );
    const leases = await Promise.all(Array.from({ length: 20 }, () => lease(at, plus(at, 20 * SECOND))));
    expect(leases.filter(Boolean)).toHaveLength(1);
    // Whoever held it before ends no later lease.
    const later = plus(at, 21 * SECOND);
    expect(await lease(later, plus(later, 20 * SECOND))).toBe(true);
    const first = { ...(await grantOf(world, connection)), refreshLeasedUntil: plus(at, 20 * SECOND) };
    await db.write((tx) => releaseRefresh(tx, first, { retryAt: null }));
    expect(await lease(later, plus(later, 20 * SECOND))).toBe(false);
    // Nor may anybody ask while the vendor wants patience.
    await db.write((tx) =>
      releaseRefresh(tx, { ...first, refreshLeasedUntil: plus(later, 20 * SECOND) }, { retryAt: plus(later, MINUTE) }),
    );
    expect(await lease(plus(later, 59 * SECOND), plus(later, DAY))).toBe(false);
    const written = await Promise.all(Array.from({ length: 20 }, () => write(tokenVersion)));
    expect(written.filter(Boolean)).toHaveLength(1);
    expect((await grantOf(world, connection)).tokenVersion).toBe(tokenVersion + 1);
  });
});

describe('new tokens', () => {
  it.each(VENDORS)('are stored before they are used at %s', async (vendor) => {
    const { world, connection } = await connected(vendor);
    world.jump(2 * HOUR);
    const original = globalThis.fetch;
    const used: { used: string; stored: string | undefined }[] = [];
    const spy = vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
      const request = new Request(input instanceof Request ? input.clone() : input, init);
      const bearer = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1];
      if (bearer !== undefined && request.url.startsWith(world.sandbox.url))
        used.push({ used: bearer, stored: openTokens(world.gateway.gateway, await grantOf(world, connection))?.accessToken });
      return original(input, init);
    });
    try {
      expect(await ask(world, 'bk_1', vendor)).toMatchObject({ status: 201, json: { state: 'awaiting_purchase' } });
    } finally {
      spy.mockRestore();
    }
    expect(tokenCalls(world, vendor)).toHaveLength(1);
    expect(used.length).toBeGreaterThan(0);
    for (const { used: bearer, stored } of used) expect(bearer).toBe(stored);
  });

  it('survive a database that does not take them for a while', async () => {
    const { world, connection, token } = await connected('zoom');
    world.jump(2 * HOUR);
    fault(world, 'zoom', 'POST', TOKEN_PATHS.zoom, { delay_ms: 100 });
    const answer = token();
    await eventually('the refresh is under way', () => tokenCalls(world, 'zoom').length === 1);
    const other = new Sqlite(world.gateway.gateway.config.databaseUrl.replace('file:', ''));
    other.exec('begin immediate');
    const version = (await grantOf(world, connection)).tokenVersion;
    await eventually('the vendor has answered', () => tokenCalls(world, 'zoom')[0]!.status === 200);
    // Longer than our own wait for a lock.
    await delay(1_700);
    other.exec('rollback');
    other.close();
    expect(await answer).toBe(openTokens(world.gateway.gateway, await grantOf(world, connection))!.accessToken);
    expect((await grantOf(world, connection)).tokenVersion).toBe(version + 1);
    expect(tokenCalls(world, 'zoom')).toHaveLength(1);
  });
});

describe('a token that will end soon', () => {
  it('is renewed 5 to 15 minutes before, and works on while that fails', async () => {
    const { world, connection, token } = await connected('zoom');
    const first = await token();
    world.jump(44 * MINUTE);
    expect(await token()).toBe(first);
    expect(tokenCalls(world, 'zoom')).toEqual([]);
    world.jump(11 * MINUTE);
    fault(world, 'zoom', 'POST', TOKEN_PATHS.zoom, { status: 503 });
    expect(await token()).toBe(first);
    // The pause after a failure holds, and costs nobody anything.
    expect(await token()).toBe(first);
    expect(tokenCalls(world, 'zoom')).toHaveLength(1);
    expect((await grantOf(world, connection)).failures).toBe(1);
    world.jump(10 * SECOND);
    expect(await token()).not.toBe(first);
    expect(tokenCalls(world, 'zoom')).toHaveLength(2);
    expect(await grantOf(world, connection)).toMatchObject({ failures: 0, failingSince: null, retryAt: null, refreshLeasedUntil: null });
  });

  it('keeps nobody waiting while somebody else renews it', async () => {
    const { world, token } = await connected('zoom');
    const first = await token();
    world.jump(56 * MINUTE);
    fault(world, 'zoom', 'POST', TOKEN_PATHS.zoom, { delay_ms: 1_000 });
    const renewing = token();
    await eventually('the refresh is under way', () => tokenCalls(world, 'zoom').length === 1);
    expect(await token()).toBe(first);
    expect(tokenCalls(world, 'zoom')[0]!.status).toBeNull();
    expect(await renewing).not.toBe(first);
  });

  it('of ten minutes in all is not renewed at every use', async () => {
    const { world, token } = await connected('zoom');
    world.jump(2 * HOUR);
    fault(world, 'zoom', 'POST', TOKEN_PATHS.zoom, {
      status: 200,
      body: { access_token: 'short', token_type: 'bearer', refresh_token: 'r', expires_in: 600 },
    });
    for (let use = 0; use < 5; use++) {
      expect(await token()).toBe('short');
      world.jump(MINUTE);
    }
    expect(tokenCalls(world, 'zoom')).toHaveLength(1);
  });
});

describe('a vendor that cannot renew a grant', () => {
  it.each(PASSING)('case 86: %s disconnects nobody and is tried again after a pause', async (_, answer) => {
    const { world, token } = await connected('zoom');
    world.jump(2 * HOUR);
    fault(world, 'zoom', 'POST', TOKEN_PATHS.zoom, answer);
    const refused = await token().catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'vendor_unavailable' });
    // About two seconds after the first failure.
    const { retryAfterMs } = refused as { retryAfterMs: number };
    expect(retryAfterMs).toBeGreaterThanOrEqual(1.6 * SECOND);
    expect(retryAfterMs).toBeLessThanOrEqual(2.4 * SECOND);
    await expect(token()).rejects.toMatchObject({ code: 'vendor_unavailable' });
    expect(tokenCalls(world, 'zoom')).toHaveLength(1);
    world.jump(retryAfterMs);
    await token();
    expect(await states(world)).toEqual(['active']);
  });

  it.each(VENDORS)('%s: the Retry-After of a 429 at the token endpoint is kept, and does not count as a failure', async (vendor) => {
    const { world, connection, token } = await connected(vendor);
    world.jump(2 * HOUR);
    fault(world, vendor, 'POST', TOKEN_PATHS[vendor], { status: 429, headers: { 'retry-after': '120' }, body: { error: 'slow_down' } });
    await expect(token()).rejects.toMatchObject({ code: 'vendor_unavailable', retryAfterMs: 120 * SECOND });
    world.jump(119 * SECOND);
    await expect(token()).rejects.toMatchObject({ code: 'vendor_unavailable', retryAfterMs: SECOND });
    expect(tokenCalls(world, vendor)).toHaveLength(1);
    expect((await grantOf(world, connection)).failures).toBe(0);
    world.jump(SECOND);
    await token();
    expect(tokenCalls(world, vendor)).toHaveLength(2);
  });

  it('is given up after four days and ten failures, not before, and the marketplace hears why', async () => {
    const { world, connection, token } = await connected('zoom');
    fault(world, 'zoom', 'POST', TOKEN_PATHS.zoom, { status: 503 }, 1_000);
    // Many failures within three days do not do it.
    for (let hours = 0; hours < 72; hours += 2) {
      world.jump(2 * HOUR);
      await expect(token()).rejects.toMatchObject({ code: 'vendor_unavailable' });
    }
    expect((await grantOf(world, connection)).failures).toBe(36);
    world.jump(DAY);
    await expect(token()).rejects.toMatchObject({ code: 'vendor_unavailable' });
    expect(await states(world)).toEqual(['active']);
    world.jump(2 * HOUR + 1);
    await expect(token()).rejects.toMatchObject({ code: 'reconnect_required', extra: { reason: 'unreachable' } });
    expect(await states(world)).toEqual(['reconnect_required: unreachable']);
    expect(await toldReasons(world, 'connection.reconnect_required')).toEqual(['unreachable']);
    const asked = tokenCalls(world, 'zoom').length;
    await expect(token()).rejects.toMatchObject({ code: 'reconnect_required' });
    expect(tokenCalls(world, 'zoom')).toHaveLength(asked);
  });

  it('is not given up after four days with few tries', async () => {
    const { world, token } = await connected('zoom');
    fault(world, 'zoom', 'POST', TOKEN_PATHS.zoom, { status: 503 }, 1_000);
    for (let day = 0; day < 9; day++) {
      world.jump(DAY);
      await expect(token()).rejects.toMatchObject({ code: 'vendor_unavailable' });
    }
    expect(await states(world)).toEqual(['active']);
  });
});

describe('the plan', () => {
  it('is read again when a token is renewed a day later, with two reads, and a new one is shown', async () => {
    const world = await testWorld();
    const id = await connect(world, 'zoom', { user: 'ben@zoom.sandbox.example' });
    await quiet(world);
    const plan = async () => must(await world.api('GET', `/v1/connections/${id}`), 200).json['plan'];
    const reads = () => calls(world, 'zoom', 'GET', /^\/v2\/users\//).length;
    expect(await plan()).toBe('free');
    world.sandbox.sandbox.addUser('zoom', { email: 'ben@zoom.sandbox.example', type: 2 });
    world.sandbox.sandbox.traffic.reset();
    // Renewed on the same day: not read.
    world.jump(3 * HOUR);
    expect((await ask(world, 'bk_1')).status).toBe(201);
    await quiet(world);
    expect([await plan(), reads()]).toEqual(['free', 0]);
    world.jump(22 * HOUR);
    expect((await ask(world, 'bk_2')).status).toBe(201);
    await quiet(world);
    expect([await plan(), reads()]).toEqual(['paid', 2]);
    // And not again with the next token.
    world.jump(2 * HOUR);
    expect((await ask(world, 'bk_3')).status).toBe(201);
    await quiet(world);
    expect(reads()).toBe(2);
  });
});
