/** Downloads: a Bearer token in the header, with byte ranges. Tokens in the URL are refused, as since 2023. */
import { Hono } from 'hono';
import { unixSeconds } from '../clock.ts';
import { AUDIO, TRANSCRIPT, VIDEO, fileOrRange } from '../media.ts';
import type { Env, Routes } from '../world.ts';
import { readOwn, zoomError } from './state.ts';
import type { Zoom, ZoomRecording } from './state.ts';

const FILES = { MP4: VIDEO, M4A: AUDIO, TRANSCRIPT, CC: TRANSCRIPT } as const;

export function zoomMediaRoutes(zoom: Zoom): Routes {
  const { state, world } = zoom;

  const mayRead = (authorization: string | undefined, recording: ZoomRecording): boolean => {
    const token = world.oauth.access(authorization, 'zoom');
    if (token) {
      const user = state.users.find(({ id }) => id === token.grant.userId);
      return user ? user === recording.meeting.host : recording.meeting.host.accountId === zoom.options.accountId;
    }
    const claims = readOwn(zoom.key, /^Bearer (.+)$/i.exec(authorization ?? '')?.[1] ?? '');
    return claims?.['mid'] === recording.uuid && Number(claims['exp']) > unixSeconds(world.agenda.now());
  };

  return new Hono<Env>()
    .get('/rec/webhook_download/:file', (c) => c.redirect(`${world.origin}/rec/download/${c.req.param('file')}`, 302))

    .get('/rec/download/:file', (c) => {
      const recording = state.recordings.find(({ files }) => files.some(({ id }) => id === c.req.param('file')));
      const file = recording?.files.find(({ id }) => id === c.req.param('file'));
      if (!recording || !file || recording.state === 'trashed') return zoomError(c, 404, 3301, 'There is no recording for this meeting.');
      if (!mayRead(c.req.header('authorization'), recording)) return zoomError(c, 401, 124, 'Invalid access token.');
      return fileOrRange(FILES[file.fileType](), c.req.header('range'));
    })

    .get('/rec/play/:file', (c) => c.text('The page on which Zoom plays the recording is not part of the sandbox.'))
    .get('/rec/share/:code', (c) => {
      const recording = state.recordings.find(({ passcode }) => passcode === c.req.param('code'));
      if (!recording || recording.state === 'trashed') return c.text('This recording does not exist.', 404);
      return recording.settings['share_recording'] === 'publicly'
        ? c.text('The page on which Zoom shares the recording is not part of the sandbox.')
        : c.text('The recording is not shared.', 403);
    });
}
