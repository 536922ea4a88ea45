/** The one place where an adapter talks HTTP with its own `fetch`, and where the answers get their names. */
import pRetry, { AbortError } from 'p-retry';
import type { z } from 'zod';
import { Failure } from '../src/domain/failure.ts';
import { DAY, MINUTE, SECOND } from '../src/domain/time.ts';
import type { Account, CountedCall, LimitOf } from './provider.ts';
import { patiently, type Gate, type Rate } from './rate.ts';

/** No documented figure: long enough for a slow create, short enough for a person who waits. */
export const TIMEOUT_MS = 15 * SECOND;
/** Chosen: a page of 300 recordings is about 1 MB. */
const MAX_ANSWER_BYTES = 5_000_000;
/** A vendor that asks for more than a day of silence is not believed. */
const MAX_RETRY_AFTER_MS = DAY;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; undefined when it is empty or not JSON. */
  readonly json: unknown;
}

export interface CallOptions {
  readonly method: string;
  readonly url: URL | string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as a form, in place of `body`. */
  readonly form?: URLSearchParams;
  /** Repeating this call cannot do harm. Only then are lost answers and 5xx tried again, twice. */
  readonly repeatable: boolean;
  /** Names the failure behind a refusing answer; undefined leaves it to the common rules of `refusal`. */
  readonly refused?: (answer: Answer) => Failure | undefined;
  readonly now: () => Date;
}

/** What a call in an account's name costs. */
export interface Cost {
  /** Set where the vendor counts it against a budget. */
  readonly counts?: CountedCall | undefined;
  readonly gate: Gate;
  /** Whose rate it is; the same for all that share it. */
  readonly rateKey: string;
  readonly rate: Rate;
}

/**
 * One call with our own retry policy; returns any 2xx answer.
 * @throws Failure see `refusal`; `vendor_unavailable` when no answer came.
 */
export function call(options: CallOptions): Promise<Answer> {
  const attempt = async (): Promise<Answer> => {
    const answer = await send(options);
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw options.refused?.(answer) ?? refusal(answer, options.now());
  };
  return patiently(() => (options.repeatable ? repeating(attempt) : attempt()));
}

/**
 * The same with the account's token; a 401 is answered with one fresh token and one more try.
 * @throws Failure also `vendor_quota`, without a request, when a budget is used up or too many calls wait already
 */
export async function callAs(account: Account, options: CallOptions, { counts, gate, rateKey, rate }: Cost): Promise<Answer> {
  // In this order, so that nothing is taken from a budget for a request that cannot be sent.
  const token = await account.accessToken();
  return gate(rateKey, rate, async () => {
    if (counts !== undefined) await account.spend(counts);
    return callWith(account, token, options);
  });
}

async function callWith(account: Account, token: string, options: CallOptions): Promise<Answer> {
  const withToken = (bearer: string): CallOptions => ({ ...options, headers: { ...options.headers, authorization: `Bearer ${bearer}` } });
  try {
    return await call(withToken(token));
  } catch (error) {
    if (!(error instanceof Failure && error.code === 'reconnect_required' && error.extra['status'] === 401)) throw error;
    // A refused token never reached the business logic of the vendor, so even a POST may go again.
    return call(withToken(await account.accessToken(token)));
  }
}

/** The body by its schema. @throws Failure `vendor_nonsense` */
export function parseAnswer<T>(schema: z.ZodType<T>, answer: Answer, what: string): T {
  const parsed = schema.safeParse(answer.json);
  if (parsed.success) return parsed.data;
  throw new Failure('vendor_nonsense', `The answer to "${what}" does not have the documented shape.`, { cause: parsed.error });
}

/** Runs up to three times while the failure says that the vendor may recover within seconds. */
export function repeating<T>(attempt: () => Promise<T>): Promise<T> {
  return pRetry(
    async () => {
      try {
        return await attempt();
      } catch (error) {
        if (error instanceof Failure && error.code === 'vendor_unavailable' && (error.retryAfterMs ?? 0) <= 2 * SECOND) throw error;
        throw new AbortError(error as Error);
      }
    },
    { retries: 2, minTimeout: 200, factor: 3, randomize: true },
  );
}

/**
 * What a refusing HTTP answer means when the vendor has no special rule for it.
 * 401 carries `extra.status = 401`, so that the caller can tell "token refused" from "grant dead".
 */
export function refusal(answer: Pick<Answer, 'status' | 'headers' | 'text'>, now: Date): Failure {
  const cause = new Error(`HTTP ${answer.status}: ${answer.text.slice(0, 500)}`);
  const wait = retryAfterMs(answer.headers, now);
  if (answer.status === 401)
    return new Failure('reconnect_required', 'The vendor does not accept the access token.', { cause, extra: { status: 401 } });
  if (answer.status === 429) {
    return new Failure('vendor_quota', 'The vendor asked to slow down.', {
      cause,
      retryAfterMs: wait ?? MINUTE,
      extra: { limit_of: 'host' satisfies LimitOf },
    });
  }
  if (answer.status >= 500 || answer.status === 408) {
    return new Failure('vendor_unavailable', `The vendor answered ${answer.status}.`, { cause, retryAfterMs: wait });
  }
  return new Failure('vendor_refused', `The vendor refused the request with ${answer.status}.`, {
    cause,
    extra: { vendor_code: String(answer.status) },
  });
}

/** `Retry-After` in all the forms the three vendors use: seconds, decimals, HTTP dates, ISO dates. Undefined when there is none to believe. */
export function retryAfterMs(headers: Headers, now: Date): number | undefined {
  const value = headers.get('retry-after')?.trim();
  if (!value) return undefined;
  const ms = /^\d{1,9}(\.\d{1,9})?$/.test(value) ? Number(value) * SECOND : Date.parse(value) - now.getTime();
  return Number.isFinite(ms) && ms >= 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : undefined;
}

/** The whole answer, read up to the size limit. @throws Failure `vendor_nonsense` when it is larger. */
export async function readAnswer(response: Response): Promise<Answer> {
  const text = await readText(response);
  return { status: response.status, headers: response.headers, text, json: parseJson(text) };
}

async function send({ method, url, headers, body, form }: CallOptions): Promise<Answer> {
  try {
    // The global is looked up per call, so that a test can intercept it.
    const response = await fetch(url, {
      method,
      headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // fetch itself names the content type of a form.
      ...(form === undefined ? {} : { body: form }),
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return await readAnswer(response);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('vendor_unavailable', 'The vendor did not answer.', { cause: error });
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_ANSWER_BYTES) throw new Failure('vendor_nonsense', 'The answer of the vendor is too large.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
