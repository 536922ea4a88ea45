import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attemptProblem, nextAttempt, retryAfterMs, type FailedAttempt } from '../../src/domain/delivery.ts';
import { DAY, HOUR, MINUTE, plus, SECOND } from '../../src/domain/time.ts';

const SCHEDULE = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];
const NOW = new Date('2026-11-27T12:00:00Z');

const waitOf = (changes: Partial<FailedAttempt>): number | null => {
  const next = nextAttempt({
    attempts: 1,
    event: { type: 'meeting.created', at: NOW },
    queuedAt: NOW,
    now: NOW,
    overloaded: false,
    retryAfterMs: undefined,
    chance: 0.5,
    ...changes,
  });
  return next === null ? null : next.getTime() - NOW.getTime();
};
const chances = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('the schedule of deliveries', () => {
  it('is that of Standard Webhooks, and ends with the tenth attempt', () => {
    expect(SCHEDULE.map((_wait, index) => waitOf({ attempts: index + 1 }))).toEqual(SCHEDULE);
    expect(waitOf({ attempts: 10 })).toBeNull();
  });

  it('goes on daily for events about recordings, until 14 days after the event', () => {
    const event = { type: 'recording.published', at: NOW };
    const end = plus(NOW, 14 * DAY);
    let now = NOW;
    let attempts = 1;
    for (; ; attempts += 1) {
      const next = nextAttempt({ attempts, event, queuedAt: NOW, now, overloaded: false, retryAfterMs: undefined, chance: 0.5 });
      if (next === null) break;
      now = next;
    }
    // 75 h 35 min, then ten more days and a part.
    expect(attempts).toBe(10 + 10);
    expect(now <= end && now > plus(end, -DAY)).toBe(true);
    // Sent again by hand after that, it has the schedule of every event.
    expect(waitOf({ event, queuedAt: plus(NOW, -20 * DAY), now: NOW, attempts: 9 })).toBe(DAY);
  });

  it('spreads every wait by no more than a fifth', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), chances, (attempts, chance) => {
        const wait = waitOf({ attempts, chance })!;
        expect(wait).toBeGreaterThanOrEqual(SCHEDULE[attempts - 1]! * 0.8);
        expect(wait).toBeLessThanOrEqual(SCHEDULE[attempts - 1]! * 1.2);
      }),
    );
  });

  it('case 94: does what Retry-After asks for, between the wait of the schedule and twice as much, or the next one', () => {
    expect(waitOf({ attempts: 2, retryAfterMs: 7 * MINUTE })).toBe(7 * MINUTE);
    expect(waitOf({ attempts: 2, retryAfterMs: SECOND })).toBe(5 * MINUTE);
    expect(waitOf({ attempts: 1, retryAfterMs: 2 * MINUTE })).toBe(2 * MINUTE);
    expect(waitOf({ attempts: 2, retryAfterMs: 10 * DAY })).toBe(30 * MINUTE);
    expect(waitOf({ attempts: 8, retryAfterMs: 10 * DAY })).toBe(40 * HOUR);
    // Not beyond the end: with every wait at its longest the tenth attempt is 90 h 42 min after the first.
    expect(waitOf({ attempts: 9, queuedAt: plus(NOW, -60 * HOUR), retryAfterMs: 40 * HOUR })).toBe(30 * HOUR + 42 * MINUTE + 6 * SECOND);
    expect(waitOf({ attempts: 9, queuedAt: plus(NOW, -70 * HOUR), retryAfterMs: 40 * HOUR })).toBe(24 * HOUR);
  });

  it('leaves an overloaded receiver alone for a minute', () => {
    expect([1, 2].map((attempts) => waitOf({ attempts, overloaded: true }))).toEqual([MINUTE, 5 * MINUTE]);
    expect(waitOf({ overloaded: true, retryAfterMs: 90 * SECOND })).toBe(90 * SECOND);
    expect(waitOf({ overloaded: true, retryAfterMs: DAY })).toBe(5 * MINUTE);
  });

  it('never waits less than the schedule and never more than twice as long or the next wait, whatever it is asked for', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        chances,
        fc.option(fc.integer({ min: 0, max: 30 * DAY }), { nil: undefined }),
        (attempts, chance, asked) => {
          const wait = waitOf({ attempts, chance, retryAfterMs: asked })!;
          const base = SCHEDULE[attempts - 1]!;
          expect(wait).toBeGreaterThanOrEqual(base * 0.8 - 1);
          expect(wait).toBeLessThanOrEqual(Math.max(base * 2, SCHEDULE[attempts] ?? DAY));
        },
      ),
    );
  });
});

describe('Retry-After', () => {
  it('is seconds or an HTTP date, and nothing else', () => {
    expect(retryAfterMs('120', NOW)).toBe(2 * MINUTE);
    expect(retryAfterMs('Fri, 27 Nov 2026 12:05:00 GMT', NOW)).toBe(5 * MINUTE);
    expect(retryAfterMs('Fri, 27 Nov 2026 11:00:00 GMT', NOW)).toBe(0);
    for (const header of [undefined, '', '-5', '1e3', '0x10', '12.5', 'soon', '2026-11-28', '99999999999999999999'])
      expect(retryAfterMs(header, NOW), header).toBeUndefined();
  });
});

describe('the problem of an attempt', () => {
  it('tells misconfigured, overloaded, broken, gone and silent receivers apart', () => {
    const problems = [200, 204, 301, 308, 400, 401, 403, 404, 410, 429, 500, 503].map((status) => attemptProblem({ status, answer: '' }));
    expect(problems).toEqual([
      null,
      null,
      'redirect',
      'redirect',
      'refused',
      'unauthorized',
      'unauthorized',
      'not_found',
      'gone',
      'overloaded',
      'server_error',
      'overloaded',
    ]);
    for (const [answer, problem] of [
      ['timeout: no whole answer in time (TimeoutError)', 'timeout'],
      ['unreachable: ECONNREFUSED: connect', 'unreachable'],
      ['ECONNREFUSED: connect', 'unreachable'],
      ['unreadable: x', 'unreadable'],
      ['poison: x', 'poison'],
    ] as const)
      expect(attemptProblem({ status: null, answer }), answer).toBe(problem);
  });
});
