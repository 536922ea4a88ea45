import { and, asc, desc, eq, getTableColumns, inArray, isNotNull, isNull, lt, ne, notExists, sql } from 'drizzle-orm';
import type { Tables } from '../../drizzle/schema.ts';
import type { DisabledReason } from '../domain/delivery.ts';
import { idBefore } from '../domain/id.ts';
import { among, prepared, preparedRows, slot, type Reader, type Writer } from './database.ts';

export type StoredEvent = Tables['events']['$inferSelect'];
export type WebhookEndpoint = Tables['webhookEndpoints']['$inferSelect'];

const newEvents = preparedRows('events_insert', (tx: Writer) => tx.t.events, {
  given: getTableColumns,
  finish: (insert, { id }) => insert.onConflictDoNothing().returning({ id }),
});

/** The ids of those that were not written before. */
export const insertEvents = async (tx: Writer, events: readonly StoredEvent[]): Promise<string[]> =>
  (await newEvents(tx, events)).flat().map(({ id }) => id);

const takenSequences = preparedRows('event_sequences_take', (tx: Writer) => tx.t.eventSequences, {
  given: getTableColumns,
  finish: (insert, { meetingId, last }) =>
    insert.onConflictDoUpdate({ target: meetingId, set: { last: sql`${last} + excluded.last` } }).returning(),
});

/**
 * Takes the next numbers of these meetings, `count` of each; the last one taken of each. Nobody else gets a number of theirs before the
 * transaction ends. In one order for all, so that two transactions do not wait for each other.
 */
export async function takeSequences(tx: Writer, counts: ReadonlyMap<string, number>): Promise<Map<string, number>> {
  const ordered = [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([meetingId, count]) => ({ meetingId, last: count }));
  return new Map((await takenSequences(tx, ordered)).flat().map(({ meetingId, last }) => [meetingId, last]));
}

/** Gives back the last `count` numbers that this transaction took. */
export async function returnSequences(tx: Writer, meetingId: string, count: number): Promise<void> {
  const { eventSequences } = tx.t;
  await tx
    .update(eventSequences)
    .set({ last: sql`${eventSequences.last} - ${count}` })
    .where(eq(eventSequences.meetingId, meetingId));
}

/** Leaves out the next `count` numbers of every meeting; of how many meetings. */
export async function skipSequences(tx: Writer, count: number): Promise<number> {
  const { eventSequences } = tx.t;
  const rows = await tx
    .update(eventSequences)
    .set({ last: sql`${eventSequences.last} + ${count}` })
    .returning({ meetingId: eventSequences.meetingId });
  return rows.length;
}

export async function setSequence(tx: Writer, id: string, sequence: number): Promise<void> {
  await tx.update(tx.t.events).set({ sequence }).where(eq(tx.t.events.id, id));
}

export async function loadEvents(db: Reader, ids: readonly string[]): Promise<Map<string, StoredEvent>> {
  const rows = await db
    .select()
    .from(db.t.events)
    .where(inArray(db.t.events.id, [...ids]));
  return new Map(rows.map((event) => [event.id, event]));
}

