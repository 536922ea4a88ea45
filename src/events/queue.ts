/**
 * What is due, by endpoint. The database keeps one queue for all, ordered by time; ten thousand deliveries to an endpoint that hangs would
 * stand before everybody else's in it. So it is read on in pages, without a lock, and a list of ids is kept here for each endpoint. What is
 * taken from a list is leased by its id. Where nothing of it could be leased, other processes are ahead, and the list is looked through.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { plus, SECOND } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { listDueDeliveries, listStillDue, type Due, type QueuePlace } from '../store/deliveries.ts';

const PAGE = 500;
/** Pages of one look; the next one goes on where it ended. */
const PAGES = 4;
/** Of one endpoint; the rest stays where it is until these are gone. */
const LIST = 1_000;
/** A transaction on PostgreSQL may commit what was due a moment before something that was read already. */
const OVERLAP_MS = SECOND;
/** Looks ago from which that moment counts: a clock that was set forward meanwhile does not leave behind what was just being written. */
const OVERLAP_LOOKS = 8;
/** Chosen: how often everything is read again from the start. What came in late, or lost its lease, waits so long. */
const SWEEP_MS = 5 * SECOND;
const START: QueuePlace = { dueAt: new Date(0), id: '' };

interface List {
  ids: string[];
  readonly known: Set<string>;
  /** Before the first one that did not fit. */
  cut: QueuePlace | null;
}

export type Taken = Pick<Due, 'id' | 'endpointId'>;

export interface Queue {
  /** Up to `limit`, by turns from each endpoint that has room. `choose`: begins a choice; whether one more of the endpoint may be taken. */
  take(limit: number, choose: () => (endpointId: string) => boolean): Promise<{ taken: Taken[]; more: boolean }>;
  /** What came of it: `leased` are those that were still to be had. True when others may be to be had in their stead. */
  settle(taken: readonly Taken[], leased: ReadonlySet<string>): boolean;
}

export function createQueue({ db, now }: Pick<Gateway, 'db' | 'now'>): Queue {
  const lists = new Map<string, List>();
  /** Endpoints of whose list nothing was to be had. */
  const behind = new Set<string>();
  /** Where what has just become due is read from. */
  let fresh = START;
  let sweep: QueuePlace | null = null;
  let sweptAt = now();
  /** When the last ones were, the oldest first. */
  const looks: Date[] = [];

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

  const lookThrough = async (at: Date): Promise<void> => {
    for (const endpointId of behind) {
      const list = lists.get(endpointId);
      if (list === undefined || list.ids.length === 0) continue;
      const due = await listStillDue(db.read, { ids: list.ids, now: at });
      for (const id of list.ids) if (!due.has(id)) list.known.delete(id);
      list.ids = list.ids.filter((id) => due.has(id));
      await turn();
    }
    behind.clear();
  };

  return {
    async take(limit, choose) {
      const at = now();
      // A clock that was set back: what counts as read, and the looks since, lie in its future.
      if (at < (looks.at(-1) ?? sweptAt)) [fresh, sweptAt, looks.length] = [START, at, 0];
      looks.push(at);
      if (looks.length > OVERLAP_LOOKS) looks.shift();
      const { place, ended } = await read(fresh, at);
      // Of a second in which much became due only the end is read again: the rest is for the sweep.
      fresh = ended ? later(place, { dueAt: plus(looks[0]!, -OVERLAP_MS), id: '' }) : place;
      if (plus(sweptAt, SWEEP_MS) <= at) [sweep, sweptAt] = [START, at];
      await lookThrough(at);
      refill();
      if (sweep !== null) {
        const swept = await read(sweep, at);
        sweep = swept.ended ? null : swept.place;
      }
      const taken = byTurns(lists, limit, choose());
      return { taken, more: !ended || sweep !== null };
    },
    settle(taken, leased) {
      const missed = taken.filter(({ id }) => !leased.has(id));
      const had = new Set(taken.filter(({ id }) => leased.has(id)).map(({ endpointId }) => endpointId));
      for (const { endpointId } of missed) if (!had.has(endpointId)) behind.add(endpointId);
      return missed.length > 0;
    },
  };
}

function byTurns(lists: Map<string, List>, limit: number, choose: (endpointId: string) => boolean): Taken[] {
  const taken: Taken[] = [];
  const left = new Set(lists.keys());
  while (left.size > 0 && taken.length < limit) {
    for (const endpointId of left) {
      const list = lists.get(endpointId)!;
      const id = list.ids.length > 0 && taken.length < limit && choose(endpointId) ? list.ids.shift() : undefined;
      if (id === undefined) {
        left.delete(endpointId);
        if (list.ids.length === 0 && list.cut === null) lists.delete(endpointId);
        continue;
      }
      list.known.delete(id);
      taken.push({ id, endpointId });
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
