/** What people report about a meeting, and what became of it (F06, C04). */

/** `dispute`: the two sides do not agree about the service or its price, and somebody has to decide (T14). */
export const INCIDENT_KINDS = ['conduct', 'dispute', 'safety', 'technical', 'other'] as const;
export type IncidentKind = (typeof INCIDENT_KINDS)[number];

/** `open`: nobody has taken it up yet. `resolved` ends what it allowed, such as a look into the recording (F08). */
export const INCIDENT_STATES = ['open', 'investigating', 'resolved'] as const;
export type IncidentState = (typeof INCIDENT_STATES)[number];

/** Of a report, line breaks as one character each; of a resolution, too. */
export const MOST_CHARACTERS = 2_000;
export const MOST_NOTE_CHARACTERS = 500;

/** What a timeline tells: that it was reported, a move to another state, or a note. In this order when they are of one moment. */
export const TIMELINE_KINDS = ['reported', 'state', 'note'] as const;
export type TimelineKind = (typeof TIMELINE_KINDS)[number];

/** Who wrote it. `operator`: on the gateway's command line. */
export const TIMELINE_AUTHORS = ['customer', 'professional', 'marketplace', 'operator'] as const;
export type TimelineAuthor = (typeof TIMELINE_AUTHORS)[number];
