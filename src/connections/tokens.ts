/**
 * Access tokens that are renewed once, however many callers in however many processes need them: the lease is a column of the grant's row.
 * Of two outcomes of one refresh the database keeps one, and what a vendor says about old tokens never ends new ones.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Grant as VendorGrant } from '../../providers/provider.ts';
import type { ProviderId } from '../domain/apps.ts';
import { jobBackoffMs } from '../domain/backoff.ts';
import { isConnectionReason, type ConnectionReason } from '../domain/connection.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import { DAY, MINUTE, plus, SECOND } from '../domain/time.ts';
import { fingerprint } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import { clearAlarm, findAlarm, raiseAlarm } from '../store/alarms.ts';
import { findGrant, leaseRefresh, noteRefreshFailure, storeTokens, type Grant } from '../store/grants.ts';
import { scheduleJob } from '../store/jobs.ts';
import { listConnectionsOfGrant } from '../store/connections.ts';
import { endGrant, judgeScopes, type EndOfGrant } from './health.ts';
import { tokensContext } from './sealed.ts';

export interface Tokens {
  readonly accessToken: string;
  /** Null where the vendor gives none: the operator's own accounts. */
  readonly refreshToken: string | null;
}

/** A token is renewed 5 to 15 minutes before its end, each grant at a moment of its own, so that what began together does not end together. */
const EARLY_MS = 5 * MINUTE;
const EARLY_SPREAD_MS = 10 * MINUTE;
/** Below this a token is not handed out any more: a request takes its time, and clocks differ. */
const LAST_MS = 30 * SECOND;
/** Longer than the timeout of the token endpoint, so that a lease ends only with a process that died. */
const REFRESH_LEASE_MS = 30 * SECOND;
const POLL_MS = 50;
/** A vendor that refuses a token which it has just given is not asked for another one at once. */
const REJECTED_AGAIN_MS = 30 * SECOND;
/** How long nobody asks a vendor that has refused our own credentials. */
const CREDENTIALS_PAUSE_MS = 30 * SECOND;
/** After this long, and this many tries, a vendor that cannot renew a grant will not do it any more. */
const GIVE_UP_AFTER_MS = 4 * DAY;
const GIVE_UP_FAILURES = 10;
/** Plans change: they are read anew when a token is renewed anyway, at most this often. */
const PROFILE_EVERY_MS = DAY;

export const sealTokens = ({ vault }: Pick<Gateway, 'vault'>, grantId: string, tokens: Tokens): Buffer =>
  vault.seal(JSON.stringify(tokens), tokensContext(grantId));

export const openTokens = ({ vault }: Pick<Gateway, 'vault'>, grant: Pick<Grant, 'id' | 'tokensSealed'>): Tokens | undefined =>
  grant.tokensSealed === null ? undefined : (JSON.parse(vault.open(grant.tokensSealed, tokensContext(grant.id))) as Tokens);

export const credentialsAlarm = (provider: string, kind: string): string =>
  `credentials_rejected:${provider}${kind === 'user' ? '' : `:${kind}`}`;

/**
 * A valid access token of the grant. `rejected`: one that the vendor has just refused.
 * @throws Failure `reconnect_required`, `credentials_rejected`, or `vendor_unavailable` with the time to try again
 */
export async function accessTokenOf(gateway: Gateway, grantId: string, rejected?: string): Promise<string> {
  const { db, now } = gateway;
  const deadline = plus(now(), REFRESH_LEASE_MS);
  for (;;) {
    const grant = await findGrant(db.read, grantId);
    if (grant === undefined || (grant.tokensSealed === null && grant.kind === 'user')) throw reconnectRequired();
    const tokens = await readableTokens(gateway, grant);
    const at = now();
    const usable =
      tokens !== undefined && tokens.accessToken !== rejected && endsLater(grant, at, LAST_MS) ? tokens.accessToken : undefined;
    if (usable !== undefined && endsLater(grant, at, EARLY_MS + spread(grant))) return usable;

    const pause = await pauseOf(gateway, grant, { at, rejected: rejected !== undefined && tokens?.accessToken === rejected });
    if (pause !== undefined) {
      if (usable !== undefined) return usable;
      throw pause;
    }
    const leased = await db.write((tx) =>
      leaseRefresh(tx, { id: grant.id, tokenVersion: grant.tokenVersion, now: at, until: plus(at, REFRESH_LEASE_MS) }),
    );
    if (leased) {
      try {
        return await refresh(gateway, grant, tokens);
      } catch (error) {
        // Renewed early: the old token still does.
        if (usable !== undefined && !isFailure(error, 'reconnect_required')) return usable;
        throw error;
      }
    }
    // Somebody else is at it. Who has a usable token does not wait, for everybody else their result will do.
    if (usable !== undefined) return usable;
    if (now() > deadline) throw new Failure('vendor_unavailable', 'The access could not be renewed in time.', { retryAfterMs: SECOND });
    await wait(POLL_MS);
  }
}

