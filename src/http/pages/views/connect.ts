/** Where a professional connects the accounts: one card for each approved app. */
import { html } from 'hono/html';
import type { Plan } from '../../../domain/apps.ts';
import { type Texts, type Translate, translator } from '../texts/index.ts';
import { monthOf, minutes } from './format.ts';
import {
  type AppName,
  badge,
  countdown,
  fact,
  type Html,
  type MaybeHtml,
  notice,
  outside,
  page,
  type PageBase,
  remark,
  type Tone,
} from './layout.ts';

export type ConnectNotice = keyof Texts['connectNotice'];
export type ReconnectReason = keyof Texts['connectReason'];

export interface ConnectedAccount {
  readonly email: string | null;
  readonly plan: Plan;
  /** `asOf`: a day, `2026-10-04`. */
  readonly limit: { readonly minutes: number; readonly asOf: string } | null;
  readonly recording: 'yes' | 'no' | 'unknown';
  readonly status: 'active' | 'reconnect_required';
  /** Whether passing on recordings was asked for when it was connected; asked for again when it is reconnected. */
  readonly recordingsWanted: boolean;
  /** Why it has to be connected again; read only with `reconnect_required`. */
  readonly reason: ReconnectReason;
  /** In the vendor's spelling. */
  readonly missingPermissions: readonly { readonly name: string; readonly neededFor: 'links' | 'recordings' }[];
}

export interface ConnectApp extends AppName {
  readonly configured: boolean;
  /** Null while nothing is connected. */
  readonly account: ConnectedAccount | null;
}

export interface ConnectPage extends PageBase {
  readonly marketplace: string;
  readonly token: string;
  readonly expiresAt: Date;
  /** `app`: the name of the app that it is about, where it is about one. */
  readonly notice: { readonly kind: ConnectNotice; readonly app: string | null } | null;
  readonly apps: readonly ConnectApp[];
  readonly returnUrl: string | null;
}

/**
 * Forms: `POST /connect/{token}/{provider}` with `recordings=yes` when recordings may be passed on.
 */
export function connectPage(model: ConnectPage): Html {
  const t = translator(model.language);
  const marketplace = { marketplace: model.marketplace };
  const finish = t('connect.finish', marketplace);
  const connected = model.apps.some(({ account }) => account?.status === 'active');
  return page(
    model,
    t('connect.title'),
    html` <div class="intro">
        <h1>${t('connect.title')}</h1>
        <p>${t('connect.intro', marketplace)}</p>
        ${model.returnUrl === null ? '' : html`<p class="quiet">${t('connect.returnNote', marketplace)}</p>`}
      </div>
      ${banner(model)} ${model.apps.map((app) => card(model, app))}
      <div class="card-head">
        <p class="quiet small">${t('connect.timeLeft')} ${countdown(model, model.expiresAt)}</p>
        ${outside(model.returnUrl, finish, connected ? 'button' : 'button second')}
      </div>`,
  );
}

const NOTICE_TONES: Record<ConnectNotice, Tone> = {
  connected: 'good',
  access_denied: 'warn',
  link_expired: 'warn',
  other_browser: 'bad',
  account_cannot_create: 'warn',
  admin_approval: 'warn',
  permission_missing: 'warn',
  other_account: 'warn',
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
  const [tone, state] = stateOf(app, t);
  return html`<section class="card" aria-labelledby="app-${app.id}">
    <div class="card-head">
      <h2 id="app-${app.id}">${app.name}</h2>
      ${badge(tone, state)}
    </div>
    ${app.account === null ? invitation(model, app) : details(model, app, app.account)}
  </section>`;
}

function stateOf(app: ConnectApp, t: Translate): [Tone, string] {
  if (app.account?.status === 'active') return ['good', t('connect.badgeActive')];
  if (app.account !== null) return ['warn', t('connect.badgeReconnect')];
  return ['plain', app.configured ? t('connect.badgeNotConnected') : t('connect.badgeNotConfigured')];
}

