import { type Context, Hono } from 'hono';
import { APPS } from '../../../providers/approved.ts';
import type { ProviderId } from '../../domain/apps.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { BookingKind, Policy, RecordingMode } from '../../domain/policy.ts';
import type { Consent } from '../../domain/recording.ts';
import type { Gateway } from '../../gateway.ts';
import { continueMeeting, isContinuable } from '../../meetings/continue.ts';
import { revokeGuest } from '../../meetings/guests.ts';
import { host, openHostLink } from '../../meetings/join.ts';
import { hostTokenOf, nextHostToken } from '../../meetings/segments.ts';
import { readStanding } from '../../professionals/standing.ts';
import { listUploads, takesUploads, takeUploadBack, uploadRecording } from '../../recordings/upload.ts';
import type { Meeting } from '../../store/meetings.ts';
import { newUpload } from '../api/requests.ts';
import type { Live } from '../live.ts';
import { takeEarlyEnd } from './early-end.ts';
import { guestsCardOf, invite } from './guests.ts';
import { sendLive } from './live.ts';
import { common, fileReport, NOT_YET, sentBefore, statusOf } from './meeting.ts';
import { sendPage } from './page.ts';
import { hostPage, type ReportState, type UploadRefusal, type UploadsCard, type UploadState } from './views/index.ts';

/** The professional's pages. */
export const hostRoutes = (gateway: Gateway, live: Live) =>
  new Hono()
    .get('/h/:token', (c) => showHostPage(c, gateway))
    .post('/h/:token/continue', async (c) => {
      const { meeting } = await openHostLink(gateway, c.req.param('token'));
      const { marketplaceId, id: meetingId } = meeting;
      const { meeting: next } = await continueMeeting(gateway, { marketplaceId, meetingId, by: 'host' });
      return c.redirect(`/h/${hostTokenOf(gateway, next)}`, 303);
    })
    .get('/h/:token/live', async (c) => sendLive(c, live, await openHostLink(gateway, c.req.param('token')), null))
    .post('/h/:token/report', async (c) => {
      const token = c.req.param('token');
      const { meeting } = await openHostLink(gateway, token);
      const report = await fileReport(c, gateway, meeting, { side: 'professional', id: meeting.professionalId });
      return report.kind === 'sent'
        ? c.redirect(`/h/${token}?report=sent`, 303)
        : showHostPage(c, gateway, { status: report.kind === 'invalid' ? 422 : 429, report });
    })
    .post('/h/:token/early-end', async (c) => {
      const token = c.req.param('token');
      const { meeting } = await openHostLink(gateway, token);
      await takeEarlyEnd(c, gateway, meeting, { side: 'professional', customerId: null });
      return c.redirect(`/h/${token}`, 303);
    })
    .post('/h/:token/guests', async (c) => {
      const token = c.req.param('token');
      const { meeting } = await openHostLink(gateway, token);
      return c.redirect(`/h/${token}?guests=${await invite(c, gateway, meeting, PROFESSIONAL)}#guests`, 303);
    })
    .post('/h/:token/guests/:id/revoke', async (c) => {
      const token = c.req.param('token');
      const { meeting } = await openHostLink(gateway, token);
      await revokeGuest(gateway, { marketplaceId: meeting.marketplaceId, id: c.req.param('id'), by: PROFESSIONAL, meeting });
      return c.redirect(`/h/${token}?guests=revoked#guests`, 303);
    })
    .post('/h/:token/uploads', async (c) => {
      const token = c.req.param('token');
      const { meeting, policy } = await openHostLink(gateway, token);
      if (!takesUploads(policy, meeting, gateway.now())) throw new Failure('forbidden', 'Nothing can be shared now.');
      const uploads = await shareLink(c, gateway, meeting);
      return uploads.kind === 'sent'
        ? c.redirect(`/h/${token}?uploads=sent#uploads`, 303)
        : showHostPage(c, gateway, { status: 422, uploads });
    })
    .post('/h/:token/uploads/:id/take-back', async (c) => {
      const token = c.req.param('token');
      const { meeting } = await openHostLink(gateway, token);
      await takeUploadBack(gateway, meeting, c.req.param('id'));
      return c.redirect(`/h/${token}?uploads=taken_back#uploads`, 303);
    })
    .post('/h/:token/join', async (c) => {
      const { door, meeting } = await openHostLink(gateway, c.req.param('token'));
      const next = await nextHostToken(gateway, meeting);
      if (next !== undefined) return c.redirect(`/h/${next}`, 303);
      if (door !== 'open') return showHostPage(c, gateway, { status: door === 'unpaid' || NOT_YET.includes(door) ? 403 : undefined });
      return c.redirect(await host(gateway, c.req.param('token')), 303);
    });

