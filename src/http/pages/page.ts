/** What all routes for people share. */
import type { Context } from 'hono';
import { Failure } from '../../domain/failure.ts';
import type { Gateway } from '../../gateway.ts';
import { requestIdOf, retryAfter } from '../problem.ts';
import { pageHeaders } from './headers.ts';
import { chooseLanguage, type Language } from './texts/index.ts';
import { messageKindOf, messagePage, messageTexts, type Html } from './views/index.ts';

/**
 * Sends a page. `formsLeadOut`: its forms are answered with a redirect to a vendor. As a string, and with all headers set by now: the
 * server writes such an answer at once, and any other one as a stream, which takes three times as long.
 */
export function sendPage(
  c: Context,
  { config }: Pick<Gateway, 'config'>,
  view: Html,
  { status = 200, formsLeadOut = false }: { status?: number; formsLeadOut?: boolean } = {},
) {
  // A vendor may send on to an organisation's own sign-in, anywhere; plain http only where the operator configured it.
  const formTargets = formsLeadOut ? ['https:', ...loopbackOrigins(config)] : [];
  const headers = pageHeaders({ secure: config.publicUrl.startsWith('https:'), formTargets });
  const send = (page: Awaited<Html>) => c.html(page.toString(), status as 200, headers);
  return view instanceof Promise ? view.then(send) : send(view);
}

/** `words`: what the page says instead of the message that goes with the status. */
export function sendFailurePage(
  c: Context,
  gateway: Pick<Gateway, 'config' | 'now'>,
  failure: Failure,
  words?: { readonly title: string; readonly text: string },
): Response | Promise<Response> {
  const language = languageFor(c);
  for (const [name, value] of Object.entries(retryAfter(failure))) c.header(name, value);
  const view = messagePage({
    language,
    now: gateway.now(),
    marketplace: null,
    ...(words ?? messageTexts(language, messageKindOf(failure.status))),
    reference: requestIdOf(c),
  });
  return sendPage(c, gateway, view, { status: failure.status });
}

export const languageFor = (c: Context, locale?: string | null): Language =>
  chooseLanguage(locale ?? undefined, c.req.header('accept-language'));

/** A program that looks at a link, or a browser that guesses what will be opened next: neither is told where the link leads. */
export const onlyLooks = ({ req }: Context): boolean => req.method === 'HEAD' || req.header('sec-purpose')?.startsWith('prefetch') === true;

const loopbackOrigins = (config: Gateway['config']): string[] => {
  const urls = [config.zoom?.oauthUrl, config.microsoft?.loginUrl, config.google?.authUrl].filter((url) => url !== undefined);
  return [...new Set(urls.filter((url) => url.startsWith('http:')).map((url) => new URL(url).origin))];
};
