import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, expect, it, vi } from 'vitest';
import { visit } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { accessTokenOf } from '../../src/connections/access-token.ts';
import { isFailure } from '../../src/domain/failure.ts';
import { SECOND } from '../../src/domain/time.ts';
import { listAlarms } from '../../src/store/alarms.ts';
import type { Connection } from '../../src/store/connections.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { databaseOf, DAY, HOUR, must } from '../support/gateway.ts';
import { built } from '../support/support.ts';
import { connect, testWorld } from '../support/world.ts';
import { connectMany } from './crowd.ts';
import { quiet, states, toldReasons, tokenCalls } from './support.ts';

const METRICS_TOKEN = 'metrics-token-of-the-operator';
const ALARM = 'credentials_rejected:zoom';

beforeAll(built);

describeOnBothDatabases('a client secret that the vendor does not accept any more', (_open, engine) => {
  it('case 86: costs no connection, is told once, and asks the vendor once in 30 s', { timeout: 180_000 }, async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine), environment: { METRICS_TOKEN } });
    const connections = await connectMany(world, 'zoom', 1_000);
    const { traffic } = world.sandbox.sandbox;
    const errors = vi.spyOn(world.gateway.gateway.log, 'error');
    world.jump(2 * HOUR);
    traffic.reset();
    world.sandbox.sandbox.changeSecret('zoom', 'a new one');

    expect(await outcomes(world, connections.slice(0, 1))).toEqual({ credentials_rejected: 1 });
    expect(tokenCalls(world, 'zoom')).toHaveLength(1);
    // Within the pause nobody asks, and after it one of all does.
    expect(await outcomes(world, connections)).toEqual({ credentials_rejected: 1_000 });
    expect(tokenCalls(world, 'zoom')).toHaveLength(1);
    for (let round = 2; round <= 4; round++) {
      world.jump(30 * SECOND);
      expect(await outcomes(world, connections.slice(0, 200))).toEqual({ credentials_rejected: 200 });
      expect(tokenCalls(world, 'zoom')).toHaveLength(round);
    }
    expect(await states(world)).toEqual(['active']);
    expect(errors.mock.calls.map(([context]) => (context as { alarm?: string }).alarm)).toEqual([ALARM]);

    expect(await metrics(world)).toContain(`\ngateway_alarms{name="${ALARM}"} 1\n`);
    // One app of one vendor is no reason to take the gateway out of service.
    expect((await visit(`${world.publicUrl}/readyz`)).status).toBe(200);
    const told = await doctor(world);
    expect(told).toContainEqual({ check: 'connections', result: 'ok', active: 1_000, reconnect_required: 0, revoked: 0 });
    expect(told.find(({ check }) => check === 'alarm')).toMatchObject({ result: ALARM, times: 4 });

    world.sandbox.sandbox.changeSecret('zoom', 'sandbox-secret');
    world.jump(30 * SECOND);
    expect(await outcomes(world, connections.slice(0, 1))).toEqual({ works: 1 });
    expect(await outcomes(world, connections)).toEqual({ works: 1_000 });
    expect(await states(world)).toEqual(['active']);
    expect(await toldReasons(world, 'connection.reconnect_required')).toEqual([]);
    expect(await metrics(world)).not.toContain('gateway_alarms{');
    expect((await doctor(world)).filter(({ check }) => check === 'alarm')).toEqual([]);
    expect(errors).toHaveBeenCalledTimes(1);
  });

  it('case 86: is told when a professional connects, too, and is over with the next one who can', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const { db, log } = world.gateway.gateway;
    const errors = vi.spyOn(log, 'error');
    const alarms = async () => (await listAlarms(db.read)).map(({ name, count }) => ({ name, count }));
    world.sandbox.sandbox.changeSecret('zoom', 'a new one');
    for (let times = 1; times <= 2; times += 1) {
      await expect(connect(world, 'zoom')).rejects.toThrow('The connection failed');
      expect(await alarms()).toEqual([{ name: ALARM, count: times }]);
    }
    expect(errors.mock.calls.map(([context]) => (context as { alarm?: string }).alarm)).toEqual([ALARM]);
    world.sandbox.sandbox.changeSecret('zoom', 'sandbox-secret');
    await connect(world, 'zoom');
    expect(await alarms()).toEqual([]);
  });

  it('does not end the jobs that wait for it', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const [connection] = await connectMany(world, 'google-meet', 1, { feed: true });
    await quiet(world);
    world.sandbox.sandbox.changeSecret('google-meet', 'a new one');
    const { read } = world.gateway.gateway.db;
    const renewal = async () => (await read.select().from(read.t.jobs)).find(({ kind }) => kind === 'subscription.renew');
    // The feed is renewed after three days; more tries than any other job gets.
    world.jump(3 * DAY);
    for (let tries = 0; tries < 20; tries++) {
      await quiet(world);
      world.jump(2 * HOUR);
    }
    await quiet(world);
    expect(await renewal()).toMatchObject({ deadAt: null, subjectId: connection!.id });
    expect((await renewal())!.attempts).toBeGreaterThan(15);
    world.sandbox.sandbox.changeSecret('google-meet', 'sandbox-secret');
    world.jump(2 * HOUR);
    await quiet(world);
    expect(await renewal()).toMatchObject({ attempts: 0, lastError: null });
    expect(await states(world)).toEqual(['active']);
  });
});

/** What comes of asking for the tokens of all these, a hundred at the same time. */
async function outcomes({ gateway }: World, connections: readonly Connection[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const ask = async ({ grantId }: Connection): Promise<void> => {
    const outcome = await accessTokenOf(gateway.gateway, grantId).then(
      () => 'works',
      (error: unknown) => (isFailure(error, 'credentials_rejected') ? error.code : String(error)),
    );
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  };
  for (let from = 0; from < connections.length; from += 100) await Promise.all(connections.slice(from, from + 100).map(ask));
  return counts;
}

const metrics = async ({ publicUrl }: World): Promise<string> =>
  must(await visit(`${publicUrl}/metrics`, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } }), 200).text;

/** The operator's command, as a process of its own beside the gateway. */
async function doctor({ gateway }: World): Promise<Record<string, unknown>[]> {
  const { databaseUrl, publicUrl, encryptionKeys } = gateway.gateway.config;
  const { stdout } = await promisify(execFile)(process.execPath, ['dist/bundle/cli.js', 'doctor', '--json'], {
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: databaseUrl,
      PUBLIC_URL: publicUrl,
      ENCRYPTION_KEYS: encryptionKeys!.map(({ id, key }) => `${id}:${key.toString('base64')}`).join(','),
    },
  });
  return JSON.parse(stdout) as Record<string, unknown>[];
}
