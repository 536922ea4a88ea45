import { type Context, Hono } from 'hono';
import { APPS } from '../../../providers/approved.ts';
import type { Media } from '../../../providers/provider.ts';
import type { ProviderId } from '../../domain/apps.ts';
import { isFailure } from '../../domain/failure.ts';
import { hashToken } from '../../domain/token.ts';
import type { Gateway } from '../../gateway.ts';
import { noteView, openMedia, openRecordingLink, type OpenedRecording } from '../../recordings/view.ts';
import { findMarketplace } from '../../store/marketplaces.ts';
import { findMeeting, listAttendees } from '../../store/meetings.ts';
import { findRecordingByLink, type RecordingLink } from '../../store/recordings.ts';
import { pageHeaders } from './headers.ts';
import { languageFor, sendPage } from './page.ts';
import { recordingPage, type RecordingPageState } from './views/index.ts';

export const recordingPageRoutes = (gateway: Gateway) =>
  new Hono()
    .get('/r/:token', async (c) => {
      const opened = await openRecordingLink(gateway, c.req.param('token'));
      const { recording } = opened;
      return show(c, gateway, opened, {
        kind: 'published',
        expiresAt: recording.expiresAt!,
        // The page knows the files by their place; the vendor's ids stay inside.
        files: recording.files.map((file, index) => ({
          id: String(index),
          kind: file.kind as 'video',
          bytes: file.bytes,
          streamable: true,
        })),
        passcode: null,
      });
    })
    .get('/r/:token/media', async (c) => {
      const token = c.req.param('token');
      const opened = await openRecordingLink(gateway, token);
      const { recording, link } = opened;
      const asked = c.req.query('file');
      const firstVideo = recording.files.findIndex(({ kind }) => kind === 'video');
      const fileIndex = asked === undefined ? Math.max(firstVideo, 0) : /^\d{1,3}$/.test(asked) ? Number(asked) : -1;
      const range = oneRange(c.req.header('range'));
      const media = await openMedia(gateway, token, { fileIndex, range, signal: c.req.raw.signal });
      if (c.req.method === 'HEAD') await media.body.cancel();
      else if (isView(range, link)) await noteView(gateway, opened, (await findMeeting(gateway.db.read, recording.meetingId))!);
      return sendMedia(gateway, media, recording.files[fileIndex]?.kind ?? 'file', c.req.query('download') === '1');
    })
    .onError(async (error, c) => {
      const found = isFailure(error, 'gone')
        ? await findRecordingByLink(gateway.db.read, hashToken(c.req.param('token') ?? ''))
        : undefined;
      if (found === undefined) throw error;
      // Here it is published, and the vendor says that it has no such file any more.
      const state = closedState(found, gateway.now()) ?? { kind: 'revoked' };
      return show(c, gateway, found, state, 410);
    });

async function show(c: Context, gateway: Gateway, { link, recording }: OpenedRecording, state: RecordingPageState, status = 200) {
  const { db, now } = gateway;
  const meeting = (await findMeeting(db.read, recording.meetingId))!;
  const marketplace = await findMarketplace(db.read, recording.marketplaceId);
  const reader = (await listAttendees(db.read, [meeting.id])).find(({ customerId }) => customerId === link.customerId);
  const provider = meeting.provider as ProviderId;
  const view = recordingPage({
    language: languageFor(c, reader?.locale),
    now: now(),
    marketplace: marketplace?.name ?? null,
    token: c.req.param('token') ?? '',
    title: recording.title ?? meeting.title,
    app: { id: provider, name: APPS[provider].name },
    recordedAt: recording.startedAt,
    timeZone: meeting.timeZone,
    source: 'provider',
    state,
  });
  return sendPage(c, gateway, view, { status });
}

/** Why a link does not lead to its recording any more; undefined when it does. */
function closedState({ link, recording }: OpenedRecording, now: Date): RecordingPageState | undefined {
  if (link.revokedAt !== null || recording.state === 'revoked') return { kind: 'revoked' };
  if (recording.state === 'expired' || (recording.expiresAt !== null && recording.expiresAt <= now)) return { kind: 'expired' };
  return recording.state === 'withheld' ? { kind: 'withheld', reason: 'consent_missing' } : undefined;
}

/**
 * The page alone counts as no view: mail programs and messengers open every link to preview it. A view is a file asked for from its
 * beginning, as a player or a download does, and whatever is asked for first. Players that jump ask for more parts; those that begin with
 * two bytes to learn the length (Safari) count with the request after it.
 */
const isView = (range: string | undefined, { firstViewedAt }: RecordingLink): boolean =>
  range !== 'bytes=0-1' && (range === undefined || range.startsWith('bytes=0-') || firstViewedAt === null);

/** Only a single range of bytes is passed on; anything else is answered with the whole file, as RFC 9110 allows. */
const oneRange = (header: string | undefined): string | undefined =>
  header !== undefined && /^bytes=(\d{1,15}-\d{0,15}|-\d{1,15})$/.test(header) ? header : undefined;

function sendMedia({ config }: Gateway, media: Media, name: string, download: boolean): Response {
  const headers = {
    ...pageHeaders({ secure: config.publicUrl.startsWith('https:') }),
    'content-type': media.contentType,
    ...(media.contentLength === null ? {} : { 'content-length': String(media.contentLength) }),
    ...(media.contentRange === null ? {} : { 'content-range': media.contentRange }),
    // Said only where the vendor proved it: Graph documents no ranges.
    ...(media.status === 200 ? {} : { 'accept-ranges': 'bytes' }),
    ...(download
      ? {
          'content-disposition': `attachment; filename="${name}.${media.contentType.split('/')[1]?.replaceAll(/[^a-z0-9]/g, '') ?? 'bin'}"`,
        }
      : {}),
  };
  return new Response(media.body, { status: media.status, headers });
}
