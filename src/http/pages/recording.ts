import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type Context, Hono } from 'hono';
import { APPS } from '../../../providers/approved.ts';
import type { Media } from '../../../providers/provider.ts';
import type { ProviderId } from '../../domain/apps.ts';
import { followedAddress } from '../../domain/approved-storage.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { policyOf } from '../../domain/presets/index.ts';
import type { WithheldReason } from '../../domain/recording.ts';
import { hashToken } from '../../domain/token.ts';
import type { Gateway } from '../../gateway.ts';
import { isRedirected, openShare } from '../../recordings/share.ts';
import { storedLink, type StoredLink } from '../../recordings/stored-link.ts';
import { noteView, openMedia, openRecordingLink } from '../../recordings/view.ts';
import { findRecordingByLink, type LinkedRecording, type OpenedLink, type OpenedRecording } from '../../store/recordings.ts';
import { pageHeaders } from './headers.ts';
import { languageFor, onlyLooks, sendPage } from './page.ts';
import { passOn } from './pass-on.ts';
import { stayOpenWhile } from './stay-open.ts';
import { recordingPage, type RecordingPageState, type RecordingSource } from './views/index.ts';

export const recordingPageRoutes = (gateway: Gateway) =>
  new Hono()
    .get('/r/:token', async (c) => {
      const opened = await openRecordingLink(gateway, c.req.param('token'));
      return show(c, gateway, opened, await openState(gateway, opened, { streams: c.req.query('here') === '1' }));
    })
    .get('/r/:token/media', async (c) => {
      const opened = await openRecordingLink(gateway, c.req.param('token'));
      const { recording, link } = opened;
      if (await liesElsewhere(gateway, opened)) {
        if (onlyLooks(c)) return c.body(null, 204);
        const place = await elsewhere(gateway, opened);
        const back = `/r/${encodeURIComponent(c.req.param('token'))}`;
        if (place !== undefined) {
          if (place.passcode !== null && place.passcode !== passcodeSeen(c, gateway, opened)) return c.redirect(back, 303);
          await noteView(gateway, opened);
          return c.redirect(place.url, 303);
        }
        if (isButton(c)) return c.redirect(`${back}?here=1`, 303);
      }
      const asked = c.req.query('file');
      const firstVideo = recording.files.findIndex(({ kind }) => kind === 'video');
      const fileIndex = asked === undefined ? Math.max(firstVideo, 0) : /^\d{1,3}$/.test(asked) ? Number(asked) : -1;
      const file = recording.files[fileIndex];
      if (file === undefined) throw new Failure('not_found', 'There is no such file.');
      const download = c.req.query('download') === '1';
      // Programs that preview links ask this way, too: the vendor is not bothered with them, and says alone how long the file is.
      if (c.req.method === 'HEAD') return c.body(null, 200, mediaHeaders(gateway, file, download));
      const range = oneRange(c.req.header('range'));
      const media = await openMedia(gateway, opened, { fileId: file.id, range, signal: c.req.raw.signal });
      if (isView(range, link)) await noteView(gateway, opened);
      // A player holds one answer for as long as it plays.
      const check = () => openRecordingLink(gateway, c.req.param('token'));
      return sendMedia(c, gateway, media, { kind: file.kind, download, check });
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

/** An operator is never sent to the vendor's page: that would have to be opened for everybody first. */
const liesElsewhere = async (gateway: Gateway, { link, recording, meeting, marketplace }: LinkedRecording): Promise<boolean> =>
  recording.source === 'upload' || (link.kind === 'recipient' && (await isRedirected(gateway, policyOf(marketplace), meeting)));

/**
 * Where the media lie, opened there at this moment and never for who only looks at the page: programs open every link to preview it.
 * Undefined when the account forbids the vendor's page, so that they are streamed all the same.
 */
async function elsewhere(gateway: Gateway, { recording, meeting, marketplace }: LinkedRecording): Promise<StoredLink | undefined> {
  // Its passcode was on the page from the first.
  if (recording.source === 'upload')
    return { url: followedAddress(storedLink(gateway, recording).url, policyOf(marketplace)), passcode: null };
  // Each time anew: the account's owner may have closed the page.
  return openShare(gateway, meeting, recording);
}

/** `streams`: the vendor's page was tried and is not to be had. */
async function openState(gateway: Gateway, opened: LinkedRecording, { streams }: { streams: boolean }): Promise<RecordingPageState> {
  const { link, recording } = opened;
  const open = { kind: 'published' as const, expiresAt: link.expiresAt ?? recording.expiresAt! };
  if (recording.source === 'upload' || (!streams && (await liesElsewhere(gateway, opened)))) {
    const kind = recording.source === 'upload' ? 'other' : 'video';
    const passcode = recording.source === 'upload' ? storedLink(gateway, recording).passcode : passcodeOf(gateway, recording);
    return { ...open, files: [{ id: '0', kind, bytes: null, streamable: false }], passcode };
  }
  // The page knows the files by their place; the vendor's ids stay inside.
  const files = recording.files.map((file, index) => ({
    id: String(index),
    kind: file.kind as 'video',
    bytes: file.bytes,
    streamable: true,
  }));
  return { ...open, files, passcode: null };
}

/** What the vendor's page asks for; null as well before the first click, which opens it. */
const passcodeOf = (gateway: Gateway, recording: OpenedRecording): string | null =>
  recording.linkSealed === null ? null : storedLink(gateway, recording).passcode;

/** The passcode that whoever clicks has read: the button of a page that shows one says so. */
const passcodeSeen = (c: Context, gateway: Gateway, { recording }: LinkedRecording): string | null =>
  c.req.query('passcode') === 'seen' ? passcodeOf(gateway, recording) : null;

/** A click on the page's button, and no player that asks for its film. */
const isButton = (c: Context): boolean => c.req.header('sec-fetch-dest') === 'document' && c.req.query('download') === undefined;

function show(c: Context, gateway: Gateway, opened: LinkedRecording, state: RecordingPageState, status = 200) {
  const { link, recording, meeting, marketplace, locale } = opened;
  const provider = meeting.provider as ProviderId;
  const view = recordingPage({
    language: languageFor(c, locale),
    now: gateway.now(),
    marketplace: marketplace.name,
    token: c.req.param('token') ?? '',
    title: recording.title ?? meeting.title,
    app: recording.source === 'upload' ? null : { id: provider, name: APPS[provider].name },
    recordedAt: recording.startedAt,
    timeZone: meeting.timeZone,
    source: recording.source as RecordingSource,
    uses: policyOf(marketplace).recording.uses,
    access: link.kind === 'operator' ? { incidentId: link.incidentId ?? '' } : null,
    state,
  });
  return sendPage(c, gateway, view, { status });
}

/** Why a recipient's link does not lead to its recording any more; undefined when it does. */
function closedState({ link, recording }: LinkedRecording, now: Date): RecordingPageState | undefined {
  if (link.kind === 'operator') return undefined;
  if (link.revokedAt !== null || recording.state === 'revoked') return { kind: 'revoked' };
  if (recording.state === 'expired' || (recording.expiresAt !== null && recording.expiresAt <= now)) return { kind: 'expired' };
  if (recording.state !== 'withheld') return undefined;
  return { kind: 'withheld', reason: (recording.reason ?? 'consent_missing') as WithheldReason };
}

/**
 * The page alone counts as no view: mail programs and messengers open every link to preview it. A view is a file asked for from its
 * beginning, as a player or a download does, and whatever is asked for first. Players that jump ask for more parts; those that begin with
 * two bytes to learn the length (Safari) count with the request after it.
 */
const isView = (range: string | undefined, { firstViewedAt }: OpenedLink): boolean =>
  range !== 'bytes=0-1' && (range === undefined || range.startsWith('bytes=0-') || firstViewedAt === null);

/** Only a single range of bytes is passed on; anything else is answered with the whole file, as RFC 9110 allows. */
const oneRange = (header: string | undefined): string | undefined =>
  header !== undefined && /^bytes=(\d{1,15}-\d{0,15}|-\d{1,15})$/.test(header) ? header : undefined;

/** `check` throws once it may not be shown any more. */
function sendMedia(
  c: Context,
  gateway: Gateway,
  media: Media,
  { kind, download, check }: { kind: string; download: boolean; check: () => Promise<unknown> },
): Response {
  const { outgoing } = c.env as HttpBindings;
  const answer = c.body(null, media.status, {
    ...mediaHeaders(gateway, { kind, contentType: media.contentType }, download),
    ...(media.contentLength === null ? {} : { 'content-length': String(media.contentLength) }),
    ...(media.contentRange === null ? {} : { 'content-range': media.contentRange }),
    // Said only where the vendor proved it: Graph documents no ranges.
    ...(media.status === 200 ? {} : { 'accept-ranges': 'bytes' }),
  });
  outgoing.writeHead(media.status, Object.fromEntries(answer.headers));
  stayOpenWhile(outgoing, check);
  void passOn(media.body, media.contentLength, outgoing);
  return RESPONSE_ALREADY_SENT;
}

/** Ours alone: nothing that the vendor says about itself goes on to the browser. */
const mediaHeaders = ({ config }: Gateway, { kind, contentType }: { kind: string; contentType: string }, download: boolean) => ({
  ...pageHeaders({ secure: config.publicUrl.startsWith('https:') }),
  'content-type': contentType,
  ...(download
    ? { 'content-disposition': `attachment; filename="${kind}.${contentType.split('/')[1]?.replaceAll(/[^a-z0-9]/g, '') ?? 'bin'}"` }
    : {}),
});
