/** Google's OAuth: granular consent, no rotation, a refresh token only when asked for in the right way. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { DAY, HOUR, plus, SECOND, unixSeconds } from '../clock.ts';
import { refuseAuthorization } from '../consent.ts';
import type { Consent, ConsentRules } from '../consent.ts';
import { authenticates, readAuthorizeRequest } from '../oauth.ts';
import type { Grant } from '../oauth.ts';
import type { ConsentUser, Env, Routes } from '../world.ts';
import { exchangeAssertion } from './delegation.ts';
import { suspendFor } from './events.ts';
import type { Google, GoogleUser } from './state.ts';

const ISSUER = 'https://accounts.google.com';
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const ACCESS_LIFE_MS = HOUR - SECOND;
/** Unused for six months it dies. */
const REFRESH_LIFE_MS = 180 * DAY;

/** Short names in a request come back as addresses. */
const LONG_NAMES: Readonly<Record<string, string>> = {
  email: 'https://www.googleapis.com/auth/userinfo.email',
  profile: 'https://www.googleapis.com/auth/userinfo.profile',
};
const SIGN_IN = new Set(['openid', ...Object.values(LONG_NAMES)]);

export function googleOAuthRoutes(google: Google, consent: () => Consent): Routes {
  const { world, state, key } = google;
  const { oauth } = world;
  const client = world.clients['google-meet'];
  const dead = (c: Context<Env>, description = 'Token has been expired or revoked.'): Response =>
    c.json({ error: 'invalid_grant', error_description: description }, 400);

  const answer = async (c: Context<Env>, grant: Grant, user: GoogleUser, refresh: boolean): Promise<Response> => {
    const access = oauth.issue(grant, { kind: 'access', lifeMs: ACCESS_LIFE_MS, prefix: 'ya29.' });
    return c.json({
      access_token: access.value,
      expires_in: ACCESS_LIFE_MS / SECOND,
      ...(refresh ? { refresh_token: oauth.issue(grant, { kind: 'refresh', lifeMs: REFRESH_LIFE_MS, prefix: '1//0' }).value } : {}),
      scope: grant.scopes.join(' '),
      token_type: 'Bearer',
      ...(grant.scopes.includes('openid') ? { id_token: await signIdToken(google, user, grant) } : {}),
    });
  };

  return new Hono<Env>()
    .get('/o/oauth2/v2/auth', (c) => {
      const request = readAuthorizeRequest('google-meet', client, new URL(c.req.url).searchParams);
      if (typeof request === 'string') return refuseAuthorization(c, `Error 400: ${request}`);
      if (request.scopes.length === 0) return refuseAuthorization(c, 'Error 400: invalid_request. Missing required parameter: scope');
      return consent().show(c, { ...request, scopes: request.scopes.map((scope) => LONG_NAMES[scope] ?? scope) });
    })

    .post('/token', async (c) => {
      const form = new URLSearchParams(await c.req.text());
      // Its signature is the only authentication.
      if (form.get('grant_type') === JWT_BEARER) return exchangeAssertion(google, c, form.get('assertion') ?? '');
      if (!authenticates(client, c.req.header('authorization'), form)) {
        return c.json({ error: 'invalid_client', error_description: 'The OAuth client was not found.' }, 401);
      }
      switch (form.get('grant_type') ?? '') {
        case 'authorization_code': {
          const { code, error } = oauth.redeem({
            code: form.get('code') ?? '',
            clientId: client.id,
            redirectUri: form.get('redirect_uri') ?? '',
            verifier: form.get('code_verifier') ?? undefined,
          });
          if (error === 'redirect') return c.json({ error: 'redirect_uri_mismatch', error_description: 'Bad Request' }, 400);
          if (error === 'verifier') return dead(c, 'Invalid code verifier.');
          const user = state.users.find(({ id }) => id === code?.userId);
          if (error !== undefined || !user) return dead(c, 'Malformed auth code.');
          const { parameters } = code.request;
          const earlier = oauth.grants('google-meet', user.id).filter(({ clientId }) => clientId === client.id);
          const merged = parameters.get('include_granted_scopes') === 'true' ? earlier.flatMap(({ scopes }) => scopes) : [];
          const scopes = [...new Set([...code.granted, ...merged])];
          const grant = oauth.grant({ vendor: 'google-meet', clientId: client.id, userId: user.id, scopes });
          const asksConsent = parameters.get('prompt')?.split(' ').includes('consent') ?? false;
          return answer(c, grant, user, parameters.get('access_type') === 'offline' && (asksConsent || earlier.length === 0));
        }
        case 'refresh_token': {
          const token = oauth.token(form.get('refresh_token') ?? '', 'google-meet');
          const user = state.users.find(({ id }) => id === token?.grant.userId);
          const live = token?.kind === 'refresh' && !token.grant.revoked && token.expiresAt > world.agenda.now();
          if (!live || !user) return dead(c);
          token.expiresAt = plus(world.agenda.now(), REFRESH_LIFE_MS);
          return answer(c, token.grant, user, false);
        }
        default:
          return c.json({ error: 'unsupported_grant_type', error_description: 'Invalid grant_type' }, 400);
      }
    })

    .post('/revoke', async (c) => {
      const value = c.req.query('token') ?? new URLSearchParams(await c.req.text()).get('token') ?? '';
      const token = oauth.token(value, 'google-meet');
      if (!token || token.grant.revoked || token.grant.userId === null) {
        return c.json({ error: 'invalid_token', error_description: 'Token expired or revoked' }, 400);
      }
      // A revocation takes back everything that this user gave the app.
      for (const grant of oauth.grants('google-meet', token.grant.userId)) {
        if (grant.clientId === token.grant.clientId) grant.revoked = true;
      }
      suspendFor(google, token.grant.userId);
      return c.json({});
    })

    .get('/oauth2/v3/certs', async (c) => {
      c.header('cache-control', 'public, max-age=3600');
      return c.json(await key.keySet());
    });
}

export function googleConsentRules({ state }: Google): ConsentRules {
  return {
    title: 'Google: choose what to share',
    issuer: ISSUER,
    users: () => state.users.map(asConsentUser),
    optional: ({ scopes }) => scopes.filter((scope) => !SIGN_IN.has(scope)),
    denial: () => ({ error: 'access_denied' }),
  };
}

export const asConsentUser = ({ id, email, name, hd, slowConferences }: GoogleUser): ConsentUser => ({
  id,
  email,
  name,
  note: `${hd === null ? 'consumer' : 'Workspace'}${slowConferences ? ', conferences pending at first' : ''}`,
});

function signIdToken({ world, key }: Google, user: GoogleUser, grant: Grant): Promise<string> {
  const issuedAt = unixSeconds(world.agenda.now());
  return key.sign({
    iss: ISSUER,
    azp: grant.clientId,
    aud: grant.clientId,
    sub: user.id,
    ...(user.hd === null ? {} : { hd: user.hd }),
    ...(grant.scopes.some((scope) => scope.endsWith('email')) ? { email: user.email, email_verified: true } : {}),
    name: user.name,
    iat: issuedAt,
    exp: issuedAt + ACCESS_LIFE_MS / SECOND + 1,
  });
}
