/** Events on their way to endpoints, and every attempt to bring them there. */
import { and, asc, desc, eq, gt, gte, inArray, isNull, lt, lte, ne, or, sql } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { Death, DeliveryState } from '../domain/delivery.ts';
import { idBefore } from '../domain/id.ts';
import { prepared, slot, type Reader, type Writer } from './database.ts';

export type Delivery = Tables['deliveries']['$inferSelect'];
export type DeliveryAttempt = Tables['deliveryAttempts']['$inferSelect'];

export async function insertDeliveries(tx: Writer, deliveries: readonly Delivery[]): Promise<void> {
  if (deliveries.length > 0)
    await tx
      .insert(tx.t.deliveries)
      .values([...deliveries])
      .onConflictDoNothing();
}

/** A place in the queue of what is due: behind the delivery with this moment and id. */
export interface QueuePlace {
  readonly dueAt: Date;
  readonly id: string;
}

export type Due = Pick<Delivery, 'id' | 'endpointId' | 'dueAt'>;

const dueDeliveries = prepared('deliveries_due', (db: Reader) => {
  const { deliveries } = db.t;
  const now = slot('now', deliveries.dueAt);
  const from = slot('from', deliveries.dueAt);
  return db
    .select({ id: deliveries.id, endpointId: deliveries.endpointId, dueAt: deliveries.dueAt })
    .from(deliveries)
    .where(
      and(
        eq(deliveries.state, sql`'pending'`),
        gte(deliveries.dueAt, from),
        lte(deliveries.dueAt, now),
        or(gt(deliveries.dueAt, from), gt(deliveries.id, sql.placeholder('after'))),
        or(isNull(deliveries.leasedUntil), lt(deliveries.leasedUntil, now)),
      ),
    )
    .orderBy(asc(deliveries.dueAt), asc(deliveries.id))
    .limit(sql.placeholder('limit'));
});

/** What is due and nobody's, in the order in which it became due. */
export const listDueDeliveries = (db: Reader, { from, now, limit }: { from: QueuePlace; now: Date; limit: number }): Promise<Due[]> =>
  dueDeliveries(db, { from: from.dueAt, after: from.id, now, limit });

/** Takes those of them that are still due and nobody's, and counts the attempt. */
export async function leaseDeliveries(
  tx: Writer,
  { ids, now, until }: { ids: readonly string[]; now: Date; until: Date },
): Promise<Delivery[]> {
  const { deliveries } = tx.t;
  const free = await tx.skipLocked(
    tx
      .select({ id: deliveries.id })
      .from(deliveries)
      .where(
        and(
          inArray(deliveries.id, [...ids]),
          eq(deliveries.state, 'pending'),
          lte(deliveries.dueAt, now),
          or(isNull(deliveries.leasedUntil), lt(deliveries.leasedUntil, now)),
        ),
      )
      .$dynamic(),
  );
  if (free.length === 0) return [];
  return tx
    .update(deliveries)
    .set({ leasedUntil: until, attempts: sql`${deliveries.attempts} + 1` })
    .where(inArray(deliveries.id, idsOf(free)))
    .returning();
}

/** What was taken in was delivered, whatever was decided about it meanwhile. */
export async function finishDeliveries(tx: Writer, ids: readonly string[]): Promise<void> {
  if (ids.length > 0)
    await tx
      .update(tx.t.deliveries)
      .set({ state: 'delivered', reason: null, leasedUntil: null })
      .where(inArray(tx.t.deliveries.id, [...ids]));
}

// It may have been buried while it was under way, or its lease is over and somebody else has it.
const still = (tx: Writer, { id, leasedUntil }: Delivery) =>
  and(
    eq(tx.t.deliveries.id, id),
    eq(tx.t.deliveries.state, 'pending'),
    leasedUntil === null ? isNull(tx.t.deliveries.leasedUntil) : eq(tx.t.deliveries.leasedUntil, leasedUntil),
  );

/** `attempts`: how many are counted. */
export async function retryDelivery(tx: Writer, delivery: Delivery, { dueAt, attempts }: { dueAt: Date; attempts: number }): Promise<void> {
  await tx.update(tx.t.deliveries).set({ dueAt, attempts, leasedUntil: null }).where(still(tx, delivery));
}

export async function buryDelivery(tx: Writer, delivery: Delivery, reason: Death): Promise<void> {
  await tx.update(tx.t.deliveries).set({ state: 'dead', reason, leasedUntil: null }).where(still(tx, delivery));
}

/** The same for those of many that still wait. */
export async function buryDeliveries(tx: Writer, ids: readonly string[], reason: Death): Promise<void> {
  const { deliveries } = tx.t;
  await tx
    .update(deliveries)
    .set({ state: 'dead', reason, leasedUntil: null })
    .where(and(inArray(deliveries.id, [...ids]), eq(deliveries.state, 'pending')));
}

