/** The way in, for customers and hosts. The vendor's link appears nowhere before it is followed. */
import { checkApprovedHost, classifyJoinUrl } from '../../providers/approved.ts';
import { atVendor } from '../connections/account.ts';
import { joinUrlContext } from '../connections/sealed.ts';
import type { ProviderId } from '../domain/apps.ts';
import { Failure } from '../domain/failure.ts';
import { joinWindow, type MeetingState } from '../domain/meeting.ts';
import { type BookingKind, type Policy } from '../domain/policy.ts';
import { hashToken } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import { isShut } from '../professionals/standing.ts';
import { findStanding } from '../store/standing.ts';
import { findAttendeeByToken, findMeeting, findMeetingByHostToken, listAttendees, type Attendee, type Meeting } from '../store/meetings.ts';
import { noteClick } from './click.ts';
import { recordConsent } from './consent.ts';
import { connectionOf, meetingRef } from './link.ts';

/** What a door shows. `early` opens at `opensAt`. */
export type Door = 'unpaid' | 'pending' | 'early' | 'open' | 'over' | 'cancelled' | 'expired';

export interface Entrance {
  readonly meeting: Meeting;
  readonly policy: Policy;
  readonly door: Door;
  readonly opensAt: Date;
  readonly closesAt: Date;
}

/** @throws Failure `not_found` */
export async function openJoinLink(gateway: Gateway, token: string): Promise<Entrance & { attendee: Attendee }> {
  const attendee = await findAttendeeByToken(gateway.db.read, hashToken(token));
  const meeting = attendee && (await findMeeting(gateway.db.read, attendee.meetingId));
  if (attendee === undefined || meeting === undefined) throw new Failure('not_found', 'There is no such join link.');
  return { ...(await entrance(gateway, meeting, attendee.purchasedAt !== null)), attendee };
}

/** The vendor's join link, for a customer who may come in now. @throws Failure `not_found`, `forbidden`, `gone` */
export async function join(gateway: Gateway, token: string): Promise<string> {
  const { meeting, attendee, policy, door } = await openJoinLink(gateway, token);
  checkDoor(door);
  const url = vendorJoinUrl(gateway, meeting, policy);
  if (policy.recording[meeting.bookingKind as BookingKind].consent === 'implied' && attendee.recordingConsent === 'missing') {
    await recordConsent(
      gateway,
      { marketplaceId: meeting.marketplaceId, meetingId: meeting.id, customerId: attendee.customerId },
      { decision: 'granted', locale: attendee.locale ?? 'en', textVersion: 'implied-by-joining', channel: 'join_page' },
    );
  }
  await noteClick(gateway, meeting, { side: 'customer', customerId: attendee.customerId });
  return url;
}

/** @throws Failure `conflict` while there is none, `app_not_approved` */
export function vendorJoinUrl({ vault }: Gateway, meeting: Meeting, policy: Policy): string {
  if (meeting.vendorJoinUrlSealed === null) throw new Failure('conflict', 'The link is not made yet.');
  const url = vault.open(meeting.vendorJoinUrlSealed, joinUrlContext(meeting.id));
  // The whitelist holds at the moment of joining, too: what was approved then may be withdrawn now.
  if (meeting.linkSource === 'uploaded') classifyJoinUrl(url, policy.approved_apps);
  // The form of its own links is the vendor's business; whose they are is ours.
  else checkApprovedHost(url, policy.approved_apps);
  return url;
}

export async function openHostLink(gateway: Gateway, token: string): Promise<Entrance & { attendees: Attendee[] }> {
  const meeting = await findMeetingByHostToken(gateway.db.read, hashToken(token));
  if (meeting === undefined) throw new Failure('not_found', 'There is no such host link.');
  return {
    ...(await entrance(gateway, meeting, meeting.lockedAt !== null)),
    attendees: await listAttendees(gateway.db.read, [meeting.id]),
  };
}

/** The vendor's host link, fetched for this moment. */
export async function host(gateway: Gateway, token: string): Promise<string> {
  const { meeting, policy, door } = await openHostLink(gateway, token);
  checkDoor(door);
  const url = await hostUrl(gateway, meeting, policy);
  await noteClick(gateway, meeting, { side: 'host', customerId: null });
  return url;
}

async function hostUrl(gateway: Gateway, meeting: Meeting, policy: Policy): Promise<string> {
  if (!policy.approved_apps.includes(meeting.provider as ProviderId)) {
    throw new Failure('app_not_approved', 'The marketplace does not use this app any more.', {
      extra: { approved_apps: policy.approved_apps },
    });
  }
  if (meeting.linkSource === 'uploaded') return gateway.vault.open(meeting.vendorJoinUrlSealed!, joinUrlContext(meeting.id));
  const ref = meetingRef(gateway, meeting);
  if (ref === undefined) throw new Failure('conflict', 'The link is not made yet.');
  return atVendor(gateway, await connectionOf(gateway, meeting), (provider, account) => provider.hostUrl(account, ref));
}

/** `paid`: whether the reader has bought, or somebody has for whom the reader comes. */
export async function entrance(gateway: Gateway, meeting: Meeting, paid: boolean): Promise<Entrance> {
  const policy = await policyFor(gateway.db.read, meeting);
  const { opensAt, closesAt } = joinWindow(policy, meeting);
  const now = gateway.now();
  const door = doorOf(meeting, paid, now, { opensAt, closesAt, metered: policy.meter.enabled });
  const shut = door === 'open' && isShut(policy, meeting, await findStanding(gateway.db.read, meeting), now);
  return { meeting, policy, opensAt, closesAt, door: shut ? 'over' : door };
}

/** What the door of a meeting shows somebody who has bought, or for whom somebody has. */
export function doorOf(
  meeting: Meeting,
  paid: boolean,
  now: Date,
  { opensAt, closesAt, metered }: { opensAt: Date; closesAt: Date; metered: boolean },
): Door {
  const state = meeting.state as MeetingState;
  if (state === 'cancelled' || state === 'expired') return state;
  // The deadline counts from its moment, not from when the job gets to it.
  if (meeting.lockedAt === null && now >= meeting.purchaseBy) return 'expired';
  if (!paid) return 'unpaid';
  if (state === 'link_pending') return 'pending';
  // A vendor's meeting that was cut off can be entered again while its time lasts; a metered one is as long as it is paid for (T08).
  if (now >= closesAt && !(metered && state === 'live')) return 'over';
  if (now < opensAt && state !== 'live') return 'early';
  return 'open';
}

/** @throws Failure `forbidden`, `gone` */
export function checkDoor(door: Door): void {
  if (door === 'open') return;
  if (door === 'unpaid') throw new Failure('forbidden', 'No purchase is completed.');
  if (door === 'early' || door === 'pending') throw new Failure('forbidden', 'The meeting is not open yet.');
  throw new Failure('gone', door === 'over' ? 'The meeting is over.' : `The meeting is ${door}.`);
}
