/** What is known of an account's plan beside the vendor's word. */
import { Failure, found } from '../domain/failure.ts';
import type { CertainPlan } from '../domain/plan.ts';
import type { Gateway } from '../gateway.ts';
import { findConnection, findOwnConnection, setLearnedPlan, updateConnection, type Connection } from '../store/connections.ts';
import type { Writer } from '../store/database.ts';

/**
 * The plan showed itself: the vendor cut a meeting off at the limit of the free plan (`free`), a recording appeared that only a paid plan
 * makes, or a meeting of three and more lasted longer than a free one can (`paid`). It counts where the vendor tells nothing, also for the
 * other connections of the same vendor account.
 */
export async function learnPlan(tx: Writer, connectionId: string, plan: CertainPlan): Promise<void> {
  const connection = await findConnection(tx, connectionId);
  if (connection === undefined || connection.erasedAt !== null || connection.learnedPlan === plan) return;
  await setLearnedPlan(tx, connection, plan);
}

/**
 * The professional or the marketplace says which plan it is; null: not sure. Who has just changed plans must be able to say so: it takes
 * the place of what was learned before, until something is learned anew.
 * @throws Failure `not_found`, `conflict` for a connection that has ended
 */
export async function declarePlan(
  { db }: Gateway,
  { marketplaceId, id, plan }: { marketplaceId: string; id: string; plan: CertainPlan | null },
): Promise<Connection> {
  return db.write(async (tx) => {
    const connection = found(await findOwnConnection(tx, marketplaceId, id));
    if (connection.status === 'revoked') throw new Failure('conflict', 'The connection has ended.');
    const changes = plan === null ? { declaredPlan: null } : { declaredPlan: plan, learnedPlan: null };
    await updateConnection(tx, id, changes);
    return { ...connection, ...changes };
  });
}
