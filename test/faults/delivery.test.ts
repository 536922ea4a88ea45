/** Receivers that fail in every way that is known of them, and what the gateway itself may do wrong on the way to them. */
import { createServer, type Server, type Socket } from 'node:net';
import { eq } from 'drizzle-orm';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { World } from '../../demo/world.ts';
import { createVault } from '../../src/connections/vault.ts';
import { eventLinksContext } from '../../src/connections/sealed.ts';
import { plus } from '../../src/domain/time.ts';
import { buryWaiting } from '../../src/events/bury.ts';
import { createSend } from '../../src/events/deliver.ts';
import { emit, emitAll, eventId, type NewEvent } from '../../src/events/emit.ts';
import { skipLostNumbers } from '../../src/events/sequence.ts';
import { sweepEvents } from '../../src/events/retention.ts';
import { createSettle } from '../../src/events/settle.ts';
import { listAlarms } from '../../src/store/alarms.ts';
import { insertDeliveries, leaseDeliveries, wasAttempted, type Delivery } from '../../src/store/deliveries.ts';
import { insertEvents } from '../../src/store/events.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import {
  arrived,
  deliveriesOf,
  getEndpoint,
  recorded,
  register,
  verifies,
  type Endpoint,
  type ShownDelivery,
} from '../support/endpoints.ts';
import { createMeeting, databaseOf, DAY, eventually, HOUR, MINUTE, must, settled } from '../support/gateway.ts';
import { startSink } from '../support/sink.ts';
import { connect, testWorld } from '../support/world.ts';

/** How it is delivered does not depend on what is told: it has as much data as a test looks at. */
const happening = (world: Pick<World, 'marketplaceId'>, key: string, more: Readonly<Record<string, unknown>> = {}): NewEvent =>
  ({
    marketplaceId: world.marketplaceId,
    type: 'meeting.changed',
    subjectId: 'mtg_1',
    key,
    data: { meeting_id: 'mtg_1', key },
    ...more,
  }) as unknown as NewEvent;

/** Writes the event and lets the worker know. */
async function tell(world: World, ...events: readonly NewEvent[]): Promise<void> {
  const { gateway } = world.gateway;
  await gateway.db.write((tx) => emitAll(tx, gateway, events));
  gateway.wake();
}

/** Moves the clock to the next attempt of the only delivery that waits. */
async function jumpToNext(world: World, endpoint: Endpoint, attempts: number): Promise<ShownDelivery> {
  const [delivery] = await recorded(world, endpoint, attempts);
  world.jump(Date.parse(delivery!.next_attempt_at!) - world.now().getTime());
  return delivery!;
}

