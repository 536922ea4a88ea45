/** The run of the vendor's meeting that goes on now: since when, until when the plan allows it, and whether the host is there. */
import type { Session } from '../domain/session.ts';
import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import { setMeetingLive, type Meeting } from '../store/meetings.ts';
import { watchHost } from './host-watch.ts';
import { scheduleLimit } from './limit-timer.ts';

/** `sessions`: oldest first, of what the vendor told; a guess starts no countdown. */
export async function refreshLive(tx: Writer, gateway: Gateway, meeting: Meeting, sessions: readonly Session[]): Promise<void> {
  const running = sessions.findLast(({ endedAt }) => endedAt === null);
  // Of a meeting that is over by our own rules nothing is awaited any more, even if somebody is still inside.
  const counted = meeting.state === 'live' ? running : undefined;
  const since = counted?.startedAt ?? null;
  if (meeting.runningSince?.getTime() !== since?.getTime()) await setMeetingLive(tx, meeting.id, { runningSince: since });
  const updated = { ...meeting, runningSince: since };
  await scheduleLimit(tx, gateway, updated);
  await watchHost(tx, gateway, updated, counted);
}
