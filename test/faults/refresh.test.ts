/** Refreshes of the real program: in several processes at once, and killed between the vendor's answer and our commit. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../demo/world.ts';
import { MINUTE } from '../../src/domain/time.ts';
import type { Running } from '../../src/server.ts';
import { tokenCalls, TOKEN_PATHS } from '../connections/support.ts';
import { describeOnBothDatabases, raw, useDatabases } from '../support/databases.ts';
import { built } from '../support/support.ts';
import { connect, meetingBody, type Vendor } from '../support/world.ts';
import { createStage, type Stage } from './stage.ts';

/** The program runs on the real clock and its leases on the database; this puts them behind us. */
const AFTER_ALL_LEASES_MS = 3 * MINUTE;

beforeAll(built);

const booking = (id: string, provider: Vendor) =>
  meetingBody({ now: () => new Date() }, { booking: { id, kind: 'one_to_one', title: 'Tax consultation' }, provider });

/** Connected, and then let go by the process that connected it. */
async function connectedStage(address: string, vendor: Vendor, options?: Parameters<typeof createStage>[1]): Promise<Stage> {
  const stage = await createStage(address, options);
  const first = await stage.serve();
  await connect(stage, vendor, { recordings: false });
  await first.close();
  stage.sandbox.sandbox.traffic.reset();
  return stage;
}

const expire = ({ databaseUrl }: Stage) =>
  raw(
    databaseUrl,
    databaseUrl.startsWith('postgres') ? `update grants set access_expires_at = now()` : `update grants set access_expires_at = 0`,
  );

describe('three processes on one database', () => {
  const { engine } = useDatabases('postgres');

  it.each([
    ['an expired token', expire],
    // The vendor's clock is ahead: all of them hear it from the vendor.
    ['a token that the vendor refuses', async ({ sandbox }: Stage) => sandbox.sandbox.advance(2 * 60 * MINUTE)],
  ])('case 83: 21 calls with %s make one refresh, and none fails', { timeout: 90_000 }, async (_, end) => {
    const stage = await connectedStage(await engine.createUrl(), 'zoom');
    const ports = await Promise.all([freePort(), freePort(), freePort()]);
    await Promise.all(ports.map((port) => stage.start({ port })));
    const seven = <T>(run: (port: number, index: number) => Promise<T>): Promise<T[]> =>
      Promise.all(ports.flatMap((port) => Array.from({ length: 7 }, (_unused, index) => run(port, index))));
    // Their connections to the database are open before it begins.
    for (const { status } of await seven((port) => stage.apiAt(port)('GET', '/v1/meetings'))) expect(status).toBe(200);
    await end(stage);
    const answers = await seven((port, index) => stage.apiAt(port)('POST', '/v1/meetings', booking(`bk_${port}_${index}`, 'zoom')));
    expect(answers.map(({ status, json }) => `${status} ${String(json['state'] ?? json['code'])}`)).toEqual(
      Array(21).fill('201 awaiting_purchase'),
    );
    expect(tokenCalls(stage, 'zoom').map(({ status }) => status)).toEqual([200]);
    expect(await raw(stage.databaseUrl, 'select status from connections')).toEqual([{ status: 'active' }]);
  });
});

