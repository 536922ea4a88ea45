/** What goes on for long is allowed for as long as it would be allowed to begin. */
import type { ServerResponse } from 'node:http';

/** Chosen: how long somebody goes on watching at most after a consent was withdrawn; one look-up per viewer and time. */
const EVERY_MS = 20_000;

/** Looks again and again until the answer has ended, and breaks it off once `check` throws: what cannot be proven is not shown. */
export function stayOpenWhile(outgoing: ServerResponse, check: () => Promise<unknown>): void {
  let looking = false;
  const timer = setInterval(() => {
    // A look that takes longer than the time between two is not joined by a second one.
    if (looking) return;
    looking = true;
    check()
      .catch(() => outgoing.destroy())
      .finally(() => (looking = false));
  }, EVERY_MS).unref();
  outgoing.once('close', () => clearInterval(timer));
}
