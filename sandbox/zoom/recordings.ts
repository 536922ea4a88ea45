import { Hono } from 'hono';
import type { Context } from 'hono';
import { z } from 'zod';
import { SECOND, plus, seconds, unixSeconds } from '../clock.ts';
import type { Env, Routes } from '../world.ts';
import { callerOf, pathUser, readMeetingSegment } from './access.ts';
import { fireRecording, moveRecording } from './happenings.ts';
import { describeRecording } from './recording-answers.ts';
import { signOwn, zoomError } from './state.ts';
import type { Zoom, ZoomRecording } from './state.ts';

/** Default and maximum of the parameter `ttl`, in seconds. */
const TOKEN_TTL_S = { standard: 3_600, maximum: 604_800 };

export function zoomRecordingRoutes(zoom: Zoom): Routes {
  const { world, state } = zoom;
  const removed = (c: Context<Env>, recording: ZoomRecording, fileId: string | null): Response => {
    const { meeting, uuid } = recording;
    if (state.withoutDeleting.has(meeting.host.id)) return zoomError(c, 400, 200, 'No permission.');
    if (meeting.instances.some((instance) => instance.uuid === uuid && instance.endedAt === null)) {
      return zoomError(c, 400, 3303, 'You cannot delete a recording of an uncompleted meeting.');
    }
    const permanently = c.req.query('action') === 'delete';
    const event = permanently ? 'recording.deleted' : 'recording.trashed';
    if (fileId === null) moveRecording(zoom, recording, permanently ? 'delete' : 'trash');
    else {
      const files = recording.files.filter(({ id }) => id === fileId);
      if (files.length === 0) return zoomError(c, 404, 3301, 'There is no recording for this meeting.');
      recording.files = recording.files.filter(({ id }) => id !== fileId);
      fireRecording(zoom, { ...recording, files }, event);
    }
    return c.body(null, 204);
  };

  return new Hono<Env>()
    .get('/v2/meetings/:meeting/recordings', (c) => {
      const recording = pathRecording(zoom, c, 'cloud_recording:read:list_recording_files');
      if (recording instanceof Response) return recording;
      const wantsToken = c.req.query('include_fields')?.split(',').includes('download_access_token') ?? false;
      const ttl = Math.min(Number(c.req.query('ttl') ?? TOKEN_TTL_S.standard), TOKEN_TTL_S.maximum);
      const exp = unixSeconds(plus(world.agenda.now(), ttl * SECOND));
      return c.json({
        ...describeRecording(zoom, recording, 'api'),
        password: recording.passcode.slice(0, 10),
        ...(wantsToken ? { download_access_token: signOwn(zoom.key, { mid: recording.uuid, exp }) } : {}),
      });
    })

    .get('/v2/users/:user/recordings', (c) => {
      const caller = callerOf(zoom, c, 'cloud_recording:read:list_user_recordings');
      if (caller instanceof Response) return caller;
      const user = pathUser(zoom, c, caller);
      if (user instanceof Response) return user;
      const today = world.agenda.now().toISOString().slice(0, 10);
      const from = c.req.query('from') ?? today;
      const to = c.req.query('to') ?? today;
      const trash = c.req.query('trash') === 'true';
      const meetings = state.recordings.filter((recording) => {
        const day = recording.startedAt.toISOString().slice(0, 10);
        return recording.meeting.host === user && (recording.state === 'trashed') === trash && (trash || (day >= from && day <= to));
      });
      return c.json({
        from,
        to,
        page_count: 1,
        page_size: Math.min(Number(c.req.query('page_size') ?? 30), 300),
        total_records: meetings.length,
        next_page_token: '',
        meetings: meetings.map((recording) => describeRecording(zoom, recording, 'list')),
      });
    })

    .get('/v2/meetings/:meeting/recordings/settings', (c) => {
      const recording = pathRecording(zoom, c, 'cloud_recording:read:recording_settings');
      return recording instanceof Response
        ? recording
        : c.json({ ...recording.settings, topic: recording.meeting.topic, auto_delete: false });
    })

    .patch('/v2/meetings/:meeting/recordings/settings', async (c) => {
      const recording = pathRecording(zoom, c, 'cloud_recording:update:recording_settings');
      if (recording instanceof Response) return recording;
      const body = z.record(z.string(), z.unknown()).safeParse(await c.req.json().catch(() => undefined));
      if (!body.success) return zoomError(c, 400, 300, 'Request Body should be a valid JSON object.');
      const dropped = body.data['share_recording'] === 'publicly' && state.withoutSharing.has(recording.meeting.host.id);
      recording.settings = { ...recording.settings, ...body.data, ...(dropped ? { share_recording: 'internally' } : {}) };
      return c.body(null, 204);
    })

    .delete('/v2/meetings/:meeting/recordings', (c) => {
      const recording = pathRecording(zoom, c, 'cloud_recording:delete:meeting_recording');
      return recording instanceof Response ? recording : removed(c, recording, null);
    })

    .delete('/v2/meetings/:meeting/recordings/:file', (c) => {
      const recording = pathRecording(zoom, c, 'cloud_recording:delete:recording_file');
      return recording instanceof Response ? recording : removed(c, recording, c.req.param('file'));
    })

    .put('/v2/meetings/:meeting/recordings/status', async (c) => {
      const recording = pathRecording(zoom, c, 'cloud_recording:update:recover_meeting_recordings', 'trashed');
      if (recording instanceof Response) return recording;
      const body = z.object({ action: z.literal('recover') }).safeParse(await c.req.json().catch(() => undefined));
      if (!body.success) return zoomError(c, 400, 300, 'Invalid action.');
      moveRecording(zoom, recording, 'recover');
      return c.body(null, 200);
    })

    .get('/v2/past_meetings/:meeting', (c) => {
      const caller = callerOf(zoom, c, 'meeting:read:past_meeting');
      if (caller instanceof Response) return caller;
      const named = readMeetingSegment(c.req.param('meeting'));
      const meeting = state.meetings.find(
        ({ id, host, instances }) =>
          host.accountId === caller.accountId && (String(id) === named || instances.some(({ uuid }) => uuid === named)),
      );
      const instance = meeting?.instances.findLast(
        ({ uuid, endedAt }) => endedAt !== null && (uuid === named || String(meeting.id) === named),
      );
      if (!meeting || !instance?.endedAt) return zoomError(c, 404, 3001, `Meeting does not exist: ${c.req.param('meeting')}.`);
      if (meeting.host.type !== 2) return zoomError(c, 400, 200, `Only available for paid account: ${meeting.host.accountId}.`);
      const minutes = Math.ceil((instance.endedAt.getTime() - instance.startedAt.getTime()) / 60_000);
      return c.json({
        id: meeting.id,
        uuid: instance.uuid,
        duration: minutes,
        start_time: seconds(instance.startedAt),
        end_time: seconds(instance.endedAt),
        host_id: meeting.host.id,
        participants_count: instance.participants.length,
        topic: meeting.topic,
        total_minutes: minutes * instance.participants.length,
        type: meeting.type,
        user_email: meeting.host.email,
        user_name: `${meeting.host.firstName} ${meeting.host.lastName}`,
      });
    });
}

/** By number: the latest instance that was recorded. By uuid: that one. */
function pathRecording(zoom: Zoom, c: Context<Env>, scope: string, wanted: ZoomRecording['state'] = 'available'): ZoomRecording | Response {
  const caller = callerOf(zoom, c, scope);
  if (caller instanceof Response) return caller;
  const segment = c.req.param('meeting') ?? '';
  const named = readMeetingSegment(segment);
  const known = zoom.state.meetings.some(
    ({ id, uuid, host, instances }) =>
      host.accountId === caller.accountId &&
      (String(id) === named || uuid === named || instances.some((instance) => instance.uuid === named)),
  );
  if (!known) return zoomError(c, 404, 3001, `Meeting does not exist: ${segment}.`);
  const recording = zoom.state.recordings.findLast(
    ({ uuid, meeting, state }) => state === wanted && (uuid === named || String(meeting.id) === named),
  );
  return recording ?? zoomError(c, 404, 3301, 'There is no recording for this meeting.');
}
