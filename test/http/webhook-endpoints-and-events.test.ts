import { eq } from 'drizzle-orm';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { endpointSecretContext } from '../../src/connections/sealed.ts';
import { arrived, deliveriesOf, recorded, register, sendTest, verifies, type Endpoint } from '../support/endpoints.ts';
import { createMeeting, databaseOf, DAY, HOUR, must, otherMarketplace, settled } from '../support/gateway.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { startSink, type Sink, type SinkRequest } from '../support/sink.ts';
import { connect, testWorld } from '../support/world.ts';

describeOnBothDatabases('webhook endpoints', (_open, engine) => {
  const start = async () => testWorld({ databaseUrl: await databaseOf(engine) });

  it('are made, read, changed and removed; the secret is shown once', async () => {
    const world = await start();
    const sink = await startSink();
    const made = must(
      await world.api('POST', '/v1/webhook-endpoints', {
        url: sink.url,
        events: ['meeting.*', 'recording.published'],
        description: 'Main',
      }),
      201,
    );
    const { id, secret } = made.json as unknown as Endpoint;
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const shown = {
      id,
      url: sink.url,
      events: ['meeting.*', 'recording.published'],
      description: 'Main',
      enabled: true,
      disabled: null,
      failing_since: null,
      created_at: world.now().toISOString(),
    };
    expect(made.json).toEqual({ ...shown, secret });
    const got = must(await world.api('GET', `/v1/webhook-endpoints/${id}`), 200);
    expect(got.json).toEqual(shown);
    expect(must(await world.api('GET', '/v1/webhook-endpoints'), 200).text).not.toContain('whsec_');
    const changed = must(
      await world.api('PATCH', `/v1/webhook-endpoints/${id}`, { events: ['*'], description: null, enabled: false }),
      200,
    );
    const disabled = { reason: 'asked', at: world.now().toISOString(), notice: { subject: expect.any(String), text: expect.any(String) } };
    expect(changed.json).toEqual({ ...shown, events: ['*'], description: null, enabled: false, disabled });
    must(await world.api('DELETE', `/v1/webhook-endpoints/${id}`), 204);
    expect((await world.api('GET', `/v1/webhook-endpoints/${id}`)).status).toBe(404);
    expect((await world.api('DELETE', `/v1/webhook-endpoints/${id}`)).status).toBe(404);
  });

  it('take only events that exist', async () => {
    const world = await start();
    for (const events of [[], ['meeting'], ['meeting.exploded'], ['*.*'], 'meeting.*'])
      expect((await world.api('POST', '/v1/webhook-endpoints', { url: 'http://127.0.0.1/', events })).status, JSON.stringify(events)).toBe(
        422,
      );
  });

  it('get the events they asked for, of their own marketplace, and nothing while they are disabled', async () => {
    const world = await start();
    const [all, some, disabled, foreign] = await Promise.all([startSink(), startSink(), startSink(), startSink()]);
    await register(world, all.url);
    await register(world, some.url, ['meeting.purchased', 'connection.*']);
    const off = await register(world, disabled.url);
    must(await world.api('PATCH', `/v1/webhook-endpoints/${off.id}`, { enabled: false }), 200);
    const other = await otherMarketplace(world);
    must(await other.api('POST', '/v1/webhook-endpoints', { url: foreign.url }), 201);
    await connect(world, 'zoom');
    const meeting = await createMeeting(world);
    must(await world.api('POST', `/v1/meetings/${meeting.id}/purchases`, { customer_id: 'cus_1' }), 201);
    await settled(world);
    const types = (sink: Sink) => sink.requests.map(({ type }) => type).toSorted();
    expect(types(all)).toEqual(['connection.active', 'meeting.created', 'meeting.link_locked', 'meeting.purchased']);
    expect(types(some)).toEqual(['connection.active', 'meeting.purchased']);
    expect([types(disabled), types(foreign)]).toEqual([[], []]);
  });

  it('are sent what Standard Webhooks says, which the official library accepts', async () => {
    const world = await start();
    const sink = await startSink();
    const endpoint = await register(world, sink.url);
    await sendTest(world, endpoint);
    await arrived(sink, 1);
    const [request] = sink.requests;
    expect(request!.headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': expect.stringMatching(/^evt_/),
      'webhook-timestamp': String(Math.floor(world.now().getTime() / 1_000)),
    });
    expect(JSON.parse(request!.body)).toEqual({
      type: 'endpoint.test',
      timestamp: world.now().toISOString(),
      data: { endpoint_id: endpoint.id },
    });
    expect(verifies(endpoint, request!)).toBe(true);
    expect(verifies(endpoint, { ...request!, body: `${request!.body} ` })).toBe(false);
    // The test goes to the endpoint that asked, and to no other.
    await settled(world);
    expect(world.receiver.events.filter(({ type }) => type === 'endpoint.test')).toEqual([]);
  });

  it('are signed for with both secrets for 24 hours after a rotation', async () => {
    const world = await start();
    const sink = await startSink();
    const old = await register(world, sink.url);
    const answer = must(await world.api('POST', `/v1/webhook-endpoints/${old.id}/rotate-secret`), 200);
    const fresh = answer.json as unknown as Endpoint;
    expect(fresh.secret).not.toBe(old.secret);
    await sendTest(world, old);
    await arrived(sink, 1);
    const signatures = String(sink.requests[0]!.headers['webhook-signature']).split(' ');
    expect(signatures).toHaveLength(2);
    expect([verifies(old, sink.requests[0]!), verifies(fresh, sink.requests[0]!)]).toEqual([true, true]);
    world.jump(DAY);
    await sendTest(world, old);
    await arrived(sink, 2);
    const later = String(sink.requests[1]!.headers['webhook-signature']);
    expect(later.split(' ')).toHaveLength(1);
    expect(new Webhook(fresh.secret).sign(sink.requests[1]!.id, world.now(), sink.requests[1]!.body)).toBe(later);
  });

  it('are signed for with every secret of the last 24 hours, however often it was rotated', async () => {
    const world = await start();
    const sink = await startSink();
    const endpoint = await register(world, sink.url);
    const rotate = async () =>
      must(await world.api('POST', `/v1/webhook-endpoints/${endpoint.id}/rotate-secret`), 200).json as unknown as Endpoint;
    const sent = async (): Promise<SinkRequest> => {
      await sendTest(world, endpoint);
      await settled(world);
      return sink.requests.at(-1)!;
    };
    /** Of each secret, whether the delivery is signed with it; the official library would look at the machine's clock. */
    const signedBy = (secrets: readonly Endpoint[], { id, headers, body }: SinkRequest) => {
      const signatures = String(headers['webhook-signature']).split(' ');
      return secrets.map(({ secret }) => signatures.includes(new Webhook(secret).sign(id, world.now(), body)));
    };
    const secrets = [endpoint, await rotate()];
    world.jump(20 * HOUR);
    secrets.push(await rotate());
    expect(signedBy(secrets, await sent())).toEqual([true, true, true]);
    world.jump(4 * HOUR);
    expect(signedBy(secrets, await sent())).toEqual([false, true, true]);
    world.jump(20 * HOUR);
    expect(signedBy(secrets, await sent())).toEqual([false, false, true]);
    // No secret ends before its time: an eighth rotation in a day is refused.
    for (let count = 0; count < 7; count += 1) secrets.push(await rotate());
    expect((await world.api('POST', `/v1/webhook-endpoints/${endpoint.id}/rotate-secret`)).status).toBe(409);
    expect(signedBy(secrets.slice(2), await sent())).toEqual(Array(8).fill(true));
    world.jump(DAY);
    // Both at once: neither forgets the other's.
    const both = await Promise.all([rotate(), rotate()]);
    expect(signedBy([secrets.at(-1)!, ...both], await sent())).toEqual([true, true, true]);
    world.jump(DAY);
    secrets.push(await rotate());
    expect(signedBy(secrets.slice(-2), await sent())).toEqual([false, true]);
  });

  it('are signed for with an old secret that an earlier version has kept, and without one that is damaged', async () => {
    const world = await start();
    const { db, now, vault } = world.gateway.gateway;
    const sink = await startSink();
    const endpoint = await register(world, sink.url);
    const old = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const keep = (previousSecretSealed: Buffer) =>
      db.write((tx) =>
        tx
          .update(tx.t.webhookEndpoints)
          .set({ previousSecretSealed, previousSecretUntil: new Date(now().getTime() + HOUR) })
          .where(eq(tx.t.webhookEndpoints.id, endpoint.id)),
      );
    await keep(vault.seal(old, endpointSecretContext(endpoint.id)));
    await sendTest(world, endpoint);
    await arrived(sink, 1);
    expect([verifies(endpoint, sink.requests[0]!), verifies({ secret: old }, sink.requests[0]!)]).toEqual([true, true]);
    await keep(vault.seal(old, endpointSecretContext('whe_another')));
    await sendTest(world, endpoint);
    await arrived(sink, 2);
    expect([verifies(endpoint, sink.requests[1]!), verifies({ secret: old }, sink.requests[1]!)]).toEqual([true, false]);
    const fresh = must(await world.api('POST', `/v1/webhook-endpoints/${endpoint.id}/rotate-secret`), 200).json as unknown as Endpoint;
    await sendTest(world, endpoint);
    await arrived(sink, 3);
    expect([verifies(endpoint, sink.requests[2]!), verifies(fresh, sink.requests[2]!)]).toEqual([true, true]);
  });

  it('answer 410 and are disabled; what waits for them is dead until it is recovered', async () => {
    const world = await start();
    let gone = true;
    const sink = await startSink(() => ({ status: gone ? 410 : 204 }));
    const endpoint = await register(world, sink.url);
    await sendTest(world, endpoint);
    await recorded(world, endpoint, 1);
    expect(must(await world.api('GET', `/v1/webhook-endpoints/${endpoint.id}`), 200).json).toMatchObject({ enabled: false });
    expect(await deliveriesOf(world, endpoint)).toMatchObject([{ state: 'dead', next_attempt_at: null, attempts: [{ status: 410 }] }]);
    gone = false;
    const since = world.now().toISOString();
    world.jump(1_000);
    must(await world.api('PATCH', `/v1/webhook-endpoints/${endpoint.id}`, { enabled: true }), 200);
    const answer = must(await world.api('POST', `/v1/webhook-endpoints/${endpoint.id}/recover`, { since }), 202);
    expect(answer.json).toEqual({ deliveries: 1 });
    await arrived(sink, 2);
    expect(sink.requests[1]!.id).toBe(sink.requests[0]!.id);
    await settled(world);
    expect(await deliveriesOf(world, endpoint)).toMatchObject([{ state: 'delivered', attempts: [{ status: 410 }, { status: 204 }] }]);
    const future = must(
      await world.api('POST', `/v1/webhook-endpoints/${endpoint.id}/recover`, { since: new Date(world.now().getTime() + 1).toISOString() }),
      202,
    );
    expect(future.json).toEqual({ deliveries: 0 });
  });

  it('are tried again on the schedule, then no more; every attempt is written down with its answer, cut', async () => {
    const world = await start();
    const sink = await startSink(() => ({ status: 500, body: 'x'.repeat(5_000) }));
    const endpoint = await register(world, sink.url);
    await sendTest(world, endpoint);
    const waits = [5 / 3_600, 5 / 60, 0.5, 2, 5, 10, 14, 20, 24];
    for (const [index, hours] of waits.entries()) {
      const [delivery] = await recorded(world, endpoint, index + 1);
      expect(delivery).toMatchObject({ state: 'pending' });
      const wait = Date.parse(delivery!.next_attempt_at!) - world.now().getTime();
      expect(wait / (hours * HOUR)).toBeGreaterThanOrEqual(0.799);
      expect(wait / (hours * HOUR)).toBeLessThanOrEqual(1.201);
      world.jump(wait);
    }
    const [last] = await recorded(world, endpoint, 10);
    expect(last).toMatchObject({ state: 'dead', next_attempt_at: null });
    expect(last!.attempts.map(({ status, answer }) => [status, answer.length])).toEqual(Array.from({ length: 10 }, () => [500, 1_000]));
    expect(new Set(sink.requests.map(({ id }) => id)).size).toBe(1);
    world.jump(3 * DAY);
    await settled(world);
    expect(sink.requests).toHaveLength(10);
  }, 30_000);

  it('do not have their redirects followed', async () => {
    const world = await start();
    const goal = await startSink();
    const sink = await startSink(() => ({ status: 307, headers: { location: goal.url } }));
    const endpoint = await register(world, sink.url);
    await sendTest(world, endpoint);
    const [delivery] = await recorded(world, endpoint, 1);
    expect(delivery).toMatchObject({ state: 'pending', attempts: [{ status: 307 }] });
    expect(goal.requests).toEqual([]);
  });

  it('that cannot be reached have an attempt without a status', async () => {
    const world = await start();
    const endpoint = await register(world, 'http://127.0.0.1:1/');
    await sendTest(world, endpoint);
    const [delivery] = await recorded(world, endpoint, 1);
    expect(delivery!.attempts).toMatchObject([{ status: null, answer: 'connection_refused: Nobody listens at this address and port.' }]);
  });

  it('that hang hold up nobody else', async () => {
    const world = await start();
    const slow = await startSink(() => 'hang');
    const quick = await startSink();
    const hanging = await register(world, slow.url);
    const other = await register(world, quick.url);
    for (let count = 0; count < 20; count += 1) await sendTest(world, hanging);
    await arrived(slow, 2);
    for (let count = 0; count < 20; count += 1) await sendTest(world, other);
    await arrived(quick, 20);
    // Nothing of the first one is over yet: its places are taken, and only its own.
    expect((await deliveriesOf(world, hanging)).every(({ attempts }) => attempts.length === 0)).toBe(true);
  }, 30_000);
});

