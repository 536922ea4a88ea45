/** Keeps the vendors' event feeds alive: made after connecting, renewed well before they end. */
import type { Subscription } from '../providers/provider.ts';
import { atVendor } from '../src/connections/account.ts';
import type { ProviderId } from '../src/domain/apps.ts';
import { isFailure } from '../src/domain/failure.ts';
import { DAY, MINUTE, plus } from '../src/domain/time.ts';
import type { Gateway } from '../src/gateway.ts';
import { findConnection, findSubscriptionOf, upsertSubscription } from '../src/store/connections.ts';
import { scheduleJob } from '../src/store/jobs.ts';

/**
 * How often each vendor's subscription is renewed. Graph delivers only as long as the access token of the last renewal
 * lives, about an hour; Workspace Events subscriptions live seven days.
 */
const RENEW_EVERY_MS: Partial<Record<ProviderId, number>> = { 'microsoft-teams': 45 * MINUTE, 'google-meet': 3 * DAY };

/** Job `subscription.renew`. */
export async function renewSubscription(gateway: Gateway, connectionId: string): Promise<void> {
  const { config, db, now, providers } = gateway;
  const connection = await findConnection(db.read, connectionId);
  if (connection === undefined || connection.status !== 'active') return;
  const providerId = connection.provider as ProviderId;
  const subscriptions = providers.get(providerId)?.subscriptions;
  if (subscriptions === undefined) return;

  const known = await findSubscriptionOf(db.read, connectionId);
  const subscription = await atVendor(gateway, connection, async (_, account): Promise<Subscription> => {
    const create = (): Promise<Subscription> =>
      subscriptions.create(account, {
        notificationUrl: `${config.publicUrl}/webhooks/${providerId}`,
        lifecycleUrl: `${config.publicUrl}/webhooks/${providerId}/lifecycle`,
      });
    if (known === undefined) return create();
    return subscriptions.renew(account, known.vendorId).catch((error: unknown) => {
      if (isFailure(error, 'gone')) return create();
      throw error;
    });
  });

  const half = plus(now(), Math.max((subscription.expiresAt.getTime() - now().getTime()) / 2, MINUTE));
  const regular = plus(now(), RENEW_EVERY_MS[providerId] ?? DAY);
  await db.write(async (tx) => {
    await upsertSubscription(tx, { provider: providerId, vendorId: subscription.id, connectionId, expiresAt: subscription.expiresAt });
    await scheduleJob(tx, { kind: 'subscription.renew', subjectId: connectionId, dueAt: half < regular ? half : regular });
  });
}
