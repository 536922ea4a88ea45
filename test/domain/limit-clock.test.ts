import { describe, expect, it } from 'vitest';
import { limitNews } from '../../src/domain/limit-clock.ts';
import { MINUTE, plus, SECOND } from '../../src/domain/time.ts';

const ENDS_AT = new Date('2026-12-01T12:40:00Z');
const look = (leftMs: number, warnMinutes: readonly number[] = [10, 5, 1]) =>
  limitNews({ endsAt: ENDS_AT, limitMinutes: 40, warnMinutes, now: plus(ENDS_AT, -leftMs) });
const at = (minutesLeft: number): Date => plus(ENDS_AT, -minutesLeft * MINUTE);

describe('the clock of a limit', () => {
  it.each([
    ['at the start', 40 * MINUTE, null, 10],
    ['a second before a warning', 10 * MINUTE + SECOND, null, 10],
    ['on time', 10 * MINUTE, { threshold: 10, minutesLeft: 10 }, 5],
    ['a second late', 10 * MINUTE - SECOND, { threshold: 10, minutesLeft: 10 }, 5],
    ['eight minutes late, past two warnings', 2 * MINUTE, { threshold: 5, minutesLeft: 2 }, 1],
    ['half a minute before the end', 30 * SECOND, { threshold: 1, minutesLeft: 1 }, 0],
  ] as const)('G14 %s', (_when, leftMs, news, next) => {
    expect(look(leftMs)).toEqual({ news: news && { type: 'approaching', ...news }, nextAt: at(next) });
  });

  it.each([0, -SECOND, -60 * MINUTE])('G14 with %d ms left the limit is reached, and nothing else is told', (leftMs) => {
    expect(look(leftMs)).toEqual({ news: { type: 'reached' }, nextAt: null });
  });

  it('G14 without warnings looks at the end only', () => {
    expect(look(10 * MINUTE, [])).toEqual({ news: null, nextAt: ENDS_AT });
  });

  it('G14 a warning as long as the limit is none', () => {
    expect(look(40 * MINUTE, [60, 40, 5])).toEqual({ news: null, nextAt: at(5) });
  });
});
