/** Connecting a Microsoft account through Entra ID v2. */
import { createOAuthClient, type Verdict } from '../oauth.ts';
import { DAY } from '../../src/domain/time.ts';
import type { Grant, OAuth } from '../provider.ts';
import type { Graph } from './graph.ts';
import { organizerPath } from './options.ts';
import { ATTENDANCE } from './attendance.ts';
import { callerOf, readProfile, tenantOf } from './profile.ts';

/** One consent for everything that links need: a scope added later means that every professional has to connect again. */
const LINKS = ['offline_access', 'openid', 'profile', 'email', 'User.Read', 'Calendars.ReadWrite', 'OnlineMeetings.ReadWrite'];
/** The event, and the meeting behind it. */
const LINK_WAYS = [['Calendars.ReadWrite', 'OnlineMeetings.ReadWrite']];
/** Needs an administrator in every tenant, therefore asked for separately. */
export const RECORDINGS = ['OnlineMeetingRecording.Read.All'];

/** What the second step asks for. Without attendance recordings work all the same, so it is not among what they need. */
const SECOND_STEP = [...LINKS, ...RECORDINGS, ...ATTENDANCE];

/** OpenID Connect's own; they belong to no resource. */
const PROTOCOL_SCOPES = new Set(['offline_access', 'openid', 'profile', 'email']);
/** What follows the address of the login server in the issuer of a tenant. */
const TENANT_ISSUER = /^\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\/v2\.0$/;

/** Answers of the token endpoint that only the professional, or an administrator, can cure. */
const DEAD_ERRORS = new Set(['invalid_grant', 'interaction_required', 'consent_required']);
/**
 * Entra's numbers, whatever error they come with. 65001 and 90094 are from reports of applications, 7000215 and 7000222 from reports about
 * expired secrets; the others are common knowledge about Entra ID and were not found in a text that could be read.
 */
const MEANINGS: Readonly<Record<string, Verdict>> = {
  // Not consented (any more).
  '65001': 'withdrawn',
  // An administrator has to approve; conditional access; the user is not assigned to the app, or blocked; the app is switched off in the tenant.
  '90094': 'admin_blocked',
  '53003': 'admin_blocked',
  '50105': 'admin_blocked',
  '50057': 'admin_blocked',
  '7000112': 'admin_blocked',
  // Too old or unused.
  '70008': 'expired',
  '700082': 'expired',
  // The organisation wants a second factor: a new sign-in brings it.
  '50076': 'expired',
  '50079': 'expired',
  // The password was changed or reset, or the sessions were revoked.
  '50173': 'withdrawn',
  '50034': 'account_gone',
  // A wrong secret, an expired one, and a resource that does not exist in this cloud.
  '7000215': 'our_credentials',
  '7000222': 'our_credentials',
  '500011': 'our_credentials',
};
/** The app is not known in the tenant. */
const APP_UNKNOWN = '700016';
/** Refresh tokens of a web app live 90 days. */
const IDLE_LIFE_MS = 90 * DAY;

export interface TeamsOAuthOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tenant: string;
  readonly loginUrl: string;
  readonly graph: Graph;
  readonly now: () => Date;
}

/** Without `revoke`: Entra v2 has no revocation endpoint. A grant ends when its tokens are forgotten or the user removes the app. */
export function createTeamsOAuth({ clientId, clientSecret, tenant, loginUrl, graph, now }: TeamsOAuthOptions): OAuth {
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
    now,
    endOf: ({ error, description, body }) => {
      const numbers = entraNumbers(description, body);
      // In an app for many tenants one administrator's removal says the same as a wrong client id of ours: no alarm for everybody, and no
      // sudden end either.
      if (numbers.includes(APP_UNKNOWN)) return severalTenants ? 'undecided' : 'our_credentials';
      const told = numbers.map((number) => MEANINGS[number]).find((meaning) => meaning !== undefined);
      return told ?? (DEAD_ERRORS.has(error) ? 'expired' : undefined);
    },
  });

  return {
    idleLifeMs: IDLE_LIFE_MS,
    scopes: { links: LINKS, recordings: RECORDINGS, linkWays: LINK_WAYS },
    scopesBy: 'request',
    isIssuer: (iss) => (severalTenants ? iss.startsWith(`${login}/`) && TENANT_ISSUER.test(iss.slice(login.length)) : iss === issuer),
    authorizationUrl: ({ recordings, ...request }) =>
      client.authorizationUrl({
        ...request,
        scopes: recordings ? SECOND_STEP : LINKS,
        // Without it Entra silently takes the account of the browser's session, which may be another one than the professional means.
        extra: { prompt: 'select_account' },
      }),
    exchange: async (request) => withPlainScopes(await client.exchange(request)),
    // No scope is sent: one that differs from what was consented is answered with AADSTS65001.
    refresh: async (refreshToken) => withPlainScopes(await client.refresh(refreshToken)),
    profile: (grant) => readProfile(graph, { caller: callerOf(grant), path: '/me', organisation: tenantOf(grant) }),
    readAgain: (account) => readProfile(graph, { caller: account, path: organizerPath(account), organisation: account.organisation }),
    adminConsentUrl: ({ state, redirectUri, organisation, recordings }) => {
      // `common` and `consumers` are refused here: there is no administrator of personal accounts.
      const url = new URL(`${login}/${severalTenants ? (organisation ?? 'organizations') : tenant}/v2.0/adminconsent`);
      url.searchParams.set('client_id', clientId);
      // Named one by one: `.default` would ask for everything that the app is registered with, the operator's own accounts included.
      url.searchParams.set('scope', (recordings ? SECOND_STEP : LINKS).map(withResource).join(' '));
      url.searchParams.set('redirect_uri', redirectUri);
      url.searchParams.set('state', state);
      return url;
    },
  };
}

const withResource = (scope: string): string => (PROTOCOL_SCOPES.has(scope) ? scope : `https://graph.microsoft.com/${scope}`);

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