describeOnBothDatabases('receivers that fail', (_open, engine) => {
  const start = async (): Promise<World> => testWorld({ madeUp: true, databaseUrl: await databaseOf(engine) });

  it('case 92: down for five days, the schedule runs to its end, the endpoint is disabled, others are told; replayed, each id comes once', async () => {
    const world = await start();
    let up = false;
    const sink = await startSink(() => ({ status: up ? 204 : 500 }));
    const endpoint = await register(world, sink.url, ['meeting.*']);
    const began = world.now();
    await tell(world, happening(world, 'first'));
    for (let attempts = 1; attempts < 10; attempts += 1) await jumpToNext(world, endpoint, attempts);
    const [first] = await recorded(world, endpoint, 10);
    expect(first).toMatchObject({ state: 'dead', reason: 'exhausted', next_attempt_at: null });
    expect(await getEndpoint(world, endpoint)).toMatchObject({ enabled: true, failing_since: began.toISOString() });
    // What comes while it is down has a schedule of its own.
    await tell(world, happening(world, 'second'), happening(world, 'third'));
    await recorded(world, endpoint, 12);
    world.jump(5 * DAY - (world.now().getTime() - began.getTime()));
    await eventually('it is disabled', async () => (await getEndpoint(world, endpoint))['enabled'] === false);
    expect(await getEndpoint(world, endpoint)).toMatchObject({
      disabled: {
        reason: 'failing',
        notice: { subject: expect.stringContaining('127.0.0.1'), text: expect.stringContaining(endpoint.id) },
      },
    });
    const notice = await world.receiver.waitFor('the notice', ({ type }) => type === 'endpoint.disabled');
    expect(notice.data).toMatchObject({ endpoint_id: endpoint.id, reason: 'failing', notice: { subject: expect.any(String) } });
    await eventually('all are dead letters', async () => (await deliveriesOf(world, endpoint, '?state=dead')).length === 3);
    const letters = await deliveriesOf(world, endpoint, '?state=dead');
    expect(letters.map(({ reason }) => String(reason)).toSorted()).toEqual(['endpoint_disabled', 'endpoint_disabled', 'exhausted']);
    const { db } = world.gateway.gateway;
    const audit = await db.read.select().from(db.read.t.audit).where(eq(db.read.t.audit.subjectId, endpoint.id));
    expect(audit).toMatchObject([{ action: 'endpoint.disabled', details: { reason: 'failing' } }]);
    const since = began.toISOString();
    expect((await world.api('POST', `/v1/webhook-endpoints/${endpoint.id}/recover`, { since })).status).toBe(409);

    // What is told while it is off is kept for it, too.
    await tell(world, happening(world, 'missed'));
    letters.push(...(await deliveriesOf(world, endpoint, '?limit=1')));
    expect(letters[3]).toMatchObject({ event_id: eventId(happening(world, 'missed')), state: 'dead', reason: 'endpoint_disabled' });

    up = true;
    const before = sink.requests.length;
    must(await world.api('PATCH', `/v1/webhook-endpoints/${endpoint.id}`, { enabled: true }), 200);
    expect(await getEndpoint(world, endpoint)).toMatchObject({ enabled: true, disabled: null, failing_since: null });
    must(await world.api('POST', `/v1/webhook-endpoints/${endpoint.id}/recover`, { since }), 202);
    await settled(world);
    const replayed = sink.requests.slice(before).map(({ id }) => id);
    expect(replayed).toHaveLength(4);
    expect(new Set(replayed)).toEqual(new Set(letters.map(({ event_id: id }) => id)));
    expect(await deliveriesOf(world, endpoint, '?state=delivered')).toHaveLength(4);
  }, 60_000);

  it('case 92: one success in between starts the five days anew, and so does a quiet week', async () => {
    const world = await start();
    let answer = 500;
    const sink = await startSink(() => ({ status: answer }));
    const endpoint = await register(world, sink.url, ['meeting.*']);
    await tell(world, happening(world, 'a'));
    await jumpToNext(world, endpoint, 1);
    await recorded(world, endpoint, 2);
    expect(await getEndpoint(world, endpoint)).toMatchObject({ failing_since: expect.any(String) });
    answer = 204;
    await jumpToNext(world, endpoint, 2);
    await recorded(world, endpoint, 3);
    expect(await getEndpoint(world, endpoint)).toMatchObject({ failing_since: null });
    // A failure, nothing to send for a week, and one failure more.
    answer = 500;
    await tell(world, happening(world, 'b'));
    await recorded(world, endpoint, 4);
    const { db } = world.gateway.gateway;
    await db.write((tx) => tx.update(tx.t.deliveries).set({ state: 'dead' }).where(eq(tx.t.deliveries.endpointId, endpoint.id)));
    world.jump(7 * DAY);
    await tell(world, happening(world, 'c'));
    await recorded(world, endpoint, 5);
    expect(await getEndpoint(world, endpoint)).toMatchObject({ enabled: true });
  });

  it('case 94: Retry-After moves the next attempt, at most to twice the wait or the next one; 503 is left alone for a minute; 401, 403 and 404 are tried again and say so', async () => {
    const world = await start();
    const answers = [
      { status: 503, headers: { 'retry-after': '8' } },
      { status: 500, headers: { 'retry-after': new Date(world.now().getTime() + DAY).toUTCString() } },
      { status: 429, headers: { 'retry-after': '1' } },
      { status: 401 },
      { status: 403 },
      { status: 404 },
    ];
    const sink = await startSink((_request, count) => answers[count - 1] ?? { status: 204 });
    const endpoint = await register(world, sink.url, ['meeting.*']);
    await tell(world, happening(world, 'busy'));
    const waits: number[] = [];
    for (let attempts = 1; attempts <= 6; attempts += 1) {
      const [{ next_attempt_at: next } = { next_attempt_at: null }] = await recorded(world, endpoint, attempts);
      waits.push(Date.parse(next!) - world.now().getTime());
      await jumpToNext(world, endpoint, attempts);
    }
    expect(waits[0]).toBe(MINUTE);
    expect(waits[1]).toBe(30 * MINUTE);
    expect(waits[2]).toBeGreaterThanOrEqual(24 * MINUTE);
    const [delivery] = await recorded(world, endpoint, 7);
    expect(delivery!.state).toBe('delivered');
    expect(delivery!.attempts.map(({ problem }) => problem)).toEqual([
      'overloaded',
      'server_error',
      'overloaded',
      'unauthorized',
      'unauthorized',
      'not_found',
      null,
    ]);
  });

  it('case 94: 410 disables at once; what waited is dead, and the marketplace hears of it at its other endpoints', async () => {
    const world = await start();
    const sink = await startSink((_request, count) => ({ status: count === 1 ? 500 : 410 }));
    const endpoint = await register(world, sink.url, ['meeting.*', 'endpoint.*']);
    await tell(world, happening(world, 'waits'));
    await recorded(world, endpoint, 1);
    world.jump(1);
    await tell(world, happening(world, 'gone'));
    await eventually('both are dead', async () => (await deliveriesOf(world, endpoint, '?state=dead')).length === 2);
    expect(await deliveriesOf(world, endpoint)).toMatchObject([
      { reason: 'endpoint_gone', attempts: [{ status: 410, problem: 'gone' }] },
      { reason: 'endpoint_gone', attempts: [{ status: 500 }] },
    ]);
    const told = await world.receiver.waitFor('the notice', ({ type }) => type === 'endpoint.disabled');
    expect(told.data).toMatchObject({ endpoint_id: endpoint.id, reason: 'gone' });
    await settled(world);
    expect(sink.requests).toHaveLength(2);
  });

  it('case 95: ten thousand events for an endpoint that hangs, and thirty more such endpoints, delay nobody else', async () => {
    const world = await testWorld({ madeUp: true, databaseUrl: await databaseOf(engine), clock: 'running' });
    const hanging = await startSink(() => 'hang');
    const quick = await startSink();
    const other = await register(world, quick.url, ['meeting.started']);
    const latency = async (): Promise<number> => {
      const took: number[] = [];
      for (let index = 0; index < 25; index += 1) {
        const began = performance.now();
        const wanted = quick.requests.length + 1;
        await tell(world, happening(world, `${began}`, { type: 'meeting.started' }));
        await arrived(quick, wanted);
        took.push(performance.now() - began);
      }
      return took.toSorted((a, b) => a - b)[12]!;
    };
    const before = await latency();
    const slow: Endpoint[] = [];
    for (let index = 0; index < 31; index += 1) slow.push(await register(world, hanging.url, ['meeting.expired']));
    await fill(world, slow[0]!, 10_000);
    for (const endpoint of slow.slice(1)) await fill(world, endpoint, 10);
    world.gateway.gateway.wake();
    await arrived(hanging, 62);
    const after = await latency();
    expect(after).toBeLessThan(before + 100);
    await eventually('all are delivered', async () => (await deliveriesOf(world, other, '?state=delivered&limit=100')).length === 50);
  }, 60_000);

  it('case 97: what a receiver took in and did not confirm comes again under the same id', async () => {
    const world = await start();
    const processed = new Set<string>();
    const sink = await startSink(({ id }, count) => {
      processed.add(id);
      return { status: count === 1 ? 500 : 204 };
    });
    const endpoint = await register(world, sink.url, ['meeting.*']);
    await tell(world, happening(world, 'once'));
    await jumpToNext(world, endpoint, 1);
    await recorded(world, endpoint, 2);
    expect(sink.requests).toHaveLength(2);
    expect(processed.size).toBe(1);
    expect(sink.requests[0]!.body).toBe(sink.requests[1]!.body);
  });

  it('case 98: what is queued goes to the address of the moment, and dies with a reason when its endpoint is switched off or removed', async () => {
    const world = await start();
    const [old, fresh] = [await startSink(() => ({ status: 500 })), await startSink()];
    const endpoint = await register(world, old.url, ['meeting.*']);
    await tell(world, happening(world, 'a'));
    await recorded(world, endpoint, 1);
    must(await world.api('PATCH', `/v1/webhook-endpoints/${endpoint.id}`, { url: fresh.url }), 200);
    await jumpToNext(world, endpoint, 1);
    await recorded(world, endpoint, 2);
    expect([old.requests.length, fresh.requests.length]).toEqual([1, 1]);

    must(await world.api('PATCH', `/v1/webhook-endpoints/${endpoint.id}`, { url: old.url }), 200);
    await tell(world, happening(world, 'b'));
    await recorded(world, endpoint, 3);
    must(await world.api('PATCH', `/v1/webhook-endpoints/${endpoint.id}`, { enabled: false }), 200);
    expect(await deliveriesOf(world, endpoint, '?state=dead')).toMatchObject([{ reason: 'endpoint_disabled' }]);

    const leaving = await register(world, old.url, ['meeting.*']);
    await tell(world, happening(world, 'c'));
    await recorded(world, leaving, 1);
    must(await world.api('DELETE', `/v1/webhook-endpoints/${leaving.id}`), 204);
    const { db } = world.gateway.gateway;
    const rows = await db.read.select().from(db.read.t.deliveries).where(eq(db.read.t.deliveries.endpointId, leaving.id));
    expect(rows).toMatchObject([{ state: 'dead', reason: 'endpoint_removed', leasedUntil: null }]);
    world.jump(HOUR);
    await settled(world);
    expect([old.requests.length, fresh.requests.length]).toEqual([3, 1]);
  });

  it('case 99: a secret changes while a delivery waits: both sign its next attempt, at a new time, under the old id', async () => {
    const world = await start();
    const sink = await startSink((_request, count) => ({ status: count === 1 ? 500 : 204 }));
    const endpoint = await register(world, sink.url, ['meeting.*']);
    await tell(world, happening(world, 'rotated'));
    await recorded(world, endpoint, 1);
    const fresh = must(await world.api('POST', `/v1/webhook-endpoints/${endpoint.id}/rotate-secret`), 200).json as unknown as Endpoint;
    await jumpToNext(world, endpoint, 1);
    await recorded(world, endpoint, 2);
    const [first, second] = sink.requests;
    expect(String(second!.headers['webhook-signature']).split(' ')).toHaveLength(2);
    expect([verifies(endpoint, second!), verifies(fresh, second!)]).toEqual([true, true]);
    expect([verifies(endpoint, first!), verifies(fresh, first!)]).toEqual([true, false]);
    expect(Number(second!.headers['webhook-timestamp'])).toBeGreaterThan(Number(first!.headers['webhook-timestamp']));
    expect(second!.id).toBe(first!.id);
  });

  it('a delivery by hand goes to one endpoint if one is named, and never at the same time as one that is under way', async () => {
    const world = await start();
    let release = false;
    const sink = await startSink((_request, count) => (count === 1 && !release ? 'hang' : { status: 204 }));
    const late = await startSink();
    const endpoint = await register(world, sink.url, ['meeting.*']);
    const event = happening(world, 'by hand');
    const id = eventId(event);
    await tell(world, event);
    await arrived(sink, 1);
    expect(must(await world.api('POST', `/v1/events/${id}/redeliver`, { endpoint_id: endpoint.id }), 202).json).toEqual({ deliveries: 1 });
    expect(
      must(await world.api('POST', `/v1/webhook-endpoints/${endpoint.id}/recover`, { since: new Date(0).toISOString() }), 202).json,
    ).toEqual({
      deliveries: 1,
    });
    // An endpoint that was made later, and is for something else.
    const fresh = await register(world, late.url, ['recording.*']);
    must(await world.api('POST', `/v1/events/${id}/redeliver`, { endpoint_id: fresh.id }), 202);
    await arrived(late, 1);
    expect(late.requests[0]!.id).toBe(id);
    await eventually('it is delivered there', async () => (await deliveriesOf(world, fresh, '?state=delivered')).length === 1);
    expect(sink.requests).toHaveLength(1);
    release = true;
    expect((await world.api('POST', `/v1/events/${id}/redeliver`, { endpoint_id: 'whe_unknown' })).status).toBe(404);
    must(await world.api('PATCH', `/v1/webhook-endpoints/${fresh.id}`, { enabled: false }), 200);
    expect((await world.api('POST', `/v1/events/${id}/redeliver`, { endpoint_id: fresh.id })).status).toBe(409);
    expect((await world.api('POST', `/v1/webhook-endpoints/${fresh.id}/test`)).status).toBe(409);
  }, 40_000);

  it('case 98: an endpoint that is enabled again loses nothing to the burying, and what is under way is not sent twice at once', async () => {
    const world = await start();
    const held: Socket[] = [];
    const url = await startServer((socket) => (held.length < 1 ? held.push(socket) : socket.end(answerOf(204))));
    const endpoint = await register(world, url, ['meeting.*']);
    const change = async (enabled: boolean) => must(await world.api('PATCH', `/v1/webhook-endpoints/${endpoint.id}`, { enabled }), 200);
    await tell(world, happening(world, 'under way'));
    await eventually('it is under way', () => held.length === 1);
    await change(false);
    expect(await deliveriesOf(world, endpoint)).toMatchObject([{ state: 'dead', reason: 'endpoint_disabled' }]);
    await change(true);
    must(await world.api('POST', `/v1/webhook-endpoints/${endpoint.id}/recover`, { since: new Date(0).toISOString() }), 202);
    // A burying that began when it was off comes late.
    await buryWaiting(world.gateway.gateway, endpoint.id);
    // Ids of one millisecond are in no order.
    world.jump(1);
    await tell(world, happening(world, 'later'));
    await eventually('the later one has arrived', async () => (await deliveriesOf(world, endpoint, '?state=delivered')).length === 1);
    expect((await deliveriesOf(world, endpoint)).map(({ state, attempts }) => [state, attempts.length])).toEqual([
      ['delivered', 1],
      ['pending', 0],
    ]);
    held[0]!.end(answerOf(500));
    await recorded(world, endpoint, 2);
    world.jump(10_000);
    await settled(world);
    expect((await deliveriesOf(world, endpoint)).map(({ state, attempts }) => [state, attempts.length])).toEqual([
      ['delivered', 1],
      ['delivered', 2],
    ]);
  });

  it('case 98: what was under way when its endpoint was switched off can be recovered as soon as it has failed', async () => {
    const world = await start();
    const held: Socket[] = [];
    const url = await startServer((socket) => (held.length < 1 ? held.push(socket) : socket.end(answerOf(204))));
    const endpoint = await register(world, url, ['meeting.*']);
    await tell(world, happening(world, 'under way'));
    await eventually('it is under way', () => held.length === 1);
    must(await world.api('PATCH', `/v1/webhook-endpoints/${endpoint.id}`, { enabled: false }), 200);
    held[0]!.end(answerOf(500));
    await recorded(world, endpoint, 1);
    expect(await deliveriesOf(world, endpoint)).toMatchObject([{ state: 'dead', reason: 'endpoint_disabled' }]);
    must(await world.api('PATCH', `/v1/webhook-endpoints/${endpoint.id}`, { enabled: true }), 200);
    must(await world.api('POST', `/v1/webhook-endpoints/${endpoint.id}/recover`, { since: new Date(0).toISOString() }), 202);
    await settled(world);
    expect(await deliveriesOf(world, endpoint)).toMatchObject([{ state: 'delivered' }]);
  });

  it('case 98: a late 410 of the old address says nothing about the new one', async () => {
    const world = await start();
    const held: Socket[] = [];
    const old = await startServer((socket) => held.push(socket));
    const fresh = await startSink();
    const endpoint = await register(world, old, ['meeting.*']);
    await tell(world, happening(world, 'moved'));
    await eventually('it is under way', () => held.length === 1);
    must(await world.api('PATCH', `/v1/webhook-endpoints/${endpoint.id}`, { url: fresh.url }), 200);
    held[0]!.end(answerOf(410));
    await recorded(world, endpoint, 1);
    expect(await getEndpoint(world, endpoint)).toMatchObject({ enabled: true, failing_since: null });
    await jumpToNext(world, endpoint, 1);
    await recorded(world, endpoint, 2);
    expect(await deliveriesOf(world, endpoint)).toMatchObject([{ state: 'delivered' }]);
    expect(fresh.requests).toHaveLength(1);
  });

  it('case 98: another address begins with a clean record', async () => {
    const world = await start();
    const sink = await startSink(() => ({ status: 500 }));
    const endpoint = await register(world, sink.url, ['meeting.*']);
    await tell(world, happening(world, 'fails'));
    await recorded(world, endpoint, 1);
    const change = async (url: string) => must(await world.api('PATCH', `/v1/webhook-endpoints/${endpoint.id}`, { url }), 200).json;
    expect(await change(sink.url)).toMatchObject({ failing_since: expect.any(String) });
    expect(await change(`${sink.url}/other`)).toMatchObject({ failing_since: null });
  });

  it('case 94: after a 410, a change of the endpoint does not give another reason to what still waits', async () => {
    const world = await start();
    const endpoint = await register(world, (await startSink()).url, ['meeting.*']);
    const { db } = world.gateway.gateway;
    const { webhookEndpoints } = db.read.t;
    const off = { disabledAt: world.now(), disabledReason: 'gone' };
    await fill(world, endpoint, 1);
    await db.write((tx) => tx.update(tx.t.webhookEndpoints).set(off).where(eq(webhookEndpoints.id, endpoint.id)));
    must(await world.api('PATCH', `/v1/webhook-endpoints/${endpoint.id}`, { description: 'ours' }), 200);
    expect(await deliveriesOf(world, endpoint)).toMatchObject([{ state: 'dead', reason: 'endpoint_gone' }]);
  });

  it('case 95: what waits for an endpoint that is disabled is buried apart: the answers of the others are written down without it', async () => {
    const world = await start();
    const endpoint = await register(world, (await startSink()).url, ['meeting.*']);
    const { gateway } = world.gateway;
    const [delivery] = await leased(world, endpoint, happening(world, 'gone'));
    const event = (await gateway.db.read.select().from(gateway.db.read.t.events))[0]!;
    // Nothing can be looked up outside of the transaction: whoever buries there fails.
    const settle = createSettle({ ...gateway, db: { ...gateway.db, read: undefined as never } });
    const at = world.now();
    const outcome = { kind: 'attempted', status: 410, answer: '', retryAfterMs: undefined } as const;
    await settle({ delivery: delivery!, event, url: endpoint.url, startedAt: at, finishedAt: at, outcome });
    expect(await getEndpoint(world, endpoint)).toMatchObject({ enabled: false });
    await eventually('it is dead', async () => (await deliveriesOf(world, endpoint, '?state=dead')).length === 1);
    expect(await deliveriesOf(world, endpoint)).toMatchObject([{ attempts: [{ status: 410 }] }]);
  });

  it('a lease that ended with its process is no attempt', async () => {
    const world = await start();
    const sink = await startSink(() => ({ status: 500 }));
    const endpoint = await register(world, sink.url, ['meeting.*']);
    const ids = (await leased(world, endpoint, happening(world, 'again'))).map(({ id }) => id);
    for (let ended = 1; ended < 4; ended += 1) {
      const at = plus(world.now(), ended * 2 * MINUTE);
      await world.gateway.gateway.db.write((tx) => leaseDeliveries(tx, { ids, now: at, until: plus(at, MINUTE) }));
    }
    world.jump(HOUR);
    const [delivery] = await recorded(world, endpoint, 1);
    // The first wait of the schedule.
    expect(Date.parse(delivery!.next_attempt_at!) - world.now().getTime()).toBeLessThanOrEqual(6_000);
  });
});

