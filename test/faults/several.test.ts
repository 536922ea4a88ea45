/** Two processes of the real program on one database: what is due is done by one of them. */
import { beforeAll, expect, it, vi } from 'vitest';
import { freePort } from '../../demo/world.ts';
import { HOUR } from '../../src/domain/time.ts';
import { insertDeliveries } from '../../src/store/deliveries.ts';
import { insertEvents } from '../../src/store/events.ts';
import { tokenCalls } from '../connections/support.ts';
import { describeOnBothDatabases, raw } from '../support/databases.ts';
import { startSink } from '../support/sink.ts';
import { built } from '../support/support.ts';
import { connect, meetingBody } from '../support/world.ts';
import { createStage, type Stage } from './stage.ts';

beforeAll(built);

const ROUNDS = 5;
const MEETINGS = 16;
const EVENTS = 1_500;
const CYCLIC = ['gateway.sweep', 'subscription.renew', 'grant.keep'];

describeOnBothDatabases('two processes on one database', (_open, engine) => {
  const isFile = engine.dialect === 'sqlite';
  const past = isFile ? '1000' : `'1970-01-01T00:00:01Z'`;

  /** Every claim of a job from now on, written down by the database itself. */
  async function logClaims({ databaseUrl }: Stage): Promise<void> {
    await raw(databaseUrl, 'create table claims (job text)');
    const on = 'after update of leased_until on jobs for each row when (new.leased_until is not null)';
    if (isFile) await raw(databaseUrl, `create trigger claimed ${on} begin insert into claims values (new.id); end`);
    else {
      await raw(
        databaseUrl,
        'create function claimed() returns trigger language plpgsql as $$ begin insert into claims values (new.id); return new; end $$',
      );
      await raw(databaseUrl, `create trigger claimed ${on} execute function claimed()`);
    }
  }

  const nothingDue = ({ databaseUrl }: Stage) =>
    vi.waitFor(
      async () =>
        expect(
          await raw(
            databaseUrl,
            `select id from jobs where dead_at is null and (leased_until is not null or due_at <= ${isFile ? Date.now() : 'now()'})`,
          ),
        ).toEqual([]),
      { timeout: 20_000, interval: 50 },
    );

  it('case 30: sweep, renew, refresh and expire each thing once', { timeout: 120_000 }, async () => {
    const stage = await createStage(await engine.createUrl());
    const environment = {
      GOOGLE_PUBSUB_TOPIC: 'projects/sandbox/topics/meet-events',
      GOOGLE_PUSH_AUDIENCE: `${stage.publicUrl}/webhooks/google-meet`,
      GOOGLE_PUSH_SERVICE_ACCOUNT: 'push@sandbox.iam.gserviceaccount.com',
    };
    const first = await stage.serve({ environment });
    for (const vendor of ['microsoft-teams', 'google-meet', 'zoom'] as const)
      await connect(stage, vendor, { recordings: vendor !== 'zoom' });
    for (let index = 0; index < MEETINGS; index++) {
      const booking = { id: `bk_${index}`, kind: 'one_to_one', title: 'Tax' };
      const startsAt = new Date(Date.now() + HOUR).toISOString();
      const body = meetingBody({ now: () => new Date() }, { booking, provider: 'zoom', starts_at: startsAt });
      expect((await stage.api('POST', '/v1/meetings', body)).status).toBe(201);
    }
    await nothingDue(stage);
    await first.close();
    const ports = [await freePort(), await freePort()];
    const programs = await Promise.all(ports.map((port) => stage.start({ port, environment })));
    await nothingDue(stage);
    await logClaims(stage);
    const { traffic } = stage.sandbox.sandbox;
    traffic.reset();

    const kinds = CYCLIC.map((kind) => `'${kind}'`).join();
    const jobs = (await raw(stage.databaseUrl, `select id from jobs where kind in (${kinds})`)).map(({ id }) => String(id));
    expect(jobs.length).toBeGreaterThanOrEqual(1 + 2 + 3);
    await raw(stage.databaseUrl, `update meetings set purchase_by = ${past}`);
    await raw(stage.databaseUrl, `update jobs set due_at = ${past} where kind = 'meeting.expire'`);
    await vi.waitFor(
      async () => expect(await raw(stage.databaseUrl, 'select distinct state from meetings')).toEqual([{ state: 'expired' }]),
      { timeout: 20_000 },
    );
    await nothingDue(stage);
    for (let round = 0; round < ROUNDS; round++) {
      // The last round is for the second one alone, so it was there all the time.
      if (round === ROUNDS - 1) {
        programs[0]!.kill('SIGTERM');
        await programs[0]!.exit;
      }
      await raw(stage.databaseUrl, `update grants set access_expires_at = ${past}, refreshed_at = ${past}`);
      await raw(stage.databaseUrl, `update jobs set due_at = ${past} where kind in (${kinds})`);
      await nothingDue(stage);
    }

    const claims = new Map<string, number>();
    for (const { job } of await raw(stage.databaseUrl, 'select job from claims'))
      claims.set(String(job), (claims.get(String(job)) ?? 0) + 1);
    expect(jobs.map((id) => [id, claims.get(id)])).toEqual(jobs.map((id) => [id, ROUNDS]));
    for (const vendor of ['microsoft-teams', 'google-meet', 'zoom'] as const)
      expect([vendor, ...tokenCalls(stage, vendor).map(({ status }) => status)]).toEqual([vendor, ...Array<number>(ROUNDS).fill(200)]);
    const calls = (vendor: string, method: string, path: RegExp) =>
      traffic.requests().filter((request) => request.vendor === vendor && request.method === method && path.test(request.path)).length;
    expect(calls('microsoft-teams', 'PATCH', /\/subscriptions\//)).toBe(ROUNDS);
    expect(calls('google-meet', 'PATCH', /\/subscriptions\//)).toBe(ROUNDS);
    expect(calls('zoom', 'DELETE', /\/meetings\//)).toBe(MEETINGS);
    expect(await raw(stage.databaseUrl, `select id from events where type = 'meeting.expired'`)).toHaveLength(MEETINGS);
  });

  it(
    'case 30: deliver each event once, and the one that is left does not stay behind what the other has done',
    { timeout: 120_000 },
    async () => {
      const stage = await createStage(await engine.createUrl());
      const ports = [await freePort(), await freePort()];
      const programs = await Promise.all(ports.map((port) => stage.start({ port })));
      const sink = await startSink();
      const api = stage.apiAt(ports[1]!);
      const endpointId = String((await api('POST', '/v1/webhook-endpoints', { url: sink.url })).json['id']);
      const db = await engine.openAt(stage.databaseUrl);
      const { marketplaceId } = stage;
      const at = new Date();
      // At once, so that both have read the same before either has taken much of it.
      const keys = Array.from({ length: EVENTS }, (_, index) => String(index).padStart(6, '0'));
      await db.write(async (tx) => {
        for (let first = 0; first < EVENTS; first += 500) {
          const some = keys.slice(first, first + 500);
          const event = { marketplaceId, type: 'meeting.expired', subjectId: 'mtg_1', at, sequence: null, data: {}, linksSealed: null };
          await insertEvents(
            tx,
            some.map((key) => ({ ...event, id: `evt_${key}`, position: `evt_${key}` })),
          );
          const delivery = {
            marketplaceId,
            endpointId,
            state: 'pending',
            reason: null,
            dueAt: at,
            leasedUntil: null,
            attempts: 0,
            createdAt: at,
          };
          await insertDeliveries(
            tx,
            some.map((key) => ({ ...delivery, id: `dlv_${key}`, eventId: `evt_${key}` })),
          );
        }
      });
      await vi.waitFor(
        async () => expect(await raw(stage.databaseUrl, `select id from deliveries where state <> 'delivered' limit 1`)).toEqual([]),
        { timeout: 60_000, interval: 50 },
      );
      expect(sink.requests.map(({ id }) => id).toSorted()).toEqual(keys.map((key) => `evt_${key}`));
      programs[0]!.kill('SIGTERM');
      await programs[0]!.exit;
      expect((await api('POST', `/v1/webhook-endpoints/${endpointId}/test`)).status).toBe(202);
      await vi.waitFor(() => expect(sink.requests).toHaveLength(EVENTS + 1), { timeout: 3_000 });
    },
  );
});
