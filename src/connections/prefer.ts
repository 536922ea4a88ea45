/** Which of several accounts a professional wants to be used (G02). */
import { byPreference } from '../domain/decision.ts';
import { Failure, found } from '../domain/failure.ts';
import type { Gateway } from '../gateway.ts';
import { findOwnConnection, listConnections, updateConnection, type Connection } from '../store/connections.ts';

/**
 * The account comes before the professional's others from now on, and its app before the other apps.
 * @throws Failure `not_found`, `conflict` for a connection that has ended or belongs to no professional
 */
export async function preferConnection(
  { db, now }: Gateway,
  { marketplaceId, id }: { marketplaceId: string; id: string },
): Promise<Connection> {
  return db.write(async (tx) => {
    const connection = found(await findOwnConnection(tx, marketplaceId, id));
    const { professionalId, status } = connection;
    if (professionalId === null || status === 'revoked')
      throw new Failure('conflict', 'Only a connection that a professional has, and that has not ended, can be preferred.');
    const others = await listConnections(tx, { marketplaceId, professionalId });
    const latest = Math.max(...others.map(({ preferredAt }) => preferredAt?.getTime() ?? 0));
    // Later than every earlier choice, whatever the clock says: the order of the choices counts.
    const preferredAt = new Date(Math.max(now().getTime(), latest + 1));
    await updateConnection(tx, id, { preferredAt });
    return { ...connection, preferredAt };
  });
}

/** Of these connections of one professional, oldest first: the ids of those that are taken when their app is used and several fit equally well. */
export function firstChoices(connections: readonly Connection[]): ReadonlySet<string> {
  const usable = connections.filter(({ status, createsMeetings }) => status === 'active' && createsMeetings).toSorted(byPreference);
  return new Set(
    usable.filter(({ provider }, place) => usable.findIndex((other) => other.provider === provider) === place).map(({ id }) => id),
  );
}
