/** The customer's page. The vendor's link is no part of its model, so it cannot show up here before it is time. */
import { html } from 'hono/html';
import type { Consent } from '../../../domain/recording.ts';
import { translator } from '../texts/index.ts';
import { type Audience, consentQuestion } from './consent.ts';
import { guestsCard, type GuestsCard } from './guests.ts';
import { fact, headed, type Html, type MaybeHtml, notice, outside, page, type PageBase } from './layout.ts';
import {
  type EntranceBase,
  facts,
  isClosed,
  limitNotice,
  liveRegion,
  type MeetingBase,
  moment,
  runsOut,
  selfTimedNotice,
  type Side,
} from './meeting.ts';
import { ratingCard, type RatingCard } from './rating.ts';
import { reportCard, type ReportState } from './report.ts';

/** What everybody's page shows who comes in. */
export interface ComingIn extends EntranceBase {
  /** The page's own path: `/j/{token}`. */
  readonly path: string;
  readonly audience: Audience;
  readonly recording: JoinRecording;
}

export interface JoinPage extends MeetingBase {
  /** The professional's name, where it is known. */
  readonly professional: string | null;
  readonly recording: JoinRecording;
  readonly cameraOff: boolean;
  /** Where others may be invited (F10); null elsewhere. */
  readonly guests: GuestsCard | null;
  /** After the meeting (R07); null where there is nothing to rate. */
  readonly rating: RatingCard | null;
  /** What `GET /j/{token}/meeting.ics` is good for; null while there is nothing to note down. */
  readonly calendar: 'add' | 'take_out' | null;
  readonly report: ReportState;
}

export type JoinRecording =
  | { readonly kind: 'none' }
  /** G11: participants are told. */
  | { readonly kind: 'notice' }
  /** F09: joining is consent. */
  | { readonly kind: 'implied'; readonly retentionDays: number }
  /** G12. `required`: nobody joins without an answer, which may be no. */
  | { readonly kind: 'consent'; readonly decision: Consent; readonly required: boolean };

/**
 * Forms: `POST /j/{token}/join`; `POST /j/{token}/consent`, see `consentQuestion`; `POST /j/{token}/wishes` with `camera_off` (yes, no);
 * `POST /j/{token}/report`, see `reportCard`; `POST /j/{token}/early-end`, `guests` and `rating`, see their cards.
 */
export function joinPage(customer: JoinPage): Html {
  const model = { ...customer, path: `/j/${encodeURIComponent(customer.token)}`, audience: 'customer' } as const;
  const open = !isClosed(model.state);
  return page(
    model,
    model.title,
    html` <div class="intro"><h1>${model.title}</h1></div>
      ${liveRegion(model, side(model))} ${open ? recordingPart(model) : ''}
      <div class="part" id="rating" data-part>${model.rating === null ? '' : ratingCard(model, `${model.path}/rating`, model.rating)}</div>
      <section class="card" id="entrance" data-part>${comingIn(model)} ${facts(model, who(model))} ${calendar(model)}</section>
      ${model.state.kind === 'over' && model.recording.kind === 'consent' ? recordingPart(model) : ''} ${open ? camera(model) : ''}
      ${model.guests === null ? '' : guestsCard(model, `${model.path}/guests`, model.guests)} ${limitNotice(model)}
      ${selfTimedNotice(model)} ${open ? notes(model) : ''} ${safety(model)} ${reportCard(model, `${model.path}/report`, model.report)}`,
  );
}

type Customer = JoinPage & ComingIn;

function side(model: Customer): Side {
  const t = translator(model.language);
  const hostLost = { title: t('join.hostLostTitle'), text: t('join.hostLostText') };
  return { path: model.path, hostLost, goOn: '' };
}

