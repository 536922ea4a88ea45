/** Connecting a Microsoft account through Entra ID v2. */
import { createOAuthClient } from '../oauth.ts';
import { DAY } from '../../src/domain/time.ts';
import type { Grant, GrantEnd, OAuth } from '../provider.ts';
import type { Graph } from './graph.ts';
import { organizerPath } from './options.ts';
import { callerOf, readProfile, tenantOf } from './profile.ts';

/** One consent for everything that links need: a scope added later means that every professional has to connect again. */
const LINKS = ['offline_access', 'openid', 'profile', 'email', 'User.Read', 'Calendars.ReadWrite', 'OnlineMeetings.ReadWrite'];
/** Needs an administrator in every tenant, therefore asked for separately. */
export const RECORDINGS = ['OnlineMeetingRecording.Read.All'];

/** Answers of the token endpoint that only the professional, or an administrator, can cure. */
const DEAD_ERRORS = new Set(['invalid_grant', 'interaction_required', 'consent_required']);
/** Entra's numbers for "not consented" and "an administrator has to approve", whatever error they come with. */
const ENDS: Readonly<Record<string, GrantEnd>> = { '65001': 'withdrawn', '90094': 'admin_blocked' };
/** Refresh tokens of a web app live 90 days. */
const IDLE_LIFE_MS = 90 * DAY;

export interface TeamsOAuthOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tenant: string;
  readonly loginUrl: string;
  readonly graph: Graph;
}

/** Without `revoke`: Entra v2 has no revocation endpoint. A grant ends when its tokens are forgotten or the user removes the app. */
export function createTeamsOAuth({ clientId, clientSecret, tenant, loginUrl, graph }: TeamsOAuthOptions): OAuth {
  const login = loginUrl.replace(/\/+$/, '');
  const issuer = `${login}/${tenant}/v2.0`;
  const severalTenants = ['common', 'organizations', 'consumers'].includes(tenant);
  const client = createOAuthClient({
    server: {
      issuer,
      authorization_endpoint: `${login}/${tenant}/oauth2/v2.0/authorize`,
      token_endpoint: `${login}/${tenant}/oauth2/v2.0/token`,
    },
    // Entra names the tenant of the account as issuer, whatever was in the address.
    issuerOf: ({ tid }) => (severalTenants && typeof tid === 'string' ? `${login}/${tid}/v2.0` : issuer),
    clientId,
    clientSecret,
    secretIn: 'post',
    // A wrong or expired client secret (invalid_client: AADSTS7000215, 7000222) is ours to repair; no professional can.
    endOf: ({ error, description, body }) =>
      entraNumbers(description, body)
        .map((number) => ENDS[number])
        .find((reason) => reason !== undefined) ?? (DEAD_ERRORS.has(error) ? 'expired' : undefined),
  });

  return {
    idleLifeMs: IDLE_LIFE_MS,
    scopes: { links: LINKS, recordings: RECORDINGS },
    authorizationUrl: ({ recordings, ...request }) =>
      client.authorizationUrl({
        ...request,
        scopes: recordings ? [...LINKS, ...RECORDINGS] : LINKS,
        // Without it Entra silently takes the account of the browser's session, which may be another one than the professional means.
        extra: { prompt: 'select_account' },
      }),
    exchange: async (request) => withPlainScopes(await client.exchange(request)),
    // No scope is sent: one that differs from what was consented is answered with AADSTS65001.
    refresh: async (refreshToken) => withPlainScopes(await client.refresh(refreshToken)),
    profile: (grant) => readProfile(graph, { caller: callerOf(grant), path: '/me', organisation: tenantOf(grant) }),
    readAgain: (account) => readProfile(graph, { caller: account, path: organizerPath(account), organisation: account.organisation }),
  };
}

/** Entra may write Graph's scopes with the resource in front, and never lists `offline_access`: the refresh token is its proof. */
function withPlainScopes(grant: Grant): Grant {
  const scopes = grant.scopes.map((scope) => scope.replace(/^https:\/\/graph\.microsoft\.com\//i, ''));
  const offline = grant.refreshToken !== null && scopes.length > 0 && !scopes.includes('offline_access');
  return { ...grant, scopes: offline ? [...scopes, 'offline_access'] : scopes };
}

function entraNumbers(description: string, body: Readonly<Record<string, unknown>>): string[] {
  const listed = Array.isArray(body['error_codes']) ? body['error_codes'].map(String) : [];
  return [...listed, ...[...description.matchAll(/AADSTS(\d+)/g)].map(([, number]) => number!)];
}
