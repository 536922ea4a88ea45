import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { http, HttpResponse, passthrough } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { failureOf } from '../../conformance/provider.ts';
import { idToken, LOGIN, PERSONAL, teams, TENANT } from './options.ts';

const server = setupServer();
beforeAll(() => server.listen({ onUnhandledRequest: 'error' }));
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

const granted = (overrides: Record<string, unknown> = {}) => ({
  token_type: 'Bearer',
  scope: 'https://graph.microsoft.com/Calendars.ReadWrite https://graph.microsoft.com/User.Read openid',
  expires_in: 3_736,
  access_token: 'access-1',
  refresh_token: 'refresh-1',
  id_token: idToken(TENANT),
  ...overrides,
});

describe('signing in at Entra', () => {
  const exchange = (answer: Record<string, unknown>, tenant = 'common') => {
    server.use(http.post(`${LOGIN}/${tenant}/oauth2/v2.0/token`, () => HttpResponse.json(answer)));
    return teams({ tenant }).oauth.exchange({ code: 'c', codeVerifier: 'v'.repeat(43), redirectUri: 'https://gateway.example/cb' });
  };

  it.each([TENANT, PERSONAL])('accepts the issuer of the tenant that the account belongs to: %s', async (tid) => {
    expect((await exchange(granted({ id_token: idToken(tid) }))).claims).toMatchObject({ tid, iss: `${LOGIN}/${tid}/v2.0` });
  });

  it.each([
    ['another issuer', { iss: 'https://evil.example/v2.0' }],
    ["another tenant's issuer", { iss: `${LOGIN}/${PERSONAL}/v2.0` }],
    ['another audience', { aud: 'client-2' }],
    ['no tenant', { tid: undefined }],
    ['a moment long ago', { exp: 1_700_000_000 }],
  ])('refuses an id token with %s', async (_, claims) => {
    expect((await failureOf(exchange(granted({ id_token: idToken(TENANT, claims) })))).code).toBe('vendor_nonsense');
  });

  it('refuses accounts of other tenants where one tenant is configured', async () => {
    expect((await exchange(granted(), TENANT)).accessToken).toBe('access-1');
    expect((await failureOf(exchange(granted({ id_token: idToken(PERSONAL) }), TENANT))).code).toBe('vendor_nonsense');
  });

  it('case 76: takes as issuer of a callback a tenant of its own login server, and the configured one alone where one is', () => {
    const { oauth } = teams({ tenant: 'common' });
    expect(oauth.isIssuer(`${LOGIN}/${TENANT}/v2.0`)).toBe(true);
    for (const iss of [
      LOGIN,
      `${LOGIN}/common/v2.0`,
      `${LOGIN}/${TENANT}/v2.0/x`,
      `${LOGIN}.evil.example/${TENANT}/v2.0`,
      `/${TENANT}/v2.0`,
    ])
      expect(oauth.isIssuer(iss), iss).toBe(false);
    const single = teams({ tenant: TENANT }).oauth;
    expect([single.isIssuer(`${LOGIN}/${TENANT}/v2.0`), single.isIssuer(`${LOGIN}/${PERSONAL}/v2.0`)]).toEqual([true, false]);
  });

  it('asks an administrator for the permissions by name, in the organisation where it is known', () => {
    const request = { state: 's', redirectUri: 'https://gateway.example/cb', organisation: null, recordings: false };
    const addressed = (tenant: string, change: { organisation?: string; recordings?: boolean } = {}) =>
      teams({ tenant }).oauth.adminConsentUrl!({ ...request, ...change });
    const url = addressed('common');
    expect(url.href.split('?')[0]).toBe(`${LOGIN}/organizations/v2.0/adminconsent`);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({ state: 's', redirect_uri: 'https://gateway.example/cb' });
    const scopes = url.searchParams.get('scope')!.split(' ');
    expect(scopes).toContain('https://graph.microsoft.com/OnlineMeetings.ReadWrite');
    expect(scopes).toContain('offline_access');
    expect(scopes.join()).not.toMatch(/default|Recording/);
    expect(addressed('common', { organisation: TENANT, recordings: true }).href).toMatch(
      new RegExp(`^${LOGIN}/${TENANT}/.*OnlineMeetingRecording\\.Read\\.All`),
    );
    // Where one organisation is configured, no account can be of another.
    expect(addressed(TENANT, { organisation: PERSONAL }).pathname).toBe(`/${TENANT}/v2.0/adminconsent`);
  });

  it('gives scopes in their short spelling, and counts the refresh token as offline access', async () => {
    expect((await exchange(granted())).scopes).toEqual(['Calendars.ReadWrite', 'User.Read', 'openid', 'offline_access']);
    expect((await exchange(granted({ refresh_token: undefined }))).scopes).not.toContain('offline_access');
  });

  it('sends no scope with a refresh: another list than the consented one is refused with AADSTS65001', async () => {
    const forms: URLSearchParams[] = [];
    server.use(
      http.post(`${LOGIN}/common/oauth2/v2.0/token`, async ({ request }) => {
        forms.push(new URLSearchParams(await request.text()));
        return HttpResponse.json(granted({ refresh_token: 'refresh-2' }));
      }),
    );
    expect((await teams().oauth.refresh('refresh-1')).refreshToken).toBe('refresh-2');
    expect(forms[0]!.has('scope')).toBe(false);
  });

  it('names wrong credentials of ours, also when they come as a challenge', async () => {
    server.use(
      http.post(`${LOGIN}/common/oauth2/v2.0/token`, () =>
        HttpResponse.json({ error: 'invalid_client' }, { status: 401, headers: { 'www-authenticate': 'Bearer realm=""' } }),
      ),
    );
    expect(await failureOf(teams().oauth.refresh('r'))).toMatchObject({ code: 'credentials_rejected' });
  });

  it('lets the professional choose the account', () => {
    const url = teams().oauth.authorizationUrl({
      state: 's',
      codeChallenge: 'c',
      redirectUri: 'https://gateway.example/cb',
      recordings: false,
    });
    expect(url.searchParams.get('prompt')).toBe('select_account');
  });
});

