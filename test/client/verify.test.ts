import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { EventVerificationError, verifyEvent, type EventHeaders, type GatewayEvent } from '../../src/client/index.ts';
import { settled } from '../support/gateway.ts';
import { startSink } from '../support/sink.ts';
import { testWorld } from '../support/world.ts';
import { clientOf } from './support.ts';

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const OTHER = `whsec_${Buffer.alloc(32, 2).toString('base64')}`;
const NOW = new Date('2026-12-01T10:00:00Z');
const BODY = '{"type":"meeting.created","timestamp":"2026-12-01T10:00:00.000Z","data":{"meeting_id":"mtg_1","title":"Übung"}}';
const now = () => NOW;

const sign = (body: string | Uint8Array, { id = 'evt_1', at = NOW, secret = SECRET } = {}) => {
  const timestamp = String(at.getTime() / 1_000);
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
};

/** The reason of the refusal; undefined when the event was accepted. */
const refusal = (body: string | Uint8Array, headers: EventHeaders, secrets: string | string[] = SECRET): Promise<string | undefined> =>
  verifyEvent(body, headers, secrets, { now }).then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof EventVerificationError) return error.reason;
      throw error;
    },
  );

describe('verifyEvent', () => {
  it('accepts what the gateway sends, before, during and after a rotation of the secret', async () => {
    const world = await testWorld();
    const gateway = clientOf(world);
    const sink = await startSink();
    const old = await gateway.webhookEndpoints.create({ url: sink.url });
    const send = async () => {
      await gateway.webhookEndpoints.test(old.id);
      await settled(world);
      const { body, headers } = sink.requests.at(-1)!;
      return (secrets: string | string[]) => verifyEvent(body, headers, secrets, world);
    };
    const before = await send();
    const event = await before(old.secret);
    expect(event).toEqual({
      id: sink.requests[0]!.id,
      type: 'endpoint.test',
      timestamp: world.now().toISOString(),
      data: expect.objectContaining({ endpoint_id: old.id }),
    });
    const fresh = await gateway.webhookEndpoints.rotateSecret(old.id);
    await expect(before(fresh.secret)).rejects.toThrow(EventVerificationError);
    const during = await send();
    for (const secrets of [old.secret, fresh.secret, [old.secret, fresh.secret]]) await during(secrets);
    world.jump(24 * 3_600_000);
    const after = await send();
    await expect(after(old.secret)).rejects.toThrow(EventVerificationError);
    await after([old.secret, fresh.secret]);
  });

  it('tells the types apart', () => {
    expectTypeOf<Extract<GatewayEvent, { type: 'meeting.created' }>['type']>().toEqualTypeOf<'meeting.created'>();
    expectTypeOf<Extract<GatewayEvent, { type: 'meeting.exploded' }>>().toEqualTypeOf<never>();
  });

  it('reads the body as it came, text or bytes, and the headers of fetch and of Node.js', async () => {
    const bytes = new TextEncoder().encode(BODY);
    const headers = sign(BODY);
    expect(new Webhook(SECRET).sign('evt_1', NOW, BODY)).toBe(headers['webhook-signature']);
    for (const body of [BODY, bytes, Buffer.from(bytes), new Uint8Array([0, ...bytes, 0]).subarray(1, -1)])
      expect(await verifyEvent(body, headers, SECRET, { now })).toEqual({ id: 'evt_1', ...JSON.parse(BODY) });
    expect(await refusal(BODY, new Headers(headers))).toBeUndefined();
    expect(
      await refusal(BODY, Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]))),
    ).toBeUndefined();
    expect(await refusal(BODY, Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])))).toBeUndefined();
  });

  it('refuses a body that was changed, by so much as a space', async () => {
    for (const body of [`${BODY} `, BODY.replace('mtg_1', 'mtg_2'), '', JSON.stringify(JSON.parse(BODY), null, 1)])
      expect(await refusal(body, sign(BODY))).toBe('signature_mismatch');
  });

  it('refuses another id, another time and another secret than was signed', async () => {
    const headers = sign(BODY);
    expect(await refusal(BODY, { ...headers, 'webhook-id': 'evt_2' })).toBe('signature_mismatch');
    expect(await refusal(BODY, { ...headers, 'webhook-timestamp': String(NOW.getTime() / 1_000 + 1) })).toBe('signature_mismatch');
    expect(await refusal(BODY, headers, OTHER)).toBe('signature_mismatch');
    expect(await refusal(BODY, headers, [OTHER, SECRET])).toBeUndefined();
  });

  it.each([
    ['', 'headers_missing'],
    ['v1,', 'signature_mismatch'],
    ['v1', 'signature_mismatch'],
    ['v1,AAAA', 'signature_mismatch'],
    ['v1,not base64', 'signature_mismatch'],
    [`v2,${sign(BODY)['webhook-signature'].slice(3)}`, 'signature_mismatch'],
    [sign(BODY)['webhook-signature'].slice(3), 'signature_mismatch'],
    [sign(BODY)['webhook-signature'].slice(0, -5), 'signature_mismatch'],
    [Array.from({ length: 9 }, () => sign(BODY)['webhook-signature']).join(' '), 'headers_malformed'],
    [`v1a,AAAA v1,AAAA ${sign(BODY)['webhook-signature']}`, undefined],
  ])('given the signature "%s" says %s', async (signature, reason) => {
    expect(await refusal(BODY, { ...sign(BODY), 'webhook-signature': signature })).toBe(reason);
  });

  it('refuses what has a header missing, twice, or not as the standard says', async () => {
    const headers = sign(BODY);
    for (const name of Object.keys(headers)) {
      expect(await refusal(BODY, { ...headers, [name]: undefined })).toBe('headers_missing');
      expect(await refusal(BODY, { ...headers, [name]: ['a', 'b'] })).toBe('headers_missing');
    }
    for (const timestamp of ['1e9', '0x6ae', ' 1', '-1', '1.5', '01', 'NaN', '9'.repeat(13)])
      expect(await refusal(BODY, { ...headers, 'webhook-timestamp': timestamp }), timestamp).toBe('headers_malformed');
    for (const id of ['evt.1', 'evt 1', 'x'.repeat(201), 'evt\n1'])
      expect(await refusal(BODY, { ...sign(BODY, { id }), 'webhook-id': id }), id).toBe('headers_malformed');
  });

  it('refuses what is more than five minutes old, or comes from as far ahead', async () => {
    const at = (ms: number) => sign(BODY, { at: new Date(NOW.getTime() + ms) });
    expect(await refusal(BODY, at(-300_000))).toBeUndefined();
    expect(await refusal(BODY, at(-301_000))).toBe('outside_tolerance');
    expect(await refusal(BODY, at(300_000))).toBeUndefined();
    expect(await refusal(BODY, at(301_000))).toBe('outside_tolerance');
    await verifyEvent(BODY, at(-3_600_000), SECRET, { now, toleranceMs: 3_600_000 });
    for (const options of [{ now, toleranceMs: Number.NaN }, { now: () => new Date(Number.NaN) }])
      await expect(verifyEvent(BODY, at(0), SECRET, options)).rejects.toMatchObject({ reason: 'outside_tolerance' });
  });

  it('refuses a signed body that is no event', async () => {
    for (const body of ['', 'null', '[]', '"x"', '{"type":"meeting.created"}', '{', new Uint8Array([0xff])])
      expect(await refusal(body, sign(body))).toBe('body_malformed');
  });

  it('takes a wrong secret for what it is: a mistake of whoever set it up, with which nothing is accepted', async () => {
    const headers = sign(BODY);
    for (const secrets of ['', 'whsec_', 'whsec_***', `whsec_${Buffer.alloc(8).toString('base64')}`, [], [SECRET, '']])
      await expect(verifyEvent(BODY, headers, secrets, { now })).rejects.toThrow(TypeError);
  });
});
