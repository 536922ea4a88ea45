import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.ts';
import { isWithin, mergeHours, WEEKDAYS, windowsOf, type Hours } from '../../src/domain/weekly-hours.ts';

/** Zones in which clocks are changed in unusual ways, and some in which they are not. */
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  // By half an hour.
  'Australia/Lord_Howe',
  // By two hours.
  'Antarctica/Troll',
  // At midnight, so that a day begins at one o'clock.
  'Africa/Cairo',
  'America/Havana',
  'America/Santiago',
  // Backwards in what is called winter, around Ramadan.
  'Africa/Casablanca',
  // At 22:00 of the day before.
  'America/Nuuk',
  'Pacific/Chatham',
  'Asia/Kathmandu',
  'Pacific/Kiritimati',
];

const at = (moment: string): Date => new Date(moment);
const shown = (hours: readonly Hours[], timeZone: string, from: string, until: string): string[] =>
  windowsOf(hours, timeZone, { from: at(from), until: at(until) }).map(
    ({ startsAt, endsAt }) => `${startsAt.toISOString().slice(0, 16)} ${endsAt.toISOString().slice(11, 16)}`,
  );

/** The clock on the wall as the platform writes it, without any arithmetic of ours. */
const clocks = new Map<string, Intl.DateTimeFormat>();
function wallClock(timeZone: string, moment: Date): { day: string; time: string } {
  const clock =
    clocks.get(timeZone) ??
    new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  clocks.set(timeZone, clock);
  const parts = Object.fromEntries(clock.formatToParts(moment).map(({ type, value }) => [type, value]));
  return { day: parts['weekday']!.toLowerCase(), time: `${parts['hour']}:${parts['minute']}` };
}

function isShown(hours: readonly Hours[], timeZone: string, moment: Date): boolean {
  const { day, time } = wallClock(timeZone, moment);
  return hours.some((one) => one.day === day && one.from <= time && time < one.to);
}

