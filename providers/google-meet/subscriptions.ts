/** The event feed of one account: a Workspace Events subscription on the user, seven days long, renewed before it ends. */
import { z } from 'zod';
import { Failure, isFailure } from '../../src/domain/failure.ts';
import { SECOND } from '../../src/domain/time.ts';
import type { Account, GrantEnd, Subscription, Subscriptions } from '../provider.ts';
import type { Ask } from './client.ts';
import { googleRefusal, refusedWith, unlessRefused } from './failures.ts';
import { SUBSCRIBED_TYPES } from './notices.ts';
import { SPACE_CREATED, SPACE_READONLY } from './scopes.ts';
import { empty, moment, subscriptionName } from './shapes.ts';

/** The longest that Google gives: seven days for events without the resource inside. */
const MAX_TTL = '0s';

const subscription = z.object({
  name: subscriptionName,
  expireTime: moment,
  state: z.string().optional(),
  suspensionReason: z.string().optional(),
  notificationEndpoint: z.object({ pubsubTopic: z.string().optional() }).optional(),
});
const operation = z.object({
  done: z.boolean().default(false),
  error: z.object({ code: z.number().optional(), message: z.string().optional() }).optional(),
  response: z.unknown().optional(),
});
type Operation = z.infer<typeof operation>;
type Found = z.infer<typeof subscription>;
type Extended = Found & { readonly suspendedFor?: string };

/**
 * What a suspension says about the account, once Google does not take the feed up again. The other reasons are not the professional's
 * business: the topic (`ENDPOINT_…`), the app (`APP_…`), or none (`OTHER`).
 */
const ENDS: Readonly<Record<string, GrantEnd>> = {
  USER_SCOPE_REVOKED: 'withdrawn',
  USER_AUTHORIZATION_FAILURE: 'admin_blocked',
  // The target is the user.
  RESOURCE_DELETED: 'account_gone',
};

export function createSubscriptions(ask: Ask, pubsubTopic: string): Subscriptions {
  const common = { scopes: [SPACE_CREATED, SPACE_READONLY], repeatable: true };

  const insert = async (account: Account): Promise<Found> => {
    const requestBody = {
      // Everything that happens in the spaces this user owns, those of later meetings included.
      targetResource: `//cloudidentity.googleapis.com/users/${account.id}`,
      eventTypes: [...SUBSCRIBED_TYPES],
      notificationEndpoint: { pubsubTopic },
      ttl: MAX_TTL,
    };
    return subscriptionIn(
      await ask(account, {
        ...common,
        what: 'subscriptions.create',
        request: ({ events }, options) => events.subscriptions.create({ requestBody }, options),
        answer: operation,
      }),
    );
  };

  const extend = async (account: Account, name: string): Promise<Extended> => {
    const extended = subscriptionIn(
      await ask(account, {
        ...common,
        what: 'subscriptions.patch',
        request: ({ events }, options) => events.subscriptions.patch({ name, updateMask: 'ttl', requestBody: { ttl: MAX_TTL } }, options),
        answer: operation,
      }),
    );
    if (extended.state !== 'SUSPENDED') return extended;
    const suspendedFor = extended.suspensionReason ?? 'OTHER';
    try {
      return { ...(await reactivate(account, name)), suspendedFor };
    } catch (error) {
      throw staysSuspended(suspendedFor, error);
    }
  };

  const reactivate = async (account: Account, name: string): Promise<Found> =>
    subscriptionIn(
      await ask(account, {
        ...common,
        what: 'subscriptions.reactivate',
        request: ({ events }, options) => events.subscriptions.reactivate({ name, requestBody: {} }, options),
        answer: operation,
      }),
    );

  const remove = async (account: Account, name: string): Promise<void> => {
    await unlessRefused(
      ask(account, {
        ...common,
        what: 'subscriptions.delete',
        request: ({ events }, options) => events.subscriptions.delete({ name, allowMissing: true }, options),
        answer: empty,
      }),
      404,
    );
  };

  return {
    scopes: common.scopes,
    // The URLs of the gateway are not Google's business: it publishes to the topic, and the topic pushes to us.
    async create(account) {
      try {
        return publicForm(await insert(account));
      } catch (error) {
        // One per user and app. The refusal names the one that exists.
        const existing = subscriptionName.safeParse(googleRefusal(error)?.metadata['current_subscription']).data;
        if (existing === undefined || !refusedWith(error, 409)) throw error;
        const adopted = await extend(account, existing);
        const topic = adopted.notificationEndpoint?.pubsubTopic;
        if (topic === undefined || topic === pubsubTopic) return publicForm(adopted);
        // Its topic cannot be changed: kept, it would feed another topic for ever.
        await remove(account, existing);
        return publicForm(await insert(account));
      }
    },

    async renew(account, subscriptionId) {
      const extended = await unlessRefused(extend(account, subscriptionId), 404);
      if (extended === undefined) throw new Failure('gone', 'Google has deleted the subscription.');
      return publicForm(extended);
    },

    remove,
  };
}

const publicForm = ({ name, expireTime, suspendedFor }: Extended): Subscription => ({
  id: name,
  expiresAt: expireTime,
  ...(suspendedFor === undefined ? {} : { suspendedFor }),
});

/** What Google's word means when it does not take the feed up again; an outage or a dead token speaks for itself. */
function staysSuspended(suspendedFor: string, error: unknown): unknown {
  if (!isFailure(error, 'vendor_refused') || refusedWith(error, 404)) return error;
  const reason = ENDS[suspendedFor];
  return reason === undefined
    ? new Failure('vendor_refused', `Google has suspended the event feed: ${suspendedFor}.`, {
        cause: error,
        extra: { vendor_code: suspendedFor, suspended_for: suspendedFor },
      })
    : new Failure('reconnect_required', `Google has suspended the event feed: ${suspendedFor}.`, {
        cause: error,
        extra: { reason, vendor_code: suspendedFor },
      });
}

function subscriptionIn({ done, error, response }: Operation): Found {
  if (error !== undefined) {
    throw new Failure('vendor_refused', 'Google could not set up the event feed.', {
      cause: new Error(`operation failed with ${error.code}: ${error.message}`),
      extra: { vendor_code: String(error.code ?? 'unknown') },
    });
  }
  // The next attempt finds what this one started.
  if (!done) throw new Failure('vendor_unavailable', 'Google is still setting up the event feed.', { retryAfterMs: 30 * SECOND });
  const parsed = subscription.safeParse(response);
  if (parsed.success) return parsed.data;
  throw new Failure('vendor_nonsense', 'Google answered no subscription.', { cause: parsed.error });
}