/** What was damaged can only be given anew: by the professional, or with the operator's credentials. @throws Failure `key_unavailable` */
async function readableTokens(gateway: Gateway, grant: Grant): Promise<Tokens | undefined> {
  try {
    return openTokens(gateway, grant);
  } catch (error) {
    if (!isFailure(error, 'sealed_damaged')) throw error;
    gateway.log.error({ err: error, grant: grant.id }, 'the tokens of a grant are damaged');
    if (grant.kind === 'user') throw await died(gateway, grant, { reason: 'unknown', tokenVersion: grant.tokenVersion, cause: error });
    return undefined;
  }
}

const endsLater = ({ accessExpiresAt }: Grant, at: Date, ms: number): boolean => accessExpiresAt !== null && accessExpiresAt > plus(at, ms);

const spread = ({ id }: Grant): number => (Buffer.from(fingerprint(id), 'base64url').readUInt32BE() / 2 ** 32) * EARLY_SPREAD_MS;

/** Why nobody may ask the vendor now; undefined when one may. */
async function pauseOf({ db }: Gateway, grant: Grant, { at, rejected }: { at: Date; rejected: boolean }): Promise<Failure | undefined> {
  if (grant.retryAt !== null && grant.retryAt > at) {
    return new Failure('vendor_unavailable', 'The vendor could not renew the access a moment ago.', {
      retryAfterMs: grant.retryAt.getTime() - at.getTime(),
    });
  }
  if (rejected && plus(grant.refreshedAt, REJECTED_AGAIN_MS) > at && grant.tokenVersion > 1) {
    return new Failure('vendor_unavailable', 'The vendor refuses a token that it has just given.', { retryAfterMs: REJECTED_AGAIN_MS });
  }
  const alarm = await findAlarm(db.read, credentialsAlarm(grant.provider, grant.kind));
  if (alarm !== undefined && plus(alarm.seenAt, CREDENTIALS_PAUSE_MS) > at) return credentialsRejected(alarm.detail);
  return undefined;
}

async function refresh(gateway: Gateway, grant: Grant, tokens: Tokens | undefined): Promise<string> {
  const { db, now } = gateway;
  let renewed: VendorGrant;
  try {
    renewed = await askVendor(gateway, grant, tokens);
  } catch (error) {
    throw await failed(gateway, grant, Failure.from(error));
  }
  const at = now();
  const scopes = renewed.scopes.length > 0 ? [...renewed.scopes] : grant.scopes;
  // Stored before it is used: a refresh token that works once must not live in memory only.
  const stored = await db.write(async (tx) => {
    const kept = await storeTokens(tx, {
      id: grant.id,
      tokenVersion: grant.tokenVersion,
      tokensSealed: sealTokens(gateway, grant.id, {
        accessToken: renewed.accessToken,
        refreshToken: renewed.refreshToken ?? tokens?.refreshToken ?? null,
      }),
      accessExpiresAt: plus(at, renewed.expiresInMs),
      scopes,
      refreshedAt: at,
    });
    if (!kept) return false;
    await judgeScopes(tx, gateway, { ...grant, scopes });
    await clearAlarm(tx, credentialsAlarm(grant.provider, grant.kind));
    const readAt = (await listConnectionsOfGrant(tx, grant.id)).map(({ profileReadAt }) => profileReadAt.getTime());
    if (Math.min(...readAt) < at.getTime() - PROFILE_EVERY_MS)
      await scheduleJob(tx, { kind: 'grant.profile', subjectId: grant.id, dueAt: at });
    return true;
  });
  if (!stored) throw changedMeanwhile();
  return renewed.accessToken;
}

