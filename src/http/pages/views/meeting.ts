/** What the join page and the host page share: when, where, how long, and how far the meeting is. */
import { html } from 'hono/html';
import { translator } from '../texts/index.ts';
import type { EarlyEndNews } from '../../../domain/early-end.ts';
import { MINUTE } from '../../../domain/time.ts';
import type { MeterNews } from '../../../meters/news.ts';
import { dateTime, dateTimeRange, minutes, monthOf, zoneName } from './format.ts';
import { earlyEndCard } from './early-end.ts';
import { type AppName, countdown, fact, headed, type Html, type MaybeHtml, notice, type PageBase, stopwatch } from './layout.ts';

/** What every page of a meeting shows. */
export interface EntranceBase extends PageBase {
  readonly token: string;
  readonly title: string;
  readonly app: AppName;
  readonly startsAt: Date;
  readonly durationMinutes: number;
  /** IANA name. */
  readonly timeZone: string;
  readonly state: MeetingPageState;
  /** The limit of the vendor's plan; null when none is known. */
  readonly limitMinutes: number | null;
  /** The day of its source, `2026-10-04`; null where none is known, and for the marketplace's own figure. */
  readonly limitAsOf: string | null;
  /** Minutes before the limit at which its coming is told, the most first. */
  readonly warnMinutes: readonly number[];
  /** The vendor's help page for this reader (G19). */
  readonly guideUrl: string | null;
}

/** A page that stays fresh while the meeting lasts. */
export interface MeetingBase extends EntranceBase {
  /** What is known of the running meeting; null while it does not run. */
  readonly live: LiveMeeting | null;
  /** Minutes that are paid for, where only the people can end the meeting after them (T08); null elsewhere. */
  readonly selfTimedMinutes: number | null;
  /** What is to be said of an end before the time; null where nothing is. */
  readonly earlyEnd: EarlyEndNews | null;
  /** The vendor has ended it; it may be entered again while its time lasts. */
  readonly ended: boolean;
  /** This reader's own page of the meeting that continues this one. */
  readonly continuedUrl: string | null;
  /** Of what the page shows; the page's stream tells the newest. */
  readonly version: string;
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
  /** T11; null where nothing is metered. */
  readonly meter: MeterNews | null;
}

/** How a page differs for its two kinds of readers. */
export interface Side {
  /** The page's own path: `/j/{token}`. */
  readonly path: string;
  /** What the reader is told while the host is away from the call. */
  readonly hostLost: { readonly title: string; readonly text: string };
  /** What goes on before the limit and after it; nothing for customers. */
  readonly goOn: MaybeHtml;
}

/** How often the page is fetched anew while its stream does not work. */
const REFRESH_SECONDS = 20;
/** Enough to read the notice and to say no. */
const MOVES_AFTER_SECONDS = 10;
/** From when on the way to go on is shown, however late the warnings come. */
const GO_ON_MINUTES = 10;

