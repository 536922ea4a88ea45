/** The rules of delivering events: when to try again, when to give up, and when an endpoint is beyond help. */
import { jittered } from './backoff.ts';
import { DAY, HOUR, MINUTE, plus, SECOND } from './time.ts';

export const DELIVERY_STATES = ['pending', 'delivered', 'dead'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** Why a delivery is dead. */
export const DEATHS = ['exhausted', 'endpoint_gone', 'endpoint_disabled', 'endpoint_removed', 'unreadable', 'poison'] as const;
export type Death = (typeof DEATHS)[number];

/** Why an endpoint gets nothing: its marketplace wanted so, it answered 410, or it has done nothing but fail for days. */
export type DisabledReason = 'asked' | 'gone' | 'failing';

/** What becomes of the deliveries of an endpoint that is disabled. `reason`: a `DisabledReason`, as it is stored. */
export const deathBy = (reason: string | null): Death => (reason === 'gone' ? 'endpoint_gone' : 'endpoint_disabled');

/** Standard Webhooks' example schedule: the wait before attempt 2, 3, …; 75 h 35 min in all. */
const WAITS_MS = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR] as const;
/** With every wait at its longest. What a receiver asks for does not lead beyond it. */
const SCHEDULE_MS = 1.2 * WAITS_MS.reduce((sum, wait) => sum + wait, 0);
/** The links of a recording live as long: until then it is worth to be told. */
const RECORDING_MS = 14 * DAY;
/** Who says that it is overloaded, or is too slow to say it, is left alone at least so long; as Svix does. */
const OVERLOADED_MS = MINUTE;

export interface FailedAttempt {
  /** Of this delivery, this one included. */
  readonly attempts: number;
  readonly event: { readonly type: string; readonly at: Date };
  readonly queuedAt: Date;
  readonly now: Date;
  /** Answered 429 or 503, or not in time. */
  readonly overloaded: boolean;
  readonly retryAfterMs: number | undefined;
  /** In [0, 1). */
  readonly chance: number;
}

/** When it is tried again; null when that was the last time. */
export function nextAttempt({ attempts, event, queuedAt, now, overloaded, retryAfterMs, chance }: FailedAttempt): Date | null {
  const recording = event.type.startsWith('recording.');
  const base = WAITS_MS[attempts - 1] ?? DAY;
  const daily = attempts > WAITS_MS.length;
  if (daily && !recording) return null;
  const end = recording ? plus(event.at, RECORDING_MS) : plus(queuedAt, SCHEDULE_MS);
  const wait = Math.max(jittered(base, chance), overloaded ? OVERLOADED_MS : 0);
  if (daily && plus(now, wait) > end) return null;
  // The first waits are short: somebody who asks for a minute is not tried again within seconds.
  const most = Math.max(2 * Math.max(base, overloaded ? OVERLOADED_MS : 0), WAITS_MS[attempts] ?? DAY);
  const asked = Math.min(Math.max(retryAfterMs ?? 0, wait), most);
  // An event that is sent again by hand may be older than its schedule: it has its plain waits.
  return plus(now, Math.max(wait, Math.min(asked, end.getTime() - now.getTime())));
}

/** `Retry-After`: seconds or an HTTP date, in milliseconds from now; undefined when it is neither. */
export function retryAfterMs(header: string | undefined, now: Date): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * SECOND;
  // HTTP dates end in GMT; `Date.parse` takes much else for a date.
  const at = header.trim().endsWith('GMT') ? Date.parse(header) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(at - now.getTime(), 0);
}

/** After so many attempts in a row that failed on our side, before anything was sent, it is not tried any more. */
export const TRIES_TO_WRITE = 3;

/** An endpoint that has done nothing but fail for so long is disabled; as Svix does. */
export const FAILING_MS = 5 * DAY;
/** Its failures have to lie so far apart, several times: a bad hour and a quiet week are no five days. */
export const FAILURES_APART_MS = 12 * HOUR;

/** What was wrong with an attempt, for people who look for the reason. */
export const ATTEMPT_PROBLEMS = [
  'blocked',
  'dns',
  'connection_refused',
  'unreachable',
  'tls',
  'not_http',
  'timeout',
  'redirect',
  'unauthorized',
  'not_found',
  'gone',
  'overloaded',
  'refused',
  'server_error',
  'unreadable',
  'poison',
] as const;
export type AttemptProblem = (typeof ATTEMPT_PROBLEMS)[number];
/** Those of an event that could not be put into words: nothing was sent. */
export const UNWRITTEN = ['unreadable', 'poison'] as const satisfies readonly AttemptProblem[];

const BY_STATUS: Readonly<Record<number, AttemptProblem>> = {
  401: 'unauthorized',
  403: 'unauthorized',
  404: 'not_found',
  410: 'gone',
  429: 'overloaded',
  503: 'overloaded',
};

/** `answer` of an attempt without a status begins with what happened, as `timeout: …`. */
export function attemptProblem({ status, answer }: { status: number | null; answer: string }): AttemptProblem | null {
  if (status === null) return ATTEMPT_PROBLEMS.find((problem) => answer.startsWith(`${problem}:`)) ?? 'unreachable';
  if (status >= 200 && status < 300) return null;
  if (status < 400) return 'redirect';
  return BY_STATUS[status] ?? (status < 500 ? 'refused' : 'server_error');
}