/** How far the meeting is, with the way in once it is open. */
export function comingIn(model: ComingIn): Html {
  const t = translator(model.language);
  const { state, app } = model;
  switch (state.kind) {
    case 'awaiting_purchase': {
      const by = state.purchaseBy === null ? '' : html`<p>${t('join.awaitingUntil', { time: moment(model, state.purchaseBy) })}</p>`;
      return html`<div class="stack">
          <h2>${t('join.awaitingTitle')}</h2>
          <p>${t('join.awaitingText')}</p>
          ${by}
        </div>
        ${state.purchaseBy === null ? '' : runsOut(model, t('join.awaitingCountdown'), state.purchaseBy)}`;
    }
    case 'link_pending':
      return headed(t('join.pendingTitle'), t('join.pendingText', { app: app.name }));
    case 'too_early':
      return html`<div class="stack">
          <h2>${t('join.earlyTitle')}</h2>
          <p>${t('join.earlyText', { time: moment(model, state.opensAt) })}</p>
        </div>
        ${runsOut(model, t('join.earlyCountdown'), state.opensAt)}`;
    case 'open':
      return entrance(model);
    case 'over':
      return headed(t('join.overTitle'), t('join.overText'));
    case 'cancelled':
      return headed(t('join.cancelledTitle'), t('join.cancelledText'));
    case 'expired':
      return headed(t('join.expiredTitle'), t('join.expiredText'));
  }
}

function entrance(model: ComingIn): Html {
  const { app, recording } = model;
  const t = translator(model.language);
  if (recording.kind === 'consent' && recording.required && recording.decision === 'missing')
    return headed(t('join.openTitle'), t('join.answerFirst'));
  return html`<div class="stack">
      <h2>${t('join.openTitle')}</h2>
      <p class="quiet">${t('join.openText', { app: app.name })}</p>
    </div>
    <form method="post" action="${model.path}/join">
      <button class="button big">${t('join.joinButton', { app: app.name })}</button>
    </form>`;
}

export function recordingPart(model: ComingIn): MaybeHtml {
  const t = translator(model.language);
  const { recording: rule } = model;
  switch (rule.kind) {
    case 'none':
      return '';
    case 'notice':
      return notice('', t('join.eventRecordedTitle'), t('join.eventRecordedText'));
    case 'implied':
      return notice('', t('join.impliedTitle'), t('join.impliedText', { count: rule.retentionDays }));
    case 'consent':
      return consentQuestion(model, `${model.path}/consent`, {
        decision: rule.decision,
        isOver: model.state.kind === 'over',
        audience: model.audience,
      });
  }
}

export function notes({ language, app, guideUrl }: ComingIn): Html {
  const t = translator(language);
  const guide = outside(guideUrl, t('join.guide', { app: app.name }));
  return html`<section class="card">
    <h2>${t('join.notesTitle')}</h2>
    <ul class="list">
      <li>${t('join.noteApp', { app: app.name })}</li>
      <li>${t('join.noteConnection')}</li>
      <li>${t('join.notePersonal')}</li>
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

/** The professional's id says nothing to a customer: who it is stands in the title, and who vouches for it is the marketplace. */
function who({ language, professional, marketplace }: JoinPage): MaybeHtml {
  const t = translator(language);
  return html`${professional === null ? '' : fact(t('common.with'), professional)}
  ${marketplace === null ? '' : fact(t('common.bookedOn'), marketplace)}`;
}

function calendar(model: Customer): MaybeHtml {
  if (model.calendar === null) return '';
  const t = translator(model.language);
  const text = model.calendar === 'add' ? t('join.addToCalendar') : t('join.takeFromCalendar');
  return html`<div class="actions"><a class="button second" href="${model.path}/meeting.ics" download>${text}</a></div>`;
}

/** G10 */
function camera(model: Customer): Html {
  const t = translator(model.language);
  const [title, text, button] = model.cameraOff
    ? [t('join.cameraOffTitle'), t('join.cameraOffText'), t('join.cameraOnButton')]
    : [t('join.cameraTitle'), t('join.cameraText'), t('join.cameraOffButton')];
  return html`<section class="card">
    <div class="stack">
      <h2>${title}</h2>
      <p>${text}</p>
    </div>
    <form method="post" action="${model.path}/wishes">
      <div class="actions">
        <button class="button second" name="camera_off" value="${model.cameraOff ? 'no' : 'yes'}">${button}</button>
      </div>
    </form>
  </section>`;
}

const SAFETY_RULES = ['secrets', 'links', 'remote', 'respect', 'adult', 'platform', 'uncomfortable'] as const;

export function safety({ language }: PageBase): Html {
  const t = translator(language);
  return html`<details class="card">
    <summary>${t('safety.title')}</summary>
    <ul class="list">
      ${SAFETY_RULES.map((rule) => html`<li>${t(`safety.${rule}`)}</li>`)}
    </ul>
  </details>`;
}
