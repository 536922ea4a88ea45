/** Entra ID v2: rotation that keeps the old refresh token alive, id tokens, admin consent, AADSTS errors. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { DAY, HOUR, unixSeconds } from '../clock.ts';
import { refuseAuthorization } from '../consent.ts';
import type { Consent } from '../consent.ts';
import { guid } from '../ids.ts';
import { authenticates, readAuthorizeRequest } from '../oauth.ts';
import type { Grant } from '../oauth.ts';
import type { Env, Routes } from '../world.ts';
import { bareScope, includesScope } from './consent-rules.ts';
import type { Microsoft, MicrosoftUser } from './state.ts';

/** https://learn.microsoft.com/entra/identity-platform/refresh-tokens */
const ACCESS_LIFE_MS = HOUR;
const REFRESH_LIFE_MS = 90 * DAY;
const PROTOCOL_SCOPES = new Set(['openid', 'profile', 'email', 'offline_access']);

const REDEEM_ERRORS = {
  unknown: ['AADSTS9002313', 'Invalid request. Request is malformed or invalid.'],
  used: [
    'AADSTS54005',
    'OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.',
  ],
  expired: ['AADSTS70008', 'The provided authorization code or refresh token has expired due to inactivity.'],
  client: ['AADSTS700005', 'The provided authorization code is intended to use against other tenant or application, thus rejected.'],
  redirect: ['AADSTS500112', 'The reply address does not match the reply address provided when requesting the authorization code.'],
  verifier: ['AADSTS501481', 'The Code_Verifier does not match the code_challenge supplied in the authorization request.'],
} as const;

