export const PRESENCES = ['available', 'away', 'busy', 'unknown'] as const;
export type PresenceStatus = (typeof PRESENCES)[number];

/** What is known of whether a professional can be reached now (T02, R01). */
export interface Presence {
  readonly status: PresenceStatus;
  /** Whether they can be seen; false while the status is `unknown`. */
  readonly video: boolean;
  /** Then it is `unknown`, unless it is told again; null: it is. */
  readonly until: Date | null;
}

export const UNKNOWN: Presence = { status: 'unknown', video: false, until: null };