describeOnBothDatabases('a process that is killed between the answer of the vendor and the commit', (_open, engine) => {
  const SURVIVES: readonly [name: string, vendor: Vendor, options?: Parameters<typeof createStage>[1]][] = [
    ['Microsoft, where the old refresh token lives on', 'microsoft-teams'],
    ['Google, where there is no new one', 'google-meet'],
    ['Zoom with the grace that was measured', 'zoom', { zoom: { refreshGraceMs: 10 * MINUTE } }],
  ];

  it.each(SURVIVES)('case 84: costs nothing at %s', { timeout: 60_000 }, async (_, vendor, options) => {
    const stage = await connectedStage(await engine.createUrl(), vendor, options);
    const before = await dieInRefresh(stage, vendor);
    const running = await stage.serve({ aheadMs: AFTER_ALL_LEASES_MS });
    expect(await stage.api('POST', '/v1/meetings', booking('bk_2', vendor))).toMatchObject({
      status: 201,
      json: { state: 'awaiting_purchase' },
    });
    expect(await state(stage)).toEqual({ status: 'active', version: before + 1, told: 0 });
    expect(tokenCalls(stage, vendor).map(({ status }) => status)).toEqual([200, 200]);
    await running.close();
  });

  it(
    'case 84: ends in reconnect_required where the refresh token was used up, with one event and without a hot loop',
    { timeout: 60_000 },
    async () => {
      const stage = await connectedStage(await engine.createUrl(), 'zoom');
      const before = await dieInRefresh(stage, 'zoom');
      const running = await stage.serve({ aheadMs: AFTER_ALL_LEASES_MS });
      for (let time = 0; time < 5; time++)
        expect(await stage.api('POST', '/v1/meetings', booking(`bk_${time + 2}`, 'zoom'))).toMatchObject({
          status: 409,
          json: { code: 'reconnect_required' },
        });
      await settledJobs(running);
      expect(await state(stage)).toEqual({ status: 'reconnect_required', version: before, told: 1 });
      // The refresh of the dead process, and the one that heard that its token is used up.
      expect(tokenCalls(stage, 'zoom').map(({ status }) => status)).toEqual([200, 400]);
      // The professional connects again, and everything works.
      await connect(stage, 'zoom', { recordings: false });
      expect(await stage.api('POST', '/v1/meetings', booking('bk_9', 'zoom'))).toMatchObject({
        status: 201,
        json: { state: 'awaiting_purchase' },
      });
      await running.close();
    },
  );
});

/** Kills the program while the vendor answers its refresh; the version of the tokens that the database still has. */
async function dieInRefresh(stage: Stage, vendor: Vendor): Promise<number> {
  await expire(stage);
  const { traffic } = stage.sandbox.sandbox;
  traffic.addFault({ vendor, match: { method: 'POST', path: TOKEN_PATHS[vendor] }, times: 1, answer: { delay_ms: 500 } });
  const program = await stage.start();
  const asked = stage.api('POST', '/v1/meetings', booking('bk_1', vendor)).catch(() => undefined);
  await vi.waitFor(() => expect(tokenCalls(stage, vendor)).toHaveLength(1), { timeout: 10_000 });
  program.kill('SIGKILL');
  expect((await program.exit).signal).toBe('SIGKILL');
  expect(await asked).toBeUndefined();
  // The vendor has done its part all the same.
  await vi.waitFor(() => expect(tokenCalls(stage, vendor).map(({ status }) => status)).toEqual([200]), { timeout: 10_000 });
  const [grant] = await raw(stage.databaseUrl, 'select token_version, refresh_leased_until from grants');
  expect(grant!['refresh_leased_until']).not.toBeNull();
  return Number(grant!['token_version']);
}

async function state({ databaseUrl }: Stage): Promise<{ status: unknown; version: number; told: number }> {
  const [row] = await raw(databaseUrl, 'select status, token_version from connections join grants on grants.id = connections.grant_id');
  const [events] = await raw(databaseUrl, `select count(*) as n from events where type = 'connection.reconnect_required'`);
  return { status: row!['status'], version: Number(row!['token_version']), told: Number(events!['n']) };
}

/** Every job that was due has run, so that what would go on asking has had its chance. */
async function settledJobs({ gateway: { db, now, wake } }: Running): Promise<void> {
  await vi.waitFor(
    async () => {
      wake();
      const jobs = await db.read.select().from(db.read.t.jobs);
      expect(jobs.filter(({ deadAt, dueAt }) => deadAt === null && dueAt <= now())).toEqual([]);
    },
    { timeout: 10_000 },
  );
}
