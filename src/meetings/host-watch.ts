/**
 * A host that is away from a running meeting counts as lost after a while (R06). It is told whether or not a customer is there: the
 * marketplace may want to call the host before the customer comes, and vendors do not always tell who is a customer.
 */
import { APPS } from '../../providers/approved.ts';
import { hostNews } from '../domain/absence.ts';
import type { ProviderId } from '../domain/apps.ts';
import type { Session } from '../domain/session.ts';
import { plus, SECOND } from '../domain/time.ts';
import { emitAll } from '../events/emit.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import type { Writer } from '../store/database.ts';
import { cancelJob, scheduleJob } from '../store/jobs.ts';
import { setHostsLost, setMeetingLive, type Meeting, type TimedMeeting } from '../store/meetings.ts';
import { meetingEvent, tellMeeting } from './tell.ts';
import type { Timer } from './timers.ts';

/** Brings the host's absence in step with the run that goes on; call it with the meeting as it is now. */
export async function watchHost(tx: Writer, gateway: Gateway, meeting: Meeting, session: Session | undefined): Promise<void> {
  const { id, hostAwaySince, hostLostAt } = meeting;
  const watched = session !== undefined && APPS[meeting.provider as ProviderId].features.includes('live_events');
  const { away, lost, back } = watched
    ? hostNews(session, { away: hostAwaySince, lost: hostLostAt !== null })
    : { away: null, lost: false, back: null };
  if (back !== null) {
    await tellMeeting(tx, gateway, meeting, 'meeting.host_back', back.since.toISOString(), {
      since: back.since.toISOString(),
      away_seconds: Math.round(back.awayMs / SECOND),
    });
  }
  if (away?.getTime() === hostAwaySince?.getTime() && lost === (hostLostAt !== null)) return;
  await setMeetingLive(tx, id, { hostAwaySince: away, hostLostAt: lost ? hostLostAt : null });
  if (away === null || lost) await cancelJob(tx, { kind: 'meeting.host', subjectId: id });
  else {
    const { host_lost_after_seconds: seconds } = await policyFor(tx, meeting);
    if (seconds > 0) await scheduleJob(tx, { kind: 'meeting.host', subjectId: id, dueAt: plus(away, seconds * SECOND) });
  }
}

/** Job `meeting.host`: the host has been away for long enough. */
export const tellLostHosts: Timer = async (tx, gateway, meetings, policyOf) => {
  const now = gateway.now();
  const lost: TimedMeeting[] = [];
  const looks = new Map<string, Date>();
  for (const meeting of meetings) {
    if (meeting.hostAwaySince === null || meeting.hostLostAt !== null) continue;
    const { host_lost_after_seconds: seconds } = await policyOf(meeting);
    if (seconds === 0) continue;
    const lostAt = plus(meeting.hostAwaySince, seconds * SECOND);
    if (lostAt > now) looks.set(meeting.id, lostAt);
    else lost.push(meeting);
  }
  await setHostsLost(
    tx,
    lost.map(({ id }) => id),
    now,
  );
  await emitAll(
    tx,
    gateway,
    lost.map((meeting) => {
      const since = meeting.hostAwaySince!.toISOString();
      return meetingEvent(meeting, 'meeting.host_lost', since, { since });
    }),
  );
  return looks;
};
