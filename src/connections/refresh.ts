/**
 * One refresh, by the caller who has the lease. Of two outcomes of one refresh the database keeps one, and what a vendor says about old
 * tokens never ends new ones.
 */
import pRetry from 'p-retry';
import type { Grant as VendorGrant } from '../../providers/provider.ts';
import type { ProviderId } from '../domain/apps.ts';
import { jobBackoffMs } from '../domain/backoff.ts';
import { isConnectionReason, type ConnectionReason } from '../domain/connection.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import { DAY, plus, SECOND } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { clearAlarm, raiseAlarm } from '../store/alarms.ts';
import { listConnectionsOfGrant } from '../store/connections.ts';
import type { Writer } from '../store/database.ts';
import { releaseRefresh, storeTokens, type Grant, type LeasedGrant } from '../store/grants.ts';
import { scheduleJob } from '../store/jobs.ts';
import { endGrant, judgeScopes, revive } from './health.ts';
import { reconnectRequired, sealTokens, type Tokens } from './tokens.ts';

/** How long nobody asks a vendor that has refused our own credentials. */
export const CREDENTIALS_PAUSE_MS = 30 * SECOND;
/** After this long, and this many tries, a vendor that cannot renew a grant will not do it any more. */
const GIVE_UP_AFTER_MS = 4 * DAY;
const GIVE_UP_FAILURES = 10;
/** Plans change: they are read anew when a token is renewed anyway, at most this often. */
const PROFILE_EVERY_MS = DAY;
/** New tokens that the database does not take are kept for about 25 s: a failover or a locked file must not cost a grant. */
const STORING = { retries: 8, minTimeout: 100, factor: 2 } as const;

export const credentialsAlarm = ({ provider, kind }: Pick<Grant, 'provider' | 'kind'>): string =>
  `credentials_rejected:${provider}${kind === 'user' ? '' : `:${kind}`}`;

/** Told once in the log, however many grants and professionals meet it. */
export async function raiseCredentialsAlarm(
  tx: Writer,
  { log, now }: Pick<Gateway, 'log' | 'now'>,
  of: Pick<Grant, 'provider' | 'kind'>,
  failure: Failure,
): Promise<void> {
  const name = credentialsAlarm(of);
  if (await raiseAlarm(tx, { name, detail: failure.message, now: now() }))
    log.error(
      { err: failure, alarm: name },
      'the vendor refuses the credentials of this gateway: all connections of this app wait for the operator',
    );
}

export const credentialsRejected = (detail: string, cause?: unknown): Failure =>
  new Failure('credentials_rejected', detail, { cause, retryAfterMs: CREDENTIALS_PAUSE_MS });

/**
 * The new access token; undefined when somebody else has changed the grant in between, and it has to be read again.
 * @throws Failure as `accessTokenOf`
 */
export async function refresh(gateway: Gateway, grant: LeasedGrant, tokens: Tokens | undefined): Promise<string | undefined> {
  let renewed: VendorGrant;
  try {
    renewed = await askVendor(gateway, grant, tokens);
  } catch (error) {
    const failure = await failed(gateway, grant, Failure.from(error));
    if (failure === undefined) return undefined;
    throw failure;
  }
  // Stored before it is used: a refresh token that works once must not live in memory only.
  const stored = await pRetry(() => store(gateway, grant, tokens, renewed), {
    ...STORING,
    shouldRetry: ({ error }) => isFailure(error, 'storage_unavailable'),
  });
  return stored ? renewed.accessToken : undefined;
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

function store(gateway: Gateway, grant: LeasedGrant, old: Tokens | undefined, renewed: VendorGrant): Promise<boolean> {
  const at = gateway.now();
  const scopes = renewed.scopes.length > 0 ? [...renewed.scopes] : grant.scopes;
  return gateway.db.write(async (tx) => {
    const stored = await storeTokens(tx, {
      id: grant.id,
      tokenVersion: grant.tokenVersion,
      tokensSealed: sealTokens(gateway, grant.id, {
        accessToken: renewed.accessToken,
        refreshToken: renewed.refreshToken ?? old?.refreshToken ?? null,
      }),
      accessExpiresAt: plus(at, renewed.expiresInMs),
      scopes,
      refreshedAt: at,
    });
    if (stored === undefined) return false;
    // Whoever took over our lease while this process stood still was told that the token is used up. It was, by us.
    if (stored === 'late') await revive(tx, gateway, grant.id);
    await judgeScopes(tx, gateway, { ...grant, scopes });
    await clearAlarm(tx, credentialsAlarm(grant));
    const active = (await listConnectionsOfGrant(tx, grant.id)).filter(({ status }) => status === 'active');
    if (active.some(({ profileReadAt }) => plus(profileReadAt, PROFILE_EVERY_MS) < at))
      await scheduleJob(tx, { kind: 'grant.profile', subjectId: grant.id, dueAt: at });
    return true;
  });
}

/** What a failed refresh means for the grant, and the failure for the caller; undefined when the grant has other tokens by now. */
async function failed(gateway: Gateway, grant: LeasedGrant, failure: Failure): Promise<Failure | undefined> {
  const { db, now, random } = gateway;
  const at = now();
  switch (failure.code) {
    case 'reconnect_required': {
      const told = failure.extra['reason'];
      return died(gateway, grant, isConnectionReason(told) ? told : 'unknown', failure);
    }
    // Only where a token is of one host of the operator's account: the host was deleted there.
    case 'not_found':
      return died(gateway, grant, 'account_gone', failure);
    case 'credentials_rejected': {
      // The fault of our own configuration, and the same for everybody: no grant suffers for it.
      await db.write(async (tx) => {
        await releaseRefresh(tx, grant, { retryAt: null });
        await raiseCredentialsAlarm(tx, gateway, grant, failure);
      });
      return credentialsRejected(failure.message, failure);
    }
    case 'not_configured':
      await db.write((tx) => releaseRefresh(tx, grant, { retryAt: null }));
      return failure;
    default: {
      // A vendor that asks for patience is no vendor that fails.
      const counts = failure.code !== 'vendor_quota';
      const waitMs = Math.max(failure.retryAfterMs ?? 0, jobBackoffMs(grant.failures + 1, random(4).readUInt32BE() / 2 ** 32));
      await db.write((tx) => releaseRefresh(tx, grant, { retryAt: plus(at, waitMs), ...(counts ? { failedAt: at } : {}) }));
      const hopeless =
        grant.failingSince !== null && plus(grant.failingSince, GIVE_UP_AFTER_MS) < at && grant.failures + 1 >= GIVE_UP_FAILURES;
      if (counts && hopeless) return died(gateway, grant, 'unreachable', failure);
      return new Failure('vendor_unavailable', 'The vendor could not renew the access.', { cause: failure, retryAfterMs: waitMs });
    }
  }
}

async function died(gateway: Gateway, { id, tokenVersion }: Grant, reason: ConnectionReason, cause: Failure): Promise<Failure | undefined> {
  return (await endGrant(gateway, id, { reason, tokenVersion })) ? reconnectRequired(reason, cause) : undefined;
}
