import type { ProviderId } from '../domain/apps.ts';
import { notFound } from '../domain/failure.ts';
import type { Gateway } from '../gateway.ts';
import { findOwnConnection, findSubscriptionOf, listConnectionsOfGrant } from '../store/connections.ts';
import { findGrant } from '../store/grants.ts';
import { scheduleJob } from '../store/jobs.ts';
import { atVendor } from './account.ts';
import { markRevoked } from './health.ts';
import { openTokens } from './tokens.ts';

/**
 * Ends the connection here and at the vendor. The vendor's part is best effort: our tokens are erased in any case.
 *
 * Nothing else is erased, unlike after the removal of the app at the vendor (`erase.ts`): this is the marketplace's wish to make no more
 * links with the account, and not the account's owner's to be forgotten. Meetings that are booked keep their links, which the vendor goes
 * on opening, and the row still says whose they were.
 */
export async function disconnect(gateway: Gateway, { marketplaceId, id }: { marketplaceId: string; id: string }): Promise<void> {
  const { db, log, now, providers } = gateway;
  const connection = await findOwnConnection(db.read, marketplaceId, id);
  if (connection === undefined) throw notFound();
  const provider = providers.get(connection.provider as ProviderId);
  const grant = await findGrant(db.read, connection.grantId);
  const sharing = (await listConnectionsOfGrant(db.read, connection.grantId)).filter(
    (other) => other.id !== id && other.status === 'active' && other.accountId === connection.accountId,
  );
  if (provider !== undefined && grant !== undefined) {
    const subscription = await findSubscriptionOf(db.read, id);
    try {
      const tokens = openTokens(gateway, grant);
      // Grant and subscription belong to the vendor's account: while another connection uses the account, they stay.
      if (tokens !== undefined && sharing.length === 0) {
        if (subscription !== undefined && connection.status === 'active')
          await atVendor(gateway, connection, async ({ subscriptions }, account) => subscriptions?.remove(account, subscription.vendorId));
        if (grant.kind === 'user') await provider.oauth.revoke?.(tokens);
      }
    } catch (error) {
      log.warn({ err: error, connection: id }, 'the vendor could not be told about the end of a connection');
    }
  }
  await db.write(async (tx) => {
    await markRevoked(tx, gateway, connection, 'disconnected');
    for (const other of sharing) await scheduleJob(tx, { kind: 'subscription.renew', subjectId: other.id, dueAt: now() });
  });
  gateway.wake();
}
