/** Events to the marketplace, written in the transaction of the change they tell about (outbox). */
import { eventLinksContext } from '../connections/sealed.ts';
import { deathBy } from '../domain/delivery.ts';
import { newId } from '../domain/id.ts';
import { fingerprint } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import { insertDeliveries, type Delivery } from '../store/deliveries.ts';
import { insertEvents, listEndpoints, type WebhookEndpoint } from '../store/events.ts';
import type { EventType, OwnData, OwnLinks, TypeWithLinks } from './catalogue.ts';
import { closeGaps, meetingOf, numberEvents } from './sequence.ts';

interface EventOf<Type extends EventType> {
  readonly marketplaceId: string;
  readonly type: Type;
  /** The meeting, recording, connection or endpoint it is about. */
  readonly subjectId: string;
  /** Tells this event from others of its type about the same subject: what happened, in the vendor's or our own terms. */
  readonly key: string;
  readonly data: OwnData<Type>;
  /** Merged into `data` when the event is sent; kept sealed, erased when the links end. */
  readonly links?: Type extends TypeWithLinks ? OwnLinks<Type> : undefined;
}

/** What the catalogue says of the type. The links of a type that has some may be left out: they may have ended. */
export type NewEvent<Type extends EventType = EventType> = { [One in Type]: EventOf<One> }[Type];

/** The same happening has the same id, however often it is told: after a crash, a repeat or from a restored backup. */
export const eventId = ({ marketplaceId, type, subjectId, key }: Pick<NewEvent, 'marketplaceId' | 'type' | 'subjectId' | 'key'>): string =>
  `evt_${fingerprint(marketplaceId, type, subjectId, key)}`;

/** False when this very event was written before. */
export const emit = async (tx: Writer, gateway: Pick<Gateway, 'now' | 'random' | 'vault'>, event: NewEvent): Promise<boolean> =>
  (await emitAll(tx, gateway, [event])) === 1;

/** Writes many at once, each of which happened once; how many of them were not written before. */
export async function emitAll(
  tx: Writer,
  gateway: Pick<Gateway, 'now' | 'random' | 'vault'>,
  events: readonly NewEvent[],
): Promise<number> {
  const { now, vault } = gateway;
  const at = now();
  const byId = new Map(events.map((event) => [eventId(event), event]));
  const numbered = [...byId].map(([id, { data }]) => ({ id, meetingId: meetingOf(data) }));
  const marketplaces = [...new Set(events.map(({ marketplaceId }) => marketplaceId))];
  const [numbers, ...endpoints] = await Promise.all([
    numberEvents(tx, numbered),
    ...marketplaces.map(async (marketplaceId) => [marketplaceId, await listEndpoints(tx, marketplaceId)] as const),
  ]);
  const written = await insertEvents(
    tx,
    [...byId].map(([id, event]) => ({
      id,
      marketplaceId: event.marketplaceId,
      type: event.type,
      subjectId: event.subjectId,
      at,
      position: newId(gateway, 'evt'),
      sequence: numbers.get(id) ?? null,
      data: event.data,
      linksSealed: event.links === undefined ? null : vault.seal(JSON.stringify(event.links), eventLinksContext(id)),
    })),
  );
  await closeGaps(tx, { events: numbered, written: new Set(written), numbers });
  const fresh = written.map((id) => ({ id, ...byId.get(id)! }));
  const deliveries: Delivery[] = [];
  for (const [marketplaceId, own] of endpoints) {
    for (const event of fresh.filter((one) => one.marketplaceId === marketplaceId)) {
      for (const endpoint of own.filter((one) => isFor(one, event))) {
        deliveries.push({
          id: newId(gateway, 'dlv'),
          marketplaceId,
          eventId: event.id,
          endpointId: endpoint.id,
          // What one that is disabled misses is there to be recovered.
          ...(endpoint.disabledAt === null
            ? { state: 'pending', reason: null }
            : { state: 'dead', reason: deathBy(endpoint.disabledReason) }),
          dueAt: at,
          leasedUntil: null,
          attempts: 0,
          createdAt: at,
        });
      }
    }
  }
  await insertDeliveries(tx, deliveries);
  return fresh.length;
}

function isFor({ id, events }: WebhookEndpoint, { type, subjectId }: NewEvent): boolean {
  if (type === 'endpoint.test') return id === subjectId;
  return wants(events, type) && !(type === 'endpoint.disabled' && id === subjectId);
}

/** `*`, an exact type, or a whole family: `recording.*`. */
const wants = (patterns: readonly string[], type: EventType): boolean =>
  patterns.some((pattern) => pattern === '*' || pattern === type || (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1))));
