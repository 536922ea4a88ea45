/** One subscription per account: the recordings of all its meetings. */
import { z } from 'zod';
import { Failure, isFailure } from '../../src/domain/failure.ts';
import { MINUTE, plus } from '../../src/domain/time.ts';
import { parseAnswer } from '../call.ts';
import type { Account, Subscription, Subscriptions } from '../provider.ts';
import { provesClientState, signClientState } from './client-state.ts';
import { isGone } from './events.ts';
import type { Graph } from './graph.ts';
import { RECORDINGS } from './oauth.ts';
import { PERSONAL_TENANT } from './options.ts';
import { MAX_PAGES, nextPath } from './pages.ts';
import type { Rich } from './rich.ts';

/**
 * Microsoft's limit for recordings is 4,320 minutes; five less, for clocks that differ. Delivery stops much earlier, with the
 * access token that made or last renewed the subscription (about an hour), so that renewing is due every 50 minutes.
 */
const LIFETIME_MS = (4_320 - 5) * MINUTE;

const subscription = z.object({ id: z.string().min(1), expirationDateTime: z.string().refine((text) => !Number.isNaN(Date.parse(text))) });
const listed = z.object({
  value: z.array(
    subscription.extend({
      resource: z.string(),
      changeType: z.string(),
      notificationUrl: z.string(),
      lifecycleNotificationUrl: z.string().nullish(),
      clientState: z.string().nullish(),
    }),
  ),
  '@odata.nextLink': z.string().optional(),
});
type Listed = z.infer<typeof listed>['value'][number];

interface Urls {
  readonly notificationUrl: string;
  readonly lifecycleUrl: string;
}

export interface SubscriptionsOptions {
  readonly graph: Graph;
  readonly graphUrl: string;
  readonly clientStateSecrets: readonly Buffer[];
  /** Undefined where notifications are basic. */
  readonly rich: Rich | undefined;
  readonly now: () => Date;
}

export function createSubscriptions({ graph, graphUrl, clientStateSecrets, rich, now }: SubscriptionsOptions): Subscriptions {
  const expiry = (): string => plus(now(), LIFETIME_MS).toISOString();

  const post = async (account: Account, { notificationUrl, lifecycleUrl }: Urls): Promise<Subscription> => {
    const body = {
      changeType: 'created',
      notificationUrl,
      lifecycleNotificationUrl: lifecycleUrl,
      resource: resourceOf(account),
      expirationDateTime: expiry(),
      clientState: signClientState(clientStateSecrets, account.id),
      ...(rich === undefined ? {} : { includeResourceData: true, ...rich.certificate }),
    };
    // Repeatable: a second one for the same resource is refused with 409, never made.
    return told(await graph(account, { method: 'POST', path: '/subscriptions', body, repeatable: true }));
  };

  const renew = async (account: Account, id: string): Promise<Subscription> => {
    try {
      return told(await graph(account, { method: 'PATCH', path: pathOf(id), body: { expirationDateTime: expiry() }, repeatable: true }));
    } catch (error) {
      if (isGone(error)) throw new Failure('gone', 'Microsoft has removed the subscription.', { cause: error });
      throw error;
    }
  };

  const remove = async (account: Account, id: string): Promise<void> => {
    try {
      await graph(account, { method: 'DELETE', path: pathOf(id), repeatable: true });
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  };

  const existing = async (account: Account): Promise<Listed | undefined> => {
    const resource = resourceOf(account).toLowerCase();
    let path: string | undefined = '/subscriptions';
    // An app's own token sees the subscriptions of every host of the tenant, which are more than one page.
    for (let pages = 0; path !== undefined && pages < MAX_PAGES; pages += 1) {
      const answer: z.infer<typeof listed> = parseAnswer(
        listed,
        await graph(account, { method: 'GET', path, repeatable: true }),
        'list subscriptions',
      );
      const found = answer.value.find((one) => one.resource.replace(/^\//, '').toLowerCase() === resource && one.changeType === 'created');
      if (found !== undefined) return found;
      path = nextPath(answer['@odata.nextLink'], graphUrl);
    }
    return undefined;
  };

  return {
    scopes: RECORDINGS,
    boundToKeys: true,

    async create(account, urls) {
      if (account.organisation === PERSONAL_TENANT) {
        throw new Failure('not_capable', 'Teams does not record meetings of personal Microsoft accounts.');
      }
      try {
        return await post(account, urls);
      } catch (error) {
        if (!(isFailure(error, 'vendor_refused') && error.extra['status'] === 409)) throw error;
        const old = await existing(account);
        if (!old) throw error;
        if (serves(old, urls, clientStateSecrets)) return renew(account, old.id);
        await remove(account, old.id);
        return post(account, urls);
      }
    },
    renew,
    remove,
  };
}

const resourceOf = (account: Account): string => `users/${account.id}/onlineMeetings/getAllRecordings`;

const pathOf = (id: string): string => `/subscriptions/${encodeURIComponent(id)}`;

function told(answer: Parameters<typeof parseAnswer>[1]): Subscription {
  const { id, expirationDateTime } = parseAnswer(subscription, answer, 'subscribe');
  return { id, expiresAt: new Date(expirationDateTime) };
}

/** URLs and client state cannot be changed later. Microsoft may leave the last two out of its list; then they are taken as right. */
const serves = (old: Listed, { notificationUrl, lifecycleUrl }: Urls, secrets: readonly Buffer[]): boolean =>
  old.notificationUrl === notificationUrl &&
  (old.lifecycleNotificationUrl === undefined || old.lifecycleNotificationUrl === lifecycleUrl) &&
  (old.clientState === undefined || old.clientState === null || provesClientState(secrets, old.clientState));
