/** Where guests are invited (F10), the same on the customer's and the professional's page. */
import { html } from 'hono/html';
import { translator } from '../texts/index.ts';
import { badge, type Html, type MaybeHtml, notice, type PageBase } from './layout.ts';

export interface GuestsCard {
  readonly guests: readonly InvitedGuest[];
  /** Whether another one may be invited now. */
  readonly open: boolean;
  readonly mostGuests: number;
  readonly state: GuestsState;
}

export interface InvitedGuest {
  readonly id: string;
  readonly name: string | null;
  /** How often the link led to the meeting. */
  readonly uses: number;
  /** Null for a guest of somebody else's, whom only that one or the marketplace can uninvite. */
  readonly url: string | null;
}

export type GuestsState = 'empty' | 'invited' | 'revoked' | 'refused';

export const MOST_GUEST_NAME_CHARACTERS = 200;

/** Forms: `POST {path}` with `name`; `POST {path}/{id}/revoke`. */
export function guestsCard(model: PageBase, path: string, card: GuestsCard): Html {
  const t = translator(model.language);
  return html`<details class="card" id="guests" ${card.state === 'empty' && card.guests.length === 0 ? '' : html` open`}>
    <summary>${t('guests.title')}</summary>
    <div class="stack wide">${said(model, card)} ${list(model, path, card)} ${form(model, path, card)}</div>
  </details>`;
}

function said({ language }: PageBase, { state }: GuestsCard): MaybeHtml {
  const t = translator(language);
  switch (state) {
    case 'empty':
      return '';
    case 'invited':
      return html`<div role="status">${notice('good', t('guests.invitedTitle'), t('guests.invitedText'))}</div>`;
    case 'revoked':
      return html`<div role="status">${notice('good', t('guests.takenBackTitle'), t('guests.takenBackText'))}</div>`;
    case 'refused':
      return html`<div role="alert">${notice('warn', t('guests.refusedTitle'), t('guests.refusedText'))}</div>`;
  }
}

function list({ language }: PageBase, path: string, { guests }: GuestsCard): MaybeHtml {
  if (guests.length === 0) return '';
  const t = translator(language);
  return html`<ul class="people">
    ${guests.map(({ id, name, uses, url }, index) => {
      const shown = name ?? t('guests.unnamed', { number: String(index + 1) });
      return html`<li>
        <span>${shown}</span>
        <span class="tags">${uses === 0 ? badge('plain', t('guests.unused')) : badge('good', t('guests.uses', { count: uses }))}</span>
        ${
          url === null
            ? ''
            : html`<div class="field full">
                  <label for="guest-${id}">${t('guests.link', { name: shown })}</label>
                  <input id="guest-${id}" value="${url}" readonly />
                </div>
                <form method="post" action="${path}/${id}/revoke">
                  <button class="button second" aria-label="${t('guests.takeBack')}: ${shown}">${t('guests.takeBack')}</button>
                </form>`
        }
      </li>`;
    })}
  </ul>`;
}

/** Not as an encoded form: there, a letter that is not Latin takes up to nine bytes. */
function form({ language }: PageBase, path: string, { open, mostGuests }: GuestsCard): Html {
  const t = translator(language);
  if (!open) return html`<p class="quiet">${t('guests.full', { count: mostGuests })}</p>`;
  return html`<form method="post" action="${path}#guests" enctype="multipart/form-data">
    <p>${t('guests.intro')}</p>
    <div class="field">
      <label for="guest-name">${t('guests.name')}</label>
      <input id="guest-name" name="name" maxlength="${MOST_GUEST_NAME_CHARACTERS}" autocomplete="off" />
    </div>
    <div class="actions"><button class="button second">${t('guests.invite')}</button></div>
  </form>`;
}
