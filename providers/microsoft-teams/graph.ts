/** Microsoft Graph through its SDK, with our own middleware chain and our own names for what goes wrong. */
import type { GraphRequest, Middleware } from '@microsoft/microsoft-graph-client';
import { z } from 'zod';
import { Failure } from '../../src/domain/failure.ts';
import { readAnswer, refusal, repeating, type Answer } from '../call.ts';
import { createGate, patiently, type Rate } from '../rate.ts';
import { refusedToApp } from './app-refusal.ts';
import { authenticating, noting, sending, type Noted } from './middleware.ts';
import type { Caller } from './options.ts';

export interface GraphCall {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below `/v1.0`, with its query, percent-encoded. */
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Repeating this call cannot do harm: tried again, twice, when the vendor stumbles. */
  readonly repeatable: boolean;
  /** Names the failure behind a refusing answer; undefined leaves it to the common rules. */
  readonly refused?: (answer: Answer) => Failure | undefined;
}

/** One call; returns any 2xx answer. @throws Failure as `call` in providers/call.ts; `vendor_refused` carries Graph's own error code. */
export type Graph = (caller: Caller, call: GraphCall) => Promise<Answer>;

/**
 * What Outlook answers at the same time, per app and mailbox; its 10,000 calls in ten minutes are not reached that way. Source:
 * https://learn.microsoft.com/graph/throttling-limits (Outlook service limits), read 2026-08. The limits of Teams are per tenant and far off.
 */
const MAILBOX: Rate = { calls: 4, per: 'at_once' };
const OF_MAILBOX = /^\/(?:me|users\/[^/]+)\/(?:events|calendar)/;

export function createGraph({ graphUrl, now }: { graphUrl: string; now: () => Date }): Graph {
  const gate = createGate();
  return (caller, call) => {
    const attempt = async (): Promise<Answer> => {
      const answer = await request(graphUrl, caller, call);
      if (answer.status >= 200 && answer.status < 300) return answer;
      throw call.refused?.(answer) ?? graphRefusal(caller, answer, now());
    };
    const work = (): Promise<Answer> => patiently(() => (call.repeatable ? repeating(attempt) : attempt()));
    return caller.id !== undefined && OF_MAILBOX.test(call.path) ? gate(caller.id, MAILBOX, work) : work();
  };
}

const errorBody = z.object({ error: z.object({ code: z.string().regex(/^[\w.-]{1,100}$/) }) });

/** Graph's own error code, `ErrorItemNotFound`; undefined when the answer has none. */
export const errorCode = (answer: Pick<Answer, 'json'>): string | undefined => errorBody.safeParse(answer.json).data?.error.code;

/** The common rules, with Graph's error code in place of the bare status, and with rules of their own for the app itself. */
export function graphRefusal({ hosting }: Pick<Caller, 'hosting'>, answer: Answer, now: Date): Failure {
  const toApp = hosting === 'platform' ? refusedToApp(answer) : undefined;
  if (toApp !== undefined) return toApp;
  const failure = refusal(answer, now);
  if (failure.code !== 'vendor_refused') return failure;
  const code = errorCode(answer) ?? String(answer.status);
  return new Failure('vendor_refused', `Microsoft refused the request with ${answer.status} ${code}.`, {
    cause: failure.cause,
    extra: { vendor_code: code, status: answer.status },
  });
}

async function request(graphUrl: string, caller: Caller, { method, path, body, headers = {} }: GraphCall): Promise<Answer> {
  // Loaded with the first call: the SDK is not needed to start.
  const { Client, ResponseType } = await import('@microsoft/microsoft-graph-client');
  const noted: Noted = {};
  // Instead of the SDK's chain, which drops the token on http base URLs, retries POST, and adds telemetry headers.
  const middleware: Middleware[] = [noting(noted), authenticating(caller), sending()];
  const client = Client.initWithMiddleware({ baseUrl: graphUrl, defaultVersion: 'v1.0', middleware });
  const prepared = client
    .api(path)
    .headers({ accept: 'application/json', ...headers })
    .responseType(ResponseType.RAW);
  try {
    return await readAnswer(await invoke(prepared, method, body));
  } catch (error) {
    // The SDK rewraps what its middleware throws; the original was noted on its way.
    const thrown = noted.thrown ?? error;
    throw thrown instanceof Failure ? thrown : new Failure('vendor_unavailable', 'Microsoft Graph did not answer.', { cause: thrown });
  }
}

function invoke(prepared: GraphRequest, method: GraphCall['method'], body: unknown): Promise<Response> {
  switch (method) {
    case 'GET':
      return prepared.get() as Promise<Response>;
    case 'POST':
      return prepared.post(body) as Promise<Response>;
    case 'PATCH':
      return prepared.patch(body) as Promise<Response>;
    case 'DELETE':
      return prepared.delete() as Promise<Response>;
  }
}
