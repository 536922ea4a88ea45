/** What happens to a meeting after it was made: change, cancel, end, expire, close. */
import { atVendor } from '../connections/account.ts';
import type { ProviderId } from '../domain/apps.ts';
import { Failure, notFound } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import {
  endsAt,
  isOver,
  joinWindow,
  live,
  MEETING_STATES,
  type Ender,
  type Happening,
  type MeetingLife,
  type MeetingState,
} from '../domain/meeting.ts';
import { policyOf } from '../domain/presets/index.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import { closeMeter, followMeter, toldSessions, usedBlocks } from '../meters/follow.ts';
import { considerRecording } from '../recordings/automatic.ts';
import { expectRecording } from '../recordings/reconcile.ts';
import type { Writer } from '../store/database.ts';
import { cancelJob, scheduleJob } from '../store/jobs.ts';
import type { Marketplace } from '../store/marketplaces.ts';
import { findMeeting, findOwnMeeting, lockMeeting, releaseLiveBookings, updateMeeting, type Meeting } from '../store/meetings.ts';
import { refreshLive } from './live.ts';
import { isEndable, connectionOf, meetingRef, providerOf } from './link.ts';
import { dropHold, freeHost, holdForChange, occupyHost, settleHold } from './pool.ts';
import { changeLink } from './relink.ts';
import { takeBack } from './take-back.ts';
import { tellMeeting } from './tell.ts';

export interface Change {
  /** Another app, or a link made elsewhere: only before the first purchase. */
  readonly provider?: ProviderId | undefined;
  readonly joinUrl?: string | undefined;
  readonly title?: string | undefined;
  readonly startsAt?: Date | undefined;
  readonly durationMinutes?: number | undefined;
  readonly timeZone?: string | undefined;
}

/** The link first, where it is to change, then the rest. */
export async function changeMeeting(
  gateway: Gateway,
  { marketplace, meetingId, change }: { marketplace: Marketplace; meetingId: string; change: Change },
): Promise<Meeting> {
  const { provider, joinUrl, ...facts } = change;
  const meeting = await ownMeeting(gateway, marketplace.id, meetingId);
  if (meeting.continuedBy !== null)
    throw new Failure('conflict', 'The meeting goes on as another one: that is the one to change.', {
      extra: { continued_by: meeting.continuedBy },
    });
  if (joinUrl !== undefined && provider !== undefined) {
    throw new Failure('invalid', 'The request breaks a rule.', {
      errors: [{ pointer: '/provider', detail: 'comes from the link when a link is given' }],
    });
  }
  if (joinUrl !== undefined || provider !== undefined) {
    await changeLink(gateway, marketplace, meeting, joinUrl === undefined ? { provider: provider! } : { joinUrl });
  }
  return changeFacts(gateway, { marketplace, meetingId, change: facts });
}

/** The API's spelling of what a change can change. */
const SPELLING = { title: 'title', startsAt: 'starts_at', durationMinutes: 'duration_minutes', timeZone: 'time_zone' } as const;