// What a timeout is written down as is that of every failure; how long it takes is the client's, and no database's.
describe('receivers that say nothing', () => {
  it('case 93: no answer, or one that drips, is over after 15 seconds in all; it is recorded and left alone for a minute', async () => {
    const world = await testWorld({ madeUp: true });
    const silent = await startSink(() => 'hang');
    const drip = await startServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n');
      const timer = setInterval(() => socket.write('x'), 500);
      socket.on('close', () => clearInterval(timer));
    });
    const endpoints = [await register(world, silent.url, ['meeting.*']), await register(world, drip, ['meeting.*'])];
    const began = Date.now();
    await tell(world, happening(world, 'slow'));
    for (const endpoint of endpoints) {
      const [delivery] = await eventuallyRecorded(world, endpoint);
      expect(delivery).toMatchObject({ state: 'pending', attempts: [{ status: null, problem: 'timeout' }] });
      expect(Date.parse(delivery!.next_attempt_at!) - world.now().getTime()).toBeGreaterThanOrEqual(MINUTE);
    }
    expect(Date.now() - began).toBeGreaterThanOrEqual(14_900);
    expect(Date.now() - began).toBeLessThan(20_000);
  }, 40_000);
});

describeOnBothDatabases('events on their way', (_open, engine) => {
  const start = async (): Promise<World> => testWorld({ madeUp: true, databaseUrl: await databaseOf(engine) });

  it('case 96: one that cannot be serialized is dead after three tries, and holds up nobody', async () => {
    const world = await start();
    const sink = await startSink();
    const endpoint = await register(world, sink.url, ['meeting.*']);
    const { db, vault } = world.gateway.gateway;
    const bad = happening(world, 'poison');
    await db.write(async (tx) => {
      await emit(tx, world.gateway.gateway, bad);
      const linksSealed = vault.seal('{"no json', eventLinksContext(eventId(bad)));
      await tx
        .update(tx.t.events)
        .set({ linksSealed })
        .where(eq(tx.t.events.id, eventId(bad)));
    });
    await tell(world, happening(world, 'good'));
    await arrived(sink, 1);
    await recorded(world, endpoint, 2);
    for (let tries = 1; tries < 3; tries += 1) {
      world.jump(HOUR);
      await recorded(world, endpoint, tries + 2);
    }
    const dead = await deliveriesOf(world, endpoint, '?state=dead');
    expect(dead).toMatchObject([{ event_id: eventId(bad), reason: 'poison' }]);
    expect(dead[0]!.attempts.map(({ status, problem }) => [status, problem])).toEqual([
      [null, 'poison'],
      [null, 'poison'],
      [null, 'poison'],
    ]);
    world.jump(DAY);
    await settled(world);
    expect(sink.requests.map(({ id }) => id)).toEqual([eventId(happening(world, 'good'))]);
  });

  it('case 88: one whose links are damaged is dead after three tries, with an alarm that ends a day later', async () => {
    const world = await start();
    const sink = await startSink();
    const endpoint = await register(world, sink.url, ['recording.*']);
    const { gateway } = world.gateway;
    const event = happening(world, 'damaged', { type: 'recording.published', links: { url: 'https://example.com/r/1' } });
    await gateway.db.write(async (tx) => {
      await emit(tx, gateway, event);
      const [row] = await tx
        .select()
        .from(tx.t.events)
        .where(eq(tx.t.events.id, eventId(event)));
      const linksSealed = Buffer.from(row!.linksSealed!);
      linksSealed[linksSealed.length - 1]! ^= 1;
      await tx
        .update(tx.t.events)
        .set({ linksSealed })
        .where(eq(tx.t.events.id, eventId(event)));
    });
    gateway.wake();
    for (let tries = 1; tries <= 3; tries += 1) {
      await recorded(world, endpoint, tries);
      world.jump(HOUR);
    }
    expect(await deliveriesOf(world, endpoint)).toMatchObject([{ state: 'dead', reason: 'unreadable' }]);
    expect(await listAlarms(gateway.db.read)).toMatchObject([{ name: 'events_unreadable' }]);
    expect(sink.requests).toEqual([]);
    world.jump(DAY);
    await sweepEvents(gateway);
    expect(await listAlarms(gateway.db.read)).toEqual([]);
  });

  it('case 88: one whose links are damaged after two failures of the receiver has three tries all the same', async () => {
    const world = await start();
    const sink = await startSink(() => ({ status: 500 }));
    const endpoint = await register(world, sink.url, ['recording.*']);
    const { db } = world.gateway.gateway;
    const event = happening(world, 'later', { type: 'recording.published', links: { url: 'https://example.com/r/1' } });
    await tell(world, event);
    await jumpToNext(world, endpoint, 1);
    await recorded(world, endpoint, 2);
    await db.write((tx) => tx.update(tx.t.events).set({ linksSealed: Buffer.from('v1.test.damaged') }));
    for (let attempts = 3; attempts <= 5; attempts += 1) {
      expect(await deliveriesOf(world, endpoint)).toMatchObject([{ state: 'pending' }]);
      await jumpToNext(world, endpoint, attempts - 1);
      await recorded(world, endpoint, attempts);
    }
    expect(await deliveriesOf(world, endpoint)).toMatchObject([{ state: 'dead', reason: 'unreadable' }]);
    // Of these attempts only the first two are failures of the endpoint.
    const made = (await deliveriesOf(world, endpoint))[0]!.attempts.map(({ at }) => new Date(at));
    const wasAny = (from: Date) => wasAttempted(db.read, { endpointId: endpoint.id, from, to: world.now() });
    expect([await wasAny(made[1]!), await wasAny(made[2]!)]).toEqual([true, false]);
  });

  it('case 88: with a damaged secret of their endpoint they wait, and the alarm says whose it is; a new secret sends them', async () => {
    const world = await start();
    const [sink, other] = [await startSink(), await startSink()];
    const endpoint = await register(world, sink.url, ['meeting.*']);
    await register(world, other.url, ['meeting.*']);
    const { db } = world.gateway.gateway;
    const of = eq(db.read.t.webhookEndpoints.id, endpoint.id);
    const [row] = await db.read.select().from(db.read.t.webhookEndpoints).where(of);
    const secretSealed = Buffer.from(row!.secretSealed);
    secretSealed[secretSealed.length - 1]! ^= 1;
    await db.write((tx) => tx.update(tx.t.webhookEndpoints).set({ secretSealed }).where(of));
    await tell(world, happening(world, 'unsigned'));
    await arrived(other, 1);
    for (let round = 0; round < 4; round += 1) {
      await settled(world);
      world.jump(2 * MINUTE);
    }
    await settled(world);
    expect(await deliveriesOf(world, endpoint)).toMatchObject([{ state: 'pending', attempts: [] }]);
    expect(await listAlarms(db.read)).toMatchObject([
      { name: 'endpoint_secrets_unreadable', detail: expect.stringContaining(endpoint.id) },
    ]);
    const fresh = must(await world.api('POST', `/v1/webhook-endpoints/${endpoint.id}/rotate-secret`), 200).json as unknown as Endpoint;
    world.jump(25 * HOUR);
    await arrived(sink, 1);
    expect(String(sink.requests[0]!.headers['webhook-signature'])).toBe(
      new Webhook(fresh.secret).sign(sink.requests[0]!.id, world.now(), sink.requests[0]!.body),
    );
    await sweepEvents(world.gateway.gateway);
    expect(await listAlarms(db.read)).toEqual([]);
  });

  it('one that needs a key which this process does not have waits, without an attempt', async () => {
    const world = await start();
    const sink = await startSink();
    const endpoint = await register(world, sink.url, ['recording.*']);
    const { gateway } = world.gateway;
    const foreign = createVault({ keys: [{ id: 'newer', key: Buffer.alloc(32, 7) }], random: gateway.random });
    const event = happening(world, 'foreign', { type: 'recording.published', links: { url: 'https://example.com/r/1' } });
    await gateway.db.write((tx) => emit(tx, { ...gateway, vault: foreign }, event));
    gateway.wake();
    for (let round = 0; round < 5; round += 1) {
      const [delivery] = await eventually('it waits', async () => {
        const rows = await gateway.db.read
          .select()
          .from(gateway.db.read.t.deliveries)
          .where(eq(gateway.db.read.t.deliveries.endpointId, endpoint.id));
        return rows[0]!.dueAt > world.now() && rows;
      });
      expect(delivery).toMatchObject({ state: 'pending', attempts: 0, leasedUntil: null });
      world.jump(2 * MINUTE);
    }
    expect(await deliveriesOf(world, endpoint)).toMatchObject([{ attempts: [] }]);
    expect(sink.requests).toEqual([]);
  });

  it('case 100: those about one meeting are numbered in the order in which they were written, also when sixteen write at once', async () => {
    const world = await start();
    const sink = await startSink();
    await register(world, sink.url, ['meeting.*']);
    const { gateway } = world.gateway;
    // Each of 16 writers tells 5 things of two meetings, some of which others tell, too.
    const keys = Array.from({ length: 16 }, (_, writer) => Array.from({ length: 5 }, (_unused, index) => `${(writer * 3 + index) % 40}`));
    await Promise.all(
      keys.map((own, writer) =>
        gateway.db.write(async (tx) => {
          for (const key of own) {
            const meetings = writer % 2 === 0 ? ['mtg_a', 'mtg_b'] : ['mtg_b', 'mtg_a'];
            await emitAll(
              tx,
              gateway,
              meetings.map((id) => happening(world, key, { subjectId: id, data: { meeting_id: id, key } })),
            );
          }
        }),
      ),
    );
    gateway.wake();
    await settled(world);
    const told = new Set(keys.flat()).size;
    for (const meeting of ['mtg_a', 'mtg_b']) {
      const sequences = sink.requests
        .map(({ body }) => (JSON.parse(body) as { data: { meeting_id: string; sequence: number } }).data)
        .filter((data) => data.meeting_id === meeting)
        .map(({ sequence }) => sequence);
      expect(sequences.toSorted((a, b) => a - b)).toEqual(Array.from({ length: told }, (_, index) => index + 1));
    }
  }, 30_000);

  it('case 100: a real meeting counts from one, and the API shows the same numbers', async () => {
    const world = await start();
    await connect(world, 'zoom');
    const meeting = await createMeeting(world);
    must(await world.api('POST', `/v1/meetings/${meeting.id}/purchases`, { customer_id: 'cus_1' }), 201);
    must(await world.api('POST', `/v1/meetings/${meeting.id}/purchases`, { customer_id: 'cus_1' }), 200);
    must(await world.api('POST', `/v1/meetings/${meeting.id}/cancel`), 200);
    const { data } = must(await world.api('GET', '/v1/events?limit=100'), 200).json as {
      data: { type: string; data: { meeting_id?: string; sequence?: number } }[];
    };
    const own = data.filter((event) => event.data.meeting_id === meeting.id);
    expect(own.map((event) => event.data.sequence!).toSorted((a, b) => a - b)).toEqual(own.map((_event, index) => index + 1));
    expect(data.filter((event) => event.data.meeting_id === undefined).every((event) => event.data.sequence === undefined)).toBe(true);
  });

  it('case 101: what is written in a transaction that fails is never sent, and leaves no number unused', async () => {
    const world = await start();
    const sink = await startSink();
    await register(world, sink.url, ['meeting.*']);
    const { gateway } = world.gateway;
    await expect(
      gateway.db.write(async (tx) => {
        await emit(tx, gateway, happening(world, 'never'));
        throw new Error('The change failed.');
      }),
    ).rejects.toThrow('The change failed.');
    await tell(world, happening(world, 'real'));
    await settled(world);
    expect(sink.requests.map(({ id }) => id)).toEqual([eventId(happening(world, 'real'))]);
    expect(JSON.parse(sink.requests[0]!.body)).toMatchObject({ data: { sequence: 1 } });
  });

  it('case 17: what happens again after a backup was restored is sent again under its old id', async () => {
    const world = await start();
    const sink = await startSink();
    await register(world, sink.url, ['meeting.*']);
    await tell(world, happening(world, 'before'));
    await settled(world);
    const { db } = world.gateway.gateway;
    const { events, deliveries, deliveryAttempts, eventSequences } = db.read.t;
    const backup = [await db.read.select().from(events), await db.read.select().from(eventSequences)] as const;
    const delivered = await db.read.select().from(deliveries);
    await tell(world, happening(world, 'after'));
    await settled(world);
    await db.write(async (tx) => {
      for (const table of [events, deliveries, deliveryAttempts, eventSequences]) await tx.delete(table);
      await tx.insert(events).values(backup[0]);
      await tx.insert(eventSequences).values(backup[1]);
      await tx.insert(deliveries).values(delivered);
    });
    await tell(world, happening(world, 'before'), happening(world, 'after'));
    await settled(world);
    const [before, after, again] = sink.requests;
    expect(sink.requests).toHaveLength(3);
    expect(before!.id).not.toBe(after!.id);
    expect(again).toMatchObject({ id: after!.id, body: after!.body });
  });

  it('case 17: what happens otherwise after a backup was restored has a number that was never given before', async () => {
    const world = await start();
    const sink = await startSink();
    await register(world, sink.url, ['meeting.*']);
    const { db } = world.gateway.gateway;
    const { events, deliveries, deliveryAttempts, eventSequences } = db.read.t;
    await tell(world, happening(world, 'before'));
    await settled(world);
    const backup = await db.read.select().from(eventSequences);
    const kept = await db.read.select().from(events);
    await tell(world, happening(world, 'lost'), happening(world, 'lost, too'));
    await settled(world);
    await db.write(async (tx) => {
      for (const table of [events, deliveries, deliveryAttempts, eventSequences]) await tx.delete(table);
      await tx.insert(events).values(kept);
      await tx.insert(eventSequences).values(backup);
    });
    expect(await skipLostNumbers(world.gateway.gateway)).toBe(1);
    // In another order, and with something in between.
    await tell(world, happening(world, 'new'), happening(world, 'lost, too'), happening(world, 'lost'));
    await settled(world);
    const numbers = sink.requests.map(({ body }) => (JSON.parse(body) as { data: { sequence: number } }).data.sequence);
    expect(new Set(numbers.slice(0, 3))).toEqual(new Set([1, 2, 3]));
    expect(new Set(numbers.slice(3))).toEqual(new Set([1_002, 1_003, 1_004]));
    expect(new Set(sink.requests.map(({ id }) => id)).size).toBe(4);
  });

  it('goes after its time: attempts after 30 days, deliveries and events after 90, nothing that is still to be sent', async () => {
    const world = await start();
    const sink = await startSink(({ body }) => ({ status: body.includes('"old"') ? 204 : 500 }));
    const endpoint = await register(world, sink.url, ['meeting.*']);
    const { gateway } = world.gateway;
    const { db } = gateway;
    await tell(world, happening(world, 'old'));
    await settled(world);
    const counts = async () => {
      const { deliveries, deliveryAttempts, events } = db.read.t;
      const of = eq(deliveries.endpointId, endpoint.id);
      return [await db.read.$count(deliveryAttempts), await db.read.$count(deliveries, of), await db.read.$count(events)];
    };
    // The world's own receiver has had it, too.
    expect(await counts()).toEqual([2, 1, 1]);
    world.jump(31 * DAY);
    await sweepEvents(gateway);
    expect(await counts()).toEqual([0, 1, 1]);
    world.jump(58 * DAY);
    await tell(world, happening(world, 'young'));
    await settled(world);
    world.jump(2 * DAY);
    await settled(world);
    await sweepEvents(gateway);
    const [, deliveries, events] = await counts();
    expect([deliveries, events]).toEqual([1, 1]);
    expect(await deliveriesOf(world, endpoint)).toMatchObject([{ event_id: eventId(happening(world, 'young')), state: 'pending' }]);
  });
});

