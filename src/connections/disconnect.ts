import type { ProviderId } from '../domain/apps.ts';
import { notFound } from '../domain/failure.ts';
import type { Gateway } from '../gateway.ts';
import { findOwnConnection, findSubscriptionOf, listConnectionsOfAccount } from '../store/connections.ts';
import { scheduleJob } from '../store/jobs.ts';
import { accountOf, openTokens } from './account.ts';
import { markRevoked } from './health.ts';

/** Ends the connection here and at the vendor. The vendor's part is best effort: our tokens are erased in any case. */
export async function disconnect(gateway: Gateway, { marketplaceId, id }: { marketplaceId: string; id: string }): Promise<void> {
  const { db, log, now, providers } = gateway;
  const connection = await findOwnConnection(db.read, marketplaceId, id);
  if (connection === undefined) throw notFound();
  const provider = providers.get(connection.provider as ProviderId);
  const tokens = openTokens(gateway, connection);
  const { provider: providerId, organisation, accountId } = connection;
  const sharing = (await listConnectionsOfAccount(db.read, { provider: providerId, organisation, accountId })).filter(
    (other) => other.id !== id && other.status === 'active',
  );
  if (provider !== undefined && tokens !== undefined) {
    const subscription = await findSubscriptionOf(db.read, id);
    try {
      // Grant and subscription belong to the vendor's account: while another connection uses the account, they stay.
      if (sharing.length === 0) {
        if (subscription !== undefined) await provider.subscriptions?.remove(accountOf(gateway, connection), subscription.vendorId);
        await provider.oauth.revoke?.(tokens);
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
