/** What Zoom's refusals mean. Its codes are not unique, so the HTTP status is always part of the name. */
import { z } from 'zod';
import { refusal, retryAfterMs, type Answer } from '../call.ts';
import { Failure } from '../../src/domain/failure.ts';
import { DAY, MINUTE, SECOND } from '../../src/domain/time.ts';
import type { GrantEnd, LimitOf } from '../provider.ts';
import { areForRecordings } from './scopes.ts';

const errorBody = z.object({ code: z.int().optional().catch(undefined), message: z.string().catch('') });

/** Chosen: the per-second window has passed by then. */
const SHORT_WAIT_MS = 2 * SECOND;

interface Named {
  readonly code: 'reconnect_required' | 'not_capable' | 'gone';
  /** Why the account cannot be used any more. */
  readonly reason?: GrantEnd;
  readonly detail: string;
}

const NAMED: Readonly<Record<string, Named>> = {
  '404/1001': { code: 'reconnect_required', reason: 'account_gone', detail: 'Zoom does not know the user any more.' },
  '400/1010': { code: 'reconnect_required', reason: 'account_gone', detail: 'Zoom says that the user belongs to another account.' },
  '404/1120': { code: 'reconnect_required', reason: 'account_gone', detail: 'Zoom says that the user has not joined the account.' },
  '400/200': { code: 'not_capable', detail: 'The plan or the role of the Zoom account does not allow this.' },
  '400/3161': { code: 'not_capable', detail: 'The Zoom user may not host meetings.' },
  '404/3001': { code: 'gone', detail: 'The meeting does not exist at Zoom any more.' },
  '404/3301': { code: 'gone', detail: 'Zoom has no recording of this meeting.' },
};

/** A recording that is still being made (3303), or in use (3310): later it can be deleted. */
const NOT_NOW = new Set(['3303', '3310']);
/** Chosen: Zoom names no time, and takes about twice the length of a meeting to finish its recording. */
const NOT_NOW_MS = 15 * MINUTE;

/** A token without the scope that a call needs. The first is listed with 401, the second with 400; reports swap them. */
const SCOPE_MISSING = new Set(['4700', '4711']);

/** Undefined leaves it to the common rules. */
export function refusedByZoom(answer: Answer, now: Date): Failure | undefined {
  const { code, message } = errorBody.catch({ code: undefined, message: '' }).parse(answer.json);
  const cause = new Error(`HTTP ${answer.status}: ${answer.text.slice(0, 500)}`);
  if (answer.status === 429) {
    return new Failure('vendor_quota', 'A rate limit of Zoom is used up.', {
      cause,
      retryAfterMs: waitMs(answer, message, now),
      extra: { limit_of: limitOf(message) },
    });
  }
  const name = `${answer.status}/${code}`;
  // An expired token, also listed with 400: handled like any 401, by one fresh token.
  if (name === '400/124') return refusal({ ...answer, status: 401 }, now);
  if ((answer.status === 400 || answer.status === 401) && SCOPE_MISSING.has(String(code)))
    return scopeMissing(String(code), message, cause);
  const named = NAMED[name];
  if (named !== undefined) {
    const { reason } = named;
    return new Failure(named.code, named.detail, {
      cause,
      extra: { vendor_code: String(code), ...(reason === undefined ? {} : { reason }) },
    });
  }
  if (answer.status >= 400 && answer.status < 500 && NOT_NOW.has(String(code))) {
    return new Failure('vendor_unavailable', 'Zoom is still busy with the recording.', {
      cause,
      retryAfterMs: NOT_NOW_MS,
      extra: { vendor_code: String(code) },
    });
  }
  if (answer.status >= 400 && answer.status < 500 && answer.status !== 401 && answer.status !== 408 && code !== undefined) {
    return new Failure('vendor_refused', `Zoom refused the request with ${answer.status}, code ${code}.`, {
      cause,
      extra: { vendor_code: String(code), status: answer.status },
    });
  }
  return undefined;
}

/** Zoom names the scopes: `does not contain scopes:[a, b].` Without those for recordings the rest of the account still works. */
function scopeMissing(vendorCode: string, message: string, cause: Error): Failure {
  const scopes = (/scopes:\s*\[([^\]]*)\]/.exec(message)?.[1] ?? '').split(/[\s,]+/).filter(Boolean);
  const extra = { vendor_code: vendorCode, ...(scopes.length > 0 ? { missing_scopes: scopes } : {}) };
  if (areForRecordings(scopes)) {
    return new Failure('not_capable', 'The Zoom account did not grant a permission that recordings need.', { cause, extra });
  }
  return new Failure('reconnect_required', 'Zoom says that the permission lacks a scope.', {
    cause,
    extra: { ...extra, reason: 'permission_missing' satisfies GrantEnd },
  });
}

/** The kinds of 429 differ by their words only. Undefined: too much at once for one user or meeting, which is nobody else's business. */
function limitOf(message: string): LimitOf | undefined {
  if (/this particular user|create\/update/i.test(message)) return 'budget';
  return /concurrent/i.test(message) ? undefined : 'organisation';
}

/** A daily limit is reset at 00:00 UTC. */
function waitMs({ headers }: Answer, message: string, now: Date): number | undefined {
  const told = retryAfterMs(headers, now);
  if (told !== undefined) return told;
  const type = headers.get('x-ratelimit-type') ?? '';
  const daily = /daily|per day|GMT 00:00/i.test(message) || /daily/i.test(type);
  if (daily) return DAY - (now.getTime() % DAY);
  return /per-second|concurrent/i.test(message) || /qps/i.test(type)
    ? SHORT_WAIT_MS
    : refusal({ status: 429, headers, text: '' }, now).retryAfterMs;
}
