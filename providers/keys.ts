/** A vendor's signing keys: kept, refreshed by age and for an unknown key, and never more often than the cool-down allows. */
import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';
import { HOUR, SECOND } from '../src/domain/time.ts';

/** Chosen: how long a key that the vendor has withdrawn may still be accepted. */
const MAX_AGE_MS = HOUR;
/** Chosen: strangers can cause one request to the vendor in this time, whatever they send. */
const COOL_DOWN_MS = 30 * SECOND;

export function createKeys(url: string, now: () => Date): JWTVerifyGetKey {
  // Told to keep what it has for ever: when to fetch is decided here, by our clock, and failed attempts count too.
  const remote = createRemoteJWKSet(new URL(url), { cacheMaxAge: Infinity, cooldownDuration: Infinity });
  let fetchedAt = -Infinity;
  let triedAt = -Infinity;
  let pending: Promise<boolean> | undefined;

  const fetchKeys = async (): Promise<boolean> => {
    triedAt = now().getTime();
    try {
      await remote.reload();
      fetchedAt = triedAt;
      return true;
    } catch {
      // The endpoint is down; the keys that we have still prove what they prove.
      return false;
    }
  };
  /** True when there are newer keys than before. */
  const refresh = (): Promise<boolean> => {
    if (pending !== undefined) return pending;
    if (now().getTime() - triedAt < COOL_DOWN_MS) return Promise.resolve(false);
    pending = fetchKeys().finally(() => {
      pending = undefined;
    });
    return pending;
  };

  return async (header, token) => {
    if (now().getTime() - fetchedAt >= MAX_AGE_MS) await refresh();
    if (remote.jwks() === undefined) throw new Error('There are no keys of the vendor yet.');
    try {
      return await remote(header, token);
    } catch (error) {
      if (await refresh()) return remote(header, token);
      throw error;
    }
  };
}