/** Sends them again from the start of the schedule, except those that are under way at this moment. */
export async function requeueDeliveries(tx: Writer, ids: readonly string[], now: Date): Promise<void> {
  const { deliveries } = tx.t;
  await tx
    .update(deliveries)
    .set({ state: 'pending', reason: null, dueAt: now, leasedUntil: null, attempts: 0 })
    .where(
      and(
        inArray(deliveries.id, [...ids]),
        or(ne(deliveries.state, 'pending'), isNull(deliveries.leasedUntil), lt(deliveries.leasedUntil, now)),
      ),
    );
}

export async function insertAttempts(tx: Writer, attempts: readonly DeliveryAttempt[]): Promise<void> {
  if (attempts.length > 0) await tx.insert(tx.t.deliveryAttempts).values([...attempts]);
}

/** Whether an attempt to reach the endpoint began between the two moments. */
export async function wasAttempted(db: Reader, { endpointId, from, to }: { endpointId: string; from: Date; to: Date }): Promise<boolean> {
  const { deliveries, deliveryAttempts } = db.t;
  const rows = await db
    .select({ id: deliveryAttempts.id })
    .from(deliveryAttempts)
    .innerJoin(deliveries, eq(deliveries.id, deliveryAttempts.deliveryId))
    .where(
      and(
        eq(deliveries.endpointId, endpointId),
        gte(deliveryAttempts.id, idBefore('dla', from)),
        gte(deliveryAttempts.at, from),
        lte(deliveryAttempts.at, to),
      ),
    )
    .limit(1);
  return rows.length === 1;
}

export async function listDeliveriesOfEvent(db: Reader, eventId: string): Promise<Delivery[]> {
  return db.select().from(db.t.deliveries).where(eq(db.t.deliveries.eventId, eventId)).orderBy(asc(db.t.deliveries.id));
}

/** All of an endpoint's in pages, oldest first, whatever has become of them. */
export async function pageOfDeliveries(
  db: Reader,
  { endpointId, after, limit }: { endpointId: string; after: string; limit: number },
): Promise<Pick<Delivery, 'id' | 'state' | 'createdAt'>[]> {
  const { deliveries } = db.t;
  return db
    .select({ id: deliveries.id, state: deliveries.state, createdAt: deliveries.createdAt })
    .from(deliveries)
    .where(and(eq(deliveries.endpointId, endpointId), gt(deliveries.id, after)))
    .orderBy(asc(deliveries.id))
    .limit(limit);
}

/** Newest first. */
export async function listDeliveries(
  db: Reader,
  {
    endpointId,
    state,
    before,
    limit,
  }: { endpointId: string; state?: DeliveryState | undefined; before?: string | undefined; limit: number },
): Promise<{ delivery: Delivery; type: string; attempts: DeliveryAttempt[] }[]> {
  const { deliveries, deliveryAttempts, events } = db.t;
  const rows = await db
    .select({ delivery: deliveries, type: events.type })
    .from(deliveries)
    .innerJoin(events, eq(events.id, deliveries.eventId))
    .where(
      and(
        eq(deliveries.endpointId, endpointId),
        state === undefined ? undefined : eq(deliveries.state, state),
        before === undefined ? undefined : lt(deliveries.id, before),
      ),
    )
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

/** Removes up to `limit` attempts from before the moment; how many. Ids are ordered by time. */
export async function deleteOldAttempts(tx: Writer, before: Date, limit: number): Promise<number> {
  const { deliveryAttempts } = tx.t;
  const old = await tx
    .select({ id: deliveryAttempts.id })
    .from(deliveryAttempts)
    .where(lt(deliveryAttempts.id, idBefore('dla', before)))
    .orderBy(asc(deliveryAttempts.id))
    .limit(limit);
  if (old.length > 0) await tx.delete(deliveryAttempts).where(inArray(deliveryAttempts.id, idsOf(old)));
  return old.length;
}

/** The same for deliveries that are over. */
export async function deleteOldDeliveries(tx: Writer, before: Date, limit: number): Promise<number> {
  const { deliveries } = tx.t;
  const old = await tx
    .select({ id: deliveries.id })
    .from(deliveries)
    .where(and(lt(deliveries.id, idBefore('dlv', before)), ne(deliveries.state, 'pending')))
    .orderBy(asc(deliveries.id))
    .limit(limit);
  if (old.length > 0) await tx.delete(deliveries).where(inArray(deliveries.id, idsOf(old)));
  return old.length;
}

const idsOf = (rows: readonly { readonly id: string }[]): string[] => rows.map(({ id }) => id);
