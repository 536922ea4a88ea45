import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { newSecret, signatureHeader } from '../../src/events/signature.ts';

describe('the signature of an event', () => {
  it('is the one of the published test vector of Standard Webhooks', () => {
    expect(
      signatureHeader({
        id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
        timestamp: 1_614_265_330,
        body: '{"test": 2432232314}',
        secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
      }),
    ).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('is accepted by the official library, for any body and from either secret of a rotation', () => {
    const secrets = [newSecret(randomBytes), newSecret(randomBytes)];
    const timestamp = Math.floor(Date.now() / 1_000);
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const body = JSON.stringify({ value });
        const headers = {
          'webhook-id': 'evt_1',
          'webhook-timestamp': String(timestamp),
          'webhook-signature': signatureHeader({ id: 'evt_1', timestamp, body, secrets }),
        };
        for (const secret of secrets) expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
        expect(() => new Webhook(newSecret(randomBytes)).verify(body, headers)).toThrow('No matching signature');
        expect(() => new Webhook(secrets[0]!).verify(`${body} `, headers)).toThrow('No matching signature');
      }),
      { numRuns: 50 },
    );
  });

  it('is made with secrets of 32 random bytes', () => {
    const secret = newSecret(randomBytes);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(newSecret(randomBytes)).not.toBe(secret);
  });
});
