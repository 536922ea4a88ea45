import { and, eq } from 'drizzle-orm';
import type { Writer } from './database.ts';

/** What found it first stays. */
export async function markExpectationMet(tx: Writer, { meetingId, by }: { meetingId: string; by: string }): Promise<void> {
  const { recordingExpectations } = tx.t;
  await tx
    .update(recordingExpectations)
    .set({ state: 'met', metBy: by })
    .where(and(eq(recordingExpectations.meetingId, meetingId), eq(recordingExpectations.state, 'open')));
}
