/** Zoom's OAuth: Basic authentication, single-use refresh tokens, bodies `{reason, error}`. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { DAY, HOUR, plus } from '../clock.ts';
import { refuseAuthorization } from '../consent.ts';
import type { Consent } from '../consent.ts';
import { authenticates, readAuthorizeRequest } from '../oauth.ts';
import type { Grant } from '../oauth.ts';
import type { Env, Routes } from '../world.ts';
import type { Zoom } from './state.ts';

/** https://developers.zoom.us/docs/integrations/oauth/ */
const ACCESS_LIFE_MS = HOUR;
const REFRESH_LIFE_MS = 90 * DAY;

const REDEEM_REASONS = {
  unknown: 'Invalid authorization code',
  used: 'Invalid authorization code',
  expired: 'Authorization code expired',
  client: 'Invalid authorization code',
  redirect: 'Redirect URI mismatch',
  verifier: 'Invalid code verifier',
} as const;

export function zoomOAuthRoutes({ world, options }: Zoom, consent: () => Consent): Routes {
  const { oauth } = world;
  const client = world.clients.zoom;

  const answer = (c: Context<Env>, grant: Grant): Response => {
    const access = oauth.issue(grant, { kind: 'access', lifeMs: ACCESS_LIFE_MS, prefix: 'zat_' });
    // The application itself can always ask again, so it gets no refresh token.
    const refresh =
      grant.userId === null
        ? {}
        : { refresh_token: oauth.issue(grant, { kind: 'refresh', lifeMs: REFRESH_LIFE_MS, prefix: 'zrt_' }).value };
    return c.json({
      access_token: access.value,
      token_type: 'bearer',
      ...refresh,
      expires_in: ACCESS_LIFE_MS / 1_000,
      scope: grant.scopes.join(' '),
      api_url: world.origin,
    });
  };

  return new Hono<Env>()
    .get('/oauth/authorize', (c) => {
      const request = readAuthorizeRequest('zoom', client, new URL(c.req.url).searchParams);
      if (typeof request === 'string') return refuseAuthorization(c, request);
      // Scopes are configured with the app; the parameter is tolerated and has no effect.
      return consent().show(c, { ...request, scopes: options.scopes });
    })

    .post('/oauth/token', async (c) => {
      const form = new URLSearchParams(await c.req.text());
      if (!authenticates(client, c.req.header('authorization'), form)) {
        return c.json({ reason: 'Invalid client_id or client_secret', error: 'invalid_client' }, 400);
      }
      switch (form.get('grant_type') ?? '') {
        case 'authorization_code': {
          const { code, error } = oauth.redeem({
            code: form.get('code') ?? '',
            clientId: client.id,
            redirectUri: form.get('redirect_uri') ?? '',
            verifier: form.get('code_verifier') ?? undefined,
          });
          if (error !== undefined)
            return c.json({ reason: REDEEM_REASONS[error], error: error === 'redirect' ? 'invalid_request' : 'invalid_grant' }, 400);
          // The newest authorization of a user and app wins: earlier tokens die (error 4741).
          for (const earlier of oauth.grants('zoom', code.userId)) earlier.revoked = true;
          return answer(c, oauth.grant({ vendor: 'zoom', clientId: client.id, userId: code.userId, scopes: code.granted }));
        }
        case 'refresh_token': {
          const token = oauth.token(form.get('refresh_token') ?? '', 'zoom');
          const now = world.agenda.now();
          const spent = token?.spentAt != null && plus(token.spentAt, options.refreshGraceMs) <= now;
          const live = token?.kind === 'refresh' && !spent && !token.grant.revoked && token.expiresAt > now;
          if (!live) return c.json({ reason: 'Invalid Token!', error: 'invalid_grant' }, 400);
          token.spentAt ??= now;
          return answer(c, token.grant);
        }
        case 'account_credentials': {
          if (form.get('account_id') !== options.accountId) return c.json({ reason: 'Invalid account_id', error: 'invalid_request' }, 400);
          const scopes = options.scopes.map((scope) => `${scope}:admin`);
          return answer(c, oauth.grant({ vendor: 'zoom', clientId: client.id, userId: null, scopes }));
        }
        default:
          return c.json({ reason: 'unsupported grant type', error: 'unsupported_grant_type' }, 400);
      }
    })

    .post('/oauth/revoke', async (c) => {
      const form = new URLSearchParams(await c.req.text());
      if (!authenticates(client, c.req.header('authorization'), form)) {
        return c.json({ reason: 'Invalid client_id or client_secret', error: 'invalid_client' }, 400);
      }
      const token = oauth.token(form.get('token') ?? '', 'zoom');
      if (!token || token.grant.revoked || token.expiresAt <= world.agenda.now())
        return c.json({ reason: 'Invalid Token!', error: 'invalid_request' }, 400);
      token.grant.revoked = true;
      return c.json({ status: 'success' });
    });
}
