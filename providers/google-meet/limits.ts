/**
 * What Google allows each user of this project within a minute.
 * Sources: https://developers.google.com/workspace/meet/api/guides/limits and
 * https://developers.google.com/workspace/events/guides/limits, read 2026-08; Calendar: its quota page, by a stored copy of 2026.
 */
import type { Account, Quota } from '../provider.ts';
import type { Rate } from '../rate.ts';
import { MINUTE } from '../../src/domain/time.ts';

const PER_MINUTE = { meet: { read: 600, write: 100 }, events: { read: 100, write: 100 }, calendar: { read: 600, write: 600 } } as const;

export function rateOf({ id }: Pick<Account, 'id'>, method: string, { pathname }: URL): { rateKey: string; rate: Rate } {
  const api = pathname.startsWith('/calendar/') ? 'calendar' : pathname.startsWith('/v1/') ? 'events' : 'meet';
  const kind = method === 'GET' ? 'read' : 'write';
  return { rateKey: `${id} ${api} ${kind}`, rate: { calls: PER_MINUTE[api][kind], per: MINUTE } };
}

/** `spaces.create` alone; meetings that Calendar makes do not count. */
export const QUOTAS: readonly Quota[] = [
  { calls: ['create'], scope: 'host', limit: 10, per: 'minute' },
  { calls: ['create'], scope: 'app', limit: 100, per: 'minute' },
];
