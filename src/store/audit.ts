import type { Tables } from '../../drizzle/schema.ts';
import type { Writer } from './database.ts';

export type AuditEntry = Tables['audit']['$inferSelect'];
export type NewAuditEntry = Omit<AuditEntry, 'seq' | 'hash'>;

export async function insertAuditEntry(tx: Writer, entry: NewAuditEntry): Promise<void> {
  await tx.insert(tx.t.audit).values(entry);
}
