/**
 * A recording that is withheld is shown by nobody: its page at the vendor is closed, and opened anew at the next click when it is shown again.
 * So it is where recipients are not sent there any more.
 */
import type { Account, Provider } from '../../providers/provider.ts';
import { atVendor } from '../connections/account.ts';
import { Failure } from '../domain/failure.ts';
import type { Policy } from '../domain/policy.ts';
import { plus, SECOND } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import { connectionOf } from '../meetings/link.ts';
import type { Writer } from '../store/database.ts';
import { scheduleJob } from '../store/jobs.ts';
import { findMeeting } from '../store/meetings.ts';
import { findRecording, listShared, lockRecording, updateRecording, type Recording } from '../store/recordings.ts';
import { closePage, possibleAtVendor, recordingRef, sureFrom } from './at-vendor.ts';

export const UNSHARE = 'recording.unshare';

/** Somebody waits for the end of the connection. */
const LONGEST_FAREWELL_MS = 20 * SECOND;
const AT_ONCE = 5;

/** Of a recording whose page at the vendor is not, or may not be, closed. */
export async function closeShareSoon(tx: Writer, { now }: Pick<Gateway, 'now'>, { id, sharedAt }: Recording): Promise<void> {
  if (sharedAt !== null) await scheduleJob(tx, { kind: UNSHARE, subjectId: id, dueAt: now() });
}

/** Of the marketplace's, whose recipients are streamed to from now on. */
export async function closeSharesSoon(tx: Writer, gateway: Pick<Gateway, 'now'>, marketplaceId: string): Promise<void> {
  for (const recording of await listShared(tx, { marketplaceId })) await closeShareSoon(tx, gateway, recording);
}

/**
 * Job `recording.unshare`. What it cannot close is closed at the end of the recording, where a failure is told.
 * @throws Failure what the vendor's adapter throws, `vendor_nonsense` when the page is still open; then the worker comes back
 */
export async function closeShare(gateway: Gateway, recordingId: string): Promise<void> {
  const { db } = gateway;
  const recording = await findRecording(db.read, recordingId);
  const meeting = recording && (await findMeeting(db.read, recording.meetingId));
  if (recording === undefined || meeting === undefined || !isShared(recording)) return;
  const policy = await policyFor(db.read, meeting);
  if (!isToBeClosed(policy, recording)) return;
  const connection = await connectionOf(gateway, meeting);
  const named = recordingRef(gateway, recording, meeting);
  if (named === undefined) return;
  await atVendor(gateway, connection, async ({ recordings }, account) => {
    const { close } = possibleAtVendor(recordings, connection, { close: true, remove: false });
    if (!close) throw new Failure('not_capable', 'The account does not allow to close the page of its recording.');
    await closePage(recordings.shares!, account, named);
  });
  await noteClosed(gateway, recordingId, (locked) => isToBeClosed(policy, locked));
}

/**
 * Before the account is left for good: afterwards nobody can close them. Best effort, and what an account has may be a lot: when one fails,
 * or the time is over, the rest is left as it is.
 */
export async function closeShares(
  gateway: Gateway,
  { provider, account }: { provider: Provider; account: Account },
  shared: readonly Recording[],
): Promise<void> {
  const { db, log, now } = gateway;
  const { shares } = provider.recordings;
  if (shares === undefined) return;
  const until = plus(now(), LONGEST_FAREWELL_MS);
  try {
    for (let from = 0; from < shared.length && now() < until; from += AT_ONCE) {
      const group = shared.slice(from, from + AT_ONCE).map(async (recording) => {
        const meeting = await findMeeting(db.read, recording.meetingId);
        const named = meeting && recordingRef(gateway, recording, meeting);
        if (named === undefined) return;
        await closePage(shares, account, named);
        await noteClosed(gateway, recording.id, () => true);
      });
      await Promise.all(group);
    }
  } catch (error) {
    log.warn({ err: error }, 'the pages of recordings could not be closed before their account was left');
  }
}

/** `isFor`: it is to stay closed; otherwise it is shown again, and the next click opens it. */
const noteClosed = ({ db, now }: Gateway, id: string, isFor: (locked: Recording) => boolean): Promise<void> =>
  db.write(async (tx) => {
    const locked = await lockRecording(tx, id);
    if (locked === undefined) return;
    const stays = isFor(locked);
    const sure = sureFrom(locked);
    const isSure = sure <= now();
    // Closed once more when nothing that was asked before can open it any more.
    if (stays && !isSure) await scheduleJob(tx, { kind: UNSHARE, subjectId: id, dueAt: sure });
    // Shown again meanwhile: whether its page was opened before or after this is not known.
    await updateRecording(
      tx,
      { id, from: ['withheld', 'published'] },
      stays && isSure ? { linkSealed: null, sharedAt: null } : { linkSealed: null },
    );
  });

export const isShared = ({ source, sharedAt, vendorRecordingSealed }: Recording): boolean =>
  source === 'provider' && sharedAt !== null && vendorRecordingSealed !== null;

const isToBeClosed = ({ recording }: Policy, { state }: Recording): boolean =>
  state === 'withheld' || (state === 'published' && recording.delivery !== 'redirect');
