import { asc, eq } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Reader, Writer } from './database.ts';

export type AuditEntry = Tables['audit']['$inferSelect'];

export async function insertAuditEntry(tx: Writer, entry: AuditEntry): Promise<void> {
  await tx.insert(tx.t.audit).values(entry);
}

export async function listAuditEntries(db: Reader, subjectId: string): Promise<AuditEntry[]> {
  return db.select().from(db.t.audit).where(eq(db.t.audit.subjectId, subjectId)).orderBy(asc(db.t.audit.id));
}
