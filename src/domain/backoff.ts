import { HOUR, MINUTE, SECOND } from './time.ts';

/** Up to a fifth more or less, so that what failed together is not tried together. `chance` is in [0, 1). */
export const jittered = (ms: number, chance: number): number => Math.round(ms * (0.8 + 0.4 * chance));

/** The wait after `attempts` failures of a job: 2 s, doubling up to one hour. */
export const jobBackoffMs = (attempts: number, chance: number): number => jittered(Math.min(2 ** attempts * SECOND, HOUR), chance);

/** What all the others who wait for the same moment are spread over, at most. */
const LONGEST_SPREAD_MS = 2 * MINUTE;

/**
 * A wait that a vendor named, and up to a quarter of it more: of all that waits for one reset not everything is due in its first
 * millisecond. Never earlier. `chance` is in [0, 1).
 */
export const afterReset = (waitMs: number, chance: number): number => waitMs + Math.round(chance * Math.min(waitMs / 4, LONGEST_SPREAD_MS));
