/** RFC 9457 in one place. Handlers throw; this answers. */
import type { Context } from 'hono';
import { Failure, type FieldError } from '../domain/failure.ts';
import { SECOND } from '../domain/time.ts';
import type { z } from 'zod';

export function problemResponse(failure: Failure, requestId: string, publicUrl: string): Response {
  return Response.json(
    { ...problemOf(failure, publicUrl), request_id: requestId },
    {
      status: failure.status,
      headers: { 'content-type': 'application/problem+json', 'x-request-id': requestId, ...retryAfter(failure) },
    },
  );
}

/** The document without the id of its request. */
export function problemOf(failure: Failure, publicUrl: string) {
  const { vendor_code: vendorCode, ...extra } = failure.extra;
  return {
    ...extra,
    ...(isCode(vendorCode) ? { vendor_code: vendorCode } : {}),
    type: `${publicUrl}/problems/${failure.code}`,
    title: failure.title,
    status: failure.status,
    detail: failure.message,
    code: failure.code,
    ...(failure.errors.length > 0 ? { errors: [...failure.errors] } : {}),
  };
}

/** What a vendor calls a code may be any text, even one that repeats what it was sent. Numbers and words are passed on, nothing else. */
const isCode = (value: unknown): boolean => typeof value === 'string' && /^(\d{1,6}|[A-Za-z][A-Za-z_.]{0,63}|AADSTS\d{1,9})$/.test(value);

/** Seconds, rounded up; every 429 and 503 has one. */
export function retryAfter({ status, retryAfterMs }: Failure): Record<string, string> {
  if (retryAfterMs === undefined && status !== 503 && status !== 429) return {};
  return { 'retry-after': String(Math.max(1, Math.ceil((retryAfterMs ?? 5 * SECOND) / SECOND))) };
}

/** A zod error as the failure of a request. `base`: where the value stands in the request (`''` for the body). */
export function invalidRequest(error: z.ZodError, base = ''): Failure {
  const errors = error.issues.flatMap((issue): FieldError[] => {
    const pointer = (...more: string[]): string => base + [...issue.path, ...more].map(escaped).join('');
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ pointer: pointer(key), detail: 'is not known' }));
    return [{ pointer: pointer(), detail: issue.message }];
  });
  return new Failure('invalid', 'The request breaks the schema.', { errors });
}

/** One step of a JSON pointer (RFC 6901). */
const escaped = (part: PropertyKey): string => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`;

export const requestIdOf = (c: Context): string => (c.get('requestId') as string | undefined) ?? 'req_unknown';
