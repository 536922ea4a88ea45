/** The page of somebody who was invited and is no customer (F10). */
import { type Context, Hono } from 'hono';
import { APPS } from '../../../providers/approved.ts';
import type { ProviderId } from '../../domain/apps.ts';
import { Failure } from '../../domain/failure.ts';
import type { Gateway } from '../../gateway.ts';
import { joinAsGuest, mustAgree, openGuestLink, recordGuestConsent } from '../../meetings/guests.ts';
import { basics, consentOf, NOT_YET, recordingNotice, statusOf } from './meeting.ts';
import { languageFor, sendFailurePage, sendPage } from './page.ts';
import { translator } from './texts/index.ts';
import { guestPage } from './views/index.ts';

export const guestPageRoutes = (gateway: Gateway) =>
  new Hono()
    .get('/g/:token', (c) => showGuestPage(c, gateway))
    .post('/g/:token/join', async (c) => {
      const token = c.req.param('token');
      const opened = await openGuestLink(gateway, token);
      const { door, revoked } = opened;
      if (revoked || door !== 'open' || mustAgree(opened))
        return showGuestPage(c, gateway, NOT_YET.includes(door) || mustAgree(opened) ? 403 : undefined);
      return c.redirect(await joinAsGuest(gateway, token), 303);
    })
    .post('/g/:token/consent', async (c) => {
      const token = c.req.param('token');
      await recordGuestConsent(gateway, await openGuestLink(gateway, token), await consentOf(c, 'guest'));
      return c.redirect(`/g/${token}`, 303);
    });

async function showGuestPage(c: Context, gateway: Gateway, status?: number) {
  const token = c.req.param('token') ?? '';
  const opened = await openGuestLink(gateway, token);
  // Who was recorded may still say no.
  if (opened.revoked && opened.guest.uses === 0) {
    const t = translator(languageFor(c));
    return sendFailurePage(c, gateway, new Failure('gone', 'The guest link was revoked.'), {
      title: t('guest.revokedTitle'),
      text: t('guest.revokedText'),
    });
  }
  const view = guestPage({
    ...(await basics(c, gateway, opened)),
    token,
    guideUrl: APPS[opened.meeting.provider as ProviderId].guides.participant,
    name: opened.guest.name,
    revoked: opened.revoked,
    recording: recordingNotice(opened, opened.consent),
    mustAgree: mustAgree(opened),
  });
  return sendPage(c, gateway, view, { status: opened.revoked ? 410 : (status ?? statusOf(opened)), formsLeadOut: true });
}
