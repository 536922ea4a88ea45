/** One call of the API over `fetch`: what is sent, what the answer means, and when it is tried again. */
import { GatewayError } from './error.ts';
import type { AnswerOf, BodyOf, Operation, Problem, QueryOf } from './operations.ts';

export interface ClientOptions {
  /** The `PUBLIC_URL` of the gateway: `https://gateway.example`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** In place of the global one. */
  readonly fetch?: typeof globalThis.fetch;
  /** Of one attempt, body included. Default: a minute, for the gateway waits for the vendor. */
  readonly timeoutMs?: number;
  /** How often a call is tried again at most. Default: 3; 0 for never. */
  readonly maxRetries?: number;
  /** The wait before the first retry, doubled with each further one; a `Retry-After` counts instead where it is longer. Default: half a second. */
  readonly retryDelayMs?: number;
  /** A wait that would be longer is left to the caller, who finds it in `retryAfterMs` of the error. Default: half a minute. */
  readonly maxRetryDelayMs?: number;
}

export interface CallOptions {
  /** Ends the call, retries and waits included; what is thrown is the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Of one attempt, in place of the client's. */
  readonly timeoutMs?: number | undefined;
}

export interface PostOptions extends CallOptions {
  /**
   * Same key, same answer, for 24 hours at least, whatever breaks in between. Made by the client when left out, which guards its own
   * retries; a key of the booking guards those of the caller, too.
   */
  readonly idempotencyKey?: string | undefined;
}

/** The `{names}` in a path. */
type ParameterOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | ParameterOf<Rest> : never;

/** What a call is made of; a body or a query that an operation needs is needed here, too. */
export type Input<Name extends Operation> = { readonly [Parameter in ParameterOf<Name>]: string } & Member<'body', BodyOf<Name>> &
  Member<'query', QueryOf<Name>>;

type Member<Name extends string, Value> = undefined extends Value ? { readonly [_ in Name]?: Value } : { readonly [_ in Name]: Value };

/** The same, as the code below looks at it. */
interface AnyInput {
  readonly body?: unknown;
  readonly query?: object | undefined;
  readonly [parameter: string]: unknown;
}

export type Call = <Name extends Operation>(operation: Name, input: Input<Name>, options?: PostOptions) => Promise<AnswerOf<Name>>;

/** What passes by itself. Every call may be repeated: a POST by its key, the others by what they are. */
const PASSING = new Set([429, 502, 503, 504]);
const MINUTE = 60_000;

