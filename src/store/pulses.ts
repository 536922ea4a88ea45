import { eq } from 'drizzle-orm';
import type { Reader, Writer } from './database.ts';

/** A sign of life; also the proof that the database takes writes. */
export async function writePulse(tx: Writer, name: string, at: Date): Promise<void> {
  await tx.insert(tx.t.pulses).values({ name, at }).onConflictDoUpdate({ target: tx.t.pulses.name, set: { at } });
}

export async function readPulse(db: Reader, name: string): Promise<Date | undefined> {
  return (await db.select().from(db.t.pulses).where(eq(db.t.pulses.name, name)))[0]?.at;
}