describe('the client for deliveries', () => {
  const ask = async (url: string, timeoutMs = 400) => {
    const { send, close } = createSend({ allowPrivate: true, timeoutMs });
    onTestFinished(close);
    return send({ url, headers: { 'content-type': 'application/json' }, body: '{}' });
  };

  it('case 93: reads 16 kB of an answer that has no end, keeps a thousand characters, and hangs up', async () => {
    let written = 0;
    let closed = false;
    const url = await startServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n');
      const more = (): void => {
        while (!socket.destroyed && socket.write('y'.repeat(65_536))) written += 65_536;
      };
      socket.on('drain', more).on('close', () => (closed = true));
      more();
    });
    const { status, answer } = await ask(url, 5_000);
    expect([status, answer]).toEqual([200, 'y'.repeat(1_000)]);
    await eventually('the connection is closed', () => closed);
    expect(written).toBeLessThan(50_000_000);
  });

  it('case 93: gives up on silence, on headers that never end, on a body that drips, and on "100 Continue" for ever', async () => {
    const servers: ((socket: Socket) => void)[] = [
      () => {},
      dripping('HTTP/1.1 200 OK\r\n', 'x-more: 1\r\n'),
      dripping('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n', 'x'),
      dripping('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', '1\r\nx\r\n'),
      dripping('', 'HTTP/1.1 100 Continue\r\n\r\n'),
      dripping('', 'HTTP/1.1 103 Early Hints\r\n\r\n'),
    ];
    for (const server of servers) {
      const began = performance.now();
      await expect(ask(await startServer(server))).rejects.toThrow(/./);
      expect(performance.now() - began).toBeLessThan(2_000);
    }
  });

  it('keeps of an answer nothing that a database does not take', async () => {
    const url = await startServer((socket) => socket.end('HTTP/1.1 500 No\r\ncontent-length: 6\r\n\r\na\0b\xff\xfec'));
    const { status, answer } = await ask(url);
    expect(status).toBe(500);
    expect(answer).not.toContain('\0');
  });
});

