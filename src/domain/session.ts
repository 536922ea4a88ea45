/**
 * What really happened in a meeting, from the facts that are known of it. Vendors deliver late, twice, out of order and not at all, so
 * nothing here depends on the order of the facts: a set of them has one meaning.
 */
import { MINUTE } from './time.ts';

export const SIDES = ['host', 'customer', 'unknown'] as const;
export type Side = (typeof SIDES)[number];

/** What a fact rests on, the strongest first. `attendance`: reported after the end. `estimate`: concluded by us, from a click or the clock. */
const SOURCES = ['vendor', 'attendance', 'estimate'] as const;
export type Source = (typeof SOURCES)[number];

export interface Fact {
  readonly instanceId: string;
  readonly kind: 'started' | 'ended' | 'joined' | 'left';
  readonly at: Date;
  /** The vendor's id of a stay; null for the run itself. */
  readonly participantId: string | null;
  readonly side: Side;
  readonly customerId: string | null;
  readonly limitReached: boolean;
  readonly source: Source;
}

export interface Stay {
  readonly joinedAt: Date;
  /** Null while the person is there. */
  readonly leftAt: Date | null;
}

export interface Participant {
  readonly id: string;
  readonly side: Side;
  readonly customerId: string | null;
  readonly stays: readonly Stay[];
}

/** One run of the vendor's meeting; a booking may have several, for one after a limit has cut the first off. */
export interface Session {
  readonly instanceId: string;
  readonly startedAt: Date;
  /** Null while it runs. */
  readonly endedAt: Date | null;
  /** True when the vendor says that the plan's limit ended it. */
  readonly limitReached: boolean;
  /** The best that is known of it. */
  readonly source: Source;
  /** True when the vendor told nothing of it, or not how it ended. */
  readonly estimated: boolean;
  readonly participants: readonly Participant[];
}

/** Whole and part minutes, not rounded. `joint`: a host and a customer at the same time. */
export interface Minutes {
  readonly total: number;
  readonly host: number;
  readonly customer: number;
  readonly joint: number;
}

/** Those that the vendor told or reported. */
export const toldOf = (sessions: readonly Session[]): Session[] => sessions.filter(({ source }) => source !== 'estimate');

/**
 * The runs, oldest first. Clicks stand for what happened only where nothing better is known, and reports only where no events came: the same
 * hour is not counted twice.
 */
export function sessionsOf(facts: readonly Fact[]): Session[] {
  const runs = [...groupBy(facts, ({ instanceId }) => instanceId)].map(([instanceId, own]) => runOf(instanceId, own));
  const best = strongest(runs);
  const known = runs.filter(({ source }) => source === best).toSorted((a, b) => a.from - b.from || compare(a.instanceId, b.instanceId));
  return known.map((run, index) => sessionOf(run, known[index + 1]?.from));
}

interface Run {
  readonly instanceId: string;
  readonly source: Source;
  readonly facts: readonly Fact[];
  /** Milliseconds. The first and the last moment that anything is known of. */
  readonly from: number;
  readonly to: number;
}

function runOf(instanceId: string, all: readonly Fact[]): Run {
  // What the vendor says of an end replaces what the clock made of its silence.
  const toldEnd = all.some(({ kind, source }) => kind === 'ended' && source !== 'estimate');
  const facts = toldEnd ? all.filter(({ kind, source }) => kind !== 'ended' || source !== 'estimate') : all;
  // The start may have got lost, and may come after the first arrival by the vendor's own clock; so may the end before the last departure.
  const moments = facts.map(({ at }) => at.getTime());
  return {
    instanceId,
    source: strongest(facts),
    facts,
    from: moments.reduce((a, b) => Math.min(a, b)),
    to: moments.reduce((a, b) => Math.max(a, b)),
  };
}

/** `next`: when the run after it began. A vendor's meeting runs once at a time, so this one was over by then, whether or not its end got lost. */
function sessionOf({ instanceId, source, facts, from, to }: Run, next: number | undefined): Session {
  const ends = facts.filter(({ kind }) => kind === 'ended');
  const until = ends.length > 0 ? to : next === undefined ? null : Math.max(next, to);
  const people = groupBy(
    facts.filter(({ participantId }) => participantId !== null),
    ({ participantId }) => participantId!,
  );
  return {
    instanceId,
    startedAt: new Date(from),
    endedAt: until === null ? null : new Date(until),
    limitReached: facts.some(({ limitReached }) => limitReached),
    source,
    estimated: source === 'estimate' || (until !== null && ends.every((end) => end.source === 'estimate')),
    participants: [...people]
      .map(([id, own]) => ({
        id,
        side: sideOf(own),
        customerId:
          own
            .map(({ customerId }) => customerId)
            .filter((customer) => customer !== null)
            .toSorted(compare)[0] ?? null,
        stays: staysOf(own, { from, until }),
      }))
      .toSorted((a, b) => compare(a.id, b.id)),
  };
}

