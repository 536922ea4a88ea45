/** Where a marketplace wants its events, and what it can do about them. */
import { endpointSecretContext } from '../connections/sealed.ts';
import { Failure, found, notFound } from '../domain/failure.ts';
import { idBefore, newId } from '../domain/id.ts';
import type { Gateway } from '../gateway.ts';
import { insertDeliveries, listDeliveriesOfEvent, pageOfDeliveries, requeueDeliveries } from '../store/deliveries.ts';
import {
  deleteEndpoint,
  findOwnEndpoint,
  findOwnEvent,
  insertEndpoint,
  listEndpoints,
  updateEndpoint,
  type WebhookEndpoint,
} from '../store/events.ts';
import { buryWaiting } from './bury.ts';
import { emit } from './emit.ts';
import { replaced } from './secrets.ts';
import { newSecret } from './signature.ts';
import { checkTargetUrl } from './target.ts';

/** Deliveries that are sent again in one transaction. */
const STEP = 500;

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

/** `enabled`: what waits for an endpoint that is disabled becomes dead; one that is enabled starts with a clean record. */
export async function changeEndpoint(
  gateway: Gateway,
  {
    marketplaceId,
    id,
    enabled,
    ...changes
  }: { marketplaceId: string; id: string; url?: string; events?: string[]; description?: string | null; enabled?: boolean },
): Promise<WebhookEndpoint> {
  const { config, db, now } = gateway;
  if (changes.url !== undefined) checkTargetUrl(changes.url, config.allowPrivateWebhookTargets);
  const endpoint = await db.write(async (tx) => {
    const { disabledAt, url } = found(await findOwnEndpoint(tx, marketplaceId, id));
    // Nothing is known of another address.
    const record = changes.url === undefined || changes.url === url ? {} : { failingSince: null };
    const state =
      enabled === true
        ? { disabledAt: null, disabledReason: null, failingSince: null }
        : enabled === false && disabledAt === null
          ? { disabledAt: now(), disabledReason: 'asked' }
          : {};
    return found(await updateEndpoint(tx, marketplaceId, id, { ...changes, ...record, ...state }));
  });
  if (endpoint.disabledAt !== null) await buryWaiting(gateway, id);
  return endpoint;
}

export async function removeEndpoint(gateway: Gateway, { marketplaceId, id }: { marketplaceId: string; id: string }): Promise<void> {
  if (!(await gateway.db.write((tx) => deleteEndpoint(tx, marketplaceId, id)))) throw notFound();
  await buryWaiting(gateway, id);
}

/**
 * A new secret; the old one signs along for 24 hours, and so do those that were replaced before, each until its own end.
 * @throws Failure `conflict` after too many in a day
 */
export async function rotateSecret(
  gateway: Gateway,
  { marketplaceId, id }: { marketplaceId: string; id: string },
): Promise<{ endpoint: WebhookEndpoint; secret: string }> {
  const { db, now, random } = gateway;
  const secret = newSecret(random);
  const endpoint = await db.write(async (tx) => {
    // Changes nothing, and holds the row: of two rotations at once, neither may forget the secret of the other.
    const current = found(await updateEndpoint(tx, marketplaceId, id, { id }));
    return updateEndpoint(tx, marketplaceId, id, replaced(gateway, current, secret, now()));
  });
  return { endpoint: found(endpoint), secret };
}

/**
 * Sends a test event the same way as a real one.
 * @throws Failure `conflict` when the endpoint is disabled
 */
export async function testEndpoint(gateway: Gateway, { marketplaceId, id }: { marketplaceId: string; id: string }): Promise<void> {
  await gateway.db.write(async (tx) => {
    const endpoint = found(await findOwnEndpoint(tx, marketplaceId, id));
    mustBeEnabled(endpoint);
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

/**
 * Sends an event again, under its old id: to every endpoint that it was for, or to `endpointId` only, whether it was for that one or not.
 * How many deliveries are on their way; one that is under way at this moment is not sent a second time at once.
 * @throws Failure `conflict` when that endpoint is disabled
 */
export async function redeliverEvent(
  gateway: Gateway,
  { marketplaceId, id, endpointId }: { marketplaceId: string; id: string; endpointId?: string | undefined },
): Promise<number> {
  const { db, now } = gateway;
  const count = await db.write(async (tx) => {
    found(await findOwnEvent(tx, marketplaceId, id));
    const at = now();
    if (endpointId !== undefined) {
      mustBeEnabled(found(await findOwnEndpoint(tx, marketplaceId, endpointId)));
      const fresh = { state: 'pending', reason: null, dueAt: at, leasedUntil: null, attempts: 0, createdAt: at };
      await insertDeliveries(tx, [{ id: newId(gateway, 'dlv'), marketplaceId, eventId: id, endpointId, ...fresh }]);
    }
    const deliveries = await listDeliveriesOfEvent(tx, id);
    const enabled = new Set((await listEndpoints(tx, marketplaceId)).filter(({ disabledAt }) => disabledAt === null).map((one) => one.id));
    const wanted = deliveries.filter((one) => enabled.has(one.endpointId) && (endpointId ?? one.endpointId) === one.endpointId);
    await requeueDeliveries(
      tx,
      wanted.map((delivery) => delivery.id),
      at,
    );
    return wanted.length;
  });
  gateway.wake();
  return count;
}

/**
 * Sends everything again that was meant for the endpoint since the moment and has not arrived. How many deliveries.
 * @throws Failure `conflict` when the endpoint is disabled
 */
export async function recoverEndpoint(
  gateway: Gateway,
  { marketplaceId, id, since }: { marketplaceId: string; id: string; since: Date },
): Promise<number> {
  const { db, now, wake } = gateway;
  mustBeEnabled(found(await findOwnEndpoint(db.read, marketplaceId, id)));
  let count = 0;
  // In steps, so that nobody waits long for the write lock. Ids are ordered by time.
  for (let after = idBefore('dlv', since); ;) {
    const page = await pageOfDeliveries(db.read, { endpointId: id, after, limit: STEP });
    const missing = page.filter(({ state, createdAt }) => state !== 'delivered' && createdAt >= since).map((delivery) => delivery.id);
    if (missing.length > 0) await db.write((tx) => requeueDeliveries(tx, missing, now()));
    count += missing.length;
    if (page.length < STEP) break;
    after = page.at(-1)!.id;
  }
  wake();
  return count;
}

function mustBeEnabled({ disabledAt }: WebhookEndpoint): void {
  if (disabledAt !== null) throw new Failure('conflict', 'The endpoint is disabled. Enable it first.');
}
