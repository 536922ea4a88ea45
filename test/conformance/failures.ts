import { HttpResponse } from 'msw';
import type { SetupServer } from 'msw/node';
import { describe, expect, it } from 'vitest';
import { DAY, SECOND, plus } from '../../src/domain/time.ts';
import { testAccount, type TestAccount } from '../support/account.ts';
import { failureOf, gate, refusalWith, wrongOnPurpose } from './harness.ts';
import { meetingRequest } from './meetings.ts';
import type { ProviderConformance } from './options.ts';

export function describeFailures(server: SetupServer, options: ProviderConformance): void {
  const create = (account: TestAccount = testAccount(options.account)) => options.create().createMeeting(account, meetingRequest(options));
  const answerAll = (answer: (request: Request) => Response) => server.use(...gate(options.api, answer));

  describe('tokens', () => {
    it('case 71: answers a refused token with one fresh token and one more try', async () => {
      const vendor = options.vendor();
      const account = testAccount(options.account);
      server.use(...vendor.handlers);
      server.use(
        ...gate(options.api, (request) =>
          request.headers.get('authorization') === 'Bearer token-2' ? undefined : refusalWith(401, options.errorBody(401)),
        ),
      );
      const meeting = await create(account);
      expect(vendor.meetings().map(({ id }) => id)).toEqual([meeting.id]);
      expect(account.refreshes()).toBe(1);
    });

    it('asks for a new permission when the fresh token is refused as well', async () => {
      const account = testAccount(options.account);
      answerAll(() => refusalWith(401, options.errorBody(401)));
      expect((await failureOf(create(account))).code).toBe('reconnect_required');
      expect(account.refreshes()).toBe(1);
    });

    it('lets the failure of a dead grant through by its name', async () => {
      answerAll(() => refusalWith(401, options.errorBody(401)));
      expect((await failureOf(create(testAccount({ ...options.account, grantIsDead: true })))).code).toBe('reconnect_required');
    });
  });

  describe('refusals', () => {
    const later = (ms: number) => plus(options.now, ms);
    it.each([
      ['whole seconds', '120', 120 * SECOND],
      ['decimal seconds', '2.128', 2_128],
      ['an HTTP date', later(90 * SECOND).toUTCString(), 90 * SECOND - (options.now.getTime() % SECOND)],
      ['an ISO date', later(90 * SECOND).toISOString(), 90 * SECOND],
      ['ten days, which is not believed', '864000', DAY],
    ])('case 63: a 429 says when to come back: %s', async (_, value, expected) => {
      answerAll(() => refusalWith(429, options.errorBody(429), { 'retry-after': value }));
      const failure = await failureOf(create());
      expect([failure.code, failure.retryAfterMs]).toEqual(['vendor_quota', expected]);
    });

    it.each([
      ['absent', undefined],
      ['negative', '-5'],
      ['no number', 'abc'],
      ['empty', ''],
    ])('case 63: a 429 has a time to come back all the same when Retry-After is %s', async (_, value) => {
      answerAll(() => refusalWith(429, options.errorBody(429), value === undefined ? {} : { 'retry-after': value }));
      const failure = await failureOf(create());
      expect(failure.code).toBe('vendor_quota');
      expect(failure.retryAfterMs).toBeGreaterThan(0);
      expect(failure.retryAfterMs).toBeLessThanOrEqual(DAY);
    });

    it.each(options.refusals)('names $name', async ({ status, headers = {}, body, code, retryAfterMs, vendorCode }) => {
      answerAll(() => refusalWith(status, body, headers));
      const failure = await failureOf(create());
      expect(failure).toMatchObject({ code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
      const told: unknown = failure.extra['vendor_code'];
      expect(vendorCode ?? told).toBe(told);
      expect(['string', code === 'vendor_refused' ? 'string' : 'undefined']).toContain(typeof told);
    });

    it("keeps the vendor's words out of what is answered", async () => {
      answerAll(() => refusalWith(400, { message: 'SECRET-OF-THE-VENDOR', error: { message: 'SECRET-OF-THE-VENDOR' } }));
      const failure = await failureOf(create());
      expect(failure.message + JSON.stringify(failure.extra)).not.toContain('SECRET-OF-THE-VENDOR');
    });
  });

  describe('a vendor in trouble', () => {
    const inTrouble: readonly (readonly [string, () => Response])[] = [
      ['500', () => refusalWith(500, options.errorBody(500))],
      ['502 with an HTML page', () => wrongOnPurpose('<html>Bad gateway</html>', 502, { 'content-type': 'text/html' })],
      ['503', () => refusalWith(503, options.errorBody(503))],
      ['a lost connection', () => HttpResponse.error()],
    ];
    it.each(inTrouble)('case 64: %s is "unavailable", and a create that could do harm twice goes out once', async (_, answer) => {
      let writes = 0;
      answerAll((request) => {
        if (request.method === 'POST') writes += 1;
        return answer();
      });
      expect((await failureOf(create())).code).toBe('vendor_unavailable');
      expect(writes).toBeLessThanOrEqual(options.createIsRepeatable === false ? 1 : 3);
    });

    it('passes on when a 503 wants to be asked again', async () => {
      answerAll(() => refusalWith(503, options.errorBody(503), { 'retry-after': '30' }));
      const failure = await failureOf(create());
      expect([failure.code, failure.retryAfterMs]).toEqual(['vendor_unavailable', 30 * SECOND]);
    });
  });

  describe('case 65: a success that is none', () => {
    it.each([
      ['an empty object', '{}', 'application/json'],
      ['a list', '[]', 'application/json'],
      ['null', 'null', 'application/json'],
      ['a number', '42', 'application/json'],
      ['nothing', '', 'application/json'],
      ['half a document', '{"id": 1, "join_u', 'application/json'],
      ['an HTML page', '<html><title>Sign in</title></html>', 'text/html'],
      ['an error object', JSON.stringify(options.errorBody(400)), 'application/json'],
      [
        'members of the wrong type',
        '{"id":{},"name":7,"join_url":[],"joinWebUrl":false,"meetingUri":1,"onlineMeeting":"x"}',
        'application/json',
      ],
    ])('is called nonsense: %s', async (_, body, contentType) => {
      answerAll(() => wrongOnPurpose(body, 200, { 'content-type': contentType }));
      expect((await failureOf(create())).code).toBe('vendor_nonsense');
    });
  });
}
