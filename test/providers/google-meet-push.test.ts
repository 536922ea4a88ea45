import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { exportSPKI, importJWK } from 'jose';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Opened, Webhook } from '../../providers/provider.ts';
import { Failure } from '../../src/domain/failure.ts';
import { HOUR, MINUTE, plus, SECOND } from '../../src/domain/time.ts';
import { webhookRequest } from '../conformance/provider.ts';
import {
  AUDIENCE,
  fixture,
  GOOGLE_KEY,
  googleMeet,
  JWKS_URL,
  keyEndpoint,
  push,
  PUSHER,
  pushToken,
  signing,
  type Signing,
} from './google-meet.options.ts';
import { NOW } from './google-meet.stand-in.ts';

const server = setupServer();
beforeAll(() => server.listen({ onUnhandledRequest: 'error' }));
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

const BODY = fixture('composed-push-meet-recording-fileGenerated');
const NEW_KEY = await signing('google-2');

/** A gateway with a clock that the test moves, and Google's key endpoint. */
function start(keys?: () => readonly Signing[] | undefined) {
  let now = NOW;
  const endpoint = keyEndpoint(keys);
  server.use(endpoint.handler);
  const { webhook } = googleMeet({ now: () => now });
  return {
    webhook,
    fetched: () => endpoint.fetched(),
    now: () => now,
    pass: (ms: number) => {
      now = plus(now, ms);
    },
    open: (token: string, bytes = BODY) => open(webhook, token, now, bytes),
  };
}
const open = async (webhook: Webhook, token: string, now: Date, bytes = BODY): Promise<Opened> =>
  webhook.open(webhookRequest({ bytes, headers: { authorization: `Bearer ${token}` } }, now));
const accepted = (opened: Promise<Opened>) => expect(opened).resolves.toMatchObject({ kind: 'deliveries', status: 204 });
const refused = (opened: Promise<Opened>) => expect(opened).rejects.toMatchObject({ code: 'webhook_unauthenticated' });
/** `read`, or the name of the failure. */
const outcomeOf = (read: () => unknown): string => {
  try {
    read();
    return 'read';
  } catch (error) {
    return error instanceof Failure ? error.code : String(error);
  }
};
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = (now: Date) => ({
  iss: 'https://accounts.google.com',
  aud: AUDIENCE,
  email: PUSHER,
  email_verified: true,
  iat: now.getTime() / SECOND,
  exp: now.getTime() / SECOND + 3_600,
});

