/** What a vendor that tells nothing of a running meeting reports after its end. */
import type { AttendanceReport } from '../../providers/provider.ts';
import { atVendor } from '../connections/account.ts';
import type { ProviderId } from '../domain/apps.ts';
import { joinWindow } from '../domain/meeting.ts';
import type { Fact } from '../domain/session.ts';
import { DAY, MINUTE, plus } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import { findConnection } from '../store/connections.ts';
import type { Writer } from '../store/database.ts';
import { scheduleJob } from '../store/jobs.ts';
import { findMeeting, type Meeting } from '../store/meetings.ts';
import { noteFacts } from './facts.ts';
import { meetingRef } from './link.ts';
import { NOBODY, sideOf } from './side.ts';

/** Reports take minutes to appear, by what users tell, and people stay longer than they booked. Each wait doubles the time since the end. */
const FIRST_WAIT_MS = 15 * MINUTE;
const LAST_LOOK_MS = DAY;

/** Plans the first look, where the vendor has reports. */
export async function lookForAttendance(tx: Writer, { providers, now }: Gateway, meeting: Meeting): Promise<void> {
  if (meeting.linkSource !== 'created' || providers.get(meeting.provider as ProviderId)?.attendance === undefined) return;
  await scheduleJob(tx, { kind: 'meeting.attendance', subjectId: meeting.id, dueAt: now() });
}

/** Job `meeting.attendance`. A report that was read before adds nothing. */
export async function readAttendance(gateway: Gateway, meetingId: string): Promise<void> {
  const { db, now, providers } = gateway;
  const meeting = await findMeeting(db.read, meetingId);
  const ref = meeting && meetingRef(gateway, meeting);
  const connection = meeting?.connectionId ? await findConnection(db.read, meeting.connectionId) : undefined;
  const attendance = meeting && providers.get(meeting.provider as ProviderId)?.attendance;
  if (meeting === undefined || ref === undefined || connection?.status !== 'active' || attendance === undefined) return;
  // What was not allowed is not asked for: the estimate stays one.
  if (!attendance.scopes.every((scope) => connection.scopes.includes(scope))) return;
  const reports = await atVendor(gateway, connection, (_, account) => attendance.list(account, ref));
  await db.write(async (tx) => {
    for (const report of reports) await noteFacts(tx, gateway, meeting, await factsOf(tx, gateway, meeting, report));
    const { closesAt } = joinWindow(await policyFor(tx, meeting), meeting);
    const past = now().getTime() - closesAt.getTime();
    if (past >= LAST_LOOK_MS) return;
    await scheduleJob(tx, { kind: 'meeting.attendance', subjectId: meeting.id, dueAt: plus(now(), Math.max(past, FIRST_WAIT_MS)) });
  });
}

async function factsOf(tx: Writer, gateway: Gateway, meeting: Meeting, report: AttendanceReport): Promise<Fact[]> {
  const common = { instanceId: report.id, limitReached: false, source: 'attendance' } as const;
  const run = { ...common, ...NOBODY, participantId: null };
  const facts: Fact[] = [
    { ...run, kind: 'started', at: report.startedAt },
    { ...run, kind: 'ended', at: report.endedAt },
  ];
  for (const { id, userId, stays } of report.people) {
    const person = { ...common, ...(await sideOf(tx, gateway, meeting, userId)), participantId: id };
    for (const { joinedAt, leftAt } of stays) {
      facts.push({ ...person, kind: 'joined', at: joinedAt }, { ...person, kind: 'left', at: leftAt });
    }
  }
  return facts;
}
