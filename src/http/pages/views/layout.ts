/** What all pages have in common. Values in `html` templates are escaped; nothing here switches that off. */
import { html } from 'hono/html';
import { type Language, translator } from '../texts/index.ts';
import { scriptPath, stylesheetPath } from './assets.ts';
import { clock } from './format.ts';

export type Html = ReturnType<typeof html>;
/** A part of a page that may be left out. */
export type MaybeHtml = Html | '';
export type Tone = 'good' | 'warn' | 'bad' | 'plain' | '';

export interface PageBase {
  readonly language: Language;
  /** The server's moment; the clocks of the page start here. */
  readonly now: Date;
  /** The marketplace's name, at the top of the page; null where none is known. */
  readonly marketplace: string | null;
}

/** An app as a page shows it; `providers/approved.ts` has the names. */
export interface AppName {
  readonly id: string;
  readonly name: string;
}

const ICON =
  'data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 viewBox=%220 0 16 16%22%3E%3Ccircle cx=%228%22 cy=%228%22 r=%226%22 fill=%22%235b7fe0%22/%3E%3C/svg%3E';

/** `head`: what goes into the head besides. */
export function page(base: PageBase, title: string, content: Html, head: MaybeHtml = ''): Html {
  const t = translator(base.language);
  return html`<!doctype html>
    <html lang="${base.language}" data-now="${base.now.toISOString()}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <meta name="referrer" content="no-referrer" />
        <title>${base.marketplace === null ? title : `${title} · ${base.marketplace}`}</title>
        <link rel="icon" href="${ICON}" />
        <link rel="stylesheet" href="${stylesheetPath}" />
        <script src="${scriptPath}" defer></script>
        ${head}
      </head>
      <body>
        <a class="skip" href="#main">${t('common.skip')}</a>
        ${base.marketplace === null ? '' : html`<header class="top"><p class="brand">${base.marketplace}</p></header>`}
        <main id="main" tabindex="-1">${content}</main>
        ${base.marketplace === null ? '' : html`<footer><p>${t('common.footer')}</p></footer>`}
      </body>
    </html>`;
}

/** A coloured box with a heading of its own. */
export const notice = (tone: Tone, title: string, text: string): Html =>
  html`<section class="notice ${tone}">
    <h2>${title}</h2>
    <p>${text}</p>
  </section>`;

/** What a card is about, with one sentence. */
export const headed = (title: string, text: string): Html =>
  html`<div class="stack">
    <h2>${title}</h2>
    <p>${text}</p>
  </div>`;

/** A coloured box inside a card. */
export const remark = (tone: Tone, lines: readonly string[]): Html =>
  html`<div class="notice ${tone}">${lines.map((line) => html`<p>${line}</p>`)}</div>`;

export const badge = (tone: Tone, text: string): Html => html`<span class="badge ${tone}">${text}</span>`;

export const fact = (name: Html | string, value: Html | string): Html =>
  html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;

/** Time that runs out. `reload`: the page asks the server again when it is over. */
export const countdown = ({ language, now }: PageBase, until: Date, reload = false): Html =>
  html`<time class="clock" datetime="${until.toISOString()}" data-until="${until.toISOString()}" ${reload ? html` data-reload` : ''}
    >${clock(language, until.getTime() - now.getTime())}</time
  >`;

/** Time that has passed. */
export const stopwatch = ({ language, now }: PageBase, since: Date): Html =>
  html`<time class="clock" datetime="${since.toISOString()}" data-since="${since.toISOString()}"
    >${clock(language, now.getTime() - since.getTime())}</time
  >`;

/** A link to a place outside; nothing when the address is not a web address (`javascript:` and the like). */
export const outside = (url: string | null, text: string, className = ''): MaybeHtml =>
  isWebAddress(url) ? html`<a class="${className}" href="${url}" rel="noreferrer noopener">${text}</a>` : '';

const isWebAddress = (url: string | null): url is string => url !== null && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
