import { type Context, Hono } from 'hono';
import { APPS } from '../../../providers/approved.ts';
import type { ProviderId } from '../../domain/apps.ts';
import type { BookingKind, RecordingMode } from '../../domain/policy.ts';
import type { Consent } from '../../domain/recording.ts';
import type { Gateway } from '../../gateway.ts';
import { continueMeeting, isContinuable } from '../../meetings/continue.ts';
import { host, openHostLink } from '../../meetings/join.ts';
import { hostTokenOf, nextHostToken } from '../../meetings/segments.ts';
import type { Live } from '../live.ts';
import { sendLive } from './live.ts';
import { common, fileReport, NOT_YET, sentBefore, statusOf } from './meeting.ts';
import { sendPage } from './page.ts';
import { hostPage } from './views/index.ts';

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
        : showHostPage(c, gateway, report.kind === 'invalid' ? 422 : 429, report);
    })
    .post('/h/:token/join', async (c) => {
      const { door, meeting } = await openHostLink(gateway, c.req.param('token'));
      const next = await nextHostToken(gateway, meeting);
      if (next !== undefined) return c.redirect(`/h/${next}`, 303);
      if (door !== 'open') return showHostPage(c, gateway, door === 'unpaid' || NOT_YET.includes(door) ? 403 : undefined);
      return c.redirect(await host(gateway, c.req.param('token')), 303);
    });

async function showHostPage(c: Context, gateway: Gateway, status?: number, report = sentBefore(c)) {
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
    report,
  });
  return sendPage(c, gateway, view, { status: status ?? (entrance.door === 'unpaid' ? 200 : statusOf(entrance)), formsLeadOut: true });
}
