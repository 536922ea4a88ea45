/** The run of the vendor's meeting that goes on now: since when, until when the plan allows it, and whether the host is there. */
import type { Session } from '../domain/session.ts';
import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import { setRunningSince, type Meeting } from '../store/meetings.ts';
import { watchHost } from './host-watch.ts';
import { scheduleLimit } from './limit-timer.ts';

/** `sessions`: oldest first, of what the vendor told; a guess starts no countdown. */
export async function refreshLive(tx: Writer, gateway: Gateway, meeting: Meeting, sessions: readonly Session[]): Promise<void> {
  const running = sessions.findLast(({ endedAt }) => endedAt === null);
  // Of a meeting that is over by our own rules nothing is awaited any more, even if somebody is still inside.
  const counted = meeting.state === 'live' ? running : undefined;
  const since = counted?.startedAt ?? null;
  const known = meeting.runningSince?.getTime() === since?.getTime();
  const updated = known ? meeting : await setRunningSince(tx, meeting.id, since);
  await scheduleLimit(tx, gateway, updated);
  await watchHost(tx, gateway, updated, counted);
}
