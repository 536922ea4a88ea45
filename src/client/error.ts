/** How a call can fail, by name. */
import type { FailureCode } from '../domain/failure.ts';
import type { Problem } from './operations.ts';

/**
 * The gateway's own codes (`/problems/<code>` of the gateway explains each), and three of the client:
 * - `unreachable`: no answer came, or it broke off. Whether the request was done is not known.
 * - `timed_out`: the same, after `timeoutMs`.
 * - `unexpected_answer`: whatever answered does not speak like the gateway: a proxy, a captive portal, a wrong `baseUrl`. Whether
 *   the gateway has done the request is not known either.
 *
 * A newer gateway may say a code that this list does not have, so a `switch` needs a `default`.
 */
export type ErrorCode = FailureCode | 'unreachable' | 'timed_out' | 'unexpected_answer';

export interface GatewayErrorOptions {
  readonly cause?: unknown;
  readonly status?: number | undefined;
  readonly problem?: (Problem & Readonly<Record<string, unknown>>) | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly idempotencyKey?: string | undefined;
}

export class GatewayError extends Error {
  readonly code: ErrorCode;
  /** Undefined when no answer came. */
  readonly status: number | undefined;
  /** The whole document (RFC 9457), with members of its own: `meeting_id` of a `meeting_exists`, `alternatives` of a `limit_exceeded`. */
  readonly problem: (Problem & Readonly<Record<string, unknown>>) | undefined;
  /** What is wrong where in the request: RFC 6901 pointers into the body. */
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
  /** Names the request in the gateway's log. */
  readonly requestId: string | undefined;
  /** When trying again can make sense, counted from the answer. */
  readonly retryAfterMs: number | undefined;
  /** Of a POST: who tries it again later under this key gets the first answer, should the gateway have done it after all. */
  readonly idempotencyKey: string | undefined;

  constructor(code: ErrorCode, message: string, { cause, status, problem, retryAfterMs, idempotencyKey }: GatewayErrorOptions = {}) {
    super(message, { cause });
    this.name = 'GatewayError';
    this.code = code;
    this.status = status;
    this.problem = problem;
    this.errors = problem?.errors ?? [];
    this.requestId = problem?.request_id;
    this.retryAfterMs = retryAfterMs;
    this.idempotencyKey = idempotencyKey;
  }
}

/** True when `thrown` is a failed call; with a `code`, one of this name. */
export const isGatewayError = (thrown: unknown, code?: ErrorCode): thrown is GatewayError =>
  thrown instanceof GatewayError && (code === undefined || thrown.code === code);
