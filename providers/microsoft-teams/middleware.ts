/** The middleware chain of our Graph client: noting, authenticating, sending. */
import type { Context, Middleware } from '@microsoft/microsoft-graph-client';
import { TIMEOUT_MS } from '../call.ts';
import type { Caller } from './options.ts';

export interface Noted {
  thrown?: unknown;
}

/** Keeps what the rest of the chain throws, because the SDK replaces it with its own error. */
export function noting(noted: Noted): Middleware {
  return link(async (context, next) => {
    try {
      await next(context);
    } catch (error) {
      noted.thrown = error;
      throw error;
    }
  });
}

/** The account's token; a 401 is answered with one fresh token and one more try, which is safe even for POST: nothing was done yet. */
export function authenticating(caller: Caller): Middleware {
  return link(async (context, next) => {
    const token = await caller.accessToken();
    await next(withBearer(context, token));
    if (context.response?.status !== 401) return;
    dropBody(context.response);
    await next(withBearer(context, await caller.accessToken(token)));
  });
}

/** The end of the chain. The global `fetch` is looked up per call, so that a test can intercept it. */
export function sending(): Middleware {
  return {
    async execute(context) {
      context.response = await fetch(context.request, { ...context.options, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
    },
  };
}

/** Frees the connection of an answer that nobody reads; not waited for, because the vendor may never finish it. */
export function dropBody(response: Response): void {
  response.body?.cancel().catch(() => {});
}

function link(execute: (context: Context, next: (context: Context) => Promise<void>) => Promise<void>): Middleware {
  let following: Middleware | undefined;
  return {
    setNext: (next) => {
      following = next;
    },
    execute: (context) => execute(context, (passed) => following!.execute(passed)),
  };
}

/** The context itself stays the same object: the SDK reads the response from it. */
function withBearer(context: Context, token: string): Context {
  const headers = new Headers(context.options?.headers);
  headers.set('authorization', `Bearer ${token}`);
  context.options = { ...context.options, headers: Object.fromEntries(headers) };
  return context;
}
