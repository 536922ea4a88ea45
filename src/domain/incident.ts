/** What customers and professionals report to the marketplace's support (G20, F06). */

export const INCIDENT_KINDS = ['conduct', 'safety', 'technical', 'other'] as const;
export type IncidentKind = (typeof INCIDENT_KINDS)[number];

/** Of a report, line breaks as one character each. */
export const MOST_CHARACTERS = 2_000;
