/** What Google's refusals mean. Meet and Workspace Events answer in one shape, Calendar and Drive in an older one. */
import { z } from 'zod';
import { Failure } from '../../src/domain/failure.ts';
import { HOUR, MINUTE } from '../../src/domain/time.ts';
import { retryAfterMs, type Answer } from '../call.ts';
import type { LimitOf } from '../provider.ts';

const reason = z.object({ reason: z.string().catch(''), metadata: z.record(z.string(), z.string()).catch({}) });
const errorAnswer = z.object({
  error: z.object({
    message: z.string().catch(''),
    status: z.string().catch(''),
    details: z.array(reason).catch([]),
    errors: z.array(reason).catch([]),
  }),
});

/** Calendar and Drive use 403 for what is a 429 elsewhere. */
const PER_MINUTE = new Set(['rateLimitExceeded', 'userRateLimitExceeded', 'RATE_LIMIT_EXCEEDED']);
/** Longer quotas, without a documented reset. Those about one file or one calendar do not stop the account's other calls. */
const LONGER = new Set(['quotaExceeded', 'dailyLimitExceeded', 'calendarUsageLimitsExceeded', 'downloadQuotaExceeded']);
const OF_ONE_THING = new Set(['calendarUsageLimitsExceeded', 'downloadQuotaExceeded']);
const SCOPE_MISSING = new Set(['ACCESS_TOKEN_SCOPE_INSUFFICIENT', 'insufficientPermissions']);

/** A refusal in Google's own words: the `cause` of the failures made here. */
export interface GoogleRefusal extends Error {
  readonly httpStatus: number;
  /** `PERMISSION_DENIED` and the like; empty in the older shape. */
  readonly status: string;
  readonly reasons: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Undefined where the common rules of `refusal` fit: 401, 408, 5xx, a 429 of the user's own. `scopes`: what the call needs. */
export function refusedByGoogle(answer: Answer, scopes: readonly string[], now: Date): Failure | undefined {
  if (answer.status === 401 || answer.status === 408 || answer.status >= 500) return undefined;
  const cause = readRefusal(answer);
  const ofProject = /PerProject/i.test(cause.metadata['quota_limit'] ?? '');
  if (answer.status === 429 && !ofProject) return undefined;
  const has = (known: ReadonlySet<string>): boolean => cause.reasons.some((name) => known.has(name));
  const code = cause.reasons[0] ?? (cause.status || String(answer.status));
  if (answer.status === 429 || (answer.status === 403 && (has(PER_MINUTE) || has(LONGER)))) {
    const wait = retryAfterMs(answer.headers, now) ?? (has(LONGER) ? HOUR : MINUTE);
    const limitOf: LimitOf | undefined = has(OF_ONE_THING) ? undefined : ofProject ? 'app' : 'host';
    return new Failure('vendor_quota', 'A quota of Google is used up.', {
      cause,
      retryAfterMs: wait,
      extra: { vendor_code: code, limit_of: limitOf },
    });
  }
  if (answer.status === 403 && has(SCOPE_MISSING)) {
    return new Failure('not_capable', `The account did not grant a permission that this needs: ${scopes.join(' or ')}.`, {
      cause,
      extra: { vendor_code: code, missing_scopes: scopes },
    });
  }
  return new Failure('vendor_refused', `Google refused the request with ${answer.status}.`, { cause, extra: { vendor_code: code } });
}

/** Google's words behind a failure; undefined when it was no refusal of Google. */
export function googleRefusal(error: unknown): GoogleRefusal | undefined {
  if (!(error instanceof Failure) || !(error.cause instanceof Error) || !('httpStatus' in error.cause)) return undefined;
  return error.cause as GoogleRefusal;
}

/** The scopes that Google misses; undefined when that is not why it refused. */
export function missingScopes(error: unknown): readonly string[] | undefined {
  const told = error instanceof Failure ? error.extra['missing_scopes'] : undefined;
  return Array.isArray(told) ? (told as readonly string[]) : undefined;
}

/** True when Google refused with one of these statuses, and not for a missing permission or a quota. */
export const refusedWith = (error: unknown, ...statuses: readonly number[]): boolean =>
  error instanceof Failure && error.code === 'vendor_refused' && statuses.includes(googleRefusal(error)?.httpStatus ?? 0);

/** For refusals that are answers too: the result, or undefined when Google said no with one of these statuses. */
export async function unlessRefused<T>(attempt: Promise<T>, ...statuses: readonly number[]): Promise<T | undefined> {
  try {
    return await attempt;
  } catch (error) {
    if (refusedWith(error, ...statuses)) return undefined;
    throw error;
  }
}

function readRefusal(answer: Answer): GoogleRefusal {
  const { error } = errorAnswer.safeParse(answer.json).data ?? {
    error: { message: answer.text.slice(0, 500), status: '', details: [], errors: [] },
  };
  const named = [...error.details, ...error.errors].filter(({ reason }) => reason !== '');
  return Object.assign(new Error(`HTTP ${answer.status}: ${error.message.slice(0, 500)}`), {
    httpStatus: answer.status,
    status: error.status,
    reasons: named.map(({ reason }) => reason),
    metadata: Object.assign({}, ...named.map(({ metadata }) => metadata)) as Record<string, string>,
  });
}
