/**
 * Vendors' budgets and the pauses that vendors ask for, shared by all connections of a vendor account, whatever marketplace they belong to,
 * and by all processes. Both refuse early: no call is spent on an answer that is known.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { CountedCall, LimitOf, Provider, ProviderId, Quota } from '../../providers/provider.ts';
import { PATIENCE_MS } from '../../providers/rate.ts';
import { Failure } from '../domain/failure.ts';
import { DAY, MINUTE, plus } from '../domain/time.ts';
import { fingerprint } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import type { Connection } from '../store/connections.ts';
import type { Reader } from '../store/database.ts';
import { extendPause, fillWindow, listOpenWindows, PAUSE, takeFromWindow } from '../store/quotas.ts';

/** What names a vendor account: less than a connection, because several share it. */
type VendorAccount = Pick<Connection, 'provider' | 'accountId' | 'organisation'>;

export interface DailyQuota {
  readonly limit: number;
  readonly used: number;
  readonly resetsAt: Date;
}

const WINDOW_MS = { utc_day: DAY, minute: MINUTE } as const;

/** A digest: what a vendor's user takes back is not left behind in a counter (case 87). */
const hostKey = (accountId: string): string => `host:${fingerprint(accountId)}`;

/** The window that `at` lies in. The epoch began at midnight UTC, so days and minutes are whole multiples. */
function windowOf({ scope, per }: Quota, { provider, accountId }: VendorAccount, at: Date): { key: string; endsAt: Date } {
  const length = WINDOW_MS[per];
  return {
    key: `budget:${provider}:${per}:${scope === 'app' ? 'app' : hostKey(accountId)}`,
    endsAt: plus(at, length - (at.getTime() % length)),
  };
}

const quotasOf = ({ providers }: Pick<Gateway, 'providers'>, { provider }: VendorAccount): Provider['quotas'] =>
  providers.get(provider as ProviderId)?.quotas ?? [];

/**
 * Takes one from each budget that the call counts against, in a transaction of its own before the call. It is never given back: which
 * refused, failed or unanswered requests a vendor counts is not documented, and a request is paid for only when it is about to be sent.
 * Attempts are few: a repeat looks for the meeting of the earlier one first, and looking costs nothing.
 * @throws Failure `vendor_quota`, and then nothing was taken
 */
export async function spend(gateway: Gateway, account: VendorAccount, call: CountedCall): Promise<void> {
  const { db, now } = gateway;
  const at = now();
  const quotas = quotasOf(gateway, account).filter(({ calls }) => calls.includes(call));
  if (quotas.length === 0) return;
  await db.write(async (tx) => {
    for (const quota of quotas) {
      const window = windowOf(quota, account, at);
      if (await takeFromWindow(tx, { ...window, limit: quota.limit, now: at })) continue;
      throw usedUp(quota, (await listOpenWindows(tx, [window.key], at))[0]?.endsAt ?? window.endsAt, at);
    }
  });
}

/** Refuses what needs several calls before the first of them is made. It reserves nothing. @throws Failure `vendor_quota` */
export async function checkBudget(db: Reader, gateway: Gateway, account: VendorAccount, call: CountedCall, times: number): Promise<void> {
  const at = gateway.now();
  for (const quota of quotasOf(gateway, account).filter(({ calls }) => calls.includes(call))) {
    const { key, endsAt } = windowOf(quota, account, at);
    const [row] = await listOpenWindows(db, [key], at);
    if ((row?.used ?? 0) + times > quota.limit) throw usedUp(quota, row?.endsAt ?? endsAt, at);
  }
}

