/** The audit log: append-only, and per marketplace a chain in which each entry vouches for all before it. */
import { and, asc, desc, eq, gt, inArray, isNull, lte, sql } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import { chainHash, NO_HASH } from '../domain/audit-chain.ts';
import type { Reader, Writer } from './database.ts';

export type AuditEntry = Tables['audit']['$inferSelect'];
export type NewAuditEntry = Omit<AuditEntry, 'seq' | 'hash'>;
export type AuditHead = Tables['auditHeads']['$inferSelect'];

/** Rows of one statement: each has eight values, and PostgreSQL counts at most 65,535 of them. */
const ROWS = 1_000;

/** Noted now, written as the last thing before the commit. */
export async function insertAuditEntry(tx: Writer, entry: NewAuditEntry): Promise<void> {
  tx.unchained.push(entry);
}

/**
 * For the engines, right before the commit. Whoever writes to a chain holds its head from here until the commit: taken last, and in one
 * order, so that no two transactions can wait for each other.
 */
export async function chainAuditEntries(tx: Writer): Promise<void> {
  const entries = tx.unchained.splice(0);
  for (const marketplaceId of [...new Set(entries.map((entry) => entry.marketplaceId))].toSorted()) {
    await appendTo(
      tx,
      marketplaceId,
      entries.filter((entry) => entry.marketplaceId === marketplaceId),
    );
  }
}

async function appendTo(tx: Writer, marketplaceId: string, entries: readonly NewAuditEntry[]): Promise<void> {
  const { audit, auditHeads } = tx.t;
  // Takes the head's lock and the places; what it gives back is the hash of the entry before them.
  const [head] = await tx
    .insert(auditHeads)
    .values({ marketplaceId, seq: entries.length, hash: NO_HASH })
    .onConflictDoUpdate({ target: auditHeads.marketplaceId, set: { seq: sql`${auditHeads.seq} + ${entries.length}` } })
    .returning();
  let { hash } = head!;
  const before = head!.seq - entries.length;
  const chained = entries.map((entry, index) => {
    const seq = before + index + 1;
    hash = chainHash(entry, { seq, previous: hash });
    return { ...entry, seq, hash };
  });
  for (let from = 0; from < chained.length; from += ROWS) await tx.insert(audit).values(chained.slice(from, from + ROWS));
  await tx.update(auditHeads).set({ hash }).where(eq(auditHeads.marketplaceId, marketplaceId));
}

/** Marketplaces that have entries, or a head. */
export async function listAudited(db: Reader): Promise<string[]> {
  const entries = await db.selectDistinct({ id: db.t.audit.marketplaceId }).from(db.t.audit);
  const heads = await db.select({ id: db.t.auditHeads.marketplaceId }).from(db.t.auditHeads);
  return [...new Set([...entries, ...heads].map(({ id }) => id))].toSorted();
}

export async function findAuditHead(db: Reader, marketplaceId: string): Promise<AuditHead | undefined> {
  return (await db.select().from(db.t.auditHeads).where(eq(db.t.auditHeads.marketplaceId, marketplaceId)))[0];
}

/** Entries of the chain in its order: those after the place `after`, up to the place `upTo`. */
export async function pageOfChain(
  db: Reader,
  { marketplaceId, after, upTo, limit }: { marketplaceId: string; after: number; upTo?: number; limit: number },
): Promise<AuditEntry[]> {
  const { audit } = db.t;
  return db
    .select()
    .from(audit)
    .where(and(eq(audit.marketplaceId, marketplaceId), gt(audit.seq, after), upTo === undefined ? undefined : lte(audit.seq, upTo)))
    .orderBy(asc(audit.seq))
    .limit(limit);
}

/** Entries from before there was a chain. */
export async function countUnchained(db: Reader, marketplaceId: string): Promise<number> {
  const { audit } = db.t;
  return db.$count(audit, and(eq(audit.marketplaceId, marketplaceId), isNull(audit.seq)));
}

export async function hasAuditEntry(db: Reader, id: string): Promise<boolean> {
  return (await db.$count(db.t.audit, eq(db.t.audit.id, id))) > 0;
}

/** The newest entry about the subject with one of these actions. */
export async function findLastAuditEntry(db: Reader, subjectId: string, actions: readonly string[]): Promise<AuditEntry | undefined> {
  const { audit } = db.t;
  return (
    await db
      .select()
      .from(audit)
      .where(and(eq(audit.subjectId, subjectId), inArray(audit.action, [...actions])))
      // Ids of one millisecond have no order; what is older than the chain has no place in it.
      .orderBy(desc(sql`coalesce(${audit.seq}, 0)`), desc(audit.id))
      .limit(1)
  )[0];
}

/** Those of this transaction, too, which are not written before its end. */
export async function countAuditEntries(tx: Writer, subjectId: string, action: string): Promise<number> {
  const { audit } = tx.t;
  const noted = tx.unchained.filter((entry) => entry.subjectId === subjectId && entry.action === action).length;
  return noted + (await tx.$count(audit, and(eq(audit.subjectId, subjectId), eq(audit.action, action))));
}
