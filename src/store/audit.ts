/** The audit log: append-only, and per marketplace a chain in which each entry vouches for all before it. */
import { and, asc, desc, eq, getTableColumns, gt, inArray, isNull, lte, sql } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import { chainHash, NO_HASH } from '../domain/audit-chain.ts';
import { prepared, preparedRows, slot, type Reader, type Writer } from './database.ts';

export type AuditEntry = Tables['audit']['$inferSelect'];
export type NewAuditEntry = Omit<AuditEntry, 'seq' | 'hash'>;
export type AuditHead = Tables['auditHeads']['$inferSelect'];

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

const takenPlaces = prepared('audit_heads_take', (tx: Writer) => {
  const { auditHeads } = tx.t;
  return tx
    .insert(auditHeads)
    .values({ marketplaceId: sql.placeholder('marketplaceId'), seq: sql.placeholder('entries'), hash: NO_HASH })
    .onConflictDoUpdate({ target: auditHeads.marketplaceId, set: { seq: sql`${auditHeads.seq} + excluded.seq` } })
    .returning();
});

const newEntries = preparedRows('audit_insert', (tx: Writer) => tx.t.audit, { given: getTableColumns, finish: (insert) => insert });

const newHash = prepared('audit_heads_hash', (tx: Writer) => {
  const { auditHeads } = tx.t;
  return tx
    .update(auditHeads)
    .set({ hash: slot('hash', auditHeads.hash) })
    .where(eq(auditHeads.marketplaceId, slot('marketplaceId', auditHeads.marketplaceId)));
});

async function appendTo(tx: Writer, marketplaceId: string, entries: readonly NewAuditEntry[]): Promise<void> {
  // Takes the head's lock and the places; what it gives back is the hash of the entry before them.
  const [head] = await takenPlaces(tx, { marketplaceId, entries: entries.length });
  let { hash } = head!;
  const before = head!.seq - entries.length;
  const chained = entries.map((entry, index) => {
    const seq = before + index + 1;
    hash = chainHash(entry, { seq, previous: hash });
    return { ...entry, seq, hash };
  });
  await newEntries(tx, chained);
  await newHash(tx, { marketplaceId, hash });
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
