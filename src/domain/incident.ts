/** What people report about a meeting, and what became of it (F06, C04). */

export const INCIDENT_KINDS = ['conduct', 'safety', 'technical', 'other'] as const;
export type IncidentKind = (typeof INCIDENT_KINDS)[number];

/** `open`: nobody has taken it up yet. `resolved` ends what it allowed, such as a look into the recording (F08). */
export const INCIDENT_STATES = ['open', 'investigating', 'resolved'] as const;
export type IncidentState = (typeof INCIDENT_STATES)[number];

/** Of a report, line breaks as one character each. */
export const MOST_CHARACTERS = 2_000;
