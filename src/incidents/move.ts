/** Who works on a report says how far it is. Each move is told, is in the audit log and in the timeline, with what was noted about it (C04). */
import { Failure, found } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import type { IncidentKind, IncidentState } from '../domain/incident.ts';
import { digestOf } from '../domain/audit-chain.ts';
import type { Gateway } from '../gateway.ts';
import { tellMeeting } from '../meetings/tell.ts';
import { insertAuditEntry } from '../store/audit.ts';
import type { Writer } from '../store/database.ts';
import { lockOwnIncident, updateIncident, type Incident } from '../store/incidents.ts';
import { findMeeting } from '../store/meetings.ts';
import { writeEntry } from './timeline.ts';

/** What `by` says for a move on the command line. */
export const COMMAND_LINE = 'command line';

export interface Move {
  readonly marketplaceId: string;
  readonly id: string;
  readonly state: IncidentState;
  /** In the words of who moves it. */
  readonly note: string | null;
  /** How it was decided. Only with `resolved`. */
  readonly resolution: string | null;
  /** The id of an API key, or `command line`. */
  readonly by: string;
}

/**
 * To the state that it has already: nothing happens, unless something is noted, or another resolution is given. Whoever opens it again takes
 * the resolution back; the timeline keeps it.
 * @throws Failure `not_found`, `invalid` for a resolution of what is not resolved, and for a dispute that would be resolved without one
 */
export async function moveIncident(gateway: Gateway, move: Move): Promise<Incident> {
  const { db, wake } = gateway;
  const moved = await db.write(async (tx) => {
    const incident = found(await lockOwnIncident(tx, move.marketplaceId, move.id));
    return apply(tx, gateway, incident, move);
  });
  wake();
  return moved;
}

async function apply(tx: Writer, gateway: Gateway, incident: Incident, move: Move): Promise<Incident> {
  const { state, note, by } = move;
  const resolution = resolutionOf(incident, move);
  const isNew = state !== incident.state || resolution !== incident.resolution;
  if (!isNew && note === null) return incident;
  const at = gateway.now();
  const author = by === COMMAND_LINE ? 'operator' : 'marketplace';
  const decided = resolution === incident.resolution ? null : resolution;
  await insertAuditEntry(tx, {
    id: newId(gateway, 'aud'),
    marketplaceId: incident.marketplaceId,
    at,
    action: 'incident.moved',
    subjectId: incident.id,
    details: {
      meeting_id: incident.meetingId,
      from: incident.state,
      to: state,
      // Words about people stay out of a log that nothing is ever taken out of. Their digest proves them all the same.
      note_sha256: note === null ? null : digestOf(note),
      ...(decided === null ? {} : { resolution_sha256: digestOf(decided) }),
      by,
    },
  });
  if (note !== null) await writeEntry(tx, gateway, incident, { kind: 'note', by: author, state: null, text: note });
  if (!isNew) return incident;
  const entryId = await writeEntry(tx, gateway, incident, { kind: 'state', by: author, state, text: decided });
  const resolvedAt = state === 'resolved' ? (incident.state === 'resolved' ? incident.resolvedAt : at) : null;
  const changed = { ...incident, state, resolution, resolvedAt };
  await updateIncident(tx, incident.id, { state, resolution, resolvedAt });
  await tellMeeting(tx, gateway, found(await findMeeting(tx, incident.meetingId)), 'incident.changed', entryId, {
    incident_id: incident.id,
    kind: incident.kind as IncidentKind | null,
    from: incident.state as IncidentState,
    to: state,
    note,
    resolution,
  });
  return changed;
}

/** Null while it is not resolved. */
function resolutionOf(incident: Incident, { state, resolution }: Move): string | null {
  if (state !== 'resolved') {
    if (resolution !== null) throw refused('goes only with the state `resolved`');
    return null;
  }
  const decided = resolution ?? incident.resolution;
  if (decided === null && incident.kind === 'dispute') throw refused('is needed: a dispute ends with what was decided about it');
  return decided;
}

const refused = (detail: string): Failure =>
  new Failure('invalid', `The resolution ${detail}.`, { errors: [{ pointer: '/resolution', detail }] });
