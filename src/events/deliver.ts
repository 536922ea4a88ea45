/** Attempts to deliver events to marketplaces' endpoints. */
import type { ConnectionOptions } from 'node:tls';
import { Agent, request } from 'undici';
import { eventLinksContext } from '../connections/sealed.ts';
import type { SealContext } from '../connections/vault.ts';
import { deathBy, retryAfterMs } from '../domain/delivery.ts';
import { isFailure } from '../domain/failure.ts';
import { MINUTE, plus, SECOND } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { leaseDeliveries, type Delivery } from '../store/deliveries.ts';
import { loadEndpoints, loadEvents, type StoredEvent, type WebhookEndpoint } from '../store/events.ts';
import { secretsOf } from './secrets.ts';
import type { Outcome, Settlement } from './settle.ts';
import { signatureHeader } from './signature.ts';
import { checkTargetUrl, createPublicLookup } from './target.ts';
import { codeOf, tellTrouble } from './trouble.ts';

/** The standard recommends 15 to 30 s. */
export const DELIVERY_TIMEOUT_MS = 15 * SECOND;
/** What is kept of an answer, in characters. */
const KEPT_ANSWER = 1_000;
/** What is read of an answer, in bytes. */
const MAX_ANSWER_BYTES = 16_000;

/** A connection is used for so long at most; then the name is looked up again. */
const CONNECTION_TTL_MS = MINUTE;

/** For tests, which have a resolver and an authority of their own. */
export type TrustAndLookup = Pick<ConnectionOptions, 'ca' | 'lookup'>;

export interface Answer {
  readonly status: number;
  /** Its beginning. */
  readonly answer: string;
  /** The header `Retry-After`. */
  readonly retryAfter: string | undefined;
}

/** Fails with whatever kept the answer from being heard in time, to its end or to what is read of it. */
export type Send = (message: { url: string; headers: Record<string, string>; body: string }) => Promise<Answer>;

/**
 * The HTTP client for deliveries: no redirects, no private addresses (unless the operator allows them), answers cut. `timeoutMs` is for
 * everything together: the connection, the answer and its body.
 */
export function createSend({
  allowPrivate,
  timeoutMs = DELIVERY_TIMEOUT_MS,
  connect = {},
}: {
  allowPrivate: boolean;
  timeoutMs?: number;
  connect?: TrustAndLookup;
}): {
  send: Send;
  close: () => Promise<void>;
} {
  const agent = new Agent({
    connect: {
      timeout: 5 * SECOND,
      ...(allowPrivate ? {} : { lookup: createPublicLookup() }),
      ...connect,
      // Said, because a variable of the environment could switch it off.
      rejectUnauthorized: true,
    },
    // A connection outlives the look-up that allowed it: not for long, whatever the other side proposes.
    clientTtl: CONNECTION_TTL_MS,
    keepAliveMaxTimeout: 5 * SECOND,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    // No limit of connections here: it would be one for all endpoints of a host together, so that one that hangs holds up the others.
  });
  return {
    async send({ url, headers, body }) {
      // Literal addresses never reach the look-up: they are checked here, each time.
      checkTargetUrl(url, allowPrivate);
      const response = await request(url, {
        method: 'POST',
        headers,
        body,
        dispatcher: agent,
        signal: AbortSignal.timeout(timeoutMs),
      });
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      // Leaving the loop closes the connection: what is endless ends here.
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes >= MAX_ANSWER_BYTES) break;
      }
      const retryAfter = response.headers['retry-after'];
      return {
        status: response.statusCode,
        answer: kept(Buffer.concat(chunks, Math.min(bytes, MAX_ANSWER_BYTES)).toString('utf8')),
        retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
      };
    },
    close: () => agent.destroy(),
  };
}

export interface Claimed {
  readonly delivery: Delivery;
  /** Undefined: it cannot be read. */
  readonly event: StoredEvent | undefined;
  /** Undefined: it was removed. */
  readonly endpoint: WebhookEndpoint | undefined;
}

/** Takes what of these is still due, and reads what has to be sent and where to, as it is at this moment. */
export async function claimDeliveries({ db, now }: Gateway, ids: readonly string[], leaseMs: number): Promise<Claimed[]> {
  const at = now();
  const deliveries = await db.write((tx) => leaseDeliveries(tx, { ids, now: at, until: plus(at, leaseMs) }));
  if (deliveries.length === 0) return [];
  const endpoints = await loadEndpoints(db.read, distinct(deliveries.map(({ endpointId }) => endpointId)));
  const events = await loadReadable(db, distinct(deliveries.map(({ eventId }) => eventId)));
  return deliveries.map((delivery) => ({
    delivery,
    event: events.get(delivery.eventId),
    endpoint: endpoints.get(delivery.endpointId),
  }));
}

