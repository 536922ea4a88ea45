/**
 * Access tokens that are renewed once, however many callers in however many processes need them: the lease is a column of the grant's row.
 * What the one who has the lease does is in `refresh.ts`.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { Failure, isFailure } from '../domain/failure.ts';
import { MINUTE, plus, SECOND } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { claimRepeat, findAlarm, type Alarm } from '../store/alarms.ts';
import { findGrant, leaseRefresh, releaseRefresh, type Grant, type LeasedGrant } from '../store/grants.ts';
import { endGrant } from './health.ts';
import { credentialsAlarm, credentialsRejected, CREDENTIALS_PAUSE_MS, refresh } from './refresh.ts';
import { openTokens, reconnectRequired, type Tokens } from './tokens.ts';
import { spreadOf } from './upkeep.ts';

export interface Need {
  /** A token that the vendor has just refused. */
  readonly rejected?: string | undefined;
  /** How long the token has to live at least. */
  readonly livesMs?: number;
}

/** A token is renewed 5 to 15 minutes before its end, each grant at a moment of its own, so that what began together does not end together. */
const EARLY_MS = 5 * MINUTE;
const EARLY_SPREAD_MS = 10 * MINUTE;
/** Nor is it renewed before three quarters of its life, however short the vendor makes it. */
const EARLY_SHARE = 4;
/** Below this a token is not handed out any more: a request takes its time, and clocks differ. */
const LAST_MS = 30 * SECOND;
/** Longer than the timeout of the token endpoint, 15 s, so that a lease ends only with a process that died or stood still. */
const REFRESH_LEASE_MS = 20 * SECOND;
/** How often those who wait look, at first and after a while. */
const POLL_MS = 50;
const LONGEST_POLL_MS = 400;
/** Real time: a little longer than a lease, so that somebody takes over from a process that died. */
const PATIENCE_MS = REFRESH_LEASE_MS + 5 * SECOND;
/** A vendor that refuses a token which it has just given is not asked for another one at once. */
const REJECTED_AGAIN_MS = 30 * SECOND;

/**
 * A valid access token of the grant.
 * @throws Failure `reconnect_required`, `credentials_rejected`, `not_configured`, or `vendor_unavailable` with the time to try again
 */
export async function accessTokenOf(gateway: Gateway, grantId: string, { rejected, livesMs = 0 }: Need = {}): Promise<string> {
  const { db, now } = gateway;
  let pollMs = POLL_MS;
  for (let waitedMs = 0; waitedMs <= PATIENCE_MS; waitedMs += pollMs) {
    const grant = await findGrant(db.read, grantId);
    if (grant === undefined || (grant.tokensSealed === null && grant.kind === 'user')) throw reconnectRequired();
    const tokens = await readableTokens(gateway, grant);
    const at = now();
    const refused = tokens !== undefined && tokens.accessToken === rejected;
    const leftMs = grant.accessExpiresAt === null ? 0 : grant.accessExpiresAt.getTime() - at.getTime();
    const usable = tokens !== undefined && !refused && leftMs > LAST_MS ? tokens.accessToken : undefined;
    if (usable !== undefined && leftMs > Math.max(earlyMs(grant), livesMs)) return usable;

    const lease = await takeLease(gateway, grant, { at, refused });
    if (lease === undefined || lease instanceof Failure) {
      // Somebody else is at it, or nobody may be. Who has a usable token does not wait.
      if (usable !== undefined) return usable;
      if (lease !== undefined) throw lease;
      await wait(pollMs);
      pollMs = Math.min(2 * pollMs, LONGEST_POLL_MS);
      continue;
    }
    try {
      const renewed = await refresh(gateway, lease, tokens);
      if (renewed !== undefined) return renewed;
    } catch (error) {
      // Renewed early: the old token still does.
      if (usable !== undefined && !isFailure(error, 'reconnect_required')) return usable;
      throw error;
    }
  }
  throw new Failure('vendor_unavailable', 'The access could not be renewed in time.', { retryAfterMs: SECOND });
}

/** The right to refresh; undefined while somebody else has it, and why nobody may have it. */
async function takeLease(
  { db }: Gateway,
  grant: Grant,
  { at, refused }: { at: Date; refused: boolean },
): Promise<LeasedGrant | Failure | undefined> {
  // Those who wait only read: a write for each of them would hold up the one they wait for.
  if (grant.refreshLeasedUntil !== null && grant.refreshLeasedUntil >= at) return undefined;
  const alarm = await findAlarm(db.read, credentialsAlarm(grant));
  const pause = pauseOf(grant, { at, refused, alarm });
  if (pause !== undefined) return pause;
  const { id, tokenVersion } = grant;
  const refreshLeasedUntil = plus(at, REFRESH_LEASE_MS);
  const lease = { ...grant, refreshLeasedUntil };
  const leased = await db.write(async (tx) => {
    if (!(await leaseRefresh(tx, { id, tokenVersion, now: at, until: refreshLeasedUntil }))) return false;
    // Claimed after the lease: the one try of many seconds must not be spent by somebody who may not make it.
    if (alarm === undefined || (await claimRepeat(tx, alarm, at))) return true;
    await releaseRefresh(tx, lease, { retryAt: grant.retryAt });
    return false;
  });
  return leased ? lease : undefined;
}

/** What was damaged can only be given anew: by the professional, or with the operator's credentials. @throws Failure `key_unavailable` */
async function readableTokens(gateway: Gateway, grant: Grant): Promise<Tokens | undefined> {
  try {
    return openTokens(gateway, grant);
  } catch (error) {
    if (!isFailure(error, 'sealed_damaged')) throw error;
    gateway.log.error({ err: error, grant: grant.id }, 'the tokens of a grant are damaged');
    if (grant.kind === 'platform') return undefined;
    await endGrant(gateway, grant.id, { reason: 'unknown', tokenVersion: grant.tokenVersion });
    throw reconnectRequired('unknown', error);
  }
}

function earlyMs({ id, accessExpiresAt, refreshedAt }: Grant): number {
  const lifeMs = accessExpiresAt === null ? 0 : accessExpiresAt.getTime() - refreshedAt.getTime();
  return Math.min(EARLY_MS + spreadOf(id) * EARLY_SPREAD_MS, lifeMs / EARLY_SHARE);
}

/** Why nobody may ask the vendor now; undefined when one may. */
function pauseOf(grant: Grant, { at, refused, alarm }: { at: Date; refused: boolean; alarm: Alarm | undefined }): Failure | undefined {
  if (alarm !== undefined && plus(alarm.seenAt, CREDENTIALS_PAUSE_MS) > at) return credentialsRejected(alarm.detail);
  if (grant.retryAt !== null && grant.retryAt > at) {
    return new Failure('vendor_unavailable', 'The vendor could not renew the access a moment ago.', {
      retryAfterMs: grant.retryAt.getTime() - at.getTime(),
    });
  }
  // The first tokens of an authorization may be tried once more: the account may have been changed right after it.
  if (refused && grant.tokenVersion > 1 && plus(grant.refreshedAt, REJECTED_AGAIN_MS) > at) {
    return new Failure('vendor_unavailable', 'The vendor refuses a token that it has just given.', { retryAfterMs: REJECTED_AGAIN_MS });
  }
  return undefined;
}
