/** Where a marketplace wants its events, and what it can do about them. */
import { endpointSecretContext } from '../connections/sealed.ts';
import { found, notFound } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import { HOUR, plus } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import {
  deleteEndpoint,
  findOwnEndpoint,
  findOwnEvent,
  insertEndpoint,
  recoverDeliveries,
  redeliver,
  updateEndpoint,
  type WebhookEndpoint,
} from '../store/events.ts';
import { emit } from './emit.ts';
import { newSecret } from './signature.ts';
import { checkTargetUrl } from './target.ts';

/** How long the old secret signs along. */
const SECRET_OVERLAP_MS = 24 * HOUR;

export async function createEndpoint(
  gateway: Gateway,
  request: { marketplaceId: string; url: string; events: string[]; description: string | null },
): Promise<{ endpoint: WebhookEndpoint; secret: string }> {
  const { config, db, now, random, vault } = gateway;
  checkTargetUrl(request.url, config.allowPrivateWebhookTargets);
  const id = newId(gateway, 'whe');
  const secret = newSecret(random);
  const endpoint: WebhookEndpoint = {
    id,
    ...request,
    secretSealed: vault.seal(secret, endpointSecretContext(id)),
    previousSecretSealed: null,
    previousSecretUntil: null,
    disabledAt: null,
    disabledReason: null,
    failingSince: null,
    createdAt: now(),
  };
  await db.write((tx) => insertEndpoint(tx, endpoint));
  return { endpoint, secret };
}

export async function changeEndpoint(
  { config, db, now }: Gateway,
  {
    marketplaceId,
    id,
    enabled,
    ...changes
  }: { marketplaceId: string; id: string; url?: string; events?: string[]; description?: string | null; enabled?: boolean },
): Promise<WebhookEndpoint> {
  if (changes.url !== undefined) checkTargetUrl(changes.url, config.allowPrivateWebhookTargets);
  const state = enabled === undefined ? {} : { disabledAt: enabled ? null : now() };
  return found(await db.write((tx) => updateEndpoint(tx, marketplaceId, id, { ...changes, ...state })));
}

export async function removeEndpoint({ db }: Gateway, { marketplaceId, id }: { marketplaceId: string; id: string }): Promise<void> {
  if (!(await db.write((tx) => deleteEndpoint(tx, marketplaceId, id)))) throw notFound();
}

/** A new secret; the old one signs along for 24 hours. */
export async function rotateSecret(
  { db, now, random, vault }: Gateway,
  { marketplaceId, id }: { marketplaceId: string; id: string },
): Promise<{ endpoint: WebhookEndpoint; secret: string }> {
  const secret = newSecret(random);
  const endpoint = await db.write(async (tx) => {
    const current = found(await findOwnEndpoint(tx, marketplaceId, id));
    return updateEndpoint(tx, marketplaceId, id, {
      secretSealed: vault.seal(secret, endpointSecretContext(id)),
      previousSecretSealed: current.secretSealed,
      previousSecretUntil: plus(now(), SECRET_OVERLAP_MS),
    });
  });
  return { endpoint: found(endpoint), secret };
}

/** Sends a test event the same way as a real one; its id. */
export async function testEndpoint(gateway: Gateway, { marketplaceId, id }: { marketplaceId: string; id: string }): Promise<void> {
  await gateway.db.write(async (tx) => {
    const endpoint = found(await findOwnEndpoint(tx, marketplaceId, id));
    await emit(tx, gateway, {
      marketplaceId,
      type: 'endpoint.test',
      subjectId: endpoint.id,
      key: newId(gateway, 'req'),
      data: { endpoint_id: endpoint.id },
    });
  });
  gateway.wake();
}

/** Sends an event again, under its old id. How many deliveries. */
export async function redeliverEvent(gateway: Gateway, { marketplaceId, id }: { marketplaceId: string; id: string }): Promise<number> {
  const { db, now } = gateway;
  const count = await db.write(async (tx) => {
    if ((await findOwnEvent(tx, marketplaceId, id)) === undefined) throw notFound();
    return redeliver(tx, { eventId: id, now: now() });
  });
  gateway.wake();
  return count;
}

export async function recoverEndpoint(
  gateway: Gateway,
  { marketplaceId, id, since }: { marketplaceId: string; id: string; since: Date },
): Promise<number> {
  const { db, now } = gateway;
  const count = await db.write(async (tx) => {
    found(await findOwnEndpoint(tx, marketplaceId, id));
    return recoverDeliveries(tx, { endpointId: id, since, now: now() });
  });
  gateway.wake();
  return count;
}