async function askVendor({ providers }: Gateway, grant: Grant, tokens: Tokens | undefined): Promise<VendorGrant> {
  const provider = providers.get(grant.provider as ProviderId);
  if (grant.kind === 'platform') {
    if (provider?.platform === undefined)
      throw new Failure('not_configured', "The operator's own account is not set up on the gateway any more.");
    return provider.platform.token(grant.accountId);
  }
  if (provider === undefined) throw new Failure('not_configured', 'This app is not set up on the gateway any more.');
  if (tokens === undefined || tokens.refreshToken === null) {
    throw new Failure('reconnect_required', 'The vendor gave no refresh token.', {
      extra: { reason: 'no_refresh' satisfies ConnectionReason },
    });
  }
  return provider.oauth.refresh(tokens.refreshToken);
}

/** What a failed refresh means for the grant, and the failure for the caller. */
async function failed(gateway: Gateway, grant: Grant, failure: Failure): Promise<Failure> {
  const { db, log, now, random } = gateway;
  const { id, tokenVersion } = grant;
  if (failure.code === 'reconnect_required') {
    const told = failure.extra['reason'];
    return died(gateway, grant, { reason: isConnectionReason(told) ? told : 'unknown', tokenVersion, cause: failure });
  }
  const at = now();
  if (failure.code === 'credentials_rejected') {
    // The fault of our own configuration, and the same for everybody: no grant suffers for it.
    const name = credentialsAlarm(grant.provider, grant.kind);
    const isNew = await db.write(async (tx) => {
      await noteRefreshFailure(tx, { id, tokenVersion, failed: false, now: at, retryAt: plus(at, CREDENTIALS_PAUSE_MS) });
      return raiseAlarm(tx, { name, detail: failure.message, now: at });
    });
    if (isNew)
      log.error(
        { err: failure, alarm: name },
        'the vendor refuses the credentials of this gateway: all connections of this app wait for the operator',
      );
    return credentialsRejected(failure.message, failure);
  }
  const counts = failure.code !== 'vendor_quota' && failure.code !== 'not_configured';
  const waitMs = Math.max(failure.retryAfterMs ?? 0, jobBackoffMs(grant.failures + 1, random(4).readUInt32BE() / 2 ** 32));
  await db.write((tx) => noteRefreshFailure(tx, { id, tokenVersion, failed: counts, now: at, retryAt: plus(at, waitMs) }));
  if (counts && grant.failures + 1 >= GIVE_UP_FAILURES && grant.failingSince !== null && plus(grant.failingSince, GIVE_UP_AFTER_MS) < at) {
    return died(gateway, grant, { reason: 'unreachable', tokenVersion, cause: failure });
  }
  return new Failure('vendor_unavailable', 'The vendor could not renew the access.', { cause: failure, retryAfterMs: waitMs });
}

async function died(gateway: Gateway, grant: Grant, { cause, ...end }: EndOfGrant & { cause: Failure }): Promise<Failure> {
  const ended = await endGrant(gateway, grant.id, end);
  // Not ended: the tokens were replaced in the meantime, so the news of their death is old.
  return ended ? reconnectRequired(end.reason, cause) : changedMeanwhile(cause);
}

const changedMeanwhile = (cause?: unknown): Failure =>
  new Failure('vendor_unavailable', 'The connection was changed while its access was renewed.', { retryAfterMs: SECOND, cause });

const credentialsRejected = (detail: string, cause?: unknown): Failure =>
  new Failure('credentials_rejected', detail, { cause, retryAfterMs: CREDENTIALS_PAUSE_MS });

export const reconnectRequired = (reason?: ConnectionReason, cause?: unknown): Failure =>
  new Failure('reconnect_required', 'The professional has to connect the account again.', {
    cause,
    ...(reason === undefined ? {} : { extra: { reason } }),
  });