/** By connection: what its host has used of this day's budget from here. Without those whose vendor keeps no such budget. */
export async function dailyQuotasOf(
  db: Reader,
  gateway: Pick<Gateway, 'now' | 'providers'>,
  connections: readonly Connection[],
): Promise<ReadonlyMap<string, DailyQuota>> {
  const at = gateway.now();
  const windows = connections.flatMap((connection) => {
    const quota = quotasOf(gateway, connection).find(({ scope, per }) => scope === 'host' && per === 'utc_day');
    return quota === undefined ? [] : [{ id: connection.id, limit: quota.limit, ...windowOf(quota, connection, at) }];
  });
  const keys = windows.map(({ key }) => key);
  const rows = new Map((await listOpenWindows(db, keys, at)).map((row) => [row.key, row]));
  return new Map(
    windows.map(({ id, limit, key, endsAt }) => {
      const row = rows.get(key);
      return [id, { limit, used: row?.used ?? 0, resetsAt: row?.endsAt ?? endsAt }];
    }),
  );
}

function usedUp({ limit, per }: Quota, resetsAt: Date, at: Date): Failure {
  const window = per === 'utc_day' ? 'day (UTC)' : 'minute';
  return new Failure('vendor_quota', `The vendor allows ${limit} creates and changes per ${window}, and too few are left.`, {
    retryAfterMs: resetsAt.getTime() - at.getTime(),
    extra: { resets_at: resetsAt.toISOString(), limit },
  });
}

/** True when a budget was used up: then the request that counts was not sent, or did nothing. */
export const isUsedUp = ({ code, extra }: Failure): boolean => code === 'vendor_quota' && 'limit' in extra;

const pauseKey = (limitOf: Exclude<LimitOf, 'budget'>, { provider, accountId, organisation }: VendorAccount): string => {
  const whose = {
    host: hostKey(accountId),
    organisation: organisation === null ? hostKey(accountId) : `organisation:${fingerprint(organisation)}`,
    app: 'app',
  };
  return `${PAUSE}${provider}:${whose[limitOf]}`;
};

/** Returns when the vendor may be called for this account. @throws Failure `vendor_quota` with the time that is left of a longer pause */
export async function passPause({ db, now }: Gateway, account: VendorAccount): Promise<void> {
  const keys = new Set((['host', 'organisation', 'app'] as const).map((limitOf) => pauseKey(limitOf, account)));
  const at = now();
  const ends = (await listOpenWindows(db.read, [...keys], at)).map(({ endsAt }) => endsAt.getTime());
  if (ends.length === 0) return;
  const leftMs = Math.max(...ends) - at.getTime();
  if (leftMs <= PATIENCE_MS) return wait(leftMs);
  throw new Failure('vendor_quota', 'The vendor asked a moment ago to be left alone for a while.', {
    retryAfterMs: leftMs,
    extra: { resets_at: plus(at, leftMs).toISOString() },
  });
}

/** Writes down for everybody what the vendor said about its limits; the failure as the caller may hear it. */
export async function heardLimit(gateway: Gateway, account: VendorAccount, failure: Failure): Promise<Failure> {
  const { db, now } = gateway;
  const { limit_of: told, ...extra } = failure.extra;
  const limitOf = told as LimitOf | undefined;
  const waitMs = failure.retryAfterMs ?? MINUTE;
  const at = now();
  let endsAt = plus(at, waitMs);
  const quota = quotasOf(gateway, account).find(({ scope }) => scope === 'host');
  if (limitOf === 'budget' && quota !== undefined) {
    // Calls made elsewhere count, too. In the first minute of a window the vendor's clock may still be in the last one.
    const isNew = at.getTime() % WINDOW_MS[quota.per] < MINUTE && quota.per === 'utc_day';
    if (isNew) endsAt = plus(at, MINUTE);
    const { key } = windowOf(quota, account, at);
    await db.write((tx) => fillWindow(tx, { key, used: quota.limit, endsAt }));
  } else if (limitOf !== undefined && limitOf !== 'budget' && waitMs > 0) {
    await db.write((tx) => extendPause(tx, { key: pauseKey(limitOf, account), endsAt }));
  }
  return new Failure('vendor_quota', failure.message, {
    cause: failure.cause,
    retryAfterMs: endsAt.getTime() - at.getTime(),
    extra: {
      resets_at: endsAt.toISOString(),
      ...extra,
      ...(limitOf === 'budget' && quota !== undefined ? { limit: quota.limit } : {}),
    },
  });
}
