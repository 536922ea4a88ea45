/** The professional's page of one meeting. */
import { html } from 'hono/html';
import type { RecordingMode } from '../../../domain/policy.ts';
import type { Consent } from '../../../domain/recording.ts';
import type { Regarded } from '../../../domain/standing.ts';
import { type Translate, translator } from '../texts/index.ts';
import { guestsCard, type GuestsCard } from './guests.ts';
import { badge, headed, type Html, type MaybeHtml, outside, page } from './layout.ts';
import { reportCard, type ReportState } from './report.ts';
import { facts, isClosed, limitNotice, selfTimedNotice, liveRegion, type MeetingBase, moment, runsOut, type Side } from './meeting.ts';
import { standingNotice } from './standing.ts';
import { uploadsCard, type UploadsCard } from './uploads.ts';

export interface HostAttendee {
  readonly name: string | null;
  readonly purchased: boolean;
  readonly cameraOff: boolean;
  /** `not_needed` where the kind of meeting asks nobody. */
  readonly consent: Consent | 'not_needed';
}

export interface HostPage extends MeetingBase {
  readonly attendees: readonly HostAttendee[];
  readonly recording: RecordingMode;
  /** Whether a new link can be made for the rest of the booking. */
  readonly continuable: boolean;
  /** How the marketplace regards the professional. */
  readonly regarded: Regarded;
  readonly report: ReportState;
  /** Where guests may be invited (F10); null elsewhere. */
  readonly guests: GuestsCard | null;
  /** Null where nothing can be shared and nothing was. */
  readonly uploads: UploadsCard | null;
}

/**
 * Forms: `POST /h/{token}/join`; `POST /h/{token}/continue`, when a limit is near or has ended the meeting; `POST /h/{token}/report`, see
 * `reportCard`; `POST /h/{token}/uploads`, see `uploadsCard`; `POST /h/{token}/early-end` and `guests`, see their cards.
 */
export function hostPage(model: HostPage): Html {
  const t = translator(model.language);
  const open = !isClosed(model.state);
  const coming = model.attendees.filter(({ purchased }) => purchased).length;
  return page(
    model,
    model.title,
    html` <div class="intro">
        <p class="eyebrow">${t('host.role')}</p>
        <h1>${model.title}</h1>
      </div>
      ${standingNotice(model.language, model.regarded, model.timeZone)} ${liveRegion(model, side(model))}
      <section class="card" id="entrance" data-part>${status(model)}${facts(model)}</section>
      ${limitNotice(model)} ${selfTimedNotice(model)}
      <section class="card" id="people" data-part>
        <div class="card-head">
          <h2>${t('host.attendees')}</h2>
          ${coming === 0 ? '' : badge('good', t('host.coming', { count: coming }))}
        </div>
        ${attendees(model)}
      </section>
      ${model.guests === null ? '' : guestsCard(model, `/h/${encodeURIComponent(model.token)}/guests`, model.guests)}
      ${model.uploads === null ? '' : uploadsCard(model, `/h/${encodeURIComponent(model.token)}/uploads`, model.uploads)}
      ${open ? advice(model) : ''} ${reportCard(model, `/h/${encodeURIComponent(model.token)}/report`, model.report)}`,
  );
}

function side({ language, token, continuable }: HostPage): Side {
  const t = translator(language);
  const path = `/h/${encodeURIComponent(token)}`;
  return {
    path,
    hostLost: { title: t('host.lostTitle'), text: t('host.lostText') },
    goOn: !continuable
      ? ''
      : html`<form method="post" action="${path}/continue">
          ${headed(t('host.continueTitle'), t('host.continueText'))}
          <div class="actions"><button class="button">${t('host.continueButton')}</button></div>
        </form>`,
  };
}

function status(model: HostPage): Html {
  const t = translator(model.language);
  const { state, app } = model;
  switch (state.kind) {
    case 'awaiting_purchase':
      return headed(t('host.awaitingTitle'), t('host.awaitingText'));
    case 'link_pending':
      return headed(t('join.pendingTitle'), t('join.pendingText', { app: app.name }));
    case 'too_early':
      return html`${headed(t('join.earlyTitle'), t('host.earlyText', { time: moment(model, state.opensAt) }))}${runsOut(model, t('join.earlyCountdown'), state.opensAt)}`;
    case 'open':
      return html`<div class="stack">
          <h2>${t('host.openTitle')}</h2>
          <p class="quiet">${t('join.openText', { app: app.name })}</p>
        </div>
        <form method="post" action="/h/${encodeURIComponent(model.token)}/join">
          <button class="button big">${t('host.startButton', { app: app.name })}</button>
        </form>`;
    case 'over':
      return headed(t('join.overTitle'), t('host.overText', { app: app.name }));
    case 'cancelled':
      return headed(t('join.cancelledTitle'), t('join.cancelledText'));
    case 'expired':
      return headed(t('join.expiredTitle'), t('join.expiredText'));
  }
}

function attendees({ language, attendees: people }: HostPage): Html {
  const t = translator(language);
  if (people.length === 0) return html`<p class="quiet">${t('host.nobody')}</p>`;
  return html`<ul class="people">
    ${people.map(
      (person, index) =>
        html`<li>
          <span>${person.name ?? t('host.unnamed', { number: String(index + 1) })}</span
          ><span class="tags">
            ${person.purchased ? '' : badge('plain', t('host.notPurchased'))} ${person.cameraOff ? badge('', t('host.cameraOff')) : ''}
            ${consent(person, t)}</span
          >
        </li>`,
    )}
  </ul>`;
}

function consent({ consent: given }: HostAttendee, t: Translate): MaybeHtml {
  switch (given) {
    case 'not_needed':
      return '';
    case 'missing':
      return badge('plain', t('host.consentMissing'));
    case 'granted':
      return badge('good', t('host.consentGranted'));
    case 'refused':
      return badge('bad', t('host.consentRefused'));
  }
}

function advice({ language, app, recording, guideUrl }: HostPage): Html {
  const t = translator(language);
  const rule = { none: t('host.recordingNone'), on_consent: t('host.recordingOnConsent'), always: t('host.recordingAlways') }[recording];
  const guide = outside(guideUrl, t('host.guide', { app: app.name }));
  return html`<section class="card">
    <h2>${t('join.notesTitle')}</h2>
    <ul class="list">
      <li><strong>${t('host.recordingTitle')}:</strong> ${rule}</li>
      <li>${t('host.linkNote')}</li>
      ${
        guide === ''
          ? ''
          : html`<li>
              ${guide}
              <p class="quiet small">${t('join.guideNote')}</p>
            </li>`
      }
    </ul>
  </section>`;
}
