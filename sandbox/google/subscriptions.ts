import { Hono } from 'hono';
import type { Context } from 'hono';
import { z } from 'zod';
import { DAY, SECOND, plus } from '../clock.ts';
import { guid, secret } from '../ids.ts';
import type { Env, Routes } from '../world.ts';
import { planExpiry } from './events.ts';
import { CREATED, READONLY, googleCaller, pageOf, rpcError } from './state.ts';
import type { Google, GoogleCaller, MeetSubscription } from './state.ts';

/** The longest life of a subscription without resource data, and the one it gets when none is asked for. */
const LONGEST_LIFE_MS = 7 * DAY;

const ttl = z.string().regex(/^\d+(\.\d+)?s$/);
const eventTypes = z.array(z.string().startsWith('google.workspace.meet.')).min(1);
const creation = z.looseObject({
  targetResource: z.string(),
  eventTypes,
  notificationEndpoint: z.object({ pubsubTopic: z.string().regex(/^projects\/[^/]+\/topics\/[^/]+$/) }),
  ttl: ttl.optional(),
});
const change = z.looseObject({
  ttl: ttl.optional(),
  expireTime: z.iso.datetime({ offset: true }).optional(),
  eventTypes: eventTypes.optional(),
});

export function googleSubscriptionRoutes(google: Google): Routes {
  const { world, state } = google;
  const base = '/v1/subscriptions';
  const invalid = (c: Context<Env>, message: string): Response => rpcError(c, 400, 'INVALID_ARGUMENT', message);
  const notFound = (c: Context<Env>): Response => rpcError(c, 404, 'NOT_FOUND', 'Requested entity was not found.');
  const callerOf = (c: Context<Env>): GoogleCaller | Response => googleCaller(google, c, 'workspaceevents', [CREATED, READONLY]);
  const find = (c: Context<Env>, id: string): MeetSubscription | undefined | Response => {
    const caller = callerOf(c);
    if (caller instanceof Response) return caller;
    return state.subscriptions.find(({ name, user }) => name === `subscriptions/${id}` && user === caller.user);
  };
  const operation = (response: object): object => ({ name: `operations/${secret(world.random, 16)}`, done: true, response });
  const done = (subscription: MeetSubscription): object =>
    operation({ '@type': 'type.googleapis.com/google.apps.events.subscription.v1.Subscription', ...describe(subscription) });

  return new Hono<Env>()
    .post(base, async (c) => {
      const caller = callerOf(c);
      if (caller instanceof Response) return caller;
      const parsed = creation.safeParse(await c.req.json().catch(() => undefined));
      if (!parsed.success) return invalid(c, z.prettifyError(parsed.error));
      const { targetResource, notificationEndpoint } = parsed.data;
      if (!mayTarget(google, caller, targetResource)) return rpcError(c, 403, 'PERMISSION_DENIED', 'The caller does not have permission.');
      const { clientId } = caller.token.grant;
      const twin = state.subscriptions.find(
        (other) => other.user === caller.user && other.clientId === clientId && other.targetResource === targetResource,
      );
      if (twin) {
        const detail = {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: 'SUBSCRIPTION_ALREADY_EXISTS',
          domain: 'workspaceevents.googleapis.com',
          metadata: { current_subscription: twin.name },
        };
        return rpcError(c, 409, 'ALREADY_EXISTS', 'Subscription already exists.', [detail]);
      }
      const now = world.agenda.now();
      const subscription: MeetSubscription = {
        name: `subscriptions/meet-users-${secret(world.random, 12)}`,
        uid: guid(world.random),
        clientId,
        user: caller.user,
        scopes: caller.token.scopes,
        targetResource,
        eventTypes: parsed.data.eventTypes,
        pubsubTopic: notificationEndpoint.pubsubTopic,
        createTime: now,
        updateTime: now,
        expireTime: plus(now, lifeMs(parsed.data.ttl)),
        state: 'ACTIVE',
        suspensionReason: null,
        calledOff: () => {},
      };
      if (c.req.query('validateOnly') !== 'true') {
        state.subscriptions.push(subscription);
        planExpiry(google, subscription);
      }
      return c.json(done(subscription));
    })

    .get(base, (c) => {
      const caller = callerOf(c);
      if (caller instanceof Response) return caller;
      const types = [...(c.req.query('filter') ?? '').matchAll(/event_types:"([^"]+)"/g)].map(([, type]) => type);
      if (types.length === 0) return invalid(c, 'The filter has to name at least one event type.');
      const target = /target_resource\s*=\s*"([^"]+)"/.exec(c.req.query('filter') ?? '')?.[1];
      const own = state.subscriptions.filter(
        (subscription) =>
          subscription.user === caller.user &&
          subscription.eventTypes.some((type) => types.includes(type)) &&
          (target === undefined || subscription.targetResource === target),
      );
      const { page, next } = pageOf(c, own, 50, 100);
      return c.json({ ...(page.length > 0 ? { subscriptions: page.map(describe) } : {}), ...next });
    })

    .get(`${base}/:subscription`, (c) => {
      const subscription = find(c, c.req.param('subscription'));
      if (subscription instanceof Response) return subscription;
      return subscription ? c.json(describe(subscription)) : notFound(c);
    })

    .patch(`${base}/:subscription`, async (c) => {
      const subscription = find(c, c.req.param('subscription'));
      if (subscription instanceof Response) return subscription;
      if (!subscription) return notFound(c);
      const parsed = change.safeParse(await c.req.json().catch(() => undefined));
      if (!parsed.success) return invalid(c, z.prettifyError(parsed.error));
      const { ttl: asked, expireTime, eventTypes: types } = parsed.data;
      const now = world.agenda.now();
      const mask = c.req.query('updateMask')?.split(',') ?? Object.keys(parsed.data);
      if (mask.includes('ttl')) subscription.expireTime = plus(now, lifeMs(asked));
      if ((mask.includes('expireTime') || mask.includes('expire_time')) && expireTime !== undefined) {
        subscription.expireTime = new Date(Math.min(Date.parse(expireTime), plus(now, LONGEST_LIFE_MS).getTime()));
      }
      if ((mask.includes('eventTypes') || mask.includes('event_types')) && types) subscription.eventTypes = types;
      subscription.updateTime = now;
      planExpiry(google, subscription);
      return c.json(done(subscription));
    })

    .post(`${base}/:subscription`, (c) => {
      const [id = '', verb] = c.req.param('subscription').split(':');
      if (verb !== 'reactivate') return notFound(c);
      const subscription = find(c, id);
      if (subscription instanceof Response) return subscription;
      if (!subscription) return notFound(c);
      subscription.state = 'ACTIVE';
      subscription.suspensionReason = null;
      return c.json(done(subscription));
    })

    .delete(`${base}/:subscription`, (c) => {
      const subscription = find(c, c.req.param('subscription'));
      if (subscription instanceof Response) return subscription;
      if (!subscription && c.req.query('allowMissing') !== 'true') return notFound(c);
      subscription?.calledOff();
      state.subscriptions = state.subscriptions.filter((other) => other !== subscription);
      return c.json(operation({ '@type': 'type.googleapis.com/google.protobuf.Empty' }));
    });
}

