/**
 * Writes down what came of attempts. Those that end while a commit runs share the next one: at a thousand deliveries a second a
 * transaction for each would be most of the work.
 */
import {
  attemptProblem,
  FAILING_MS,
  FAILURES_APART_MS,
  nextAttempt,
  TRIES_TO_WRITE,
  UNWRITTEN,
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
  lastAttempts,
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
import { scheduleJob } from '../store/jobs.ts';
import { BURY } from './bury.ts';
import { emit } from './emit.ts';
import { noticeOf } from './notice.ts';

/** Attempts of one commit. */
const MAX_BATCH = 128;
/** What only the operator can repair, and not for one event: a key that is missing here, a secret that is damaged. */
const REPAIR_WAIT_MS = MINUTE;
export const UNREADABLE_ALARM = 'events_unreadable';
export const SECRET_ALARM = 'endpoint_secrets_unreadable';

/** What came of it. `answer`: what the receiver said, or what went wrong; `status` null when no answer came. */
export type Outcome =
  | { readonly kind: 'attempted'; readonly status: number | null; readonly answer: string; readonly retryAfterMs: number | undefined }
  /** The event could not be put into words: its sealed links are damaged, or it cannot be serialized at all. */
  | { readonly kind: 'unwritten'; readonly reason: 'unreadable' | 'poison'; readonly answer: string }
  | { readonly kind: 'key_unavailable' }
  /** The endpoint's secret is damaged, so that nothing can be signed for it. */
  | { readonly kind: 'secret_unreadable' }
  | { readonly kind: 'buried'; readonly reason: Death };

export interface Settlement {
  readonly delivery: Delivery;
  readonly event: Pick<StoredEvent, 'id' | 'type' | 'at' | 'linksSealed'> | undefined;
  /** Where it was sent. */
  readonly url: string | undefined;
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
    const endpoints = await loadEndpoints(tx, [...new Set(settlements.map(({ delivery }) => delivery.endpointId))]);
    for (const settlement of settlements)
      if (!wasDelivered(settlement)) await settleFailure(tx, gateway, settlement, endpoints.get(settlement.delivery.endpointId));
    await tellUnsigned(tx, gateway, settlements);
    return settleEndpoints(tx, gateway, settlements, endpoints);
  });
  for (const { delivery, outcome } of settlements) {
    if (outcome.kind === 'unwritten')
      log.error({ delivery: delivery.id, event: delivery.eventId, reason: outcome.answer }, 'an event cannot be sent');
    if (outcome.kind === 'key_unavailable')
      log.error({ delivery: delivery.id }, 'an event waits for an encryption key that this process does not have');
    if (outcome.kind === 'secret_unreadable')
      log.error({ delivery: delivery.id, endpoint: delivery.endpointId }, 'an event waits for a new secret of its endpoint');
  }
  for (const endpoint of disabled) {
    log.error(
      { endpoint: endpoint.id, reason: endpoint.disabledReason, failing_since: endpoint.failingSince },
      'a webhook endpoint was disabled',
    );
  }
  // What waits for it is buried by a job: it may be much, and the others' answers are to be written down.
  if (disabled.length > 0) gateway.wake();
}

