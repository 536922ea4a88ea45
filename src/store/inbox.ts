import { and, asc, desc, eq, gt, inArray, isNotNull, isNull, lt, lte, or, sql } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import { prepared, preparedRows, slot, type Reader, type Writer } from './database.ts';

export type InboxEntry = Tables['inbox']['$inferSelect'];
export type NewInboxEntry = Pick<InboxEntry, 'key' | 'provider' | 'bodySealed' | 'receivedAt'>;

export const INBOX_STATES = ['pending', 'applied', 'parked', 'dropped'] as const;

const newEntries = preparedRows('inbox_insert', (tx: Writer) => tx.t.inbox, {
  given: ({ key, provider, bodySealed, receivedAt }) => ({ key, provider, bodySealed, receivedAt }),
  rest: ({ receivedAt }) => ({
    dueAt: receivedAt,
    state: sql`'pending'`,
    attempts: sql`0`,
    leasedUntil: sql`null`,
    reason: sql`null`,
  }),
  finish: (insert) => insert.onConflictDoNothing(),
});

/** Stores what is new; entries whose key is known already are repeats and change nothing. */
export async function insertInboxEntries(tx: Writer, entries: readonly NewInboxEntry[]): Promise<void> {
  // Two processes that get the same deliveries at once wait for each other's rows: in one order, so never for ever.
  await newEntries(
    tx,
    entries.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)),
  );
}

const dueEntries = prepared('inbox_due', (tx: Writer) => {
  const { inbox } = tx.t;
  const now = slot('now', inbox.dueAt);
  return tx.skipLocked(
    tx
      .select()
      .from(inbox)
      .where(and(eq(inbox.state, sql`'pending'`), lte(inbox.dueAt, now), or(isNull(inbox.leasedUntil), lt(inbox.leasedUntil, now))))
      .orderBy(asc(inbox.dueAt), asc(inbox.key))
      .limit(sql.placeholder('limit'))
      .$dynamic(),
  );
});

/** What is due, oldest first, and locked against other processes until the transaction ends. */
export const findDueInboxEntries = (tx: Writer, { now, limit }: { now: Date; limit: number }): Promise<InboxEntry[]> =>
  dueEntries(tx, { now, limit });

/** Keeps them from everybody else beyond the transaction, and counts the attempt. */
export async function leaseInboxEntries(tx: Writer, entries: readonly InboxEntry[], leasedUntil: Date): Promise<InboxEntry[]> {
  if (entries.length === 0) return [];
  const { inbox } = tx.t;
  const keys = entries.map(({ key }) => key);
  await tx
    .update(inbox)
    .set({ leasedUntil, attempts: sql`${inbox.attempts} + 1` })
    .where(inArray(inbox.key, keys));
  return entries.map((entry) => ({ ...entry, leasedUntil, attempts: entry.attempts + 1 }));
}

/** Applied: the body goes (it carries vendor links and tokens), the key stays to recognize repeats. */
export async function finishInboxEntries(tx: Writer, keys: readonly string[]): Promise<void> {
  await change(tx, keys, { state: 'applied', bodySealed: null, reason: null });
}

/** To be tried again; all of them have been tried `attempts` times. */
export async function retryInboxEntries(
  tx: Writer,
  keys: readonly string[],
  { dueAt, reason, attempts }: { dueAt: Date; reason: string; attempts: number },
): Promise<void> {
  await change(tx, keys, { dueAt, reason, attempts });
}

/** Set aside with its reason; the operator can look at it and run it again. */
export async function parkInboxEntry(tx: Writer, key: string, reason: string): Promise<void> {
  await change(tx, [key], { state: 'parked', reason });
}

/** Not ours: nothing is kept but the key. */
export async function dropInboxEntries(tx: Writer, keys: readonly string[], reason: string): Promise<void> {
  await change(tx, keys, { state: 'dropped', bodySealed: null, reason });
}

const change = async (tx: Writer, keys: readonly string[], changes: Partial<InboxEntry>): Promise<void> => {
  if (keys.length > 0)
    await tx
      .update(tx.t.inbox)
      .set({ ...changes, leasedUntil: null })
      .where(inArray(tx.t.inbox.key, [...keys]));
};

export async function findInboxEntry(db: Reader, key: string): Promise<InboxEntry | undefined> {
  return (await db.select().from(db.t.inbox).where(eq(db.t.inbox.key, key)))[0];
}

export type InboxState = (typeof INBOX_STATES)[number];

/** Of one state, oldest first, `limit` after the one that `after` names. */
export async function listInboxEntries(
  db: Reader,
  { state, provider, after, limit }: { state: InboxState; provider?: string | undefined; after?: InboxEntry | undefined; limit: number },
): Promise<InboxEntry[]> {
  const { inbox } = db.t;
  const later =
    after === undefined
      ? undefined
      : or(gt(inbox.receivedAt, after.receivedAt), and(eq(inbox.receivedAt, after.receivedAt), gt(inbox.key, after.key)));
  return db
    .select()
    .from(inbox)
    .where(and(eq(inbox.state, state), provider === undefined ? undefined : eq(inbox.provider, provider), later))
    .orderBy(asc(inbox.receivedAt), asc(inbox.key))
    .limit(limit);
}

/** From the beginning again, with all attempts. The keys of those that are parked and have their body still. */
export async function rerunInboxEntries(tx: Writer, keys: readonly string[], now: Date): Promise<string[]> {
  if (keys.length === 0) return [];
  const { inbox } = tx.t;
  const rows = await tx
    .update(inbox)
    .set({ state: 'pending', dueAt: now, attempts: 0, leasedUntil: null })
    .where(and(inArray(inbox.key, [...keys]), eq(inbox.state, 'parked'), isNotNull(inbox.bodySealed)))
    .returning({ key: inbox.key });
  return rows.map(({ key }) => key);
}

/** Gives up what is parked, and nothing else; the reason stays. The keys of those that were. */
export async function dropParkedEntries(tx: Writer, keys: readonly string[]): Promise<string[]> {
  if (keys.length === 0) return [];
  const { inbox } = tx.t;
  const rows = await tx
    .update(inbox)
    .set({ state: 'dropped', bodySealed: null })
    .where(and(inArray(inbox.key, [...keys]), eq(inbox.state, 'parked')))
    .returning({ key: inbox.key });
  return rows.map(({ key }) => key);
}

/** The youngest that is parked of this provider. */
export async function findLastParked(db: Reader, provider: string): Promise<InboxEntry | undefined> {
  const { inbox } = db.t;
  const rows = await db
    .select()
    .from(inbox)
    .where(and(eq(inbox.state, 'parked'), eq(inbox.provider, provider)))
    .orderBy(desc(inbox.receivedAt))
    .limit(1);
  return rows[0];
}

/** Takes the bodies of parked entries from before `before` away; the reasons stay. How many. */
export async function eraseParkedBodies(tx: Writer, before: Date, limit: number): Promise<number> {
  const { inbox } = tx.t;
  const old = await tx
    .select({ key: inbox.key })
    .from(inbox)
    .where(and(eq(inbox.state, 'parked'), isNotNull(inbox.bodySealed), lt(inbox.receivedAt, before)))
    .limit(limit);
  if (old.length > 0) {
    await tx
      .update(inbox)
      .set({ bodySealed: null })
      .where(
        inArray(
          inbox.key,
          old.map(({ key }) => key),
        ),
      );
  }
  return old.length;
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