/** One that cannot be read must not hold back the others. */
async function loadReadable(db: Gateway['db'], ids: readonly string[]): Promise<Map<string, StoredEvent>> {
  try {
    return await loadEvents(db.read, ids);
  } catch (error) {
    if (isFailure(error, 'storage_unavailable')) throw error;
    if (ids.length === 1) return new Map();
    const [left, right] = [ids.slice(0, ids.length / 2), ids.slice(ids.length / 2)];
    return new Map([...(await loadReadable(db, left)), ...(await loadReadable(db, right))]);
  }
}

/** Sends what was claimed. */
export async function deliver(gateway: Gateway, send: Send, { delivery, event, endpoint }: Claimed): Promise<Settlement> {
  const startedAt = gateway.now();
  const outcome = await attempt(gateway, send, { event, endpoint, at: startedAt });
  return { delivery, event, url: endpoint?.url, startedAt, finishedAt: gateway.now(), outcome };
}

async function attempt(
  gateway: Gateway,
  send: Send,
  { event, endpoint, at }: Pick<Claimed, 'event' | 'endpoint'> & { at: Date },
): Promise<Outcome> {
  if (endpoint === undefined) return { kind: 'buried', reason: 'endpoint_removed' };
  if (endpoint.disabledAt !== null) return { kind: 'buried', reason: deathBy(endpoint.disabledReason) };
  if (event === undefined) return { kind: 'unwritten', reason: 'poison', answer: 'The stored event cannot be read.' };
  let secrets: readonly string[];
  try {
    secrets = secretsOf(gateway, endpoint, at);
  } catch (error) {
    if (isFailure(error, 'key_unavailable')) return { kind: 'key_unavailable' };
    if (isFailure(error, 'sealed_damaged')) return { kind: 'secret_unreadable' };
    throw error;
  }
  let message: Parameters<Send>[0];
  try {
    message = { url: endpoint.url, ...written(gateway, { event, secrets, at }) };
  } catch (error) {
    if (isFailure(error, 'key_unavailable')) return { kind: 'key_unavailable' };
    return isFailure(error, 'sealed_damaged')
      ? { kind: 'unwritten', reason: 'unreadable', answer: error.message }
      : { kind: 'unwritten', reason: 'poison', answer: 'The event cannot be serialized.' };
  }
  try {
    const { status, answer, retryAfter } = await send(message);
    return { kind: 'attempted', status, answer, retryAfterMs: retryAfterMs(retryAfter, gateway.now()) };
  } catch (error) {
    gateway.log.debug({ event: event.id, endpoint: endpoint.id, code: codeOf(error) }, 'a delivery got no answer');
    return { kind: 'attempted', status: null, answer: tellTrouble(error), retryAfterMs: undefined };
  }
}

/** The request: Standard Webhooks' headers, and the signature of this moment by every secret that is valid. */
function written(
  gateway: Gateway,
  { event, secrets, at }: { event: StoredEvent; secrets: readonly string[]; at: Date },
): { headers: Record<string, string>; body: string } {
  const body = JSON.stringify(deliveryBody(gateway, event));
  const timestamp = Math.floor(at.getTime() / SECOND);
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'conferencing-gateway',
      'webhook-id': event.id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': signatureHeader({ id: event.id, timestamp, body, secrets }),
    },
  };
}

/** What is kept of a text. PostgreSQL takes no NUL. */
const kept = (text: string): string => text.slice(0, KEPT_ANSWER).replaceAll('\0', '\ufffd');

const distinct = (ids: readonly string[]): string[] => [...new Set(ids)];

/** The event as it is sent. Links that have been erased are left out, and those for which `open` has nothing. */
export function deliveryBody(
  { vault }: { readonly vault: { open(sealed: Buffer, context: SealContext): string | null } },
  event: StoredEvent,
): { type: string; timestamp: string; data: Record<string, unknown> } {
  const opened = event.linksSealed === null ? null : vault.open(event.linksSealed, eventLinksContext(event.id));
  const links = opened === null ? {} : (JSON.parse(opened) as Record<string, unknown>);
  return {
    type: event.type,
    timestamp: event.at.toISOString(),
    data: { ...event.data, ...(event.sequence === null ? {} : { sequence: event.sequence }), ...links },
  };
}
