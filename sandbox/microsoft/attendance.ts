/** Attendance reports: one for each run, once it is over. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import type { Env, Routes } from '../world.ts';
import { graphCaller, teamsUser } from './access.ts';
import { findMeeting } from './online-meetings.ts';
import { graphError, graphTime } from './state.ts';
import type { Microsoft, OnlineMeeting } from './state.ts';

export function microsoftAttendanceRoutes(microsoft: Microsoft): Routes {
  const find = (c: Context<Env>): OnlineMeeting | Response => {
    const caller = graphCaller(microsoft, c, 'OnlineMeetingArtifact.Read.All');
    if (caller instanceof Response) return caller;
    const user = teamsUser(microsoft, c, caller);
    return user instanceof Response ? user : findMeeting(microsoft, c, user);
  };
  const routes = new Hono<Env>();
  for (const base of [
    '/v1.0/me/onlineMeetings/:meeting/attendanceReports',
    '/v1.0/users/:user/onlineMeetings/:meeting/attendanceReports',
  ] as const) {
    routes
      .get(base, (c) => {
        const meeting = find(c);
        if (meeting instanceof Response) return meeting;
        return c.json({
          value: ended(meeting).map(({ reportId, startedAt, endedAt, participants }) => ({
            id: reportId,
            totalParticipantCount: participants.length,
            meetingStartDateTime: graphTime(startedAt),
            meetingEndDateTime: graphTime(endedAt),
            // The list never has them.
            attendanceRecords: [],
          })),
        });
      })
      .get(`${base}/:report/attendanceRecords`, (c) => {
        const meeting = find(c);
        if (meeting instanceof Response) return meeting;
        const session = ended(meeting).find(({ reportId }) => reportId === c.req.param('report'));
        if (!session) return graphError(c, microsoft, 404, 'NotFound', 'The report does not exist.');
        return c.json({ value: session.participants.map((person) => describe(meeting, person, session.endedAt)) });
      });
  }
  return routes;
}

type Session = OnlineMeeting['sessions'][number];

const ended = ({ sessions }: OnlineMeeting): (Session & { endedAt: Date })[] =>
  sessions.filter((session): session is Session & { endedAt: Date } => session.endedAt !== null);

function describe({ organizer }: OnlineMeeting, { name, user, joinedAt, leftAt }: Session['participants'][number], endedAt: Date): object {
  const left = leftAt ?? endedAt;
  const seconds = Math.round((left.getTime() - joinedAt.getTime()) / 1000);
  return {
    emailAddress: user?.email ?? null,
    totalAttendanceInSeconds: seconds,
    role: user === organizer ? 'Organizer' : 'Attendee',
    identity: user === null ? null : { id: user.id, displayName: name, tenantId: user.tenantId },
    attendanceIntervals: [{ joinDateTime: graphTime(joinedAt), leaveDateTime: graphTime(left), durationInSeconds: seconds }],
  };
}
