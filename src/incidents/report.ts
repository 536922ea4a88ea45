/** A customer or professional tells the marketplace's support about a problem (G20, F06). */
import { newId } from '../domain/id.ts';
import { MOST_CHARACTERS, type IncidentKind, type TimelineAuthor } from '../domain/incident.ts';
import { plainText } from '../domain/plain-text.ts';
import type { Gateway } from '../gateway.ts';
import { tellMeeting } from '../meetings/tell.ts';
import { insertAuditEntry } from '../store/audit.ts';
import { insertIncident, listOpenIncidents, type Incident } from '../store/incidents.ts';
import { lockMeeting, type Meeting } from '../store/meetings.ts';
import { writeEntry } from './timeline.ts';

/** Per person and meeting. */
export const MOST_OPEN_REPORTS = 5;

export interface Report {
  readonly meeting: Meeting;
  readonly reporter: { readonly side: 'customer' | 'professional'; readonly id: string };
  readonly kind: IncidentKind | null;
  readonly text: string;
  /** The person, or the marketplace for the person. */
  readonly by: TimelineAuthor;
}

export type Reported =
  /** `isNew`: false when the same was filed before. */
  | { readonly outcome: 'filed'; readonly incident: Incident; readonly isNew: boolean }
  /** Nothing was filed: the text is empty or too long. */
  | { readonly outcome: 'invalid' }
  /** Nothing was filed: `open` reports of this person wait for an answer. */
  | { readonly outcome: 'too_many'; readonly open: number };

export async function reportIncident(gateway: Gateway, { meeting, reporter, kind, text: written, by }: Report): Promise<Reported> {
  const { db, now, wake } = gateway;
  const text = plainText(written);
  if (text === '' || text.length > MOST_CHARACTERS) return { outcome: 'invalid' };
  const result = await db.write(async (tx): Promise<Reported> => {
    // Two reports at the same moment count one after the other.
    await lockMeeting(tx, meeting.id);
    const whose = { meetingId: meeting.id, side: reporter.side, reporterId: reporter.id };
    const open = await listOpenIncidents(tx, whose);
    // A second click, or the page loaded again.
    const same = open.find((known) => known.text === text && known.kind === kind);
    if (same !== undefined) return { outcome: 'filed', incident: same, isNew: false };
    if (open.length >= MOST_OPEN_REPORTS) return { outcome: 'too_many', open: open.length };
    const at = now();
    const incident: Incident = {
      id: newId(gateway, 'inc'),
      marketplaceId: meeting.marketplaceId,
      ...whose,
      kind,
      text,
      state: 'open',
      resolution: null,
      resolvedAt: null,
      at,
    };
    await insertIncident(tx, incident);
    await writeEntry(tx, gateway, incident, { kind: 'reported', by, state: 'open', text: null });
    await insertAuditEntry(tx, {
      id: newId(gateway, 'aud'),
      marketplaceId: meeting.marketplaceId,
      at,
      action: 'incident.reported',
      subjectId: incident.id,
      // The words stay out of a log that nothing is ever taken out of.
      details: { meeting_id: meeting.id, reported_by: reporter.side, reporter_id: reporter.id, kind, by },
    });
    await tellMeeting(tx, gateway, meeting, 'incident.reported', incident.id, {
      incident_id: incident.id,
      reported_by: reporter.side,
      reporter_id: reporter.id,
      kind,
      text,
    });
    return { outcome: 'filed', incident, isNew: true };
  });
  wake();
  return result;
}
