/** A customer or professional tells the marketplace's support about a problem (G20, F06). */
import { newId } from '../domain/id.ts';
import { MOST_CHARACTERS, type IncidentKind } from '../domain/incident.ts';
import { plainText } from '../domain/plain-text.ts';
import type { Gateway } from '../gateway.ts';
import { tellMeeting } from '../meetings/tell.ts';
import { insertIncident, listOpenIncidents } from '../store/incidents.ts';
import { lockMeeting, type Meeting } from '../store/meetings.ts';

/** Per person and meeting. */
export const MOST_OPEN_REPORTS = 5;

export interface Report {
  readonly meeting: Meeting;
  readonly reporter: { readonly side: 'customer' | 'professional'; readonly id: string };
  readonly kind: IncidentKind | null;
  readonly text: string;
}

export type Reported =
  | { readonly outcome: 'filed' }
  /** Nothing was filed: the text is empty or too long. */
  | { readonly outcome: 'invalid' }
  /** Nothing was filed: `open` reports of this person wait for an answer. */
  | { readonly outcome: 'too_many'; readonly open: number };

export async function reportIncident(gateway: Gateway, { meeting, reporter, kind, text: written }: Report): Promise<Reported> {
  const { db, now, wake } = gateway;
  const text = plainText(written);
  if (text === '' || text.length > MOST_CHARACTERS) return { outcome: 'invalid' };
  const result = await db.write(async (tx): Promise<Reported> => {
    // Two reports at the same moment count one after the other.
    await lockMeeting(tx, meeting.id);
    const whose = { meetingId: meeting.id, side: reporter.side, reporterId: reporter.id };
    const open = await listOpenIncidents(tx, whose);
    // A second click, or the page loaded again.
    if (open.some((known) => known.text === text && known.kind === kind)) return { outcome: 'filed' };
    if (open.length >= MOST_OPEN_REPORTS) return { outcome: 'too_many', open: open.length };
    const id = newId(gateway, 'inc');
    await insertIncident(tx, {
      id,
      marketplaceId: meeting.marketplaceId,
      ...whose,
      kind,
      text,
      state: 'open',
      resolution: null,
      resolvedAt: null,
      at: now(),
    });
    await tellMeeting(tx, gateway, meeting, 'incident.reported', id, {
      incident_id: id,
      reported_by: reporter.side,
      reporter_id: reporter.id,
      kind,
      text,
    });
    return { outcome: 'filed' };
  });
  wake();
  return result;
}
