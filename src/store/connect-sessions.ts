import { and, eq, gt, lte } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Reader, Writer } from './database.ts';

export type ConnectSession = Tables['connectSessions']['$inferSelect'];
export type Authorization = Tables['authorizations']['$inferSelect'];

export async function insertConnectSession(tx: Writer, session: ConnectSession): Promise<void> {
  await tx.insert(tx.t.connectSessions).values(session);
}

export async function findConnectSession(db: Reader, tokenHash: string, now: Date): Promise<ConnectSession | undefined> {
  const { connectSessions } = db.t;
  return (
    await db
      .select()
      .from(connectSessions)
      .where(and(eq(connectSessions.tokenHash, tokenHash), gt(connectSessions.expiresAt, now)))
  )[0];
}

export async function insertAuthorization(tx: Writer, authorization: Authorization): Promise<void> {
  await tx.insert(tx.t.authorizations).values(authorization);
}

/** Removes and returns it: a state works once. The session may be gone already. */
export async function takeAuthorization(
  tx: Writer,
  stateHash: string,
  now: Date,
): Promise<{ authorization: Authorization; session: ConnectSession | undefined } | undefined> {
  const { authorizations, connectSessions } = tx.t;
  const [authorization] = await tx.delete(authorizations).where(eq(authorizations.stateHash, stateHash)).returning();
  if (authorization === undefined || authorization.expiresAt <= now) return undefined;
  const [session] = await tx.select().from(connectSessions).where(eq(connectSessions.id, authorization.sessionId));
  return { authorization, session };
}

export async function deleteExpiredSessions(tx: Writer, now: Date): Promise<void> {
  await tx.delete(tx.t.authorizations).where(lte(tx.t.authorizations.expiresAt, now));
  await tx.delete(tx.t.connectSessions).where(lte(tx.t.connectSessions.expiresAt, now));
}
