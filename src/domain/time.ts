export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Tells the time. Read from the machine in `main.ts` and `cli.ts` only; tests and the demo move it. */
export type Clock = () => Date;

/** Cryptographically strong random bytes; the machine's in `main.ts` and `cli.ts`. */
export type RandomBytes = (size: number) => Buffer;

export const plus = (moment: Date, ms: number): Date => new Date(moment.getTime() + ms);
