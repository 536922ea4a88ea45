/** Keeps what is shown of a running meeting in step with what is known of its runs. */
import type { Session } from '../domain/session.ts';
import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import { setMeetingLive, type Meeting } from '../store/meetings.ts';
import { watchHost } from './host-watch.ts';
import { scheduleLimit } from './limit-timer.ts';

export async function refreshLive(tx: Writer, gateway: Gateway, meeting: Meeting, sessions: readonly Session[]): Promise<void> {
  const session = sessions.findLast(({ endedAt }) => endedAt === null);
  const runningSince = session?.startedAt ?? null;
  if (runningSince?.getTime() !== meeting.runningSince?.getTime()) await setMeetingLive(tx, meeting.id, { runningSince });
  const updated = { ...meeting, runningSince };
  await scheduleLimit(tx, gateway, updated);
  await watchHost(tx, gateway, updated, session);
}
