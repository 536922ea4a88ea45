/** Whose limit a vendor's refusal is about: it decides who waits. */
import { describe, expect, it } from 'vitest';
import type { Answer } from '../../providers/call.ts';
import { refusal } from '../../providers/call.ts';
import { refusedByGoogle } from '../../providers/google-meet/failures.ts';
import { refusedByZoom } from '../../providers/zoom/failures.ts';

const NOW = new Date('2026-11-20T10:00:00Z');
const answer = (status: number, json: unknown): Answer => ({ status, headers: new Headers(), text: JSON.stringify(json), json });

describe('case 63: whose limit it is', () => {
  it.each([
    ['the daily limit (100) of Meeting Create/Update API requests permitted for this particular user', 'budget'],
    ['You have reached the maximum per-second rate limit for this API. Try again later.', 'organisation'],
    ['You have reached the maximum daily rate limit for this API. Refer to the response header for details.', 'organisation'],
    ['Too many concurrent requests. A request to disassociate this user has already been made.', undefined],
  ])('Zoom: %s', (message, limitOf) => {
    const failure = refusedByZoom(answer(429, { code: 429, message }), NOW);
    expect(failure).toMatchObject({ code: 'vendor_quota' });
    expect(failure?.extra['limit_of']).toBe(limitOf);
  });

  it.each([
    [429, { details: [{ reason: 'RATE_LIMIT_EXCEEDED', metadata: { quota_limit: 'CreateSpaceRequestsPerMinutePerUser' } }] }, 'host'],
    [429, { details: [{ reason: 'RATE_LIMIT_EXCEEDED', metadata: { quota_limit: 'CreateSpaceRequestsPerMinutePerProject' } }] }, 'app'],
    [429, {}, 'host'],
    [403, { errors: [{ reason: 'userRateLimitExceeded' }] }, 'host'],
    [403, { errors: [{ reason: 'calendarUsageLimitsExceeded' }] }, undefined],
    [403, { errors: [{ reason: 'downloadQuotaExceeded' }] }, undefined],
  ])('Google: %i %j', (status, error, limitOf) => {
    const told = answer(status, { error: { code: status, message: 'x', ...error } });
    const failure = refusedByGoogle(told, [], NOW) ?? refusal(told, NOW);
    expect(failure.code).toBe('vendor_quota');
    expect(failure.retryAfterMs).toBeGreaterThan(0);
    expect(failure.extra['limit_of']).toBe(limitOf);
  });
});
