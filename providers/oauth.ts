/** OAuth 2.0 with PKCE for all three vendors, over `oauth4webapi` with issuer metadata given by us, so that every endpoint can be moved. */
import * as oauth from 'oauth4webapi';
import { Failure } from '../src/domain/failure.ts';
import { MINUTE, SECOND } from '../src/domain/time.ts';
import { retryAfterMs } from './call.ts';
import type { Grant, GrantEnd } from './provider.ts';

export interface OAuthClientOptions {
  /** `authorization_endpoint`, `token_endpoint`, optionally `revocation_endpoint` and `jwks_uri`. */
  readonly server: oauth.AuthorizationServer;
  readonly clientId: string;
  readonly clientSecret: string;
  /** How the vendor wants the secret: in the Authorization header or in the form. */
  readonly secretIn: 'basic' | 'post';
  /** For a vendor whose id tokens name another issuer than `server.issuer` (Entra's tenants): the expected one, by the token's claims. */
  readonly issuerOf?: (claims: Readonly<Record<string, unknown>>) => string;
  /** What the vendor's own words in a refusing answer of the token endpoint mean; undefined where RFC 6749's error says enough. */
  readonly endOf: (error: TokenError) => Verdict | undefined;
  readonly now: () => Date;
}

/**
 * - a `GrantEnd`: this grant is over, and why: the professional has to be asked again.
 * - `our_credentials`: the refusal is about the gateway's own app, and the same for every grant.
 * - `undecided`: this grant cannot be renewed now, but nothing says that it is over. It is tried again, and given up after days.
 */
export type Verdict = GrantEnd | 'our_credentials' | 'undecided';

