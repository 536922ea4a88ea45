import { type Context, Hono } from 'hono';
import { contentHost, storedContent } from '../../contents/stored-link.ts';
import { followContent, openContentLink, type OpenedAccess } from '../../contents/view.ts';
import { isFailure } from '../../domain/failure.ts';
import type { Gateway } from '../../gateway.ts';
import { languageFor, sendPage } from './page.ts';
import { contentPage } from './views/index.ts';

export const contentPageRoutes = (gateway: Gateway) =>
  new Hono()
    .get('/s/:token', async (c) => show(c, gateway, await openContentLink(gateway, c.req.param('token'))))
    // A form: what scanners of mail follow on their own is no view of the buyer's.
    .post('/s/:token/:content', async (c) => {
      const opened = await openContentLink(gateway, c.req.param('token'));
      try {
        return c.redirect(await followContent(gateway, opened, c.req.param('content')), 303);
      } catch (error) {
        if (!isFailure(error, 'gone')) throw error;
        return show(c, gateway, { ...opened, contents: [] });
      }
    });

function show(c: Context, gateway: Gateway, { link, marketplace, contents, locale, timeZone }: OpenedAccess) {
  const now = gateway.now();
  const view = contentPage({
    language: languageFor(c, locale),
    now,
    marketplace: marketplace.name,
    token: c.req.param('token') ?? '',
    timeZone: timeZone ?? 'UTC',
    state:
      contents.length === 0
        ? { kind: link.expiresAt <= now ? 'expired' : 'taken_back' }
        : {
            kind: 'open',
            expiresAt: link.expiresAt,
            contents: contents.map((content) => ({
              id: content.id,
              title: content.title,
              host: contentHost(content, gateway.vault) ?? '',
              passcode: storedContent(gateway, content).passcode,
            })),
          },
  });
  return sendPage(c, gateway, view, { status: contents.length === 0 ? 410 : 200, formsLeadOut: true });
}
