/** Nobody of the platform looks into a recording, unless its meeting was reported and somebody looks into that (F08). */
import { Failure, notFound } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import type { IncidentState } from '../domain/incident.ts';
import { recordingGone } from '../domain/recording.ts';
import { MINUTE, plus } from '../domain/time.ts';
import { hashToken, newToken } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import { insertAuditEntry } from '../store/audit.ts';
import type { Reader } from '../store/database.ts';
import { findIncident } from '../store/incidents.ts';
import { findOwnRecording, insertRecordingLink, type LinkedRecording, type OpenedRecording } from '../store/recordings.ts';

/** Chosen: enough to watch a part of a call; who needs more asks again, and that is in the log, too. */
const ACCESS_MS = 30 * MINUTE;
/** States of an incident that somebody works on. */
const OPEN_INCIDENT: ReadonlySet<string> = new Set(['open', 'investigating'] satisfies IncidentState[]);

export interface AccessRequest {
  readonly marketplaceId: string;
  readonly recordingId: string;
  readonly incidentId: string;
  /** In the words of who asks; it goes into the audit log. */
  readonly reason: string;
  /** Who asks: the id of an API key, or `command line`. */
  readonly by: string;
}

export interface GrantedAccess {
  readonly url: string;
  readonly expiresAt: Date;
  readonly incidentId: string;
}

/**
 * A link that is shown once and lives for half an hour, at most as long as the recording and the incident.
 * @throws Failure `not_found`, `incident_required`, `gone`, `conflict` (nothing to see yet)
 */
export async function grantAccess(
  gateway: Gateway,
  { marketplaceId, recordingId, incidentId, reason, by }: AccessRequest,
): Promise<GrantedAccess> {
  const { config, db, now, random } = gateway;
  const token = newToken(random);
  const id = newId(gateway, 'rcl');
  const expiresAt = await db.write(async (tx) => {
    const recording = await findOwnRecording(tx, marketplaceId, recordingId);
    if (recording === undefined) throw notFound();
    if (!(await isUnderInvestigation(tx, recording, incidentId)))
      throw new Failure('incident_required', 'There is no open incident of this id about the meeting.');
    if (recording.state === 'processing') throw new Failure('conflict', 'The recording is not ready yet.');
    const at = now();
    if (!isThere(recording, at)) throw recordingGone();
    const latest = plus(at, ACCESS_MS);
    const end = recording.expiresAt !== null && recording.expiresAt < latest ? recording.expiresAt : latest;
    await insertRecordingLink(tx, {
      id,
      marketplaceId,
      recordingId,
      kind: 'operator',
      customerId: by,
      incidentId,
      tokenHash: hashToken(token),
      // It is shown once.
      tokenSealed: null,
      views: 0,
      firstViewedAt: null,
      expiresAt: end,
      revokedAt: null,
      createdAt: at,
    });
    await insertAuditEntry(tx, {
      id: newId(gateway, 'aud'),
      marketplaceId,
      at,
      action: 'recording.access_granted',
      subjectId: recordingId,
      details: { incident_id: incidentId, reason, by, link_id: id, expires_at: end.toISOString() },
    });
    return end;
  });
  return { url: `${config.publicUrl}/r/${token}`, expiresAt, incidentId };
}

/** Whether an operator's link opens at this moment: an incident that was closed ends it. */
export async function isAccessOpen(db: Reader, { link, recording }: Pick<LinkedRecording, 'link' | 'recording'>, at: Date) {
  if (link.revokedAt !== null || link.expiresAt === null || link.expiresAt <= at || !isThere(recording, at)) return false;
  return isUnderInvestigation(db, recording, link.incidentId ?? '');
}

/** A meeting has one marketplace, and so have its recordings and its incidents. */
async function isUnderInvestigation(db: Reader, { meetingId }: OpenedRecording, incidentId: string): Promise<boolean> {
  const incident = await findIncident(db, incidentId);
  return incident !== undefined && incident.meetingId === meetingId && OPEN_INCIDENT.has(incident.state);
}

/** Published or withheld, its time not over, and its data not erased. */
const isThere = ({ state, expiresAt, erasedAt }: OpenedRecording, at: Date): boolean =>
  (state === 'published' || state === 'withheld') && erasedAt === null && (expiresAt === null || expiresAt > at);
