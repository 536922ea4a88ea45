/** The customer's page. The vendor's link is no part of its model, so it cannot show up here before it is time. */
import { html } from 'hono/html';
import type { Consent } from '../../../domain/recording.ts';
import { fill, textsFor } from '../texts/index.ts';
import { consentQuestion } from './consent.ts';
import { fact, type Html, type MaybeHtml, notice, outside, page, withApp } from './layout.ts';
import { facts, isClosed, limitNotice, liveRegion, type MeetingBase, moment, opensIn, retention } from './meeting.ts';

export interface JoinPage extends MeetingBase {
  /** The professional's name, where it is known. */
  readonly professional: string | null;
  readonly recording: JoinRecording;
  readonly cameraOff: boolean;
  /** Whether others may be invited with this link (F10). */
  readonly shareable: boolean;
  /** Where to report a problem; null leaves the link out. */
  readonly reportUrl: string | null;
}

export type JoinRecording =
  | { readonly kind: 'none' }
  /** G11: participants are told. */
  | { readonly kind: 'notice' }
  /** F09: joining is consent. */
  | { readonly kind: 'implied'; readonly retentionDays: number }
  /** G12. `required`: nobody joins without an answer, which may be no. */
  | { readonly kind: 'consent'; readonly decision: Consent; readonly required: boolean };

/** Forms: `POST /j/{token}/join`; `POST /j/{token}/consent`, see `consentQuestion`. */
export function joinPage(model: JoinPage): Html {
  const { common } = textsFor(model.language);
  const open = !isClosed(model.state);
  return page(
    model,
    model.title,
    html` <div class="intro"><h1>${model.title}</h1></div>
      ${liveRegion(model)} ${open ? recording(model) : ''}
      <section class="card">
        ${status(model)} ${facts(model, model.professional === null ? '' : fact(common.with, model.professional))}
      </section>
      ${open && model.cameraOff ? notice('', textsFor(model.language).join.cameraOffTitle, textsFor(model.language).join.cameraOffText) : ''}
      ${limitNotice(model)} ${open ? notes(model) : ''} ${safety(model)}`,
  );
}

function status(model: JoinPage): Html {
  const { join } = textsFor(model.language);
  const { state, app } = model;
  switch (state.kind) {
    case 'awaiting_purchase': {
      const by = state.purchaseBy === null ? '' : html`<p>${fill(join.awaitingUntil, { time: moment(model, state.purchaseBy) })}</p>`;
      return html`<div class="stack">
        <h2>${join.awaitingTitle}</h2>
        <p>${join.awaitingText}</p>
        ${by}
      </div>`;
    }
    case 'link_pending':
      return headed(join.pendingTitle, withApp(join.pendingText, app));
    case 'too_early':
      return html`<div class="stack">
          <h2>${join.earlyTitle}</h2>
          <p>${fill(join.earlyText, { time: moment(model, state.opensAt) })}</p>
        </div>
        ${opensIn(model, state.opensAt)}`;
    case 'open':
      return entrance(model);
    case 'over':
      return headed(join.overTitle, join.overText);
    case 'cancelled':
      return headed(join.cancelledTitle, join.cancelledText);
    case 'expired':
      return headed(join.expiredTitle, join.expiredText);
  }
}

function entrance({ language, app, token, recording }: JoinPage): Html {
  const { join } = textsFor(language);
  if (recording.kind === 'consent' && recording.required && recording.decision === 'missing')
    return headed(join.openTitle, join.answerFirst);
  return html`<div class="stack">
      <h2>${join.openTitle}</h2>
      <p class="quiet">${withApp(join.openText, app)}</p>
    </div>
    <form method="post" action="/j/${encodeURIComponent(token)}/join">
      <button class="button big">${withApp(join.joinButton, app)}</button>
    </form>`;
}

function recording(model: JoinPage): MaybeHtml {
  const { join } = textsFor(model.language);
  const { recording: rule } = model;
  switch (rule.kind) {
    case 'none':
      return '';
    case 'notice':
      return notice('', join.eventRecordedTitle, join.eventRecordedText);
    case 'implied':
      return notice('', join.impliedTitle, fill(join.impliedText, { duration: retention(model, rule.retentionDays) }));
    case 'consent':
      return consentQuestion(model, model.token, rule.decision);
  }
}

function notes({ language, app, guideUrl, shareable }: JoinPage): Html {
  const { join } = textsFor(language);
  const guide = outside(guideUrl, withApp(join.guide, app));
  return html`<section class="card">
    <h2>${join.notesTitle}</h2>
    <ul class="list">
      <li>${withApp(join.noteApp, app)}</li>
      <li>${join.noteConnection}</li>
      ${shareable ? '' : html`<li>${join.notePersonal}</li>`}
      ${
        guide === ''
          ? ''
          : html`<li>
              ${guide}
              <p class="quiet small">${join.guideNote}</p>
            </li>`
      }
    </ul>
  </section>`;
}

function safety({ language, reportUrl }: JoinPage): Html {
  const { common, safety } = textsFor(language);
  const { title, ...rules } = safety;
  const report = outside(reportUrl, common.report);
  return html`<details class="card">
      <summary>${title}</summary>
      <ul class="list">
        ${Object.values(rules).map((rule) => html`<li>${rule}</li>`)}
      </ul>
    </details>
    ${report === '' ? '' : html`<p>${report}</p>`}`;
}

const headed = (title: string, text: string): Html =>
  html`<div class="stack">
    <h2>${title}</h2>
    <p>${text}</p>
  </div>`;
