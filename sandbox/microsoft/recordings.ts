/** Recordings of scheduled meetings: list, one, and the bytes, which come whole whatever Range says. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { VIDEO, wholeFile } from '../media.ts';
import type { Env, Routes } from '../world.ts';
import { graphCaller, teamsUser } from './access.ts';
import { findMeeting } from './online-meetings.ts';
import { graphError, graphTime } from './state.ts';
import type { CallRecording, Microsoft, OnlineMeeting } from './state.ts';

export function microsoftRecordingRoutes(microsoft: Microsoft): Routes {
  const find = (c: Context<Env>): OnlineMeeting | Response => {
    const caller = graphCaller(microsoft, c, 'OnlineMeetingRecording.Read.All');
    if (caller instanceof Response) return caller;
    const user = teamsUser(microsoft, c, caller);
    return user instanceof Response ? user : findMeeting(microsoft, c, user);
  };
  const findRecording = (c: Context<Env>): { meeting: OnlineMeeting; recording: CallRecording } | Response => {
    const meeting = find(c);
    if (meeting instanceof Response) return meeting;
    const recording = visibleRecordings(meeting).find(({ id }) => id === c.req.param('recording'));
    return recording ? { meeting, recording } : graphError(c, microsoft, 404, 'NotFound', 'The recording does not exist.');
  };

  const routes = new Hono<Env>();
  for (const base of ['/v1.0/me/onlineMeetings/:meeting/recordings', '/v1.0/users/:user/onlineMeetings/:meeting/recordings'] as const) {
    routes
      .get(base, (c) => {
        const meeting = find(c);
        if (meeting instanceof Response) return meeting;
        const value = visibleRecordings(meeting).map((recording) => describeRecording(microsoft, meeting, recording));
        return c.json({ '@odata.count': value.length, value });
      })
      .get(`${base}/:recording`, (c) => {
        const found = findRecording(c);
        return found instanceof Response ? found : c.json(describeRecording(microsoft, found.meeting, found.recording));
      })
      .get(`${base}/:recording/content`, (c) => {
        const found = findRecording(c);
        return found instanceof Response ? found : wholeFile(VIDEO());
      });
  }
  return routes;
}

/** The API does not show recordings of meetings that have no calendar event. */
export const visibleRecordings = ({ eventId, recordings }: OnlineMeeting): readonly CallRecording[] => (eventId === null ? [] : recordings);

export function describeRecording({ world }: Microsoft, meeting: OnlineMeeting, recording: CallRecording): object {
  const { organizer } = meeting;
  return {
    id: recording.id,
    callId: recording.callId,
    contentCorrelationId: recording.callId,
    meetingId: meeting.id,
    createdDateTime: graphTime(recording.createdAt),
    endDateTime: graphTime(recording.endedAt),
    recordingContentUrl: `${world.origin}/v1.0/users/${organizer.id}/onlineMeetings/${meeting.id}/recordings/${encodeURIComponent(recording.id)}/content`,
    meetingOrganizer: {
      application: null,
      device: null,
      user: {
        '@odata.type': '#microsoft.graph.teamworkUserIdentity',
        id: organizer.id,
        displayName: null,
        userIdentityType: 'aadUser',
        tenantId: organizer.tenantId,
      },
    },
  };
}
