/** The vendor's side of a meeting's link: made, repaired after a lost answer, taken away. */
import { linkIdentity } from '../../providers/approved.ts';
import type { MeetingRef, Provider, VendorMeeting } from '../../providers/provider.ts';
import { atVendor } from '../connections/account.ts';
import { joinUrlContext } from '../connections/sealed.ts';
import type { ProviderId } from '../domain/apps.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import { recordsByItself } from '../domain/recording.ts';
import { fingerprint } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import { considerRecording } from '../recordings/automatic.ts';
import { recordingFacts } from '../recordings/verdict.ts';
import { findConnection, type Connection } from '../store/connections.ts';
import type { Writer } from '../store/database.ts';
import { cancelJob, scheduleJob } from '../store/jobs.ts';
import { findMeeting, listAttendees, reserveLink, updateMeeting, type Meeting } from '../store/meetings.ts';
import { tellCreated, tellMeeting } from './tell.ts';

export interface MadeMeeting extends VendorMeeting {
  /** Whether the vendor records by itself. */
  readonly recordsAutomatically: boolean;
}

/** `retry`: an earlier attempt may have reached the vendor. */
export async function makeVendorMeeting(
  gateway: Gateway,
  meeting: Meeting,
  connection: Connection,
  { retry }: { retry: boolean },
): Promise<MadeMeeting> {
  const { db } = gateway;
  const policy = await policyFor(db.read, meeting);
  const attendees = await listAttendees(db.read, [meeting.id]);
  const recordAutomatically = recordsByItself(await recordingFacts(db.read, policy, meeting));
  const made = await atVendor(gateway, connection, (provider, account) =>
    provider.createMeeting(account, {
      key: meeting.vendorKey,
      retry,
      title: meeting.title,
      startsAt: meeting.startsAt,
      durationMinutes: meeting.durationMinutes,
      timeZone: meeting.timeZone,
      recordAutomatically,
      participantVideo: !attendees.some(({ cameraOff }) => cameraOff),
      // R04: who has just answered a call is there.
      ...(meeting.callId === null ? {} : { hostVideo: true }),
    }),
  );
  // Where the vendor does otherwise than it was asked, it does the opposite.
  return { ...made, recordsAutomatically: recordAutomatically !== made.degraded.includes('record_automatically') };
}

/**
 * Writes the vendor's meeting into ours. A meeting that was cancelled or expired while the vendor worked is not revived:
 * its vendor meeting is taken away again. `late`: the request that asked for it has been answered, or its process is gone.
 */
export async function settleLink(gateway: Gateway, meeting: Meeting, made: MadeMeeting, { late }: { late: boolean }): Promise<Meeting> {
  const { db, wake } = gateway;
  const settled = await db.write((tx) => settleIn(tx, gateway, meeting, made, { late }));
  wake();
  return settled;
}

/** The same in an open transaction. */
export async function settleIn(
  tx: Writer,
  gateway: Gateway,
  meeting: Meeting,
  made: MadeMeeting,
  { late }: { late: boolean },
): Promise<Meeting> {
  const vendor = await vendorColumns(tx, gateway, meeting, made);
  // A continuation was bought with the meeting that it continues.
  const state = meeting.lockedAt === null ? 'awaiting_purchase' : 'confirmed';
  const updated = await updateMeeting(tx, { id: meeting.id, from: ['link_pending'] }, { ...vendor, state });
  if (updated === undefined) {
    // Cancelled or expired meanwhile; or settled by the sweeper, who found the same vendor meeting.
    const current = (await findMeeting(tx, meeting.id))!;
    if (current.state === 'cancelled' || current.state === 'expired') {
      await updateMeeting(tx, { id: meeting.id, from: [current.state] }, vendor);
      await scheduleJob(tx, { kind: 'meeting.release', subjectId: meeting.id, dueAt: gateway.now() });
    }
    return current;
  }
  await cancelJob(tx, { kind: 'meeting.link', subjectId: meeting.id });
  // Written once in any case: a process that died before its answer has told nobody yet.
  await tellCreated(tx, gateway, updated);
  if (late) await tellMeeting(tx, gateway, updated, 'meeting.link_ready', 'once');
  await considerRecording(tx, gateway, updated);
  return updated;
}

