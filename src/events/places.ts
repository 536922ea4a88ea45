/**
 * How many requests may be under way to each endpoint, and in all. Whoever answers quickly gets more, one by one; whoever does not gets
 * half, down to one. Endpoints that are slow share half of all places, so that however many of them hang, the others go on.
 */
import { SECOND } from '../domain/time.ts';

/** What a new endpoint gets, before anything is known of it. */
const FIRST = 2;
/** Chosen: what one fast endpoint can use at 50 ms for an answer and 500 events a second. */
export const MOST = 32;
export const ALL_PLACES = 256;
const PLACES_OF_SLOW = ALL_PLACES / 2;
/** Chosen: whoever takes longer is slow, long before the request is given up. */
const SLOW_MS = SECOND;

interface Seat {
  underWay: number;
  allowed: number;
}

export interface Places {
  /** How many more requests may go to the endpoint now. */
  room(endpointId: string): number;
  /** Takes one; the answer gives it back and says how it went. */
  take(endpointId: string): (answered: boolean) => void;
}

export function createPlaces(): Places {
  const seats = new Map<string, Seat>();
  let slow = 0;
  const isSlow = ({ allowed }: Seat): boolean => allowed === 1;

  const allow = (seat: Seat, allowed: number): void => {
    if (isSlow(seat)) slow -= seat.underWay;
    seat.allowed = Math.min(Math.max(allowed, 1), MOST);
    if (isSlow(seat)) slow += seat.underWay;
  };
  const sit = (seat: Seat, change: 1 | -1): void => {
    seat.underWay += change;
    if (isSlow(seat)) slow += change;
  };

  return {
    room(endpointId) {
      const seat = seats.get(endpointId);
      if (seat === undefined) return FIRST;
      const own = seat.allowed - seat.underWay;
      return isSlow(seat) ? Math.min(own, PLACES_OF_SLOW - slow) : own;
    },
    take(endpointId) {
      const seat = seats.get(endpointId) ?? { underWay: 0, allowed: FIRST };
      seats.set(endpointId, seat);
      sit(seat, 1);
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        allow(seat, Math.floor(seat.allowed / 2));
      }, SLOW_MS);
      return (answered) => {
        clearTimeout(timer);
        sit(seat, -1);
        if (answered && !late) allow(seat, seat.allowed + 1);
        else if (!late) allow(seat, Math.floor(seat.allowed / 2));
        if (seat.underWay === 0 && seat.allowed >= FIRST) seats.delete(endpointId);
      };
    },
  };
}