const minuteOf = fc.nat(24 * 60);
const timeOf = (minutes: number): string => `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
const someHours = fc
  .tuple(fc.constantFrom(...WEEKDAYS), minuteOf, minuteOf)
  .filter(([, a, b]) => a !== b)
  .map(([day, a, b]): Hours => ({ day, from: timeOf(Math.min(a, b)), to: timeOf(Math.max(a, b)) }));
const week = fc.array(someHours, { maxLength: 20 });

describe('hours of the week', () => {
  it('T01 a moment is within them exactly when the wall clock of the zone shows a time in them, through every change of the clocks', () => {
    const moment = fc.date({ min: at('2024-01-01T00:00:00Z'), max: at('2030-01-01T00:00:00Z'), noInvalidDate: true });
    fc.assert(
      fc.property(week, fc.constantFrom(...ZONES), moment, (hours, timeZone, when) => {
        expect(isWithin(hours, timeZone, when)).toBe(isShown(hours, timeZone, when));
      }),
      { numRuns: 2_000 },
    );
  });

  it('T01 windows hold exactly the moments within the hours, in order, none touching the next, and nothing outside the period', () => {
    const start = fc.integer({ min: at('2024-01-01T00:00:00Z').getTime(), max: at('2030-01-01T00:00:00Z').getTime() });
    const length = fc.integer({ min: 1, max: 20 * DAY });
    fc.assert(
      fc.property(week, fc.constantFrom(...ZONES), start, length, (hours, timeZone, first, lengthMs) => {
        const period = { from: new Date(first), until: new Date(first + lengthMs) };
        const windows = windowsOf(hours, timeZone, period).map(({ startsAt, endsAt }) => [startsAt.getTime(), endsAt.getTime()] as const);
        let before = -Infinity;
        for (const [from, until] of windows) {
          expect(from).toBeGreaterThan(before);
          expect(until).toBeGreaterThan(from);
          before = until;
          expect(from > first && isShown(hours, timeZone, new Date(from - 1))).toBe(false);
          expect(until < first + lengthMs && isShown(hours, timeZone, new Date(until))).toBe(false);
        }
        expect(windows[0]?.[0] ?? first).toBeGreaterThanOrEqual(first);
        expect(before).toBeLessThanOrEqual(first + lengthMs);
        const disagree: string[] = [];
        for (let one = first; one < first + lengthMs; one += 17 * MINUTE) {
          const inside = windows.some(([from, until]) => from <= one && one < until);
          if (inside !== isShown(hours, timeZone, new Date(one))) disagree.push(new Date(one).toISOString());
        }
        expect(disagree).toEqual([]);
      }),
      { numRuns: 60 },
    );
  }, 30_000);

  it('T01 merging changes no moment, is done once and for all, and leaves nothing that touches', () => {
    fc.assert(
      fc.property(week, fc.constantFrom(...ZONES), (hours, timeZone) => {
        const merged = mergeHours(hours);
        expect(mergeHours(merged)).toEqual(merged);
        expect(mergeHours(hours.toReversed())).toEqual(merged);
        const touching = merged.filter(({ day, from }, index) => merged[index - 1]?.day === day && from <= merged[index - 1]!.to);
        expect(touching).toEqual([]);
        const period = { from: at('2026-03-20T00:00:00Z'), until: at('2026-04-10T00:00:00Z') };
        expect(windowsOf(merged, timeZone, period)).toEqual(windowsOf(hours, timeZone, period));
      }),
      { numRuns: 200 },
    );
  });

  it('T01 a grid of one cell an hour is one window from the first cell to the last, also across midnight and the end of the week', () => {
    const cells = (day: Hours['day'], first: number, last: number): Hours[] =>
      Array.from({ length: last - first }, (_, index) => ({
        day,
        from: timeOf((first + index) * 60),
        to: timeOf((first + index + 1) * 60),
      }));
    const hours = [...cells('mon', 0, 3), ...cells('sun', 22, 24), ...cells('fri', 9, 12)];
    expect(mergeHours(hours)).toEqual([
      { day: 'mon', from: '00:00', to: '03:00' },
      { day: 'fri', from: '09:00', to: '12:00' },
      { day: 'sun', from: '22:00', to: '24:00' },
    ]);
    expect(shown(hours, 'Europe/Sofia', '2026-12-04T00:00:00Z', '2026-12-09T00:00:00Z')).toEqual([
      '2026-12-04T07:00 10:00',
      '2026-12-06T20:00 01:00',
    ]);
    expect(isWithin(hours, 'Europe/Sofia', at('2026-12-06T21:59:59.999Z'))).toBe(true);
    expect(isWithin(hours, 'Europe/Sofia', at('2026-12-07T01:00:00Z'))).toBe(false);
  });

  it.each([
    // Clocks go from 02:00 to 02:30 on 4 October 2026, and from 02:00 back to 01:30 on 5 April.
    ['Australia/Lord_Howe', '02:00', '02:30', '2026-10-03T12:00:00Z', []],
    ['Australia/Lord_Howe', '01:30', '03:00', '2026-10-03T12:00:00Z', ['2026-10-03T15:00 16:00']],
    ['Australia/Lord_Howe', '01:30', '02:00', '2026-04-04T12:00:00Z', ['2026-04-04T14:30 15:30']],
    ['Australia/Lord_Howe', '01:45', '02:00', '2026-04-04T12:00:00Z', ['2026-04-04T14:45 15:00', '2026-04-04T15:15 15:30']],
    // From 02:00 to 03:00 on 29 March 2026, and from 03:00 back to 02:00 on 25 October.
    ['Europe/Berlin', '02:15', '02:45', '2026-03-28T12:00:00Z', []],
    ['Europe/Berlin', '02:30', '04:00', '2026-03-28T12:00:00Z', ['2026-03-29T01:00 02:00']],
    ['Europe/Berlin', '02:00', '03:00', '2026-10-24T12:00:00Z', ['2026-10-25T00:00 02:00']],
    // From 00:00 to 01:00 on 6 September 2026: the day has no midnight.
    ['America/Santiago', '00:00', '02:00', '2026-09-05T12:00:00Z', ['2026-09-06T04:00 05:00']],
    // By two hours, from 01:00 to 03:00.
    ['Antarctica/Troll', '00:30', '03:30', '2026-03-28T12:00:00Z', ['2026-03-29T00:30 01:30']],
  ] as const)('T01 in %s a Sunday from %s to %s is what the clocks show of it', (timeZone, from, to, noon, windows) => {
    const until = new Date(at(noon).getTime() + 36 * HOUR).toISOString();
    expect(shown([{ day: 'sun', from, to }], timeZone, noon, until)).toEqual(windows);
  });

  it('T01 without hours or without a zone no moment is within them', () => {
    expect(isWithin([], 'Europe/Berlin', at('2026-12-01T10:00:00Z'))).toBe(false);
    expect(isWithin([{ day: 'tue', from: '00:00', to: '24:00' }], null, at('2026-12-01T10:00:00Z'))).toBe(false);
    expect(isWithin([{ day: 'tue', from: '00:00', to: '24:00' }], 'Europe/Berlin', at('2026-12-01T10:00:00Z'))).toBe(true);
  });
});
