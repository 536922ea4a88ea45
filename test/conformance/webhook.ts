import fc from 'fast-check';
import type { SetupServer } from 'msw/node';
import { describe, expect, it } from 'vitest';
import type { Delivery, Opened } from '../../providers/provider.ts';
import { Failure } from '../../src/domain/failure.ts';
import { plus, SECOND } from '../../src/domain/time.ts';
import { testAccount } from '../support/account.ts';
import { applicable, webhookRequest } from './harness.ts';
import { isNotApplicable, type Arrival, type ProviderConformance, type Signer } from './options.ts';

export function describeWebhook(server: SetupServer, options: ProviderConformance): void {
  const { webhook, now } = options;
  const open = async (arrival: Arrival, at: Date = now): Promise<Opened> => options.create().webhook.open(webhookRequest(arrival, at));
  const openSigned = async (bytes: Buffer, channel: Arrival['channel'] = 'events', at: Date = now): Promise<readonly Delivery[]> => {
    const opened = await open({ channel, ...(await webhook.sign(bytes, at)) }, at);
    if (opened.kind !== 'deliveries') throw new Error('answered as a handshake');
    return opened.deliveries;
  };
  const keysOf = async (bytes: Buffer) => (await openSigned(bytes)).map(({ key }) => key);
  const refused = async (arrival: Arrival, at: Date = now) => {
    const failure = await open(arrival, at).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(Failure);
    expect((failure as Failure).code).toBe('webhook_unauthenticated');
    return failure as Failure;
  };
  const [first] = webhook.deliveries;
  const signedWith = async (signer: Signer, bytes = first.bytes): Promise<Arrival> => ({
    channel: first.channel ?? 'events',
    ...(await signer(bytes, now)),
  });

  describe('webhook.open', () => {
    it.each(webhook.deliveries)('accepts what the vendor sends: $name', async ({ bytes, channel }) => {
      const deliveries = await openSigned(bytes, channel);
      expect(deliveries.length).toBeGreaterThan(0);
      for (const { key } of deliveries) expect(key).toMatch(/^\d{13}\.[A-Za-z0-9_-]{16,}$/);
    });

    it('case 40: refuses an unsigned, a forged and a wrongly signed delivery, all with the same words', async () => {
      const failures = [
        await refused(await signedWith(webhook.unsigned)),
        await refused(await signedWith(webhook.forged)),
        await refused(await signedWith(webhook.wrongSecret)),
      ];
      expect(new Set(failures.map(({ message, extra }) => message + JSON.stringify(extra))).size).toBe(1);
    });

    it.each(webhook.moreForgeries ?? [])('case 40: refuses $name', async ({ arrive, bytes }) => {
      await refused(await signedWith(arrive, bytes));
    });

    it('refuses an empty body without a proof', async () => {
      await refused({ ...(await webhook.unsigned(Buffer.alloc(0), now)), bytes: Buffer.alloc(0) });
    });

    applicable('a proof over the bytes', webhook.proofCoversBytes, () => {
      it('case 41: refuses a genuine proof over re-serialised bytes', async () => {
        const spaced = Buffer.from(JSON.stringify(JSON.parse(first.bytes.toString()), null, 1));
        expect(spaced.equals(first.bytes)).toBe(false);
        await refused({ ...(await signedWith(webhook.sign)), bytes: spaced });
      });

      it('case 41: refuses a genuine proof when any one bit of the body was changed', async () => {
        const genuine = await signedWith(webhook.sign);
        await fc.assert(
          fc.asyncProperty(fc.nat(genuine.bytes.length - 1), fc.nat(7), async (at, bit) => {
            const bytes = Buffer.from(genuine.bytes);
            bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
            await refused({ ...genuine, bytes });
          }),
          { numRuns: 50 },
        );
      });
    });

    applicable('a signed moment', webhook.signedMoment, ({ toleranceMs }) => {
      it('case 42: accepts a delivery up to the tolerance, either way, and refuses it beyond', async () => {
        const genuine = await signedWith(webhook.sign);
        const whole = new Date(Math.floor(now.getTime() / SECOND) * SECOND);
        const arrivesAfter = (ms: number) => plus(whole, ms);
        for (const ms of [-toleranceMs, 0, toleranceMs]) expect((await open(genuine, arrivesAfter(ms))).kind).toBe('deliveries');
        for (const ms of [-toleranceMs - SECOND, toleranceMs + SECOND]) await refused(genuine, arrivesAfter(ms));
      });
    });

    applicable('redelivery', webhook.redelivered, (cases) => {
      it.each(cases)('case 43: gives one happening one key, whatever its bytes: $name', async ({ first: one, again }) => {
        expect(again.equals(one)).toBe(false);
        expect(await keysOf(again)).toEqual(await keysOf(one));
      });
    });

    it('gives the very same arrival the same key, also later', async () => {
      const later = plus(now, 60 * SECOND);
      expect((await openSigned(first.bytes, first.channel, later)).map(({ key }) => key)).toEqual(
        (await openSigned(first.bytes, first.channel)).map(({ key }) => key),
      );
    });

    it.each([...webhook.distinct])('gives different happenings different keys: $name', async ({ one, other }) => {
      const keys = [...(await keysOf(one)), ...(await keysOf(other))];
      expect(new Set(keys).size).toBe(keys.length);
    });

    applicable('order of keys', webhook.inOrder, ({ earlier, later }) => {
      it('gives a later event a key that sorts later', async () => {
        const [one] = await keysOf(earlier);
        const [other] = await keysOf(later);
        expect(one! < other!).toBe(true);
      });
    });

    applicable('a handshake', webhook.handshakes, (cases) => {
      it.each(cases)('answers the handshake: $name', async ({ arrival, bytes, body, contentType }) => {
        const opened = await open(await arrival(bytes, now));
        expect(opened).toEqual({ kind: 'answer', status: 200, contentType: expect.stringMatching(contentType), body });
      });
    });
  });

  describe('webhook.read', () => {
    const read = (bytes: Buffer) => options.create().webhook.read(bytes);

    it.each(webhook.deliveries)('gives neutral events for $name', async ({ bytes, channel, notices }) => {
      const deliveries = await openSigned(bytes, channel);
      expect(deliveries.flatMap((delivery) => read(delivery.bytes))).toEqual(notices);
    });

    it('gives nothing for event types that it does not know', async () => {
      expect(webhook.unknown.length).toBeGreaterThan(0);
      for (const bytes of webhook.unknown) {
        for (const delivery of await openSigned(bytes)) expect(read(delivery.bytes)).toEqual([]);
      }
    });

    it.each(
      ['', ' ', '{', 'null', '42', '"text"', '[]', '[1]', 'undefined', '\u0000', '{"a":1}trailing'].map(
        (text) => [JSON.stringify(text), text] as const,
      ),
    )('case 56: refuses %s by its name', (_, text) => {
      expect(() => read(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'malformed' }));
    });

    it('case 55: refuses bytes that are no UTF-8', () => {
      const bytes = Buffer.concat([Buffer.from('{"event":"'), Buffer.from([0xff, 0xfe, 0xc0]), Buffer.from('"}')]);
      const outcome = (() => {
        try {
          return read(bytes);
        } catch (error) {
          return error;
        }
      })();
      expect([[], 'malformed']).toContainEqual(outcome instanceof Failure ? outcome.code : outcome);
    });

    for (const [index, bytes] of (webhook.garbage ?? []).entries()) {
      it(`case 56: refuses garbage ${index + 1} of this vendor by its name`, () => {
        expect(() => read(bytes)).toThrow(expect.objectContaining({ code: 'malformed' }));
      });
    }

    it('case 57: never throws anything but "malformed", whatever the bytes or the JSON', () => {
      const sound = (bytes: Buffer) => {
        try {
          expect(Array.isArray(read(bytes))).toBe(true);
        } catch (error) {
          if (!(error instanceof Failure) || error.code !== 'malformed') throw error;
        }
      };
      fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => sound(Buffer.from(bytes))));
      fc.assert(fc.property(fc.json(), (text) => sound(Buffer.from(text))));
      fc.assert(fc.property(mutations(webhook.deliveries.map(({ bytes }) => bytes)), sound), { numRuns: 300 });
    });
  });

  describe('webhook.resolve', () => {
    it('is there exactly when notifications are thin', () => {
      expect(options.create().webhook.resolve !== undefined).toBe(!isNotApplicable(webhook.resolve));
    });

    applicable('thin notifications', webhook.resolve, (cases) => {
      it.each(cases)('asks the vendor: $name', async ({ pointer, account, handlers, events }) => {
        server.use(...handlers);
        expect(await options.create().webhook.resolve!(testAccount({ ...options.account, ...account }), pointer)).toEqual(events);
      });
    });
  });
}

/** Documented bodies with one value somewhere inside replaced or removed. */
const mutations = (bodies: readonly Buffer[]): fc.Arbitrary<Buffer> =>
  fc.tuple(fc.constantFrom(...bodies), fc.nat(), fc.oneof(fc.jsonValue(), fc.constant(undefined))).map(([body, where, value]) => {
    let document: unknown;
    try {
      document = JSON.parse(body.toString());
    } catch {
      return body;
    }
    const places: [Record<string, unknown>, string][] = [];
    const walk = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return;
      for (const key of Object.keys(node)) {
        places.push([node as Record<string, unknown>, key]);
        walk((node as Record<string, unknown>)[key]);
      }
    };
    walk(document);
    const place = places[where % Math.max(1, places.length)];
    if (place !== undefined) place[0][place[1]] = value;
    return Buffer.from(JSON.stringify(document));
  });
