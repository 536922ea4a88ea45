/** Proves Zoom's deliveries. This is the hot path: one HMAC, one parse, one hash, nothing asynchronous. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { Failure } from '../../src/domain/failure.ts';
import { MINUTE, SECOND } from '../../src/domain/time.ts';
import type { Opened, Webhook, WebhookRequest } from '../provider.ts';
import { readEvents } from './events.ts';
import { deliveryKey } from './delivery-key.ts';
import { memberOf } from './json.ts';

/** How far a delivery's clock may be from ours, either way, the last millisecond included. Zoom names no limit; this is Standard Webhooks' five minutes. */
const TOLERANCE_MS = 5 * MINUTE;
/** A handshake is about 150 bytes; without a proof nothing larger is parsed. */
const MAX_HANDSHAKE_BYTES = 1_000;
/** Base64 in both alphabets. It has no colon, so that the answer can never be the signature of `v0:{timestamp}:{body}`. */
const PLAIN_TOKEN = /^[A-Za-z0-9+/=_-]{1,200}$/;

export const zoomWebhook = (secrets: readonly string[]): Webhook => ({
  open(request) {
    const { bytes } = request;
    const isSigned = request.header('x-zm-signature') !== undefined || request.header('x-zm-request-timestamp') !== undefined;
    if (!isSigned) {
      // Zoom signs its handshakes; an unsigned one is answered as well, because refusing it would stop all events after three days.
      const answer = bytes.length <= MAX_HANDSHAKE_BYTES ? handshake(parse(bytes), secrets[0]) : undefined;
      return answer ?? refuse();
    }
    const secret = provenBy(secrets, request);
    if (secret === undefined) return refuse();
    const document = parse(bytes);
    if (memberOf(document, 'event') === 'endpoint.url_validation') return handshake(document, secret) ?? refuse();
    return { kind: 'deliveries', status: 200, deliveries: [{ key: deliveryKey(document, bytes), bytes }] };
  },
  read: readEvents,
});

/** The secret that the signature was made with. Duplicate headers arrive joined and match neither pattern. */
function provenBy(secrets: readonly string[], request: WebhookRequest): string | undefined {
  const { bytes, now } = request;
  const timestamp = request.header('x-zm-request-timestamp') ?? '';
  const signature = request.header('x-zm-signature') ?? '';
  if (!/^\d{1,12}$/.test(timestamp) || !/^v0=[0-9a-f]{64}$/.test(signature)) return undefined;
  if (Math.abs(now.getTime() - Number(timestamp) * SECOND) > TOLERANCE_MS) return undefined;
  const given = Buffer.from(signature.slice(3), 'hex');
  let proven: string | undefined;
  // Every secret is tried, so that the time does not tell which one fitted.
  for (const secret of secrets) {
    const expected = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(bytes).digest();
    if (timingSafeEqual(expected, given)) proven ??= secret;
  }
  return proven;
}

function handshake(document: unknown, secret: string | undefined): Opened | undefined {
  const plainToken = memberOf(memberOf(document, 'payload'), 'plainToken');
  const isHandshake =
    memberOf(document, 'event') === 'endpoint.url_validation' && typeof plainToken === 'string' && PLAIN_TOKEN.test(plainToken);
  if (!isHandshake || secret === undefined) return undefined;
  const encryptedToken = createHmac('sha256', secret).update(plainToken).digest('hex');
  return { kind: 'answer', status: 200, contentType: 'application/json', body: JSON.stringify({ plainToken, encryptedToken }) };
}

/** Undefined for what is no JSON: a proven delivery is stored all the same, and refused by its name when it is read. */
function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function refuse(): never {
  throw new Failure('webhook_unauthenticated', 'The delivery could not be proven to come from Zoom.');
}
