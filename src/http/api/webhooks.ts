/** The section `webhooks` of the OpenAPI document, made from the catalogue of events. */
import { z, type OpenAPIHono } from '@hono/zod-openapi';
import { dataSchema, entryOf, EVENT_TYPES, type EventType } from '../../events/catalogue.ts';
import type { ApiEnv } from '../auth.ts';
import * as schemas from './schemas.ts';

const EXAMPLE_MOMENT = '2026-11-27T11:20:00.000Z';

const headers = z.object({
  'webhook-id': z.string().describe("The event's id: the same for every delivery of the event").openapi({ example: 'evt_4f1c…' }),
  'webhook-timestamp': z.string().describe('When this delivery was sent, in Unix seconds').openapi({ example: '1795778400' }),
  'webhook-signature': z
    .string()
    .describe('`v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`; several, separated by spaces, during a rotation')
    .openapi({ example: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=' }),
});

export function registerWebhooks({ openAPIRegistry }: OpenAPIHono<ApiEnv>): void {
  for (const type of EVENT_TYPES) openAPIRegistry.registerWebhook(webhook(type));
}

function webhook(type: EventType) {
  const { version, description, when, example } = entryOf(type);
  const schema = z
    .object({ type: z.literal(type), timestamp: schemas.moment.describe('When it was written down'), data: dataSchema(type) })
    .openapi({ example: { type, timestamp: EXAMPLE_MOMENT, data: example } });
  return {
    method: 'post' as const,
    path: type,
    operationId: type,
    tags: ['Events'],
    summary: description,
    description: when,
    'x-event-version': version,
    request: { headers, body: { required: true, content: { 'application/json': { schema } } } },
    responses: {
      '2XX': { description: 'Taken, once the answer has ended or 16 kB of it have come. Nothing in its body matters' },
      410: { description: 'Nobody listens here any more: the endpoint is disabled' },
      default: { description: 'Not taken: it is sent again later' },
    },
  };
}
