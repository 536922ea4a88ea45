/** Events on their way to endpoints, and every attempt to bring them there. */
import {
  and,
  asc,
  desc,
  eq,
  getTableColumns,
  gt,
  gte,
  inArray,
  isNotNull,
  isNull,
  lt,
  lte,
  ne,
  notExists,
  notLike,
  or,
  sql,
} from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import { UNWRITTEN, type Death, type DeliveryState } from '../domain/delivery.ts';
import { idBefore } from '../domain/id.ts';
import { prepared, preparedRows, slot, type Reader, type Writer } from './database.ts';

export type Delivery = Tables['deliveries']['$inferSelect'];
export type DeliveryAttempt = Tables['deliveryAttempts']['$inferSelect'];

const newDeliveries = preparedRows('deliveries_insert', (tx: Writer) => tx.t.deliveries, {
  given: getTableColumns,
  finish: (insert) => insert.onConflictDoNothing(),
});

export async function insertDeliveries(tx: Writer, deliveries: readonly Delivery[]): Promise<void> {
  await newDeliveries(tx, deliveries);
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

/** Those of them that are still due and nobody's. */
export async function listStillDue(db: Reader, { ids, now }: { ids: readonly string[]; now: Date }): Promise<Set<string>> {
  const { deliveries } = db.t;
  const rows = await db
    .select({ id: deliveries.id })
    .from(deliveries)
    .where(and(inArray(deliveries.id, [...ids]), isFree(db, now)));
  return new Set(idsOf(rows));
}

const isFree = ({ t: { deliveries } }: Pick<Reader, 't'>, now: Date) =>
  and(eq(deliveries.state, 'pending'), lte(deliveries.dueAt, now), or(isNull(deliveries.leasedUntil), lt(deliveries.leasedUntil, now)));

/** Takes those of them that are still due and nobody's. */
export async function leaseDeliveries(
  tx: Writer,
  { ids, now, until }: { ids: readonly string[]; now: Date; until: Date },
): Promise<Delivery[]> {
  const { deliveries } = tx.t;
  const free = await tx.skipLocked(
    tx
      .select({ id: deliveries.id })
      .from(deliveries)
      .where(and(inArray(deliveries.id, [...ids]), isFree(tx, now)))
      .$dynamic(),
  );
  if (free.length === 0) return [];
  return tx
    .update(deliveries)
    .set({ leasedUntil: until })
    .where(inArray(deliveries.id, idsOf(free)))
    .returning();
}

/** What was taken in was delivered, whatever was decided about it meanwhile. */
export async function finishDeliveries(tx: Writer, ids: readonly string[]): Promise<void> {
  if (ids.length > 0)
    await tx
      .update(tx.t.deliveries)
      .set({ state: 'delivered', reason: null, leasedUntil: null, attempts: sql`${tx.t.deliveries.attempts} + 1` })
      .where(inArray(tx.t.deliveries.id, [...ids]));
}

/** `attempts`: how many are counted. */
export const retryDelivery = (tx: Writer, delivery: Delivery, changes: { dueAt: Date; attempts: number }): Promise<void> =>
  endLease(tx, delivery, changes);

/** `attempts`: how many are counted. */
export const buryDelivery = (tx: Writer, delivery: Delivery, { reason, attempts }: { reason: Death; attempts: number }): Promise<void> =>
  endLease(tx, delivery, { state: 'dead', reason, attempts });

/** Nothing when the lease was over, and somebody else has it. What was buried while it was under way stays dead, and is free again. */
async function endLease(tx: Writer, { id, leasedUntil }: Delivery, changes: Partial<Delivery>): Promise<void> {
  const { deliveries } = tx.t;
  const own = and(eq(deliveries.id, id), leasedUntil === null ? isNull(deliveries.leasedUntil) : eq(deliveries.leasedUntil, leasedUntil));
  const rows = await tx
    .update(deliveries)
    .set({ ...changes, leasedUntil: null })
    .where(and(own, eq(deliveries.state, 'pending')))
    .returning({ id: deliveries.id });
  if (rows.length === 0) await tx.update(deliveries).set({ leasedUntil: null }).where(own);
}

/** The same for those of many that still wait, unless their endpoint is enabled by now. What is under way stays leased. */
export async function buryDeliveries(tx: Writer, ids: readonly string[], reason: Death): Promise<void> {
  const { deliveries, webhookEndpoints } = tx.t;
  const enabled = tx
    .select({ id: webhookEndpoints.id })
    .from(webhookEndpoints)
    .where(and(eq(webhookEndpoints.id, deliveries.endpointId), isNull(webhookEndpoints.disabledAt)));
  await tx
    .update(deliveries)
    .set({ state: 'dead', reason })
    .where(and(inArray(deliveries.id, [...ids]), eq(deliveries.state, 'pending'), notExists(enabled)));
}

/** Sends them again from the start of the schedule. What is under way at this moment goes on with the schedule that it has. */
export async function requeueDeliveries(tx: Writer, ids: readonly string[], now: Date): Promise<void> {
  const { deliveries } = tx.t;
  const these = inArray(deliveries.id, [...ids]);
  await tx
    .update(deliveries)
    .set({ state: 'pending', reason: null })
    .where(and(these, eq(deliveries.state, 'dead'), gte(deliveries.leasedUntil, now)));
  await tx
    .update(deliveries)
    .set({ state: 'pending', reason: null, dueAt: now, leasedUntil: null, attempts: 0 })
    .where(and(these, or(isNull(deliveries.leasedUntil), lt(deliveries.leasedUntil, now))));
}

export async function insertAttempts(tx: Writer, attempts: readonly DeliveryAttempt[]): Promise<void> {
  if (attempts.length > 0) await tx.insert(tx.t.deliveryAttempts).values([...attempts]);
}

/** The last ones of the delivery, newest first. */
export async function lastAttempts(db: Reader, deliveryId: string, limit: number): Promise<DeliveryAttempt[]> {
  const { deliveryAttempts } = db.t;
  return db
    .select()
    .from(deliveryAttempts)
    .where(eq(deliveryAttempts.deliveryId, deliveryId))
    .orderBy(desc(deliveryAttempts.id))
    .limit(limit);
}

/** Whether an attempt to reach the endpoint began between the two moments. One whose event could not be written was none. */
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
        or(isNotNull(deliveryAttempts.status), and(...UNWRITTEN.map((problem) => notLike(deliveryAttempts.answer, `${problem}:%`)))),
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
