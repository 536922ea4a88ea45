/**
 * When a professional can be reached, as hours of the week in a zone of their own (T01). One rule covers the days on which clocks change: a
 * moment is within the hours when the clock on the professional's wall shows a time in them. What a clock skips is in no hours, and
 * what it shows twice is in them twice.
 */
import { dateFormat } from './spoken-time.ts';
import { DAY, HOUR, MINUTE, SECOND } from './time.ts';

/** In the order of ISO 8601. */
export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** `HH:MM` of the wall clock, `from` before `to`; `to` may be `24:00`. What goes on past midnight is hours of two days. */
export interface Hours {
  readonly day: Weekday;
  readonly from: string;
  readonly to: string;
}

export interface Window {
  readonly startsAt: Date;
  readonly endsAt: Date;
}

/** In the order of the week; what touches or overlaps is one. */
export function mergeHours(hours: readonly Hours[]): Hours[] {
  const merged: Hours[] = [];
  for (const { day, from, to } of hours.toSorted(inWeek)) {
    const last = merged.at(-1);
    if (last?.day === day && from <= last.to) merged[merged.length - 1] = { ...last, to: to > last.to ? to : last.to };
    else merged.push({ day, from, to });
  }
  return merged;
}

const inWeek = (a: Hours, b: Hours): number => WEEKDAYS.indexOf(a.day) - WEEKDAYS.indexOf(b.day) || a.from.localeCompare(b.from);

/** False without hours, which is how it is as long as none were given. */
export function isWithin(hours: readonly Hours[], timeZone: string | null, at: Date): boolean {
  if (timeZone === null || hours.length === 0) return false;
  const shown = at.getTime() + offsetMs(timeZone, at);
  const midnight = Math.floor(shown / DAY) * DAY;
  return hoursOf(hours, midnight).some(({ from, to }) => midnight + msOf(from) <= shown && shown < midnight + msOf(to));
}

/** The moments of the period that are within the hours, as windows in order, no two of which touch. */
export function windowsOf(hours: readonly Hours[], timeZone: string, { from, until }: { from: Date; until: Date }): Window[] {
  const windows: Window[] = [];
  const merged = mergeHours(hours);
  for (const { startsAt, endsAt, offset } of evenTimes(timeZone, from, until)) {
    for (let midnight = Math.floor((startsAt.getTime() + offset) / DAY) * DAY; midnight - offset < endsAt.getTime(); midnight += DAY) {
      for (const one of hoursOf(merged, midnight)) {
        const start = Math.max(midnight + msOf(one.from) - offset, startsAt.getTime());
        const end = Math.min(midnight + msOf(one.to) - offset, endsAt.getTime());
        if (start >= end) continue;
        const last = windows.at(-1);
        if (last?.endsAt.getTime() === start) windows[windows.length - 1] = { ...last, endsAt: new Date(end) };
        else windows.push({ startsAt: new Date(start), endsAt: new Date(end) });
      }
    }
  }
  return windows;
}

/** `midnight`: of the wall clock, read as if it were UTC. The first of January 1970 was a Thursday. */
function hoursOf(hours: readonly Hours[], midnight: number): Hours[] {
  const weekday = WEEKDAYS[(((midnight / DAY + 3) % 7) + 7) % 7];
  return hours.filter(({ day }) => day === weekday);
}

const msOf = (time: string): number => Number(time.slice(0, 2)) * HOUR + Number(time.slice(3)) * MINUTE;

/** Chosen: no zone has ever changed its clocks and changed them back within so short a time. */
const LOOK_EVERY_MS = 6 * HOUR;

/** The period in pieces in which the clocks are not changed. */
function* evenTimes(timeZone: string, from: Date, until: Date): Generator<Window & { readonly offset: number }> {
  let startsAt = from;
  let offset = offsetMs(timeZone, from);
  for (let at = from; at < until;) {
    const next = new Date(Math.min(at.getTime() + LOOK_EVERY_MS, until.getTime()));
    const changed = offsetMs(timeZone, next);
    if (changed !== offset) {
      const change = changeBetween(timeZone, at, next);
      yield { startsAt, endsAt: change, offset };
      startsAt = change;
      offset = changed;
    }
    at = next;
  }
  if (startsAt < until) yield { startsAt, endsAt: until, offset };
}

/** The first moment of the new offset, found by halving. */
function changeBetween(timeZone: string, before: Date, after: Date): Date {
  const old = offsetMs(timeZone, before);
  let [low, high] = [before.getTime(), after.getTime()];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetMs(timeZone, new Date(middle)) === old) low = middle;
    else high = middle;
  }
  return new Date(high);
}

/** How far the wall clock is ahead of UTC. `GMT`, `GMT+10:30`, `GMT-00:44:30`: what ECMA-402 calls a long offset. */
function offsetMs(timeZone: string, at: Date): number {
  const parts = dateFormat('offset', 'en', timeZone, { timeZoneName: 'longOffset' }).formatToParts(at);
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const [, sign, hours = 0, minutes = 0, seconds = 0] = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(name) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * HOUR + Number(minutes) * MINUTE + Number(seconds) * SECOND);
}
