/** What Zoom's refusals mean. Its codes are not unique, so the HTTP status is always part of the name. */
import { z } from 'zod';
import { refusal, retryAfterMs, type Answer } from '../call.ts';
import { Failure } from '../../src/domain/failure.ts';
import { DAY, SECOND } from '../../src/domain/time.ts';

const errorBody = z.object({ code: z.int().optional().catch(undefined), message: z.string().catch('') });

/** Chosen: the per-second window has passed by then. */
const SHORT_WAIT_MS = 2 * SECOND;

const NAMED: Readonly<Record<string, { readonly code: 'reconnect_required' | 'not_capable' | 'gone'; readonly detail: string }>> = {
  '400/4711': { code: 'reconnect_required', detail: 'Zoom says that the permission lacks a scope.' },
  '401/4700': { code: 'reconnect_required', detail: 'Zoom says that the permission lacks a scope.' },
  '404/1001': { code: 'reconnect_required', detail: 'Zoom does not know the user any more.' },
  '400/1010': { code: 'reconnect_required', detail: 'Zoom says that the user belongs to another account.' },
  '404/1120': { code: 'reconnect_required', detail: 'Zoom says that the user has not joined the account.' },
  '400/200': { code: 'not_capable', detail: 'The plan or the role of the Zoom account does not allow this.' },
  '400/3161': { code: 'not_capable', detail: 'The Zoom user may not host meetings.' },
  '404/3001': { code: 'gone', detail: 'The meeting does not exist at Zoom any more.' },
  '404/3301': { code: 'gone', detail: 'Zoom has no recording of this meeting.' },
};

/** Undefined leaves it to the common rules. */
export function refusedByZoom(answer: Answer, now: Date): Failure | undefined {
  const { code, message } = errorBody.catch({ code: undefined, message: '' }).parse(answer.json);
  const cause = new Error(`HTTP ${answer.status}: ${answer.text.slice(0, 500)}`);
  if (answer.status === 429) {
    return new Failure('vendor_quota', 'A rate limit of Zoom is used up.', { cause, retryAfterMs: waitMs(answer, message, now) });
  }
  const name = `${answer.status}/${code}`;
  // An expired token, also listed with 400: handled like any 401, by one fresh token.
  if (name === '400/124') return refusal({ ...answer, status: 401 }, now);
  const named = NAMED[name];
  if (named !== undefined) return new Failure(named.code, named.detail, { cause, extra: { vendor_code: String(code) } });
  if (answer.status >= 400 && answer.status < 500 && answer.status !== 401 && answer.status !== 408 && code !== undefined) {
    return new Failure('vendor_refused', `Zoom refused the request with ${answer.status}, code ${code}.`, {
      cause,
      extra: { vendor_code: String(code) },
    });
  }
  return undefined;
}

/** The kinds of 429 differ by their words only; a daily limit is reset at 00:00 UTC. */
function waitMs({ headers }: Answer, message: string, now: Date): number | undefined {
  const told = retryAfterMs(headers, now);
  if (told !== undefined) return told;
  const daily = /daily|per day|GMT 00:00/i.test(message) || /daily/i.test(headers.get('x-ratelimit-type') ?? '');
  if (daily) return DAY - (now.getTime() % DAY);
  return /per-second|concurrent/i.test(message) ? SHORT_WAIT_MS : refusal({ status: 429, headers, text: '' }, now).retryAfterMs;
}
