/** When a host was away from a run that it had come to before (R06), and what of it is told. */
import type { Session } from './session.ts';

interface Presence {
  readonly from: number;
  /** Infinite while the host is there. */
  readonly to: number;
}

/** As it was told last. `away`: since when no host is there; `lost`: whether that was told. */
export interface Watched {
  readonly away: Date | null;
  readonly lost: boolean;
}

/** What the facts make of it: the absence that goes on, and the one that was told and is over. */
export interface HostNews {
  readonly away: Date | null;
  /** Whether the absence that goes on was told already. */
  readonly lost: boolean;
  readonly back: { readonly since: Date; readonly awayMs: number } | null;
}

/**
 * Facts come late and in any order, so a told absence may turn out to have ended, to have begun later (the host was there with a second
 * device), or never to have been. An absence that was over before anybody knew of it is not told.
 */
export function hostNews(session: Session, { away: known, lost }: Watched): HostNews {
  const presences = presencesOf(session);
  const last = presences.at(-1);
  if (session.endedAt !== null || last === undefined) return { away: null, lost: false, back: null };
  const away = last.to === Infinity ? null : new Date(last.to);
  if (!lost || known === null) return { away, lost: false, back: null };
  const since = known.getTime();
  const there = presences.find(({ from, to }) => from <= since && to > since);
  const returned = presences.find(({ from }) => from > since);
  if (away !== null && returned === undefined) return { away, lost: true, back: null };
  const awayMs = returned === undefined ? 0 : returned.from - (there?.to ?? since);
  return { away, lost: false, back: { since: known, awayMs } };
}

/** The times that any host was there, without overlaps, oldest first. */
function presencesOf({ participants }: Session): Presence[] {
  const stays = participants
    .filter(({ side }) => side === 'host')
    .flatMap((host) => host.stays.map(({ joinedAt, leftAt }) => ({ from: joinedAt.getTime(), to: leftAt?.getTime() ?? Infinity })));
  const merged: Presence[] = [];
  for (const stay of stays.toSorted((a, b) => a.from - b.from)) {
    const before = merged.at(-1);
    if (before === undefined || stay.from > before.to) merged.push(stay);
    else if (stay.to > before.to) merged[merged.length - 1] = { from: before.from, to: stay.to };
  }
  return merged;
}