describe('the token of a push', () => {
  it.each(['https://accounts.google.com', 'accounts.google.com'])('accepts the issuer as %s', async (iss) => {
    const { open } = start();
    await accepted(open(await pushToken(NOW, { iss })));
  });

  it('case 106: fetches keys from the configured place, whatever place a token names', async () => {
    const { open, fetched } = start();
    const requests: string[] = [];
    server.events.on('request:start', ({ request }) => void requests.push(request.url));
    const header = { alg: 'RS256', kid: 'theirs', jku: 'https://evil.example/keys', x5u: 'https://evil.example/chain' };
    for (const iss of ['https://evil.example', 'https://accounts.google.com'])
      await refused(open(`${encode(header)}.${encode({ ...claims(NOW), iss })}.AAAA`));
    expect(fetched()).toBe(1);
    expect(new Set(requests)).toEqual(new Set([JWKS_URL]));
    server.events.removeAllListeners();
  });

  it('case 49: refuses a token without a signature', async () => {
    const { open, fetched } = start();
    await refused(open(`${encode({ alg: 'none', kid: 'google-1', typ: 'JWT' })}.${encode(claims(NOW))}.`));
    await refused(open(`${encode({ alg: 'none', kid: 'google-1', typ: 'JWT' })}.${encode(claims(NOW))}.AAAA`));
    expect(fetched()).toBe(0);
  });

  it.each(['PEM', 'JWK'])("case 49: refuses HS256 with Google's public key (%s) as the secret", async (form) => {
    const { open } = start();
    const secret =
      form === 'JWK' ? JSON.stringify(GOOGLE_KEY.jwk) : await exportSPKI((await importJWK(GOOGLE_KEY.jwk, 'RS256')) as CryptoKey);
    const signed = `${encode({ alg: 'HS256', kid: 'google-1', typ: 'JWT' })}.${encode(claims(NOW))}`;
    await refused(open(`${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`));
  });

  it('case 49: refuses claims that were changed after signing', async () => {
    const { open } = start();
    const [header, , signature] = (await pushToken(NOW, { email: 'someone@else.iam.gserviceaccount.com' })).split('.');
    await refused(open(`${header}.${encode(claims(NOW))}.${signature}`));
  });

  it('case 49: accepts a token until half a minute after its end, not longer', async () => {
    const { open, pass } = start();
    const token = await pushToken(NOW);
    pass(HOUR + 29 * SECOND);
    await accepted(open(token));
    pass(SECOND);
    await refused(open(token));
  });

  it('case 49: accepts a token up to half a minute before its beginning, not earlier', async () => {
    const { open } = start();
    await accepted(open(await pushToken(plus(NOW, 30 * SECOND))));
    await refused(open(await pushToken(plus(NOW, 31 * SECOND))));
  });

  it('case 49: refuses a token that is meant to live for a day', async () => {
    const { open, pass } = start();
    const token = await pushToken(NOW, { exp: NOW.getTime() / SECOND + 86_400 });
    pass(2 * HOUR);
    await refused(open(token));
  });

  it.each([{ pushAudience: undefined }, { pushServiceAccount: undefined }])(
    'refuses every push while it is not set up: %o',
    async (unset) => {
      const provider = googleMeet(unset);
      await refused(open(provider.webhook, await pushToken(NOW), NOW));
      expect(provider.subscriptions).toBeUndefined();
    },
  );

  it('says nothing that would help a prober', async () => {
    const { open } = start();
    const messages = new Set<string>();
    for (const token of ['x', await pushToken(NOW, { aud: 'x' }), await pushToken(NOW, { exp: 1 })]) {
      const error = await open(token).catch((failure: unknown) => failure);
      messages.add(`${(error as Failure).message} ${JSON.stringify((error as Failure).extra)} ${String((error as Failure).cause)}`);
    }
    expect([...messages]).toEqual(['The delivery could not be proven. {} undefined']);
  });
});

describe("Google's keys", () => {
  it('case 49: fetches the keys once for many tokens and many pushes', async () => {
    const { open, fetched, pass } = start();
    const first = await pushToken(NOW);
    for (let n = 0; n < 5; n += 1) await accepted(open(first));
    pass(10 * MINUTE);
    await accepted(open(await pushToken(plus(NOW, 10 * MINUTE))));
    expect(fetched()).toBe(1);
  });

  it('proves a token once: later pushes with it need no key any more', async () => {
    let keys = [GOOGLE_KEY];
    const { open, pass, now } = start(() => keys);
    const token = await pushToken(NOW);
    await accepted(open(token));
    keys = [NEW_KEY];
    pass(MINUTE);
    await accepted(open(await pushToken(now(), {}, NEW_KEY)));
    await refused(open(await pushToken(now())));
    await accepted(open(token));
  });

  it('fetches once when the first pushes come all at once', async () => {
    const { open, fetched } = start();
    const tokens = await Promise.all([0, 1, 2, 3].map((seconds) => pushToken(plus(NOW, -seconds * SECOND))));
    await Promise.all(tokens.map((token) => accepted(open(token))));
    expect(fetched()).toBe(1);
  });

  it('case 49: takes a new key when Google rotates', async () => {
    let keys = [GOOGLE_KEY];
    const { open, fetched, pass } = start(() => keys);
    await accepted(open(await pushToken(NOW)));
    keys = [GOOGLE_KEY, NEW_KEY];
    pass(MINUTE);
    await accepted(open(await pushToken(plus(NOW, MINUTE), {}, NEW_KEY)));
    expect(fetched()).toBe(2);
  });

  it('case 49: lets strangers with unknown key ids cause one fetch in half a minute', async () => {
    const { open, fetched, pass, now } = start();
    await accepted(open(await pushToken(NOW)));
    for (let n = 0; n < 20; n += 1) {
      await refused(open(await pushToken(now(), { n }, { ...NEW_KEY, kid: `made-up-${n}` })));
    }
    expect(fetched()).toBe(1);
    pass(30 * SECOND);
    for (let n = 0; n < 20; n += 1) await refused(open(await pushToken(now(), { n }, NEW_KEY)));
    expect(fetched()).toBe(2);
  });

  it('case 49: goes on with the keys it has while the endpoint is down, and does not hammer it', async () => {
    let keys: Signing[] | undefined = [GOOGLE_KEY];
    const { open, fetched, pass, now } = start(() => keys);
    await accepted(open(await pushToken(NOW)));
    keys = undefined;
    pass(3 * HOUR);
    for (let n = 0; n < 5; n += 1) await accepted(open(await pushToken(now(), { n })));
    expect(fetched()).toBe(2);
    pass(MINUTE);
    await accepted(open(await pushToken(now())));
    expect(fetched()).toBe(3);
  });

  it('refuses while it has never seen a key, and recovers', async () => {
    let keys: Signing[] | undefined;
    const { open, fetched, pass } = start(() => keys);
    const token = await pushToken(NOW);
    await refused(open(token));
    await refused(open(token));
    expect(fetched()).toBe(1);
    keys = [GOOGLE_KEY];
    pass(30 * SECOND);
    await accepted(open(token));
  });

  it('stops accepting a key that Google has withdrawn within an hour', async () => {
    let keys = [GOOGLE_KEY];
    const { open, pass, now } = start(() => keys);
    await accepted(open(await pushToken(NOW)));
    keys = [NEW_KEY];
    pass(HOUR);
    await refused(open(await pushToken(now())));
  });
});

