import { type Context, Hono } from 'hono';
import { APPS } from '../../../providers/approved.ts';
import type { ProviderId } from '../../domain/apps.ts';
import { Failure } from '../../domain/failure.ts';
import { languageOf } from '../../domain/important-notes.ts';
import type { BookingKind, RecordingMode } from '../../domain/policy.ts';
import { isAsked, type Consent } from '../../domain/recording.ts';
import type { Gateway } from '../../gateway.ts';
import { recordConsent, setWishes } from '../../meetings/consent.ts';
import { join, openJoinLink, type Entrance } from '../../meetings/join.ts';
import { nextJoinToken } from '../../meetings/segments.ts';
import { findMarketplace } from '../../store/marketplaces.ts';
import type { Attendee } from '../../store/meetings.ts';
import { CLOSED, type Live } from '../live.ts';
import { calendarFile } from './calendar.ts';
import { pageHeaders } from './headers.ts';
import { sendLive } from './live.ts';
import { common, fileReport, NOT_YET, sentBefore, statusOf } from './meeting.ts';
import { languageFor, sendPage } from './page.ts';
import { isCurrentConsentVersion, joinPage, type JoinPage, type JoinRecording } from './views/index.ts';

/** The customer's pages. */
export const joinRoutes = (gateway: Gateway, live: Live) =>
  new Hono()
    .get('/j/:token', (c) => showJoinPage(c, gateway))
    .get('/j/:token/live', async (c) => {
      const entrance = await openJoinLink(gateway, c.req.param('token'));
      return sendLive(c, live, entrance, entrance.attendee.id);
    })
    .post('/j/:token/join', async (c) => {
      const { door, meeting, attendee } = await openJoinLink(gateway, c.req.param('token'));
      const next = await nextJoinToken(gateway, meeting, attendee.customerId);
      if (next !== undefined) return c.redirect(`/j/${next}`, 303);
      if (door !== 'open') return showJoinPage(c, gateway, NOT_YET.includes(door) ? 403 : undefined);
      return c.redirect(await join(gateway, c.req.param('token')), 303);
    })
    .post('/j/:token/consent', async (c) => {
      const token = c.req.param('token');
      const { meeting, attendee } = await openJoinLink(gateway, token);
      const { decision, locale, text_version: textVersion } = await c.req.parseBody();
      if ((decision !== 'granted' && decision !== 'refused') || typeof textVersion !== 'string' || !isCurrentConsentVersion(textVersion)) {
        throw new Failure('conflict', 'The question has changed. Open the page again.');
      }
      await recordConsent(
        gateway,
        { marketplaceId: meeting.marketplaceId, meetingId: meeting.id, customerId: attendee.customerId },
        { decision, textVersion, locale: languageOf(typeof locale === 'string' ? locale : undefined) ?? 'en', channel: 'join_page' },
      );
      return c.redirect(`/j/${token}`, 303);
    })
    .post('/j/:token/wishes', async (c) => {
      const token = c.req.param('token');
      const { meeting, attendee, door } = await openJoinLink(gateway, token);
      const next = await nextJoinToken(gateway, meeting, attendee.customerId);
      if (next !== undefined) return c.redirect(`/j/${next}`, 303);
      if (CLOSED.has(door)) return showJoinPage(c, gateway);
      const { camera_off: cameraOff } = await c.req.parseBody();
      if (cameraOff !== 'yes' && cameraOff !== 'no') throw new Failure('conflict', 'The form has changed. Open the page again.');
      await setWishes(
        gateway,
        { marketplaceId: meeting.marketplaceId, meetingId: meeting.id, customerId: attendee.customerId },
        { cameraOff: cameraOff === 'yes' },
      );
      return c.redirect(`/j/${token}`, 303);
    })
    .post('/j/:token/report', async (c) => {
      const token = c.req.param('token');
      const { meeting, attendee } = await openJoinLink(gateway, token);
      const report = await fileReport(c, gateway, meeting, { side: 'customer', id: attendee.customerId });
      return report.kind === 'sent'
        ? c.redirect(`/j/${token}?report=sent`, 303)
        : showJoinPage(c, gateway, report.kind === 'invalid' ? 422 : 429, report);
    })
    .get('/j/:token/meeting.ics', async (c) => {
      const entrance = await openJoinLink(gateway, c.req.param('token'));
      const kind = calendarOf(entrance);
      return kind === null ? showJoinPage(c, gateway) : sendCalendarFile(c, gateway, kind, entrance);
    });

async function showJoinPage(c: Context, gateway: Gateway, status?: number, report = sentBefore(c)) {
  const token = c.req.param('token') ?? '';
  const entrance = await openJoinLink(gateway, token);
  const { attendee, meeting } = entrance;
  const view = joinPage({
    ...(await common(c, gateway, entrance, attendee)),
    token,
    guideUrl: APPS[meeting.provider as ProviderId].guides.participant,
    professional: null,
    recording: recordingNotice(entrance, attendee.recordingConsent as Consent),
    cameraOff: attendee.cameraOff,
    shareable: false,
    calendar: calendarOf(entrance),
    report,
  });
  return sendPage(c, gateway, view, { status: status ?? statusOf(entrance), formsLeadOut: true });
}

function recordingNotice({ meeting, policy }: Entrance, decision: Consent): JoinRecording {
  const kind = meeting.bookingKind as BookingKind;
  // Who has decided may change it as long as anything depends on it, also about a recording that nobody had planned.
  if (isAsked(policy, kind, meeting.recording as RecordingMode) && (meeting.recording !== 'none' || decision !== 'missing'))
    return { kind: 'consent', decision, required: false };
  if (meeting.recording === 'none') return { kind: 'none' };
  return policy.recording[kind].consent === 'notice'
    ? { kind: 'notice' }
    : { kind: 'implied', retentionDays: policy.recording.retention_days };
}

/** There is something to note down once it is bought, and something to cross out when it is cancelled after that. */
function calendarOf({ door, attendee }: Entrance & { readonly attendee: Attendee }): JoinPage['calendar'] {
  if (door === 'cancelled') return attendee.purchasedAt === null ? null : 'take_out';
  return door === 'pending' || door === 'early' || door === 'open' ? 'add' : null;
}

async function sendCalendarFile(
  c: Context,
  gateway: Gateway,
  kind: 'add' | 'take_out',
  { meeting, attendee }: Entrance & { readonly attendee: Attendee },
): Promise<Response> {
  const { config, db, now } = gateway;
  const marketplace = (await findMarketplace(db.read, meeting.marketplaceId))!;
  const file = await calendarFile(kind, {
    language: languageFor(c, attendee.locale),
    now: now(),
    meeting,
    marketplace: marketplace.name,
    app: APPS[meeting.provider as ProviderId].name,
    joinUrl: `${config.publicUrl}/j/${c.req.param('token')}`,
  });
  const headers = pageHeaders({ secure: config.publicUrl.startsWith('https:') });
  return c.body(file, 200, {
    ...headers,
    'content-type': `text/calendar; charset=utf-8; method=${kind === 'add' ? 'PUBLISH' : 'CANCEL'}`,
    'content-disposition': 'attachment; filename="meeting.ics"',
  });
}
