import { and, asc, desc, eq, getTableColumns, gt, inArray, isNotNull, isNull, ne, or, sql } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import { CONNECTION_STATES, type ConnectionReason, type ConnectionState } from '../domain/connection.ts';
import { prepared, slot, type Reader, type Writer } from './database.ts';
import { accountIds, erasedAccountId, type Grant } from './grants.ts';

type ConnectionRow = Tables['connections']['$inferSelect'];
/** `scopes`: those of its grant. */
export type Connection = ConnectionRow & Pick<Grant, 'scopes'>;
export type StoredSubscription = Tables['subscriptions']['$inferSelect'];

/** What was declared or learned of the plan is not the vendor's to change. */
type NewConnection = Omit<ConnectionRow, 'declaredPlan' | 'learnedPlan'>;

/** All connections, as far as the caller narrows it down. */
function select(db: Reader) {
  const { connections, grants } = db.t;
  return db
    .select({ ...getTableColumns(connections), scopes: grants.scopes })
    .from(connections)
    .innerJoin(grants, eq(grants.id, connections.grantId));
}

/** Makes the connection, or renews the one of the same professional and account, an erased one too: its id and its meetings stay. */
export async function upsertConnection(tx: Writer, connection: NewConnection): Promise<Connection> {
  const { connections } = tx.t;
  const { id: _id, createdAt: _createdAt, statusVersion: _statusVersion, preferredAt: _preferredAt, ...changes } = connection;
  const same = and(
    eq(connections.marketplaceId, connection.marketplaceId),
    connection.professionalId === null ? isNull(connections.professionalId) : eq(connections.professionalId, connection.professionalId),
    eq(connections.provider, connection.provider),
    inArray(connections.accountId, accountIds(connection)),
  );
  const renewed = await tx
    .update(connections)
    .set({ ...changes, statusVersion: sql`${connections.statusVersion} + 1` })
    .where(same)
    .returning({ id: connections.id });
  if (renewed[0] === undefined) await tx.insert(connections).values(connection).onConflictDoNothing();
  return (await select(tx).where(same))[0]!;
}

const connectionById = prepared('connection_by_id', (db: Reader) =>
  select(db).where(eq(db.t.connections.id, slot('id', db.t.connections.id))),
);

export const findConnection = async (db: Reader, id: string): Promise<Connection | undefined> => (await connectionById(db, { id }))[0];

const hostAccount = prepared('host_account', (db: Reader) => {
  const { connections } = db.t;
  return db
    .select({ accountId: connections.accountId, professionalId: connections.professionalId })
    .from(connections)
    .where(and(eq(connections.id, slot('id', connections.id)), isNull(connections.erasedAt)));
});

/** Asked for everybody who comes or goes; undefined when it is not known any more whose account it was. */
export async function findHostAccount(
  db: Reader,
  connectionId: string,
): Promise<Pick<Connection, 'accountId' | 'professionalId'> | undefined> {
  return (await hostAccount(db, { id: connectionId }))[0];
}

export async function findOwnConnection(db: Reader, marketplaceId: string, id: string): Promise<Connection | undefined> {
  const { connections } = db.t;
  return (await select(db).where(and(eq(connections.id, id), eq(connections.marketplaceId, marketplaceId))))[0];
}

/** Every connection that lives on the grant, over all marketplaces. */
export async function listConnectionsOfGrant(db: Reader, grantId: string): Promise<Connection[]> {
  return select(db).where(eq(db.t.connections.grantId, grantId)).orderBy(asc(db.t.connections.id));
}

/** Over all marketplaces. */
export async function countConnections(db: Reader): Promise<Record<ConnectionState, number>> {
  const { connections } = db.t;
  const counts = CONNECTION_STATES.map(async (state) => [state, await db.$count(connections, eq(connections.status, state))] as const);
  return Object.fromEntries(await Promise.all(counts)) as Record<ConnectionState, number>;
}

/** Oldest first; those of the professional, or all of the marketplace. `after`: the id that a page begins behind. */
export async function listConnections(
  db: Reader,
  {
    marketplaceId,
    professionalId,
    after,
    limit,
  }: { marketplaceId: string; professionalId?: string | undefined; after?: string | undefined; limit?: number },
): Promise<Connection[]> {
  const { connections } = db.t;
  const found = select(db)
    .where(
      and(
        eq(connections.marketplaceId, marketplaceId),
        professionalId === undefined ? undefined : eq(connections.professionalId, professionalId),
        after === undefined ? undefined : gt(connections.id, after),
      ),
    )
    .orderBy(asc(connections.id));
  return limit === undefined ? found : found.limit(limit);
}

/** The hosts of the marketplace's pool: accounts of the platform, of nobody in particular. Oldest first. */
export async function listHosts(db: Reader, marketplaceId: string): Promise<Connection[]> {
  const { connections } = db.t;
  return select(db)
    .where(and(eq(connections.marketplaceId, marketplaceId), isNull(connections.professionalId)))
    .orderBy(asc(connections.id));
}

/** The pools that an account is in as a host, over all marketplaces. */
export async function listHostsOfAccount(
  db: Reader,
  { provider, accountId }: { provider: string; accountId: string },
): Promise<Connection[]> {
  const { connections } = db.t;
  return select(db).where(
    and(eq(connections.provider, provider), eq(connections.accountId, accountId), isNull(connections.professionalId)),
  );
}