const dripping =
  (head: string, drop: string) =>
  (socket: Socket): void => {
    socket.write(head);
    const timer = setInterval(() => socket.write(drop), 50);
    socket.on('close', () => clearInterval(timer));
  };

/** Speaks as the test says to whoever has sent something. */
async function startServer(speak: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => speak(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  );
  return `http://127.0.0.1:${(server.address() as { port: number }).port}/hook`;
}

const answerOf = (status: number): string => `HTTP/1.1 ${status} Told\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`;

/** Writes the event, and takes its delivery in the same breath, as a process that ends before it has sent it. */
async function leased(world: World, { id }: Endpoint, event: NewEvent): Promise<Delivery[]> {
  const { gateway } = world.gateway;
  const at = world.now();
  return gateway.db.write(async (tx) => {
    await emit(tx, gateway, event);
    const own = await tx.select().from(tx.t.deliveries).where(eq(tx.t.deliveries.endpointId, id));
    return leaseDeliveries(tx, { ids: own.map((delivery) => delivery.id), now: at, until: plus(at, MINUTE) });
  });
}

/** For what takes longer than `eventually` waits. */
async function eventuallyRecorded(world: World, endpoint: Endpoint): Promise<ShownDelivery[]> {
  try {
    return await recorded(world, endpoint, 1);
  } catch {
    return recorded(world, endpoint, 1);
  }
}

/** Queues as many events for the endpoint, past everything that would do so. */
async function fill({ gateway, marketplaceId, now }: World, { id: endpointId }: Endpoint, count: number): Promise<void> {
  const at = now();
  for (let first = 0; first < count; first += 500) {
    const ids = Array.from({ length: Math.min(500, count - first) }, (_, index) => `${endpointId.slice(4)}_${first + index}`);
    await gateway.gateway.db.write(async (tx) => {
      await insertEvents(
        tx,
        ids.map((id) => ({
          id: `evt_${id}`,
          marketplaceId,
          type: 'meeting.expired',
          subjectId: 'mtg_1',
          at,
          position: `evt_${id}`,
          sequence: null,
          data: {},
          linksSealed: null,
        })),
      );
      await insertDeliveries(
        tx,
        ids.map((id) => ({
          id: `dlv_${id}`,
          marketplaceId,
          eventId: `evt_${id}`,
          endpointId,
          state: 'pending',
          reason: null,
          dueAt: at,
          leasedUntil: null,
          attempts: 0,
          createdAt: at,
        })),
      );
    });
  }
}
