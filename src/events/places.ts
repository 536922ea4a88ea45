/**
 * How many requests may be under way to each endpoint, and in all. Whoever answers quickly gets more, one by one; whoever does not gets
 * half, down to one. However many endpoints hang, the others go on: a request that takes long leaves its place to others, endpoints that are
 * slow share a part of all places, and so do those of which nothing good is known.
 */
import { SECOND } from '../domain/time.ts';

/** What a new endpoint gets, before anything is known of it. */
const FIRST = 2;
/** Chosen: what one fast endpoint can use at 50 ms for an answer and 500 events a second. */
export const MOST = 32;
/** Of requests that may still be answered quickly. */
const PROMPT_PLACES = 256;
/** Of those, to endpoints whose last request was not answered quickly, or that have had none. */
const PLACES_OF_UNPROVEN = PROMPT_PLACES / 2;
/** Of endpoints that are down to one. */
const PLACES_OF_SLOW = PROMPT_PLACES / 2;
/** Of requests that take long: then nothing more is begun that may take long, too. */
const LATE_PLACES = 256;
/** Those that are late and those that may become it. */
export const ALL_PLACES = LATE_PLACES + PLACES_OF_UNPROVEN + PROMPT_PLACES;
/** Chosen: whoever takes longer is slow, long before the request is given up. */
const SLOW_MS = SECOND;
/** Endpoints that something is remembered of; a few hundred bytes each. */
const KNOWN = 10_000;

interface Seat {
  underWay: number;
  allowed: number;
  /** The last request was answered quickly. */
  proven: boolean;
}

export interface Places {
  /** For one round of choosing: whether one more may go to the endpoint, after all that this function has said yes to. */
  choose(): (endpointId: string) => boolean;
  /** Takes one; the answer gives it back and says how it went. Undefined: nothing was sent. */
  take(endpointId: string): (answered: boolean | undefined) => void;
}

/** `onFree`: one is free, although nobody has given it back. */
export function createPlaces(onFree: () => void): Places {
  // The one that was used last stands last.
  const seats = new Map<string, Seat>();
  const count = { prompt: 0, unproven: 0, late: 0, slow: 0 };
  const isSlow = ({ allowed }: Seat): boolean => allowed === 1;

  const allow = (seat: Seat, allowed: number): void => {
    if (isSlow(seat)) count.slow -= seat.underWay;
    seat.allowed = Math.min(Math.max(allowed, 1), MOST);
    if (isSlow(seat)) count.slow += seat.underWay;
  };
  const sit = (seat: Seat, change: 1 | -1): void => {
    seat.underWay += change;
    if (isSlow(seat)) count.slow += change;
  };
  const sitDown = (endpointId: string): Seat => {
    const seat = seats.get(endpointId) ?? { underWay: 0, allowed: FIRST, proven: false };
    seats.delete(endpointId);
    seats.set(endpointId, seat);
    for (const [id, { underWay }] of seats) {
      if (seats.size <= KNOWN) break;
      if (underWay === 0 && id !== endpointId) seats.delete(id);
    }
    return seat;
  };

  return {
    choose() {
      const chosen = { all: 0, unproven: 0, slow: 0 };
      const own = new Map<string, number>();
      return (endpointId) => {
        const seat = seats.get(endpointId) ?? { underWay: 0, allowed: FIRST, proven: false };
        const mine = own.get(endpointId) ?? 0;
        if (seat.underWay + mine >= seat.allowed || count.prompt + chosen.all >= PROMPT_PLACES) return false;
        if (isSlow(seat) && count.slow + chosen.slow >= PLACES_OF_SLOW) return false;
        if (!seat.proven && (count.unproven + chosen.unproven >= PLACES_OF_UNPROVEN || count.late >= LATE_PLACES)) return false;
        own.set(endpointId, mine + 1);
        chosen.all += 1;
        if (isSlow(seat)) chosen.slow += 1;
        if (!seat.proven) chosen.unproven += 1;
        return true;
      };
    },
    take(endpointId) {
      const seat = sitDown(endpointId);
      const unproven = seat.proven ? 0 : 1;
      sit(seat, 1);
      count.prompt += 1;
      count.unproven += unproven;
      let late = false;
      const stop = (): void => {
        count.prompt -= 1;
        count.unproven -= unproven;
      };
      const slower = (): void => {
        seat.proven = false;
        allow(seat, Math.floor(seat.allowed / 2));
      };
      const timer = setTimeout(() => {
        late = true;
        stop();
        count.late += 1;
        slower();
        onFree();
      }, SLOW_MS);
      return (answered) => {
        clearTimeout(timer);
        sit(seat, -1);
        if (late) count.late -= 1;
        else stop();
        if (answered === true && !late) {
          seat.proven = true;
          allow(seat, seat.allowed + 1);
        } else if (answered === false && !late) slower();
        // One that comes back after a rest begins with few again.
        if (seat.underWay === 0) allow(seat, Math.min(seat.allowed, FIRST));
      };
    },
  };
}
