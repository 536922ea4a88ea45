/**
 * The end of a recording: its links die at once, everything by which it could be opened or recognized at the vendor is erased, a tombstone
 * stays (G15). What has to be done at the vendor before needs the vendor's id, which goes when that is done (`delete.ts`).
 */
import type { ProviderId } from '../domain/apps.ts';
import { found } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import type { Policy } from '../domain/policy.ts';
import type { RevokedReason, VendorEnding } from '../domain/recording.ts';
import { emitAll, type NewEvent } from '../events/emit.ts';
import type { Gateway } from '../gateway.ts';
import { policiesFor } from '../marketplaces/policy.ts';
import { countAuditEntries, insertAuditEntry } from '../store/audit.ts';
import { findConnection, type Connection } from '../store/connections.ts';
import type { Writer } from '../store/database.ts';
import { eraseEventLinks } from '../store/events.ts';
import { cancelJob, forgetErrors, scheduleJob, scheduleJobs } from '../store/jobs.ts';
import { listRecordedMeetings, type RecordedMeeting } from '../store/meetings.ts';
import {
  endRecordings,
  eraseLinkTokens,
  findOwnRecording,
  lockRecording,
  revokeLinks,
  updateRecordings,
  type Recording,
} from '../store/recordings.ts';
import { possibleAtVendor, wantedAtVendor, type VendorWork } from './at-vendor.ts';
import { recordingEvent } from './tell.ts';

/** The states that end. */
const LIVE = ['processing', 'withheld', 'published'];
const ENDED = ['expired', 'revoked'];

type End = ({ readonly state: 'expired'; readonly reason: null } | { readonly state: 'revoked'; readonly reason: RevokedReason }) & {
  /** Of the event. */
  readonly key: string;
};

export type Owned = { readonly recording: Recording; readonly meeting: RecordedMeeting };

/** Job `recording.expire`, one for itself. */
export async function expireRecording(gateway: Gateway, recordingId: string): Promise<void> {
  await gateway.db.write(async (tx) => {
    const recording = await lockRecording(tx, recordingId);
    if (recording === undefined) return;
    for (const [subjectId, dueAt] of await expireDue(tx, gateway, [recording]))
      await scheduleJob(tx, { kind: 'recording.expire', subjectId, dueAt });
  });
  gateway.wake();
}

/** Ends those of the recordings, all of them locked, whose time is over; of the others, when it will be. */
export async function expireDue(tx: Writer, gateway: Gateway, recordings: readonly Recording[]): Promise<Map<string, Date>> {
  const at = gateway.now();
  const later = new Map<string, Date>();
  const due: Recording[] = [];
  for (const recording of recordings) {
    const { id, state, expiresAt } = recording;
    if (expiresAt === null || !LIVE.includes(state)) continue;
    if (expiresAt > at) later.set(id, expiresAt);
    else due.push(recording);
  }
  const meetings = new Map(
    (await listRecordedMeetings(tx, [...new Set(due.map(({ meetingId }) => meetingId))])).map((one) => [one.id, one]),
  );
  await end(
    tx,
    gateway,
    due.map((recording) => ({ recording, meeting: meetings.get(recording.meetingId)! })),
    { state: 'expired', reason: null, key: 'once' },
  );
  return later;
}

/** Ends it now, by the operator's hand in the marketplace's name. @throws Failure `not_found` */
export async function takeBackRecording(
  gateway: Gateway,
  { marketplaceId, id }: { marketplaceId: string; id: string },
): Promise<Recording> {
  const { db, wake } = gateway;
  const ended = await db.write(async (tx) => {
    const recording = found(await findOwnRecording(tx, marketplaceId, id));
    const [meeting] = await listRecordedMeetings(tx, [recording.meetingId]);
    await revokeRecording(tx, gateway, meeting!, recording, 'marketplace');
    return found(await findOwnRecording(tx, marketplaceId, id));
  });
  wake();
  return ended;
}

/** Takes the whole recording back before its time. */
export async function revokeRecording(
  tx: Writer,
  gateway: Gateway,
  meeting: RecordedMeeting,
  { id }: Pick<Recording, 'id'>,
  reason: RevokedReason,
): Promise<void> {
  const recording = await lockRecording(tx, id);
  if (recording === undefined) return;
  if (LIVE.includes(recording.state)) {
    // What the vendor had deleted and found again can be taken back once more.
    const before = await countAuditEntries(tx, id, 'recording.revoked');
    await revokeLinks(tx, { recordingId: id, at: gateway.now() });
    await end(tx, gateway, [{ recording, meeting }], { state: 'revoked', reason, key: before === 0 ? 'once' : `after ${before}` });
    await cancelJob(tx, { kind: 'recording.expire', subjectId: id });
  } else if (reason === 'app_removed' && recording.vendorEnding === 'pending') {
    // The account that it lies in cannot be reached any more, and what is the vendor's may not be kept.
    await settle(tx, gateway, { recording, meeting }, { ending: 'not_capable', done: null, reason });
    await cancelJob(tx, { kind: 'recording.delete', subjectId: id });
  }
}

