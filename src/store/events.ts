import { and, asc, desc, eq, gte, inArray, isNotNull, isNull, lt, lte, ne, notInArray, or, sql } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import { plus } from '../domain/time.ts';
import type { Reader, Writer } from './database.ts';

export type StoredEvent = Tables['events']['$inferSelect'];
export type Delivery = Tables['deliveries']['$inferSelect'];
export type DeliveryAttempt = Tables['deliveryAttempts']['$inferSelect'];
export type WebhookEndpoint = Tables['webhookEndpoints']['$inferSelect'];

/** The ids of those that were not written before. */
export async function insertEvents(tx: Writer, events: readonly StoredEvent[]): Promise<string[]> {
  if (events.length === 0) return [];
  const rows = await tx
    .insert(tx.t.events)
    .values([...events])
    .onConflictDoNothing()
    .returning({ id: tx.t.events.id });
  return rows.map(({ id }) => id);
}

export async function findOwnEvent(db: Reader, marketplaceId: string, id: string): Promise<StoredEvent | undefined> {
  const { events } = db.t;
  return (
    await db
      .select()
      .from(events)
      .where(and(eq(events.id, id), eq(events.marketplaceId, marketplaceId)))
  )[0];
}

export async function listEvents(
  db: Reader,
  { marketplaceId, type, before, limit }: { marketplaceId: string; type?: string | undefined; before?: string | undefined; limit: number },
): Promise<StoredEvent[]> {
  const { events } = db.t;
  return db
    .select()
    .from(events)
    .where(
      and(
        eq(events.marketplaceId, marketplaceId),
        type === undefined ? undefined : eq(events.type, type),
        before === undefined ? undefined : lt(events.position, before),
      ),
    )
    .orderBy(desc(events.position))
    .limit(limit);
}

/** Takes the links out of everything that was ever said about the subjects, and out of what was answered to it. */
export async function eraseEventLinks(tx: Writer, subjectIds: readonly string[]): Promise<void> {
  const { events, deliveries, deliveryAttempts } = tx.t;
  const about = inArray(events.subjectId, [...subjectIds]);
  await tx
    .update(events)
    .set({ linksSealed: null })
    .where(and(about, isNotNull(events.linksSealed)));
  // A receiver may have echoed a link in its answer.
  const sent = tx.select({ id: deliveries.id }).from(deliveries).innerJoin(events, eq(events.id, deliveries.eventId)).where(about);
  await tx
    .update(deliveryAttempts)
    .set({ answer: '' })
    .where(and(inArray(deliveryAttempts.deliveryId, sent), ne(deliveryAttempts.answer, '')));
}

export async function listEventsWithLinks(db: Reader, subjectId: string): Promise<StoredEvent[]> {
  const { events } = db.t;
  return db
    .select()
    .from(events)
    .where(and(eq(events.subjectId, subjectId), isNotNull(events.linksSealed)));
}

/** Other links instead of those that the event had, or none; answers to it may have echoed one that is gone. */
export async function replaceEventLinks(tx: Writer, id: string, linksSealed: Buffer | null): Promise<void> {
  const { deliveries, deliveryAttempts, events } = tx.t;
  await tx.update(events).set({ linksSealed }).where(eq(events.id, id));
  const sent = tx.select({ id: deliveries.id }).from(deliveries).where(eq(deliveries.eventId, id));
  await tx
    .update(deliveryAttempts)
    .set({ answer: '' })
    .where(and(inArray(deliveryAttempts.deliveryId, sent), ne(deliveryAttempts.answer, '')));
}

/** Whether some of the links that the event had are erased by now. */
export async function lostLinks(db: Reader, { id, linksSealed }: StoredEvent): Promise<boolean> {
  const { events } = db.t;
  if (linksSealed === null) return false;
  const [now] = await db.select({ linksSealed: events.linksSealed }).from(events).where(eq(events.id, id));
  return now?.linksSealed == null || !now.linksSealed.equals(linksSealed);
}

export async function insertEndpoint(tx: Writer, endpoint: WebhookEndpoint): Promise<void> {
  await tx.insert(tx.t.webhookEndpoints).values(endpoint);
}

/** Newest last. */
export async function listEndpoints(db: Reader, marketplaceId: string): Promise<WebhookEndpoint[]> {
  return db
    .select()
    .from(db.t.webhookEndpoints)
    .where(eq(db.t.webhookEndpoints.marketplaceId, marketplaceId))
    .orderBy(asc(db.t.webhookEndpoints.id));
}

export async function findOwnEndpoint(db: Reader, marketplaceId: string, id: string): Promise<WebhookEndpoint | undefined> {
  const { webhookEndpoints } = db.t;
  return (
    await db
      .select()
      .from(webhookEndpoints)
      .where(and(eq(webhookEndpoints.id, id), eq(webhookEndpoints.marketplaceId, marketplaceId)))
  )[0];
}

export async function updateEndpoint(
  tx: Writer,
  marketplaceId: string,
  id: string,
  changes: Partial<WebhookEndpoint>,
): Promise<WebhookEndpoint | undefined> {
  const { webhookEndpoints } = tx.t;
  return (
    await tx
      .update(webhookEndpoints)
      .set(changes)
      .where(and(eq(webhookEndpoints.id, id), eq(webhookEndpoints.marketplaceId, marketplaceId)))
      .returning()
  )[0];
}

