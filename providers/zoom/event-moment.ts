import { memberOf } from './json.ts';

/** Thirteen digits hold every millisecond until the year 2286. */
const LATEST = 9_999_999_999_999;

/**
 * When Zoom says that an event happened, in milliseconds. `app_deauthorized` is documented with `event_ts` inside the payload, as
 * `2024-09-08 15:58:40` (taken as UTC), and elsewhere at the top as a number. Undefined when there is nothing to believe.
 */
export function eventMs(document: unknown): number | undefined {
  const payload = memberOf(document, 'payload');
  for (const value of [memberOf(document, 'event_ts'), memberOf(payload, 'event_ts'), memberOf(payload, 'deauthorization_time')]) {
    const ms = msOf(value);
    if (ms !== undefined) return ms;
  }
  return undefined;
}

function msOf(value: unknown): number | undefined {
  if (typeof value === 'number') return inRange(value);
  if (typeof value !== 'string') return undefined;
  if (/^\d{1,13}$/.test(value)) return inRange(Number(value));
  return inRange(Date.parse(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(value) ? `${value.replace(' ', 'T')}Z` : value));
}

const inRange = (ms: number): number | undefined => (Number.isInteger(ms) && ms > 0 && ms <= LATEST ? ms : undefined);
