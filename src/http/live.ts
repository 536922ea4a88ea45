/**
 * Server-sent events for the pages of meetings. All pages of this process share one look at the database: one query a second for all
 * meetings that anybody watches, and none while nobody does. What changed is read once for all pages that it concerns.
 */
import { openerOfLists } from '../connections/opener.ts';
import { SECOND } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import type { Door } from '../meetings/join.ts';
import { readNews, type News, type Viewer } from '../meetings/news.ts';
import { readMarks } from '../store/meetings.ts';

/** How long a change that another process made stays unseen. */
const LOOK_EVERY_MS = SECOND;
/** Changes of this process are looked for at once, but not more often than this. */
const SHORTEST_GAP_MS = SECOND / 5;
/** Proxies and telephone networks forget connections on which nothing is said, after half a minute and more. */
const HEARTBEAT_MS = 15 * SECOND;
/** A telephone, a computer, and the tabs that somebody forgot. */
const PER_LINK = 4;
/** Some 35 KB each (`npm run bench:live`). */
const IN_ALL = 5_000;
/** Browsers come back after 2 to 6 seconds, so that those of a gateway that was started anew do not come at once. */
const RETRY_MS = 2 * SECOND;
const RETRY_SPREAD_MS = 4 * SECOND;

export const CLOSED: ReadonlySet<Door> = new Set(['over', 'cancelled', 'expired']);

export interface Live {
  /**
   * Tells a page what happens, at first its current state. Undefined when there are too many in all; else what to call when the reader
   * has gone away.
   */
  open(viewer: Viewer, line: Line): (() => void) | undefined;
  /** Looks for changes now. */
  look(): void;
  /** Ends all streams, and accepts no more. */
  close(): void;
}

/** To one reader. */
export interface Line {
  /** False when the reader does not read any more. */
  write(text: string): boolean;
  end(): void;
}

export interface LiveLimits {
  readonly perLink: number;
  readonly inAll: number;
}

interface Page extends Viewer {
  /** Of what it was told last; nothing yet at first. */
  version: string | undefined;
  write(text: string): void;
  end(): void;
}

interface Watched {
  mark: string | undefined;
  changesAt: Date | null;
  readonly pages: Set<Page>;
}

export function createLive(gateway: Gateway, { perLink = PER_LINK, inAll = IN_ALL }: Partial<LiveLimits> = {}): Live {
  const { db, log, now, random } = gateway;
  const opener = openerOfLists(gateway);
  const watched = new Map<string, Watched>();
  const state = { pages: 0, closed: false, looking: false, rung: false, failing: false };
  let ring: (() => void) | undefined;

  const heartbeat = setInterval(() => everyPage((page) => page.write(':\n\n')), HEARTBEAT_MS).unref();

  const everyPage = (job: (page: Page) => void): void => {
    for (const { pages: own } of watched.values()) for (const page of own) job(page);
  };

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      ring = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const loop = async (): Promise<void> => {
    state.looking = true;
    while (watched.size > 0 && !state.closed) {
      state.rung = false;
      try {
        await tellChanges();
        state.failing = false;
      } catch (error) {
        if (!state.failing) log.error({ err: error }, 'open pages are not told what changes');
        state.failing = true;
      }
      ring = undefined;
      await new Promise((resolve) => {
        setTimeout(resolve, SHORTEST_GAP_MS);
      });
      if (!state.rung && !state.closed) await pause(LOOK_EVERY_MS - SHORTEST_GAP_MS);
    }
    state.looking = false;
  };

  const tellChanges = async (): Promise<void> => {
    // The marks first: what changes after them differs from them, and is seen next time.
    const marks = await readMarks(db.read, [...watched.keys()]);
    const at = now();
    const due: Page[] = [];
    for (const [meetingId, entry] of watched) {
      const mark = marks.get(meetingId);
      const changed = mark !== entry.mark || (entry.changesAt !== null && entry.changesAt <= at);
      for (const page of entry.pages) if (changed || page.version === undefined) due.push(page);
    }
    if (due.length === 0) return;
    const news = await readNews(gateway, due, opener);
    for (const [index, page] of due.entries()) {
      const entry = watched.get(page.meetingId);
      if (entry !== undefined) {
        entry.mark = marks.get(page.meetingId);
        entry.changesAt = news[index]?.changesAt ?? null;
      }
      tell(page, news[index], at);
    }
  };

  const tell = (page: Page, news: News | undefined, at: Date): void => {
    if (news !== undefined && news.version !== page.version) {
      page.version = news.version;
      page.write(event('state', { ...represent(news), now: at.toISOString() }, news.version));
    }
    if (news === undefined || CLOSED.has(news.door)) {
      page.write(event('end', {}));
      page.end();
    }
  };

  return {
    open(viewer, line) {
      if (state.closed || state.pages >= inAll) return undefined;
      const entry: Watched = watched.get(viewer.meetingId) ?? { mark: undefined, changesAt: null, pages: new Set() };
      watched.set(viewer.meetingId, entry);
      const own = [...entry.pages].filter(({ attendeeId }) => attendeeId === viewer.attendeeId);
      for (const oldest of own.slice(0, Math.max(0, own.length - perLink + 1))) {
        // Else its browser would come back, and push out the next one.
        oldest.write(event('end', {}));
        oldest.end();
      }
      const forget = (): void => {
        if (!entry.pages.delete(page)) return;
        state.pages -= 1;
        if (entry.pages.size === 0 && watched.get(viewer.meetingId) === entry) watched.delete(viewer.meetingId);
      };
      const page: Page = {
        ...viewer,
        version: undefined,
        write(text) {
          if (entry.pages.has(page) && !line.write(text)) page.end();
        },
        end() {
          if (!entry.pages.has(page)) return;
          forget();
          line.end();
        },
      };
      entry.pages.add(page);
      // The last page of this meeting may just have been pushed out.
      watched.set(viewer.meetingId, entry);
      state.pages += 1;
      page.write(`retry: ${RETRY_MS + Math.floor((random(2).readUInt16BE() / 2 ** 16) * RETRY_SPREAD_MS)}\n\n`);
      state.rung = true;
      ring?.();
      if (!state.looking) void loop();
      return forget;
    },
    look() {
      state.rung = true;
      ring?.();
    },
    close() {
      state.closed = true;
      clearInterval(heartbeat);
      everyPage((page) => page.end());
      ring?.();
    },
  };
}

const represent = ({ state, door, runningSince, limitEndsAt, meter, hostLost, continuedUrl, version }: News) => ({
  state,
  door,
  running_since: runningSince?.toISOString() ?? null,
  limit_ends_at: limitEndsAt?.toISOString() ?? null,
  meter: meter && {
    session_since: meter.session?.since.toISOString() ?? null,
    block: meter.session?.block ?? null,
    block_ends_at: meter.session?.blockEndsAt.toISOString() ?? null,
    balance_text: meter.balance,
  },
  host_lost: hostLost,
  continued: continuedUrl,
  version,
});

/** One line of JSON never holds a line break. */
const event = (name: string, data: unknown, id?: string): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
