import { type Context, Hono } from 'hono';
import { APPS } from '../../../providers/approved.ts';
import type { ProviderId } from '../../domain/apps.ts';
import { Failure } from '../../domain/failure.ts';
import type { Consent } from '../../domain/recording.ts';
import { DAY, SECOND } from '../../domain/time.ts';
import type { Gateway } from '../../gateway.ts';
import { recordConsent, setWishes } from '../../meetings/consent.ts';
import { revokeGuest } from '../../meetings/guests.ts';
import { join, openJoinLink, type Entrance } from '../../meetings/join.ts';
import { notePlace } from '../../meetings/places.ts';
import { nextJoinToken } from '../../meetings/segments.ts';
import { findMarketplace } from '../../store/marketplaces.ts';
import type { Attendee } from '../../store/meetings.ts';
import { CLOSED, type Live } from '../live.ts';
import { browserSecret, sentSecret, type BrowserCookie } from './browser.ts';
import { calendarFile } from './calendar.ts';
import { takeEarlyEnd } from './early-end.ts';
import { guestsCardOf, invite } from './guests.ts';
import { pageHeaders } from './headers.ts';
import { sendLive } from './live.ts';
import { common, consentOf, fileReport, NOT_YET, recordingNotice, sentBefore, statusOf } from './meeting.ts';
import { languageFor, sendPage } from './page.ts';
import { rate, ratingCardOf } from './rating.ts';
import { joinPage, type JoinPage, type RatingDraft } from './views/index.ts';

/** The customer's pages. */
export const joinRoutes = (gateway: Gateway, live: Live) =>
  new Hono()
    .get('/j/:token', (c) => showJoinPage(c, gateway))
    .get('/j/:token/live', async (c) => {
      const entrance = await openJoinLink(gateway, c.req.param('token'));
      await noteBrowser(c, gateway, entrance);
      return sendLive(c, live, entrance, entrance.attendee.id);
    })
    .post('/j/:token/join', async (c) => {
      const entrance = await openJoinLink(gateway, c.req.param('token'));
      const { door, meeting, attendee } = entrance;
      await noteBrowser(c, gateway, entrance);
      const next = await nextJoinToken(gateway, meeting, attendee.customerId);
      if (next !== undefined) return c.redirect(`/j/${next}`, 303);
      if (door !== 'open') return showJoinPage(c, gateway, NOT_YET.includes(door) ? 403 : undefined);
      return c.redirect(await join(gateway, c.req.param('token')), 303);
    })
    .post('/j/:token/consent', async (c) => {
      const token = c.req.param('token');
      const { meeting, attendee } = await openJoinLink(gateway, token);
      await recordConsent(
        gateway,
        { marketplaceId: meeting.marketplaceId, meetingId: meeting.id, customerId: attendee.customerId },
        { ...(await consentOf(c, 'customer')), channel: 'join_page' },
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
    .post('/j/:token/early-end', async (c) => {
      const token = c.req.param('token');
      const { meeting, attendee } = await openJoinLink(gateway, token);
      await takeEarlyEnd(c, gateway, meeting, { side: 'customer', customerId: attendee.customerId });
      return c.redirect(`/j/${token}`, 303);
    })
    .post('/j/:token/guests', async (c) => {
      const token = c.req.param('token');
      const { meeting, attendee } = await openJoinLink(gateway, token);
      const word = await invite(c, gateway, meeting, { side: 'customer', customerId: attendee.customerId });
      return c.redirect(`/j/${token}?guests=${word}#guests`, 303);
    })
    .post('/j/:token/guests/:id/revoke', async (c) => {
      const token = c.req.param('token');
      const { meeting, attendee } = await openJoinLink(gateway, token);
      const by = { side: 'customer', customerId: attendee.customerId } as const;
      await revokeGuest(gateway, { marketplaceId: meeting.marketplaceId, id: c.req.param('id'), by, meeting });
      return c.redirect(`/j/${token}?guests=revoked#guests`, 303);
    })
    .post('/j/:token/rating', async (c) => {
      const token = c.req.param('token');
      const { meeting, attendee } = await openJoinLink(gateway, token);
      const draft = await rate(c, gateway, meeting, attendee);
      return draft === undefined ? c.redirect(`/j/${token}?rating=sent#rating`, 303) : showJoinPage(c, gateway, 422, undefined, draft);
    })
    .get('/j/:token/meeting.ics', async (c) => {
      const entrance = await openJoinLink(gateway, c.req.param('token'));
      const kind = calendarOf(entrance);
      return kind === null ? showJoinPage(c, gateway) : sendCalendarFile(c, gateway, kind, entrance);
    });

async function showJoinPage(c: Context, gateway: Gateway, status?: number, report = sentBefore(c), draft?: RatingDraft) {
  const token = c.req.param('token') ?? '';
  const entrance = await openJoinLink(gateway, token);
  const { attendee, meeting } = entrance;
  await noteBrowser(c, gateway, entrance);
  const view = joinPage({
    ...(await common(c, gateway, entrance, attendee)),
    token,
    guideUrl: APPS[meeting.provider as ProviderId].guides.participant,
    professional: null,
    recording: recordingNotice(entrance, attendee.recordingConsent as Consent),
    cameraOff: attendee.cameraOff,
    guests:
      attendee.purchasedAt === null
        ? null
        : await guestsCardOf(c, gateway, entrance, { side: 'customer', customerId: attendee.customerId }),
    rating: await ratingCardOf(c, gateway, entrance, draft),
    calendar: calendarOf(entrance),
    report,
  });
  return sendPage(c, gateway, view, { status: status ?? statusOf(entrance), formsLeadOut: true });
}

const PLACE: BrowserCookie = { name: 'place', seconds: (365 * DAY) / SECOND };

/**
 * A browser is a place once its cookie has come back. Programs that look at a link before its reader does (previews in messengers, scanners
 * of mail) bring none and are no places, nor is a browser that keeps none.
 */
async function noteBrowser(c: Context, gateway: Gateway, entrance: Entrance & { readonly attendee: Attendee }): Promise<void> {
  if (entrance.policy.links.shareable) return;
  const sent = sentSecret(c, gateway, PLACE);
  browserSecret(c, gateway, PLACE);
  if (sent !== undefined) await notePlace(gateway, entrance, sent);
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