/** What a vendor's meeting becomes in our row; its link is taken for good. @throws Failure `vendor_nonsense` for a link that is in use */
export async function vendorColumns(tx: Writer, { vault }: Gateway, meeting: Meeting, made: MadeMeeting) {
  const fresh = await reserveLink(tx, { linkHash: linkHash(made.joinUrl), meetingId: meeting.id });
  if (!fresh) throw new Failure('vendor_nonsense', 'The vendor gave a link that is in use already.');
  return {
    vendorMeetingId: made.id,
    vendorDetails: { ...made.details },
    vendorJoinUrlSealed: vault.seal(made.joinUrl, joinUrlContext(meeting.id)),
    degraded: [...made.degraded],
    recordsAutomatically: made.recordsAutomatically,
  };
}

/** Job `meeting.release`: takes the vendor's meeting of an expired or cancelled one away, also one whose creation got no answer. */
export async function releaseLink(gateway: Gateway, meetingId: string): Promise<void> {
  const { db, log } = gateway;
  const meeting = await findMeeting(db.read, meetingId);
  if (meeting === undefined || meeting.linkSource !== 'created') return;
  const connection = await connectionOf(gateway, meeting);
  if (connection.status !== 'active') {
    log.warn({ meeting: meeting.id, connection: connection.id }, 'the vendor meeting stays: its account is no longer connected');
    return;
  }
  const ref = meetingRef(gateway, meeting) ?? (await findLeftover(gateway, meeting, connection));
  if (ref === undefined) return;
  try {
    await atVendor(gateway, connection, (provider, account) => provider.cancelMeeting(account, ref));
  } catch (error) {
    if (!isFailure(error, 'reconnect_required')) throw error;
  }
}

/** What an attempt whose answer got lost may have left at the vendor; undefined when it left nothing. */
export async function findLeftover(gateway: Gateway, meeting: Meeting, connection: Connection): Promise<MeetingRef | undefined> {
  const find = providerOf(gateway, meeting).findMeeting;
  if (find !== undefined) return atVendor(gateway, connection, (_, account) => find(account, meeting.vendorKey));
  // Where it cannot be looked for, asking for it once more gives the same one.
  try {
    return await makeVendorMeeting(gateway, meeting, connection, { retry: true });
  } catch (error) {
    // It was taken away before, by a process that died before it could write that down.
    if (isFailure(error, 'vendor_refused') && error.extra['vendor_code'] === 'cancelled') return undefined;
    throw error;
  }
}

/** Whether it can be ended from here: it was made here, and its app lets us. */
export const isEndable = (
  { providers }: Pick<Gateway, 'providers'>,
  { linkSource, provider }: Pick<Meeting, 'linkSource' | 'provider'>,
): boolean => linkSource === 'created' && providers.get(provider as ProviderId)?.endMeeting !== undefined;

export function providerOf({ providers }: Gateway, meeting: Pick<Meeting, 'provider'>): Provider {
  const provider = providers.get(meeting.provider as ProviderId);
  if (provider === undefined) throw new Failure('not_configured', 'This app is not set up on the gateway any more.');
  return provider;
}

export async function connectionOf({ db }: Gateway, meeting: Pick<Meeting, 'connectionId'>): Promise<Connection> {
  const connection = meeting.connectionId === null ? undefined : await findConnection(db.read, meeting.connectionId);
  if (connection === undefined) throw new Failure('not_capable', 'This meeting was not made with a connected account.');
  return connection;
}

/** How the adapter knows the meeting; undefined while there is none. */
export function meetingRef(
  { vault }: Pick<Gateway, 'vault'>,
  meeting: Pick<Meeting, 'id' | 'vendorMeetingId' | 'vendorJoinUrlSealed' | 'vendorDetails'>,
): MeetingRef | undefined {
  if (meeting.vendorMeetingId === null || meeting.vendorJoinUrlSealed === null) return undefined;
  return {
    id: meeting.vendorMeetingId,
    joinUrl: vault.open(meeting.vendorJoinUrlSealed, joinUrlContext(meeting.id)),
    details: meeting.vendorDetails,
  };
}

/** Equal for every spelling of a link, whoever made it (G05). */
export const linkHash = (joinUrl: string): string => fingerprint('link', linkIdentity(joinUrl));
