/**
 * When SQLite copies its log into the file. Left alone it does so within whichever commit fills the log: some eight milliseconds more, in
 * which nothing is answered, on top of those that the transaction took. Here it is a piece of work of its own, and what came meanwhile goes
 * first.
 */
import type { Sqlite } from './better-sqlite3.ts';

/** SQLite's own measure is a thousand pages. It does not tell how many it has; rows that were changed come close. */
const MOST_ROWS = 1_000;
/** What a commit writes besides its rows: their indexes. */
const ROWS_PER_COMMIT = 3;
/** At this many pages a commit does it all the same, so that the log ends somewhere whatever happens. */
const MOST_PAGES = 4_000;
/** Enough for what has arrived to come before it. */
const AFTER_MS = 1;

export interface Checkpoints {
  /** After each commit. */
  note(): void;
  stop(): void;
}

/** `alone`: runs work while no transaction is open. */
export function planCheckpoints(writer: Sqlite, alone: (work: () => Promise<void>) => Promise<void>): Checkpoints {
  writer.pragma(`wal_autocheckpoint = ${MOST_PAGES}`);
  const changes = writer.prepare('select total_changes()').pluck();
  let timer: NodeJS.Timeout | undefined;
  let commits = 0;
  let rowsBefore = 0;

  const checkpoint = async (): Promise<void> => {
    timer = undefined;
    try {
      // Waits for nobody: what a reader still needs stays in the log until next time.
      writer.pragma('wal_checkpoint(PASSIVE)');
    } catch {
      // Nothing is lost: all of it is in the log. What is wrong with the disk, the next commit is told.
    }
  };
  return {
    note() {
      commits += 1;
      const rows = changes.get() as number;
      if (timer !== undefined || rows - rowsBefore + ROWS_PER_COMMIT * commits < MOST_ROWS) return;
      commits = 0;
      rowsBefore = rows;
      timer = setTimeout(() => void alone(checkpoint), AFTER_MS);
    },
    stop() {
      clearTimeout(timer);
    },
  };
}