export function facts(model: EntranceBase, more: MaybeHtml = ''): Html {
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

/**
 * What happens to the meeting now. While something can still happen, the page listens to `{path}/live`; when that tells another version
 * than this one, the page is fetched again and its parts (`data-part`) are exchanged.
 */
export function liveRegion(model: MeetingBase, side: Side): MaybeHtml {
  const happening = html`${continued(model)} ${model.live === null ? ended(model, side) : running(model, model.live, side)}
  ${earlyEndCard(model, side.path)}`;
  if (isClosed(model.state)) return model.continuedUrl === null ? '' : html`<div class="live">${continued(model)}</div>`;
  return html`<div
    id="live"
    class="live"
    data-part
    data-page="${side.path}"
    data-door="${model.state.kind}"
    data-version="${model.version}"
    data-refresh="${REFRESH_SECONDS}"
  >
    ${happening}
  </div>`;
}

export function limitNotice({ language, limitMinutes, limitAsOf, app, state }: EntranceBase): MaybeHtml {
  if (limitMinutes === null || isClosed(state)) return '';
  const t = translator(language);
  const text = t('join.limitText', { app: app.name });
  const asOf = limitAsOf === null ? '' : ` ${t('join.limitAsOf', { date: monthOf(language, limitAsOf) })}`;
  return notice('warn', t('join.limitTitle', { duration: minutes(language, limitMinutes) }), `${text}${asOf}`);
}

export function selfTimedNotice({ language, selfTimedMinutes, app, state }: MeetingBase): MaybeHtml {
  if (selfTimedMinutes === null || isClosed(state)) return '';
  const t = translator(language);
  return notice(
    'warn',
    t('join.selfTimedTitle', { duration: minutes(language, selfTimedMinutes) }),
    t('join.selfTimedText', { app: app.name }),
  );
}

export const isClosed = ({ kind }: MeetingPageState): boolean => kind === 'over' || kind === 'cancelled' || kind === 'expired';

export const moment = ({ language, timeZone }: EntranceBase, at: Date): string => dateTime(language, at, timeZone);

/** Time that runs until the page has something else to say. */
export const runsOut = (model: EntranceBase, name: string, until: Date): Html =>
  html`<div class="countdown">
    <p class="quiet">${name}</p>
    <p>${countdown(model, until, true)}</p>
  </div>`;

function running(model: MeetingBase, live: LiveMeeting, side: Side): Html {
  const t = translator(model.language);
  return html`<section class="card">
    ${live.hostLost ? html`<div role="alert">${notice('warn', side.hostLost.title, side.hostLost.text)}</div>` : ''}
    ${live.limitEndsAt === null ? '' : limit(model, live.limitEndsAt, side)}
    <dl class="facts">
      ${fact(t('join.runningFor'), stopwatch(model, live.startedAt))} ${live.meter === null ? '' : metered(model, live.meter)}
    </dl>
    ${
      live.meter === null || live.meter.unpaid === null
        ? ''
        : html`<div role="alert">
            ${notice('bad', t('join.unpaid.title'), t(`join.unpaid.${live.meter.unpaid}`, { app: model.app.name }))}
          </div>`
    }
  </section>`;
}

function metered(model: MeetingBase, { session, balance }: MeterNews): Html {
  const t = translator(model.language);
  const block = session && (session.last ? t('join.blockLast', { number: String(session.block) }) : String(session.block));
  return html`${
    session === null
      ? ''
      : html`${fact(t('join.sessionTime'), stopwatch(model, session.since))} ${fact(t('join.block'), block ?? '')}
        ${session.blockEndsAt > model.now ? fact(t('join.blockEndsIn'), countdown(model, session.blockEndsAt)) : ''}`
  }
  ${balance === null ? '' : fact(t('join.balance'), balance)}`;
}

/** Counts down to the plan's limit. The script goes on from here: what has `data-from` shows while that much time is left, or less. */
function limit(model: MeetingBase, endsAt: Date, { goOn }: Side): Html {
  const { language, app, now, continuedUrl } = model;
  const t = translator(language);
  const restMs = endsAt.getTime() - now.getTime();
  const within = (fromMs: number, toMs: number): Html =>
    html`data-from="${fromMs}" data-to="${toMs}" ${restMs <= fromMs && restMs > toMs ? '' : html`hidden`}`;
  const steps = stepsOf(model);
  const goOnMs = Math.max(GO_ON_MINUTES, steps[0]?.minutes ?? 0) * MINUTE;
  return html`<div class="limit" data-limit="${endsAt.toISOString()}">
    <div class="countdown">
      <p class="quiet">${t('join.endsIn')}</p>
      <p>${countdown(model, endsAt)}</p>
    </div>
    <div role="status">
      ${steps.map(
        ({ minutes: count, tone }, index) =>
          html`<p class="notice ${tone}" ${within(count * MINUTE, (steps[index + 1]?.minutes ?? 0) * MINUTE)}>
            ${t('join.limitNear', { app: app.name, count })}
          </p>`,
      )}
      <p class="notice bad" ${within(0, Number.MIN_SAFE_INTEGER)}>${t('join.limitReached', { app: app.name })}</p>
    </div>
    ${goOn === '' || continuedUrl !== null ? '' : html`<div ${within(goOnMs, Number.MIN_SAFE_INTEGER)}>${goOn}</div>`}
  </div>`;
}

/** When the limit comes near, and how loudly that is said: the first time plainly, the last time most loudly. */
function stepsOf({ warnMinutes, limitMinutes }: MeetingBase) {
  // A warning that is as long as the limit itself would be there from the start.
  const told = warnMinutes.filter((count) => limitMinutes === null || count < limitMinutes);
  const tones = new Map([
    [told.length - 2, 'warn'],
    [told.length - 1, 'bad'],
    [0, ''],
  ]);
  return told.map((count, index) => ({ minutes: count, tone: tones.get(index) ?? '' }));
}

function ended({ language, ended: hasEnded, state, continuedUrl }: MeetingBase, { goOn }: Side): MaybeHtml {
  if (!hasEnded || state.kind !== 'open') return '';
  const t = translator(language);
  return html`<section class="card">
    <div role="status">${headed(t('join.endedTitle'), t('join.endedText'))}</div>
    ${continuedUrl !== null ? '' : goOn}
  </section>`;
}

/** Without the script a link. With it the page goes there by itself, unless somebody says no. */
function continued({ language, continuedUrl }: MeetingBase): MaybeHtml {
  if (continuedUrl === null) return '';
  const t = translator(language);
  return html`<section class="card" data-move="${continuedUrl}" data-after="${MOVES_AFTER_SECONDS}">
    <div role="alert">
      ${headed(t('join.continuedTitle'), t('join.continuedText'))}
      <p data-moving hidden>${t('join.moving', { count: MOVES_AFTER_SECONDS })}</p>
    </div>
    <div class="actions">
      <a class="button" href="${continuedUrl}">${t('join.continuedLink')}</a>
      <button class="button second" type="button" data-stay hidden>${t('join.stayButton')}</button>
    </div>
  </section>`;
}
