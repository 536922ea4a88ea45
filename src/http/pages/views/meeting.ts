/** What the join page and the host page share: when, where, how long, and how far the meeting is. */
import { html } from 'hono/html';
import { translator } from '../texts/index.ts';
import { dateTime, dateTimeRange, minutes, zoneName } from './format.ts';
import { type AppName, countdown, fact, type Html, type MaybeHtml, notice, type PageBase, stopwatch } from './layout.ts';

export interface MeetingBase extends PageBase {
  readonly token: string;
  readonly title: string;
  readonly app: AppName;
  readonly startsAt: Date;
  readonly durationMinutes: number;
  /** IANA name. */
  readonly timeZone: string;
  readonly state: MeetingPageState;
  /** What is known of the running meeting; null while it does not run. */
  readonly live: LiveMeeting | null;
  /** The limit of the vendor's plan; null when none is known. */
  readonly limitMinutes: number | null;
  /** The vendor's help page for this reader (G19). */
  readonly guideUrl: string | null;
}

export type MeetingPageState =
  /** `purchaseBy`: null where there is no deadline. */
  | { readonly kind: 'awaiting_purchase'; readonly purchaseBy: Date | null }
  | { readonly kind: 'link_pending' }
  | { readonly kind: 'too_early'; readonly opensAt: Date }
  | { readonly kind: 'open' }
  | { readonly kind: 'over' }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'expired' };

export interface LiveMeeting {
  readonly startedAt: Date;
  /** When the plan's limit ends it; null when it does not. */
  readonly limitEndsAt: Date | null;
  readonly hostLost: boolean;
  /** The paid block that runs, counted from 1 (T11). */
  readonly block: number | null;
  /** As the marketplace wrote it (T11). */
  readonly balance: string | null;
}

/** No figure of a vendor: news of a meeting are about this fresh. */
const REFRESH_SECONDS = 20;

export function facts(model: MeetingBase, more: MaybeHtml = ''): Html {
  const t = translator(model.language);
  const { language, startsAt, timeZone } = model;
  const endsAt = new Date(startsAt.getTime() + model.durationMinutes * 60_000);
  const starts = startsAt.toISOString();
  const when = html`<time datetime="${starts}">${dateTimeRange(language, startsAt, endsAt, timeZone)}</time>
    <p class="quiet small">${zoneName(language, startsAt, timeZone)}</p>
    <p
      class="quiet small local"
      data-zone="${timeZone}"
      data-starts="${starts}"
      data-ends="${endsAt.toISOString()}"
      data-text="${t('common.localTime', { time: '{time}' })}"
      data-same="${t('common.sameZone')}"
    ></p>`;
  return html`<dl class="facts ruled">
    ${fact(t('common.when'), when)} ${fact(t('common.length'), minutes(language, model.durationMinutes))}
    ${fact(t('common.app'), model.app.name)} ${more}
  </dl>`;
}

/** The line of a running meeting. It is fetched anew while the page is open, so it exists as soon as people may join. */
export function liveRegion(model: MeetingBase): MaybeHtml {
  if (model.state.kind !== 'open') return '';
  return html`<div id="live" data-refresh="${REFRESH_SECONDS}">${model.live === null ? '' : running(model, model.live)}</div>`;
}

export function limitNotice({ language, limitMinutes, app, state }: MeetingBase): MaybeHtml {
  if (limitMinutes === null || isClosed(state)) return '';
  const t = translator(language);
  return notice('warn', t('join.limitTitle', { duration: minutes(language, limitMinutes) }), t('join.limitText', { app: app.name }));
}

export const isClosed = ({ kind }: MeetingPageState): boolean => kind === 'over' || kind === 'cancelled' || kind === 'expired';

export const moment = ({ language, timeZone }: MeetingBase, at: Date): string => dateTime(language, at, timeZone);

/** Time that runs until the page has something else to say. */
export const runsOut = (model: MeetingBase, name: string, until: Date): Html =>
  html`<div class="countdown">
    <p class="quiet">${name}</p>
    <p>${countdown(model, until, true)}</p>
  </div>`;

function running(model: MeetingBase, live: LiveMeeting): Html {
  const t = translator(model.language);
  return html`<section class="card">
    ${live.hostLost ? html`<div role="alert">${notice('warn', t('join.hostLostTitle'), t('join.hostLostText'))}</div>` : ''}
    <dl class="facts">
      ${fact(t('join.runningFor'), stopwatch(model, live.startedAt))}
      ${live.limitEndsAt === null ? '' : fact(t('join.endsIn'), countdown(model, live.limitEndsAt))}
      ${live.block === null ? '' : fact(t('join.block'), String(live.block))}
      ${live.balance === null ? '' : fact(t('join.balance'), live.balance)}
    </dl>
  </section>`;
}