describe('the body of a push', () => {
  const { webhook } = googleMeet();
  const LIFECYCLE = 'google.workspace.events.subscription.v1.';
  const RECORD = 'conferenceRecords/CR1';

  it('names a happening by time, source and id', async () => {
    const { open } = start();
    const opened = await open(await pushToken(NOW));
    expect(opened).toMatchObject({ deliveries: [{ key: expect.stringMatching(/^1795168800123\.[\w-]{43}$/), bytes: BODY }] });
  });

  it('case 50: takes what is proven but cannot be read, so that Pub/Sub does not send it for seven days', async () => {
    const { open } = start();
    const token = await pushToken(NOW);
    for (const bytes of [Buffer.alloc(0), Buffer.from('{'), fixture('pubsub-push-envelope-text'), push({}, 'no json')]) {
      const opened = await open(token, bytes);
      expect(opened).toMatchObject({
        kind: 'deliveries',
        status: 204,
        deliveries: [{ key: expect.stringMatching(/^\d{13}\.[\w-]{43}$/), bytes }],
      });
      expect(() => webhook.read(bytes)).toThrow(expect.objectContaining({ code: 'malformed' }));
    }
  });

  it('reads an event that travels whole in the data', () => {
    const event = {
      specversion: '1.0',
      id: 'event-1',
      source: '//workspaceevents.googleapis.com/subscriptions/SUB',
      type: 'google.workspace.meet.recording.v2.fileGenerated',
      time: '2026-07-21T14:00:00.5+02:00',
    };
    const data = { recording: { name: `${RECORD}/recordings/R1` } };
    const expected = [
      {
        type: 'pointer',
        subscriptionId: 'subscriptions/SUB',
        about: event.type,
        resource: `${RECORD}/recordings/R1`,
        at: new Date('2026-07-21T12:00:00.500Z'),
      },
    ];
    const structured = (body: unknown) => push({ 'content-type': 'application/cloudevents+json; charset=utf-8' }, body);
    expect(webhook.read(structured({ ...event, data }))).toEqual(expected);
    expect(webhook.read(structured({ ...event, data_base64: Buffer.from(JSON.stringify(data)).toString('base64') }))).toEqual(expected);
  });

  it.each(['repo-meet-push-transcript-conference-subject', 'repo-meet-push-transcript-space-target'])(
    'reads a push as others have seen it, whatever its subject: %s',
    (name) => {
      const { body } = JSON.parse(fixture(name).toString()) as { body: { message: { attributes: Record<string, string>; data: string } } };
      const { transcript } = JSON.parse(Buffer.from(body.message.data, 'base64').toString()) as { transcript: { name: string } };
      expect(webhook.read(Buffer.from(JSON.stringify(body)))).toEqual([
        {
          type: 'pointer',
          subscriptionId: body.message.attributes['ce-source']!.replace('//workspaceevents.googleapis.com/', ''),
          about: 'google.workspace.meet.transcript.v2.fileGenerated',
          resource: transcript.name,
          at: new Date(body.message.attributes['ce-time']!),
        },
      ]);
    },
  );

  it.each([
    ['suspended', 'subscription.suspended', 'ENDPOINT_PERMISSION_DENIED'],
    ['expirationReminder', 'subscription.expiring', null],
    ['expired_composed', 'subscription.removed', null],
  ])("reads the subscription's own event as the documentation shows it: %s", (name, type, reason) => {
    const events = JSON.parse(fixture('docs-lifecycle-events').toString()) as Record<string, { type: string; data: unknown }>;
    const { type: about, data } = events[name]!;
    expect(webhook.read(push({ 'ce-type': about }, data))).toEqual([{ type, subscriptionId: 'subscriptions/SUBSCRIPTION_ID', reason }]);
  });

  it.each([
    [
      'camelCase',
      { subscription: { name: 'subscriptions/S', suspensionReason: 'USER_SCOPE_REVOKED' } },
      'subscriptions/S',
      'USER_SCOPE_REVOKED',
    ],
    ['snake_case', { subscription: { name: 'subscriptions/S', suspension_reason: 'OTHER' } }, 'subscriptions/S', 'OTHER'],
    ['nothing that is documented', { what: 'ever' }, 'subscriptions/meet-users-abc', null],
  ])('reads a suspension in %s', (_, data, subscriptionId, reason) => {
    expect(webhook.read(push({ 'ce-type': `${LIFECYCLE}suspended` }, data))).toEqual([
      { type: 'subscription.suspended', subscriptionId, reason },
    ]);
  });

  it('case 57: opens anything that is proven, and gives equal bytes equal keys', async () => {
    const { open } = start();
    const token = await pushToken(NOW);
    const keyOf = async (bytes: Buffer) => {
      const opened = await open(token, bytes);
      if (opened.kind !== 'deliveries') throw new Error('answered as a handshake');
      return opened.deliveries.map(({ key }) => key);
    };
    const attributes = fc.dictionary(
      fc.constantFrom('ce-id', 'ce-source', 'ce-type', 'ce-time', 'content-type', '__proto__', 'x'),
      fc.string(),
    );
    const envelopes = fc
      .record({ message: fc.record({ attributes, data: fc.oneof(fc.base64String(), fc.jsonValue()) }), subscription: fc.jsonValue() })
      .map((value) => Buffer.from(JSON.stringify(value)));
    const bodies = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
      envelopes,
    );
    await fc.assert(
      fc.asyncProperty(bodies, async (bytes) => {
        const keys = await keyOf(bytes);
        expect(keys).toEqual([expect.stringMatching(/^\d{13}\.[\w-]{43}$/)]);
        expect(await keyOf(Buffer.from(bytes))).toEqual(keys);
        expect(['read', 'malformed']).toContain(outcomeOf(() => webhook.read(bytes)));
      }),
      { numRuns: 300 },
    );
  });

  it('case 40: opens nothing for a token that nobody signed', async () => {
    const { open, fetched } = start();
    const part = fc.oneof(
      fc.base64String(),
      fc.string(),
      fc.json().map((text) => Buffer.from(text).toString('base64url')),
    );
    await fc.assert(
      fc.asyncProperty(part, part, part, async (header, payload, signature) => {
        await refused(open(`${header}.${payload}.${signature}`));
      }),
    );
    expect(fetched()).toBeLessThanOrEqual(1);
  });
});
