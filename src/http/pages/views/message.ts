/** A page that says one thing. */
import { html } from 'hono/html';
import { type Language, type Texts, translator } from '../texts/index.ts';
import { type Html, page, type PageBase } from './layout.ts';

export interface MessagePage extends PageBase {
  readonly title: string;
  readonly text: string;
  /** What support can look for: the request id. */
  readonly reference: string | null;
}

export type MessageKind = keyof Texts['message'];

export function messageTexts(language: Language, kind: MessageKind): { readonly title: string; readonly text: string } {
  const t = translator(language);
  return { title: t(`message.${kind}.title`), text: t(`message.${kind}.text`) };
}

/** The message for a person that goes with a status. */
export function messageKindOf(status: number): MessageKind {
  switch (status) {
    case 402:
      return 'payment_required';
    case 403:
    case 401:
      return 'forbidden';
    case 404:
    case 405:
      return 'not_found';
    case 409:
    case 422:
      return 'conflict';
    case 410:
      return 'gone';
    case 429:
      return 'rate_limited';
    case 502:
    case 503:
      return 'unavailable';
    default:
      return 'failed';
  }
}

export function messagePage(model: MessagePage): Html {
  const t = translator(model.language);
  return page(
    model,
    model.title,
    html`<section class="card">
      <h1>${model.title}</h1>
      <p>${model.text}</p>
      ${model.reference === null ? '' : html`<p class="quiet small">${t('common.reference', { reference: model.reference })}</p>`}
    </section>`,
  );
}
