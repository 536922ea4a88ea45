/** Every event that a marketplace may get: what its data is, when it is sent, and an example. All that describes events is made from this. */
import { z } from 'zod';
import { CALL_EVENTS } from './catalogue/calls.ts';
import { CONDUCT_EVENTS } from './catalogue/conduct.ts';
import { CONNECTION_EVENTS } from './catalogue/connections.ts';
import { CONTENT_EVENTS } from './catalogue/contents.ts';
import type { Delivered, Entry, Shape } from './catalogue/entry.ts';
import { MEETING_EVENTS } from './catalogue/meetings.ts';
import { METER_EVENTS } from './catalogue/meters.ts';
import { OTHER_EVENTS } from './catalogue/others.ts';
import { PROFESSIONAL_EVENTS } from './catalogue/professionals.ts';
import { RECORDING_EVENTS } from './catalogue/recordings.ts';

const CATALOGUE = {
  ...CONNECTION_EVENTS,
  ...PROFESSIONAL_EVENTS,
  ...CALL_EVENTS,
  ...MEETING_EVENTS,
  ...METER_EVENTS,
  ...RECORDING_EVENTS,
  ...CONTENT_EVENTS,
  ...CONDUCT_EVENTS,
  ...OTHER_EVENTS,
};
type Catalogue = typeof CATALOGUE;

export type EventType = keyof Catalogue;
// The keys of an object are as many as its type says: it is written out above.
export const EVENT_TYPES = Object.keys(CATALOGUE) as [EventType, ...EventType[]];

type DataOf<Type extends EventType> = Catalogue[Type]['data'];
type LinksOf<Type extends EventType> = Catalogue[Type]['links'];

/** What an event of each type tells when it arrives. */
export type EventData = { [Type in EventType]: Delivered<DataOf<Type>, LinksOf<Type>> };

/** What is written of an event; its place among the others is added. */
export type OwnData<Type extends EventType> = Omit<Shape<DataOf<Type>>, 'sequence'>;
/** What of it is kept sealed. */
export type OwnLinks<Type extends EventType> = Shape<LinksOf<Type>>;
export type TypeWithLinks = { [Type in EventType]: keyof LinksOf<Type> extends never ? never : Type }[EventType];

/** The body of an event in bytes; Standard Webhooks recommends to stay below. */
export const MOST_EVENT_BYTES = 20_000;

export const entryOf = (type: EventType): Entry => CATALOGUE[type];

/** The data as it arrives, with nothing else in it. */
export function dataSchema(type: EventType): z.ZodObject {
  const { data, links } = entryOf(type);
  return z.strictObject({ ...data, ...z.object(links).partial().shape });
}
