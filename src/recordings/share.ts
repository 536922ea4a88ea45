/** Recipients are sent to the vendor's own page of a recording, where the policy says so and the vendor can show one (G17, G18). */
import { atVendor } from '../connections/account.ts';
import { isFailure } from '../domain/failure.ts';
import type { Policy } from '../domain/policy.ts';
import { recordingGone } from '../domain/recording.ts';
import type { Gateway } from '../gateway.ts';
import { connectionOf, providerOf } from '../meetings/link.ts';
import { lockRecording, updateRecording, type OpenedMeeting, type OpenedRecording } from '../store/recordings.ts';
import { findRecordingRef } from './at-vendor.ts';
import { closeShareSoon } from './unshare.ts';
import { sealLink, type StoredLink } from './stored-link.ts';

/** Whether the vendor's page is what recipients get; otherwise the recording is streamed. */
export async function isRedirected(gateway: Gateway, policy: Policy, meeting: OpenedMeeting): Promise<boolean> {
  if (policy.recording.delivery !== 'redirect' || meeting.connectionId === null) return false;
  const { shares } = providerOf(gateway, meeting).recordings;
  if (shares === undefined) return false;
  const { scopes } = await connectionOf(gateway, meeting);
  return shares.scopes.every((scope) => scopes.includes(scope));
}

/**
 * The vendor's page, opened there for whoever has its address. That it may be open is written down before it is, so that the end of the
 * recording closes it whatever happens here. Undefined: the account forbids it.
 * @throws Failure `gone`, and what the vendor's call throws
 */
export async function openShare(
  gateway: Gateway,
  meeting: OpenedMeeting,
  { id }: Pick<OpenedRecording, 'id'>,
): Promise<StoredLink | undefined> {
  const { db, now, wake } = gateway;
  const where = { id, from: ['published'] };
  // 1. Reserve.
  const { before, reserved } = await db.write(async (tx) => {
    const locked = await lockRecording(tx, id);
    return { before: locked?.sharedAt ?? null, reserved: await updateRecording(tx, where, { sharedAt: now() }) };
  });
  if (reserved === undefined) throw recordingGone();

  // 2. Call.
  const ref = await findRecordingRef(gateway, id);
  const connection = await connectionOf(gateway, meeting);
  let link: StoredLink;
  try {
    link = await atVendor(gateway, connection, ({ recordings }, account) => recordings.shares!.open(account, ref));
  } catch (error) {
    if (!isFailure(error, 'not_capable')) throw error;
    // What was never open has nothing to be closed, unless somebody else tries at the same time.
    if (before === null) {
      await db.write(async (tx) => {
        if ((await lockRecording(tx, id))?.sharedAt?.getTime() === reserved.sharedAt?.getTime())
          await updateRecording(tx, where, { sharedAt: null });
      });
    }
    return undefined;
  }

  // 3. Settle.
  const { sharedAt } = reserved;
  const state = await db.write(async (tx) => {
    // What closes the page of a withheld one may have been faster than what opened it.
    const linkSealed = sealLink(gateway, id, link);
    if ((await updateRecording(tx, where, { linkSealed, sharedAt })) !== undefined) return 'published';
    const withheld = await updateRecording(tx, { id, from: ['withheld'] }, { sharedAt });
    if (withheld !== undefined) await closeShareSoon(tx, gateway, withheld);
    return withheld?.state;
  });
  if (state === 'published') return link;
  wake();
  if (state === 'withheld') throw recordingGone();
  // It ended meanwhile, and its end may have been just as fast.
  await atVendor(gateway, connection, ({ recordings }, account) => recordings.shares!.close(account, ref));
  throw recordingGone();
}
