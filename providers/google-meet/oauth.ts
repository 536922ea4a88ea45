/** Google's OAuth: offline access, every scope on a tick box of its own, refresh tokens that are never rotated. */
import { z } from 'zod';
import { Failure } from '../../src/domain/failure.ts';
import { createOAuthClient, type TokenError, type Verdict } from '../oauth.ts';
import { DAY } from '../../src/domain/time.ts';
import type { OAuth } from '../provider.ts';
import type { GoogleMeetOptions } from './options.ts';
import { LINK_SCOPES, LINK_WAYS, RECORDING_SCOPES } from './scopes.ts';

/** An unused refresh token ends after six months; taken a little shorter than the shortest half year. */
const IDLE_LIFE_MS = 180 * DAY;
const ISSUER = 'https://accounts.google.com';
/** Both spellings are in use: google-auth-library accepts either. */
export const ISSUERS: readonly string[] = [ISSUER, 'accounts.google.com'];

// `hd` is there for accounts of an organisation only, Google's OpenID Connect documentation says.
const idToken = z.object({ sub: z.string().min(1), email: z.string().optional(), hd: z.string().min(1).optional() });

export function createGoogleOAuth({ clientId, clientSecret, authUrl, tokenUrl, now }: GoogleMeetOptions): OAuth {
  const client = createOAuthClient({
    server: {
      issuer: ISSUER,
      authorization_endpoint: `${authUrl}/o/oauth2/v2/auth`,
      token_endpoint: `${tokenUrl}/token`,
      revocation_endpoint: `${tokenUrl}/revoke`,
    },
    issuerOf: ({ iss }) => ISSUERS.find((issuer) => issuer === iss) ?? ISSUER,
    clientId,
    clientSecret,
    secretIn: 'post',
    now,
    endOf,
  });

  return {
    idleLifeMs: IDLE_LIFE_MS,
    scopes: { links: LINK_SCOPES, recordings: RECORDING_SCOPES, linkWays: LINK_WAYS },
    scopesBy: 'request',
    isIssuer: (iss) => ISSUERS.includes(iss),

    authorizationUrl: ({ recordings, ...request }) =>
      client.authorizationUrl({
        ...request,
        scopes: recordings ? [...LINK_SCOPES, ...RECORDING_SCOPES] : LINK_SCOPES,
        // A refresh token comes only with offline access, and only when the consent screen was shown.
        extra: { access_type: 'offline', prompt: 'consent', include_granted_scopes: 'true' },
      }),

    exchange: (request) => client.exchange(request),

    refresh: (refreshToken) => client.refresh(refreshToken),

    // Either token takes the whole grant with it; the form body keeps it out of access logs, where a query would show it.
    revoke: ({ accessToken, refreshToken }) => client.revoke(refreshToken ?? accessToken),

    async profile({ claims }) {
      const parsed = idToken.safeParse(claims);
      if (!parsed.success) throw new Failure('vendor_nonsense', 'Google did not say who the account is.', { cause: parsed.error });
      const { sub, email, hd } = parsed.data;
      return {
        id: sub,
        email: email ?? null,
        organisation: hd ?? null,
        // No API tells the edition. `hd` decides nothing either way: Business Starter has it and may not record,
        // Google One with 2 TB has none and runs 24 hours.
        plan: 'unknown',
        createsMeetings: true,
        cloudRecording: 'unknown',
      };
    },

    // There is nothing to ask: what an id token says of the account does not change with its plan.
    readAgain: ({ id, email, organisation, plan, createsMeetings, cloudRecording }) =>
      Promise.resolve({ id, email, organisation, plan, createsMeetings, cloudRecording }),
  };
}

/**
 * Documented is `invalid_grant` alone, with one sentence for "expired or revoked". The rest is from reports: an administrator's block, an
 * organisation that wants its users to sign in anew (`invalid_rapt`), a deleted account, and an app that the operator has deleted.
 */
function endOf({ error, description, body }: TokenError): Verdict | undefined {
  switch (error) {
    case 'admin_policy_enforced':
    case 'access_denied':
      return 'admin_blocked';
    case 'deleted_client':
    case 'disabled_client':
    case 'org_internal':
      return 'our_credentials';
    case 'invalid_grant':
      if (body['error_subtype'] === 'invalid_rapt') return 'expired';
      if (/account.*deleted/i.test(description)) return 'account_gone';
      return /^bad request$/i.test(description) ? 'unknown' : 'withdrawn';
    default:
      return undefined;
  }
}
