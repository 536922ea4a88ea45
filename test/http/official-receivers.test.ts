import { randomBytes } from 'node:crypto';
import { Webhook as Standard } from 'standardwebhooks';
import { Webhook as Svix } from 'svix';
import { expect, it } from 'vitest';
import type { World } from '../../demo/world.ts';
import { MOST_EVENT_BYTES } from '../../src/events/catalogue.ts';
import { newSecret } from '../../src/events/signature.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { createMeeting, databaseOf, eventually, must, settled } from '../support/gateway.ts';
import { mustBeCatalogued } from '../support/catalogue.ts';
import { startSink, type Sink, type SinkRequest } from '../support/sink.ts';
import { connect, testWorld } from '../support/world.ts';

interface Endpoint {
  readonly id: string;
  readonly secret: string;
}

const register = async ({ api }: World, url: string, events = ['*']): Promise<Endpoint> =>
  must(await api('POST', '/v1/webhook-endpoints', { url, events }), 201).json as unknown as Endpoint;
const sendTest = async ({ api }: World, { id }: Endpoint) => must(await api('POST', `/v1/webhook-endpoints/${id}/test`), 202);
const arrived = (sink: Sink, count: number) => eventually(`${count} requests have arrived`, () => sink.requests.length >= count);

/** What the packages `standardwebhooks` and `svix` say of a delivery: `taken`, or why not. They want the machine's clock to be near. */
function verdicts(secret: string, { body, headers }: Pick<SinkRequest, 'body' | 'headers'>): string[] {
  return [new Standard(secret), new Svix(secret)].map((receiver) => {
    try {
      expect(receiver.verify(body, headers as Record<string, string>)).toEqual(JSON.parse(body));
      return 'taken';
    } catch (error) {
      return (error as Error).message;
    }
  });
}
const TAKEN = ['taken', 'taken'];
const FORGED = ['No matching signature found', 'No matching signature found'];

describeOnBothDatabases('the official receivers', (_open, engine) => {
  const start = async () => testWorld({ databaseUrl: await databaseOf(engine) });

  it('take what is delivered, and refuse it with another secret, another body, another id or another time', async () => {
    const world = await start();
    const sink = await startSink();
    const { secret } = await register(world, sink.url);
    await connect(world, 'zoom');
    const meeting = await createMeeting(world);
    must(await world.api('POST', `/v1/meetings/${meeting.id}/purchases`, { customer_id: 'cus_1' }), 201);
    await arrived(sink, 4);
    for (const request of sink.requests) expect(verdicts(secret, request), request.type).toEqual(TAKEN);
    const [{ body, headers }] = sink.requests as [SinkRequest];
    expect(verdicts(newSecret(randomBytes), { body, headers })).toEqual(FORGED);
    expect(verdicts(secret, { body: body.replace('zoom', 'zooo'), headers })).toEqual(FORGED);
    expect(verdicts(secret, { body, headers: { ...headers, 'webhook-id': 'evt_other' } })).toEqual(FORGED);
    const later = String(Number(headers['webhook-timestamp']) + 1);
    expect(verdicts(secret, { body, headers: { ...headers, 'webhook-timestamp': later } })).toEqual(FORGED);
  });

  it('refuse a delivery that is older than five minutes, and take the same event when it is sent again', async () => {
    const world = await start();
    const sink = await startSink();
    const endpoint = await register(world, sink.url);
    world.jump(-6 * 60_000);
    await sendTest(world, endpoint);
    await arrived(sink, 1);
    expect(verdicts(endpoint.secret, sink.requests[0]!)).toEqual(['Message timestamp too old', 'Message timestamp too old']);
    await settled(world);
    world.jump(6 * 60_000);
    must(await world.api('POST', `/v1/events/${sink.requests[0]!.id}/redeliver`), 202);
    await arrived(sink, 2);
    expect(verdicts(endpoint.secret, sink.requests[1]!)).toEqual(TAKEN);
    expect(sink.requests[1]).toMatchObject({ id: sink.requests[0]!.id, body: sink.requests[0]!.body });
  });

  it('case 99: take a delivery that was waiting when the secret was rotated, by either secret, under its id and with a fresh time', async () => {
    const world = await start();
    world.jump(-60_000);
    const sink = await startSink((_request, count) => ({ status: count === 1 ? 500 : 204 }));
    const old = await register(world, sink.url);
    await sendTest(world, old);
    await arrived(sink, 1);
    await settled(world);
    const fresh = must(await world.api('POST', `/v1/webhook-endpoints/${old.id}/rotate-secret`), 200).json as unknown as Endpoint;
    world.jump(30_000);
    await arrived(sink, 2);
    const [first, second] = sink.requests as [SinkRequest, SinkRequest];
    expect([verdicts(old.secret, first), verdicts(fresh.secret, first)]).toEqual([TAKEN, FORGED]);
    expect([verdicts(old.secret, second), verdicts(fresh.secret, second)]).toEqual([TAKEN, TAKEN]);
    expect(second).toMatchObject({ id: first.id, body: first.body });
    expect(Number(second.headers['webhook-timestamp']) - Number(first.headers['webhook-timestamp'])).toBe(30);
  });

  it('get the links of a large audience in several events, each below 20 kB, with nobody missing and nobody twice', async () => {
    const world = await start();
    const sink = await startSink();
    const { secret } = await register(world, sink.url, ['recording.published']);
    await connect(world, 'zoom');
    // Three bytes for each character, and 200 of them.
    const customers = Array.from({ length: 30 }, (_, index) => `${'語'.repeat(197)}${100 + index}`);
    const meeting = await createMeeting(world, { booking: { id: 'bk_1', kind: 'event', title: 'x' }, attendees: [] });
    for (const customer_id of customers) must(await world.api('POST', `/v1/meetings/${meeting.id}/purchases`, { customer_id }), 201);
    const video = { url: 'https://us02web.zoom.us/rec/share/Hq3k', title: 'x' };
    must(await world.api('POST', `/v1/meetings/${meeting.id}/recordings`, video), 201);
    await arrived(sink, 2);
    await settled(world);
    for (const request of sink.requests) {
      expect(verdicts(secret, request)).toEqual(TAKEN);
      expect(Buffer.byteLength(request.body)).toBeLessThan(MOST_EVENT_BYTES);
    }
    const events = sink.requests.map(({ body }) => JSON.parse(body) as { type: string; data: { links: { customer_id: string }[] } });
    mustBeCatalogued(events);
    const told = events.flatMap(({ data }) => data.links.map((link) => link.customer_id));
    expect(told.toSorted()).toEqual(customers);
    expect(new Set(sink.requests.map(({ id }) => id)).size).toBe(sink.requests.length);
  });
});