const PROFESSIONAL = { side: 'professional' } as const;

interface Shown {
  readonly status?: number | undefined;
  readonly report?: ReportState;
  readonly uploads?: UploadState;
}

async function showHostPage(c: Context, gateway: Gateway, { status, report = sentBefore(c), uploads = sharedBefore(c) }: Shown = {}) {
  const token = c.req.param('token') ?? '';
  const entrance = await openHostLink(gateway, token);
  const { attendees, meeting, policy } = entrance;
  const asked = policy.recording[meeting.bookingKind as BookingKind].consent === 'each_customer' && meeting.recording !== 'none';
  const view = hostPage({
    ...(await common(c, gateway, entrance, null)),
    token,
    guideUrl: APPS[meeting.provider as ProviderId].guides.host,
    attendees: attendees.map(({ name, purchasedAt, cameraOff, recordingConsent }) => ({
      name,
      purchased: purchasedAt !== null,
      cameraOff,
      consent: asked ? (recordingConsent as Consent) : ('not_needed' as const),
    })),
    recording: meeting.recording as RecordingMode,
    continuable: meeting.continuedBy === null && (await isContinuable(gateway, policy, meeting)),
    regarded: await readStanding(gateway.db.read, meeting, gateway.now()),
    report,
    guests: await guestsCardOf(c, gateway, entrance, PROFESSIONAL),
    uploads: await uploadsOf(gateway, policy, meeting, uploads),
  });
  return sendPage(c, gateway, view, { status: status ?? (entrance.door === 'unpaid' ? 200 : statusOf(entrance)), formsLeadOut: true });
}

const sharedBefore = (c: Context): UploadState => {
  const word = c.req.query('uploads');
  return word === 'sent' || word === 'taken_back' ? { kind: word } : { kind: 'empty' };
};

async function uploadsOf(gateway: Gateway, policy: Policy, meeting: Meeting, state: UploadState): Promise<UploadsCard | null> {
  const open = takesUploads(policy, meeting, gateway.now());
  const links = await listUploads(gateway.db.read, meeting.id);
  if (!open && links.length === 0) return null;
  const { retention_days: retentionDays, uploads } = policy.recording;
  return {
    links: links.map(({ id, title, expiresAt }) => ({ id, title: title ?? '', expiresAt: expiresAt! })),
    open,
    mostLinks: uploads.max_links,
    retentionDays,
    hosts: uploads.hosts,
    state,
  };
}

/** The form of the page, checked as the API checks its body. */
async function shareLink(c: Context, gateway: Gateway, meeting: Meeting): Promise<UploadState> {
  const form = await c.req.parseBody();
  const written = (name: string): string => (typeof form[name] === 'string' ? form[name].trim() : '');
  const [title, url, passcode] = [written('title'), written('url'), written('passcode')];
  const refused = (why: UploadRefusal): UploadState => ({ kind: 'refused', why, title, url, passcode });
  const upload = newUpload.safeParse({ url, title, passcode: passcode === '' ? null : passcode });
  if (!upload.success) return refused('incomplete');
  try {
    const { marketplaceId, id: meetingId } = meeting;
    await uploadRecording(gateway, { marketplaceId, meetingId, upload: { url, title, passcode: passcode || null }, by: 'professional' });
    return { kind: 'sent' };
  } catch (error) {
    if (isFailure(error, 'upload_not_approved')) return refused('link');
    if (isFailure(error, 'too_many_uploads')) return refused('full');
    if (isFailure(error, 'conflict')) return refused('conflict');
    throw error;
  }
}
