/** Links to videos and files that lie elsewhere, shared with the customers for a time (G16, T13). */
import { approvedAddress } from '../domain/approved-storage.ts';
import { Failure, notFound } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import type { Policy } from '../domain/policy.ts';
import { DAY, plus } from '../domain/time.ts';
import { fingerprint } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import { insertAuditEntry } from '../store/audit.ts';
import type { Reader, Writer } from '../store/database.ts';
import { listAttendees, lockMeeting, type Meeting } from '../store/meetings.ts';
import { findRecording, findRecordingByFingerprint, insertRecording, listRecordings, type Recording } from '../store/recordings.ts';
import { blankRecording } from './blank.ts';
import { revokeRecording } from './erase.ts';
import { publish } from './ready.ts';
import { sealLink, storedLink } from './stored-link.ts';

export interface Upload {
  readonly url: string;
  readonly title: string;
  /** What the storage asks for; null when it asks for nothing. */
  readonly passcode: string | null;
}

/** Who shares it. What the marketplace has taken back, the professional does not bring in again. */
export type Uploader = 'marketplace' | 'professional';

/** Until when the professional's page takes links, from the planned end on. Chosen: a host link lives for ever, this power does not. */
const PAGE_TAKES_MS = 30 * DAY;

/**
 * Publishes the link at once; the same link once more gives the one that is there.
 * @throws Failure `not_found`, `upload_not_approved` (with `approved_hosts`), `too_many_uploads`, `conflict`
 */
export async function uploadRecording(
  gateway: Gateway,
  { marketplaceId, meetingId, upload, by }: { marketplaceId: string; meetingId: string; upload: Upload; by: Uploader },
): Promise<{ recording: Recording; isNew: boolean }> {
  const { db, wake } = gateway;
  const answer = await db.write(async (tx) => {
    // Two uploads at the same moment count one after the other.
    const meeting = await lockMeeting(tx, meetingId);
    if (meeting === undefined || meeting.marketplaceId !== marketplaceId) throw notFound();
    const policy = await policyFor(tx, meeting);
    const url = approvedAddress(upload.url, policy);
    if (meeting.state === 'cancelled' || meeting.state === 'expired') throw new Failure('conflict', `The meeting is ${meeting.state}.`);
    if ((await listAttendees(tx, [meeting.id])).every(({ purchasedAt }) => purchasedAt === null))
      throw new Failure('conflict', 'Nobody has bought yet, so there is nobody to share it with.');
    const { known, mark } = await markOf(tx, meeting, url, by);
    if (known !== undefined) {
      if (isSame(gateway, known, upload)) return { recording: known, isNew: false };
      throw new Failure('conflict', 'This link is shared already, with another title or passcode. Take it back first.');
    }
    const { max_links: most } = policy.recording.uploads;
    if ((await listUploads(tx, meeting.id)).length >= most)
      throw new Failure('too_many_uploads', `A meeting may have ${most} uploaded links.`, { extra: { max_links: most } });

    const fresh = newUpload(gateway, meeting, { ...upload, url, mark });
    if (!(await insertRecording(tx, fresh))) throw new Failure('conflict', 'The same link is just being shared. Try again.');
    await insertAuditEntry(tx, {
      id: newId(gateway, 'aud'),
      marketplaceId,
      at: gateway.now(),
      action: 'recording.uploaded',
      subjectId: fresh.id,
      details: { meeting_id: meeting.id, by },
    });
    return { recording: await publish(tx, gateway, policy, meeting, fresh), isNew: true };
  });
  wake();
  return answer;
}

/** The professional takes a link back. @throws Failure `not_found` */
export async function takeUploadBack(gateway: Gateway, meeting: Meeting, recordingId: string): Promise<void> {
  const { db, wake } = gateway;
  await db.write(async (tx) => {
    const recording = await findRecording(tx, recordingId);
    if (recording === undefined || recording.meetingId !== meeting.id || recording.source !== 'upload') throw notFound();
    // A second click.
    if (recording.erasedAt !== null) return;
    await revokeRecording(tx, gateway, meeting, recording, 'professional');
  });
  wake();
}

/** Those that are not erased, newest first. */
export async function listUploads(db: Reader, meetingId: string): Promise<Recording[]> {
  return (await listRecordings(db, meetingId)).filter(({ source, erasedAt }) => source === 'upload' && erasedAt === null);
}

/** Whether the professional's page takes links now. */
export function takesUploads(policy: Policy, meeting: Meeting, now: Date): boolean {
  const { state, lockedAt, startsAt, durationMinutes } = meeting;
  if (policy.recording.uploads.hosts.length === 0 || lockedAt === null || state === 'cancelled' || state === 'expired') return false;
  const endsAt = plus(startsAt, durationMinutes * 60_000);
  return (now >= startsAt || state === 'live' || state === 'ended') && now < plus(endsAt, PAGE_TAKES_MS);
}

/**
 * By what the link is recognized in this meeting, and the recording that has it now. A link that was taken back may come again, as after a
 * wrong passcode; one whose time is over may not, for its time would begin anew.
 * @throws Failure `conflict`
 */
async function markOf(tx: Writer, { id }: Meeting, url: string, by: Uploader): Promise<{ known: Recording | undefined; mark: string }> {
  for (let round = 0; ; round += 1) {
    const mark = fingerprint('upload', id, url, String(round));
    const known = await findRecordingByFingerprint(tx, mark);
    if (known === undefined || known.erasedAt === null) return { known, mark };
    if (known.state === 'expired') throw new Failure('conflict', 'The time of this link is over.');
    if (by === 'professional' && known.reason !== 'professional')
      throw new Failure('conflict', 'The marketplace has taken this link back.');
  }
}

function isSame(gateway: Gateway, known: Recording, { title, passcode }: Upload): boolean {
  return known.title === title && storedLink(gateway, known).passcode === passcode;
}

function newUpload(gateway: Gateway, meeting: Meeting, { url, title, passcode, mark }: Upload & { mark: string }): Recording {
  const blank = blankRecording(gateway, meeting, mark);
  return { ...blank, source: 'upload', linkSealed: sealLink(gateway, blank.id, { url, passcode }), title, readyAt: gateway.now() };
}
