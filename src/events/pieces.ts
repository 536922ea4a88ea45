/** An event has a bounded size, and an audience has none: what is too much for one event is told by several. */

/** What a list may take of an event's 20 kB; the ids and addresses beside it may need the rest. In bytes of JSON. */
const MOST_LIST_BYTES = 12_000;

export interface Piece<Item> {
  /** Of the event: the first one has the key that it has alone. */
  readonly key: string;
  readonly items: readonly Item[];
}

/** One piece at least. A single item always fits. */
export function inPieces<Item>(key: string, items: readonly Item[]): Piece<Item>[] {
  const pieces: Item[][] = [[]];
  let room = MOST_LIST_BYTES;
  for (const item of items) {
    const bytes = Buffer.byteLength(JSON.stringify(item)) + 1;
    if (bytes > room && pieces.at(-1)!.length > 0) {
      pieces.push([]);
      room = MOST_LIST_BYTES;
    }
    pieces.at(-1)!.push(item);
    room -= bytes;
  }
  return pieces.map((piece, index) => ({ key: index === 0 ? key : `${key} ${index}`, items: piece }));
}
