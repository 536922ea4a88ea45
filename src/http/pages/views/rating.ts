/** How the customer found the meeting (R07). */
import { html } from 'hono/html';
import { MOST_COMMENT_CHARACTERS, MOST_POINTS } from '../../../domain/rating.ts';
import { translator } from '../texts/index.ts';
import { fact, type Html, notice, type PageBase } from './layout.ts';

export type RatingCard =
  /** `draft`: what was written and is not complete. */
  | { readonly kind: 'open'; readonly draft: RatingDraft | null }
  /** `isNew`: it has just been sent. */
  | {
      readonly kind: 'rated';
      readonly professional: number;
      readonly connection: number;
      readonly comment: string | null;
      readonly isNew: boolean;
    };

export interface RatingDraft {
  readonly professional: number | null;
  readonly connection: number | null;
  readonly comment: string;
}

/** Form: `POST {action}` with `professional` and `connection` (1 to 5) and `comment`. */
export function ratingCard({ language }: PageBase, action: string, card: RatingCard): Html {
  const t = translator(language);
  if (card.kind === 'open') return form(language, action, card.draft);
  return html`<section class="card">
    ${card.isNew ? html`<div role="status">${notice('good', t('rating.sentTitle'), t('rating.sentText'))}</div>` : html`<h2>${t('rating.ratedTitle')}</h2>`}
    <dl class="facts">
      ${fact(t('rating.professional'), outOf(language, card.professional))}
      ${fact(t('rating.connection'), outOf(language, card.connection))}
      ${card.comment === null ? '' : fact(t('rating.comment'), card.comment)}
    </dl>
  </section>`;
}

const outOf = (language: PageBase['language'], points: number): string =>
  translator(language)('rating.outOf', { points: String(points), most: String(MOST_POINTS) });

/** Not as an encoded form: there, a letter that is not Latin takes up to nine bytes and the form would be too large. */
function form(language: PageBase['language'], action: string, draft: RatingDraft | null): Html {
  const t = translator(language);
  const most = new Intl.NumberFormat(language).format(MOST_COMMENT_CHARACTERS);
  return html`<section class="card">
    <div class="stack">
      <h2>${t('rating.title')}</h2>
      <p>${t('rating.text')}</p>
    </div>
    ${draft === null ? '' : html`<div role="alert">${notice('warn', t('rating.invalidTitle'), t('rating.invalidText', { most }))}</div>`}
    <form method="post" action="${action}#rating" enctype="multipart/form-data">
      ${scale(language, 'professional', t('rating.professional'), draft?.professional)}
      ${scale(language, 'connection', t('rating.connection'), draft?.connection)}
      <div class="field">
        <label for="rating-comment">${t('rating.commentLabel')}</label>
        <textarea id="rating-comment" name="comment" rows="4" maxlength="${MOST_COMMENT_CHARACTERS}">${draft?.comment ?? ''}</textarea>
      </div>
      <div class="actions"><button class="button second">${t('rating.send')}</button></div>
    </form>
  </section>`;
}

function scale(language: PageBase['language'], name: string, legend: string, chosen: number | null | undefined): Html {
  const t = translator(language);
  return html`<fieldset class="scale">
    <legend>${legend}</legend>
    <p class="quiet small">${t('rating.scale', { most: String(MOST_POINTS) })}</p>
    <div>
      ${Array.from({ length: MOST_POINTS }, (_, index) => index + 1).map(
        (points) =>
          html`<label>
            <input type="radio" name="${name}" value="${points}" required ${chosen === points ? html`checked` : ''} />
            <span>${String(points)}</span>
          </label>`,
      )}
    </div>
  </fieldset>`;
}
