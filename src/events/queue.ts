/**
 * What is due, by endpoint. The database keeps one queue for all, ordered by time; ten thousand deliveries to an endpoint that hangs would
 * stand before everybody else's in it. So it is read on in pages, without a lock, and a list of ids is kept here for each endpoint. What is
 * taken from a list is leased by its id; a list that is behind what other processes do costs a look and nothing else.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { plus, SECOND } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { listDueDeliveries, type Due, type QueuePlace } from '../store/deliveries.ts';

const PAGE = 500;
/** Pages of one look; the next one goes on where it ended. */
const PAGES = 4;
/** Of one endpoint; the rest stays where it is until these are gone. */
const LIST = 1_000;
/** A transaction on PostgreSQL may commit what was due a moment before something that was read already. */
const OVERLAP_MS = SECOND;
/** Chosen: how often everything is read again from the start. What came in late, or lost its lease, waits so long. */
const SWEEP_MS = 5 * SECOND;
const START: QueuePlace = { dueAt: new Date(0), id: '' };

interface List {
  readonly ids: string[];
  readonly known: Set<string>;
  /** Before the first one that did not fit. */
  cut: QueuePlace | null;
}

export interface Queue {
  /** Up to `limit` ids, by turns from each endpoint that has room. */
  take(limit: number, room: (endpointId: string) => number): Promise<{ ids: string[]; more: boolean }>;
}

export function createQueue({ db, now }: Pick<Gateway, 'db' | 'now'>): Queue {
  const lists = new Map<string, List>();
  /** Where what has just become due is read from. */
  let fresh = START;
  let sweep: QueuePlace | null = null;
  let sweptAt = now();

  /** Where it has to go on, and whether it has come to the end: then a page or two before it. */
  const read = async (start: QueuePlace, at: Date): Promise<{ place: QueuePlace; ended: boolean }> => {
    let [before, place] = [start, start];
    for (let page = 0; page < PAGES; page++) {
      const rows = await listDueDeliveries(db.read, { from: place, now: at, limit: PAGE });
      const began = place;
      for (const row of rows) {
        add(row, place);
        place = row;
      }
      if (rows.length < PAGE) return { place: before, ended: true };
      before = began;
      await turn();
    }
    return { place, ended: false };
  };
  const add = ({ id, endpointId }: Due, before: QueuePlace): void => {
    const list = lists.get(endpointId) ?? { ids: [], known: new Set(), cut: null };
    lists.set(endpointId, list);
    if (list.known.has(id)) return;
    if (list.ids.length >= LIST) {
      list.cut ??= before;
      return;
    }
    list.ids.push(id);
    list.known.add(id);
  };
  /** Empty lists with more behind are read on, from the first of these places. */
  const refill = (): void => {
    for (const list of lists.values()) {
      if (list.ids.length > 0 || list.cut === null) continue;
      if (sweep === null || isBefore(list.cut, sweep)) sweep = list.cut;
      list.cut = null;
    }
  };

  return {
    async take(limit, room) {
      const at = now();
      if (at < sweptAt) fresh = START;
      const { place, ended } = await read(fresh, at);
      // Of a second in which much became due only the end is read again: the rest is for the sweep.
      fresh = ended ? later(place, { dueAt: plus(at, -OVERLAP_MS), id: '' }) : place;
      if (at < sweptAt || plus(sweptAt, SWEEP_MS) <= at) [sweep, sweptAt] = [START, at];
      refill();
      if (sweep !== null) {
        const swept = await read(sweep, at);
        sweep = swept.ended ? null : swept.place;
      }
      const ids = byTurns(lists, limit, room);
      return { ids, more: !ended || sweep !== null };
    },
  };
}

function byTurns(lists: Map<string, List>, limit: number, room: (endpointId: string) => number): string[] {
  const taken: string[] = [];
  const left = new Map([...lists.keys()].map((endpointId) => [endpointId, room(endpointId)]));
  for (let round = 0; left.size > 0 && taken.length < limit; round++) {
    for (const [endpointId, places] of left) {
      const list = lists.get(endpointId)!;
      const id = places > round && taken.length < limit ? list.ids.shift() : undefined;
      if (id === undefined) {
        left.delete(endpointId);
        if (list.ids.length === 0 && list.cut === null) lists.delete(endpointId);
        continue;
      }
      list.known.delete(id);
      taken.push(id);
    }
  }
  // Whoever was first now is last the next time.
  const [first] = lists;
  if (first !== undefined) {
    lists.delete(first[0]);
    lists.set(...first);
  }
  return taken;
}

const later = (a: QueuePlace, b: QueuePlace): QueuePlace => (isBefore(a, b) ? b : a);
const isBefore = (a: QueuePlace, b: QueuePlace): boolean => a.dueAt < b.dueAt || (a.dueAt.getTime() === b.dueAt.getTime() && a.id < b.id);
