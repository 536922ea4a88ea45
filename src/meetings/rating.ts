/** What a customer thinks of the professional and of the technical connection, once, after the end (R07). */
import { Failure, found } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import { plainText } from '../domain/plain-text.ts';
import { ratingRefusal } from '../domain/rating.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import { findAttendee, findOwnMeeting, lockMeeting, type Meeting } from '../store/meetings.ts';
import { findRating, insertRating, type Rating } from '../store/ratings.ts';
import { tellMeeting } from './tell.ts';

export interface NewRating {
  readonly marketplaceId: string;
  readonly meetingId: string;
  readonly customerId: string;
  /** 1 to 5, as `connection`. */
  readonly professional: number;
  readonly connection: number;
  readonly comment: string | null;
}

/**
 * The same rating once more changes nothing (`repeated`).
 * @throws Failure `not_found`, `forbidden` where meetings are not rated or nothing was bought, `conflict` before the end, after the time to
 * rate, and for a second, different rating
 */
export async function rateMeeting(gateway: Gateway, rating: NewRating): Promise<{ rating: Rating; repeated: boolean }> {
  const { db, now, wake } = gateway;
  const { marketplaceId, meetingId, customerId, professional, connection } = rating;
  const comment = plainText(rating.comment ?? '') || null;
  const rated = await db.write(async (tx) => {
    found(await findOwnMeeting(tx, marketplaceId, meetingId));
    // Of two ratings at the same moment the second one sees the first.
    const meeting = found(await lockMeeting(tx, meetingId));
    const attendee = found(await findAttendee(tx, meetingId, customerId));
    if (attendee.purchasedAt === null) throw new Failure('forbidden', 'Who has not bought the meeting does not rate it.');
    const before = await findRating(tx, meetingId, customerId);
    if (before !== undefined) {
      if (before.professional === professional && before.connection === connection && before.comment === comment)
        return { rating: before, repeated: true };
      throw new Failure('conflict', 'This customer has rated the meeting already.', { extra: { rating_id: before.id } });
    }
    const refusal = ratingRefusal(await policyFor(tx, meeting), meeting, now());
    if (refusal !== undefined) throw refused(refusal, meeting);
    const row: Rating = {
      id: newId(gateway, 'rat'),
      marketplaceId,
      meetingId,
      professionalId: meeting.professionalId,
      customerId,
      professional,
      connection,
      comment,
      at: now(),
    };
    await insertRating(tx, row);
    const told = { rating_id: row.id, customer_id: customerId, professional, connection, comment };
    await tellMeeting(tx, gateway, meeting, 'meeting.rated', row.id, told);
    return { rating: row, repeated: false };
  });
  wake();
  return rated;
}

function refused(refusal: Exclude<ReturnType<typeof ratingRefusal>, undefined>, meeting: Meeting): Failure {
  switch (refusal) {
    case 'off':
      return new Failure('forbidden', 'By the policy of this marketplace (`ratings`) meetings are not rated.');
    case 'not_over':
      return new Failure('conflict', `A meeting is rated after its end; this one is ${meeting.state}.`);
    case 'continued':
      return new Failure('conflict', 'The meeting goes on as another one: that is the one to rate.', {
        extra: { continued_by: meeting.continuedBy },
      });
    case 'too_late':
      return new Failure('conflict', 'The time to rate is over.');
  }
}
