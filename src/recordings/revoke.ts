/** Single links of a recording are taken back: that of one recipient, or those that were given for an incident (G17, F08). */
import { forgetLinkInEvents } from '../events/links.ts';
import { notFound } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import type { Gateway } from '../gateway.ts';
import { insertAuditEntry } from '../store/audit.ts';
import type { Writer } from '../store/database.ts';
import { findAttendee, lockMeeting, type Meeting } from '../store/meetings.ts';
import {
  insertRecordingLink,
  listRecordingLinks,
  lockRecording,
  revokeLinks,
  type Recording,
  type RecordingLink,
} from '../store/recordings.ts';
import { isTakenBackAlone, newLink } from './links.ts';
import { tellRecording } from './tell.ts';

/** Who takes it back: the id of an API key. */
interface By {
  readonly by: string;
}

/**
 * This recipient has no link any more, and gets none, whenever the recording is published. Nothing happens to one that has ended.
 * @throws Failure `not_found` for who has no part in the meeting
 */
export async function revokeRecipient(
  tx: Writer,
  gateway: Gateway,
  meeting: Meeting,
  { id, customerId, by }: Pick<Recording, 'id'> & By & { customerId: string },
): Promise<void> {
  // Whoever publishes it, or buys, at this moment waits here, or is waited for.
  await lockMeeting(tx, meeting.id);
  const recording = await lockRecording(tx, id);
  if (recording === undefined || hasEnded(recording)) return;
  const known = (await listRecordingLinks(tx, [id])).filter((link) => link.kind === 'recipient' && link.customerId === customerId);
  if (known.length === 0 && customerId !== meeting.professionalId && (await findAttendee(tx, meeting.id, customerId)) === undefined)
    throw notFound();
  if (known.some(isTakenBackAlone)) return;
  const at = gateway.now();
  let [link] = await revokeLinks(tx, { recordingId: id, customerId, at });
  if (link === undefined) {
    // Nobody ever sees this one: that it is there, and taken back, is what the next publication goes by.
    const { token: _, ...unseen } = newLink(gateway, recording, customerId);
    link = { ...unseen, tokenSealed: null, revokedAt: at, expiresAt: at };
    await insertRecordingLink(tx, link);
  }
  await forgetLinkInEvents(tx, gateway, { subjectId: id, customerId });
  await note(tx, gateway, { recording, meeting, link, by, whose: { customer_id: customerId } });
}

/** Nobody looks into it for this incident any more. */
export async function revokeAccess(
  tx: Writer,
  gateway: Gateway,
  meeting: Meeting,
  { id, incidentId, by }: Pick<Recording, 'id'> & By & { incidentId: string },
): Promise<void> {
  const recording = await lockRecording(tx, id);
  if (recording === undefined || hasEnded(recording)) return;
  const whose = { operator: true, incident_id: incidentId };
  for (const link of await revokeLinks(tx, { recordingId: id, incidentId, at: gateway.now() }))
    await note(tx, gateway, { recording, meeting, link, by, whose });
}

async function note(
  tx: Writer,
  gateway: Gateway,
  {
    recording,
    meeting,
    link,
    by,
    whose,
  }: By & { recording: Recording; meeting: Meeting; link: RecordingLink; whose: Readonly<Record<string, unknown>> },
): Promise<void> {
  await insertAuditEntry(tx, {
    id: newId(gateway, 'aud'),
    marketplaceId: recording.marketplaceId,
    at: gateway.now(),
    action: 'recording.link_revoked',
    subjectId: recording.id,
    details: { ...whose, link_id: link.id, by },
  });
  await tellRecording(tx, gateway, meeting, recording, 'recording.revoked', whose, link.id);
}

const hasEnded = ({ state }: Recording): boolean => state === 'expired' || state === 'revoked';
