/** Join links for people who are no customers, where the policy lets links be shared (F10). */
import { guestContext } from '../connections/sealed.ts';
import { leadsOn } from '../domain/continuation.ts';
import { Failure, found, notFound } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import { isOver, type MeetingState } from '../domain/meeting.ts';
import type { BookingKind, RecordingMode } from '../domain/policy.ts';
import { isAsked, type Consent } from '../domain/recording.ts';
import { MINUTE } from '../domain/time.ts';
import { hashToken, newToken } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import { insertAuditEntry } from '../store/audit.ts';
import type { Reader } from '../store/database.ts';
import {
  countGuestUse,
  findGuestByToken,
  findGuestConsent,
  findOwnGuest,
  insertGuest,
  listGuests,
  lockGuest,
  markGuestRevoked,
  type Guest,
} from '../store/guests.ts';
import { findAttendee, findMeeting, findOwnMeeting, insertConsent, lockMeeting, type Meeting } from '../store/meetings.ts';
import { noteClick } from './click.ts';
import { followDecision, type ConsentDecision } from './consent.ts';
import { checkDoor, entrance, vendorJoinUrl, type Entrance } from './join.ts';
import { segmentsOf } from './segments.ts';
import { tellMeeting } from './tell.ts';

/** Who invites, and who takes an invitation back. */
export type Inviter =
  | { readonly side: 'marketplace' }
  | { readonly side: 'professional' }
  | { readonly side: 'customer'; readonly customerId: string };

/** How often the places of a meeting's guests can be given anew. Chosen: far above what invitations to one meeting take. */
const MOST_TURNS = 10;

interface Invitation {
  readonly marketplaceId: string;
  readonly meetingId: string;
  /** For whom it is. */
  readonly name: string | null;
  readonly by: Inviter;
}

/**
 * A new guest link.
 * @throws Failure `not_found`, `forbidden` where the policy lets no link be shared and for a customer who has not bought, `conflict` when
 * the meeting is over, goes on as another one, or has as many guest links as it may have
 */
export async function inviteGuest(gateway: Gateway, { marketplaceId, meetingId, name, by }: Invitation): Promise<Guest> {
  const { db, now, random, vault } = gateway;
  const token = newToken(random);
  return db.write(async (tx) => {
    found(await findOwnMeeting(tx, marketplaceId, meetingId));
    // Two invitations at the same moment count one after the other.
    const meeting = found(await lockMeeting(tx, meetingId));
    const { links } = await policyFor(tx, meeting);
    if (!links.shareable) throw new Failure('forbidden', 'By the policy of this marketplace (`links`) nobody can be invited as a guest.');
    const attendee = by.side === 'customer' ? found(await findAttendee(tx, meetingId, by.customerId)) : undefined;
    if (attendee?.purchasedAt === null) throw new Failure('forbidden', 'Who has not bought the meeting invites nobody to it.');
    if (meeting.continuedBy !== null)
      throw new Failure('conflict', 'The meeting goes on as another one: guests are invited to that one.', {
        extra: { continued_by: meeting.continuedBy },
      });
    if (isOver(meeting.state as MeetingState)) throw new Failure('conflict', `The meeting is ${meeting.state}.`);
    const { max_guests: most } = links;
    const ever = await guestsOf(tx, meeting);
    // Links that were taken back count as well after a while, so that nobody fills lists and the audit log with them.
    if (ever.filter(({ revokedAt }) => revokedAt === null).length >= most || ever.length >= most * MOST_TURNS)
      throw new Failure('conflict', 'The meeting has as many guest links as it may have.', { extra: { max_guests: most } });
    const id = newId(gateway, 'gst');
    const guest: Guest = {
      id,
      marketplaceId,
      meetingId,
      name,
      invitedBy: by.side,
      customerId: by.side === 'customer' ? by.customerId : null,
      tokenHash: hashToken(token),
      tokenSealed: vault.seal(token, guestContext(id)),
      uses: 0,
      lastUsedAt: null,
      revokedAt: null,
      createdAt: now(),
    };
    await insertGuest(tx, guest);
    await insertAuditEntry(tx, auditEntry(gateway, guest, 'guest.invited', by));
    return guest;
  });
}

/**
 * The link opens nothing from now on; who came in by it stays in the vendor's meeting. Revoked once more it stays as it is. `meeting`: on
 * whose page that is wanted, null by the API. Each page has the guests of its own booking only, whatever id is sent to it.
 * @throws Failure `not_found`, also for a guest of somebody else's
 */
export async function revokeGuest(
  gateway: Gateway,
  { marketplaceId, id, by, meeting }: { marketplaceId: string; id: string; by: Inviter; meeting: Meeting | null },
): Promise<Guest> {
  const { db, now } = gateway;
  return db.write(async (tx) => {
    const guest = found(await findOwnGuest(tx, marketplaceId, id));
    if (!mayRevoke(guest, by)) throw notFound();
    if (meeting !== null && !(await segmentsOf(tx, meeting)).some((segment) => segment.id === guest.meetingId)) throw notFound();
    const revoked = await markGuestRevoked(tx, id, now());
    if (revoked === undefined) return found(await findOwnGuest(tx, marketplaceId, id));
    await insertAuditEntry(tx, auditEntry(gateway, guest, 'guest.revoked', by));
    return revoked;
  });
}

/** The marketplace may revoke every link, everybody else the own ones. */
export const mayRevoke = ({ invitedBy, customerId }: Guest, by: Inviter): boolean =>
  by.side === 'marketplace' || (by.side === invitedBy && (by.side === 'professional' || by.customerId === customerId));