describeOnBothDatabases('events', (_open, engine) => {
  const start = async () => testWorld({ databaseUrl: await databaseOf(engine) });

  it('are listed newest first, by type and in pages, and each one is found by its id', async () => {
    const world = await start();
    await connect(world, 'zoom');
    for (const id of ['a', 'b', 'c']) {
      world.jump(1_000);
      await createMeeting(world, { booking: { id, kind: 'one_to_one', title: 'x' } });
    }
    const list = async (query: string) =>
      must(await world.api('GET', `/v1/events?${query}`), 200).json as {
        data: { id: string; type: string; timestamp: string; data: Record<string, unknown> }[];
        next_cursor: string | null;
      };
    const created = await list('type=meeting.created');
    expect(created.data.map(({ data }) => data['booking_id'])).toEqual(['c', 'b', 'a']);
    const first = await list('type=meeting.created&limit=2');
    const second = await list(`type=meeting.created&limit=2&cursor=${first.next_cursor}`);
    expect([...first.data, ...second.data]).toEqual(created.data);
    expect(second.next_cursor).toBeNull();
    const [one] = created.data;
    expect(must(await world.api('GET', `/v1/events/${one!.id}`), 200).json).toEqual(one);
    expect((await world.api('GET', '/v1/events?type=meeting.exploded')).status).toBe(422);
    // What was sent is what is shown.
    const sent = await world.receiver.waitFor('the event', ({ id }) => id === one!.id);
    expect(sent).toMatchObject({ type: one!.type, data: one!.data });
  });

  it('are sent again under their old id', async () => {
    const world = await start();
    const sink = await startSink();
    const endpoint = await register(world, sink.url);
    await sendTest(world, endpoint);
    await arrived(sink, 1);
    await settled(world);
    const [{ id, body }] = sink.requests as [SinkRequest];
    expect(must(await world.api('POST', `/v1/events/${id}/redeliver`), 202).json).toEqual({ deliveries: 1 });
    await arrived(sink, 2);
    expect(sink.requests[1]).toMatchObject({ id, body });
    await settled(world);
    expect(await deliveriesOf(world, endpoint)).toMatchObject([
      { event_id: id, type: 'endpoint.test', state: 'delivered', attempts: [{ status: 204 }, { status: 204 }] },
    ]);
  });

  it('are told once, whatever happens twice', async () => {
    const world = await start();
    await connect(world, 'zoom');
    const meeting = await createMeeting(world);
    for (let count = 0; count < 3; count += 1) await world.api('POST', `/v1/meetings/${meeting.id}/cancel`);
    await settled(world);
    const { data } = must(await world.api('GET', '/v1/events?limit=100'), 200).json as { data: { type: string }[] };
    expect(data.map(({ type }) => type).toSorted()).toEqual(['connection.active', 'meeting.cancelled', 'meeting.created']);
  });
});

