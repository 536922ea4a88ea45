import { dataSchema, EVENT_TYPES, type EventType } from '../../src/events/catalogue.ts';

interface Told {
  readonly type: string;
  readonly data: unknown;
}

/** What is wrong with an event by the catalogue; undefined when it is what the catalogue says, with nothing beside it. */
export function breakOfCatalogue({ type, data }: Told): string | undefined {
  const known = EVENT_TYPES.find((one): one is EventType => one === type);
  if (known === undefined) return `${type} is not in the catalogue`;
  const { error } = dataSchema(known).safeParse(data);
  return error && `${type} is not what the catalogue says: ${error.message}\n${JSON.stringify(data)}`;
}

/** @throws Error when one of them is not */
export function mustBeCatalogued(events: readonly Told[]): void {
  const breaks = events.flatMap((event) => breakOfCatalogue(event) ?? []);
  if (breaks.length > 0) throw new Error([...new Set(breaks)].join('\n'));
}