export function microsoftOAuthRoutes(microsoft: Microsoft, consent: () => Consent): Routes {
  const { world, state, key } = microsoft;
  const { oauth } = world;
  const client = world.clients['microsoft-teams'];

  const refuse = (c: Context<Env>, status: 400 | 401, error: string, code: string, description: string, suberror?: string): Response => {
    const [traceId, correlationId] = [guid(world.random), guid(world.random)];
    const timestamp = `${world.agenda.now().toISOString().slice(0, 19).replace('T', ' ')}Z`;
    return c.json(
      {
        error,
        error_description: `${code}: ${description} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
        error_codes: [Number(code.replace('AADSTS', ''))],
        timestamp,
        trace_id: traceId,
        correlation_id: correlationId,
        ...(suberror === undefined ? {} : { suberror }),
      },
      status,
    );
  };

  const refuseGrant = (c: Context<Env>, [code, description]: readonly [string, string]): Response =>
    refuse(c, 400, 'invalid_grant', code, description);

  const answer = async (
    c: Context<Env>,
    grant: Grant,
    user: MicrosoftUser,
    scopes: readonly string[],
    nonce: string | null,
  ): Promise<Response> => {
    const access = oauth.issue(grant, { kind: 'access', lifeMs: ACCESS_LIFE_MS, prefix: 'EwB', scopes });
    const refresh = grant.scopes.includes('offline_access')
      ? { refresh_token: oauth.issue(grant, { kind: 'refresh', lifeMs: REFRESH_LIFE_MS, prefix: '0.A' }).value }
      : {};
    const idToken = grant.scopes.includes('openid') ? { id_token: await signIdToken(microsoft, client.id, user, nonce) } : {};
    return c.json({
      token_type: 'Bearer',
      // `offline_access` is never echoed.
      scope: scopes.filter((scope) => scope !== 'offline_access').join(' '),
      expires_in: ACCESS_LIFE_MS / 1_000,
      ext_expires_in: ACCESS_LIFE_MS / 1_000,
      access_token: access.value,
      ...refresh,
      ...idToken,
    });
  };

  return new Hono<Env>()
    .get('/:tenant/oauth2/v2.0/authorize', (c) => {
      const request = readAuthorizeRequest('microsoft-teams', client, new URL(c.req.url).searchParams);
      if (typeof request === 'string') return refuseAuthorization(c, `AADSTS900144: ${request}`);
      // The rules below need to know by which tenant the user came in.
      const parameters = new URLSearchParams(request.parameters);
      parameters.set('tenant', c.req.param('tenant'));
      return consent().show(c, { ...request, scopes: request.scopes.map(bareScope), parameters });
    })

    .post('/:tenant/oauth2/v2.0/token', async (c) => {
      const form = new URLSearchParams(await c.req.text());
      if (!authenticates(client, c.req.header('authorization'), form)) {
        return refuse(
          c,
          401,
          'invalid_client',
          'AADSTS7000215',
          'Invalid client secret provided. Ensure the secret being sent in the request is the client secret value.',
        );
      }
      switch (form.get('grant_type') ?? '') {
        case 'authorization_code': {
          const { code, error } = oauth.redeem({
            code: form.get('code') ?? '',
            clientId: client.id,
            redirectUri: form.get('redirect_uri') ?? '',
            verifier: form.get('code_verifier') ?? undefined,
          });
          if (error !== undefined) return refuseGrant(c, REDEEM_ERRORS[error]);
          const user = state.users.find(({ id }) => id === code.userId);
          if (!user) return refuseGrant(c, REDEEM_ERRORS.unknown);
          const grant = oauth.grant({ vendor: 'microsoft-teams', clientId: client.id, userId: user.id, scopes: code.granted });
          return answer(c, grant, user, code.granted, code.request.parameters.get('nonce'));
        }
        case 'refresh_token': {
          const token = oauth.token(form.get('refresh_token') ?? '', 'microsoft-teams');
          const user = state.users.find(({ id }) => id === token?.grant.userId);
          if (token?.kind !== 'refresh' || !user) return refuseGrant(c, REDEEM_ERRORS.unknown);
          if (token.grant.revoked) {
            const words =
              'The user or administrator has not consented to use the application. Send an interactive authorization request for this user and resource.';
            return refuse(c, 400, 'invalid_grant', 'AADSTS65001', words, 'consent_required');
          }
          if (token.expiresAt <= world.agenda.now()) {
            return refuse(c, 400, 'invalid_grant', 'AADSTS700082', 'The refresh token has expired due to inactivity.');
          }
          const asked = form.get('scope')?.split(/\s+/).filter(Boolean).map(bareScope) ?? token.grant.scopes;
          const missing = asked.find(
            (scope) => !PROTOCOL_SCOPES.has(scope) && scope !== '.default' && !includesScope(token.grant.scopes, scope),
          );
          if (missing !== undefined) {
            return refuse(
              c,
              400,
              'invalid_grant',
              'AADSTS65001',
              `The user or administrator has not consented to ${missing}.`,
              'consent_required',
            );
          }
          return answer(c, token.grant, user, asked.includes('.default') ? token.grant.scopes : asked, null);
        }
        case 'client_credentials': {
          const tenant = c.req.param('tenant');
          if (!state.consentedTenants.has(tenant)) {
            return refuse(
              c,
              400,
              'invalid_request',
              'AADSTS90002',
              `Tenant '${tenant}' not found or the application is not consented there.`,
            );
          }
          const scopes = [`tenant:${tenant}`, ...state.applicationPermissions];
          const grant = oauth.grant({ vendor: 'microsoft-teams', clientId: client.id, userId: null, scopes });
          const access = oauth.issue(grant, { kind: 'access', lifeMs: ACCESS_LIFE_MS, prefix: 'EwA' });
          return c.json({
            token_type: 'Bearer',
            expires_in: ACCESS_LIFE_MS / 1_000,
            ext_expires_in: ACCESS_LIFE_MS / 1_000,
            access_token: access.value,
          });
        }
        default:
          return refuse(c, 400, 'unsupported_grant_type', 'AADSTS70003', 'The app requested an unsupported grant type.');
      }
    })

    .get('/:tenant/discovery/v2.0/keys', async (c) => c.json(await key.keySet()))

    .get('/:tenant/v2.0/.well-known/openid-configuration', (c) => {
      const tenant = c.req.param('tenant');
      const base = `${world.origin}/${tenant}`;
      return c.json({
        issuer: `${world.origin}/${tenant === 'common' || tenant === 'organizations' ? '{tenantid}' : tenant}/v2.0`,
        authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
        token_endpoint: `${base}/oauth2/v2.0/token`,
        jwks_uri: `${base}/discovery/v2.0/keys`,
        response_types_supported: ['code'],
        subject_types_supported: ['pairwise'],
        id_token_signing_alg_values_supported: ['RS256'],
        token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
        scopes_supported: [...PROTOCOL_SCOPES],
      });
    })

    .get('/:tenant/v2.0/adminconsent', (c) => {
      const parameters = new URL(c.req.url).searchParams;
      const redirectUri = parameters.get('redirect_uri') ?? '';
      if (c.req.param('tenant') === 'common') return refuseAuthorization(c, 'AADSTS50194: use your tenant or "organizations".');
      if (parameters.get('client_id') !== client.id || !URL.canParse(redirectUri)) return refuseAuthorization(c, 'AADSTS900144');
      // `organizations` needs a sign-in; the sandbox takes the user named in the URL, or its first one with a tenant.
      const administrator = state.users.find(({ email }) => email === parameters.get('sandbox_user')) ?? state.users[0];
      const tenant = (c.req.param('tenant') === 'organizations' ? administrator?.tenantId : c.req.param('tenant')) ?? '';
      const denied = parameters.get('sandbox_decision') === 'deny';
      if (!denied) state.consentedTenants.add(tenant);
      const answer = denied
        ? { error: 'permission_denied', error_description: 'The admin canceled the request', admin_consent: 'True', tenant }
        : { admin_consent: 'True', tenant };
      const url = new URL(redirectUri);
      for (const [name, value] of Object.entries({ ...answer, state: parameters.get('state') ?? '' })) url.searchParams.set(name, value);
      return c.redirect(url.href, 302);
    });
}

function signIdToken({ world, key }: Microsoft, audience: string, user: MicrosoftUser, nonce: string | null): Promise<string> {
  const issuedAt = unixSeconds(world.agenda.now());
  return key.sign({
    aud: audience,
    iss: `${world.origin}/${user.tenantId}/v2.0`,
    iat: issuedAt,
    nbf: issuedAt,
    exp: issuedAt + ACCESS_LIFE_MS / 1_000,
    sub: `pairwise-${user.id}`,
    oid: user.id,
    tid: user.tenantId,
    name: user.name,
    preferred_username: user.email,
    email: user.email,
    ver: '2.0',
    ...(nonce === null ? {} : { nonce }),
  });
}
