import fc from 'fast-check';
import { http, HttpResponse } from 'msw';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import { HOUR, MINUTE, plus } from '../../../src/domain/time.ts';
import { failureOf, guardedServer, refusalWith, webhookRequest } from '../../conformance/provider.ts';
import { account, ACCOUNT_ID, clientState, CONTRACT, fixture, NOW, PERSONAL, SECRET, teams, withState } from './options.ts';
import { GRAPH, graphStandIn } from './stand-in.ts';

const server = guardedServer({ contract: CONTRACT });
const RECORDING = fixture('notification-recording-basic.json');
const open = (bytes: Buffer, query: Record<string, string> = {}, provider = teams()) =>
  provider.webhook.open(webhookRequest({ bytes, query }, NOW));
const failureOfOpening = (bytes: Buffer, query: Record<string, string> = {}) => {
  try {
    void open(bytes, query);
  } catch (error) {
    return error as Failure;
  }
  throw new Error('was opened');
};
const urls = { notificationUrl: 'https://gateway.example/webhooks/microsoft-teams', lifecycleUrl: 'https://gateway.example/lifecycle' };

describe('notifications', () => {
  it('case 46: keeps the proven ones of a batch, drops the others, and answers 202', () => {
    const [item] = (JSON.parse(RECORDING.toString()) as { value: Record<string, unknown>[] }).value;
    const value = [
      { ...item, subscriptionId: 'good-1', clientState: clientState() },
      { ...item, subscriptionId: 'bad', clientState: 'wrong' },
      { ...item, subscriptionId: 'none' },
      'not an item',
      { ...item, subscriptionId: 'good-2', clientState: clientState(SECRET, 'another-account-of-ours') },
    ];
    const opened = open(Buffer.from(JSON.stringify({ value })));
    expect(opened).toMatchObject({ kind: 'deliveries', status: 202 });
    const deliveries = (opened as Extract<Awaited<typeof opened>, { kind: 'deliveries' }>).deliveries;
    expect(
      deliveries.flatMap(({ bytes }) => teams().webhook.read(bytes)).map((notice) => 'subscriptionId' in notice && notice.subscriptionId),
    ).toEqual(['good-1', 'good-2']);
  });

  it('accepts every secret of the ring, so that it can be rotated', () => {
    const old = Buffer.alloc(32, 1);
    const provider = teams({ clientStateSecrets: [SECRET, old] });
    expect(open(withState(RECORDING, clientState(old)), {}, provider)).toMatchObject({ status: 202 });
    expect(() => open(withState(RECORDING, clientState(old)))).toThrow(expect.objectContaining({ code: 'webhook_unauthenticated' }));
  });

  it('keeps the proof out of what is stored', () => {
    const opened = open(withState(RECORDING, clientState()));
    expect(JSON.stringify(opened, (_, value: unknown) => (Buffer.isBuffer(value) ? value.toString() : value))).not.toContain(
      clientState().split('.')[1],
    );
  });

  it('has a key without time for a recording, because Microsoft tells none', () => {
    expect(open(withState(RECORDING, clientState()))).toMatchObject({ deliveries: [{ key: expect.stringMatching(/^0{13}\./) }] });
  });

  it('case 45: does not echo a token that is longer than any of Microsoft, nor an empty one', () => {
    expect(open(Buffer.alloc(0), { validationToken: 'x'.repeat(4_096) })).toMatchObject({ kind: 'answer' });
    expect(failureOfOpening(Buffer.alloc(0), { validationToken: 'x'.repeat(4_097) }).code).toBe('webhook_unauthenticated');
    expect(failureOfOpening(Buffer.alloc(0), { validationToken: '' }).code).toBe('webhook_unauthenticated');
  });

  it('case 57: opens nothing that was not signed, whatever the bytes, the JSON or the client state', () => {
    const refused = (bytes: Buffer) => {
      expect(failureOfOpening(bytes)).toMatchObject({ name: 'Failure', code: 'webhook_unauthenticated' });
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => refused(Buffer.from(bytes))));
    fc.assert(fc.property(fc.json(), (text) => refused(Buffer.from(text))));
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (state) => refused(withState(RECORDING, state))));
    fc.assert(
      fc.property(fc.nat(clientState().length - 1), fc.constantFrom('A', 'b', '.', '_'), (at, letter) => {
        const state = clientState();
        fc.pre(state[at] !== letter);
        refused(withState(RECORDING, state.slice(0, at) + letter + state.slice(at + 1)));
      }),
    );
  });

  it('reads whatever was opened, and gives one notice at most for each item', () => {
    const text = fc.option(fc.string({ maxLength: 60 }), { nil: undefined });
    const item = fc.record({
      subscriptionId: fc.string({ minLength: 1, maxLength: 60 }),
      changeType: fc.constantFrom('created', 'updated', undefined),
      resource: fc.oneof(text, fc.constant("users('u')/onlineMeetings('m')/recordings('r')")),
      lifecycleEvent: fc.option(fc.constantFrom('missed', 'constructor', '__proto__', 'subscriptionRemoved'), { nil: undefined }),
      subscriptionExpirationDateTime: text,
      id: text,
    });
    fc.assert(
      fc.property(fc.array(item, { minLength: 1, maxLength: 5 }), (value) => {
        const opened = open(withState(Buffer.from(JSON.stringify({ value })), clientState()));
        if (!('deliveries' in opened)) throw new Error('no deliveries');
        expect(opened.deliveries).toHaveLength(value.length);
        for (const { key, bytes } of opened.deliveries) {
          expect(key).toMatch(/^\d{13}\.[\w-]{43}$/);
          expect(teams().webhook.read(bytes).length).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});

describe('subscriptions', () => {
  const sent: { method: string; body: Record<string, unknown> }[] = [];
  const start = () => {
    const vendor = graphStandIn();
    sent.splice(0);
    server.use(
      http.all(`${GRAPH}/*`, async ({ request }) => {
        const text = await request.clone().text();
        sent.push({ method: request.method, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) });
        return undefined;
      }),
      ...vendor.handlers,
    );
    return { vendor, subscriptions: teams().subscriptions! };
  };

  it("asks for the recordings of all the organizer's meetings, with a proof that is checked without storage", async () => {
    const { subscriptions } = start();
    const { expiresAt } = await subscriptions.create(account(), urls);
    const { clientState: state, ...body } = sent[0]!.body;
    expect(body).toEqual({
      changeType: 'created',
      notificationUrl: urls.notificationUrl,
      lifecycleNotificationUrl: urls.lifecycleUrl,
      resource: `users/${ACCOUNT_ID}/onlineMeetings/getAllRecordings`,
      expirationDateTime: expiresAt.toISOString(),
    });
    expect(expiresAt).toEqual(plus(NOW, 72 * HOUR - 5 * MINUTE));
    expect((state as string).length).toBeLessThanOrEqual(128);
    expect(open(withState(RECORDING, state as string))).toMatchObject({ status: 202 });
  });

  it('replaces one that leads to another address', async () => {
    const { vendor, subscriptions } = start();
    const old = await subscriptions.create(account(), { ...urls, notificationUrl: 'https://old.example/webhooks' });
    const fresh = await subscriptions.create(account(), urls);
    expect(fresh.id).not.toBe(old.id);
    expect(vendor.subscriptions!()).toEqual([fresh.id]);
    expect(sent.map(({ method }) => method)).toEqual(['POST', 'POST', 'GET', 'DELETE', 'POST']);
  });

  it('replaces one whose proof would not be accepted any more', async () => {
    const { subscriptions } = start();
    const old = await subscriptions.create(account(), urls);
    server.use(
      http.get(`${GRAPH}/v1.0/subscriptions`, () =>
        HttpResponse.json({
          value: [
            {
              id: old.id,
              resource: `users/${ACCOUNT_ID}/onlineMeetings/getAllRecordings`,
              changeType: 'created',
              notificationUrl: urls.notificationUrl,
              lifecycleNotificationUrl: urls.lifecycleUrl,
              expirationDateTime: '2026-11-21T00:00:00Z',
              clientState: clientState(Buffer.alloc(32, 9)),
            },
          ],
        }),
      ),
    );
    expect((await subscriptions.create(account(), urls)).id).not.toBe(old.id);
  });

  it('does not hide a conflict with something that it cannot see', async () => {
    const { subscriptions } = start();
    server.use(http.post(`${GRAPH}/v1.0/subscriptions`, () => refusalWith(409, { error: { code: 'Conflict', message: 'x' } })));
    expect((await failureOf(subscriptions.create(account(), urls))).code).toBe('vendor_refused');
  });

  it.each(['error-lifecycleUrl-required.json', 'error-subscription-validation.json'])('names the refusal of %s', async (name) => {
    const { subscriptions } = start();
    server.use(http.post(`${GRAPH}/v1.0/subscriptions`, () => refusalWith(400, JSON.parse(fixture(name).toString()))));
    expect(await failureOf(subscriptions.create(account(), urls))).toMatchObject({
      code: 'vendor_refused',
      extra: { vendor_code: 'ValidationError' },
    });
  });

  it('is not tried for a personal account', async () => {
    const { subscriptions } = start();
    expect((await failureOf(subscriptions.create(account({ organisation: PERSONAL }), urls))).code).toBe('not_capable');
    expect(sent).toEqual([]);
  });
});
