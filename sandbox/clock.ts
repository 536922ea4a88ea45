/** Time in the sandbox: the caller's clock plus an offset that tests and the demo move, and the things to do when a moment comes. */
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const plus = (moment: Date, ms: number): Date => new Date(moment.getTime() + ms);
/** `2026-11-20T10:00:00Z`, as Zoom writes moments. */
export const seconds = (moment: Date): string => moment.toISOString().replace(/\.\d{3}Z$/, 'Z');
export const unixSeconds = (moment: Date): number => Math.floor(moment.getTime() / SECOND);

export interface Agenda {
  readonly now: () => Date;
  /** Does something at a moment of the sandbox's clock; answers a function that calls it off. */
  at(moment: Date, run: () => Promise<void> | void): () => void;
  /** Runs what is due now and waits for all that is under way. */
  readonly settle: () => Promise<void>;
  /** Moves the clock and does everything that falls due on the way, each at its own moment. */
  readonly advance: (ms: number) => Promise<void>;
  /** Forgets everything planned and goes back to the caller's clock. */
  reset(): void;
}

export function createAgenda(base: () => Date): Agenda {
  let offsetMs = 0;
  let entries: { at: Date; run: () => Promise<void> | void }[] = [];
  const underWay = new Set<Promise<void>>();
  const now = (): Date => plus(base(), offsetMs);

  const startDue = (): boolean => {
    const moment = now();
    const due = entries.filter((entry) => entry.at <= moment).toSorted((a, b) => a.at.getTime() - b.at.getTime());
    entries = entries.filter((entry) => !due.includes(entry));
    for (const { run } of due) {
      const task = (async () => run())();
      const tracked = task.finally(() => underWay.delete(tracked));
      underWay.add(tracked);
    }
    return due.length > 0;
  };

  const settle = async (): Promise<void> => {
    while (startDue() || underWay.size > 0) await Promise.all(underWay);
  };

  return {
    now,
    at(moment, run) {
      const entry = { at: moment, run };
      entries.push(entry);
      return () => {
        entries = entries.filter((other) => other !== entry);
      };
    },
    settle,
    async advance(ms) {
      const target = plus(now(), ms);
      await settle();
      for (;;) {
        const next = entries.reduce<Date | null>((first, { at }) => (first === null || at < first ? at : first), null);
        if (next === null || next > target) break;
        if (next > now()) offsetMs += next.getTime() - now().getTime();
        await settle();
      }
      if (target > now()) offsetMs += target.getTime() - now().getTime();
    },
    reset() {
      entries = [];
      offsetMs = 0;
    },
  };
}