/** A refusing answer of a token endpoint (RFC 6749, 5.2), with the vendor's own members. */
export interface TokenError {
  readonly error: string;
  readonly description: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface OAuthClient {
  authorizationUrl(request: {
    state: string;
    codeChallenge: string;
    redirectUri: string;
    scopes: readonly string[];
    extra?: Readonly<Record<string, string>>;
  }): URL;
  exchange(request: { code: string; codeVerifier: string; redirectUri: string }): Promise<Grant>;
  refresh(refreshToken: string, scopes?: readonly string[]): Promise<Grant>;
  /** A grant that rests on our own credentials alone. */
  ownGrant(grantType: string, parameters: Readonly<Record<string, string>>): Promise<Grant>;
  revoke(token: string): Promise<void>;
}

/** Errors that pass: RFC 6749 has them for the authorization endpoint, vendors send them from the token endpoint too. */
const PASSING = new Set(['temporarily_unavailable', 'server_error', 'slow_down']);
/** Ends that a page can explain when they show while a code is redeemed; the others are about the code, which is of no use to anybody else. */
const TOLD_OF_CODES: ReadonlySet<Verdict> = new Set<Verdict>(['admin_blocked', 'permission_missing', 'account_gone']);
/** A year; chosen. */
const REFRESH_CLOCK_TOLERANCE_SECONDS = 365 * 24 * 3_600;

// Not in the declarations of oauth4webapi, but its supported seam for Entra's multi-tenant issuer; a test fails when it goes away.
const { _expectedIssuer } = oauth as unknown as { readonly _expectedIssuer: symbol };

export function createOAuthClient({
  server: given,
  clientId,
  clientSecret,
  secretIn,
  issuerOf,
  endOf,
  now,
}: OAuthClientOptions): OAuthClient {
  const server: oauth.AuthorizationServer =
    issuerOf === undefined
      ? given
      : { ...given, [_expectedIssuer]: ({ claims }: { claims: Readonly<Record<string, unknown>> }) => issuerOf(claims) };
  const client: oauth.Client = { client_id: clientId };
  // A refresh says nothing new about who signed in: a machine's clock that is off must not end a grant that the vendor has just renewed.
  const patientClient: oauth.Client = { ...client, [oauth.clockTolerance]: REFRESH_CLOCK_TOLERANCE_SECONDS };
  const authentication = secretIn === 'basic' ? plainBasic(clientSecret) : oauth.ClientSecretPost(clientSecret);
  const options = {
    // Plain http is for the sandbox on loopback; `config.ts` refuses it for any other host.
    [oauth.allowInsecureRequests]: true,
    // The global is looked up per call, so that a test can intercept it.
    [oauth.customFetch]: (url: string, init: RequestInit) => fetch(url, { ...init, signal: AbortSignal.timeout(15 * SECOND) }),
  };

  const credentialsRejected = (cause: unknown): Failure =>
    new Failure('credentials_rejected', "The vendor does not accept the gateway's own credentials.", { cause });

  const named = (error: unknown, refreshing: boolean): Failure => {
    if (error instanceof Failure) return error;
    const answer = answerOf(error);
    const wait = answer && retryAfterMs(answer.headers, now());
    if (answer?.status === 429)
      return new Failure('vendor_quota', "The vendor's token endpoint asked to slow down.", { cause: error, retryAfterMs: wait ?? MINUTE });
    if (error instanceof oauth.WWWAuthenticateChallengeError) {
      // RFC 6749, 5.2: a challenge at the token endpoint is about our own credentials, never about the professional's grant.
      return credentialsRejected(error);
    }
    if (error instanceof oauth.ResponseBodyError) {
      if (PASSING.has(error.error)) {
        return new Failure('vendor_unavailable', "The vendor's token endpoint has a passing trouble.", { cause: error });
      }
      const told = endOf({ error: error.error, description: error.error_description ?? '', body: error.cause });
      const aboutClient = error.error === 'invalid_client' || error.error === 'unauthorized_client';
      if (told === 'our_credentials' || (told === undefined && aboutClient)) return credentialsRejected(error);
      if (refreshing && told !== undefined && told !== 'undecided') {
        return new Failure('reconnect_required', 'The vendor says that the permission is no longer valid.', {
          cause: error,
          extra: { reason: told },
        });
      }
      return new Failure('vendor_refused', `The vendor refused the ${refreshing ? 'refresh' : 'authorization code'}: ${error.error}.`, {
        cause: error,
        extra: { vendor_code: error.error, ...(told !== undefined && TOLD_OF_CODES.has(told) ? { reason: told } : {}) },
      });
    }
    if (error instanceof oauth.OperationProcessingError) {
      return answer !== undefined && answer.status >= 500
        ? new Failure('vendor_unavailable', `The vendor's token endpoint answered ${answer.status}.`, { cause: error, retryAfterMs: wait })
        : new Failure('vendor_nonsense', 'The token endpoint answered something unexpected.', { cause: error });
    }
    return new Failure('vendor_unavailable', "The vendor's token endpoint did not answer.", { cause: error });
  };

  const grantOf = (answer: oauth.TokenEndpointResponse, requested: readonly string[]): Grant => ({
    accessToken: answer.access_token,
    refreshToken: answer.refresh_token ?? null,
    // Every vendor documents one hour; absent means "not told".
    expiresInMs: (answer.expires_in ?? 3_600) * SECOND,
    scopes: answer.scope === undefined ? requested : answer.scope.split(' ').filter(Boolean),
    claims: oauth.getValidatedIdTokenClaims(answer) ?? {},
  });

  return {
    authorizationUrl({ state, codeChallenge, redirectUri, scopes, extra = {} }) {
      const url = new URL(server.authorization_endpoint!);
      const parameters = {
        response_type: 'code',
        client_id: clientId,
        redirect_uri: redirectUri,
        state,
        code_challenge: codeChallenge,
        code_challenge_method: 'S256',
        ...(scopes.length > 0 ? { scope: scopes.join(' ') } : {}),
        ...extra,
      };
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      return url;
    },

    async exchange({ code, codeVerifier, redirectUri }) {
      try {
        // The state has been checked by the caller, against its own store; oauth4webapi only wants to see the answer's parameters.
        const parameters = oauth.validateAuthResponse(server, client, new URLSearchParams({ code }), oauth.skipStateCheck);
        const response = await oauth.authorizationCodeGrantRequest(
          server,
          client,
          authentication,
          parameters,
          redirectUri,
          codeVerifier,
          options,
        );
        return grantOf(await oauth.processAuthorizationCodeResponse(server, client, response), []);
      } catch (error) {
        throw named(error, false);
      }
    },

    async refresh(refreshToken, scopes = []) {
      try {
        const response = await oauth.refreshTokenGrantRequest(server, client, authentication, refreshToken, {
          ...options,
          ...(scopes.length > 0 ? { additionalParameters: { scope: scopes.join(' ') } } : {}),
        });
        return grantOf(await oauth.processRefreshTokenResponse(server, patientClient, response), scopes);
      } catch (error) {
        throw named(error, true);
      }
    },

    async ownGrant(grantType, parameters) {
      try {
        const response = await oauth.genericTokenEndpointRequest(server, client, authentication, grantType, { ...parameters }, options);
        return grantOf(await oauth.processGenericTokenEndpointResponse(server, client, response), []);
      } catch (error) {
        const failure = named(error, false);
        // Whatever is wrong with it, it is ours: nobody else has given anything.
        throw failure.code === 'vendor_refused' ? credentialsRejected(failure) : failure;
      }
    },

    async revoke(token) {
      try {
        const response = await oauth.revocationRequest(server, client, authentication, token, options);
        // An unknown or dead token counts as revoked (RFC 7009, 2.2); Zoom and Google answer 400 for it.
        if (response.status === 400) return;
        await oauth.processRevocationResponse(response);
      } catch (error) {
        throw named(error, false);
      }
    },
  };
}

/** The answer behind an error of oauth4webapi, where there was one. */
function answerOf(error: unknown): Response | undefined {
  if (error instanceof oauth.ResponseBodyError || error instanceof oauth.WWWAuthenticateChallengeError) return error.response;
  return error instanceof oauth.OperationProcessingError && error.cause instanceof Response ? error.cause : undefined;
}

/** Zoom documents `base64(id:secret)` and does not mention that RFC 6749 would have both form-encoded first, down to `-` and `_`. */
const plainBasic =
  (clientSecret: string): oauth.ClientAuth =>
  (_server, client, _body, headers) => {
    headers.set('authorization', `Basic ${Buffer.from(`${client.client_id}:${clientSecret}`).toString('base64')}`);
  };
