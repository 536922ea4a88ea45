import { type Context, Hono } from 'hono';
import { APPS } from '../../../providers/approved.ts';
import type { ProviderId } from '../../domain/apps.ts';
import { Failure } from '../../domain/failure.ts';
import { languageOf } from '../../domain/important-notes.ts';
import type { BookingKind, RecordingMode } from '../../domain/policy.ts';
import type { Consent } from '../../domain/recording.ts';
import type { Gateway } from '../../gateway.ts';
import { recordConsent } from '../../meetings/consent.ts';
import { host, join, openHostLink, openJoinLink, type Door, type Entrance } from '../../meetings/join.ts';
import { findMarketplace } from '../../store/marketplaces.ts';
import { languageFor, sendPage } from './page.ts';
import { hostPage, isCurrentConsentVersion, joinPage, type JoinRecording, type MeetingPageState } from './views/index.ts';

const STATUS: Readonly<Record<Door, number>> = {
  unpaid: 402,
  pending: 200,
  early: 200,
  open: 200,
  over: 410,
  cancelled: 410,
  expired: 410,
};
/** Who tries to come in too early is told so; the page alone is no error. */
const NOT_YET: readonly Door[] = ['early', 'pending'];

export const meetingPageRoutes = (gateway: Gateway) =>
  new Hono()
    .get('/j/:token', (c) => showJoinPage(c, gateway))
    .post('/j/:token/join', async (c) => {
      const { door } = await openJoinLink(gateway, c.req.param('token'));
      if (door !== 'open') return showJoinPage(c, gateway, NOT_YET.includes(door) ? 403 : undefined);
      return leave(c, await join(gateway, c.req.param('token')));
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
    .get('/h/:token', (c) => showHostPage(c, gateway))
    .post('/h/:token/join', async (c) => {
      const { door } = await openHostLink(gateway, c.req.param('token'));
      if (door !== 'open') return showHostPage(c, gateway, door === 'unpaid' || NOT_YET.includes(door) ? 403 : undefined);
      return leave(c, await host(gateway, c.req.param('token')));
    });

/** Off to the vendor; the link stays in no cache and no referrer. */
function leave(c: Context, url: string): Response {
  c.header('cache-control', 'no-store');
  c.header('referrer-policy', 'no-referrer');
  return c.redirect(url, 303);
}

async function showJoinPage(c: Context, gateway: Gateway, status?: number) {
  const token = c.req.param('token') ?? '';
  const entrance = await openJoinLink(gateway, token);
  const { attendee, meeting } = entrance;
  const view = joinPage({
    ...(await common(c, gateway, entrance, attendee.locale)),
    token,
    guideUrl: APPS[meeting.provider as ProviderId].guides.participant,
    professional: null,
    recording: recordingNotice(entrance, attendee.recordingConsent as Consent),
    cameraOff: attendee.cameraOff,
    shareable: false,
    reportUrl: null,
  });
  return sendPage(c, gateway, view, { status: status ?? STATUS[entrance.door], formsLeadOut: true });
}

async function showHostPage(c: Context, gateway: Gateway, status?: number) {
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
  });
  return sendPage(c, gateway, view, { status: status ?? (entrance.door === 'unpaid' ? 200 : STATUS[entrance.door]), formsLeadOut: true });
}

async function common(c: Context, { db, now }: Gateway, entrance: Entrance, locale: string | null) {
  const { meeting } = entrance;
  const marketplace = await findMarketplace(db.read, meeting.marketplaceId);
  const provider = meeting.provider as ProviderId;
  return {
    language: languageFor(c, locale),
    now: now(),
    marketplace: marketplace?.name ?? null,
    title: meeting.title,
    app: { id: provider, name: APPS[provider].name },
    startsAt: meeting.startsAt,
    durationMinutes: meeting.durationMinutes,
    timeZone: meeting.timeZone,
    state: pageState(entrance),
    live: null,
    limitMinutes: meeting.limitMinutes,
  };
}

function pageState({ door, meeting, opensAt }: Entrance): MeetingPageState {
  switch (door) {
    case 'unpaid':
      return { kind: 'awaiting_purchase', purchaseBy: meeting.lockedAt === null ? meeting.purchaseBy : null };
    case 'early':
      return { kind: 'too_early', opensAt };
    case 'pending':
      return { kind: 'link_pending' };
    case 'open':
    case 'over':
    case 'cancelled':
    case 'expired':
      return { kind: door };
  }
}

function recordingNotice({ meeting, policy }: Entrance, decision: Consent): JoinRecording {
  if (meeting.recording === 'none') return { kind: 'none' };
  switch (policy.recording[meeting.bookingKind as BookingKind].consent) {
    case 'notice':
      return { kind: 'notice' };
    case 'implied':
      return { kind: 'implied', retentionDays: policy.recording.retention_days };
    case 'each_customer':
      return { kind: 'consent', decision, required: false };
  }
}
