/**
 * The durable ack. What arrives in the same turn of the event loop, or while a commit runs, shares one commit, so that
 * `synchronous=FULL` costs one fsync for all. Nobody waits on purpose.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../src/domain/failure.ts';
import { SECOND } from '../src/domain/time.ts';
import type { Gateway } from '../src/gateway.ts';
import { insertInboxEntries, type NewInboxEntry } from '../src/store/inbox.ts';

/** Requests of one commit: more would only make the first one wait. */
const MAX_BATCH = 128;
/** PostgreSQL commits in parallel; SQLite has one writer. */
const WRITERS = { sqlite: 1, postgres: 3 };
/** The strictest vendor, Zoom, waits 3 s for its answer. After this long it is a 503, which every vendor repeats. */
const PATIENCE_MS = 2.5 * SECOND;
/** A commit takes up to 1.5 s to fail at somebody else's lock: who has waited longer than this does not try any more. */
const STALE_MS = 1 * SECOND;
/** Back-pressure: at ten thousand a second this is what can still be answered in time. */
const MAX_WAITING = 20_000;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** While deliveries keep coming, other work gets its turn after this many commits: about a tenth of the time. */
const COMMITS_PER_BREAK = 16;
/** Long enough for a sender that was just answered to send the next one. */
const QUIET_MS = 5;

/**
 * Resolves when the entries are on disk; those of one call are stored all or none.
 * @throws Failure `storage_unavailable`, at the latest when the vendor is about to lose patience
 */
export type Intake = (entries: readonly NewInboxEntry[]) => Promise<void>;

/**
 * Resolves when no more deliveries come, or after so many commits: when work that can wait may take the writer. Without a number, after as
 * many as leave it a tenth of the time. Between two that wait for it deliveries come first: who is acknowledged waits for one of them, not for all.
 */
export type Break = (commits?: number) => Promise<void>;

interface Waiting {
  readonly entries: readonly NewInboxEntry[];
  readonly bytes: number;
  readonly since: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export function createIntake({ db, now, wake }: Pick<Gateway, 'db' | 'now' | 'wake'>): { intake: Intake; takeBreak: Break } {
  const writers = WRITERS[db.dialect];
  const waiting: Waiting[] = [];
  let waitingBytes = 0;
  let planned = false;
  /** `atBreak`: as many commits as there were when other work last got its turn. */
  const count = { arrivals: 0, commits: 0, writing: 0, atBreak: -1 };
  const coming = { more: false };

  const plan = (): void => {
    if (planned || count.writing === writers || waiting.length === 0) return;
    planned = true;
    setImmediate(() => {
      planned = false;
      void writeBatch();
      plan();
    });
  };

  const listen = async (): Promise<void> => {
    coming.more = true;
    for (let seen = -1; seen !== count.arrivals; await pause(QUIET_MS)) seen = count.arrivals;
    coming.more = false;
  };

  const writeBatch = async (): Promise<void> => {
    const batch = waiting.splice(0, MAX_BATCH);
    for (const { bytes } of batch) waitingBytes -= bytes;
    const staleSince = now().getTime() - STALE_MS;
    const fresh = batch.filter(({ since }) => since >= staleSince);
    count.writing += 1;
    try {
      const entries = fresh.flatMap((one) => one.entries);
      if (entries.length > 0) await inTime(db.write((tx) => insertInboxEntries(tx, entries)));
      for (const { resolve } of fresh) resolve();
    } catch (error) {
      for (const { reject } of fresh) reject(error);
    }
    if (fresh.length < batch.length) {
      const late = unavailable('The storage is behind.');
      for (const { since, reject } of batch) if (since < staleSince) reject(late);
    }
    count.writing -= 1;
    count.commits += 1;
    plan();
    wake();
  };

  return {
    intake: (entries) =>
      new Promise((resolve, reject) => {
        let bytes = 0;
        for (const { bodySealed } of entries) bytes += bodySealed?.length ?? 0;
        if (waiting.length >= MAX_WAITING || waitingBytes + bytes > MAX_WAITING_BYTES) {
          reject(unavailable('Too many deliveries wait to be stored.'));
          return;
        }
        count.arrivals += 1;
        if (!coming.more) void listen();
        waitingBytes += bytes;
        waiting.push({ entries, bytes, since: now().getTime(), resolve, reject });
        plan();
      }),
    async takeBreak(commits = COMMITS_PER_BREAK) {
      const enough = count.commits + commits;
      while ((count.commits < enough || count.commits === count.atBreak) && (coming.more || count.writing > 0)) await pause(QUIET_MS);
      count.atBreak = count.commits;
    },
  };
}

/** The write goes on when its time is over, and may still succeed; the vendor's repeat then finds its key. */
async function inTime(write: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable('The storage did not answer in time.')), PATIENCE_MS);
  });
  try {
    await Promise.race([write, over]);
  } finally {
    clearTimeout(timer);
  }
}

const unavailable = (detail: string): Failure => new Failure('storage_unavailable', detail, { retryAfterMs: 2 * SECOND });
