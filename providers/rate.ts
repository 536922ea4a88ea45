/**
 * Holds back for a moment what a vendor would refuse for coming too fast. Per process, and by timers instead of the clock, so that a clock
 * which is set neither opens nor shuts it. Several processes, and other apps of the same account, share a vendor's limit without knowing of
 * each other: the vendor's own 429 remains the truth, and this only makes it rare.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { Failure, isFailure } from '../src/domain/failure.ts';
import { SECOND } from '../src/domain/time.ts';

/** A wait that a caller can stand is waited out inside the call; a longer one is a failure with its time. */
export const PATIENCE_MS = 2 * SECOND;
/** Timers come late; whoever was promised a place within that time gets it. */
const LATE_MS = SECOND / 4;

export interface Rate {
  readonly calls: number;
  /** The calls may begin within this time, wherever it starts; `at_once`: so many may be under way. */
  readonly per: number | 'at_once';
}

/**
 * Runs `work` as soon as the rate allows it, first come, first served. All with one `key` share the rate.
 * @throws Failure `vendor_quota` when that would take longer than `PATIENCE_MS`
 */
export type Gate = <T>(key: string, rate: Rate, work: () => Promise<T>) => Promise<T>;

interface Lane {
  /** The highest limit that anybody named: what one user's plan proves, holds for the organisation. */
  calls: number;
  taken: number;
  readonly waiting: (() => void)[];
}

export function createGate(): Gate {
  const lanes = new Map<string, Lane>();

  const leave = (key: string, lane: Lane): void => {
    const next = lane.waiting.shift();
    if (next !== undefined) return next();
    lane.taken -= 1;
    if (lane.taken === 0) lanes.delete(key);
  };

  /** Resolves with a place, which somebody else has left. */
  const queue = (lane: Lane, per: Rate['per']): Promise<void> => {
    // Places come back in rounds of the window; the last of so many has one in this time at the latest.
    const longestMs = per === 'at_once' ? PATIENCE_MS : Math.ceil((lane.waiting.length + 1) / lane.calls) * per;
    const tooLong = new Failure('vendor_quota', 'Too many calls at once: the vendor would refuse this one.', { retryAfterMs: longestMs });
    if (longestMs > PATIENCE_MS) return Promise.reject(tooLong);
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        clearTimeout(timer);
        resolve();
      };
      lane.waiting.push(turn);
      // How long calls take that are under way, nobody knows.
      const giveUp = (): void => {
        lane.waiting.splice(lane.waiting.indexOf(turn), 1);
        reject(tooLong);
      };
      const timer = setTimeout(giveUp, PATIENCE_MS + LATE_MS);
    });
  };

  return async (key, { calls, per }, work) => {
    const lane = lanes.get(key) ?? { calls, taken: 0, waiting: [] };
    lanes.set(key, lane);
    lane.calls = Math.max(lane.calls, calls);
    if (lane.taken < lane.calls) lane.taken += 1;
    else await queue(lane, per);
    if (per !== 'at_once') {
      // Unheard by a process that ends; who waits keeps it alive.
      setTimeout(() => leave(key, lane), per).unref();
      return work();
    }
    try {
      return await work();
    } finally {
      leave(key, lane);
    }
  };
}

/** Runs it once more when the vendor asks for a short wait. What was refused for its pace did nothing, so even a POST may go again. */
export async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (!isFailure(error, 'vendor_quota') || error.retryAfterMs === undefined || error.retryAfterMs > PATIENCE_MS) throw error;
    await wait(error.retryAfterMs);
    return attempt();
  }
}
