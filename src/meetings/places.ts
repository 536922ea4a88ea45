/** Where a personal join link is opened: where links are not to be shared, a second browser is told to the marketplace (F10). */
import type { Policy } from '../domain/policy.ts';
import { fingerprint } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import { addPlace, countPlaces, isKnownPlace } from '../store/join-places.ts';
import type { Attendee, Meeting } from '../store/meetings.ts';
import { tellMeeting } from './tell.ts';

/** Of one link. Anything can send a cookie; that it is shared is plain by then. */
const MOST_PLACES = 10;

/** `browser`: the secret that its cookie holds. Never in the way of who wants to come in: what cannot be written is left out. */
export async function notePlace(
  gateway: Gateway,
  { meeting, policy, attendee }: { meeting: Meeting; policy: Policy; attendee: Attendee },
  browser: string,
): Promise<void> {
  const { db, log, now, wake } = gateway;
  if (policy.links.shareable) return;
  // Of each link another digest, so that nobody can tell from the table who opens several.
  const place = { attendeeId: attendee.id, placeHash: fingerprint('place', attendee.id, browser) };
  try {
    if (await isKnownPlace(db.read, place)) return;
    const [known] = await countPlaces(db.read, [attendee.id]);
    if (known !== undefined && known.places >= MOST_PLACES) return;
    await db.write(async (tx) => {
      const places = await addPlace(tx, { ...place, at: now() });
      // The third and all after it are no further news.
      if (places > 1)
        await tellMeeting(tx, gateway, meeting, 'meeting.link_shared', attendee.id, { customer_id: attendee.customerId, places });
    });
    wake();
  } catch (error) {
    log.warn({ err: error, meeting: meeting.id }, 'where a join link was opened could not be noted');
  }
}
