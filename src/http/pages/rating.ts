/** The customer's rating after the meeting (R07). */
import type { Context } from 'hono';
import { isFailure } from '../../domain/failure.ts';
import { ratingRefusal } from '../../domain/rating.ts';
import type { Gateway } from '../../gateway.ts';
import type { Entrance } from '../../meetings/join.ts';
import { rateMeeting } from '../../meetings/rating.ts';
import type { Attendee, Meeting } from '../../store/meetings.ts';
import { findRating } from '../../store/ratings.ts';
import { newRating } from '../api/requests.ts';
import type { RatingCard, RatingDraft } from './views/index.ts';

/** The form of the page, checked as the API checks its body. What was written, where it is not complete; undefined once it is there. */
export async function rate(c: Context, gateway: Gateway, meeting: Meeting, { customerId }: Attendee): Promise<RatingDraft | undefined> {
  const form = await c.req.parseBody();
  const written = (name: string): string => (typeof form[name] === 'string' ? form[name] : '');
  const points = (name: string): number | null => (written(name) === '' ? null : Number(written(name)));
  const comment = written('comment').replaceAll('\r\n', '\n');
  const draft = { professional: points('professional'), connection: points('connection'), comment };
  const rating = newRating.safeParse(draft);
  if (!rating.success) return draft;
  const { professional, connection } = rating.data;
  try {
    await rateMeeting(gateway, {
      marketplaceId: meeting.marketplaceId,
      meetingId: meeting.id,
      customerId,
      professional,
      connection,
      comment,
    });
  } catch (error) {
    // Rated before, or too late: the page shows how things stand.
    if (!isFailure(error, 'conflict')) throw error;
  }
  return undefined;
}

/** Null where there is nothing to rate, and nothing was rated. */
export async function ratingCardOf(
  c: Context,
  { db, now }: Gateway,
  { meeting, policy, attendee }: Entrance & { readonly attendee: Attendee },
  draft: RatingDraft | undefined,
): Promise<RatingCard | null> {
  if (meeting.state !== 'ended' || attendee.purchasedAt === null) return null;
  const rated = await findRating(db.read, meeting.id, attendee.customerId);
  if (rated !== undefined) {
    const { professional, connection, comment } = rated;
    return { kind: 'rated', professional, connection, comment, isNew: c.req.query('rating') === 'sent' };
  }
  if (ratingRefusal(policy, meeting, now()) !== undefined) return null;
  return { kind: 'open', draft: draft ?? null };
}