function attemptOf(
  gateway: Gateway,
  { delivery, startedAt, finishedAt, outcome }: Settlement,
  erased: ReadonlySet<string>,
): DeliveryAttempt[] {
  if (outcome.kind !== 'attempted' && outcome.kind !== 'unwritten') return [];
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

/** `endpoint`: as it is now, after the attempt. */
async function settleFailure(tx: Writer, gateway: Gateway, settlement: Settlement, endpoint: WebhookEndpoint | undefined): Promise<void> {
  const { delivery, event, finishedAt, outcome } = settlement;
  if (outcome.kind === 'buried')
    return endpoint !== undefined && endpoint.disabledAt === null
      ? retryDelivery(tx, delivery, { dueAt: delivery.dueAt, attempts: delivery.attempts })
      : buryDelivery(tx, delivery, { reason: outcome.reason, attempts: delivery.attempts });
  // Not the event's fault: as if nobody had tried.
  if (outcome.kind === 'key_unavailable' || outcome.kind === 'secret_unreadable')
    return retryDelivery(tx, delivery, { dueAt: plus(finishedAt, REPAIR_WAIT_MS), attempts: delivery.attempts });
  const attempts = delivery.attempts + 1;
  if (outcome.kind === 'unwritten' && (await wasNeverWritten(tx, delivery.id, attempts))) {
    if (outcome.reason === 'unreadable')
      await raiseAlarm(tx, {
        name: UNREADABLE_ALARM,
        detail: `Sealed values of events do not open, of ${delivery.eventId} among them.`,
        now: finishedAt,
      });
    return buryDelivery(tx, delivery, { reason: outcome.reason, attempts });
  }
  if (saysGone(settlement) && isStillThere(settlement, endpoint)) return buryDelivery(tx, delivery, { reason: 'endpoint_gone', attempts });
  const problem = outcome.kind === 'attempted' ? attemptProblem(outcome) : null;
  const dueAt = nextAttempt({
    attempts,
    event: event ?? { type: '', at: delivery.createdAt },
    queuedAt: delivery.createdAt,
    now: finishedAt,
    overloaded: problem === 'timeout' || problem === 'overloaded',
    retryAfterMs: outcome.kind === 'attempted' ? outcome.retryAfterMs : undefined,
    chance: gateway.random(4).readUInt32BE() / 2 ** 32,
  });
  if (dueAt === null) await buryDelivery(tx, delivery, { reason: 'exhausted', attempts });
  else await retryDelivery(tx, delivery, { dueAt, attempts });
}

/** `attempts`: since it was queued. Others may have failed at the receiver in between. */
async function wasNeverWritten(tx: Writer, deliveryId: string, attempts: number): Promise<boolean> {
  if (attempts < TRIES_TO_WRITE) return false;
  const problems = (await lastAttempts(tx, deliveryId, TRIES_TO_WRITE)).map(attemptProblem);
  return problems.every((problem) => UNWRITTEN.some((one) => one === problem));
}

async function tellUnsigned(tx: Writer, { now }: Gateway, settlements: readonly Settlement[]): Promise<void> {
  const unsigned = settlements.filter(({ outcome }) => outcome.kind === 'secret_unreadable');
  if (unsigned.length === 0) return;
  const endpoints = [...new Set(unsigned.map(({ delivery }) => delivery.endpointId))].join(', ');
  await raiseAlarm(tx, {
    name: SECRET_ALARM,
    detail: `The secret does not open, and events wait for a new one: ${endpoints}.`,
    now: now(),
  });
}

const saysGone = ({ outcome }: Settlement): boolean => outcome.kind === 'attempted' && outcome.status === 410;

/** What a former address has answered says nothing about the endpoint. */
const isStillThere = ({ url }: Settlement, endpoint: WebhookEndpoint | undefined): boolean =>
  endpoint === undefined || endpoint.url === url;

/** Keeps the clocks of their failures; those that were disabled. */
async function settleEndpoints(
  tx: Writer,
  gateway: Gateway,
  settlements: readonly Settlement[],
  endpoints: ReadonlyMap<string, WebhookEndpoint>,
): Promise<WebhookEndpoint[]> {
  const disabled: WebhookEndpoint[] = [];
  // In one order for all, so that two transactions do not wait for each other.
  for (const [id, endpoint] of [...endpoints].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const own = settlements.filter(
      (one) => one.delivery.endpointId === id && one.outcome.kind === 'attempted' && isStillThere(one, endpoint),
    );
    const [first] = own;
    if (first === undefined) continue;
    const { failingSince } = endpoint;
    let reason: Exclude<DisabledReason, 'asked'> | undefined;
    if (own.some(wasDelivered)) {
      if (failingSince !== null) await setFailingSince(tx, endpoint, null);
    } else if (failingSince === null) await setFailingSince(tx, endpoint, first.finishedAt);
    else if (await isBeyondHelp(tx, endpoint, first.finishedAt)) reason = 'failing';
    if (own.some(saysGone)) reason = 'gone';
    const ended = reason === undefined ? undefined : await endEndpoint(tx, gateway, endpoint, reason);
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
  known: WebhookEndpoint,
  reason: Exclude<DisabledReason, 'asked'>,
): Promise<WebhookEndpoint | undefined> {
  const at = gateway.now();
  const endpoint = await disableEndpoint(tx, known, { at, reason });
  if (endpoint === undefined) return undefined;
  const { id, marketplaceId, url, failingSince } = endpoint;
  await scheduleJob(tx, { kind: BURY, subjectId: id, dueAt: at });
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
