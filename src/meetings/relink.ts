/** Another link for a meeting that nobody has bought yet (G06, G08): another app, or one that was made elsewhere. */
import { classifyJoinUrl } from '../../providers/approved.ts';
import { atVendor } from '../connections/account.ts';
import { joinUrlContext, staleLinkContext } from '../connections/sealed.ts';
import type { ProviderId } from '../domain/apps.ts';
import { Failure } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import type { BookingKind, Policy } from '../domain/policy.ts';
import { policyOf } from '../domain/presets/index.ts';
import { MINUTE, plus } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { checkStanding } from '../professionals/standing.ts';
import { considerRecording } from '../recordings/automatic.ts';
import { findConnection } from '../store/connections.ts';
import type { Writer } from '../store/database.ts';
import { cancelJob, scheduleJob } from '../store/jobs.ts';
import type { Marketplace } from '../store/marketplaces.ts';
import { findMeeting, listAttendees, updateMeeting, type Meeting } from '../store/meetings.ts';
import { deleteStaleLink, findStaleLink, insertStaleLink } from '../store/stale-links.ts';
import { participantsOf } from './candidates.ts';
import { chooseConnection } from './choose.ts';
import { decideUploaded, takeLink } from './draft.ts';
import { findLeftover, makeVendorMeeting, vendorColumns, type MadeMeeting } from './link.ts';
import { dropHold, freeHost, holdOther, settleHold } from './pool.ts';
import { decisionColumns } from './reserve.ts';
import { tellMeeting } from './tell.ts';

/** Longer than any vendor call; then its process is believed dead. */
const CLEAN_UP_AFTER_MS = 2 * MINUTE;

/** @throws Failure `link_locked`, `professional_suspended`, `conflict`, and what a new meeting throws */
export async function changeLink(
  gateway: Gateway,
  marketplace: Marketplace,
  meeting: Meeting,
  link: { readonly joinUrl: string } | { readonly provider: ProviderId },
): Promise<Meeting> {
  checkUnlocked(meeting);
  const { marketplaceId, professionalId } = meeting;
  await checkStanding(gateway.db.read, { marketplaceId, professionalId, now: gateway.now() });
  const changed =
    'joinUrl' in link
      ? await useUploaded(gateway, marketplace, meeting, link.joinUrl)
      : await useProvider(gateway, marketplace, meeting, link.provider);
  gateway.wake();
  return changed;
}

function checkUnlocked({ lockedAt }: Meeting): void {
  if (lockedAt !== null) throw new Failure('link_locked', 'A customer has bought: the link may not change any more.');
}

async function useUploaded(gateway: Gateway, marketplace: Marketplace, meeting: Meeting, joinUrl: string): Promise<Meeting> {
  const policy = policyOf(marketplace);
  const link = classifyJoinUrl(joinUrl, policy.approved_apps);
  const { durationMinutes } = meeting;
  const decision = decideUploaded(policy, { provider: null, durationMinutes, participants: await participantsIn(gateway, meeting) }, link);
  return gateway.db.write(async (tx) => {
    await takeLink(tx, link, meeting.id);
    return replaceLink(tx, gateway, meeting, {
      ...decisionColumns(decision),
      linkSource: 'uploaded',
      vendorMeetingId: null,
      vendorDetails: {},
      vendorJoinUrlSealed: gateway.vault.seal(link.url, joinUrlContext(meeting.id)),
      degraded: [],
      recordsAutomatically: false,
    });
  });
}

async function useProvider(gateway: Gateway, marketplace: Marketplace, meeting: Meeting, provider: ProviderId): Promise<Meeting> {
  const { db, now } = gateway;
  if (meeting.provider === provider && meeting.linkSource === 'created') return meeting;
  const policy = asAsked(policyOf(marketplace));
  const { professionalId, startsAt, durationMinutes } = meeting;
  const participants = await participantsIn(gateway, meeting);
  const request = { marketplace, professionalId, provider, startsAt, durationMinutes, participants };
  const own = policy.hosting === 'professional' ? await chooseConnection(gateway, policy, request) : undefined;
  const vendorKey = newId(gateway, 'mtg');

  // 1. Reserve: what the call may leave behind is known before it is made.
  const { connection, decision, hold } = await db.write(async (tx) => {
    const chosen = own === undefined ? await holdOther(tx, gateway, policy, request, meeting.id) : { ...own, hold: undefined };
    await insertStaleLink(tx, {
      key: vendorKey,
      meetingId: meeting.id,
      connectionId: chosen.connection.id,
      vendorMeetingId: null,
      vendorDetails: {},
      joinUrlSealed: null,
    });
    await scheduleJob(tx, { kind: 'link.release', subjectId: vendorKey, dueAt: plus(now(), CLEAN_UP_AFTER_MS) });
    return chosen;
  });
  const draft: Meeting = { ...meeting, provider, connectionId: connection.id, vendorKey };
  const giveBack = async (error: unknown): Promise<never> => {
    if (hold !== undefined) await db.write((tx) => dropHold(tx, hold));
    throw error;
  };

  // 2. Call.
  let made: MadeMeeting;
  try {
    made = await makeVendorMeeting(gateway, draft, connection, { retry: false });
  } catch (error) {
    const { code } = Failure.from(error);
    // Only an answer that was lost or made no sense can have left something behind.
    if (code !== 'vendor_unavailable' && code !== 'vendor_nonsense') await db.write((tx) => forget(tx, vendorKey));
    return giveBack(error);
  }
  // 3. Settle: the new link takes the place of the old one, which is taken away.
  const settle = async (tx: Writer): Promise<Meeting> => {
    const columns = await vendorColumns(tx, gateway, meeting, made);
    await forget(tx, vendorKey);
    const replaced = await replaceLink(tx, gateway, meeting, {
      ...columns,
      ...decisionColumns(decision),
      linkSource: 'created',
      vendorKey,
    });
    if (hold !== undefined) await settleHold(tx, meeting.id, hold);
    return replaced;
  };
  return db.write(settle).catch(giveBack);
}