/** Unset and `0s` mean "as long as possible". */
function lifeMs(ttl: string | undefined): number {
  const asked = Number.parseFloat(ttl ?? '0') * SECOND;
  return asked === 0 ? LONGEST_LIFE_MS : Math.min(asked, LONGEST_LIFE_MS);
}

/** The authorising user himself, or a space that he owns. */
function mayTarget({ state }: Google, { user }: GoogleCaller, target: string): boolean {
  if (target === `//cloudidentity.googleapis.com/users/${user.id}`) return true;
  return state.spaces.some(({ id, owner }) => owner === user && target === `//meet.googleapis.com/spaces/${id}`);
}

function describe(subscription: MeetSubscription): object {
  const { name, uid, targetResource, user, pubsubTopic, suspensionReason } = subscription;
  return {
    name,
    uid,
    targetResource,
    eventTypes: subscription.eventTypes,
    notificationEndpoint: { pubsubTopic },
    state: subscription.state,
    ...(suspensionReason === null ? {} : { suspensionReason }),
    authority: `users/${user.id}`,
    createTime: subscription.createTime.toISOString(),
    updateTime: subscription.updateTime.toISOString(),
    expireTime: subscription.expireTime.toISOString(),
    reconciling: false,
    etag: `"${subscription.updateTime.getTime()}"`,
  };
}
