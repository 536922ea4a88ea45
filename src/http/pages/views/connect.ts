/** Where a professional connects the accounts: one card for each approved app, and in it one for each account. */
import { html } from 'hono/html';
import type { Regarded } from '../../../domain/standing.ts';
import { type Texts, translator } from '../texts/index.ts';
import { accountCard, connectForm, type ConnectedAccount } from './connected-account.ts';
import { standingNotice } from './standing.ts';
import { type AppName, badge, countdown, type Html, type MaybeHtml, notice, outside, page, type PageBase, type Tone } from './layout.ts';

export type ConnectNotice = keyof Texts['connectNotice'];

export interface ConnectApp extends AppName {
  readonly configured: boolean;
  /** `registration`: one step for everything, see `OAuth`. */
  readonly scopesBy: 'request' | 'registration';
  /** Whether an administrator can agree for an organisation. */
  readonly adminConsent: boolean;
  readonly accounts: readonly ConnectedAccount[];
}

export interface ConnectPage extends PageBase {
  readonly marketplace: string;
  readonly token: string;
  readonly expiresAt: Date;
  /** `app`: the name of the app that it is about, where it is about one. */
  readonly notice: { readonly kind: ConnectNotice; readonly app: string | null } | null;
  /** How the marketplace regards the professional. */
  readonly regarded: Regarded;
  readonly apps: readonly ConnectApp[];
  readonly returnUrl: string | null;
}

/**
 * Forms: `POST /connect/{token}/{provider}` with `recordings=yes` when recordings may be passed on, and `connection` when it is this very
 * account that is to be connected again; `…/{provider}/admin-consent`; `…/connections/{id}/disconnect` and `…/prefer`;
 * `…/connections/{id}/plan` with `plan=free`, `paid` or `unknown`.
 */
export function connectPage(model: ConnectPage): Html {
  const t = translator(model.language);
  const marketplace = { marketplace: model.marketplace };
  const finish = t('connect.finish', marketplace);
  const connected = model.apps.some(({ accounts }) => accounts.some(({ trouble }) => trouble === null));
  return page(
    model,
    t('connect.title'),
    html` <div class="intro">
        <h1>${t('connect.title')}</h1>
        <p>${t('connect.intro', marketplace)}</p>
        ${model.returnUrl === null ? '' : html`<p class="quiet">${t('connect.returnNote', marketplace)}</p>`}
      </div>
      ${standingNotice(model.language, model.regarded, 'UTC')} ${banner(model)} ${model.apps.map((app) => card(model, app))}
      <div class="card-head">
        <p class="quiet small">${t('connect.timeLeft')} ${countdown(model, model.expiresAt)}</p>
        ${outside(model.returnUrl, finish, connected ? 'button' : 'button second')}
      </div>`,
  );
}

const NOTICE_TONES: Record<ConnectNotice, Tone> = {
  connected: 'good',
  recordings_missing: 'warn',
  access_denied: 'warn',
  link_expired: 'warn',
  other_browser: 'bad',
  account_cannot_create: 'warn',
  admin_approval: 'warn',
  admin_agreed: 'good',
  permission_missing: 'warn',
  other_account: 'warn',
  disconnected: 'good',
  preferred: 'good',
  plan_declared: 'good',
  vendor_unavailable: 'bad',
  failed: 'bad',
};

function banner({ language, notice: shown }: ConnectPage): MaybeHtml {
  if (shown === null) return '';
  const t = translator(language);
  const app = shown.app ?? '';
  const title = t(`connectNotice.${shown.kind}.title`, { app }).trim();
  return html`<div role="status">${notice(NOTICE_TONES[shown.kind], title, t(`connectNotice.${shown.kind}.text`, { app }))}</div>`;
}

function card(model: ConnectPage, app: ConnectApp): Html {
  const t = translator(model.language);
  const { accounts, configured, id, name } = app;
  const state = accounts.length > 0 ? '' : badge('plain', configured ? t('connect.badgeNotConnected') : t('connect.badgeNotConfigured'));
  return html`<section class="card" aria-labelledby="app-${id}">
    <div class="card-head">
      <h2 id="app-${id}">${name}</h2>
      ${state}
    </div>
    ${accounts.map((account) => accountCard(model, app, account))} ${configured ? ways(model, app) : unavailable(model, app)}
  </section>`;
}

const unavailable = ({ language }: ConnectPage, { name }: ConnectApp): Html =>
  html`<p class="quiet">${translator(language)('connect.notConfigured', { app: name })}</p>`;

/** To a first account, to one more, and to the administrator. */
function ways(model: ConnectPage, app: ConnectApp): Html {
  const t = translator(model.language);
  const { accounts, adminConsent, name, scopesBy } = app;
  const step = scopesBy === 'request' ? t('connect.stepLinks') : t('connect.stepFixed', { app: name });
  // The only account cannot do it: another one is what helps.
  const main = accounts.every(({ trouble }) => trouble === 'cannot_create');
  return html`${
      accounts.length > 0
        ? ''
        : html`<p>${t('connect.notConnected', { app: name })}</p>
            <p class="quiet small">${step}</p>`
    }
    <div class="actions${accounts.length > 0 ? ' ruled' : ''}">
      ${connectForm(model, app, accounts.length > 0 ? t('connect.otherAccountButton') : t('connect.connectButton', { app: name }), { main })}
    </div>
    ${adminConsent ? administrator(model, app) : ''}`;
}

function administrator({ language, notice: shown, token }: ConnectPage, { accounts, id, name }: ConnectApp): Html {
  const t = translator(language);
  const needed = shown?.kind === 'admin_approval' || accounts.some(({ trouble }) => trouble === 'admin_blocked');
  // Who has links already needs an administrator for the recordings only.
  const box = html`<input
    type="checkbox"
    name="recordings"
    value="yes"
    ${accounts.some(({ trouble }) => trouble === null) ? 'checked' : ''}
  />`;
  return html`<details ${needed ? 'open' : ''}>
    <summary>${t('connect.adminTitle')}</summary>
    <form method="post" action="/connect/${token}/${id}/admin-consent">
      <p class="small">${t('connect.adminText', { app: name })}</p>
      <label class="check">${box}<span>${t('connect.adminRecordings')}</span></label>
      <div class="actions"><button class="button second">${t('connect.adminButton')}</button></div>
    </form>
  </details>`;
}
