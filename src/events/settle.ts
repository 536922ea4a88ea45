/**
 * Writes down what came of attempts. Those that end while a commit runs share the next one: at a thousand deliveries a second a
 * transaction for each would be most of the work.
 */
import {
  attemptProblem,
  deathBy,
  FAILING_MS,
  FAILURES_APART_MS,
  nextAttempt,
  TRIES_TO_WRITE,
  type Death,
  type DisabledReason,
} from '../domain/delivery.ts';
import { isFailure } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import { MINUTE, plus } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { raiseAlarm } from '../store/alarms.ts';
import { insertAuditEntry } from '../store/audit.ts';
import type { Writer } from '../store/database.ts';
import {
  buryDelivery,
  finishDeliveries,
  insertAttempts,
  retryDelivery,
  wasAttempted,
  type Delivery,
  type DeliveryAttempt,
} from '../store/deliveries.ts';
import {
  disableEndpoint,
  listOtherwiseLinked,
  loadEndpoints,
  setFailingSince,
  type StoredEvent,
  type WebhookEndpoint,
} from '../store/events.ts';
import { buryWaiting } from './bury.ts';
import { emit } from './emit.ts';
import { noticeOf } from './notice.ts';

/** Attempts of one commit. */
const MAX_BATCH = 128;
/** A key that is missing here is missing for all at once; the operator is told by the log. */
const KEY_WAIT_MS = MINUTE;
export const UNREADABLE_ALARM = 'events_unreadable';

/** What came of it. `answer`: what the receiver said, or what went wrong; `status` null when no answer came. */
export type Outcome =
  | { readonly kind: 'attempted'; readonly status: number | null; readonly answer: string; readonly retryAfterMs: number | undefined }
  /** The event could not be put into words: its sealed links are damaged, or it cannot be serialized at all. */
  | { readonly kind: 'unwritten'; readonly reason: 'unreadable' | 'poison'; readonly answer: string }
  | { readonly kind: 'key_unavailable' }
  | { readonly kind: 'buried'; readonly reason: Death };

export interface Settlement {
  readonly delivery: Delivery;
  readonly event: Pick<StoredEvent, 'id' | 'type' | 'at' | 'linksSealed'> | undefined;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly outcome: Outcome;
}

/** Resolves when it is on disk. */
export type Settle = (settlement: Settlement) => Promise<void>;

