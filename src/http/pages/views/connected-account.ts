/** One connected account on the connect page: how ready it is, and what can be done. */
import { html } from 'hono/html';
import type { Plan } from '../../../domain/apps.ts';
import type { PlanBasis } from '../../../domain/plan.ts';
import { type Texts, translator } from '../texts/index.ts';
import type { ConnectApp, ConnectPage } from './connect.ts';
import { dayOf, minutes, monthOf } from './format.ts';
import { badge, fact, type Html, type MaybeHtml, outside, remark } from './layout.ts';

export type ReconnectReason = keyof Texts['connectReason'];

export interface ConnectedAccount {
  readonly id: string;
  readonly email: string | null;
  readonly plan: Plan;
  readonly planBasis: PlanBasis;
  /** When the vendor last told the plan. */
  readonly planReadAt: Date;
  /** `asOf`: a day, `2026-10-04`; null for the marketplace's own figure. `source`: an address, or a few words. */
  readonly limit: { readonly minutes: number; readonly asOf: string | null; readonly source: string } | null;
  /** `plan`: the vendor says that the account has none. `permission`: it was not allowed. `unknown`: the vendor does not tell beforehand. */
  readonly recording: 'yes' | 'plan' | 'permission' | 'unknown';
  /** Whether passing on recordings was asked for when it was connected; asked for again when it is reconnected. */
  readonly recordingsWanted: boolean;
  /** Why it cannot be used as it is; null when it can. */
  readonly trouble: ReconnectReason | null;
  /** In the vendor's spelling. */
  readonly missingPermissions: readonly { readonly name: string; readonly neededFor: 'links' | 'recordings' }[];
  /** `preferred`: before every other account. `first`: before the others of its app. `offered`: whether choosing it would change anything. */
  readonly preference: { readonly is: 'preferred' | 'first' | 'other'; readonly offered: boolean };
}

export function accountCard(model: ConnectPage, app: ConnectApp, account: ConnectedAccount): Html {
  const t = translator(model.language);
  const { id, email, missingPermissions, preference, trouble } = account;
  const chosen = { preferred: t('connect.badgePreferred'), first: t('connect.badgeFirst', { app: app.name }), other: '' }[preference.is];
  return html`<article class="account" aria-labelledby="${id}">
    <div class="card-head">
      <h3 id="${id}">${email ?? t('connect.accountUnknown', { app: app.name })}</h3>
      <div class="tags">
        ${chosen === '' ? '' : badge('', chosen)}
        ${trouble === null ? badge('good', t('connect.badgeActive')) : badge('warn', t('connect.badgeReconnect'))}
      </div>
    </div>
    ${trouble === null ? '' : remark('warn', [t(`connectReason.${trouble}`, { app: app.name }), ...advice(model, trouble)])}
    <dl class="facts">
      ${plan(model, app, account)} ${fact(t('connect.limit'), limit(model, account))}
      ${fact(t('connect.recording'), recording(model, app, account))}
    </dl>
    ${planForm(model, app, account)} ${missingPermissions.length === 0 || trouble === 'cannot_create' ? '' : missing(model, app, account)}
    ${actions(model, app, account)}
  </article>`;
}

function advice({ language }: ConnectPage, trouble: ReconnectReason): string[] {
  const t = translator(language);
  if (trouble === 'cannot_create') return [];
  return [trouble === 'admin_blocked' ? t('connect.adminAdvice') : t('connect.reconnectAdvice')];
}

function plan({ language }: ConnectPage, { name: app }: ConnectApp, { plan: known, planBasis, planReadAt }: ConnectedAccount): Html {
  const t = translator(language);
  const basis = {
    vendor: t('connect.planKnown', { app, date: dayOf(language, planReadAt) }),
    learned: t('connect.planLearned', { app }),
    declared: t('connect.planDeclared', { app }),
    none: '',
  }[planBasis];
  const [name, meaning] = {
    free: [t('connect.planFree'), `${t('connect.planFreeMeaning')} ${basis}`] as const,
    paid: [t('connect.planPaid'), `${t('connect.planPaidMeaning')} ${basis}`] as const,
    unknown: [t('connect.planUnknown'), t('connect.planUnknownMeaning', { app })] as const,
  }[known];
  return fact(
    t('connect.plan'),
    html`${name}
      <p class="quiet small">${meaning}</p>`,
  );
}

