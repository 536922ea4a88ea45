/** Graph's webhooks out: basic notifications proven by `clientState`, and lifecycle events. */
import { HOUR, MINUTE, SECOND, plus } from '../clock.ts';
import type { RetryPolicy } from '../deliveries.ts';
import { describeRecording } from './recordings.ts';
import { encrypt, publisherClaims } from './rich.ts';
import { graphTime } from './state.ts';
import type { CallRecording, GraphSubscription, Microsoft, OnlineMeeting } from './state.ts';

/** https://learn.microsoft.com/graph/change-notifications-delivery-webhooks */
const RETRIED_FOR_MS = 4 * HOUR;
const FIRST_TIMEOUT_MS = 3 * SECOND;
const LATER_TIMEOUT_MS = 10 * SECOND;
/** Chosen: the documents say "exponential" and name no figures. */
const FIRST_RETRY_MS = 10 * SECOND;
const LONGEST_RETRY_MS = 30 * MINUTE;
/** Chosen: how long before the end of the authorization the application is warned. */
const WARNED_BEFORE_MS = 15 * MINUTE;

const POLICY: RetryPolicy = {
  timeoutMs: (attempt) => (attempt === 1 ? FIRST_TIMEOUT_MS : LATER_TIMEOUT_MS),
  accepts: (status) => status >= 200 && status < 300,
  retryInMs: ({ attempt, ageMs }) => {
    const delayMs = Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), LONGEST_RETRY_MS);
    return ageMs + delayMs > RETRIED_FOR_MS ? null : delayMs;
  },
};

/** Tells every subscription that covers the meeting. */
export function notifyRecording(microsoft: Microsoft, meeting: OnlineMeeting, recording: CallRecording): void {
  const resource = `communications/onlineMeetings('${meeting.id}')/recordings('${recording.id}')`;
  const covering = new Set([
    `users/${meeting.organizer.id}/onlineMeetings/getAllRecordings`,
    `communications/onlineMeetings/${meeting.id}/recordings`,
    'communications/onlineMeetings/getAllRecordings',
  ]);
  const now = microsoft.world.agenda.now();
  for (const subscription of microsoft.state.subscriptions) {
    if (subscription.tenantId !== meeting.organizer.tenantId || !covering.has(subscription.resource) || subscription.expiresAt <= now)
      continue;
    const notification = {
      changeType: 'created',
      resource,
      resourceData: { id: recording.id, '@odata.type': '#Microsoft.Graph.callRecording', '@odata.id': resource },
      ...(subscription.encryption === null
        ? {}
        : { encryptedContent: encrypt(microsoft, describeRecording(microsoft, meeting, recording), subscription.encryption) }),
    };
    if (subscription.authorizedUntil > now) send(microsoft, subscription, subscription.notificationUrl, 'created', notification);
    else subscription.held.push({ at: now, notification });
  }
}

/** Delivers what came while the subscription was not authorized; what is older than four hours is lost. */
export function releaseHeld(microsoft: Microsoft, subscription: GraphSubscription): void {
  const now = microsoft.world.agenda.now();
  for (const { at, notification } of subscription.held.splice(0)) {
    if (plus(at, RETRIED_FOR_MS) >= now) send(microsoft, subscription, subscription.notificationUrl, 'created', notification);
  }
}

export type LifecycleEvent = 'reauthorizationRequired' | 'subscriptionRemoved' | 'missed';

export function sendLifecycle(microsoft: Microsoft, subscription: GraphSubscription, lifecycleEvent: LifecycleEvent): void {
  if (subscription.lifecycleNotificationUrl === null) return;
  send(microsoft, subscription, subscription.lifecycleNotificationUrl, lifecycleEvent, { lifecycleEvent });
}

/** Warns before the authorization or the subscription runs out, and removes it in silence at its end. */
export function planLifecycle(microsoft: Microsoft, subscription: GraphSubscription): void {
  const { agenda } = microsoft.world;
  subscription.calledOff();
  const firstEnd = subscription.authorizedUntil < subscription.expiresAt ? subscription.authorizedUntil : subscription.expiresAt;
  const noWarning = agenda.at(plus(firstEnd, -WARNED_BEFORE_MS), () => sendLifecycle(microsoft, subscription, 'reauthorizationRequired'));
  const noEnd = agenda.at(subscription.expiresAt, () => {
    microsoft.state.subscriptions = microsoft.state.subscriptions.filter((other) => other !== subscription);
  });
  subscription.calledOff = () => {
    noWarning();
    noEnd();
  };
}

function send(
  { world, key }: Microsoft,
  subscription: GraphSubscription,
  url: string,
  type: string,
  what: Readonly<Record<string, unknown>>,
): void {
  const { id, tenantId, clientState, clientId, encryption } = subscription;
  const vouch = async (): Promise<string[]> => [await key.sign(publisherClaims(tenantId, clientId, world.agenda.now()))];
  const subscriptionExpirationDateTime = graphTime(subscription.expiresAt);
  world.deliveries.send({
    vendor: 'microsoft-teams',
    type,
    url,
    policy: POLICY,
    prepare: async (tamper) => ({
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify({
        value: [
          {
            subscriptionId: id,
            subscriptionExpirationDateTime,
            tenantId,
            clientState: tamper === 'proof' ? `${clientState}x` : clientState,
            ...what,
          },
        ],
        ...(encryption === null ? {} : { validationTokens: await vouch() }),
      }),
    }),
  });
}