/** Entra's discovery document and token endpoint, as the library asks for them. */
const discovery = (origin: string) => ({
  token_endpoint: `${origin}/${TENANT}/oauth2/v2.0/token`,
  authorization_endpoint: `${origin}/${TENANT}/oauth2/v2.0/authorize`,
  issuer: `${origin}/${TENANT}/v2.0`,
  jwks_uri: `${origin}/${TENANT}/discovery/v2.0/keys`,
});
const appToken = { token_type: 'Bearer', expires_in: 3_599, ext_expires_in: 3_599, access_token: 'app-token-1' };
const ask = (loginUrl: string) => teams({ loginUrl, platform: { tenant: TENANT } }).platform!.token(TENANT);

describe("the app's own token", () => {
  const entra = (answer: (form: URLSearchParams) => Response) => {
    const forms: URLSearchParams[] = [];
    server.use(
      http.get(`${LOGIN}/${TENANT}/v2.0/.well-known/openid-configuration`, () => HttpResponse.json(discovery(LOGIN))),
      http.post(`${LOGIN}/${TENANT}/oauth2/v2.0/token`, async ({ request }) => {
        const form = new URLSearchParams(await request.text());
        forms.push(form);
        return answer(form) as HttpResponse<null>;
      }),
    );
    return forms;
  };

  it('is asked for with the client secret, each time anew: one that Graph has refused must not come back', async () => {
    const forms = entra(() => HttpResponse.json({ ...appToken, access_token: `app-token-${forms.length}` }));
    const { platform } = teams({ platform: { tenant: TENANT } });
    expect(await platform!.token(TENANT)).toEqual({
      accessToken: 'app-token-1',
      refreshToken: null,
      expiresInMs: 3_599_000,
      scopes: ['User.Read.All', 'Calendars.ReadWrite', 'OnlineMeetings.ReadWrite.All', 'OnlineMeetingRecording.Read.All'],
      claims: {},
    });
    expect((await platform!.token(TENANT)).accessToken).toBe('app-token-2');
    const form = {
      grant_type: 'client_credentials',
      client_id: 'client-1',
      client_secret: 'client-secret-1',
      scope: expect.stringContaining('https://graph.microsoft.com/.default'),
    };
    expect(forms.map((sent) => Object.fromEntries(sent))).toEqual([expect.objectContaining(form), expect.objectContaining(form)]);
  });

  it('comes from the sandbox over plain http on loopback', async () => {
    const seen: string[] = [];
    const sandbox = createServer((request, response) => {
      seen.push(`${request.method} ${request.url?.split('?')[0]}`);
      request.resume().on('end', () => {
        const { port } = sandbox.address() as AddressInfo;
        const body = request.method === 'GET' ? discovery(`http://127.0.0.1:${port}`) : appToken;
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      });
    });
    await new Promise<void>((resolve) => {
      sandbox.listen(0, '127.0.0.1', resolve);
    });
    const { port } = sandbox.address() as AddressInfo;
    server.use(http.all(`http://127.0.0.1:${port}/*`, () => passthrough()));
    try {
      expect((await ask(`http://127.0.0.1:${port}`)).accessToken).toBe('app-token-1');
      expect(seen).toContain(`POST /${TENANT}/oauth2/v2.0/token`);
    } finally {
      await new Promise((resolve) => {
        sandbox.close(resolve);
      });
    }
  });

  it('is refused with the number of Entra, without its words', async () => {
    entra(() =>
      HttpResponse.json(
        { error: 'invalid_client', error_description: 'AADSTS7000215: Invalid client secret provided.', error_codes: [7_000_215] },
        { status: 401 },
      ),
    );
    const failure = await failureOf(ask(LOGIN));
    expect([failure.code, failure.extra]).toEqual(['credentials_rejected', { vendor_code: 'AADSTS7000215' }]);
    expect(failure.message).not.toContain('Invalid client secret');
  });

  it('is a reason to try later while Entra is down', async () => {
    entra(() => HttpResponse.json({}, { status: 503 }));
    expect((await failureOf(ask(LOGIN))).code).toBe('vendor_unavailable');
  });
});
