import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import type { Meeting } from '../store/meetings.ts';

/** When the plan ends the run that goes on, and the job that tells it. */
export async function scheduleLimit(_tx: Writer, _gateway: Gateway, _meeting: Meeting): Promise<void> {}
