/** The professional's page of one meeting. */
import { html } from 'hono/html';
import type { RecordingMode } from '../../../domain/policy.ts';
import type { Consent } from '../../../domain/recording.ts';
import { fill, type Texts, textsFor } from '../texts/index.ts';
import { badge, type Html, type MaybeHtml, outside, page, withApp } from './layout.ts';
import { facts, isClosed, limitNotice, liveRegion, type MeetingBase, moment, opensIn } from './meeting.ts';

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
}

/** Form: `POST /h/{token}/join`. */
export function hostPage(model: HostPage): Html {
  const { host } = textsFor(model.language);
  const open = !isClosed(model.state);
  return page(
    model,
    model.title,
    html` <div class="intro">
        <p class="eyebrow">${host.role}</p>
        <h1>${model.title}</h1>
      </div>
      ${liveRegion(model)}
      <section class="card">${status(model)}${facts(model)}</section>
      ${limitNotice(model)}
      <section class="card">
        <h2>${host.attendees}</h2>
        ${attendees(model)}
      </section>
      ${open ? advice(model) : ''}`,
  );
}

function status(model: HostPage): Html {
  const { host, join } = textsFor(model.language);
  const { state, app } = model;
  switch (state.kind) {
    case 'awaiting_purchase':
      return headed(host.awaitingTitle, host.awaitingText);
    case 'link_pending':
      return headed(join.pendingTitle, withApp(join.pendingText, app));
    case 'too_early':
      return html`${headed(join.earlyTitle, fill(host.earlyText, { time: moment(model, state.opensAt) }))}${opensIn(model, state.opensAt)}`;
    case 'open':
      return html`<div class="stack">
          <h2>${host.openTitle}</h2>
          <p class="quiet">${withApp(join.openText, app)}</p>
        </div>
        <form method="post" action="/h/${encodeURIComponent(model.token)}/join">
          <button class="button big">${withApp(host.startButton, app)}</button>
        </form>`;
    case 'over':
      return headed(join.overTitle, withApp(host.overText, app));
    case 'cancelled':
      return headed(join.cancelledTitle, join.cancelledText);
    case 'expired':
      return headed(join.expiredTitle, join.expiredText);
  }
}

function attendees({ language, attendees: people }: HostPage): Html {
  const { host } = textsFor(language);
  if (people.length === 0) return html`<p class="quiet">${host.nobody}</p>`;
  return html`<ul class="people">
    ${people.map(
      (person, index) =>
        html`<li>
          <span>${person.name ?? fill(host.unnamed, { number: String(index + 1) })}</span
          ><span class="tags">
            ${person.purchased ? '' : badge('plain', host.notPurchased)} ${person.cameraOff ? badge('', host.cameraOff) : ''}
            ${consent(person, host)}</span
          >
        </li>`,
    )}
  </ul>`;
}

function consent({ consent: given }: HostAttendee, host: Texts['host']): MaybeHtml {
  switch (given) {
    case 'not_needed':
      return '';
    case 'missing':
      return badge('plain', host.consentMissing);
    case 'granted':
      return badge('good', host.consentGranted);
    case 'refused':
      return badge('bad', host.consentRefused);
  }
}

function advice({ language, app, recording, guideUrl }: HostPage): Html {
  const { host, join } = textsFor(language);
  const rule = { none: host.recordingNone, on_consent: host.recordingOnConsent, always: host.recordingAlways }[recording];
  const guide = outside(guideUrl, withApp(host.guide, app));
  return html`<section class="card">
    <h2>${join.notesTitle}</h2>
    <ul class="list">
      <li><strong>${host.recordingTitle}:</strong> ${rule}</li>
      <li>${host.linkNote}</li>
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

const headed = (title: string, text: string): Html =>
  html`<div class="stack">
    <h2>${title}</h2>
    <p>${text}</p>
  </div>`;
