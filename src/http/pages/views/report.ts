/** The way to tell support about a problem (G20, F06), the same on the customer's and the professional's page. */
import { html } from 'hono/html';
import { INCIDENT_KINDS, type IncidentKind, MOST_CHARACTERS } from '../../../domain/incident.ts';
import { type Key, translator } from '../texts/index.ts';
import { type Html, notice, type PageBase } from './layout.ts';

export type ReportState =
  | { readonly kind: 'empty' }
  | { readonly kind: 'sent' }
  /** `text`: what was written, so that nobody has to write it twice. */
  | { readonly kind: 'invalid'; readonly text: string }
  /** `open`: how many reports of this person nobody has answered yet. */
  | { readonly kind: 'too_many'; readonly open: number };

/** Form: `POST {action}` with `text` and, where one was chosen, `kind`. */
export function reportCard({ language }: PageBase, action: string, state: ReportState): Html {
  return html`<details class="card" id="report" ${state.kind === 'empty' ? '' : html` open`}>
    <summary>${translator(language)('report.title')}</summary>
    ${content(language, action, state)}
  </details>`;
}

export const KIND_NAMES = {
  conduct: 'report.kindConduct',
  dispute: 'report.kindDispute',
  safety: 'report.kindSafety',
  technical: 'report.kindTechnical',
  other: 'report.kindOther',
} as const satisfies Record<IncidentKind, Key>;

function content(language: PageBase['language'], action: string, state: ReportState): Html {
  const t = translator(language);
  switch (state.kind) {
    case 'sent':
      return said('good', t('report.sentTitle'), t('report.sentText'));
    case 'too_many':
      return said('warn', t('report.tooManyTitle'), t('report.tooManyText', { count: state.open }));
    case 'invalid':
      return html`${said('warn', t('report.invalidTitle'), t('report.invalidText', { most: most(language) }))}
      ${form(language, action, state.text)}`;
    case 'empty':
      return form(language, action, '');
  }
}

/** Not as an encoded form: there, a letter that is not Latin takes up to nine bytes and the form would be too large. */
function form(language: PageBase['language'], action: string, text: string): Html {
  const t = translator(language);
  return html`<form method="post" action="${action}#report" enctype="multipart/form-data">
    <p>${t('report.intro')}</p>
    <div class="field">
      <label for="report-kind">${t('report.kind')}</label>
      <select id="report-kind" name="kind">
        <option value="">${t('report.kindNone')}</option>
        ${INCIDENT_KINDS.map((kind) => html`<option value="${kind}">${t(KIND_NAMES[kind])}</option>`)}
      </select>
    </div>
    <div class="field">
      <label for="report-text">${t('report.text')}</label>
      <textarea id="report-text" name="text" rows="5" maxlength="${MOST_CHARACTERS}" required aria-describedby="report-hint">
${text}</textarea>
      <p class="quiet small" id="report-hint">${t('report.hint', { most: most(language) })}</p>
    </div>
    <div class="actions"><button class="button second">${t('report.send')}</button></div>
  </form>`;
}

const said = (tone: 'good' | 'warn', title: string, text: string): Html => html`<div role="status">${notice(tone, title, text)}</div>`;
const most = (language: PageBase['language']): string => new Intl.NumberFormat(language).format(MOST_CHARACTERS);
