/** Workspace Events over Pub/Sub push: which subscriptions an event reaches, the envelope, its OIDC proof, redelivery. */
import { DAY, HOUR, MINUTE, SECOND, plus, unixSeconds } from '../clock.ts';
import type { RetryPolicy, Tamper } from '../deliveries.ts';
import { digits, guid } from '../ids.ts';
import type { GoogleWebhook } from '../world.ts';
import { mayRead } from './state.ts';
import type { Google, MeetSubscription, Space } from './state.ts';

/** https://cloud.google.com/pubsub/docs/push: any other code is a refusal. */
const ACKNOWLEDGED = new Set([102, 200, 201, 202, 204]);
/** `ackDeadlineSeconds` and the retry policy of a subscription as documented; retention 7 days. */
const ACK_DEADLINE_MS = 10 * SECOND;
const SHORTEST_BACKOFF_MS = 10 * SECOND;
const LONGEST_BACKOFF_MS = 10 * MINUTE;
const RETENTION_MS = 7 * DAY;
const REMINDED_BEFORE_MS = [12 * HOUR, HOUR];

const POLICY: RetryPolicy = {
  timeoutMs: () => ACK_DEADLINE_MS,
  accepts: (status) => ACKNOWLEDGED.has(status),
  retryInMs: ({ attempt, ageMs }) => {
    const delayMs = Math.min(SHORTEST_BACKOFF_MS * 2 ** Math.min(attempt - 1, 10), LONGEST_BACKOFF_MS);
    return ageMs + delayMs > RETENTION_MS ? null : delayMs;
  },
};

/** Publishes an event of a space to every subscription that covers it. `type` without `google.workspace.meet.`. */
export function publish(google: Google, space: Space, type: string, data: object): void {
  const full = `google.workspace.meet.${type}`;
  for (const subscription of google.state.subscriptions) {
    const target = subscription.targetResource;
    const covers =
      target === `//meet.googleapis.com/spaces/${space.id}` || target === `//cloudidentity.googleapis.com/users/${space.owner.id}`;
    const readable = mayRead(space, subscription.user, subscription.scopes);
    if (covers && readable && subscription.state === 'ACTIVE' && subscription.eventTypes.includes(full))
      push(google, subscription, full, target, data);
  }
}

type Lifecycle = 'expirationReminder' | 'suspended' | 'expired';

/** The documents show these with snake_case keys. */
export function sendLifecycle(google: Google, subscription: MeetSubscription, event: Lifecycle): void {
  const { name, expireTime, suspensionReason } = subscription;
  const more = {
    expirationReminder: { expire_time: expireTime.toISOString() },
    suspended: { suspension_reason: suspensionReason },
    expired: {},
  }[event];
  const subject = `//workspaceevents.googleapis.com/${name}`;
  push(google, subscription, `google.workspace.events.subscription.v1.${event}`, subject, { subscription: { name, ...more } });
}

/** Plans the reminders and the end; called again whenever the end moves. */
export function planExpiry(google: Google, subscription: MeetSubscription): void {
  const { agenda } = google.world;
  subscription.calledOff();
  const reminders = REMINDED_BEFORE_MS.map((before) => plus(subscription.expireTime, -before))
    .filter((moment) => moment > agenda.now())
    .map((moment) => agenda.at(moment, () => sendLifecycle(google, subscription, 'expirationReminder')));
  const end = agenda.at(subscription.expireTime, () => {
    google.state.subscriptions = google.state.subscriptions.filter((other) => other !== subscription);
    sendLifecycle(google, subscription, 'expired');
  });
  subscription.calledOff = () => {
    for (const callOff of [...reminders, end]) callOff();
  };
}

/** The user took back his permission. */
export function suspendFor(google: Google, userId: string): void {
  const app = google.world.clients['google-meet'].id;
  for (const subscription of google.state.subscriptions.filter(({ user, clientId }) => user.id === userId && clientId === app)) {
    subscription.state = 'SUSPENDED';
    subscription.suspensionReason = 'USER_AUTHORIZATION_FAILURE';
    sendLifecycle(google, subscription, 'suspended');
  }
}

function push({ world, key }: Google, subscription: MeetSubscription, type: string, subject: string, data: object): void {
  const webhook = world.webhooks.google;
  if (!webhook) return;
  const { agenda, random } = world;
  const source = `//workspaceevents.googleapis.com/${subscription.name}`;
  const now = agenda.now().toISOString();
  const messageId = digits(random, 16);
  const body = JSON.stringify({
    message: {
      attributes: {
        'ce-datacontenttype': 'application/json',
        'ce-id': guid(random),
        'ce-source': source,
        'ce-specversion': '1.0',
        'ce-subject': subject,
        'ce-time': now,
        'ce-type': type,
      },
      data: Buffer.from(JSON.stringify(data)).toString('base64'),
      messageId,
      message_id: messageId,
      orderingKey: source,
      publishTime: now,
      publish_time: now,
    },
    subscription: webhook.subscription,
  });

  const token = async (tamper: Tamper | null): Promise<string> => {
    const issuedAt = unixSeconds(plus(agenda.now(), tamper === 'stale' ? -DAY : 0));
    const signed = await key.sign(pushClaims(webhook, issuedAt));
    return tamper === 'proof' ? `${signed.slice(0, signed.lastIndexOf('.'))}.${random(256).toString('base64url')}` : signed;
  };

  world.deliveries.send({
    vendor: 'google-meet',
    type,
    url: webhook.url,
    policy: POLICY,
    prepare: async (tamper) => ({
      headers: {
        'content-type': 'application/json',
        'user-agent': 'APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)',
        authorization: `Bearer ${await token(tamper)}`,
      },
      body,
    }),
  });
}

const pushClaims = ({ audience, serviceAccount }: GoogleWebhook, issuedAt: number): Record<string, unknown> => ({
  aud: audience,
  azp: '113774264463038329999',
  sub: '113774264463038329999',
  email: serviceAccount,
  email_verified: true,
  iss: 'https://accounts.google.com',
  iat: issuedAt,
  exp: issuedAt + HOUR / SECOND,
});
