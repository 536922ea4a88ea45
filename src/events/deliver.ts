/** One attempt to deliver an event to a marketplace's endpoint. */
import type { ConnectionOptions } from 'node:tls';
import { Agent, request } from 'undici';
import { endpointSecretContext, eventLinksContext } from '../connections/sealed.ts';
import type { SealContext } from '../connections/vault.ts';
import { deliveryBackoffMs } from '../domain/backoff.ts';
import { newId } from '../domain/id.ts';
import { MINUTE, plus, SECOND } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import {
  insertAttempt,
  loadDelivery,
  lostLinks,
  updateDelivery,
  updateEndpoint,
  type Delivery,
  type StoredEvent,
  type WebhookEndpoint,
} from '../store/events.ts';
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

export type Send = (message: { url: string; headers: Record<string, string>; body: string }) => Promise<{ status: number; answer: string }>;

/** The HTTP client for deliveries: no redirects, no private addresses (unless the operator allows them), answers cut. */
export function createSend({ allowPrivate, connect = {} }: { allowPrivate: boolean; connect?: TrustAndLookup }): {
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
    headersTimeout: DELIVERY_TIMEOUT_MS,
    bodyTimeout: DELIVERY_TIMEOUT_MS,
    connections: 32,
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
        signal: AbortSignal.timeout(DELIVERY_TIMEOUT_MS),
      });
      let answer = '';
      for await (const chunk of response.body) {
        answer += Buffer.from(chunk as Uint8Array).toString('utf8');
        if (answer.length > MAX_ANSWER_BYTES) break;
      }
      return { status: response.statusCode, answer: answer.slice(0, KEPT_ANSWER) };
    },
    close: () => agent.destroy(),
  };
}

/** Sends a claimed delivery and records what came of it. */
export async function deliver(gateway: Gateway, send: Send, delivery: Delivery): Promise<void> {
  const { db, now, random, log } = gateway;
  const loaded = await loadDelivery(db.read, delivery);
  if (loaded === undefined) {
    await db.write((tx) => updateDelivery(tx, delivery.id, { state: 'dead', leasedUntil: null }));
    return;
  }
  const { event, endpoint } = loaded;
  const startedAt = now();
  const body = JSON.stringify(deliveryBody(gateway, event));
  const timestamp = Math.floor(startedAt.getTime() / SECOND);
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'conferencing-gateway',
    'webhook-id': event.id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatureHeader({ id: event.id, timestamp, body, secrets: secretsOf(gateway, endpoint, startedAt) }),
  };
  const outcome = await send({ url: endpoint.url, headers, body }).catch((error: unknown) => {
    log.debug({ delivery: delivery.id, code: codeOf(error) }, 'a delivery got no answer');
    return { status: null, answer: tellTrouble(error) };
  });
  const delivered = outcome.status !== null && outcome.status >= 200 && outcome.status < 300;
  const backoffMs = deliveryBackoffMs(delivery.attempts, random(4).readUInt32BE() / 2 ** 32);
  const finishedAt = now();
  await db.write(async (tx) => {
    await insertAttempt(tx, {
      id: newId(gateway, 'dla'),
      deliveryId: delivery.id,
      at: startedAt,
      status: outcome.status,
      durationMs: finishedAt.getTime() - startedAt.getTime(),
      // What was sent may have been erased while it was on its way, and the receiver may have echoed it.
      answer: (await lostLinks(tx, event)) ? '' : outcome.answer,
    });
    if (delivered) await updateDelivery(tx, delivery.id, { state: 'delivered', leasedUntil: null });
    else if (outcome.status === 410) {
      // The receiver says that it is gone for good (Standard Webhooks).
      await updateEndpoint(tx, endpoint.marketplaceId, endpoint.id, { disabledAt: finishedAt });
      await updateDelivery(tx, delivery.id, { state: 'dead', leasedUntil: null });
    } else if (backoffMs === null) await updateDelivery(tx, delivery.id, { state: 'dead', leasedUntil: null });
    else await updateDelivery(tx, delivery.id, { dueAt: plus(finishedAt, backoffMs), leasedUntil: null });
  });
}

/** The event as it is sent. Links that have been erased are left out, and those for which `open` has nothing. */
export function deliveryBody(
  { vault }: { readonly vault: { open(sealed: Buffer, context: SealContext): string | null } },
  event: StoredEvent,
): { type: string; timestamp: string; data: Record<string, unknown> } {
  const opened = event.linksSealed === null ? null : vault.open(event.linksSealed, eventLinksContext(event.id));
  const links = opened === null ? {} : (JSON.parse(opened) as Record<string, unknown>);
  return { type: event.type, timestamp: event.at.toISOString(), data: { ...event.data, ...links } };
}

function secretsOf({ vault }: Gateway, endpoint: WebhookEndpoint, now: Date): string[] {
  const sealed = [endpoint.secretSealed];
  if (endpoint.previousSecretSealed !== null && endpoint.previousSecretUntil !== null && endpoint.previousSecretUntil > now)
    sealed.push(endpoint.previousSecretSealed);
  return sealed.map((secret) => vault.open(secret, endpointSecretContext(endpoint.id)));
}
