/** Who works on a report says how far it is. Each move is in the audit log, with what was noted about it (C04). */
import { found } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import type { IncidentState } from '../domain/incident.ts';
import type { Gateway } from '../gateway.ts';
import { insertAuditEntry } from '../store/audit.ts';
import { lockOwnIncident, setIncidentState, type Incident } from '../store/incidents.ts';

export interface Move {
  readonly marketplaceId: string;
  readonly id: string;
  readonly state: IncidentState;
  /** In the words of who moves it. */
  readonly note: string | null;
  /** The id of an API key, or `command line`. */
  readonly by: string;
}

/** To the state that it has already: nothing happens, unless something is noted. @throws Failure `not_found` */
export async function moveIncident({ db, now, random }: Gateway, { marketplaceId, id, state, note, by }: Move): Promise<Incident> {
  return db.write(async (tx) => {
    const incident = found(await lockOwnIncident(tx, marketplaceId, id));
    if (incident.state === state && note === null) return incident;
    await insertAuditEntry(tx, {
      id: newId({ now, random }, 'aud'),
      marketplaceId,
      at: now(),
      action: 'incident.moved',
      subjectId: id,
      details: { meeting_id: incident.meetingId, from: incident.state, to: state, note, by },
    });
    await setIncidentState(tx, id, state);
    return { ...incident, state };
  });
}