/** Every connection to a vendor account, or to all accounts of an organisation, over all marketplaces. */
export async function listConnectionsOfAccount(
  db: Reader,
  account: { provider: string; organisation: string | null; accountId: string | null },
): Promise<Connection[]> {
  const { connections } = db.t;
  return select(db).where(
    and(
      eq(connections.provider, account.provider),
      account.organisation === null ? isNull(connections.organisation) : eq(connections.organisation, account.organisation),
      account.accountId === null ? undefined : eq(connections.accountId, account.accountId),
      // The operator's own hosts are reached by another app than the one that was removed.
      isNotNull(connections.professionalId),
    ),
  );
}

/** Takes away what tells whose account it was. False when that was done before. */
export async function eraseAccount(tx: Writer, { id, at }: { id: string; at: Date }): Promise<boolean> {
  const { connections } = tx.t;
  const [found] = await tx
    .select()
    .from(connections)
    .where(and(eq(connections.id, id), isNull(connections.erasedAt)));
  if (found === undefined) return false;
  const nothing = {
    organisation: null,
    email: null,
    plan: 'unknown',
    declaredPlan: null,
    learnedPlan: null,
    createsMeetings: false,
    cloudRecording: 'unknown',
    preferredAt: null,
  };
  const erased = await tx
    .update(connections)
    .set({ ...nothing, accountId: erasedAccountId(found), erasedAt: at })
    .where(and(eq(connections.id, id), isNull(connections.erasedAt)))
    .returning({ id: connections.id });
  return erased.length === 1;
}

/**
 * Moves those of the connections that are in one of the states `from`, and returns them as they are then. `statusVersion`: only if its
 * status has not changed since. `except`: those stay that are where they are for this reason.
 */
export async function setConnectionStatus(
  tx: Writer,
  where:
    | { readonly id: string; readonly statusVersion?: number }
    | { readonly grantId: string; readonly except?: ConnectionReason | undefined },
  { from, to, reason }: { from: readonly ConnectionState[]; to: ConnectionState; reason: ConnectionReason | null },
): Promise<Connection[]> {
  const { connections } = tx.t;
  const changed = await tx
    .update(connections)
    .set({ status: to, statusReason: reason, statusVersion: sql`${connections.statusVersion} + 1` })
    .where(
      and(
        'id' in where ? eq(connections.id, where.id) : eq(connections.grantId, where.grantId),
        'id' in where && where.statusVersion !== undefined ? eq(connections.statusVersion, where.statusVersion) : undefined,
        'grantId' in where && where.except !== undefined
          ? or(isNull(connections.statusReason), ne(connections.statusReason, where.except))
          : undefined,
        inArray(connections.status, [...from]),
      ),
    )
    .returning({ id: connections.id });
  if (changed.length === 0) return [];
  return select(tx)
    .where(
      inArray(
        connections.id,
        changed.map(({ id }) => id),
      ),
    )
    .orderBy(asc(connections.id));
}

export async function updateConnection(tx: Writer, id: string, changes: Partial<ConnectionRow>): Promise<void> {
  await tx.update(tx.t.connections).set(changes).where(eq(tx.t.connections.id, id));
}

/** What the vendor told about the account, unless the connection has ended, was erased or stands for another account by now. */
export async function updateAccount(
  tx: Writer,
  { id, accountId }: Pick<Connection, 'id' | 'accountId'>,
  changes: Partial<ConnectionRow>,
): Promise<void> {
  const { connections } = tx.t;
  await tx
    .update(connections)
    .set(changes)
    .where(
      and(
        eq(connections.id, id),
        eq(connections.accountId, accountId),
        eq(connections.status, 'active' satisfies ConnectionState),
        isNull(connections.erasedAt),
      ),
    );
}

/** Of the vendor account, whoever has connected it. */
export async function setLearnedPlan(
  tx: Writer,
  { provider, accountId, grantId }: Pick<Connection, 'provider' | 'accountId' | 'grantId'>,
  learnedPlan: string,
): Promise<void> {
  const { connections } = tx.t;
  await tx
    .update(connections)
    .set({ learnedPlan })
    .where(and(eq(connections.provider, provider), eq(connections.accountId, accountId), eq(connections.grantId, grantId)));
}

export async function upsertSubscription(tx: Writer, subscription: StoredSubscription): Promise<void> {
  const { subscriptions } = tx.t;
  await tx.delete(subscriptions).where(eq(subscriptions.connectionId, subscription.connectionId));
  await tx
    .insert(subscriptions)
    .values(subscription)
    .onConflictDoUpdate({
      target: [subscriptions.provider, subscriptions.vendorId],
      set: { connectionId: subscription.connectionId, expiresAt: subscription.expiresAt },
    });
}

export async function findSubscription(db: Reader, provider: string, vendorId: string): Promise<StoredSubscription | undefined> {
  const { subscriptions } = db.t;
  return (
    await db
      .select()
      .from(subscriptions)
      .where(and(eq(subscriptions.provider, provider), eq(subscriptions.vendorId, vendorId)))
  )[0];
}

export async function findSubscriptionOf(db: Reader, connectionId: string): Promise<StoredSubscription | undefined> {
  const { subscriptions } = db.t;
  return (
    await db.select().from(subscriptions).where(eq(subscriptions.connectionId, connectionId)).orderBy(desc(subscriptions.expiresAt))
  )[0];
}

/** Of these vendors, over all marketplaces; the one that ends first comes first. */
export async function listSubscriptions(db: Reader, providers: readonly string[]): Promise<StoredSubscription[]> {
  const { subscriptions } = db.t;
  return db
    .select()
    .from(subscriptions)
    .where(inArray(subscriptions.provider, [...providers]))
    .orderBy(asc(subscriptions.expiresAt), asc(subscriptions.connectionId));
}

export async function deleteSubscriptionOf(tx: Writer, connectionId: string): Promise<void> {
  await tx.delete(tx.t.subscriptions).where(eq(tx.t.subscriptions.connectionId, connectionId));
}