const auditEntry = (gateway: Gateway, guest: Guest, action: string, by: Inviter) => ({
  id: newId(gateway, 'aud'),
  marketplaceId: guest.marketplaceId,
  at: gateway.now(),
  action,
  subjectId: guest.id,
  details: { meeting_id: guest.meetingId, by: by.side, customer_id: guest.customerId },
});

/** Of all meetings that continue each other with it: a guest of one of them is a guest of all. */
export async function guestsOf(db: Reader, meeting: Meeting): Promise<Guest[]> {
  const segments = await segmentsOf(db, meeting);
  return listGuests(
    db,
    segments.map(({ id }) => id),
  );
}

export interface GuestEntrance extends Entrance {
  readonly guest: Guest;
  /** The link was revoked, or the policy lets no links be shared any more. */
  readonly revoked: boolean;
  readonly consent: Consent;
}

/** A link leads to what its meeting goes on as. @throws Failure `not_found` */
export async function openGuestLink(gateway: Gateway, token: string): Promise<GuestEntrance> {
  const { read } = gateway.db;
  const guest = await findGuestByToken(read, hashToken(token));
  const invited = guest && (await findMeeting(read, guest.meetingId));
  if (guest === undefined || invited === undefined) throw new Failure('not_found', 'There is no such guest link.');
  const segments = await segmentsOf(read, invited);
  const later = segments.slice(segments.indexOf(invited) + 1).findLast(({ state }) => leadsOn(state as MeetingState));
  const meeting = later ?? invited;
  const opened = await entrance(gateway, meeting, meeting.lockedAt !== null);
  return {
    ...opened,
    guest,
    revoked: guest.revokedAt !== null || !opened.policy.links.shareable,
    consent: await consentOf(read, guest),
  };
}

/** Whoever would be recorded with the consent of the customers only, without having been asked, does not come in (G12). */
export const mustAgree = ({ meeting, policy, consent }: GuestEntrance): boolean =>
  meeting.recording !== 'none' &&
  isAsked(policy, meeting.bookingKind as BookingKind, meeting.recording as RecordingMode) &&
  consent !== 'granted';

/**
 * The vendor's join link, for a guest who may come in now. Uses are counted and told, those of one minute as one.
 * @throws Failure `not_found`, `forbidden`, `gone`, `consent_missing`
 */
export async function joinAsGuest(gateway: Gateway, token: string): Promise<string> {
  const { db, now, wake } = gateway;
  const opened = await openGuestLink(gateway, token);
  const { guest, meeting, policy } = opened;
  if (opened.revoked) throw revokedLink();
  checkDoor(opened.door);
  const url = vendorJoinUrl(gateway, meeting, policy);
  await db.write(async (tx) => {
    // Who says no at this moment waits, or was heard before: the guest's row is held.
    const current = found(await lockGuest(tx, guest.id));
    if (current.revokedAt !== null) throw revokedLink();
    const consent = await consentOf(tx, current);
    if (mustAgree({ ...opened, consent })) throw new Failure('consent_missing', 'A guest comes in after having agreed to the recording.');
    const at = now();
    if (current.lastUsedAt !== null && minuteOf(current.lastUsedAt) === minuteOf(at)) return;
    const uses = await countGuestUse(tx, guest.id, at);
    if (consent === 'missing' && policy.recording[meeting.bookingKind as BookingKind].consent === 'implied')
      await insertConsent(tx, { ...ledgerEntry(gateway, guest), decision: 'granted', locale: 'en', textVersion: 'implied-by-joining' });
    const told = { guest_id: guest.id, name: guest.name, uses };
    await tellMeeting(tx, gateway, meeting, 'meeting.guest_joined', `${guest.id} ${uses}`, told);
  });
  wake();
  await noteClick(gateway, meeting, { side: 'unknown', customerId: null, guestId: guest.id });
  return url;
}

/**
 * A guest's yes lets the guest in; a no after that counts as a customer's does. The same once more changes nothing.
 * @throws Failure `gone` for who never came in, and cannot any more
 */
export async function recordGuestConsent(
  gateway: Gateway,
  { guest: { id }, meeting, door, revoked }: GuestEntrance,
  decision: Omit<ConsentDecision, 'channel'>,
): Promise<void> {
  await gateway.db.write(async (tx) => {
    // Held, so that it is known whether the guest has come in.
    const guest = found(await lockGuest(tx, id));
    if (guest.uses === 0) {
      if (revoked || guest.revokedAt !== null) throw revokedLink();
      if (door === 'cancelled' || door === 'expired') checkDoor(door);
    }
    if ((await consentOf(tx, guest)) === decision.decision) return;
    const entry = ledgerEntry(gateway, guest);
    await insertConsent(tx, { ...entry, ...decision });
    if (guest.uses === 0) return;
    for (const segment of await segmentsOf(tx, meeting)) {
      await followDecision(tx, gateway, segment, { decision: decision.decision, id: entry.id, isNew: true });
    }
  });
  gateway.wake();
}

const consentOf = async (db: Reader, guest: Guest): Promise<Consent> => ((await findGuestConsent(db, guest)) ?? 'missing') as Consent;

const minuteOf = (moment: Date): number => Math.floor(moment.getTime() / MINUTE);

/** In the ledger a guest stands under the id of the guest link. */
const ledgerEntry = (gateway: Gateway, guest: Guest) => ({
  id: newId(gateway, 'cst'),
  marketplaceId: guest.marketplaceId,
  meetingId: guest.meetingId,
  customerId: guest.id,
  channel: 'guest_page',
  at: gateway.now(),
});

const revokedLink = (): Failure => new Failure('gone', 'The guest link was revoked.');