/** Time, length and title: the vendor's meeting and all links stay. */
async function changeFacts(
  gateway: Gateway,
  { marketplace, meetingId, change }: { marketplace: Marketplace; meetingId: string; change: Change },
): Promise<Meeting> {
  const { db, now, wake } = gateway;
  const meeting = await ownMeeting(gateway, marketplace.id, meetingId);
  if (isOver(meeting.state as MeetingState)) throw new Failure('conflict', `The meeting is ${meeting.state}.`);
  if (meeting.state === 'link_pending') throw new Failure('conflict', 'The link is not made yet. Wait for meeting.link_ready.');
  const next = {
    title: change.title ?? meeting.title,
    startsAt: change.startsAt ?? meeting.startsAt,
    durationMinutes: change.durationMinutes ?? meeting.durationMinutes,
    timeZone: change.timeZone ?? meeting.timeZone,
  };
  if (endsAt(next) <= now())
    throw new Failure('invalid', 'The request breaks a rule.', {
      errors: [{ pointer: '/starts_at', detail: 'the meeting would be over already' }],
    });
  const changed = (Object.keys(next) as (keyof typeof next)[]).filter((name) => String(next[name]) !== String(meeting[name]));
  // Vendors count changes against daily quotas: nothing is sent that changes nothing.
  if (changed.length === 0) return meeting;
  const policy = policyOf(marketplace);
  const limitExceeded = meeting.plan !== 'paid' && meeting.limitMinutes !== null && next.durationMinutes > meeting.limitMinutes;
  // What could not have been booked cannot be reached by a change either (G14).
  if (limitExceeded && meeting.plan === 'free' && policy.limits.on_exceed !== 'warn' && next.durationMinutes > meeting.durationMinutes) {
    throw new Failure('limit_exceeded', `The plan ends a meeting after ${meeting.limitMinutes} minutes.`, {
      extra: { limit_minutes: meeting.limitMinutes, alternatives: [] },
    });
  }
  const ref = meetingRef(gateway, meeting);
  let hold: string | undefined;
  const giveBack = async (error: unknown): Promise<never> => {
    if (hold !== undefined) await db.write((tx) => dropHold(tx, hold!));
    throw error;
  };
  if (meeting.linkSource === 'created' && ref !== undefined) {
    const connection = await connectionOf(gateway, meeting);
    const moved = changed.includes('startsAt') || changed.includes('durationMinutes');
    if (connection.professionalId === null && moved)
      hold = await db.write((tx) => holdForChange(tx, gateway, policy, connection, meeting, next));
    await atVendor(gateway, connection, (provider, account) => provider.changeMeeting(account, ref, next)).catch(giveBack);
  }
  const settle = async (tx: Writer): Promise<Meeting> => {
    // Given at the confirmation, it is not taken back by a later policy; places at an event are sold until its end, which may move.
    const deadline = meeting.bookingKind === 'event' ? endsAt(next) : meeting.purchaseBy;
    const row = await updateMeeting(
      tx,
      { id: meeting.id, from: MEETING_STATES.filter((state) => !isOver(state)) },
      { ...next, limitExceeded, purchaseBy: deadline },
    );
    if (row === undefined) throw new Failure('conflict', 'The meeting has ended meanwhile.');
    if (hold !== undefined) await settleHold(tx, row.id, hold);
    if (row.lockedAt === null) await scheduleJob(tx, { kind: 'meeting.expire', subjectId: row.id, dueAt: deadline });
    else await scheduleJob(tx, { kind: 'meeting.close', subjectId: row.id, dueAt: joinWindow(policy, row).closesAt });
    // Two changes may fall into one millisecond, and both are news.
    await tellMeeting(tx, gateway, row, 'meeting.changed', newId(gateway, 'evt'), { changed: changed.map((name) => SPELLING[name]) });
    await considerRecording(tx, gateway, row);
    return row;
  };
  const updated = await db.write(settle).catch(giveBack);
  wake();
  return updated;
}

export async function cancelMeeting(
  gateway: Gateway,
  { marketplaceId, meetingId, reason }: { marketplaceId: string; meetingId: string; reason: string | null },
): Promise<Meeting> {
  const { db, wake } = gateway;
  const meeting = await db.write(async (tx) => {
    const current = await findOwnMeeting(tx, marketplaceId, meetingId);
    if (current === undefined) throw notFound();
    if (current.state === 'cancelled') return current;
    if (isOver(current.state as MeetingState)) throw new Failure('conflict', `The meeting is ${current.state}.`);
    return (await move(tx, gateway, current, { type: 'cancelled' }, { cancelReason: reason })) ?? current;
  });
  wake();
  return meeting;
}

/** Ends the running meeting at the vendor; our own state follows the vendor's event. `by`: whose wish it is (T09). */
export async function endMeeting(
  gateway: Gateway,
  { marketplaceId, meetingId, by }: { marketplaceId: string; meetingId: string; by: Ender },
): Promise<Meeting> {
  const { db } = gateway;
  const meeting = await ownMeeting(gateway, marketplaceId, meetingId);
  const ref = meetingRef(gateway, meeting);
  const end = isEndable(gateway, meeting) ? providerOf(gateway, meeting).endMeeting : undefined;
  if (end === undefined || ref === undefined) throw new Failure('not_capable', 'This meeting cannot be ended from here.');
  if (meeting.state !== 'confirmed' && meeting.state !== 'live') throw new Failure('conflict', `The meeting is ${meeting.state}.`);
  const connection = await connectionOf(gateway, meeting);
  // Before the call: the vendor may tell the end before it answers. What is not known to run has nobody who ended it.
  const reserved = await db.write((tx) => updateMeeting(tx, { id: meeting.id, from: ['live'] }, { endedBy: by }));
  try {
    await atVendor(gateway, connection, (_, account) => end(account, ref));
  } catch (error) {
    if (reserved !== undefined) await db.write((tx) => takeBackEnder(tx, gateway, { meetingId, by }));
    throw error;
  }
  // The vendor's event may get lost; the recording is looked for all the same.
  if (meeting.state === 'live') await db.write((tx) => expectRecording(tx, gateway, meeting, gateway.now()));
  return ownMeeting(gateway, marketplaceId, meetingId);
}

