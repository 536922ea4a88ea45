import type { ProviderId } from '../domain/apps.ts';
import { Failure } from '../domain/failure.ts';
import type { Gateway } from '../gateway.ts';
import { findOwnConnection, findSubscriptionOf } from '../store/connections.ts';
import { accountOf, openTokens } from './account.ts';
import { markRevoked } from './health.ts';

/** Ends the connection here and at the vendor. The vendor's part is best effort: our tokens are erased in any case. */
export async function disconnect(gateway: Gateway, { marketplaceId, id }: { marketplaceId: string; id: string }): Promise<void> {
  const { db, log, providers } = gateway;
  const connection = await findOwnConnection(db.read, marketplaceId, id);
  if (connection === undefined) throw new Failure('not_found', 'There is no such resource.');
  const provider = providers.get(connection.provider as ProviderId);
  const tokens = openTokens(gateway, connection);
  if (provider !== undefined && tokens !== undefined) {
    const subscription = await findSubscriptionOf(db.read, id);
    try {
      if (subscription !== undefined) await provider.subscriptions?.remove(accountOf(gateway, connection), subscription.vendorId);
      await provider.oauth.revoke?.(tokens);
    } catch (error) {
      log.warn({ err: error, connection: id }, 'the vendor could not be told about the end of a connection');
    }
  }
  await db.write((tx) => markRevoked(tx, gateway, connection, 'disconnected'));
  gateway.wake();
}
