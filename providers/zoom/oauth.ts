import { createOAuthClient } from '../oauth.ts';
import type { Grant, OAuth } from '../provider.ts';
import type { ZoomOptions } from './options.ts';
import { readProfile } from './profile.ts';
import { LINK_SCOPES, RECORDING_SCOPES, withGranularNames } from './scopes.ts';

/** Codes that Zoom gives beside another `error`: owner gone, disabled by an admin, tolerance exceeded, revoked by a newer authorization. */
const DEAD_CODES = /\b(4735|4738|4740|4741)\b/;

export function zoomOAuth(options: ZoomOptions): OAuth {
  const { oauthUrl, clientId, clientSecret } = options;
  const client = createOAuthClient({
    server: {
      issuer: oauthUrl,
      authorization_endpoint: `${oauthUrl}/oauth/authorize`,
      token_endpoint: `${oauthUrl}/oauth/token`,
      revocation_endpoint: `${oauthUrl}/oauth/revoke`,
    },
    clientId,
    clientSecret,
    secretIn: 'basic',
    deadGrant: ({ error, body }) =>
      error === 'invalid_grant' ||
      (error !== 'invalid_client' && [body['code'], body['reason']].some((told) => DEAD_CODES.test(JSON.stringify(told) ?? ''))),
  });
  const named = (grant: Grant): Grant => ({ ...grant, scopes: withGranularNames(grant.scopes) });

  return {
    scopes: { links: LINK_SCOPES, recordings: RECORDING_SCOPES },
    // `scope` is no documented parameter: the scopes live in the app's configuration at Zoom, `recordings` changes nothing.
    authorizationUrl: ({ state, codeChallenge, redirectUri }) => client.authorizationUrl({ state, codeChallenge, redirectUri, scopes: [] }),
    exchange: async (request) => named(await client.exchange(request)),
    refresh: async (refreshToken) => named(await client.refresh(refreshToken)),
    // Revoking the access token kills the refresh token with it.
    revoke: ({ accessToken }) => client.revoke(accessToken),
    profile: (grant) => readProfile(options, grant.accessToken),
  };
}
