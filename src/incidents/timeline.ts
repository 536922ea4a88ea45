/** What happened to an incident, oldest first (C04). */
import { newId } from '../domain/id.ts';
import { TIMELINE_KINDS, type TimelineAuthor, type TimelineKind, type IncidentState } from '../domain/incident.ts';
import type { Gateway } from '../gateway.ts';
import type { Reader, Writer } from '../store/database.ts';
import { insertIncidentEntry, listIncidentEntries, type Incident, type IncidentEntry } from '../store/incidents.ts';

interface NewEntry {
  readonly kind: TimelineKind;
  readonly by: TimelineAuthor;
  readonly state: IncidentState | null;
  readonly text: string | null;
}

/** Chosen: far above what people write about one report. */
const MOST_ENTRIES = 1_000;

/** Its id. */
export async function writeEntry(
  tx: Writer,
  gateway: Pick<Gateway, 'now' | 'random'>,
  { id: incidentId, marketplaceId }: Pick<Incident, 'id' | 'marketplaceId'>,
  entry: NewEntry,
): Promise<string> {
  const id = newId(gateway, 'ine');
  await insertIncidentEntry(tx, { id, incidentId, marketplaceId, at: gateway.now(), ...entry });
  return id;
}

/** Of an incident from before there was a timeline, what happened since. */
export async function timelineOf(db: Reader, { id }: Pick<Incident, 'id'>): Promise<IncidentEntry[]> {
  const entries = await listIncidentEntries(db, id, MOST_ENTRIES);
  return entries.toSorted((a, b) => a.at.getTime() - b.at.getTime() || rank(a) - rank(b));
}

const rank = ({ kind }: IncidentEntry): number => TIMELINE_KINDS.indexOf(kind as TimelineKind);
