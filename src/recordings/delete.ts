/** The end of a recording at its vendor: its page there is closed, itself deleted where the policy says so, and both are read back. */
import { atVendor } from '../connections/account.ts';
import { vendorRecordingContext } from '../connections/sealed.ts';
import { Failure } from '../domain/failure.ts';
import { DAY, HOUR, MINUTE, plus } from '../domain/time.ts';
import { emitAll, eventId } from '../events/emit.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import { connectionOf, meetingRef } from '../meetings/link.ts';
import type { Writer } from '../store/database.ts';
import { findOwnEvent } from '../store/events.ts';
import { scheduleJob } from '../store/jobs.ts';
import { findMeeting, type Meeting } from '../store/meetings.ts';
import { findRecording, lockRecording, type Recording } from '../store/recordings.ts';
import { closePage, isAll, possibleAtVendor, wantedAtVendor } from './at-vendor.ts';
import { deletionFailed, settle } from './erase.ts';

/** Chosen: how long a vendor, or a professional who has to connect again, is waited for. Then what we have is erased all the same. */
const PATIENCE_MS = 14 * DAY;
/** As long as it has failed already is waited until the next try: at least and at most this. */
const SHORTEST_WAIT_MS = MINUTE;
const LONGEST_WAIT_MS = 6 * HOUR;

/** Job `recording.delete`. Whatever fails is tried again by this job itself, whose patience is longer than that of others. */
export async function deleteAtVendor(gateway: Gateway, recordingId: string): Promise<void> {
  const { db, log, wake } = gateway;
  const recording = await findRecording(db.read, recordingId);
  if (recording?.vendorEnding !== 'pending') return;
  const meeting = (await findMeeting(db.read, recording.meetingId))!;
  try {
    const ending = await closeAndRemove(gateway, meeting, recording);
    await once(gateway, recording, (tx, locked) =>
      settle(tx, gateway, { recording: locked, meeting }, { ending, reason: ending ?? 'not_wanted' }),
    );
  } catch (error) {
    const failure = Failure.from(error);
    if (failure.code === 'storage_unavailable' || failure.code === 'key_unavailable') throw failure;
    log.warn({ err: error, recording: recordingId }, 'a recording could not be ended at its vendor');
    await putOff(gateway, meeting, recording, failure);
  }
  wake();
}

async function closeAndRemove(gateway: Gateway, meeting: Meeting, recording: Recording): Promise<'confirmed' | 'not_capable' | null> {
  const { db, vault } = gateway;
  // As the policy is now: it may have changed its mind since the recording ended.
  const wanted = wantedAtVendor(await policyFor(db.read, meeting), recording);
  if (!(wanted.close || wanted.remove)) return null;
  const ref = meetingRef(gateway, meeting);
  if (ref === undefined) throw new Failure('not_capable', 'It is not known any more which meeting this was at the vendor.');
  const named = { meeting: ref, recordingId: vault.open(recording.vendorRecordingSealed!, vendorRecordingContext(recording.id)) };
  const connection = await connectionOf(gateway, meeting);
  return atVendor(gateway, connection, async ({ recordings }, account) => {
    const { shares, removal } = recordings;
    const possible = possibleAtVendor(recordings, connection, wanted);
    if (possible.close && shares !== undefined) await closePage(shares, account, named);
    if (possible.remove && removal !== undefined) {
      await removal.remove(account, named);
      if (!(await removal.isGone(account, named)))
        throw new Failure('vendor_nonsense', 'The vendor still has the recording after deleting it.');
    }
    return isAll(wanted, possible) ? 'confirmed' : 'not_capable';
  });
}

async function putOff(gateway: Gateway, meeting: Meeting, recording: Recording, failure: Failure): Promise<void> {
  const { now } = gateway;
  await once(gateway, recording, async (tx, locked) => {
    const owned = { recording: locked, meeting };
    const reason = failure.code;
    if (reason === 'not_capable') return settle(tx, gateway, owned, { ending: 'not_capable', reason });
    const told = deletionFailed(owned, { reason, final: false });
    await emitAll(tx, gateway, [told]);
    // Since when it fails is when that was told first.
    const { at: since } = (await findOwnEvent(tx, meeting.marketplaceId, eventId(told)))!;
    const at = now();
    const failingMs = at.getTime() - since.getTime();
    if (failingMs >= PATIENCE_MS) return settle(tx, gateway, owned, { ending: 'given_up', reason });
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
