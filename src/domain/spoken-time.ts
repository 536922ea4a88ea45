/** Moments and lengths of time in the reader's language. */
import type { Language } from './important-notes.ts';

/** Making a formatter takes ten times as long as using it. Few are in use at a time: the languages of the pages, the zones of the meetings. */
const MOST_KEPT = 100;
const kept = new Map<string, Intl.DateTimeFormat>();

/** `name` tells the options apart. */
export function dateFormat(
  name: string,
  language: Language,
  timeZone: string,
  options: Omit<Intl.DateTimeFormatOptions, 'timeZone'>,
): Intl.DateTimeFormat {
  const key = `${name} ${language} ${timeZone}`;
  const found = kept.get(key);
  if (found !== undefined) return found;
  const made = new Intl.DateTimeFormat(language, { ...options, timeZone });
  if (kept.size >= MOST_KEPT) kept.delete(kept.keys().next().value!);
  kept.set(key, made);
  return made;
}

/** `Tuesday, December 1, 2026, 11:00 – 11:50 AM` */
export const dateTimeRange = (language: Language, from: Date, to: Date, timeZone: string): string =>
  dateFormat('full', language, timeZone, { dateStyle: 'full', timeStyle: 'short' }).formatRange(from, to);

/** `Central European Standard Time (Europe/Berlin)`: the name that counts on that day, and the one that never changes. */
export function zoneName(language: Language, moment: Date, timeZone: string): string {
  const parts = dateFormat('zone', language, timeZone, { timeZoneName: 'long' }).formatToParts(moment);
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value;
  return name === undefined || name === timeZone ? timeZone : `${name} (${timeZone})`;
}

/** `40 minutes`, `2 hours`, `14 days` */
export const amount = (language: Language, count: number, unit: 'minute' | 'hour' | 'day'): string =>
  unitFormat(language, unit, 'long').format(count);

const units = new Map<string, Intl.NumberFormat>();

/** Whole numbers of a unit, kept like `dateFormat`; there are few units. */
export function unitFormat(language: Language, unit: string, unitDisplay: 'long' | 'short'): Intl.NumberFormat {
  const key = `${language} ${unit} ${unitDisplay}`;
  const format = units.get(key) ?? new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay, maximumFractionDigits: 0 });
  units.set(key, format);
  return format;
}
