import { type Context, Hono } from 'hono';
import { APPS } from '../../../providers/approved.ts';
import type { Media } from '../../../providers/provider.ts';
import type { ProviderId } from '../../domain/apps.ts';
import { isFailure } from '../../domain/failure.ts';
import type { Policy } from '../../domain/policy.ts';
import { policyOf } from '../../domain/presets/index.ts';
import type { WithheldReason } from '../../domain/recording.ts';
import { hashToken } from '../../domain/token.ts';
import type { Gateway } from '../../gateway.ts';
import { isRedirected, openShare } from '../../recordings/share.ts';
import { followedUpload, storedLink } from '../../recordings/upload.ts';
import { noteView, openMedia, openRecordingLink, type OpenedRecording } from '../../recordings/view.ts';
import { findMarketplace, type Marketplace } from '../../store/marketplaces.ts';
import { findMeeting, listAttendees, type Meeting } from '../../store/meetings.ts';
import { findRecordingByLink, type Recording, type RecordingLink } from '../../store/recordings.ts';
import { pageHeaders } from './headers.ts';
import { languageFor, sendPage } from './page.ts';
import { recordingPage, type RecordingPageState, type RecordingSource } from './views/index.ts';

export const recordingPageRoutes = (gateway: Gateway) =>
  new Hono()
    .get('/r/:token', async (c) => {
      const opened = await openRecordingLink(gateway, c.req.param('token'));
      const origin = await originOf(gateway, opened.recording);
      return show(c, gateway, opened, origin, await openState(c, gateway, opened, origin));
    })
    .get('/r/:token/media', async (c) => {
      const token = c.req.param('token');
      const opened = await openRecordingLink(gateway, token);
      const { recording, link } = opened;
      const origin = await originOf(gateway, recording);
      if (await liesElsewhere(gateway, opened, origin)) {
        // Whoever only looks at a link is not told where it leads.
        if (c.req.method === 'HEAD' || isPrefetch(c)) return c.body(null, 204);
        const url = await elsewhere(gateway, opened, origin);
        if (url !== undefined) {
          await noteView(gateway, opened, origin.meeting);
          return c.redirect(url, 303);
        }
      }
      const asked = c.req.query('file');
      const firstVideo = recording.files.findIndex(({ kind }) => kind === 'video');
      const fileIndex = asked === undefined ? Math.max(firstVideo, 0) : /^\d{1,3}$/.test(asked) ? Number(asked) : -1;
      const range = oneRange(c.req.header('range'));
      const media = await openMedia(gateway, token, { fileIndex, range, signal: c.req.raw.signal });
      if (c.req.method === 'HEAD') await media.body.cancel();
      else if (isView(range, link)) await noteView(gateway, opened, origin.meeting);
      return sendMedia(gateway, media, recording.files[fileIndex]?.kind ?? 'file', c.req.query('download') === '1');
    })
    .onError(async (error, c) => {
      const found = isFailure(error, 'gone')
        ? await findRecordingByLink(gateway.db.read, hashToken(c.req.param('token') ?? ''))
        : undefined;
      const state = found && closedState(found, gateway.now());
      if (found === undefined || state === undefined) throw error;
      return show(c, gateway, found, await originOf(gateway, found.recording), state, 410);
    });

/** What a recording belongs to. */
interface Origin {
  readonly meeting: Meeting;
  readonly marketplace: Marketplace;
  readonly policy: Policy;
}

async function originOf({ db }: Gateway, { meetingId, marketplaceId }: Recording): Promise<Origin> {
  const meeting = (await findMeeting(db.read, meetingId))!;
  const marketplace = (await findMarketplace(db.read, marketplaceId))!;
  return { meeting, marketplace, policy: policyOf(marketplace) };
}

/** An operator is never sent to the vendor's page: that would have to be opened for everybody first. */
const liesElsewhere = async (gateway: Gateway, { link, recording }: OpenedRecording, { meeting, policy }: Origin): Promise<boolean> =>
  recording.source === 'upload' || (link.kind === 'recipient' && (await isRedirected(gateway, policy, meeting)));

/** Where the media lie; undefined when the account forbids the vendor's page, so that they are streamed all the same. */
async function elsewhere(gateway: Gateway, { recording }: OpenedRecording, { meeting, policy }: Origin): Promise<string | undefined> {
  if (recording.source === 'upload') return followedUpload(gateway, policy, recording);
  // Each time anew: the account's owner may have closed the page.
  return (await openShare(gateway, meeting, recording))?.url;
}

async function openState(c: Context, gateway: Gateway, opened: OpenedRecording, origin: Origin): Promise<RecordingPageState> {
  const { link, recording } = opened;
  const open = { kind: 'published' as const, expiresAt: link.expiresAt ?? recording.expiresAt! };
  if (await liesElsewhere(gateway, opened, origin)) {
    const passcode = await passcodeOf(c, gateway, opened, origin);
    const kind = recording.source === 'upload' ? 'other' : 'video';
    if (passcode !== undefined) return { ...open, files: [{ id: '0', kind, bytes: null, streamable: false }], passcode };
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

/** What the place asks for where the media lie; the vendor's page may have to be opened to know it. Undefined when the account forbids that. */
async function passcodeOf(
  c: Context,
  gateway: Gateway,
  { recording }: OpenedRecording,
  { meeting }: Origin,
): Promise<string | null | undefined> {
  if (recording.linkSealed !== null) return storedLink(gateway, recording).passcode;
  if (c.req.method === 'HEAD') return null;
  try {
    return (await openShare(gateway, meeting, recording))?.passcode;
  } catch (error) {
    if (isFailure(error, 'gone')) throw error;
    // The button asks the vendor again.
    gateway.log.warn({ err: error, recording: recording.id }, 'the vendor did not open its page of a recording');
    return null;
  }
}

/** A browser that guesses what will be opened next. */
const isPrefetch = (c: Context): boolean => c.req.header('sec-purpose')?.startsWith('prefetch') === true;

async function show(
  c: Context,
  gateway: Gateway,
  { link, recording }: OpenedRecording,
  { meeting, marketplace, policy }: Origin,
  state: RecordingPageState,
  status = 200,
) {
  const { db, now } = gateway;
  const isUpload = recording.source === 'upload';
  const byOperator = link.kind === 'operator';
  const reader = byOperator
    ? undefined
    : (await listAttendees(db.read, [meeting.id])).find(({ customerId }) => customerId === link.customerId);
  const provider = meeting.provider as ProviderId;
  const view = recordingPage({
    language: languageFor(c, reader?.locale),
    now: now(),
    marketplace: marketplace.name,
    token: c.req.param('token') ?? '',
    title: recording.title ?? meeting.title,
    app: isUpload ? null : { id: provider, name: APPS[provider].name },
    recordedAt: recording.startedAt,
    timeZone: meeting.timeZone,
    source: recording.source as RecordingSource,
    uses: policy.recording.uses,
    access: byOperator ? { incidentId: link.incidentId ?? '' } : null,
    state,
  });
  return sendPage(c, gateway, view, { status });
}

/** Why a recipient's link does not lead to its recording any more; undefined when it does. */
function closedState({ link, recording }: OpenedRecording, now: Date): RecordingPageState | undefined {
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
