/** How a marketplace regards a professional after what it learned of them (C01), and what they say to that (C02). */

export const STANDINGS = ['good', 'warned', 'suspended', 'terminated'] as const;
export type Standing = (typeof STANDINGS)[number];

export const APPEAL_STATES = ['open', 'upheld', 'granted'] as const;
export type AppealState = (typeof APPEAL_STATES)[number];

export interface Regarded {
  readonly standing: Standing;
  /** When a suspension ends by itself. */
  readonly until: Date | null;
}

/** The standing at a moment. A suspension ends at its time, not when somebody gets to noting it. */
export const standingAt = ({ standing, until }: Regarded, now: Date): Regarded =>
  standing === 'suspended' && until !== null && until <= now ? { standing: 'good', until: null } : { standing, until };

/** Who gets no new links and no calls. */
export function isBarred(regarded: Regarded | undefined, now: Date): boolean {
  if (regarded === undefined) return false;
  const { standing } = standingAt(regarded, now);
  return standing === 'suspended' || standing === 'terminated';
}
