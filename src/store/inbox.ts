import { and, asc, eq, inArray, isNull, lt, lte, or, sql } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import { plus } from '../domain/time.ts';
import type { Reader, Writer } from './database.ts';

export type InboxEntry = Tables['inbox']['$inferSelect'];

/** Stores what is new; entries whose key is known already are repeats and change nothing. */
export async function insertInboxEntries(
  tx: Writer,
  entries: readonly Pick<InboxEntry, 'key' | 'provider' | 'body' | 'receivedAt'>[],
): Promise<void> {
  await tx
    .insert(tx.t.inbox)
    .values(entries.map((entry) => ({ ...entry, state: 'pending', dueAt: entry.receivedAt, attempts: 0 })))
    .onConflictDoNothing();
}

export async function claimInboxEntries(
  tx: Writer,
  { now, leaseMs, limit }: { now: Date; leaseMs: number; limit: number },
): Promise<InboxEntry[]> {
  const { inbox } = tx.t;
  const due = await tx.skipLocked(
    tx
      .select({ key: inbox.key })
      .from(inbox)
      .where(and(eq(inbox.state, sql`'pending'`), lte(inbox.dueAt, now), or(isNull(inbox.leasedUntil), lt(inbox.leasedUntil, now))))
      .orderBy(asc(inbox.dueAt), asc(inbox.key))
      .limit(limit)
      .$dynamic(),
  );
  if (due.length === 0) return [];
  return tx
    .update(inbox)
    .set({ leasedUntil: plus(now, leaseMs), attempts: sql`${inbox.attempts} + 1` })
    .where(
      inArray(
        inbox.key,
        due.map((entry) => entry.key),
      ),
    )
    .returning();
}

/** Applied: the body goes (it carries vendor links and tokens), the key stays to recognize repeats. */
export async function finishInboxEntry(tx: Writer, key: string): Promise<void> {
  await tx.update(tx.t.inbox).set({ state: 'applied', body: null, reason: null, leasedUntil: null }).where(eq(tx.t.inbox.key, key));
}

export async function retryInboxEntry(tx: Writer, key: string, { dueAt, reason }: { dueAt: Date; reason: string }): Promise<void> {
  await tx.update(tx.t.inbox).set({ dueAt, reason, leasedUntil: null }).where(eq(tx.t.inbox.key, key));
}

/** Set aside with its reason; the operator can look at it and run it again. */
export async function parkInboxEntry(tx: Writer, key: string, reason: string): Promise<void> {
  await tx.update(tx.t.inbox).set({ state: 'parked', reason, leasedUntil: null }).where(eq(tx.t.inbox.key, key));
}

/** Not ours: nothing is kept but the key. */
export async function dropInboxEntry(tx: Writer, key: string, reason: string): Promise<void> {
  await tx.update(tx.t.inbox).set({ state: 'dropped', body: null, reason, leasedUntil: null }).where(eq(tx.t.inbox.key, key));
}

export async function findInboxEntry(db: Reader, key: string): Promise<InboxEntry | undefined> {
  return (await db.select().from(db.t.inbox).where(eq(db.t.inbox.key, key)))[0];
}

/** Removes entries older than `before`: parked ones first of all, and keys that no vendor will repeat any more. */
export async function deleteOldInboxEntries(tx: Writer, before: Date, limit: number): Promise<number> {
  const { inbox } = tx.t;
  const old = await tx.select({ key: inbox.key }).from(inbox).where(lt(inbox.receivedAt, before)).orderBy(asc(inbox.key)).limit(limit);
  if (old.length === 0) return 0;
  await tx.delete(inbox).where(
    inArray(
      inbox.key,
      old.map((entry) => entry.key),
    ),
  );
  return old.length;
}
