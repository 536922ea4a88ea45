/** What the vendor should have and has not told: looked for (G13). */
import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import { scheduleJob } from '../store/jobs.ts';
import { markExpectationMet } from '../store/expectations.ts';

/** Asks the vendor now what there is of the meeting. */
export const lookSoon = (tx: Writer, { now }: Pick<Gateway, 'now'>, meetingId: string): Promise<void> =>
  scheduleJob(tx, { kind: 'recording.look', subjectId: meetingId, dueAt: now() });

/** A recording of the meeting is there. */
export const meetExpectation = (tx: Writer, meetingId: string, by: 'webhook' | 'reconciliation'): Promise<void> =>
  markExpectationMet(tx, { meetingId, by });
