/** Where the professional shares links to videos and files with the participants (G16). */
import { html } from 'hono/html';
import { translator } from '../texts/index.ts';
import { dayOf } from './format.ts';
import { badge, type Html, type MaybeHtml, notice, type PageBase } from './layout.ts';

export interface UploadsCard {
  readonly links: readonly UploadedLink[];
  /** Whether another one may be shared now. */
  readonly open: boolean;
  readonly mostLinks: number;
  readonly retentionDays: number;
  readonly hosts: readonly string[];
  readonly state: UploadState;
}

export interface UploadedLink {
  readonly id: string;
  readonly title: string;
  readonly expiresAt: Date;
}

export type UploadRefusal = 'incomplete' | 'link' | 'full' | 'conflict';

export type UploadState =
  | { readonly kind: 'empty' }
  | { readonly kind: 'sent' }
  | { readonly kind: 'taken_back' }
  /** With what was written, so that nobody has to write it twice. */
  | { readonly kind: 'refused'; readonly why: UploadRefusal; readonly title: string; readonly url: string; readonly passcode: string };

export const MOST_TITLE_CHARACTERS = 200;

/** Forms: `POST {path}` with `title`, `url` and `passcode`; `POST {path}/{id}/take-back`. */
export function uploadsCard(model: PageBase, path: string, card: UploadsCard): Html {
  const t = translator(model.language);
  const { state } = card;
  return html`<details class="card" id="uploads" ${state.kind === 'empty' && card.links.length === 0 ? '' : html` open`}>
    <summary>${t('uploads.title')}</summary>
    <div class="stack wide">${said(model, card)} ${list(model, path, card)} ${card.open ? form(model, path, card) : ''}</div>
  </details>`;
}

function said({ language }: PageBase, { state, mostLinks }: UploadsCard): MaybeHtml {
  const t = translator(language);
  switch (state.kind) {
    case 'empty':
      return '';
    case 'sent':
      return html`<div role="status">${notice('good', t('uploads.sentTitle'), t('uploads.sentText'))}</div>`;
    case 'taken_back':
      return html`<div role="status">${notice('good', t('uploads.takenBackTitle'), t('uploads.takenBackText'))}</div>`;
    case 'refused': {
      const text = {
        incomplete: t('uploads.refusedIncomplete', { most: String(MOST_TITLE_CHARACTERS) }),
        link: t('uploads.refusedLink'),
        full: t('uploads.full', { count: mostLinks }),
        conflict: t('uploads.refusedConflict'),
      }[state.why];
      return html`<div role="alert">${notice('warn', t('uploads.refusedTitle'), text)}</div>`;
    }
  }
}

function list({ language }: PageBase, path: string, { links }: UploadsCard): MaybeHtml {
  if (links.length === 0) return '';
  const t = translator(language);
  return html`<h3>${t('uploads.listTitle')}</h3>
    <ul class="people">
      ${links.map(
        ({ id, title, expiresAt }) =>
          html`<li>
            <span>${title}</span>
            <span class="tags">
              ${badge('plain', t('uploads.until', { date: dayOf(language, expiresAt) }))}
              <form method="post" action="${path}/${id}/take-back">
                <button class="button second" aria-label="${t('uploads.takeBack')}: ${title}">${t('uploads.takeBack')}</button>
              </form></span
            >
          </li>`,
      )}
    </ul>`;
}

function form({ language }: PageBase, path: string, { links, mostLinks, retentionDays, hosts, state }: UploadsCard): Html {
  const t = translator(language);
  if (links.length >= mostLinks) return html`<p class="quiet">${t('uploads.full', { count: mostLinks })}</p>`;
  const written = state.kind === 'refused' ? state : { title: '', url: '', passcode: '' };
  // Not as an encoded form: there, a letter that is not Latin takes up to nine bytes.
  return html`<form method="post" action="${path}#uploads" enctype="multipart/form-data">
    <p>${t('uploads.intro')} ${t('uploads.life', { count: retentionDays })}</p>
    <div class="field">
      <label for="upload-title">${t('uploads.name')}</label>
      <input id="upload-title" name="title" value="${written.title}" maxlength="${MOST_TITLE_CHARACTERS}" required autocomplete="off" />
    </div>
    <div class="field">
      <label for="upload-url">${t('uploads.url')}</label>
      <input
        id="upload-url"
        name="url"
        type="url"
        value="${written.url}"
        required
        autocomplete="off"
        placeholder="https://"
        aria-describedby="upload-hint"
      />
      <p class="quiet small" id="upload-hint">${t('uploads.hint', { hosts: hosts.join(', ') })}</p>
    </div>
    <div class="field">
      <label for="upload-passcode">${t('uploads.passcode')}</label>
      <input id="upload-passcode" name="passcode" value="${written.passcode}" maxlength="200" autocomplete="off" spellcheck="false" />
    </div>
    <div class="actions"><button class="button second">${t('uploads.send')}</button></div>
  </form>`;
}