/** Where the vendor does not tell the plan, the professional can. */
function planForm(
  { language, token }: ConnectPage,
  { name: app }: ConnectApp,
  { id, plan: known, planBasis }: ConnectedAccount,
): MaybeHtml {
  if (planBasis === 'vendor') return '';
  const t = translator(language);
  const options = [
    ['unknown', t('connect.planNotSure')],
    ['free', t('connect.planFree')],
    ['paid', t('connect.planPaid')],
  ] as const;
  return html`<details ${planBasis === 'none' ? 'open' : ''}>
    <summary class="small quiet">${t('connect.planSay')}</summary>
    <form method="post" action="/connect/${token}/connections/${id}/plan">
      <p class="small" id="plan-hint-${id}">${t('connect.planSayText', { app })}</p>
      <div class="field">
        <label for="plan-${id}">${t('connect.planLabel')}</label>
        <select id="plan-${id}" name="plan" aria-describedby="${id} plan-hint-${id}">
          ${options.map(([value, text]) => html`<option value="${value}" ${value === known ? 'selected' : ''}>${text}</option>`)}
        </select>
      </div>
      <div class="actions"><button class="button second" aria-describedby="${id}">${t('connect.planButton')}</button></div>
    </form>
  </details>`;
}

function limit({ language, marketplace }: ConnectPage, { limit: known }: ConnectedAccount): Html | string {
  const t = translator(language);
  if (known === null) return t('connect.limitNone');
  const duration = minutes(language, known.minutes);
  if (known.asOf === null) return t('connect.limitOwn', { duration, marketplace: marketplace ?? '' });
  return html`${t('connect.limitValue', { duration, date: monthOf(language, known.asOf) })}
  ${outside(known.source, t('connect.limitSource'), 'quiet small')}`;
}

function recording({ language }: ConnectPage, { name: app, scopesBy }: ConnectApp, account: ConnectedAccount): string {
  const t = translator(language);
  return {
    yes: t('connect.recordingYes'),
    plan: t('connect.recordingPlan'),
    permission: scopesBy === 'request' ? t('connect.recordingPermission') : t('connect.recordingFixed', { app }),
    unknown: t('connect.recordingUnknown'),
  }[account.recording];
}

function missing({ language }: ConnectPage, { name: app, scopesBy }: ConnectApp, { missingPermissions }: ConnectedAccount): Html {
  const t = translator(language);
  const purpose = { links: t('connect.missingLinks'), recordings: t('connect.missingRecordings') };
  return html`<div class="stack">
    <h4 class="eyebrow">${t('connect.missing')}</h4>
    <ul class="list small">
      ${missingPermissions.map(({ name, neededFor }) => html`<li><code>${name}</code> – ${purpose[neededFor]}</li>`)}
    </ul>
    <p class="small">${scopesBy === 'request' ? t('connect.missingAdvice') : t('connect.missingFixed', { app })}</p>
  </div>`;
}

function actions(model: ConnectPage, app: ConnectApp, account: ConnectedAccount): Html {
  const t = translator(model.language);
  const { id, missingPermissions, preference, recording: possible, recordingsWanted, trouble } = account;
  // The same account once more would end in the same place.
  const again =
    app.configured && trouble !== 'cannot_create' && (trouble !== null || (app.scopesBy === 'request' && missingPermissions.length > 0));
  const more = app.configured && app.scopesBy === 'request' && trouble === null && !recordingsWanted && possible !== 'plan';
  return html`${
      again || more || preference.offered
        ? html`<div class="actions">
            ${
              again
                ? connectForm(model, app, t('connect.reconnectButton', { app: app.name }), {
                    main: true,
                    recordings: recordingsWanted,
                    account,
                  })
                : ''
            }
            ${more ? connectForm(model, app, t('connect.recordingsButton'), { main: false, recordings: true, account }) : ''}
            ${
              preference.offered
                ? html`<form method="post" action="/connect/${model.token}/connections/${id}/prefer">
                    <button class="button second" ${describedBy(account)}>${t('connect.preferButton')}</button>
                  </form>`
                : ''
            }
          </div>`
        : ''
    }
    <details>
      <summary class="small quiet">${t('connect.disconnect')}</summary>
      <form method="post" action="/connect/${model.token}/connections/${id}/disconnect">
        <p class="small">${t('connect.disconnectText', { app: app.name, marketplace: model.marketplace ?? '' })}</p>
        <div class="actions"><button class="button second" ${describedBy(account)}>${t('connect.disconnectButton')}</button></div>
      </form>
    </details>`;
}

/** `account`: it is this one that is to be connected again. */
export const connectForm = (
  model: ConnectPage,
  app: ConnectApp,
  text: string,
  { main, recordings = false, account }: { main: boolean; recordings?: boolean; account?: ConnectedAccount },
): Html =>
  html`<form method="post" action="/connect/${model.token}/${app.id}">
    ${recordings ? html`<input type="hidden" name="recordings" value="yes" />` : ''}
    ${account === undefined ? '' : html`<input type="hidden" name="connection" value="${account.id}" />`}
    <button class="button${main ? '' : ' second'}" ${describedBy(account)}>${text}</button>
  </form>`;

/** Buttons of several accounts have the same words: this says which one each is about. */
const describedBy = (account: ConnectedAccount | undefined): Html | '' =>
  account === undefined ? '' : html`aria-describedby="${account.id}"`;
