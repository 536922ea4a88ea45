import { http, HttpResponse, type HttpHandler } from 'msw';
import { expect, it } from 'vitest';
import type { WebhookRequest } from '../../providers/provider.ts';
import { Failure, type FailureCode } from '../../src/domain/failure.ts';
import { OUTSIDE_CONTRACT } from '../contracts/validate.ts';
import { isNotApplicable, type Arrival, type NotApplicable } from './options.ts';

/** The failures that may leave an adapter's calls (providers/provider.ts); `gone` is for media and subscriptions. */
const ADAPTER_FAILURES: readonly FailureCode[] = [
  'reconnect_required',
  'not_capable',
  'vendor_quota',
  'vendor_unavailable',
  'vendor_refused',
  'credentials_rejected',
  'vendor_nonsense',
  'gone',
];

/** The failure of a promise. Anything that is no named failure of an adapter fails the test. */
export async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const outcome = await work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('value' in outcome) throw new Error(`expected a failure, got ${JSON.stringify(outcome.value)}`);
  if (!(outcome.error instanceof Failure)) throw new Error('expected a Failure', { cause: outcome.error });
  expect(ADAPTER_FAILURES).toContain(outcome.error.code);
  return outcome.error;
}

/** Runs the tests, or shows why there is nothing to run: the only thing then proven is that a reason is given in words. */
export function applicable<T>(what: string, value: T | NotApplicable, tests: (value: T) => void): void {
  for (const reason of isNotApplicable(value) ? [value.notApplicable] : []) {
    it(`${what}: not applicable, because ${reason}`, () => expect(reason).toMatch(/\w+ \w+ \w+/));
  }
  return isNotApplicable(value) ? undefined : tests(value);
}

/** Handlers for all hosts that fall through to the stand-in when `answer` gives undefined. Put them before it. */
export const gate = (
  api: readonly string[],
  answer: (request: Request) => Response | undefined | Promise<Response | undefined>,
): HttpHandler[] => api.map((path) => http.all(path, ({ request }) => answer(request) as Promise<HttpResponse<null> | undefined>));

/** An answer that is allowed to break the published shapes. */
export const wrongOnPurpose = (body: string, status = 200, headers: Readonly<Record<string, string>> = {}): Response =>
  new HttpResponse(status === 204 ? null : body, {
    status,
    headers: { 'content-type': 'application/json', ...headers, [OUTSIDE_CONTRACT]: 'wrong on purpose' },
  });

export const refusalWith = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Response =>
  HttpResponse.json(body as Record<string, unknown>, { status, headers: { ...headers, [OUTSIDE_CONTRACT]: 'any vendor error' } });

export const webhookRequest = ({ bytes, headers = {}, query = {}, channel = 'events' }: Arrival, now: Date): WebhookRequest => {
  const lowered = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return { bytes, header: (name) => lowered.get(name), query: new URLSearchParams(query), channel, now };
};

export async function textOf(body: ReadableStream<Uint8Array>): Promise<string> {
  return Buffer.from(await new Response(body).arrayBuffer()).toString('utf8');
}
