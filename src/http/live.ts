/**
 * Server-sent events for the pages of meetings and calls. All pages of this process share one look at the database: one query a second for
 * all meetings that anybody watches, one for all calls, and none while nobody does. What changed is read once for all pages that it concerns.
 */
import { readCallNews, type CallViewer } from '../calls/news.ts';
import { openerOfLists, type Opener } from '../connections/opener.ts';
import { SECOND } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import type { Door } from '../meetings/join.ts';
import { readNews, type News, type Viewer } from '../meetings/news.ts';
import { readCallStates } from '../store/calls.ts';
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
  open(viewer: Watching, line: Line): (() => void) | undefined;
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

/** Whose page of what. */
export type Watching = Viewer | CallViewer;

interface Page {
  readonly viewer: Watching;
  /** Of what it was told last; nothing yet at first. */
  version: string | undefined;
  write(text: string): void;
  end(): void;
}

/** What a page is told of its meeting or call. */
interface Told {
  readonly data: Readonly<Record<string, unknown>>;
  readonly version: string;
  readonly changesAt: Date | null;
  /** Nothing more will happen. */
  readonly ended: boolean;
}

interface Watched {
  readonly of: 'meetings' | 'calls';
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
    const idsOf = (kind: Watched['of']) => [...watched].filter(([, entry]) => entry.of === kind).map(([id]) => id);
    const marks = new Map([...(await readMarks(db.read, idsOf('meetings'))), ...(await readCallStates(db.read, idsOf('calls')))]);
    const at = now();
    const due: Page[] = [];
    for (const [subject, entry] of watched) {
      const mark = marks.get(subject);
      const changed = mark !== entry.mark || (entry.changesAt !== null && entry.changesAt <= at);
      for (const page of entry.pages) if (changed || page.version === undefined) due.push(page);
    }
    if (due.length === 0) return;
    const news = await readTold(gateway, due, opener);
    for (const page of due) {
      const [subject, told] = [subjectOf(page.viewer), news.get(page)];
      const entry = watched.get(subject);
      if (entry !== undefined) {
        entry.mark = marks.get(subject);
        entry.changesAt = told?.changesAt ?? null;
      }
      tell(page, told, at);
    }
  };

  const tell = (page: Page, told: Told | undefined, at: Date): void => {
    if (told !== undefined && told.version !== page.version) {
      page.version = told.version;
      page.write(event('state', { ...told.data, now: at.toISOString() }, told.version));
    }
    if (told === undefined || told.ended) {
      page.write(event('end', {}));
      page.end();
    }
  };

  return {
    open(viewer, line) {
      if (state.closed || state.pages >= inAll) return undefined;
      const subject = subjectOf(viewer);
      const kind = 'callId' in viewer ? 'calls' : 'meetings';
      const entry: Watched = watched.get(subject) ?? { of: kind, mark: undefined, changesAt: null, pages: new Set() };
      watched.set(subject, entry);
      const own = [...entry.pages].filter((page) => readerOf(page.viewer) === readerOf(viewer));
      for (const oldest of own.slice(0, Math.max(0, own.length - perLink + 1))) {
        // Else its browser would come back, and push out the next one.
        oldest.write(event('end', {}));
        oldest.end();
      }
      const forget = (): void => {
        if (!entry.pages.delete(page)) return;
        state.pages -= 1;
        if (entry.pages.size === 0 && watched.get(subject) === entry) watched.delete(subject);
      };
      const page: Page = {
        viewer,
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
      // The last page of it may just have been pushed out.
      watched.set(subject, entry);
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

const subjectOf = (viewer: Watching): string => ('callId' in viewer ? viewer.callId : viewer.meetingId);
const readerOf = (viewer: Watching): string | null => ('callId' in viewer ? viewer.side : viewer.attendeeId);

/** Undefined, or missing, for whom there is nothing any more. */
async function readTold(gateway: Gateway, pages: readonly Page[], opener: Opener): Promise<Map<Page, Told | undefined>> {
  const ofMeetings = pages.flatMap((page) => ('callId' in page.viewer ? [] : [{ page, viewer: page.viewer }]));
  const ofCalls = pages.flatMap((page) => ('callId' in page.viewer ? [{ page, viewer: page.viewer }] : []));
  const meetings = await readNews(
    gateway,
    ofMeetings.map(({ viewer }) => viewer),
    opener,
  );
  const calls = await readCallNews(
    gateway,
    ofCalls.map(({ viewer }) => viewer),
  );
  return new Map([
    ...ofMeetings.map(({ page }, index): [Page, Told | undefined] => [page, toldOf(meetings[index])]),
    ...ofCalls.map(({ page }, index): [Page, Told | undefined] => {
      const news = calls[index];
      return [page, news && { data: { ...news }, version: news.version, changesAt: null, ended: news.state !== 'ringing' }];
    }),
  ]);
}

const toldOf = (news: News | undefined): Told | undefined =>
  news && { data: represent(news), version: news.version, changesAt: news.changesAt, ended: CLOSED.has(news.door) };

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
