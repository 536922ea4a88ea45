/** Keeps the vendors' event feeds alive: made after connecting, renewed well before they end. */
import type { Subscription } from '../providers/provider.ts';
import { accessTokenOf } from '../src/connections/access-token.ts';
import { atVendor } from '../src/connections/account.ts';
import { REPLACE_SUBSCRIPTION, REPLACEMENT_LOOK_MS } from '../src/connections/retire.ts';
import type { ProviderId } from '../src/domain/apps.ts';
import { Failure, isFailure } from '../src/domain/failure.ts';
import { DAY, HOUR, MINUTE, plus } from '../src/domain/time.ts';
import type { Gateway } from '../src/gateway.ts';
import { clearAlarm, raiseAlarm } from '../src/store/alarms.ts';
import { deleteSubscriptionOf, findConnection, findSubscriptionOf, upsertSubscription } from '../src/store/connections.ts';
import type { Writer } from '../src/store/database.ts';
import { cancelJob, findJob, leaseJob, scheduleJob } from '../src/store/jobs.ts';

/**
 * How often each vendor's subscription is renewed. Graph delivers only as long as the access token of the last renewal
 * lives, about an hour, and reminds of it a quarter of an hour before the end; Workspace Events subscriptions live seven days.
 */
const RENEW_EVERY_MS: Partial<Record<ProviderId, number>> = { 'microsoft-teams': 44 * MINUTE, 'google-meet': 3 * DAY };

/** Longer than removing and making one takes with all its tries. */
const REPLACEMENT_LEASE_MS = 2 * MINUTE;

/** How soon it is tried again to take up a feed that the vendor keeps suspended. */
const SUSPENDED_AGAIN_MS = HOUR;

/**
 * A feed that the vendor suspends because of our topic, our app or something that it does not name: the same for all accounts, and the
 * operator's to repair.
 */
const feedAlarm = (provider: string): string => `event_feed:${provider}`;

/** Words of the vendors for what is not about the account: Workspace Events' `ENDPOINT_NOT_FOUND`, `APP_AUTHORIZATION_FAILURE` and the like. */
export const isOurFault = (suspendedFor: string): boolean => /^(ENDPOINT|APP)_/.test(suspendedFor);

/** For as long as this the access token of a renewal has to be good, where deliveries end with it: a little longer than to the next one. */
const TOKEN_LIVES_MS: Partial<Record<ProviderId, number>> = { 'microsoft-teams': 45 * MINUTE };

/** Job `subscription.renew`. */
export async function renewSubscription(gateway: Gateway, connectionId: string): Promise<void> {
  const { config, db, now, providers } = gateway;
  const connection = await findConnection(db.read, connectionId);
  if (connection === undefined || connection.status !== 'active') return;
  const providerId = connection.provider as ProviderId;
  const subscriptions = providers.get(providerId)?.subscriptions;
  if (subscriptions === undefined) return;

  const known = await findSubscriptionOf(db.read, connectionId);
  const replacement = { kind: REPLACE_SUBSCRIPTION, subjectId: connectionId };
  const replaced = (await findJob(db.read, replacement)) !== undefined;
  // Nothing told what is granted: then the vendor is asked.
  if (connection.scopes.length > 0 && !subscriptions.scopes.some((scope) => connection.scopes.includes(scope))) {
    await db.write((tx) => deleteSubscriptionOf(tx, connectionId));
    return;
  }
  const attempt = atVendor(gateway, connection, async (_, account): Promise<Subscription> => {
    const livesMs = TOKEN_LIVES_MS[providerId];
    if (livesMs !== undefined) await accessTokenOf(gateway, connection.grantId, { livesMs });
    const create = (): Promise<Subscription> =>
      subscriptions.create(account, {
        notificationUrl: `${config.publicUrl}/webhooks/${providerId}`,
        lifecycleUrl: `${config.publicUrl}/webhooks/${providerId}/lifecycle`,
      });
    if (known === undefined) return create();
    if (replaced) {
      // Two at once could make two of them. The lease of one that fails ends by itself.
      const lease = { now: now(), until: plus(now(), REPLACEMENT_LEASE_MS) };
      if (!(await db.write((tx) => leaseJob(tx, replacement, lease))))
        throw new Failure('vendor_unavailable', 'The subscription is being replaced.', { retryAfterMs: MINUTE });
      // Until the new one is there the vendor has nobody to notify: it keeps one of a kind.
      await subscriptions.remove(account, known.vendorId);
      return create();
    }
    return subscriptions.renew(account, known.vendorId).catch((error: unknown) => {
      if (isFailure(error, 'gone')) return create();
      throw error;
    });
  });

  const subscription = await attempt.catch(async (error: unknown) => {
    const suspendedFor = error instanceof Failure ? error.extra['suspended_for'] : undefined;
    if (typeof suspendedFor !== 'string') throw error;
    await db.write(async (tx) => {
      await raiseFeedAlarm(tx, gateway, providerId, suspendedFor);
      await scheduleJob(tx, { kind: 'subscription.renew', subjectId: connectionId, dueAt: plus(now(), SUSPENDED_AGAIN_MS) });
    });
    return undefined;
  });
  if (subscription === undefined) return;

  const half = plus(now(), Math.max((subscription.expiresAt.getTime() - now().getTime()) / 2, MINUTE));
  const regular = plus(now(), RENEW_EVERY_MS[providerId] ?? DAY);
  await db.write(async (tx) => {
    // One that had to be taken up again proves nothing yet.
    if (subscription.suspendedFor === undefined) await clearAlarm(tx, feedAlarm(providerId));
    if (replaced) await cancelJob(tx, replacement);
    await upsertSubscription(tx, { provider: providerId, vendorId: subscription.id, connectionId, expiresAt: subscription.expiresAt });
    await scheduleJob(tx, { kind: 'subscription.renew', subjectId: connectionId, dueAt: half < regular ? half : regular });
  });
}

/**
 * Job `subscription.replace`: stands for as long as a subscription hangs on an older key of the ring, which the next renewal ends. That of
 * an account that nobody may call for ends by itself, or is replaced when its professional comes back.
 */
export async function awaitReplacement({ db, now }: Gateway, connectionId: string): Promise<void> {
  const at = now();
  await db.write(async (tx) => {
    const known = await findSubscriptionOf(tx, connectionId);
    if (known === undefined) return;
    if (known.expiresAt <= at) await deleteSubscriptionOf(tx, connectionId);
    else await scheduleJob(tx, { kind: REPLACE_SUBSCRIPTION, subjectId: connectionId, dueAt: plus(at, REPLACEMENT_LOOK_MS) });
  });
}

/** Told once in the log, however many accounts share the trouble. */
export async function raiseFeedAlarm(tx: Writer, { log, now }: Gateway, provider: ProviderId, suspendedFor: string): Promise<void> {
  const alarm = { name: feedAlarm(provider), detail: `The vendor has suspended event feeds: ${suspendedFor}.`, now: now() };
  if (await raiseAlarm(tx, alarm))
    log.error({ alarm: alarm.name, reason: suspendedFor }, 'the vendor has suspended an event feed of this gateway');
}