/** Who changes the app of a meeting that exists means this app: one that is too short is refused and not replaced by another one. */
const asAsked = (policy: Policy): Policy =>
  policy.limits.on_exceed === 'choose_other' ? { ...policy, limits: { ...policy.limits, on_exceed: 'reject' } } : policy;

const participantsIn = async ({ db }: Gateway, { id, bookingKind }: Meeting): Promise<number | null> =>
  participantsOf(bookingKind as BookingKind, (await listAttendees(db.read, [id])).length);

async function replaceLink(tx: Writer, gateway: Gateway, before: Meeting, changes: Partial<Meeting>): Promise<Meeting> {
  const current = await findMeeting(tx, before.id);
  if (current !== undefined) checkUnlocked(current);
  if (current?.vendorKey !== before.vendorKey) throw new Failure('conflict', 'The link was changed by somebody else. Try again.');
  // The first purchase confirms the meeting: whoever comes second finds another state.
  const updated = await updateMeeting(tx, { id: before.id, from: ['awaiting_purchase'] }, changes);
  if (updated === undefined) throw new Failure('conflict', `The meeting is ${current.state}.`);
  // The host of the old link is free; the one of a new link is held beside it.
  await freeHost(tx, before.id);
  const { connectionId, vendorMeetingId, vendorDetails, vendorKey: key, vendorJoinUrlSealed } = before;
  if (before.linkSource === 'created' && connectionId !== null && vendorJoinUrlSealed !== null) {
    const joinUrl = gateway.vault.open(vendorJoinUrlSealed, joinUrlContext(before.id));
    await insertStaleLink(tx, {
      key,
      meetingId: before.id,
      connectionId,
      vendorMeetingId,
      vendorDetails,
      joinUrlSealed: gateway.vault.seal(joinUrl, staleLinkContext(key)),
    });
    await scheduleJob(tx, { kind: 'link.release', subjectId: key, dueAt: gateway.now() });
  }
  await tellMeeting(tx, gateway, updated, 'meeting.changed', newId(gateway, 'evt'), { changed: ['link', 'provider'] });
  await considerRecording(tx, gateway, updated);
  return updated;
}

/** Job `link.release`: takes a meeting at a vendor away that no meeting of ours uses. */
export async function releaseStaleLink(gateway: Gateway, key: string): Promise<void> {
  const { db, log, vault } = gateway;
  const stale = await findStaleLink(db.read, key);
  const meeting = stale && (await findMeeting(db.read, stale.meetingId));
  const connection = stale && (await findConnection(db.read, stale.connectionId));
  if (stale === undefined || meeting === undefined || connection === undefined) return;
  if (connection.status === 'active') {
    const { vendorMeetingId, vendorDetails, joinUrlSealed } = stale;
    const provider = connection.provider as ProviderId;
    const ref =
      vendorMeetingId !== null && joinUrlSealed !== null
        ? { id: vendorMeetingId, joinUrl: vault.open(joinUrlSealed, staleLinkContext(key)), details: vendorDetails }
        : await findLeftover(gateway, { ...meeting, provider, vendorKey: key }, connection);
    if (ref !== undefined) await atVendor(gateway, connection, (vendor, account) => vendor.cancelMeeting(account, ref));
  } else log.warn({ meeting: meeting.id, connection: connection.id }, 'the vendor meeting stays: its account is no longer connected');
  await db.write((tx) => deleteStaleLink(tx, key));
}

async function forget(tx: Writer, key: string): Promise<void> {
  await deleteStaleLink(tx, key);
  await cancelJob(tx, { kind: 'link.release', subjectId: key });
}
