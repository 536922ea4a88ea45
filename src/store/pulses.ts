import { eq } from 'drizzle-orm';
import type { Reader, Writer } from './database.ts';

/** A sign of life; also the proof that the database takes writes. */
export async function writePulse(tx: Writer, name: string, at: Date): Promise<void> {
  await tx.insert(tx.t.pulses).values({ name, at }).onConflictDoUpdate({ target: tx.t.pulses.name, set: { at } });
}

export async function findPulse(db: Reader, name: string): Promise<Date | undefined> {
  const { pulses } = db.t;
  return (await db.select().from(pulses).where(eq(pulses.name, name)))[0]?.at;
}
