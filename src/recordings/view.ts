/** A personal link is opened: checked, counted, streamed. */
import type { Media } from '../../providers/provider.ts';
import { atVendor } from '../connections/account.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import { recordingGone } from '../domain/recording.ts';
import { MINUTE } from '../domain/time.ts';
import { fingerprint, hashToken } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import { connectionOf } from '../meetings/link.ts';
import { hasAuditEntry, insertAuditEntry } from '../store/audit.ts';
import { listRecordedMeetings } from '../store/meetings.ts';
import { countView, findRecordingByLink, type LinkedRecording } from '../store/recordings.ts';
import { isAccessOpen } from './access.ts';
import { findRecordingRef } from './at-vendor.ts';
import { tellRecording } from './tell.ts';
import { suspectGone } from './vanished.ts';

/** @throws Failure `not_found`, `gone` (expired, revoked, withheld again) */
export async function openRecordingLink({ db, now }: Gateway, token: string): Promise<LinkedRecording> {
  const found = await findRecordingByLink(db.read, hashToken(token));
  if (found === undefined) throw new Failure('not_found', 'There is no such recording link.');
  // The day of expiry counts from its moment, not from when the job gets to it.
  const open = found.link.kind === 'operator' ? await isAccessOpen(db.read, found, now()) : isOpen(found, now());
  if (!open) throw recordingGone();
  return found;
}

const isOpen = ({ link, recording }: LinkedRecording, at: Date): boolean =>
  recording.state === 'published' && link.revokedAt === null && recording.expiresAt !== null && recording.expiresAt > at;

/** Chosen: views of one link within this time are one entry of the audit log, which never gets shorter. The views themselves all count. */
const ENTRY_EVERY_MS = 5 * MINUTE;

/** Derived from what was viewed and the time, so that the entry is found without a search. */
export const viewEntryId = (at: Date, ...viewed: readonly string[]): string =>
  `aud_${fingerprint('view', ...viewed, String(Math.floor(at.getTime() / ENTRY_EVERY_MS)))}`;

/** Writes the view down. The first one of each recipient is told to the marketplace, and each entry of an operator (F08). */
export async function noteView(gateway: Gateway, { link, recording }: LinkedRecording): Promise<void> {
  const { db, now, wake } = gateway;
  const byOperator = link.kind === 'operator';
  const who = byOperator ? { operator: true as const, incident_id: link.incidentId } : { customer_id: link.customerId };
  const tells = await db.write(async (tx) => {
    const at = now();
    // Holds the link's row: two views of one moment come one after the other.
    const views = await countView(tx, link.id, at);
    const id = viewEntryId(at, link.id);
    if (await hasAuditEntry(tx, id)) return false;
    const meeting = (await listRecordedMeetings(tx, [recording.meetingId]))[0]!;
    await insertAuditEntry(tx, {
      id,
      marketplaceId: meeting.marketplaceId,
      at,
      action: byOperator ? 'recording.viewed_by_operator' : 'recording.viewed',
      subjectId: recording.id,
      details: byOperator ? { by: link.customerId, incident_id: link.incidentId, link_id: link.id, views } : { ...who, views },
    });
    const key = byOperator ? `${link.id}/${views}` : link.id;
    if (byOperator || views === 1) await tellRecording(tx, gateway, meeting, recording, 'recording.viewed', who, key);
    return byOperator || views === 1;
  });
  if (tells) wake();
}

/** One file as a stream from the vendor; the browser sees neither the vendor's URL nor a token. */
export async function openMedia(
  gateway: Gateway,
  { recording, meeting }: LinkedRecording,
  { fileId, range, signal }: { fileId: string; range: string | undefined; signal: AbortSignal },
): Promise<Media> {
  const ref = await findRecordingRef(gateway, recording.id);
  try {
    return await atVendor(gateway, await connectionOf(gateway, meeting), ({ recordings }, account) =>
      recordings.open(account, { ...ref, fileId, range, signal }),
    );
  } catch (error) {
    if (isFailure(error, 'gone')) await gateway.db.write((tx) => suspectGone(tx, gateway, recording.id));
    throw error;
  }
}
