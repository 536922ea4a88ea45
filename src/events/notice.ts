/** What the marketplace is told when an endpoint of its own is disabled, ready to be mailed to whoever looks after it. */
import type { WebhookEndpoint } from '../store/events.ts';

export interface Notice {
  readonly subject: string;
  readonly text: string;
}

export function noticeOf({ id, url, disabledReason, failingSince }: WebhookEndpoint): Notice {
  const host = new URL(url).host;
  const why = {
    gone: 'it answered 410 Gone, which says that nobody listens there any more',
    failing: `every attempt to reach it has failed since ${failingSince?.toISOString() ?? 'days'}`,
    asked: 'it was switched off over the API',
  }[disabledReason ?? 'asked'];
  return {
    subject: `Webhooks to ${host} are switched off`,
    text: [
      `We do not send events to ${url} (${id}) any more: ${why}.`,
      'Events that were waiting for it are kept as dead letters; nothing is lost.',
      `To go on: repair the receiver, enable the endpoint (PATCH /v1/webhook-endpoints/${id} with {"enabled": true}), ` +
        `and have what it missed sent again (POST /v1/webhook-endpoints/${id}/recover with {"since": "…"}). Every event keeps its id.`,
    ].join('\n\n'),
  };
}
