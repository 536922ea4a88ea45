import { http, HttpResponse } from 'msw';
import type { SetupServer } from 'msw/node';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { HOUR } from '../../src/domain/time.ts';
import { OUTSIDE_CONTRACT } from '../contracts/validate.ts';
import { describeFailures } from './failures.ts';
import { applicable, failureOf, wrongOnPurpose } from './harness.ts';
import { describeMeetings } from './meetings.ts';
import type { PlatformOptions, ProviderConformance } from './options.ts';
import { describeRecordings } from './recordings.ts';
import { describeSubscriptions } from './subscriptions.ts';

/** The contract once more for a host of the operator's own account (F04), and what is said of `Platform`. */
export function describePlatform(server: SetupServer, options: ProviderConformance): void {
  const { platform } = options;
  it("knows the operator's own account only where it is configured", () => {
    expect(options.create().platform).toBeUndefined();
    expect(platform?.create().platform === undefined).toBe(platform === undefined);
  });
  if (platform === undefined) return;

  describe("F04 as a host of the operator's own account", () => {
    const { create, vendor, degraded, refusals, createIsRepeatable, meetings } = platform;
    const account = { ...platform.account, hosting: 'platform' } as const;
    const settingDropped = { notApplicable: 'what the vendor drops is the same for each host of the account' };
    const hosted: ProviderConformance = { ...options, create, vendor, account, degraded, settingDropped, refusals, createIsRepeatable };
    applicable('meetings with a title and a time', meetings, () => describeMeetings(server, hosted));
    describeFailures(server, hosted);
    describeRecordings(server, hosted);
    describeSubscriptions(server, hosted);
    describeToken(server, platform);
    describeHosts(server, platform);
  });
}

function describeToken(server: SetupServer, { create, token }: PlatformOptions): void {
  const ask = () => create().platform!.token(token.subject);
  const endpoint = (answer: (count: number) => Response) => {
    const forms: URLSearchParams[] = [];
    server.use(
      ...token.handlers,
      http.post(token.url, async ({ request }) => {
        forms.push(new URLSearchParams(await request.text()));
        return answer(forms.length) as HttpResponse<null>;
      }),
    );
    return forms;
  };
  const asJson = (status: number, body: Record<string, unknown>) =>
    HttpResponse.json(body, { status, headers: { [OUTSIDE_CONTRACT]: 'OAuth' } });

  describe('platform.token', () => {
    it('is made anew each time, lives about an hour, and has no refresh token', async () => {
      const forms = endpoint((count) => asJson(200, token.answer(`platform-token-${count}`)));
      const [first, second] = [await ask(), await ask()];
      expect([first.accessToken, second.accessToken]).toEqual(['platform-token-1', 'platform-token-2']);
      expect(first.refreshToken).toBeNull();
      expect(first.expiresInMs).toBeGreaterThan(HOUR / 2);
      expect(first.expiresInMs).toBeLessThanOrEqual(2 * HOUR);
      expect(forms).toHaveLength(2);
    });

    it.each(token.ourFault)('case 86: $name is for the operator to repair', async ({ status, body }) => {
      endpoint(() => asJson(status, body));
      const failure = await failureOf(ask());
      expect(failure.code).toBe('credentials_rejected');
      expect(failure.message).not.toContain(String(body['error_description']));
    });

    it.each([
      ['a 500', () => asJson(500, {})],
      ['a 503 that is no JSON', () => wrongOnPurpose('<html></html>', 503)],
      ['a lost connection', () => HttpResponse.error()],
    ])('case 86: %s is a reason to try later', async (_, answer) => {
      endpoint(answer);
      expect((await failureOf(ask())).code).toBe('vendor_unavailable');
    });
  });
}

function describeHosts(server: SetupServer, { create, hosts, noHosts }: PlatformOptions): void {
  const read = (host: string) => create().platform!.host({ accessToken: 'platform-token-1', scopes: [] }, host);

  describe('platform.host', () => {
    it.each(hosts)('$name', async ({ host, handlers, expected }) => {
      server.use(...handlers);
      const { concurrentMeetings, ...profile } = await read(host);
      expect(profile).toEqual(expected);
      expect(concurrentMeetings).toBeGreaterThanOrEqual(1);
    });

    it.each(noHosts)('$name', async ({ host, handlers, code }) => {
      server.use(...handlers);
      await expect(read(host)).rejects.toMatchObject({ constructor: Failure, code });
    });
  });
}
