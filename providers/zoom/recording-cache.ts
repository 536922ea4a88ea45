/** What Zoom has told of a recording, with addresses and a token of its files, kept in memory for a short time. */
import { MINUTE } from '../../src/domain/time.ts';

/** Chosen: the ranges of one viewing share one look at Zoom; fresh enough for a deletion to be seen. */
const KEPT_MS = 5 * MINUTE;
const MOST = 200;

export interface RecordingCache<Recording> {
  get(key: string): Recording | undefined;
  set(key: string, recording: Recording): void;
  drop(key: string): void;
  readonly size: number;
}

export function recordingCache<Recording>(now: () => Date): RecordingCache<Recording> {
  const kept = new Map<string, { readonly until: number; readonly recording: Recording }>();

  /** Tokens are not kept longer than they are used. All live equally long, so the oldest come first. */
  const forgetOld = (): void => {
    for (const [key, { until }] of kept) {
      if (until > now().getTime() && kept.size <= MOST) return;
      kept.delete(key);
    }
  };

  return {
    get(key) {
      forgetOld();
      return kept.get(key)?.recording;
    },
    set(key, recording) {
      kept.delete(key);
      kept.set(key, { until: now().getTime() + KEPT_MS, recording });
      forgetOld();
    },
    drop: (key) => void kept.delete(key),
    get size() {
      return kept.size;
    },
  };
}
