/** The events that the gateway sends, as its catalogue says. */
import type * as answers from '../http/api/answers.ts';

/** What an event of each type tells. */
export type EventData = answers.EventData;
export type EventType = keyof EventData;

interface EventOf<Type extends EventType> {
  /** The same for every delivery of the event: what was handled under it once is done. */
  readonly id: string;
  readonly type: Type;
  /** When it was written down; RFC 3339 UTC. */
  readonly timestamp: string;
  readonly data: EventData[Type];
}

/** Told apart by `type`. A newer gateway may send a type that this list does not have, so a `switch` needs a `default`. */
export type GatewayEvent = { [Type in EventType]: EventOf<Type> }[EventType];
