import { and, asc, desc, eq, gt, inArray, isNull, lt, or, sql } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Reader, Writer } from './database.ts';

export type Connection = Tables['connections']['$inferSelect'];
export type StoredSubscription = Tables['subscriptions']['$inferSelect'];

/** Makes the connection, or renews the one of the same professional and account: its id and its meetings stay. */
export async function upsertConnection(tx: Writer, connection: Connection): Promise<Connection> {
  const { connections } = tx.t;
  const same = and(
    eq(connections.marketplaceId, connection.marketplaceId),
    connection.professionalId === null ? isNull(connections.professionalId) : eq(connections.professionalId, connection.professionalId),
    eq(connections.provider, connection.provider),
    eq(connections.accountId, connection.accountId),
  );
  const { id: _id, createdAt: _createdAt, tokenVersion: _tokenVersion, ...changes } = connection;
  const renewed = await tx
    .update(connections)
    .set({ ...changes, tokenVersion: sql`${connections.tokenVersion} + 1` })
    .where(same)
    .returning();
  if (renewed[0] !== undefined) return renewed[0];
  const inserted = await tx.insert(connections).values(connection).onConflictDoNothing().returning();
  return inserted[0] ?? (await tx.select().from(connections).where(same))[0]!;
}

export async function findConnection(db: Reader, id: string): Promise<Connection | undefined> {
  return (await db.select().from(db.t.connections).where(eq(db.t.connections.id, id)))[0];
}

export async function findOwnConnection(db: Reader, marketplaceId: string, id: string): Promise<Connection | undefined> {
  const { connections } = db.t;
  return (
    await db
      .select()
      .from(connections)
      .where(and(eq(connections.id, id), eq(connections.marketplaceId, marketplaceId)))
  )[0];
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
  const found = db
    .select()
    .from(connections)
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

/** Every connection to a vendor account, or to all accounts of an organisation, over all marketplaces. */
export async function listConnectionsOfAccount(
  db: Reader,
  account: { provider: string; organisation: string | null; accountId: string | null },
): Promise<Connection[]> {
  const { connections } = db.t;
  return db
    .select()
    .from(connections)
    .where(
      and(
        eq(connections.provider, account.provider),
        account.organisation === null ? isNull(connections.organisation) : eq(connections.organisation, account.organisation),
        account.accountId === null ? undefined : eq(connections.accountId, account.accountId),
      ),
    );
}

/** True for the one caller that may refresh now. */
export async function leaseRefresh(
  tx: Writer,
  { id, tokenVersion, now, until }: { id: string; tokenVersion: number; now: Date; until: Date },
): Promise<boolean> {
  const { connections } = tx.t;
  const rows = await tx
    .update(connections)
    .set({ refreshLeasedUntil: until })
    .where(
      and(
        eq(connections.id, id),
        eq(connections.tokenVersion, tokenVersion),
        eq(connections.status, 'active'),
        or(isNull(connections.refreshLeasedUntil), lt(connections.refreshLeasedUntil, now)),
      ),
    )
    .returning({ id: connections.id });
  return rows.length === 1;
}

/** False when somebody else has replaced the tokens in between. Ends the lease. */
export async function storeTokens(
  tx: Writer,
  { id, tokenVersion, ...tokens }: Pick<Connection, 'id' | 'tokenVersion' | 'tokensSealed' | 'accessExpiresAt' | 'scopes'>,
): Promise<boolean> {
  const { connections } = tx.t;
  const rows = await tx
    .update(connections)
    .set({ ...tokens, tokenVersion: tokenVersion + 1, refreshLeasedUntil: null })
    .where(and(eq(connections.id, id), eq(connections.tokenVersion, tokenVersion)))
    .returning({ id: connections.id });
  return rows.length === 1;
}

export async function setTokens(tx: Writer, id: string, tokensSealed: Buffer): Promise<void> {
  await tx.update(tx.t.connections).set({ tokensSealed }).where(eq(tx.t.connections.id, id));
}

export async function releaseRefresh(tx: Writer, id: string): Promise<void> {
  await tx.update(tx.t.connections).set({ refreshLeasedUntil: null }).where(eq(tx.t.connections.id, id));
}

/** False when it was in one of these states already, or its tokens are newer than `tokenVersion`. */
export async function setConnectionStatus(
  tx: Writer,
  { id, from, to, reason, tokenVersion }: { id: string; from: readonly string[]; to: string; reason: string | null; tokenVersion?: number },
): Promise<boolean> {
  const { connections } = tx.t;
  const rows = await tx
    .update(connections)
    .set({
      status: to,
      statusReason: reason,
      refreshLeasedUntil: null,
      ...(to === 'revoked' ? { tokensSealed: null, accessExpiresAt: null } : {}),
    })
    .where(
      and(
        eq(connections.id, id),
        inArray(connections.status, [...from]),
        tokenVersion === undefined ? undefined : eq(connections.tokenVersion, tokenVersion),
      ),
    )
    .returning({ id: connections.id });
  return rows.length === 1;
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

export async function deleteSubscriptionOf(tx: Writer, connectionId: string): Promise<void> {
  await tx.delete(tx.t.subscriptions).where(eq(tx.t.subscriptions.connectionId, connectionId));
}
