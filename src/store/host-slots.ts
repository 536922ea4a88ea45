import { and, eq, gt, inArray, lt } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Reader, Writer } from './database.ts';

export type HostSlot = Tables['hostSlots']['$inferSelect'];

/** Takes the place of the meeting's former slot. Nothing is checked: hold the pool's lock, and look before. */
export async function putSlot(tx: Writer, slot: HostSlot): Promise<void> {
  await tx.insert(tx.t.hostSlots).values(slot).onConflictDoUpdate({ target: tx.t.hostSlots.meetingId, set: slot });
}

/** What overlaps the span, of these hosts. */
export async function listSlots(
  db: Reader,
  connectionIds: readonly string[],
  { startsAt, endsAt }: Pick<HostSlot, 'startsAt' | 'endsAt'>,
): Promise<HostSlot[]> {
  const { hostSlots } = db.t;
  return db
    .select()
    .from(hostSlots)
    .where(and(inArray(hostSlots.connectionId, [...connectionIds]), gt(hostSlots.endsAt, startsAt), lt(hostSlots.startsAt, endsAt)));
}

export async function renameSlot(tx: Writer, from: string, to: string): Promise<void> {
  await tx.update(tx.t.hostSlots).set({ meetingId: to }).where(eq(tx.t.hostSlots.meetingId, from));
}

export async function deleteSlot(tx: Writer, meetingId: string): Promise<void> {
  await tx.delete(tx.t.hostSlots).where(eq(tx.t.hostSlots.meetingId, meetingId));
}

/** What is over, and what a process that died has left behind with it. */
export async function deletePastSlots(tx: Writer, before: Date): Promise<void> {
  await tx.delete(tx.t.hostSlots).where(lt(tx.t.hostSlots.endsAt, before));
}