interface Waiting {
  readonly settlement: Settlement;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export function createSettle(gateway: Gateway): Settle {
  const waiting: Waiting[] = [];
  const state = { planned: false };

  const writeNext = async (): Promise<void> => {
    const batch = waiting.splice(0, MAX_BATCH);
    try {
      await settleAll(
        gateway,
        batch.map(({ settlement }) => settlement),
      );
      for (const { resolve } of batch) resolve();
    } catch (error) {
      if (batch.length === 1 || isFailure(error, 'storage_unavailable')) for (const { reject } of batch) reject(error);
      // One that cannot be written must not hold back the others.
      else for (const { settlement, resolve, reject } of batch) await settleAll(gateway, [settlement]).then(resolve, reject);
    }
    if (waiting.length > 0) setImmediate(() => void writeNext());
    else state.planned = false;
  };

  return (settlement) =>
    new Promise((resolve, reject) => {
      waiting.push({ settlement, resolve, reject });
      if (state.planned) return;
      state.planned = true;
      setImmediate(() => void writeNext());
    });
}

async function settleAll(gateway: Gateway, settlements: readonly Settlement[]): Promise<void> {
  const { db, log } = gateway;
  const disabled = await db.write(async (tx) => {
    // What was sent may have been erased while it was on its way, and the receiver may have echoed it.
    const erased = await listOtherwiseLinked(
      tx,
      settlements.flatMap(({ event }) => (event !== undefined && event.linksSealed !== null ? [event] : [])),
    );
    await insertAttempts(
      tx,
      settlements.flatMap((settlement) => attemptOf(gateway, settlement, erased)),
    );
    const delivered = settlements.filter(wasDelivered);
    await finishDeliveries(
      tx,
      delivered.map(({ delivery }) => delivery.id),
    );
    for (const settlement of settlements) if (!wasDelivered(settlement)) await settleFailure(tx, gateway, settlement);
    return settleEndpoints(tx, gateway, settlements);
  });
  for (const { delivery, outcome } of settlements) {
    if (outcome.kind === 'unwritten')
      log.error({ delivery: delivery.id, event: delivery.eventId, reason: outcome.answer }, 'an event cannot be sent');
    if (outcome.kind === 'key_unavailable')
      log.error({ delivery: delivery.id }, 'an event waits for an encryption key that this process does not have');
  }
  for (const endpoint of disabled) {
    log.error(
      { endpoint: endpoint.id, reason: endpoint.disabledReason, failing_since: endpoint.failingSince },
      'a webhook endpoint was disabled',
    );
    await buryWaiting(gateway, endpoint.id, deathBy(endpoint.disabledReason as DisabledReason));
  }
}

function attemptOf(
  gateway: Gateway,
  { delivery, startedAt, finishedAt, outcome }: Settlement,
  erased: ReadonlySet<string>,
): DeliveryAttempt[] {
  if (outcome.kind === 'buried' || outcome.kind === 'key_unavailable') return [];
  return [
    {
      id: newId(gateway, 'dla'),
      deliveryId: delivery.id,
      at: startedAt,
      status: outcome.kind === 'attempted' ? outcome.status : null,
      durationMs: finishedAt.getTime() - startedAt.getTime(),
      answer: erased.has(delivery.eventId) ? '' : outcome.kind === 'attempted' ? outcome.answer : `${outcome.reason}: ${outcome.answer}`,
    },
  ];
}

const wasDelivered = ({ outcome }: Settlement): boolean => outcome.kind === 'attempted' && attemptProblem(outcome) === null;

async function settleFailure(tx: Writer, gateway: Gateway, { delivery, event, finishedAt, outcome }: Settlement): Promise<void> {
  const { attempts } = delivery;
  if (outcome.kind === 'buried') return buryDelivery(tx, delivery, outcome.reason);
  // Not the event's fault: as if nobody had tried.
  if (outcome.kind === 'key_unavailable')
    return retryDelivery(tx, delivery, { dueAt: plus(finishedAt, KEY_WAIT_MS), attempts: attempts - 1 });
  if (outcome.kind === 'unwritten' && attempts >= TRIES_TO_WRITE) {
    if (outcome.reason === 'unreadable')
      await raiseAlarm(tx, {
        name: UNREADABLE_ALARM,
        detail: `Sealed values of events do not open, of ${delivery.eventId} among them.`,
        now: finishedAt,
      });
    return buryDelivery(tx, delivery, outcome.reason);
  }
  if (outcome.kind === 'attempted' && outcome.status === 410) return buryDelivery(tx, delivery, 'endpoint_gone');
  const problem = outcome.kind === 'attempted' ? attemptProblem(outcome) : null;
  const dueAt = nextAttempt({
    attempts,
    event: event ?? { type: '', at: delivery.createdAt },
    queuedAt: delivery.createdAt,
    now: finishedAt,
    overloaded: problem === 'timeout' || (outcome.kind === 'attempted' && outcome.status === 429),
    retryAfterMs: outcome.kind === 'attempted' ? outcome.retryAfterMs : undefined,
    chance: gateway.random(4).readUInt32BE() / 2 ** 32,
  });
  if (dueAt === null) await buryDelivery(tx, delivery, 'exhausted');
  else await retryDelivery(tx, delivery, { dueAt, attempts });
}

/** Keeps the clocks of their failures; those that were disabled. */
async function settleEndpoints(tx: Writer, gateway: Gateway, settlements: readonly Settlement[]): Promise<WebhookEndpoint[]> {
  const attempted = settlements.filter(({ outcome }) => outcome.kind === 'attempted');
  const byEndpoint = new Map<string, Settlement[]>();
  for (const one of attempted) byEndpoint.set(one.delivery.endpointId, [...(byEndpoint.get(one.delivery.endpointId) ?? []), one]);
  if (byEndpoint.size === 0) return [];
  const endpoints = await loadEndpoints(tx, [...byEndpoint.keys()].toSorted());
  const disabled: WebhookEndpoint[] = [];
  for (const [id, endpoint] of [...endpoints].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const own = byEndpoint.get(id)!;
    const { failingSince } = endpoint;
    const gone = own.find(({ outcome }) => outcome.kind === 'attempted' && outcome.status === 410);
    let reason: Exclude<DisabledReason, 'asked'> | undefined;
    if (own.some(wasDelivered)) {
      if (failingSince !== null) await setFailingSince(tx, id, null);
    } else if (failingSince === null) await setFailingSince(tx, id, own[0]!.finishedAt);
    else if (await isBeyondHelp(tx, endpoint, own[0]!.finishedAt)) reason = 'failing';
    if (gone !== undefined) reason = 'gone';
    const ended = reason === undefined ? undefined : await endEndpoint(tx, gateway, id, reason);
    if (ended !== undefined) disabled.push(ended);
  }
  return disabled;
}

async function isBeyondHelp(tx: Writer, { id, failingSince }: WebhookEndpoint, at: Date): Promise<boolean> {
  if (failingSince === null || at < plus(failingSince, FAILING_MS)) return false;
  return wasAttempted(tx, { endpointId: id, from: plus(failingSince, FAILURES_APART_MS), to: plus(at, -FAILURES_APART_MS) });
}

/** Disables it, and tells the marketplace's other endpoints. */
async function endEndpoint(
  tx: Writer,
  gateway: Gateway,
  id: string,
  reason: Exclude<DisabledReason, 'asked'>,
): Promise<WebhookEndpoint | undefined> {
  const at = gateway.now();
  const endpoint = await disableEndpoint(tx, id, { at, reason });
  if (endpoint === undefined) return undefined;
  const { marketplaceId, url, failingSince } = endpoint;
  await emit(tx, gateway, {
    marketplaceId,
    type: 'endpoint.disabled',
    subjectId: id,
    key: at.toISOString(),
    data: { endpoint_id: id, url, reason, failing_since: failingSince?.toISOString() ?? null, notice: { ...noticeOf(endpoint) } },
  });
  await insertAuditEntry(tx, {
    id: newId(gateway, 'aud'),
    marketplaceId,
    at,
    action: 'endpoint.disabled',
    subjectId: id,
    details: { reason, failing_since: failingSince?.toISOString() ?? null },
  });
  return endpoint;
}
