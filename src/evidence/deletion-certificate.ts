/** What the gateway signs about a recording that is gone. Its claims are described in docs/security.md. */
import { Failure } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import { SECOND } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { findLastAuditEntry, type AuditEntry } from '../store/audit.ts';
import { listRecordingLinks, type Recording } from '../store/recordings.ts';
import { sign } from './signing.ts';

/** The media type of the certificate without `application/`, as RFC 7515 writes it. */
export const CERTIFICATE_TYPE = 'deletion-certificate+jwt';

const ENDS = ['recording.expired', 'recording.revoked'];
/** Of a recording that ended at its vendor first, the last word is an entry of its own. */
const ERASURES = [...ENDS, 'recording.erased'];

const ERASED = ['passcode', 'title', 'files', 'recording_times', 'personal_links', 'links_in_events'];

/** @throws Failure `conflict` while it is not erased */
export async function certifyDeletion(gateway: Gateway, recording: Recording): Promise<string> {
  const { config, db, now } = gateway;
  const { erasedAt } = recording;
  if (erasedAt === null) throw new Failure('conflict', 'The recording is not erased (yet).');
  const ended = await findLastAuditEntry(db.read, recording.id, ENDS);
  const erasure = await findLastAuditEntry(db.read, recording.id, ERASURES);
  const details = ended?.details ?? {};
  const links = await listRecordingLinks(db.read, [recording.id]);
  return sign(gateway, CERTIFICATE_TYPE, {
    iss: config.publicUrl,
    sub: recording.id,
    iat: Math.floor(now().getTime() / SECOND),
    jti: newId(gateway, 'crt'),
    meeting_id: recording.meetingId,
    marketplace: recording.marketplaceId,
    source: recording.source,
    published_at: recording.publishedAt?.toISOString() ?? null,
    ended: { as: recording.state, at: (ended?.at ?? erasedAt).toISOString(), reason: recording.reason },
    erased_at: erasedAt.toISOString(),
    // The vendor has deleted it before anything of it was heard or kept here.
    erased: details['never_known'] === true ? [] : [recording.source === 'provider' ? 'vendor_recording_id' : 'uploaded_link', ...ERASED],
    personal_links: links.filter(({ kind }) => kind === 'recipient').length,
    at_vendor:
      recording.vendorEnding === null
        ? null
        : {
            ending: recording.vendorEnding,
            ended_at: recording.vendorEndedAt?.toISOString() ?? null,
            ...doneThere(erasure),
            read_back: recording.vendorEnding === 'confirmed',
          },
    audit: erasure?.seq == null ? null : { entry: erasure.id, seq: erasure.seq, hash: erasure.hash },
  });
}

/** What the entry says of it. One page that is closed is no recording that is deleted. */
function doneThere(erasure: AuditEntry | undefined): { closed: boolean; deleted: boolean } {
  const { at_vendor: done } = (erasure?.details ?? {}) as { at_vendor?: { closed?: boolean; deleted?: boolean } | string | null };
  return typeof done === 'object' && done !== null
    ? { closed: done.closed === true, deleted: done.deleted === true }
    : { closed: false, deleted: false };
}