async function end(tx: Writer, gateway: Gateway, owned: readonly Owned[], how: End): Promise<void> {
  if (owned.length === 0) return;
  const { state, reason, key } = how;
  const at = gateway.now();
  const policyOf = policiesFor(tx);
  const connectionOf = connectionsIn(tx);
  const byEnding = new Map<VendorEnding | null, Owned[]>();
  for (const one of owned) {
    const ending = await endingOf(gateway, one, { policy: await policyOf(one.meeting), connectionOf, reason });
    byEnding.set(ending, [...(byEnding.get(ending) ?? []), one]);
  }
  const events: NewEvent[] = [];
  for (const [vendorEnding, group] of byEnding) {
    const pending = vendorEnding === 'pending';
    const erasedAt = pending ? null : at;
    await endRecordings(tx, { ids: group.map(({ recording }) => recording.id), from: LIVE }, { state, reason, vendorEnding, erasedAt });
    for (const { recording, meeting } of group) {
      const erased_at = erasedAt?.toISOString() ?? null;
      events.push(
        how.state === 'expired'
          ? recordingEvent(meeting, recording, 'recording.expired', key, { erased_at })
          : recordingEvent(meeting, recording, 'recording.revoked', key, { reason: how.reason, erased_at }),
      );
      if (vendorEnding === 'not_capable')
        events.push(deletionFailed({ recording, meeting }, { reason: reason ?? 'not_capable', final: true }));
      await insertAuditEntry(tx, {
        id: newId(gateway, 'aud'),
        marketplaceId: recording.marketplaceId,
        at,
        action: `recording.${state}`,
        subjectId: recording.id,
        details: {
          meeting_id: recording.meetingId,
          published_at: recording.publishedAt?.toISOString() ?? null,
          files: recording.files.length,
          reason,
          at_vendor: vendorEnding,
          erased_at,
        },
      });
    }
    if (pending)
      await scheduleJobs(
        tx,
        group.map(({ recording }) => ({ kind: 'recording.delete', subjectId: recording.id, dueAt: at })),
      );
  }
  const ids = owned.map(({ recording }) => recording.id);
  await eraseLinkTokens(tx, ids);
  await eraseEventLinks(tx, ids);
  // The job that brought it here goes; the one that looked for the recording at the vendor may still say why it failed.
  await forgetErrors(
    tx,
    owned.map(({ meeting }) => `recording.look:${meeting.id}`),
  );
  await emitAll(tx, gateway, events);
}

/** The last of it, when there is nothing to be done at the vendor any more. `recording` is locked, and has been pending. */
export async function settle(
  tx: Writer,
  gateway: Gateway,
  { recording, meeting }: Owned,
  { ending, done, reason }: { ending: Exclude<VendorEnding, 'pending'> | null; done: VendorWork | null; reason: string },
): Promise<void> {
  const at = gateway.now();
  const confirmed = ending === 'confirmed';
  const vendorEndedAt = confirmed ? at : null;
  await updateRecordings(
    tx,
    { ids: [recording.id], from: ENDED },
    {
      vendorRecordingSealed: null,
      vendorEnding: ending,
      vendorEndedAt,
      erasedAt: at,
      ...(confirmed ? { sharedAt: null } : {}),
    },
  );
  await forgetErrors(tx, [`recording.delete:${recording.id}`]);
  const at_vendor =
    ending === null
      ? null
      : { ending, ended_at: vendorEndedAt?.toISOString() ?? null, closed: done?.close === true, deleted: done?.remove === true };
  await insertAuditEntry(tx, {
    id: newId(gateway, 'aud'),
    marketplaceId: recording.marketplaceId,
    at,
    action: 'recording.erased',
    subjectId: recording.id,
    details: { meeting_id: meeting.id, at_vendor, reason, erased_at: at.toISOString() },
  });
  await emitAll(tx, gateway, [
    ending === 'not_capable' || ending === 'given_up'
      ? deletionFailed({ recording, meeting }, { reason, final: true })
      : // Only what the vendor has not any more is deleted.
        recordingEvent(meeting, recording, at_vendor?.deleted === true ? 'recording.deleted' : 'recording.erased', 'once', {
          erased_at: at.toISOString(),
          at_vendor,
        }),
  ]);
}

/** Told when it first failed, and when it will not be tried again. */
export const deletionFailed = ({ recording, meeting }: Owned, { reason, final }: { reason: string; final: boolean }): NewEvent =>
  recordingEvent(meeting, recording, 'recording.deletion_failed', final ? 'final' : 'first', { reason, final });

/** What is to be done at the vendor now that the recording ends; null when it is nothing. */
async function endingOf(
  { providers }: Gateway,
  { recording, meeting }: Owned,
  { policy, connectionOf, reason }: { policy: Policy; connectionOf: ConnectionOf; reason: RevokedReason | null },
): Promise<VendorEnding | null> {
  const wanted = wantedAtVendor(policy, recording);
  if (!(wanted.close || wanted.remove) || reason === 'deleted_at_vendor') return null;
  const connection = reason === 'app_removed' ? undefined : await connectionOf(meeting);
  const provider = providers.get(meeting.provider as ProviderId);
  if (connection === undefined || provider === undefined) return 'not_capable';
  const possible = possibleAtVendor(provider.recordings, connection, wanted);
  return possible.close || possible.remove ? 'pending' : 'not_capable';
}

type ConnectionOf = (meeting: RecordedMeeting) => Promise<Connection | undefined>;

/** Many recordings lie in one account: it is read once. */
function connectionsIn(tx: Writer): ConnectionOf {
  const known = new Map<string, Promise<Connection | undefined>>();
  return async ({ connectionId }) => {
    if (connectionId === null) return undefined;
    const connection = known.get(connectionId) ?? findConnection(tx, connectionId);
    known.set(connectionId, connection);
    return connection;
  };
}