describe('targets', () => {
  it('may be private only where the operator allows it, and are never http otherwise', async () => {
    const world = await testWorld({ environment: { ALLOW_PRIVATE_WEBHOOK_TARGETS: 'false' } }).catch(() => undefined);
    expect(world).toBeDefined();
    const ask = (url: string) => world!.api('POST', '/v1/webhook-endpoints', { url });
    for (const url of [
      'http://hooks.example.com/',
      'https://127.0.0.1/',
      'https://localhost/',
      'https://[::1]/',
      'https://169.254.169.254/',
      'https://10.1.2.3/',
      'https://user:pass@hooks.example.com/',
      'ftp://hooks.example.com/',
      'x',
    ])
      expect(await ask(url), url).toMatchObject({ status: 422, json: { code: 'invalid', errors: [{ pointer: '/url' }] } });
    const { id } = must(await ask('https://hooks.example.com/events'), 201).json;
    expect((await world!.api('PATCH', `/v1/webhook-endpoints/${String(id)}`, { url: 'https://10.0.0.1/' })).status).toBe(422);
  });

  it('that were allowed once are refused at the moment of sending when they no longer are', async () => {
    const world = await testWorld({ environment: { ALLOW_PRIVATE_WEBHOOK_TARGETS: 'false' } });
    const sink = await startSink();
    const endpoint = must(await world.api('POST', '/v1/webhook-endpoints', { url: 'https://hooks.example.com/' }), 201)
      .json as unknown as Endpoint;
    const { db } = world.gateway.gateway;
    const { eq } = await import('drizzle-orm');
    const port = new URL(sink.url).port;
    let attempts = 0;
    // A name that resolves to a private address, and private addresses themselves.
    for (const url of [
      `https://127.0.0.1:${port}/`,
      `https://localtest.localhost:${port}/`,
      `https://[::ffff:127.0.0.1]:${port}/`,
      `http://127.0.0.1:${port}/`,
    ]) {
      await db.write((tx) => tx.update(tx.t.webhookEndpoints).set({ url }).where(eq(tx.t.webhookEndpoints.id, endpoint.id)));
      world.jump(1_000);
      await sendTest(world, endpoint);
      attempts += 1;
      await recorded(world, endpoint, attempts);
    }
    for (const { attempts: made } of await deliveriesOf(world, endpoint)) for (const { status } of made) expect(status).toBeNull();
    expect(sink.requests).toEqual([]);
  });
});
