/** The proof that Pub/Sub pushed on our behalf: an OIDC token of our own service account. */
import { createHash } from 'node:crypto';
import { jwtVerify } from 'jose';
import { HOUR, SECOND } from '../../src/domain/time.ts';
import { createKeys } from '../keys.ts';
import { ISSUERS } from './oauth.ts';
import type { GoogleMeetOptions } from './options.ts';

/** Chosen: how far Google's clock may be from ours. */
const CLOCK_TOLERANCE_MS = 30 * SECOND;
/** Documented life of a push token. */
const TOKEN_LIFE_MS = HOUR;
/** Chosen: one push subscription uses a few tokens in an hour. */
const MAX_REMEMBERED = 100;
/** Chosen: Google's tokens have about 1 KB. */
const MAX_TOKEN_LENGTH = 8_192;

/** False for anything that is not a valid token of ours; never why. */
export type VerifyPush = (authorization: string | undefined, now: Date) => Promise<boolean>;

export function createVerifyPush({ jwksUrl, pushAudience, pushServiceAccount, now: clock }: GoogleMeetOptions): VerifyPush {
  if (pushAudience === undefined || pushServiceAccount === undefined) return () => Promise.resolve(false);
  const keys = createKeys(jwksUrl, clock);
  /** Digest of a proven token -> when it expires. Pub/Sub sends one token with many messages for up to an hour. */
  const proven = new Map<string, number>();

  const expiryOf = async (token: string, now: Date): Promise<number | undefined> => {
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ['RS256'],
        issuer: [...ISSUERS],
        audience: pushAudience,
        currentDate: now,
        clockTolerance: CLOCK_TOLERANCE_MS / SECOND,
        maxTokenAge: TOKEN_LIFE_MS / SECOND,
        requiredClaims: ['exp'],
      });
      // Any service account of anybody can get a token for our audience: the e-mail is what makes it ours.
      const ours = payload.aud === pushAudience && payload['email'] === pushServiceAccount && payload['email_verified'] === true;
      return ours && payload.exp !== undefined ? payload.exp * SECOND : undefined;
    } catch {
      return undefined;
    }
  };

  return async (authorization, now) => {
    const token = authorization === undefined || authorization.length > MAX_TOKEN_LENGTH ? undefined : bearerToken(authorization);
    if (token === undefined) return false;
    const digest = createHash('sha256').update(token).digest('base64url');
    const known = proven.get(digest);
    if (known !== undefined && now.getTime() < known + CLOCK_TOLERANCE_MS) return true;
    proven.delete(digest);
    const expiry = await expiryOf(token, now);
    if (expiry === undefined) return false;
    const oldest = proven.size >= MAX_REMEMBERED ? proven.keys().next().value : undefined;
    if (oldest !== undefined) proven.delete(oldest);
    proven.set(digest, expiry);
    return true;
  };
}

/** Two headers arrive joined by a comma and fit no token. */
const bearerToken = (authorization: string): string | undefined => /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization)?.[1];