/** Removes up to `limit` of the marketplace's events from before the moment that nobody is still to be told of; how many. */
export async function deleteOldEvents(
  tx: Writer,
  { marketplaceId, before, limit }: { marketplaceId: string; before: Date; limit: number },
): Promise<number> {
  const { deliveries, events } = tx.t;
  const old = await tx
    .select({ id: events.id })
    .from(events)
    .where(
      and(
        eq(events.marketplaceId, marketplaceId),
        lt(events.position, idBefore('evt', before)),
        notExists(tx.select({ id: deliveries.id }).from(deliveries).where(eq(deliveries.eventId, events.id))),
      ),
    )
    .orderBy(asc(events.position))
    .limit(limit);
  if (old.length > 0)
    await tx.delete(events).where(
      inArray(
        events.id,
        old.map(({ id }) => id),
      ),
    );
  return old.length;
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

const endedLinks = prepared('events_erase_links', (tx: Writer) => {
  const { events } = tx.t;
  return tx
    .update(events)
    .set({ linksSealed: null })
    .where(and(among(events.subjectId, 'subjectIds'), isNotNull(events.linksSealed)));
});

const echoes = prepared('events_erase_echoes', (tx: Writer) => {
  const { events, deliveries, deliveryAttempts } = tx.t;
  const sent = tx
    .select({ id: deliveries.id })
    .from(deliveries)
    .innerJoin(events, eq(events.id, deliveries.eventId))
    .where(among(events.subjectId, 'subjectIds'));
  return tx
    .update(deliveryAttempts)
    .set({ answer: '' })
    .where(and(inArray(deliveryAttempts.deliveryId, sent), ne(deliveryAttempts.answer, '')));
});

/** Takes the links out of everything that was ever said about the subjects, and out of what was answered to it. */
export async function eraseEventLinks(tx: Writer, subjectIds: readonly string[]): Promise<void> {
  await endedLinks(tx, { subjectIds });
  // A receiver may have echoed a link in its answer.
  await echoes(tx, { subjectIds });
}

/** Those of the events whose links are others by now, or none any more. */
export async function listOtherwiseLinked(db: Reader, known: readonly Pick<StoredEvent, 'id' | 'linksSealed'>[]): Promise<Set<string>> {
  if (known.length === 0) return new Set();
  const { events } = db.t;
  const rows = await db
    .select({ id: events.id, linksSealed: events.linksSealed })
    .from(events)
    .where(
      inArray(
        events.id,
        known.map(({ id }) => id),
      ),
    );
  const now = new Map(rows.map(({ id, linksSealed }) => [id, linksSealed]));
  return new Set(
    known.filter(({ id, linksSealed }) => linksSealed === null || now.get(id)?.equals(linksSealed) !== true).map(({ id }) => id),
  );
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

export async function insertEndpoint(tx: Writer, endpoint: WebhookEndpoint): Promise<void> {
  await tx.insert(tx.t.webhookEndpoints).values(endpoint);
}

const endpointsOfMarketplace = prepared('endpoints_of_marketplace', (db: Reader) => {
  const { webhookEndpoints } = db.t;
  return db
    .select()
    .from(webhookEndpoints)
    .where(eq(webhookEndpoints.marketplaceId, slot('marketplaceId', webhookEndpoints.marketplaceId)))
    .orderBy(asc(webhookEndpoints.id));
});

/** Newest last. */
export const listEndpoints = (db: Reader, marketplaceId: string): Promise<WebhookEndpoint[]> =>
  endpointsOfMarketplace(db, { marketplaceId });

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
  const { webhookEndpoints } = tx.t;
  const rows = await tx
    .delete(webhookEndpoints)
    .where(and(eq(webhookEndpoints.id, id), eq(webhookEndpoints.marketplaceId, marketplaceId)))
    .returning({ id: webhookEndpoints.id });
  return rows.length === 1;
}

export async function loadEndpoints(db: Reader, ids: readonly string[]): Promise<Map<string, WebhookEndpoint>> {
  const { webhookEndpoints } = db.t;
  const rows = await db
    .select()
    .from(webhookEndpoints)
    .where(inArray(webhookEndpoints.id, [...ids]));
  return new Map(rows.map((endpoint) => [endpoint.id, endpoint]));
}

/** Disables it unless it is already; undefined when it is, is gone, or has another address by now. */
export async function disableEndpoint(
  tx: Writer,
  { id, url }: Pick<WebhookEndpoint, 'id' | 'url'>,
  { at, reason }: { at: Date; reason: DisabledReason },
): Promise<WebhookEndpoint | undefined> {
  const { webhookEndpoints } = tx.t;
  return (
    await tx
      .update(webhookEndpoints)
      .set({ disabledAt: at, disabledReason: reason })
      .where(and(eq(webhookEndpoints.id, id), eq(webhookEndpoints.url, url), isNull(webhookEndpoints.disabledAt)))
      .returning()
  )[0];
}

/** Starts the clock of the address's failures, or stops it (null). */
export async function setFailingSince(
  tx: Writer,
  { id, url }: Pick<WebhookEndpoint, 'id' | 'url'>,
  failingSince: Date | null,
): Promise<void> {
  const { webhookEndpoints } = tx.t;
  await tx
    .update(webhookEndpoints)
    .set({ failingSince })
    .where(and(eq(webhookEndpoints.id, id), eq(webhookEndpoints.url, url)));
}
