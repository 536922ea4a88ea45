import type { Tables } from '../../drizzle/schema.ts';
import type { Writer } from './database.ts';

export type AuditEntry = Tables['audit']['$inferSelect'];

export async function insertAuditEntry(tx: Writer, entry: AuditEntry): Promise<void> {
  await tx.insert(tx.t.audit).values(entry);
}
