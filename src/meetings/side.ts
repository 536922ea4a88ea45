/**
 * Whose side somebody in the vendor's meeting is on.
 *
 * Only the vendor's user id counts. An e-mail address does not: guests may type the professional's.
 *
 * On a platform-hosted meeting the host's account belongs to the operator. Where the host link signs its user in as that account (Zoom), only
 * the professional has that link, so the account is the professional. Elsewhere (Google, Microsoft) the professional comes in under a name of
 * their own, nobody can tell who is who, and the account itself, should it appear, is nobody's side.
 */
import type { ProviderId } from '../domain/apps.ts';
import type { Fact } from '../domain/session.ts';
import type { Gateway } from '../gateway.ts';
import { findHostAccount } from '../store/connections.ts';
import type { Reader } from '../store/database.ts';
import { wasGuestIn } from '../store/guests.ts';
import { findOnlyCustomer, type Meeting } from '../store/meetings.ts';
import { segmentsOf } from './segments.ts';

type Standing = Pick<Fact, 'side' | 'customerId'>;

export const NOBODY: Standing = { side: 'unknown', customerId: null };

/** `userId`: the vendor's, null for guests. */
export async function sideOf(db: Reader, { providers }: Gateway, meeting: Meeting, userId: string | null): Promise<Standing> {
  const account = meeting.connectionId === null ? undefined : await findHostAccount(db, meeting.connectionId);
  if (account === undefined) return NOBODY;
  const professionalIsAccount = account.professionalId !== null || providers.get(meeting.provider as ProviderId)?.hostLinkSignsIn === true;
  if (!professionalIsAccount) return NOBODY;
  if (userId === account.accountId) return { side: 'host', customerId: null };
  // With two people in the booking, who is not the one is the other. In groups it may be anybody, an assistant of the host included, and
  // where a guest has come in, the guest.
  if (meeting.bookingKind !== 'one_to_one' || (await hasHadGuests(db, meeting))) return NOBODY;
  return { side: 'customer', customerId: await findOnlyCustomer(db, meeting.id) };
}

/** A guest's link leads on to what its meeting goes on as: who came into one segment of a booking may be in all of them. */
async function hasHadGuests(db: Reader, meeting: Meeting): Promise<boolean> {
  for (const { id } of await segmentsOf(db, meeting)) if (await wasGuestIn(db, id)) return true;
  return false;
}
