/**
 * Tokens by domain-wide delegation: a service account signs an assertion "for this user of the domain" (RFC 7523), and Google gives an
 * access token that acts as the user. There is no refresh token; the next one is asked for in the same way.
 * Written here because google-auth-library asks one fixed address only, so that the sandbox could not be reached.
 */
import { createPrivateKey } from 'node:crypto';
import { SignJWT } from 'jose';
import { z } from 'zod';
import { Failure } from '../../src/domain/failure.ts';
import { HOUR, SECOND } from '../../src/domain/time.ts';
import { call, parseAnswer, type Answer } from '../call.ts';
import type { Grant } from '../provider.ts';
import type { GoogleMeetOptions } from './options.ts';

export type ServiceAccount = NonNullable<GoogleMeetOptions['platform']>;

/** The longest that Google accepts. */
const ASSERTION_LIFE_MS = HOUR;

const tokenAnswer = z.object({
  access_token: z.string().min(1),
  expires_in: z
    .number()
    .positive()
    .default(HOUR / SECOND),
  scope: z.string().optional(),
});
const errorAnswer = z.object({ error: z.string(), error_description: z.string().catch('') });

/** Reported words for an address that the domain does not have; Google documents none. */
const UNKNOWN_USER = /email or user id|account not found|user not found/i;

/**
 * A token that acts as `user`, for all of the scopes or not at all.
 * @throws Failure `not_found` when the domain has no such user, `credentials_rejected` when the key or the delegation is refused,
 * `vendor_unavailable`, `vendor_quota`
 */
export async function askToken(
  account: ServiceAccount,
  { user, scopes, now }: { user: string; scopes: readonly string[]; now: () => Date },
): Promise<Grant> {
  const answer = await call({
    method: 'POST',
    url: account.tokenUrl,
    form: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: await signAssertion(account, { user, scopes, now: now() }),
    }),
    repeatable: true,
    refused: (refused) => refusal(account, user, refused),
    now,
  });
  const token = parseAnswer(tokenAnswer, answer, 'ask for a token of the service account');
  return {
    accessToken: token.access_token,
    refreshToken: null,
    expiresInMs: token.expires_in * SECOND,
    scopes: token.scope?.split(' ').filter(Boolean) ?? scopes,
    claims: {},
  };
}

function signAssertion(
  { clientEmail, privateKey, tokenUrl }: ServiceAccount,
  { user, scopes, now }: { user: string; scopes: readonly string[]; now: Date },
): Promise<string> {
  const issuedAt = Math.floor(now.getTime() / SECOND);
  return new SignJWT({ scope: scopes.join(' ') })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
    .setIssuer(clientEmail)
    .setSubject(user)
    .setAudience(tokenUrl)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + ASSERTION_LIFE_MS / SECOND)
    .sign(createPrivateKey(privateKey));
}

/** Undefined where the common rules fit: 408, 429, 5xx. */
function refusal({ clientEmail, clientId }: ServiceAccount, user: string, answer: Answer): Failure | undefined {
  if (answer.status === 408 || answer.status === 429 || answer.status >= 500) return undefined;
  const { error, error_description: words } = errorAnswer.safeParse(answer.json).data ?? {
    error: String(answer.status),
    error_description: '',
  };
  const more = { cause: new Error(`HTTP ${answer.status}: ${error}: ${words.slice(0, 500)}`), extra: { vendor_code: error } };
  if (error === 'invalid_grant' && UNKNOWN_USER.test(words)) {
    return new Failure('not_found', `The domain of the service account has no user ${user}.`, more);
  }
  if (error === 'unauthorized_client' || error === 'access_denied') {
    return new Failure(
      'credentials_rejected',
      `Google does not let the service account ${clientEmail} act for users of the domain. In the Admin console, under Security, ` +
        `Access and data control, API controls, Domain-wide delegation, its client id${clientId === undefined ? '' : ` ${clientId}`} needs ` +
        'every scope of docs/vendors/google-meet.md.',
      more,
    );
  }
  // A key that was deleted, a clock that is wrong, a scope that does not exist: nobody but the operator can cure it.
  return new Failure('credentials_rejected', `Google refuses the key of the service account ${clientEmail}: ${error}.`, more);
}
