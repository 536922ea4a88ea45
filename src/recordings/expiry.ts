/** Publications end in crowds: what was published in one hour ends in one hour. */
import type { Gateway } from '../gateway.ts';
import { runCrowd, settleJobs, type Alone } from '../meetings/crowd.ts';
import { lockFreeRecordings } from '../store/recordings.ts';
import { expireDue } from './erase.ts';

/**
 * Recordings of one transaction. It holds SQLite's only writer, and the event loop: some four milliseconds. PostgreSQL is faster the more come
 * together, but with 200 webhooks waited three times as long.
 */
const BATCH = { sqlite: 16, postgres: 64 };

/** Ends what is due. */
export const runDueExpiries = (gateway: Gateway, alone: Alone) =>
  runCrowd(gateway, { lane: 'expiries', batch: BATCH[gateway.db.dialect], ...alone }, async (tx, due) => {
    // Who changes a recording at this moment may end it, or give it more time: it is left for the next look, and nobody waits for anybody.
    const recordings = await lockFreeRecordings(
      tx,
      due.map(({ subjectId }) => subjectId),
    );
    const later = await expireDue(tx, gateway, recordings);
    await settleJobs(
      tx,
      'recording.expire',
      recordings.map(({ id }) => id),
      later,
    );
    return recordings.length;
  });
