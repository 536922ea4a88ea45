import { createOAuthClient, type Verdict } from '../oauth.ts';
import { DAY } from '../../src/domain/time.ts';
import type { Grant, OAuth } from '../provider.ts';
import type { ZoomOptions } from './options.ts';
import { readProfile } from './profile.ts';
import { LINK_SCOPES, LINK_WAYS, RECORDING_SCOPES, withGranularNames } from './scopes.ts';

/** Zoom's own numbers, beside whatever `error`: https://developers.zoom.us/docs/integrations/oauth/ */
const MEANINGS: Readonly<Record<string, Verdict>> = {
  '4700': 'permission_missing',
  // Wrong client id or secret, and an app that Zoom has switched off.
  '4702': 'our_credentials',
  '4704': 'our_credentials',
  '4717': 'our_credentials',
  '4711': 'permission_missing',
  '4735': 'account_gone',
  '4737': 'withdrawn',
  '4738': 'admin_blocked',
  '4740': 'expired',
  '4741': 'replaced',
};
const NUMBERS = /\b(47\d\d)\b/;
/** Refresh tokens live 90 days. */
const IDLE_LIFE_MS = 90 * DAY;

export function zoomOAuth(options: ZoomOptions): OAuth {
  const { clientId, clientSecret, now } = options;
  const client = createOAuthClient({
    server: zoomServer(options),
    clientId,
    clientSecret,
    secretIn: 'basic',
    now,
    endOf: ({ error, body }) => {
      const number = [body['code'], body['reason']].map((told) => NUMBERS.exec(JSON.stringify(told) ?? '')?.[1]).find((found) => found);
      return (number === undefined ? undefined : MEANINGS[number]) ?? (error === 'invalid_grant' ? 'expired' : undefined);
    },
  });
  const named = (grant: Grant): Grant => ({ ...grant, scopes: withGranularNames(grant.scopes) });

  return {
    idleLifeMs: IDLE_LIFE_MS,
    scopes: { links: LINK_SCOPES, recordings: RECORDING_SCOPES, linkWays: LINK_WAYS },
    scopesBy: 'registration',
    isIssuer: (iss) => iss === options.oauthUrl,
    // `scope` is no documented parameter: the scopes live in the app's configuration at Zoom, `recordings` changes nothing.
    authorizationUrl: ({ state, codeChallenge, redirectUri }) => client.authorizationUrl({ state, codeChallenge, redirectUri, scopes: [] }),
    exchange: async (request) => named(await client.exchange(request)),
    refresh: async (refreshToken) => named(await client.refresh(refreshToken)),
    // Revoking the access token kills the refresh token with it.
    revoke: ({ accessToken }) => client.revoke(accessToken),
    profile: (grant) => readProfile(options, grant.accessToken),
    readAgain: async (account) => readProfile(options, await account.accessToken()),
  };
}

export const zoomServer = ({ oauthUrl }: Pick<ZoomOptions, 'oauthUrl'>) => ({
  issuer: oauthUrl,
  authorization_endpoint: `${oauthUrl}/oauth/authorize`,
  token_endpoint: `${oauthUrl}/oauth/token`,
  revocation_endpoint: `${oauthUrl}/oauth/revoke`,
});
