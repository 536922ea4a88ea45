/** Who calls: a marketplace, by its API key. */
import type { MiddlewareHandler } from 'hono';
import { Failure } from '../domain/failure.ts';
import { MINUTE, SECOND } from '../domain/time.ts';
import { hashToken } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import { findMarketplaceByKey, type Marketplace } from '../store/marketplaces.ts';

export interface ApiEnv {
  Variables: { marketplace: Marketplace; keyId: string; requestId: string; idempotencyKey: string | undefined };
}

/** Requests per key and minute. Chosen: far above any marketplace's need, far below what one process can take. */
const REQUESTS_PER_MINUTE = 6_000;

export function authenticate({ db, now }: Gateway): MiddlewareHandler<ApiEnv> {
  const windows = new Map<string, { startedAt: number; used: number }>();
  return async (c, next) => {
    const [, key] = /^Bearer ([A-Za-z0-9_-]{20,200})$/.exec(c.req.header('authorization') ?? '') ?? [];
    const found = key === undefined ? undefined : await findMarketplaceByKey(db.read, hashToken(key));
    // Unknown, revoked and malformed keys get the same answer.
    if (found === undefined) throw new Failure('unauthenticated', 'Send a valid API key as "Authorization: Bearer <key>".');

    const at = now().getTime();
    let window = windows.get(found.keyId);
    if (window === undefined || at - window.startedAt >= MINUTE || at < window.startedAt) {
      window = { startedAt: at, used: 0 };
      windows.set(found.keyId, window);
    }
    window.used += 1;
    const resetSeconds = Math.ceil((window.startedAt + MINUTE - at) / SECOND);
    // Answers carry links.
    c.header('Cache-Control', 'no-store');
    c.header('RateLimit-Policy', `"key";q=${REQUESTS_PER_MINUTE};w=60`);
    c.header('RateLimit', `"key";r=${Math.max(0, REQUESTS_PER_MINUTE - window.used)};t=${resetSeconds}`);
    if (window.used > REQUESTS_PER_MINUTE)
      throw new Failure('rate_limited', 'This key has made too many requests.', { retryAfterMs: resetSeconds * SECOND });

    c.set('marketplace', found.marketplace);
    c.set('keyId', found.keyId);
    await next();
  };
}
