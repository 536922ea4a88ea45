/** Moments and lengths of time in the reader's language. */
import type { Language } from './important-notes.ts';

/** `Tuesday, December 1, 2026, 11:00 – 11:50 AM` */
export const dateTimeRange = (language: Language, from: Date, to: Date, timeZone: string): string =>
  new Intl.DateTimeFormat(language, { dateStyle: 'full', timeStyle: 'short', timeZone }).formatRange(from, to);

/** `Central European Standard Time (Europe/Berlin)`: the name that counts on that day, and the one that never changes. */
export function zoneName(language: Language, moment: Date, timeZone: string): string {
  const parts = new Intl.DateTimeFormat(language, { timeZone, timeZoneName: 'long' }).formatToParts(moment);
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value;
  return name === undefined || name === timeZone ? timeZone : `${name} (${timeZone})`;
}

/** `40 minutes`, `2 hours`, `14 days` */
export const amount = (language: Language, count: number, unit: 'minute' | 'hour' | 'day'): string =>
  new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(count);
