/** Where a buyer opens what a booking sold. It lies elsewhere; where exactly is told by the click alone. */
import { html } from 'hono/html';
import { translator } from '../texts/index.ts';
import { dateTime, zoneName } from './format.ts';
import { countdown, fact, headed, type Html, page, type PageBase } from './layout.ts';

export interface SoldContent {
  readonly id: string;
  readonly title: string;
  /** Of the company that stores it. */
  readonly host: string;
  readonly passcode: string | null;
}

export type ContentPageState =
  | { readonly kind: 'open'; readonly expiresAt: Date; readonly contents: readonly SoldContent[] }
  | { readonly kind: 'expired' }
  | { readonly kind: 'taken_back' };

export interface ContentPage extends PageBase {
  readonly token: string;
  /** IANA name. */
  readonly timeZone: string;
  readonly state: ContentPageState;
}

/** A content is opened by `POST /s/{token}/{id}`. */
export function contentPage(model: ContentPage): Html {
  const t = translator(model.language);
  return page(
    model,
    t('contents.title'),
    html`<div class="intro"><h1>${t('contents.title')}</h1></div>
      ${model.state.kind === 'open' ? open(model, model.state) : closed(model, model.state.kind)}`,
  );
}

function open(model: ContentPage, { expiresAt, contents }: ContentPageState & { kind: 'open' }): Html {
  const t = translator(model.language);
  const { language, timeZone } = model;
  const until = html`<time datetime="${expiresAt.toISOString()}">${dateTime(language, expiresAt, timeZone)}</time>
    <p class="quiet small">${zoneName(language, expiresAt, timeZone)}</p>`;
  return html`${contents.map((content) => card(model, content))}
    <section class="card">
      <dl class="facts">
        ${fact(t('recording.availableUntil'), until)} ${fact(t('recording.timeLeft'), countdown(model, expiresAt, true))}
      </dl>
      <p>${t('contents.keep')}</p>
    </section>
    <section class="card">
      <h2>${t('recording.noticesTitle')}</h2>
      <ul class="list">
        <li>${t('contents.private')}</li>
        <li>${t('contents.logged')}</li>
        <li>${t('contents.storage')}</li>
      </ul>
    </section>`;
}

function card({ language, token }: ContentPage, { id, title, host, passcode }: SoldContent): Html {
  const t = translator(language);
  return html`<section class="card" aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    <dl class="facts">
      ${fact(t('contents.place'), host)} ${passcode === null ? '' : fact(t('recording.passcode'), html`<code>${passcode}</code>`)}
    </dl>
    <form class="actions" method="post" action="/s/${encodeURIComponent(token)}/${id}">
      <button class="button" aria-label="${t('recording.external')}: ${title}">${t('recording.external')}</button>
    </form>
  </section>`;
}

function closed({ language }: ContentPage, kind: 'expired' | 'taken_back'): Html {
  const t = translator(language);
  const [title, text] = {
    expired: [t('contents.expiredTitle'), t('contents.expiredText')] as const,
    taken_back: [t('contents.takenBackTitle'), t('contents.takenBackText')] as const,
  }[kind];
  return html`<section class="card">${headed(title, text)}</section>`;
}