const strongest = (known: readonly { readonly source: Source }[]): Source =>
  SOURCES.find((source) => known.some((one) => one.source === source)) ?? 'estimate';

/**
 * The participants as people: vendors give everybody who comes back, or comes with a second device, another id. Only who is known can be
 * recognized.
 */
export function peopleOf({ participants }: Session): Participant[] {
  const people = groupBy(participants, ({ id, side, customerId }) =>
    customerId !== null ? `customer ${customerId}` : side === 'host' ? 'host' : `id ${id}`,
  );
  return [...people.values()].map((same) => ({
    ...same[0]!,
    stays: same.flatMap(({ stays }) => stays).toSorted((a, b) => a.joinedAt.getTime() - b.joinedAt.getTime()),
  }));
}

/** Who is known in one fact is known in all of that participant. */
const sideOf = (facts: readonly Fact[]): Side => SIDES.find((side) => facts.some((fact) => fact.side === side)) ?? 'unknown';

/**
 * Arrivals and departures of one participant as stays. A departure without arrival: there from the start. An arrival without departure: until
 * the end of the run, or still there. Several arrivals in a row are one stay, for people join with a second device before they leave the first.
 */
function staysOf(facts: readonly Fact[], run: { from: number; until: number | null }): Stay[] {
  const stays: Stay[] = [];
  let since: number | null = null;
  const moments = [...groupBy(facts, ({ at }) => String(at.getTime())).values()];
  for (const moves of moments.toSorted((a, b) => a[0]!.at.getTime() - b[0]!.at.getTime())) {
    const at = moves[0]!.at.getTime();
    const [joins, leaves] = [moves.some(({ kind }) => kind === 'joined'), moves.some(({ kind }) => kind === 'left')];
    // Vendors tell whole seconds: who is there, leaves and comes back in one of them has two stays; who comes and leaves in one was there.
    if (since !== null && leaves) {
      stays.push(stay(since, at));
      since = joins ? at : null;
    } else if (since === null && leaves) {
      if (joins || stays.length === 0) stays.push(stay(joins ? at : run.from, at));
    } else if (joins) since ??= at;
  }
  if (since !== null) stays.push({ joinedAt: new Date(since), leftAt: run.until === null ? null : new Date(run.until) });
  return stays;
}

const stay = (from: number, to: number): Stay => ({ joinedAt: new Date(from), leftAt: new Date(to) });

/** Minutes of a run up to `now`. Who is of unknown side counts for none. */
export function minutesOf(session: Session, now: Date): Minutes {
  const until = (session.endedAt ?? now).getTime();
  const [host, customer] = [spansOf(session, 'host', until), spansOf(session, 'customer', until)];
  return {
    // A vendor's clock may be ahead of ours.
    total: Math.max(0, until - session.startedAt.getTime()) / MINUTE,
    host: lengthOf(host) / MINUTE,
    customer: lengthOf(customer) / MINUTE,
    joint: lengthOf(intersection(host, customer)) / MINUTE,
  };
}

/** When a host and a customer were in the run at the same time, in order; what still goes on has no end (`Infinity`). */
export function togetherIn(session: Session): Span[] {
  const until = session.endedAt?.getTime() ?? Infinity;
  return intersection(spansOf(session, 'host', until), spansOf(session, 'customer', until));
}

/** `until`: the end of the stays that nobody has told the end of. */
const spansOf = ({ participants }: Session, side: Side, until: number): Span[] =>
  union(
    participants
      .filter((participant) => participant.side === side)
      .flatMap(({ stays }) => stays.map(({ joinedAt, leftAt }) => [joinedAt.getTime(), leftAt?.getTime() ?? until] as const)),
  );

/** Of several runs, one after the other. */
export const sumOf = (all: readonly Minutes[]): Minutes =>
  all.reduce(
    (sum, one) => ({
      total: sum.total + one.total,
      host: sum.host + one.host,
      customer: sum.customer + one.customer,
      joint: sum.joint + one.joint,
    }),
    { total: 0, host: 0, customer: 0, joint: 0 },
  );

/** Milliseconds. */
export type Span = readonly [from: number, to: number];

/** The time that any of them covers, in order and without overlap. */
export function union(spans: readonly Span[]): Span[] {
  const merged: [number, number][] = [];
  for (const [from, to] of spans.filter(([start, end]) => end > start).toSorted((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

const intersection = (a: readonly Span[], b: readonly Span[]): Span[] =>
  a.flatMap(([from, to]) => b.map(([start, end]) => [Math.max(from, start), Math.min(to, end)] as const).filter(([x, y]) => y > x));

const lengthOf = (spans: readonly Span[]): number => spans.reduce((sum, [from, to]) => sum + to - from, 0);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function groupBy<T>(list: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
