import { http, HttpResponse } from 'msw';
import type { SetupServer } from 'msw/node';
import { describe, expect, it } from 'vitest';
import type { Grant } from '../../providers/provider.ts';
import { HOUR } from '../../src/domain/time.ts';
import { OUTSIDE_CONTRACT } from '../contracts/validate.ts';
import { applicable, failureOf, wrongOnPurpose } from './harness.ts';
import { isNotApplicable, type ProviderConformance } from './options.ts';

const REDIRECT = 'https://gateway.example/connect/callback';
// RFC 7636, appendix B
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

export function describeOAuth(server: SetupServer, options: ProviderConformance): void {
  const { oauth } = options;
  const authorizationUrl = (recordings: boolean) =>
    options.create().oauth.authorizationUrl({ state: 'state-of-256-bits', codeChallenge: CHALLENGE, redirectUri: REDIRECT, recordings });
  const exchange = () => options.create().oauth.exchange({ code: 'code-1', codeVerifier: VERIFIER, redirectUri: REDIRECT });
  const refresh = () => options.create().oauth.refresh('refresh-1');
  const asJson = (status: number, body: Record<string, unknown>) =>
    HttpResponse.json(body, { status, headers: { [OUTSIDE_CONTRACT]: 'OAuth' } });
  const tokenEndpoint = (answer: () => Response) => {
    const requests: { url: URL; form: URLSearchParams; authorization: string | null }[] = [];
    server.use(
      http.post(oauth.tokenUrl, async ({ request }) => {
        requests.push({
          url: new URL(request.url),
          form: new URLSearchParams(await request.text()),
          authorization: request.headers.get('authorization'),
        });
        return answer() as HttpResponse<null>;
      }),
    );
    return requests;
  };
  const granting = (refreshToken: string | undefined) =>
    tokenEndpoint(() => asJson(200, oauth.tokenAnswer({ accessToken: 'access-9', refreshToken })));

  describe('authorizationUrl', () => {
    it('carries state, redirect and the S256 challenge, and no secret', () => {
      const url = authorizationUrl(false);
      expect(url.origin + url.pathname).toBe(oauth.authorizationPage);
      expect(Object.fromEntries(url.searchParams)).toMatchObject({
        response_type: 'code',
        client_id: oauth.clientId,
        state: 'state-of-256-bits',
        redirect_uri: REDIRECT,
        code_challenge: CHALLENGE,
        code_challenge_method: 'S256',
      });
      expect(url.href).not.toContain(oauth.clientSecret);
      expect(url.searchParams.has('code_verifier')).toBe(false);
    });

    applicable('scopes in the authorization URL', oauth.scopesInUrl, () => {
      it('asks for the recording scopes only when recordings are wanted', () => {
        const { links, recordings } = options.create().oauth.scopes;
        const asked = (wanted: boolean) => (authorizationUrl(wanted).searchParams.get('scope') ?? '').split(' ');
        const extra = recordings.filter((scope) => !links.includes(scope));
        expect(asked(false)).toEqual(expect.arrayContaining([...links]));
        expect(asked(true)).toEqual(expect.arrayContaining([...links, ...recordings]));
        for (const scope of extra) expect(asked(false)).not.toContain(scope);
      });
    });
  });

  describe('exchange', () => {
    it('sends code, verifier and redirect, with the secret where the vendor wants it', async () => {
      const requests = granting('refresh-9');
      const grant = await exchange();
      expect(grant).toMatchObject({ accessToken: 'access-9', refreshToken: 'refresh-9' });
      expect(grant.expiresInMs).toBeGreaterThan(0);
      expect(grant.expiresInMs).toBeLessThanOrEqual(2 * HOUR);
      expect(requests).toHaveLength(1);
      const { url, form, authorization } = requests[0]!;
      expect(Object.fromEntries(form)).toMatchObject({
        grant_type: 'authorization_code',
        code: 'code-1',
        code_verifier: VERIFIER,
        redirect_uri: REDIRECT,
      });
      expect(url.search).toBe('');
      const inForm = oauth.secretIn === 'post';
      const basic = `Basic ${Buffer.from(`${oauth.clientId}:${oauth.clientSecret}`).toString('base64')}`;
      expect(form.get('client_secret')).toBe(inForm ? oauth.clientSecret : null);
      expect(authorization).toBe(inForm ? null : basic);
    });

    it('case 77: a used, foreign or expired code is refused, which is no reason to reconnect', async () => {
      tokenEndpoint(() => asJson(oauth.badCode.status, oauth.badCode.body));
      expect((await failureOf(exchange())).code).toBe('vendor_refused');
    });
  });

  describe('refresh', () => {
    applicable('rotation of refresh tokens', oauth.rotates, () => {
      it('gives the new refresh token', async () => {
        const requests = granting('refresh-2');
        expect(await refresh()).toMatchObject({ accessToken: 'access-9', refreshToken: 'refresh-2' });
        expect(Object.fromEntries(requests[0]!.form)).toMatchObject({ grant_type: 'refresh_token', refresh_token: 'refresh-1' });
      });
    });

    it('gives null when the vendor kept the refresh token', async () => {
      granting(undefined);
      expect((await refresh()).refreshToken).toBeNull();
    });

    it.each(oauth.deadGrants)('case 86: $name means that the professional has to connect again', async ({ status, body }) => {
      tokenEndpoint(() => asJson(status, body));
      expect((await failureOf(refresh())).code).toBe('reconnect_required');
    });

    it.each(oauth.ourFault)('case 86: $name disconnects nobody', async ({ status, body }) => {
      tokenEndpoint(() => asJson(status, body));
      expect(['credentials_rejected', 'vendor_refused']).toContain((await failureOf(refresh())).code);
    });

    it.each([
      ['a 500', () => asJson(500, {})],
      ['a 503 with an HTML page', () => wrongOnPurpose('<html></html>', 503, { 'content-type': 'text/html' })],
      ['a lost connection', () => HttpResponse.error()],
    ])('case 86: %s is a reason to try later', async (_, answer) => {
      tokenEndpoint(answer);
      expect((await failureOf(refresh())).code).toBe('vendor_unavailable');
    });

    it.each([
      ['an HTML page', '<html></html>', 'text/html'],
      ['no token', '{}', 'application/json'],
      ['no JSON', 'x', 'application/json'],
    ])('calls a 200 with %s nonsense', async (_, body, contentType) => {
      tokenEndpoint(() => wrongOnPurpose(body, 200, { 'content-type': contentType }));
      expect((await failureOf(refresh())).code).toBe('vendor_nonsense');
    });
  });

  describe('revoke', () => {
    it('is there exactly when the vendor can do it', () => {
      expect(options.create().oauth.revoke !== undefined).toBe(!isNotApplicable(oauth.revocation));
    });

    applicable('revocation', oauth.revocation, ({ url, success }) => {
      const revoke = () => options.create().oauth.revoke!({ accessToken: 'access-1', refreshToken: 'refresh-1' });
      it('sends a token in the body, never in the URL', async () => {
        let sent: Request | undefined;
        server.use(
          http.post(url, ({ request }) => {
            sent = request.clone();
            return success === null ? new HttpResponse(null, { status: 200 }) : asJson(200, success);
          }),
        );
        await revoke();
        expect(['access-1', 'refresh-1']).toContain(new URLSearchParams(await sent!.text()).get('token'));
        expect(new URL(sent!.url).search).toBe('');
      });

      it('succeeds when the grant is gone already', async () => {
        server.use(http.post(url, () => asJson(400, { error: 'invalid_token', error_description: 'Token expired or revoked' })));
        await expect(revoke()).resolves.toBeUndefined();
      });

      it('does not take an outage for success', async () => {
        server.use(http.post(url, () => asJson(503, {})));
        await failureOf(revoke());
      });
    });
  });

  describe('profile', () => {
    const grantWith = (grant: Partial<Grant>): Grant => ({
      accessToken: 'access-9',
      refreshToken: 'refresh-9',
      expiresInMs: HOUR,
      scopes: [],
      claims: {},
      ...grant,
    });

    it.each(oauth.profiles)('$name', async ({ grant, handlers, profile }) => {
      server.use(...handlers);
      expect(await options.create().oauth.profile(grantWith(grant))).toEqual(profile);
    });
  });
}
