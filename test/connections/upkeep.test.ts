/** What follows success, new tokens and the end of an account, beside the refresh itself. */
import { describe, expect, it, vi } from 'vitest';
import { accessTokenOf } from '../../src/connections/access-token.ts';
import { atVendor } from '../../src/connections/account.ts';
import { eraseConnection } from '../../src/connections/erase.ts';
import { markReconnectRequired, markRevoked, revive } from '../../src/connections/health.ts';
import { readProfileAgain } from '../../src/connections/keep.ts';
import { credentialsAlarm, CREDENTIALS_PAUSE_MS } from '../../src/connections/refresh.ts';
import { Failure } from '../../src/domain/failure.ts';
import { plus, SECOND } from '../../src/domain/time.ts';
import { findAlarm, raiseAlarm } from '../../src/store/alarms.ts';
import { findConnection, findSubscriptionOf } from '../../src/store/connections.ts';
import { findGrant, leaseRefresh, releaseRefresh } from '../../src/store/grants.ts';
import { cancelJob, findJob, scheduleJob } from '../../src/store/jobs.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { calls, databaseOf, eventually, fault, HOUR, MINUTE } from '../support/gateway.ts';
import { connect, testWorld, type Vendor } from '../support/world.ts';
import { quiet, states } from './support.ts';

async function connected(vendor: Vendor, options: Parameters<typeof testWorld>[0] = {}, recordings = false) {
  const world = await testWorld(options);
  const id = await connect(world, vendor, { recordings });
  await quiet(world);
  world.sandbox.sandbox.traffic.reset();
  const { gateway } = world.gateway;
  return { world, gateway, connection: (await findConnection(gateway.db.read, id))! };
}

describeOnBothDatabases('the upkeep of a connection', (_open, engine) => {
  it('a profile that arrives after the erasure of its account is not stored', async () => {
    const { world, gateway, connection } = await connected('zoom', { databaseUrl: await databaseOf(engine) });
    const { id, grantId } = connection;
    fault(world, 'zoom', 'GET', '^/v2/users/', { delay_ms: 1_000 });
    const reading = readProfileAgain(gateway, grantId);
    await eventually('the vendor is asked', () => calls(world, 'zoom', 'GET', /^\/v2\/users\//).length > 0);
    await gateway.db.write((tx) => markRevoked(tx, gateway, connection, 'app_removed'));
    await eraseConnection(gateway, id);
    await reading.catch(() => {});
    expect(await findConnection(gateway.db.read, id)).toMatchObject({ status: 'revoked', email: null, plan: 'unknown' });
    expect((await findConnection(gateway.db.read, id))!.erasedAt).not.toBeNull();
  });

  it('who comes back by the tokens of somebody else has an event feed and is kept', async () => {
    const { world, gateway, connection } = await connected('google-meet', { databaseUrl: await databaseOf(engine) }, true);
    const { id, grantId } = connection;
    await markReconnectRequired(gateway, connection, 'unknown');
    await gateway.db.write(async (tx) => {
      for (const [kind, subjectId] of [
        ['subscription.renew', id],
        ['grant.keep', grantId],
      ] as const)
        await cancelJob(tx, { kind, subjectId });
      await revive(tx, gateway, grantId);
    });
    expect(await states(world)).toEqual(['active']);
    gateway.wake();
    await quiet(world);
    expect(await findJob(gateway.db.read, { kind: 'grant.keep', subjectId: grantId })).toMatchObject({ deadAt: null });
    expect(await findJob(gateway.db.read, { kind: 'subscription.renew', subjectId: id })).toMatchObject({ deadAt: null });
    expect(await findSubscriptionOf(gateway.db.read, id)).toBeDefined();
  });

  it('case 86: refusals with a success, a new sign-in or more than an hour in between end nothing', async () => {
    const { world, gateway, connection } = await connected('zoom', { databaseUrl: await databaseOf(engine) });
    const refused = () =>
      atVendor(gateway, connection, () => Promise.reject(new Failure('reconnect_required', 'no', { extra: { status: 401 } }))).catch(
        (error: unknown) => (error as Failure).code,
      );
    expect(await refused()).toBe('vendor_unavailable');
    world.jump(15 * MINUTE);
    await atVendor(gateway, connection, () => Promise.resolve());
    world.jump(15 * MINUTE);
    expect(await refused()).toBe('vendor_unavailable');
    world.jump(30 * MINUTE);
    await connect(world, 'zoom', { recordings: false });
    expect(await refused()).toBe('vendor_unavailable');
    world.jump(HOUR + MINUTE);
    expect(await refused()).toBe('vendor_unavailable');
    expect(await states(world)).toEqual(['active']);
    // Nothing in between, and soon enough: it lasts.
    world.jump(15 * MINUTE);
    expect(await refused()).toBe('vendor_unavailable');
    world.jump(50 * MINUTE);
    expect(await refused()).toBe('reconnect_required');
    expect(await states(world)).toEqual(['reconnect_required: unknown']);
  });

  it('who gets no lease does not spend the one try of credentials that were refused', async () => {
    const { world, gateway, connection } = await connected('zoom', { databaseUrl: await databaseOf(engine) });
    const { db } = gateway;
    const name = credentialsAlarm({ provider: 'zoom', kind: 'user' });
    await db.write((tx) => raiseAlarm(tx, { name, detail: 'no', now: world.now() }));
    const raised = (await findAlarm(db.read, name))!;
    world.jump(2 * HOUR + CREDENTIALS_PAUSE_MS);
    const grant = (await findGrant(db.read, connection.grantId))!;
    const at = world.now();
    const refreshLeasedUntil = plus(at, 20 * SECOND);
    const results: unknown[] = [];
    const write: typeof db.write = async (work) => {
      // Somebody else is faster, by a moment.
      if (results.length === 0) await db.write((tx) => leaseRefresh(tx, { ...grant, now: at, until: refreshLeasedUntil }));
      const result = await db.write(work);
      results.push(result);
      return result;
    };
    const token = accessTokenOf({ ...gateway, db: { ...db, write } }, grant.id);
    await vi.waitFor(() => expect(results).toEqual([false]), 5_000);
    expect(await findAlarm(db.read, name)).toEqual(raised);
    await db.write((tx) => releaseRefresh(tx, { ...grant, refreshLeasedUntil }, { retryAt: null }));
    await token;
    expect(await findAlarm(db.read, name)).toBeUndefined();
  });
});

describe('a connection that waits for its professional', () => {
  it('leaves no dead jobs behind', async () => {
    const { world, gateway, connection } = await connected('zoom');
    const { id, grantId } = connection;
    world.jump(2 * HOUR);
    fault(world, 'zoom', 'POST', '/oauth/token$', { status: 400, body: { error: 'invalid_grant', reason: 'Invalid Token!' } }, 100);
    await gateway.db.write((tx) => scheduleJob(tx, { kind: 'grant.profile', subjectId: grantId, dueAt: world.now() }));
    gateway.wake();
    await quiet(world);
    await eventually('it was told', async () => (await findConnection(gateway.db.read, id))!.status === 'reconnect_required');
    await eventually(
      'the job is gone',
      async () => (await findJob(gateway.db.read, { kind: 'grant.profile', subjectId: grantId })) === undefined,
    );
  });
});
