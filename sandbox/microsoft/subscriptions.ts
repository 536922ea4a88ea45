import { Hono } from 'hono';
import type { Context } from 'hono';
import { z } from 'zod';
import { HOUR, MINUTE, SECOND } from '../clock.ts';
import { post } from '../deliveries.ts';
import { guid } from '../ids.ts';
import type { Env, Routes, World } from '../world.ts';
import { graphCaller } from './access.ts';
import type { GraphCaller } from './access.ts';
import { planLifecycle, releaseHeld } from './notifications.ts';
import { graphError, graphTime } from './state.ts';
import type { GraphSubscription, Microsoft } from './state.ts';

/** https://learn.microsoft.com/graph/change-notifications-overview: callRecording, 4 320 minutes. */
const LONGEST_LIFE_MS = 4_320 * MINUTE;
const VALIDATION_TIMEOUT_MS = 10 * SECOND;

const url = z.url({ protocol: /^https?$/ });
const subscriptionBody = z.object({
  changeType: z.string(),
  resource: z.string(),
  notificationUrl: url,
  lifecycleNotificationUrl: url.optional(),
  expirationDateTime: z.iso.datetime({ offset: true }).transform((text) => new Date(text)),
  clientState: z.string().max(128).optional(),
  includeResourceData: z.boolean().optional(),
  encryptionCertificate: z.base64().optional(),
  encryptionCertificateId: z.string().max(128).optional(),
});
const renewal = subscriptionBody.pick({ expirationDateTime: true });

