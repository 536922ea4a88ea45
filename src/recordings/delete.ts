/** The end of a recording at its vendor: its page there is closed, itself deleted where the policy says so, and both are read back. */
import type { Account, RecordingRef, RecordingRemoval } from '../../providers/provider.ts';
import { atVendor } from '../connections/account.ts';
import { reconnectRequired } from '../connections/tokens.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import { DAY, HOUR, MINUTE, plus } from '../domain/time.ts';
import { emitAll, eventId } from '../events/emit.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import { connectionOf, providerOf } from '../meetings/link.ts';
import type { Writer } from '../store/database.ts';
import { findOwnEvent } from '../store/events.ts';
import { scheduleJob } from '../store/jobs.ts';
import { findMeeting, type Meeting } from '../store/meetings.ts';
import { findRecording, lockRecording, type Recording } from '../store/recordings.ts';
import { closePage, isAll, possibleAtVendor, recordingRef, sureFrom, wantedAtVendor, type VendorWork } from './at-vendor.ts';
import { deletionFailed, settle } from './erase.ts';

/** Chosen: how long a vendor, or a professional who has to connect again, is waited for. Then what we have is erased all the same. */
const PATIENCE_MS = 14 * DAY;
/** As long as it has failed already is waited until the next try: at least and at most this. */
const SHORTEST_WAIT_MS = MINUTE;
const LONGEST_WAIT_MS = 6 * HOUR;

/** Job `recording.delete`. Whatever fails is tried again by this job itself, whose patience is longer than that of others. */
export async function deleteAtVendor(gateway: Gateway, recordingId: string): Promise<void> {
  const { db, log, now, wake } = gateway;
  const recording = await findRecording(db.read, recordingId);
  if (recording?.vendorEnding !== 'pending') return;
  const meeting = (await findMeeting(db.read, recording.meetingId))!;
  try {
    // As the policy is now: it may have changed its mind since the recording ended.
    const wanted = wantedAtVendor(await policyFor(db.read, meeting), recording);
    const done = await endThere(gateway, meeting, recording, wanted);
    const ending = done === null ? null : isAll(wanted, done) ? 'confirmed' : 'not_capable';
    await once(gateway, recording, async (tx, locked) => {
      const sure = sureFrom(locked);
      // Closed for now, and once more when nothing that was asked before can open it any more. What is deleted opens for nobody.
      if (done?.remove !== true && sure > now()) return scheduleJob(tx, { kind: 'recording.delete', subjectId: locked.id, dueAt: sure });
      return settle(tx, gateway, { recording: locked, meeting }, { ending, done, reason: ending ?? 'not_wanted' });
    });
  } catch (error) {
    const failure = Failure.from(error);
    if (failure.code === 'storage_unavailable' || failure.code === 'key_unavailable') throw failure;
    log.warn({ err: error, recording: recordingId }, 'a recording could not be ended at its vendor');
    await putOff(gateway, meeting, recording, failure);
  }
  wake();
}

/** What was done of it, and read back; null when nothing is wanted. */
async function endThere(gateway: Gateway, meeting: Meeting, recording: Recording, wanted: VendorWork): Promise<VendorWork | null> {
  const { log } = gateway;
  if (!(wanted.close || wanted.remove)) return null;
  const named = recordingRef(gateway, recording, meeting);
  if (named === undefined) throw new Failure('not_capable', 'It is not known any more which meeting this was at the vendor.');
  const connection = await connectionOf(gateway, meeting);
  if (connection.status !== 'active') throw reconnectRequired();
  const possible = possibleAtVendor(providerOf(gateway, meeting).recordings, connection, wanted);
  const close = async (): Promise<boolean> => {
    if (possible.close) await atVendor(gateway, connection, ({ recordings }, account) => closePage(recordings.shares!, account, named));
    return possible.close;
  };
  if (possible.remove) {
    try {
      await atVendor(gateway, connection, ({ recordings }, account) => removeAll(recordings.removal!, account, named));
      return { close: false, remove: true };
    } catch (error) {
      if (!isFailure(error, 'not_capable')) {
        // Until it is deleted, it is at least shown to nobody.
        await close().catch((reason: unknown) =>
          log.warn({ err: reason, recording: recording.id }, 'its page could not be closed, either'),
        );
        throw error;
      }
    }
  }
  return { close: await close(), remove: false };
}

async function removeAll(removal: RecordingRemoval, account: Account, named: RecordingRef): Promise<void> {
  await removal.remove(account, named);
  if (!(await removal.isGone(account, named)))
    throw new Failure('vendor_nonsense', 'The vendor still has the recording after deleting it.');
}

async function putOff(gateway: Gateway, meeting: Meeting, recording: Recording, failure: Failure): Promise<void> {
  const { now } = gateway;
  await once(gateway, recording, async (tx, locked) => {
    const owned = { recording: locked, meeting };
    const reason = failure.code;
    if (reason === 'not_capable') return settle(tx, gateway, owned, { ending: 'not_capable', done: null, reason });
    const told = deletionFailed(owned, { reason, final: false });
    await emitAll(tx, gateway, [told]);
    // Since when it fails is when that was told first.
    const { at: since } = (await findOwnEvent(tx, meeting.marketplaceId, eventId(told)))!;
    const at = now();
    const failingMs = at.getTime() - since.getTime();
    if (failingMs >= PATIENCE_MS) return settle(tx, gateway, owned, { ending: 'given_up', done: null, reason });
    const waitMs = Math.max(failure.retryAfterMs ?? 0, Math.min(Math.max(failingMs, SHORTEST_WAIT_MS), LONGEST_WAIT_MS));
    await scheduleJob(tx, { kind: 'recording.delete', subjectId: recording.id, dueAt: plus(at, waitMs) });
    return undefined;
  });
}

/** Not when somebody else has ended it meanwhile. */
const once = ({ db }: Gateway, { id }: Recording, work: (tx: Writer, locked: Recording) => Promise<void>): Promise<void> =>
  db.write(async (tx) => {
    const locked = await lockRecording(tx, id);
    if (locked?.vendorEnding === 'pending') await work(tx, locked);
  });
