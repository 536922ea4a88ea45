/** A call that rings: for who is called with the buttons to answer, for who calls with the time that is left. */
import { html } from 'hono/html';
import type { CallSide, CallState } from '../../../domain/call.ts';
import { type Translate, translator } from '../texts/index.ts';
import { countdown, fact, headed, type Html, type MaybeHtml, notice, page, type PageBase } from './layout.ts';

export interface CallPage extends PageBase {
  readonly token: string;
  /** What the meeting will be called. */
  readonly title: string;
  /** Whose page it is. */
  readonly side: CallSide;
  readonly role: 'caller' | 'callee';
  /** What the other side is called; null where the marketplace did not say. */
  readonly other: string | null;
  readonly purpose: string | null;
  /** False: it is counted and makes no sound. */
  readonly rings: boolean;
  readonly acceptBy: Date;
  /** An accepted call has no page of its own: it leads into the meeting. */
  readonly state: CallState;
  readonly version: string;
  /** The answer did not work out, and the call rings on. */
  readonly failed: boolean;
}

/** How often the page is fetched anew while its stream does not work. */
const REFRESH_SECONDS = 5;

/** Forms, empty ones: `POST /c/{token}/accept` and `/decline` of who is called, `/withdraw` of who calls. */
export function callPage(model: CallPage): Html {
  const t = translator(model.language);
  const ringing = model.state === 'ringing';
  return page(
    model,
    model.title,
    html` <div class="intro">
        ${model.side === 'professional' ? html`<p class="eyebrow">${t('host.role')}</p>` : ''}
        <h1>${model.title}</h1>
      </div>
      ${ringing ? liveRegion(model) : ''}
      ${model.failed ? html`<div role="alert">${notice('warn', t('call.failedTitle'), t('call.failedText'))}</div>` : ''}
      <section class="card">${ringing ? ringingCard(model, t) : over(model, t)} ${facts(model, t)}</section>`,
    ringing
      ? html`<noscript><meta http-equiv="refresh" content="${REFRESH_SECONDS}; url=/c/${encodeURIComponent(model.token)}" /></noscript>`
      : '',
  );
}

/** When its stream tells another version, the page is fetched again, and leads on to wherever the call has gone. */
const liveRegion = ({ token, state, version }: CallPage): Html =>
  html`<div
    id="live"
    class="live"
    data-part
    data-page="/c/${encodeURIComponent(token)}"
    data-door="${state}"
    data-version="${version}"
    data-refresh="${REFRESH_SECONDS}"
  ></div>`;

function ringingCard(model: CallPage, t: Translate): Html {
  // It is over, and somebody is answering: the page would load itself again and again.
  const timeLeft =
    model.acceptBy <= model.now
      ? ''
      : html`<div class="countdown">
          <p class="quiet">${t('call.timeLeft')}</p>
          <p>${countdown(model, model.acceptBy, true)}</p>
        </div>`;
  return model.role === 'callee'
    ? html`<div role="status">${headed(t('call.incomingTitle'), t('call.incomingText'))}</div>
        ${timeLeft}
        <div class="actions">
          ${button(model, 'accept', t('call.acceptButton'))}${button(model, 'decline', t('call.declineButton'), 'second')}
        </div>
        ${sound(model, t)}`
    : html`${headed(t('call.outgoingTitle'), model.rings ? t('call.outgoingText') : t('call.silentText'))} ${timeLeft}
        <div class="actions">${button(model, 'withdraw', t('call.withdrawButton'), 'second')}</div>`;
}

const button = ({ token }: CallPage, action: string, text: string, kind = ''): Html =>
  html`<form method="post" action="/c/${encodeURIComponent(token)}/${action}"><button class="button ${kind}">${text}</button></form>`;

/** Shown by the script, which makes the sound. */
const sound = ({ rings }: CallPage, t: Translate): MaybeHtml =>
  rings
    ? html`<div class="actions">
        <button class="button second" type="button" data-sound data-on="${t('call.soundOn')}" data-off="${t('call.soundOff')}" hidden>
          ${t('call.soundOn')}
        </button>
      </div>`
    : '';

function over({ state }: CallPage, t: Translate): Html {
  switch (state) {
    case 'declined':
      return headed(t('call.declinedTitle'), t('call.declinedText'));
    case 'withdrawn':
      return headed(t('call.withdrawnTitle'), t('call.withdrawnText'));
    default:
      return headed(t('call.expiredTitle'), t('call.expiredText'));
  }
}

function facts({ side, role, other, purpose }: CallPage, t: Translate): Html {
  const unnamed = side === 'professional' ? t('call.aCustomer') : t('call.aProfessional');
  return html`<dl class="facts ruled">
    ${fact(role === 'callee' ? t('call.caller') : t('call.called'), other ?? unnamed)}
    ${purpose === null ? '' : fact(t('call.purpose'), purpose)}
  </dl>`;
}
