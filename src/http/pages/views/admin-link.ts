/** The link that a professional sends to the administrator of the organisation. */
import { html } from 'hono/html';
import { translator } from '../texts/index.ts';
import { dayOf } from './format.ts';
import { type Html, outside, page, type PageBase } from './layout.ts';

export interface AdminLinkPage extends PageBase {
  readonly token: string;
  readonly app: string;
  /** At the vendor. */
  readonly url: string;
  readonly expiresAt: Date;
}

export function adminLinkPage(model: AdminLinkPage): Html {
  const { app, expiresAt, language, token, url } = model;
  const t = translator(language);
  return page(
    model,
    t('adminConsent.title'),
    html`<section class="card">
      <h1>${t('adminConsent.title')}</h1>
      <p>${t('adminConsent.text', { app })}</p>
      <div class="field">
        <label for="admin-link">${t('adminConsent.label')}</label>
        <textarea id="admin-link" rows="4" readonly spellcheck="false">${url}</textarea>
      </div>
      <p class="quiet small">${t('adminConsent.life', { date: dayOf(language, expiresAt) })}</p>
      <p>${t('adminConsent.after')}</p>
      <div class="actions">
        <a class="button" href="/connect/${token}">${t('adminConsent.back')}</a>
        ${outside(url, t('adminConsent.open', { app }), 'button second')}
      </div>
    </section>`,
  );
}