/** @throws TypeError when an option cannot be right */
export function createCall({
  baseUrl,
  apiKey,
  fetch,
  timeoutMs = MINUTE,
  maxRetries = 3,
  retryDelayMs = 500,
  maxRetryDelayMs = MINUTE / 2,
}: ClientOptions): Call {
  if (!/^https?:\/\//.test(baseUrl) || !URL.canParse(baseUrl)) throw new TypeError('baseUrl has to be an http(s) URL');
  if (!/^[\x21-\x7e]+$/.test(apiKey)) throw new TypeError('apiKey has to be the key that the gateway printed');
  const base = baseUrl.replace(/\/+$/, '');

  return async <Name extends Operation>(operation: Name, input: Input<Name>, options: PostOptions = {}) => {
    const [method, path] = operation.split(' ') as [string, string];
    const { body, query, ...parameters } = input as AnyInput;
    const attempt: Attempt = {
      url: base + filled(path, parameters) + queryOf(query),
      method,
      apiKey,
      key: method === 'POST' ? keyOf(options.idempotencyKey) : undefined,
      body,
      timeoutMs: options.timeoutMs ?? timeoutMs,
      signal: options.signal,
    };
    let brokeOff = false;
    for (let retries = 0; ; retries += 1) {
      try {
        // Looked up for each attempt, so that one which is put in place later is used, too.
        return (await once(fetch ?? globalThis.fetch, attempt)) as AnswerOf<Name>;
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        // What an attempt without an answer has deleted is not there for the next one.
        if (method === 'DELETE' && brokeOff && error.code === 'not_found') return undefined;
        // A proxy that lost the gateway's answer answers in its own words: what the attempt has done is as unknown.
        brokeOff ||= error.status === undefined || error.code === 'unexpected_answer';
        const askedMs = error.retryAfterMs ?? 0;
        if (retries >= maxRetries || !canPass(error, brokeOff) || askedMs > maxRetryDelayMs) throw error;
        const waitMs = Math.max(askedMs, Math.min(retryDelayMs * 2 ** retries, maxRetryDelayMs));
        // Never sooner than asked; up to a quarter later, so that callers who were refused together do not come back together.
        await sleep(waitMs * (1 + chance() / 4), options.signal);
      }
    }
  };
}

interface Attempt {
  readonly url: string;
  readonly method: string;
  readonly apiKey: string;
  /** The Idempotency-Key: the same for all attempts of a call. */
  readonly key: string | undefined;
  readonly body: unknown;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** `idempotency_key_in_use` after an attempt without an answer is that attempt, which is still being worked on. */
const canPass = ({ code, status }: GatewayError, brokeOff: boolean): boolean =>
  status === undefined || PASSING.has(status) || (brokeOff && code === 'idempotency_key_in_use');

/** @throws GatewayError, or the reason of `signal` */
async function once(fetch: typeof globalThis.fetch, { url, method, apiKey, key, body, timeoutMs, signal }: Attempt): Promise<unknown> {
  signal?.throwIfAborted();
  const timeout = AbortSignal.timeout(timeoutMs);
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method,
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${apiKey}`,
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // No answer of the gateway is a redirect, and the API key is for nobody else.
      redirect: 'manual',
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    text = await response.text();
  } catch (cause) {
    signal?.throwIfAborted();
    throw timeout.aborted
      ? new GatewayError('timed_out', `The gateway did not answer within ${timeoutMs} ms.`, { cause, idempotencyKey: key })
      : new GatewayError('unreachable', 'The gateway could not be reached, or its answer broke off.', { cause, idempotencyKey: key });
  }
  if (text === '' && (response.status === 202 || response.status === 204)) return undefined;
  const answer = parsed(text);
  if (response.ok && answer !== undefined) return answer;
  throw errorOf(response, answer, key);
}

function errorOf(
  { status, headers }: Response,
  answer: Readonly<Record<string, unknown>> | undefined,
  idempotencyKey: string | undefined,
): GatewayError {
  const retryAfterMs = retryAfterOf(headers);
  if (typeof answer?.['code'] !== 'string' || typeof answer['detail'] !== 'string') {
    const message = `What answered (${status}) does not speak like the gateway.`;
    return new GatewayError('unexpected_answer', message, { status, retryAfterMs, idempotencyKey });
  }
  // Checked as far as it is read here; the rest is what the gateway's schema of a problem says.
  const problem = answer as Problem & Record<string, unknown>;
  return new GatewayError(problem.code as GatewayError['code'], problem.detail, { status, problem, retryAfterMs, idempotencyKey });
}

/** Seconds, or a date, which counts from the answer's own date: the two clocks need not agree. */
function retryAfterOf(headers: Headers): number | undefined {
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const waitMs = Date.parse(value) - Date.parse(headers.get('date') ?? '');
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs);
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** @throws TypeError for what would be another address: an empty id, `.` and `..` */
const filled = (path: string, parameters: Readonly<Record<string, unknown>>): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = parameters[name];
    if (typeof value !== 'string' || /^\.{0,2}$/.test(value)) throw new TypeError(`${name} has to be an id`);
    return encodeURIComponent(value);
  });

/** A list is its name once for each item. */
function queryOf(query: object | undefined): string {
  const given = Object.entries(query ?? {}).flatMap(([name, value]) =>
    [value].flat().flatMap((one) => (one === undefined ? [] : [[name, String(one)]])),
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

/** @throws TypeError for a key that the gateway would not take */
function keyOf(key: string = crypto.randomUUID()): string {
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) throw new TypeError('idempotencyKey has to be 1 to 255 visible ASCII characters');
  return key;
}

/** From 0 to below 1. */
const chance = (): number => crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32;

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal?.aborted === true) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}
