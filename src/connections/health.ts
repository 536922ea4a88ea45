/** Changes of a connection's status; each one is told to the marketplace. */
import type { Gateway } from '../gateway.ts';
import { deleteSubscriptionOf, setConnectionStatus, type Connection } from '../store/connections.ts';
import type { Writer } from '../store/database.ts';
import { cancelJob } from '../store/jobs.ts';
import { emit } from '../events/emit.ts';

/** False when it was not active with these tokens any more. */
export async function markReconnectRequired(
  gateway: Gateway,
  connection: Connection,
  { reason, tokenVersion }: { reason: string; tokenVersion: number },
): Promise<boolean> {
  const marked = await gateway.db.write(async (tx) => {
    const changed = await setConnectionStatus(tx, { id: connection.id, from: ['active'], to: 'reconnect_required', reason, tokenVersion });
    if (changed) await tell(tx, gateway, connection, 'connection.reconnect_required', String(tokenVersion), { reason });
    return changed;
  });
  gateway.wake();
  return marked;
}

/** The tokens go, the connection's row stays for its meetings. False when it was revoked already. */
export async function markRevoked(tx: Writer, gateway: Gateway, connection: Connection, reason: string): Promise<boolean> {
  const changed = await setConnectionStatus(tx, { id: connection.id, from: ['active', 'reconnect_required'], to: 'revoked', reason });
  if (!changed) return false;
  await deleteSubscriptionOf(tx, connection.id);
  await cancelJob(tx, { kind: 'subscription.renew', subjectId: connection.id });
  await tell(tx, gateway, connection, 'connection.revoked', String(connection.tokenVersion), { reason });
  return true;
}

/** `key` tells one change from the next of the same kind: the version of the tokens. */
export async function tell(
  tx: Writer,
  gateway: Gateway,
  connection: Connection,
  type: 'connection.active' | 'connection.reconnect_required' | 'connection.revoked',
  key: string,
  more: Record<string, unknown> = {},
): Promise<void> {
  await emit(tx, gateway, {
    marketplaceId: connection.marketplaceId,
    type,
    subjectId: connection.id,
    key,
    data: { connection_id: connection.id, professional_id: connection.professionalId, provider: connection.provider, ...more },
  });
}
