/** The service account: assertions for users of its domain, exchanged for tokens that act as them; and who a token is. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { HOUR, SECOND } from '../clock.ts';
import type { Env, Routes } from '../world.ts';
import { googleCaller, SERVICE_ACCOUNT } from './state.ts';
import type { Google } from './state.ts';

const EMAIL = 'https://www.googleapis.com/auth/userinfo.email';
const LONGEST_ASSERTION_SECONDS = HOUR / SECOND;
const ACCESS_LIFE_MS = HOUR - SECOND;

/** The answer to `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer`. */
export async function exchangeAssertion(google: Google, c: Context<Env>, assertion: string): Promise<Response> {
  const { world, state, serviceKey } = google;
  const refuse = (error: string, description: string): Response =>
    c.json({ error, error_description: description }, error === 'unauthorized_client' ? 401 : 400);

  const claims = await serviceKey.verify(assertion, { audience: `${world.origin}/token`, now: world.agenda.now() });
  if (claims?.iss !== SERVICE_ACCOUNT.clientEmail) return refuse('invalid_grant', 'Invalid JWT Signature.');
  if (claims.iat === undefined || claims.exp === undefined || claims.exp - claims.iat > LONGEST_ASSERTION_SECONDS) {
    return refuse('invalid_grant', 'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.');
  }
  const scopes = typeof claims['scope'] === 'string' ? claims['scope'].split(/\s+/).filter(Boolean) : [];
  if (scopes.length === 0) return refuse('invalid_scope', 'Empty or missing scope not allowed.');
  const user = state.users.find(({ email, id }) => email === claims.sub || id === claims.sub);
  if (!user) return refuse('invalid_grant', 'Invalid email or User ID');
  if (user.hd !== SERVICE_ACCOUNT.domain || scopes.some((scope) => !state.delegatedScopes.includes(scope))) {
    const words =
      'Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.';
    return refuse('unauthorized_client', words);
  }
  // A grant of its own: what the user gave the app, or takes back from it, is another matter.
  const grant = world.oauth.grant({ vendor: 'google-meet', clientId: SERVICE_ACCOUNT.clientId, userId: user.id, scopes });
  const access = world.oauth.issue(grant, { kind: 'access', lifeMs: ACCESS_LIFE_MS, prefix: 'ya29.c.' });
  return c.json({ access_token: access.value, expires_in: ACCESS_LIFE_MS / SECOND, token_type: 'Bearer' });
}

export function googleUserinfoRoutes(google: Google): Routes {
  return new Hono<Env>().get('/v1/userinfo', (c) => {
    const caller = googleCaller(google, c, 'openidconnect', ['openid']);
    if (caller instanceof Response) return caller;
    const { id, email, hd } = caller.user;
    return c.json({
      sub: id,
      ...(caller.token.scopes.includes(EMAIL) ? { email, email_verified: true } : {}),
      ...(hd === null ? {} : { hd }),
    });
  });
}
