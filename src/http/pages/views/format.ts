/** Moments, lengths of time and sizes in the reader's language. */
import { amount, dateFormat, unitFormat } from '../../../domain/spoken-time.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../../domain/time.ts';
import type { Language } from '../texts/index.ts';

export { dateTimeRange, zoneName } from '../../../domain/spoken-time.ts';

/** `Tuesday, December 1, 2026 at 11:00 AM` */
export const dateTime = (language: Language, moment: Date, timeZone: string): string =>
  dateFormat('full', language, timeZone, { dateStyle: 'full', timeStyle: 'short' }).format(moment);

/** `January 2025`, of a day like `2025-01-01`. */
export const monthOf = (language: Language, day: string): string =>
  new Intl.DateTimeFormat(language, { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(new Date(day));

/** `October 4, 2026` */
export const dayOf = (language: Language, moment: Date): string =>
  new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone: 'UTC' }).format(moment);

/** Whole hours as hours, everything else in minutes: what people read in a plan's limit. */
export const minutes = (language: Language, count: number): string =>
  count >= 120 && count % 60 === 0 ? amount(language, count / 60, 'hour') : amount(language, count, 'minute');

/** `3 days`, `26:05:00`, `04:59`. The script of the pages goes on from here by the same rule. */
export function clock(language: Language, ms: number): string {
  const rest = Math.max(0, ms);
  if (rest >= 2 * DAY) return amount(language, Math.floor(rest / DAY), 'day');
  const small = `${twoDigits((rest / MINUTE) % 60)}:${twoDigits((rest / SECOND) % 60)}`;
  return rest >= HOUR ? `${Math.floor(rest / HOUR)}:${small}` : small;
}

/** `12 MB`; null when the size is not known. */
export const fileSize = (language: Language, bytes: number | null): string | null =>
  bytes === null
    ? null
    : unitFormat(language, bytes < 1_000_000 ? 'kilobyte' : 'megabyte', 'short').format(
        Math.max(1, bytes / (bytes < 1_000_000 ? 1_000 : 1_000_000)),
      );

const twoDigits = (count: number): string => String(Math.floor(count)).padStart(2, '0');