function invitation(model: ConnectPage, app: ConnectApp): Html {
  const t = translator(model.language);
  if (!app.configured) return html`<p class="quiet">${t('connect.notConfigured', { app: app.name })}</p>`;
  return html`<p>${t('connect.notConnected', { app: app.name })}</p>
    <form method="post" action="${action(model, app)}">
      <label class="check"><input type="checkbox" name="recordings" value="yes" /><span>${t('connect.recordingsOption')}</span></label>
      <div class="actions"><button class="button">${t('connect.connectButton', { app: app.name })}</button></div>
    </form>`;
}

function details(model: ConnectPage, app: ConnectApp, account: ConnectedAccount): Html {
  const t = translator(model.language);
  const broken = account.status === 'reconnect_required';
  const reason = t(`connectReason.${account.reason}`, { app: app.name });
  const recording = { yes: t('connect.recordingYes'), no: t('connect.recordingNo'), unknown: t('connect.recordingUnknown') }[
    account.recording
  ];
  return html` ${broken ? remark('warn', account.reason === 'cannot_create' ? [reason] : [reason, t('connect.reconnectAdvice')]) : ''}
    <dl class="facts">
      ${fact(t('connect.account'), account.email ?? t('connect.accountUnknown', { app: app.name }))} ${plan(model, app, account)}
      ${fact(t('connect.limit'), limit(model, account))} ${fact(t('connect.recording'), recording)}
    </dl>
    ${account.missingPermissions.length === 0 || (broken && account.reason === 'cannot_create') ? '' : missing(model, account)}
    ${app.configured ? html`<div class="actions">${buttons(model, app, account)}</div>` : ''}`;
}

function buttons(model: ConnectPage, app: ConnectApp, account: ConnectedAccount): Html {
  const t = translator(model.language);
  const { recordingsWanted: recordings } = account;
  const broken = account.status === 'reconnect_required';
  // The same account once more would end in the same place.
  const hopeless = broken && account.reason === 'cannot_create';
  const again = !hopeless && (broken || account.missingPermissions.length > 0);
  const more = !broken && !recordings && account.recording !== 'no';
  return html`${again ? connectForm(model, app, t('connect.reconnectButton', { app: app.name }), { main: true, recordings }) : ''}
  ${more ? connectForm(model, app, t('connect.recordingsButton'), { main: false, recordings: true }) : ''}
  ${connectForm(model, app, t('connect.otherAccountButton'), { main: hopeless, recordings })}`;
}

function plan({ language }: ConnectPage, app: ConnectApp, account: ConnectedAccount): Html {
  const t = translator(language);
  const [name, meaning] = {
    free: [t('connect.planFree'), t('connect.planFreeMeaning')] as const,
    paid: [t('connect.planPaid'), t('connect.planPaidMeaning')] as const,
    unknown: [t('connect.planUnknown'), t('connect.planUnknownMeaning', { app: app.name })] as const,
  }[account.plan];
  return fact(
    t('connect.plan'),
    html`${name}
      <p class="quiet small">${meaning}</p>`,
  );
}

function limit({ language }: ConnectPage, account: ConnectedAccount): string {
  const t = translator(language);
  if (account.limit === null) return t('connect.limitNone');
  return t('connect.limitValue', { duration: minutes(language, account.limit.minutes), date: monthOf(language, account.limit.asOf) });
}

function missing({ language }: ConnectPage, account: ConnectedAccount): Html {
  const t = translator(language);
  const purpose = { links: t('connect.missingLinks'), recordings: t('connect.missingRecordings') };
  return html`<div class="stack">
    <h3 class="eyebrow">${t('connect.missing')}</h3>
    <ul class="list small">
      ${account.missingPermissions.map(({ name, neededFor }) => html`<li><code>${name}</code> – ${purpose[neededFor]}</li>`)}
    </ul>
    <p class="small">${t('connect.missingAdvice')}</p>
  </div>`;
}

const connectForm = (
  model: ConnectPage,
  app: ConnectApp,
  text: string,
  { main, recordings }: { main: boolean; recordings: boolean },
): Html =>
  html`<form method="post" action="${action(model, app)}">
    ${recordings ? html`<input type="hidden" name="recordings" value="yes" />` : ''}<button class="button${main ? '' : ' second'}">
      ${text}
    </button>
  </form>`;

const action = ({ token }: ConnectPage, app: AppName): string => `/connect/${encodeURIComponent(token)}/${app.id}`;