export function microsoftSubscriptionRoutes(microsoft: Microsoft): Routes {
  const { world, state } = microsoft;
  const invalid = (c: Context<Env>, message: string): Response => graphError(c, microsoft, 400, 'ValidationError', message);
  const own = (caller: GraphCaller) => (subscription: GraphSubscription) =>
    subscription.clientId === caller.token.grant.clientId && subscription.user === caller.user && subscription.tenantId === caller.tenantId;
  const find = (c: Context<Env>): { caller: GraphCaller; subscription: GraphSubscription } | Response => {
    const caller = graphCaller(microsoft, c);
    if (caller instanceof Response) return caller;
    const subscription = state.subscriptions.filter(own(caller)).find(({ id }) => id === c.req.param('subscription'));
    return subscription ? { caller, subscription } : graphError(c, microsoft, 404, 'ResourceNotFound', 'The object was not found.');
  };
  const authorize = (subscription: GraphSubscription, { token }: GraphCaller): void => {
    subscription.authorizedUntil = token.expiresAt;
    planLifecycle(microsoft, subscription);
    releaseHeld(microsoft, subscription);
  };

  return new Hono<Env>()
    .post('/v1.0/subscriptions', async (c) => {
      const caller = graphCaller(microsoft, c, 'OnlineMeetingRecording.Read.All');
      if (caller instanceof Response) return caller;
      const parsed = subscriptionBody.safeParse(await c.req.json().catch(() => undefined));
      if (!parsed.success) return invalid(c, z.prettifyError(parsed.error));
      const body = parsed.data;
      const resource = body.resource.replace(/^\//, '');
      const refused = refuseResource(microsoft, c, caller, resource);
      if (refused) return refused;
      if (body.includeResourceData && !(body.encryptionCertificate && body.encryptionCertificateId)) {
        return invalid(c, 'encryptionCertificate and encryptionCertificateId are required with includeResourceData.');
      }
      if (body.changeType !== 'created') return invalid(c, 'Only the change type "created" is supported for this resource.');
      const now = world.agenda.now();
      const life = body.expirationDateTime.getTime() - now.getTime();
      if (life <= 0 || life > LONGEST_LIFE_MS) return invalid(c, 'Subscription expiration can only be 4320 minutes in the future.');
      if (life > HOUR && body.lifecycleNotificationUrl === undefined) {
        return invalid(
          c,
          'lifecycleNotificationUrl is required for subscription creation on this resource when the expirationDateTime value exceeds 1 hour',
        );
      }
      if (state.subscriptions.filter(own(caller)).some((other) => other.resource === resource && other.changeType === body.changeType)) {
        return graphError(c, microsoft, 409, 'ExtensionError', 'A subscription for this resource and change type already exists.');
      }
      const failure = (await refusal(world, body.notificationUrl)) ?? (await refusal(world, body.lifecycleNotificationUrl));
      if (failure !== null) return invalid(c, `Subscription validation request failed. ${failure}`);

      const subscription: GraphSubscription = {
        id: guid(world.random),
        clientId: caller.token.grant.clientId,
        user: caller.user,
        tenantId: caller.tenantId,
        resource,
        changeType: body.changeType,
        notificationUrl: body.notificationUrl,
        lifecycleNotificationUrl: body.lifecycleNotificationUrl ?? null,
        clientState: body.clientState ?? null,
        encryption: body.includeResourceData ? { certificate: body.encryptionCertificate!, id: body.encryptionCertificateId! } : null,
        expiresAt: body.expirationDateTime,
        authorizedUntil: caller.token.expiresAt,
        held: [],
        calledOff: () => {},
      };
      state.subscriptions.push(subscription);
      planLifecycle(microsoft, subscription);
      return c.json({ ...describe(subscription), clientState: subscription.clientState }, 201);
    })

    .get('/v1.0/subscriptions', (c) => {
      const caller = graphCaller(microsoft, c);
      return caller instanceof Response ? caller : c.json({ value: state.subscriptions.filter(own(caller)).map(describe) });
    })

    .get('/v1.0/subscriptions/:subscription', (c) => {
      const found = find(c);
      return found instanceof Response ? found : c.json(describe(found.subscription));
    })

    .patch('/v1.0/subscriptions/:subscription', async (c) => {
      const found = find(c);
      if (found instanceof Response) return found;
      const body = renewal.safeParse(await c.req.json().catch(() => undefined));
      if (!body.success) return invalid(c, z.prettifyError(body.error));
      const life = body.data.expirationDateTime.getTime() - world.agenda.now().getTime();
      if (life <= 0 || life > LONGEST_LIFE_MS) return invalid(c, 'Subscription expiration can only be 4320 minutes in the future.');
      found.subscription.expiresAt = body.data.expirationDateTime;
      authorize(found.subscription, found.caller);
      return c.json(describe(found.subscription));
    })

    .post('/v1.0/subscriptions/:subscription/reauthorize', (c) => {
      const found = find(c);
      if (found instanceof Response) return found;
      authorize(found.subscription, found.caller);
      return c.body(null, 204);
    })

    .delete('/v1.0/subscriptions/:subscription', (c) => {
      const found = find(c);
      if (found instanceof Response) return found;
      found.subscription.calledOff();
      state.subscriptions = state.subscriptions.filter((other) => other !== found.subscription);
      return c.body(null, 204);
    });
}

/** Recordings of one organiser, one meeting, or (for the application itself) of the tenant. */
function refuseResource(microsoft: Microsoft, c: Context<Env>, { user, tenantId }: GraphCaller, resource: string): Response | null {
  const unauthorized = (): Response =>
    graphError(
      c,
      microsoft,
      403,
      'ExtensionError',
      'Operation: Create; Exception: [Status Code: Forbidden; Reason: The request is not authorized for this user or application.]',
    );
  if (resource === 'communications/onlineMeetings/getAllRecordings') return user ? unauthorized() : null;
  const organizerId = /^users\/([^/]+)\/onlineMeetings\/getAllRecordings$/.exec(resource)?.[1];
  if (organizerId !== undefined) {
    const organizer = microsoft.state.users.find(({ id }) => id === organizerId);
    return organizer?.tenantId === tenantId && (user === null || user === organizer) ? null : unauthorized();
  }
  const meetingId = /^communications\/onlineMeetings\/([^/]+)\/recordings$/.exec(resource)?.[1];
  const meeting = microsoft.state.meetings.find(({ id }) => id === meetingId);
  if (meeting) return user === null || meeting.organizer === user ? null : unauthorized();
  return graphError(c, microsoft, 400, 'InvalidRequest', `Resource '${resource}' is not supported by the sandbox.`);
}

/** The handshake with one URL; null when it echoed the token. */
async function refusal(world: World, url: string | undefined): Promise<string | null> {
  if (url === undefined) return null;
  const token = `Validation: Testing client application reachability for subscription Request-Id: ${guid(world.random)}`;
  const target = new URL(url);
  // Spaces travel as `+`, as the real one sends them.
  target.searchParams.set('validationToken', token);
  const request = { headers: { 'content-type': 'text/plain; charset=utf-8' }, body: '' };
  const { status, answer, error } = await post(world.fetch, target.href, request, VALIDATION_TIMEOUT_MS);
  if (status === null) return `The request to the notification endpoint failed: ${error}`;
  if (status !== 200) return 'Notification endpoint must respond with 200 OK to validation request.';
  return answer === token ? null : 'The validation token was not echoed.';
}

function describe(subscription: GraphSubscription): object {
  return {
    '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#subscriptions/$entity',
    id: subscription.id,
    resource: subscription.resource,
    applicationId: subscription.clientId,
    changeType: subscription.changeType,
    clientState: null,
    notificationUrl: subscription.notificationUrl,
    includeResourceData: subscription.encryption !== null,
    encryptionCertificateId: subscription.encryption?.id ?? null,
    lifecycleNotificationUrl: subscription.lifecycleNotificationUrl,
    expirationDateTime: graphTime(subscription.expiresAt),
    creatorId: subscription.user?.id ?? subscription.clientId,
    latestSupportedTlsVersion: 'v1_2',
    notificationContentType: 'application/json',
  };
}
