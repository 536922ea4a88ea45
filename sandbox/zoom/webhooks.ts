/** Zoom's webhooks out: signature over the raw body, retries at +5, +20 and +60 minutes after 5xx and lost answers only. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { DAY, MINUTE, SECOND, plus, unixSeconds } from '../clock.ts';
import { post } from '../deliveries.ts';
import type { Outgoing, Prepared, RetryPolicy, Tamper } from '../deliveries.ts';
import { guid, secret } from '../ids.ts';
import type { World, ZoomWebhook } from '../world.ts';
import type { ZoomEvent } from './state.ts';

/** https://developers.zoom.us/docs/api/webhooks/ */
const ANSWER_WITHIN_MS = 3 * SECOND;
const RETRY_AFTER_MS = [5 * MINUTE, 20 * MINUTE, 60 * MINUTE];
const REVALIDATE_EVERY_MS = 3 * DAY;
const FAILED_VALIDATIONS_ALLOWED = 5;

const POLICY: RetryPolicy = {
  timeoutMs: () => ANSWER_WITHIN_MS,
  accepts: (status) => status >= 200 && status < 300,
  retryInMs: ({ attempt, status }) => (status === null || status >= 500 ? (RETRY_AFTER_MS[attempt - 1] ?? null) : null),
};

export function signZoom({ secret, timestamp, body }: { secret: string; timestamp: number; body: string }): string {
  return `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')}`;
}

/** A delivery of one event. Each attempt is signed for its own moment; whether Zoom's retries are is not documented. */
export function zoomDelivery(world: World, webhook: ZoomWebhook, { event, payload, accountId, extra = {} }: ZoomEvent): Outgoing {
  const at = world.agenda.now();
  // Slashes are escaped on purpose: valid JSON whose bytes do not survive parsing and writing again.
  const body = JSON.stringify({ event, event_ts: at.getTime(), payload: { account_id: accountId, ...payload }, ...extra }).replaceAll(
    '/',
    '\\/',
  );
  const requestId = guid(world.random).replaceAll('-', '_');
  return {
    vendor: 'zoom',
    type: event,
    url: webhook.url,
    policy: POLICY,
    prepare: (tamper: Tamper | null): Prepared => {
      const now = world.agenda.now();
      const timestamp = unixSeconds(tamper === 'stale' ? plus(now, -DAY) : now);
      return {
        headers: {
          ...headers(webhook, timestamp, body),
          'x-zm-request-id': requestId,
          // Unique per delivery, retries included.
          'x-zm-trackingid': secret(world.random, 12),
        },
        body: tamper === 'proof' ? `${body} ` : body,
      };
    },
  };
}

export interface Validation {
  readonly validated: boolean;
  readonly status: number | null;
  readonly error: string | null;
}

/** The challenge-response check of an endpoint. */
export async function validateUrl(world: World, webhook: ZoomWebhook): Promise<Validation> {
  const plainToken = secret(world.random, 16);
  const now = world.agenda.now();
  const body = JSON.stringify({ payload: { plainToken }, event_ts: now.getTime(), event: 'endpoint.url_validation' });
  const { status, answer, error } = await post(
    world.fetch,
    webhook.url,
    { headers: headers(webhook, unixSeconds(now), body), body },
    ANSWER_WITHIN_MS,
  );
  const expected = createHmac('sha256', webhook.secret).update(plainToken).digest('hex');
  const validated = (status === 200 || status === 204) && answersChallenge(answer, plainToken, expected);
  return { validated, status, error: validated ? null : (error ?? `The answer was: ${answer.slice(0, 200)}`) };
}

/** Repeats the check every 72 hours of sandbox time; six failures in a row switch the webhook off. */
export function keepValidating(world: World, webhook: ZoomWebhook): () => void {
  let failures = 0;
  const plan = (): (() => void) =>
    world.agenda.at(plus(world.agenda.now(), REVALIDATE_EVERY_MS), async () => {
      const { validated } = await validateUrl(world, webhook);
      failures = validated ? 0 : failures + 1;
      if (world.webhooks.zoom !== webhook) return;
      if (failures > FAILED_VALIDATIONS_ALLOWED) world.webhooks.zoom = null;
      else cancel = plan();
    });
  let cancel = plan();
  return () => cancel();
}

function headers(webhook: ZoomWebhook, timestamp: number, body: string): Record<string, string> {
  return {
    'user-agent': 'Zoom Marketplace/1.0a',
    'content-type': 'application/json; charset=utf-8',
    'x-zm-request-timestamp': String(timestamp),
    'x-zm-signature': signZoom({ secret: webhook.secret, timestamp, body }),
  };
}

function answersChallenge(answer: string, plainToken: string, expected: string): boolean {
  try {
    const body = JSON.parse(answer) as { plainToken?: unknown; encryptedToken?: unknown };
    const given = Buffer.from(String(body.encryptedToken));
    return body.plainToken === plainToken && given.length === expected.length && timingSafeEqual(given, Buffer.from(expected));
  } catch {
    return false;
  }
}