export async function deleteEndpoint(tx: Writer, marketplaceId: string, id: string): Promise<boolean> {
  const { webhookEndpoints, deliveries } = tx.t;
  const rows = await tx
    .delete(webhookEndpoints)
    .where(and(eq(webhookEndpoints.id, id), eq(webhookEndpoints.marketplaceId, marketplaceId)))
    .returning({ id: webhookEndpoints.id });
  if (rows.length === 0) return false;
  await tx
    .update(deliveries)
    .set({ state: 'dead' })
    .where(and(eq(deliveries.endpointId, id), eq(deliveries.state, 'pending')));
  return true;
}

export async function insertDeliveries(tx: Writer, deliveries: readonly Delivery[]): Promise<void> {
  if (deliveries.length > 0)
    await tx
      .insert(tx.t.deliveries)
      .values([...deliveries])
      .onConflictDoNothing();
}

/** `busy`: endpoints that have all the requests under way that one endpoint may have. */
export async function claimDeliveries(
  tx: Writer,
  { now, leaseMs, limit, busy }: { now: Date; leaseMs: number; limit: number; busy: readonly string[] },
): Promise<Delivery[]> {
  const { deliveries } = tx.t;
  const due = await tx.skipLocked(
    tx
      .select({ id: deliveries.id })
      .from(deliveries)
      .where(
        and(
          eq(deliveries.state, sql`'pending'`),
          lte(deliveries.dueAt, now),
          or(isNull(deliveries.leasedUntil), lt(deliveries.leasedUntil, now)),
          busy.length === 0 ? undefined : notInArray(deliveries.endpointId, [...busy]),
        ),
      )
      .orderBy(asc(deliveries.dueAt), asc(deliveries.id))
      .limit(limit)
      .$dynamic(),
  );
  if (due.length === 0) return [];
  return tx
    .update(deliveries)
    .set({ leasedUntil: plus(now, leaseMs), attempts: sql`${deliveries.attempts} + 1` })
    .where(
      inArray(
        deliveries.id,
        due.map((delivery) => delivery.id),
      ),
    )
    .returning();
}

/** Everything that is needed to send the delivery; undefined when the endpoint is gone or disabled. */
export async function loadDelivery(db: Reader, delivery: Delivery): Promise<{ event: StoredEvent; endpoint: WebhookEndpoint } | undefined> {
  const { events, webhookEndpoints } = db.t;
  const [event] = await db.select().from(events).where(eq(events.id, delivery.eventId));
  const [endpoint] = await db
    .select()
    .from(webhookEndpoints)
    .where(and(eq(webhookEndpoints.id, delivery.endpointId), isNull(webhookEndpoints.disabledAt)));
  return event && endpoint && { event, endpoint };
}

export async function updateDelivery(tx: Writer, id: string, changes: Partial<Delivery>): Promise<void> {
  await tx.update(tx.t.deliveries).set(changes).where(eq(tx.t.deliveries.id, id));
}

export async function insertAttempt(tx: Writer, attempt: DeliveryAttempt): Promise<void> {
  await tx.insert(tx.t.deliveryAttempts).values(attempt);
}

/** Sends the event once more, to all endpoints that had it or to one of them. How many. */
export async function redeliver(tx: Writer, { eventId, now }: { eventId: string; now: Date }): Promise<number> {
  const { deliveries } = tx.t;
  const rows = await tx
    .update(deliveries)
    .set({ state: 'pending', dueAt: now, leasedUntil: null, attempts: 0 })
    .where(eq(deliveries.eventId, eventId))
    .returning({ id: deliveries.id });
  return rows.length;
}

/** Everything for this endpoint since the moment that did not arrive is sent again. How many. */
export async function recoverDeliveries(
  tx: Writer,
  { endpointId, since, now }: { endpointId: string; since: Date; now: Date },
): Promise<number> {
  const { deliveries } = tx.t;
  const rows = await tx
    .update(deliveries)
    .set({ state: 'pending', dueAt: now, leasedUntil: null, attempts: 0 })
    .where(and(eq(deliveries.endpointId, endpointId), gte(deliveries.createdAt, since), inArray(deliveries.state, ['dead', 'pending'])))
    .returning({ id: deliveries.id });
  return rows.length;
}

/** Newest first. */
export async function listDeliveries(
  db: Reader,
  { endpointId, before, limit }: { endpointId: string; before?: string | undefined; limit: number },
): Promise<{ delivery: Delivery; type: string; attempts: DeliveryAttempt[] }[]> {
  const { deliveries, deliveryAttempts, events } = db.t;
  const rows = await db
    .select({ delivery: deliveries, type: events.type })
    .from(deliveries)
    .innerJoin(events, eq(events.id, deliveries.eventId))
    .where(and(eq(deliveries.endpointId, endpointId), before === undefined ? undefined : lt(deliveries.id, before)))
    .orderBy(desc(deliveries.id))
    .limit(limit);
  if (rows.length === 0) return [];
  const attempts = await db
    .select()
    .from(deliveryAttempts)
    .where(
      inArray(
        deliveryAttempts.deliveryId,
        rows.map(({ delivery }) => delivery.id),
      ),
    )
    .orderBy(asc(deliveryAttempts.id));
  return rows.map((row) => ({ ...row, attempts: attempts.filter((attempt) => attempt.deliveryId === row.delivery.id) }));
}
