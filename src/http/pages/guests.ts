/** Inviting guests (F10) from the customer's and the professional's page. */
import type { Context } from 'hono';
import { guestContext } from '../../connections/sealed.ts';
import { isFailure } from '../../domain/failure.ts';
import { plainText } from '../../domain/plain-text.ts';
import type { Gateway } from '../../gateway.ts';
import { guestsOf, inviteGuest, mayRevoke, type Inviter } from '../../meetings/guests.ts';
import type { Entrance } from '../../meetings/join.ts';
import type { Meeting } from '../../store/meetings.ts';
import { CLOSED } from '../live.ts';
import { type GuestsCard, type GuestsState, MOST_GUEST_NAME_CHARACTERS } from './views/index.ts';

/** Form: `name`, which may be empty. What became of it, as a word for the page's address. */
export async function invite(c: Context, gateway: Gateway, { marketplaceId, id: meetingId }: Meeting, by: Inviter): Promise<GuestsState> {
  const { name: written } = await c.req.parseBody();
  const name = typeof written === 'string' ? plainText(written).replaceAll(/\s+/g, ' ').slice(0, MOST_GUEST_NAME_CHARACTERS) : '';
  try {
    await inviteGuest(gateway, { marketplaceId, meetingId, name: name || null, by });
    return 'invited';
  } catch (error) {
    if (isFailure(error, 'conflict')) return 'refused';
    throw error;
  }
}

/** Everybody sees the own guests, with their links; the professional also who else is coming. Null where nobody can be invited. */
export async function guestsCardOf(
  c: Context,
  { config, db, vault }: Gateway,
  { meeting, policy, door }: Entrance,
  by: Inviter,
): Promise<GuestsCard | null> {
  if (!policy.links.shareable || CLOSED.has(door) || door === 'unpaid') return null;
  const guests = (await guestsOf(db.read, meeting)).filter(({ revokedAt }) => revokedAt === null);
  const word = c.req.query('guests');
  return {
    guests: guests
      .filter((guest) => by.side === 'professional' || mayRevoke(guest, by))
      .map((guest) => ({
        id: guest.id,
        name: guest.name,
        uses: guest.uses,
        url: mayRevoke(guest, by) ? `${config.publicUrl}/g/${vault.open(guest.tokenSealed, guestContext(guest.id))}` : null,
      })),
    open: guests.length < policy.links.max_guests && meeting.continuedBy === null,
    mostGuests: policy.links.max_guests,
    state: word === 'invited' || word === 'revoked' || word === 'refused' ? word : 'empty',
  };
}
