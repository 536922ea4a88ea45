/** Calls that nobody answers end by themselves: job `call.expire`. Thousands may ring at once, so they are ended in crowds (R03). */
import { isOpen, openUntil } from '../domain/call.ts';
import { emitAll } from '../events/emit.ts';
import type { Gateway } from '../gateway.ts';
import { runCrowd, settleJobs, type Alone } from '../meetings/crowd.ts';
import { lockCall, lockFreeCalls, setCallsExpired, type Call } from '../store/calls.ts';
import type { Writer } from '../store/database.ts';
import { dropMeeting } from './drop.ts';
import { endedEvent } from './tell.ts';

/** Calls of one transaction. It holds SQLite's only writer, and the event loop: some ten milliseconds. */
const BATCH = 256;

export const runDueCalls = (gateway: Gateway, alone: Alone) =>
  runCrowd(gateway, { lane: 'calls', batch: BATCH, ...alone }, async (tx, due) => {
    // Who answers a call at this moment decides about it: it is left for the next look, and nobody waits for anybody.
    const calls = await lockFreeCalls(
      tx,
      due.map(({ subjectId }) => subjectId),
    );
    const later = await expireCalls(tx, gateway, calls);
    await settleJobs(
      tx,
      'call.expire',
      calls.map(({ id }) => id),
      later,
    );
    return calls.length;
  });

/** One of them for itself. */
export async function expireCall(gateway: Gateway, callId: string): Promise<void> {
  await gateway.db.write(async (tx) => {
    const call = await lockCall(tx, callId);
    if (call !== undefined) await settleJobs(tx, 'call.expire', [], await expireCalls(tx, gateway, [call]));
  });
  gateway.wake();
}

/** Ends those of the locked calls that ring and whose time is over; when the time of the others that ring will be, by call. */
export async function expireCalls(tx: Writer, gateway: Gateway, calls: readonly Call[]): Promise<Map<string, Date>> {
  const at = gateway.now();
  const ringing = calls.filter(({ state }) => state === 'ringing');
  const over = ringing.filter((call) => !isOpen(call, at));
  for (const call of over) await dropMeeting(tx, gateway, call, 'call_expired');
  await Promise.all([
    setCallsExpired(
      tx,
      over.map(({ id }) => id),
      at,
    ),
    emitAll(
      tx,
      gateway,
      over.map((call) => endedEvent(call, 'call.expired')),
    ),
  ]);
  return new Map(ringing.filter((call) => isOpen(call, at)).map((call) => [call.id, openUntil(call)]));
}
