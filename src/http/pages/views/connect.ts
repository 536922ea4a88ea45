/** Where a professional connects the accounts: one card for each approved app. */
import { html } from 'hono/html';
import type { Plan } from '../../../domain/apps.ts';
import { fill, type Texts, textsFor } from '../texts/index.ts';
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
  withApp,
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
  const { connect } = textsFor(model.language);
  const marketplace = { marketplace: model.marketplace };
  const finish = fill(connect.finish, marketplace);
  const connected = model.apps.some(({ account }) => account?.status === 'active');
  return page(
    model,
    connect.title,
    html` <div class="intro">
        <h1>${connect.title}</h1>
        <p>${fill(connect.intro, marketplace)}</p>
        ${model.returnUrl === null ? '' : html`<p class="quiet">${fill(connect.returnNote, marketplace)}</p>`}
      </div>
      ${banner(model)} ${model.apps.map((app) => card(model, app))}
      <div class="card-head">
        <p class="quiet small">${connect.timeLeft} ${countdown(model, model.expiresAt)}</p>
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
  vendor_unavailable: 'bad',
  failed: 'bad',
};

function banner({ language, notice: shown }: ConnectPage): MaybeHtml {
  if (shown === null) return '';
  const { title, text } = textsFor(language).connectNotice[shown.kind];
  const values = { app: shown.app ?? '' };
  return html`<div role="status">${notice(NOTICE_TONES[shown.kind], fill(title, values).trim(), fill(text, values))}</div>`;
}

function card(model: ConnectPage, app: ConnectApp): Html {
  const { connect } = textsFor(model.language);
  const [tone, state] = stateOf(app, connect);
  return html`<section class="card" aria-labelledby="app-${app.id}">
    <div class="card-head">
      <h2 id="app-${app.id}">${app.name}</h2>
      ${badge(tone, state)}
    </div>
    ${app.account === null ? invitation(model, app) : details(model, app, app.account)}
  </section>`;
}

function stateOf(app: ConnectApp, connect: Texts['connect']): [Tone, string] {
  if (app.account?.status === 'active') return ['good', connect.badgeActive];
  if (app.account !== null) return ['warn', connect.badgeReconnect];
  return ['plain', app.configured ? connect.badgeNotConnected : connect.badgeNotConfigured];
}

function invitation(model: ConnectPage, app: ConnectApp): Html {
  const { connect } = textsFor(model.language);
  if (!app.configured) return html`<p class="quiet">${withApp(connect.notConfigured, app)}</p>`;
  return html`<p>${withApp(connect.notConnected, app)}</p>
    <form method="post" action="${action(model, app)}">
      <label class="check"><input type="checkbox" name="recordings" value="yes" /><span>${connect.recordingsOption}</span></label>
      <div class="actions"><button class="button">${withApp(connect.connectButton, app)}</button></div>
    </form>`;
}

function details(model: ConnectPage, app: ConnectApp, account: ConnectedAccount): Html {
  const { connect, connectReason } = textsFor(model.language);
  const broken = account.status === 'reconnect_required';
  const reason = withApp(connectReason[account.reason], app);
  const recording = { yes: connect.recordingYes, no: connect.recordingNo, unknown: connect.recordingUnknown }[account.recording];
  return html` ${broken ? remark('warn', account.reason === 'cannot_create' ? [reason] : [reason, connect.reconnectAdvice]) : ''}
    <dl class="facts">
      ${fact(connect.account, account.email ?? withApp(connect.accountUnknown, app))} ${plan(model, app, account)}
      ${fact(connect.limit, limit(model, account))} ${fact(connect.recording, recording)}
    </dl>
    ${account.missingPermissions.length === 0 || (broken && account.reason === 'cannot_create') ? '' : missing(model, account)}
    ${app.configured ? html`<div class="actions">${buttons(model, app, account)}</div>` : ''}`;
}

function buttons(model: ConnectPage, app: ConnectApp, account: ConnectedAccount): Html {
  const { connect } = textsFor(model.language);
  const { recordingsWanted: recordings } = account;
  const broken = account.status === 'reconnect_required';
  // The same account once more would end in the same place.
  const hopeless = broken && account.reason === 'cannot_create';
  const again = !hopeless && (broken || account.missingPermissions.length > 0);
  const more = !broken && !recordings && account.recording !== 'no';
  return html`${again ? connectForm(model, app, withApp(connect.reconnectButton, app), { main: true, recordings }) : ''}
  ${more ? connectForm(model, app, connect.recordingsButton, { main: false, recordings: true }) : ''}
  ${connectForm(model, app, connect.otherAccountButton, { main: hopeless, recordings })}`;
}

function plan({ language }: ConnectPage, app: ConnectApp, account: ConnectedAccount): Html {
  const { connect } = textsFor(language);
  const [name, meaning] = {
    free: [connect.planFree, connect.planFreeMeaning] as const,
    paid: [connect.planPaid, connect.planPaidMeaning] as const,
    unknown: [connect.planUnknown, connect.planUnknownMeaning] as const,
  }[account.plan];
  return fact(
    connect.plan,
    html`${name}
      <p class="quiet small">${withApp(meaning, app)}</p>`,
  );
}

function limit({ language }: ConnectPage, account: ConnectedAccount): string {
  const { connect } = textsFor(language);
  if (account.limit === null) return connect.limitNone;
  return fill(connect.limitValue, { duration: minutes(language, account.limit.minutes), date: monthOf(language, account.limit.asOf) });
}

function missing({ language }: ConnectPage, account: ConnectedAccount): Html {
  const { connect } = textsFor(language);
  const purpose = { links: connect.missingLinks, recordings: connect.missingRecordings };
  return html`<div class="stack">
    <h3 class="eyebrow">${connect.missing}</h3>
    <ul class="list small">
      ${account.missingPermissions.map(({ name, neededFor }) => html`<li><code>${name}</code> – ${purpose[neededFor]}</li>`)}
    </ul>
    <p class="small">${connect.missingAdvice}</p>
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
