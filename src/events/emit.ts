/** Events to the marketplace, written in the transaction of the change they tell about (outbox). */
import { eventLinksContext } from '../connections/sealed.ts';
import { newId } from '../domain/id.ts';
import { fingerprint } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import type { Writer } from '../store/database.ts';
import { insertDeliveries, insertEvents, listEndpoints, type Delivery, type WebhookEndpoint } from '../store/events.ts';

export const EVENT_TYPES = [
  'connection.active',
  'connection.reconnect_required',
  'connection.revoked',
  'meeting.created',
  'meeting.link_ready',
  'meeting.purchased',
  'meeting.link_locked',
  'meeting.changed',
  'meeting.expired',
  'meeting.cancelled',
  'meeting.started',
  'meeting.participant_joined',
  'meeting.participant_left',
  'meeting.limit_approaching',
  'meeting.limit_reached',
  'meeting.host_lost',
  'meeting.host_back',
  'meeting.continued',
  'meeting.ended',
  'recording.processing',
  'recording.published',
  'recording.withheld',
  'recording.viewed',
  'recording.revoked',
  'recording.expired',
  'recording.missing',
  'recording.deleted',
  'recording.erased',
  'recording.deletion_failed',
  'incident.reported',
  'endpoint.disabled',
  'endpoint.test',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

export interface NewEvent {
  readonly marketplaceId: string;
  readonly type: EventType;
  /** The meeting, recording, connection or endpoint it is about. */
  readonly subjectId: string;
  /** Tells this event from others of its type about the same subject: what happened, in the vendor's or our own terms. */
  readonly key: string;
  readonly data: Record<string, unknown>;
  /** Merged into `data` when the event is sent; kept sealed, erased when the links end. */
  readonly links?: Record<string, unknown>;
}

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
  const written = await insertEvents(
    tx,
    [...byId].map(([id, event]) => ({
      id,
      marketplaceId: event.marketplaceId,
      type: event.type,
      subjectId: event.subjectId,
      at,
      position: newId(gateway, 'evt'),
      sequence: null,
      data: event.data,
      linksSealed: event.links === undefined ? null : vault.seal(JSON.stringify(event.links), eventLinksContext(id)),
    })),
  );
  const fresh = written.map((id) => ({ id, ...byId.get(id)! }));
  const deliveries: Delivery[] = [];
  for (const marketplaceId of new Set(fresh.map((event) => event.marketplaceId))) {
    const endpoints = (await listEndpoints(tx, marketplaceId)).filter(({ disabledAt }) => disabledAt === null);
    for (const event of fresh.filter((one) => one.marketplaceId === marketplaceId)) {
      for (const endpoint of endpoints.filter((one) => isFor(one, event))) {
        deliveries.push({
          id: newId(gateway, 'dlv'),
          marketplaceId,
          eventId: event.id,
          endpointId: endpoint.id,
          state: 'pending',
          reason: null,
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

const isFor = ({ id, events }: WebhookEndpoint, { type, subjectId }: NewEvent): boolean =>
  type === 'endpoint.test' ? id === subjectId : wants(events, type);

/** `*`, an exact type, or a whole family: `recording.*`. */
const wants = (patterns: readonly string[], type: EventType): boolean =>
  patterns.some((pattern) => pattern === '*' || pattern === type || (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1))));
