/**
 * How fast Zoom may be called: per Zoom account, shared by all its users and by all apps that are installed there.
 * Source: https://developers.zoom.us/docs/api/rate-limits/, read 2026-02-07. Labels: Zoom's API reference, read 2026-08.
 */
import type { Account, Plan, Quota } from '../provider.ts';
import type { Rate } from '../rate.ts';
import { SECOND } from '../../src/domain/time.ts';

/** Calls per second. A paid user does not tell whether the account is Pro or Business (80, 60): the smaller figures are taken. */
const PER_SECOND = { light: { free: 4, paid: 30 }, medium: { free: 2, paid: 20 } } as const;

/** What we use and Zoom calls MEDIUM: lists, settings, participants. Everything else that we use is LIGHT. */
const MEDIUM = /^(users\/[^/]+\/(meetings|recordings|settings)|past_meetings\/[^/]+\/participants|meetings\/[^/]+\/transcript)$/;

export function rateOf(
  account: Pick<Account, 'id' | 'organisation' | 'plan'>,
  method: string,
  path: string,
): { rateKey: string; rate: Rate } {
  const label = method === 'GET' && MEDIUM.test(path) ? 'medium' : 'light';
  const plan: Exclude<Plan, 'unknown'> = account.plan === 'paid' ? 'paid' : 'free';
  return { rateKey: `${account.organisation ?? account.id} ${label}`, rate: { calls: PER_SECOND[label][plan], per: SECOND } };
}

/** Creates and changes of meetings per host. The limit belongs to the host, whatever app or marketplace calls; deleting is not counted. */
export const QUOTAS: readonly Quota[] = [{ calls: ['create', 'change'], scope: 'host', limit: 100, per: 'utc_day' }];