/** It goes on: so does its meter, which has waited for the end. Somebody else's end stays. */
async function takeBackEnder(tx: Writer, gateway: Gateway, { meetingId, by }: { meetingId: string; by: Ender }): Promise<void> {
  const current = await lockMeeting(tx, meetingId);
  if (current?.endedBy !== by || current.state !== 'live') return;
  const going = await updateMeeting(tx, { id: meetingId, from: ['live'] }, { endedBy: null });
  if (going !== undefined) await followMeter(tx, gateway, going, await toldSessions(tx, meetingId));
}

/** Job `meeting.expire`: nobody bought in time (G04). */
export async function expireMeeting(gateway: Gateway, meetingId: string): Promise<void> {
  const { db, now, wake } = gateway;
  await db.write(async (tx) => {
    const meeting = await findMeeting(tx, meetingId);
    if (meeting === undefined || meeting.lockedAt !== null) return;
    if (meeting.purchaseBy > now()) await scheduleJob(tx, { kind: 'meeting.expire', subjectId: meeting.id, dueAt: meeting.purchaseBy });
    else await move(tx, gateway, meeting, { type: 'deadline_passed' });
  });
  wake();
}

/** Moves the meeting in an open transaction, with event and follow-up work; undefined when the happening changes nothing. */
export async function move(
  tx: Writer,
  gateway: Gateway,
  meeting: Meeting,
  happening: Happening,
  changes: Partial<Meeting> = {},
): Promise<Meeting | undefined> {
  const known = lifeOf(meeting);
  if (live(known, happening) === known) return undefined;
  // Somebody else may have moved it since it was read; what follows rests on its newest state.
  const current = await lockMeeting(tx, meeting.id);
  const before = current === undefined ? known : lifeOf(current);
  const after = live(before, happening);
  if (after === before) return undefined;
  const again = before.state === 'ended' && after.state === 'live';
  const updated = await updateMeeting(
    tx,
    { id: meeting.id, from: [before.state] },
    { ...changes, ...after, ...(before.state !== 'live' && after.state === 'live' ? { endedBy: null } : {}) },
  );
  if (updated === undefined) throw new Failure('conflict', 'The meeting has just changed. Try again.');
  if (after.state === 'ended') await expectRecording(tx, gateway, updated);
  if (after.state === before.state) return updated;
  // Which run of the vendor's meeting started or ended is told by `noteFact`.
  if (happening.type === 'closed')
    await tellMeeting(tx, gateway, updated, 'meeting.ended', 'once', {
      at: happening.at.toISOString(),
      ended_by: updated.endedBy as Ender | null,
    });
  if (after.state === 'expired') await tellMeeting(tx, gateway, updated, 'meeting.expired', 'once');
  if (after.state === 'cancelled') {
    await closeMeter(tx, gateway, updated);
    await tellMeeting(tx, gateway, updated, 'meeting.cancelled', 'once', { block_used: (await usedBlocks(tx, meeting.id)) > 0 });
  }
  if (isOver(after.state)) {
    if (happening.type !== 'ran') await refreshLive(tx, gateway, updated, []);
    await freeHost(tx, meeting.id);
    if (after.state !== 'ended') await takeBack(tx, await policyFor(tx, updated), updated);
    await releaseLiveBookings(tx, meeting.id);
    for (const kind of ['meeting.expire', 'meeting.close', 'meeting.link']) await cancelJob(tx, { kind, subjectId: meeting.id });
  }
  // Started once more: it needs its end again, should the vendor never tell it.
  if (again) {
    await occupyHost(tx, await policyFor(tx, updated), updated);
    await scheduleJob(tx, { kind: 'meeting.close', subjectId: meeting.id, dueAt: gateway.now() });
  }
  if (after.state === 'expired' || after.state === 'cancelled') {
    await scheduleJob(tx, { kind: 'meeting.release', subjectId: meeting.id, dueAt: gateway.now() });
  }
  return updated;
}

const lifeOf = ({ state, startedAt, endedAt }: Meeting): MeetingLife => ({ state: state as MeetingState, startedAt, endedAt });

async function ownMeeting({ db }: Gateway, marketplaceId: string, meetingId: string): Promise<Meeting> {
  const meeting = await findOwnMeeting(db.read, marketplaceId, meetingId);
  if (meeting === undefined) throw notFound();
  return meeting;
}
