/** Whether a meeting's recording may be seen, and by whom, as things stand. */
import type { BookingKind, Policy, RecordingMode } from '../domain/policy.ts';
import { judge, type Consent, type RecordingFacts, type Verdict } from '../domain/recording.ts';
import { segmentsOf } from '../meetings/segments.ts';
import type { Reader } from '../store/database.ts';
import { listGuestsConsents } from '../store/guests.ts';
import { listAttendees, listBuyersConsents, type Meeting } from '../store/meetings.ts';

export const verdictOn = async (db: Reader, policy: Policy, meeting: Meeting): Promise<Verdict> =>
  judge(await recordingFacts(db, policy, meeting));

/** Of guests those count who have come in: they can be heard and seen as customers can, whoever paid (F10). */
export async function recordingFacts(db: Reader, policy: Policy, meeting: Meeting): Promise<RecordingFacts> {
  const segments = await segmentsOf(db, meeting);
  const guests = await listGuestsConsents(
    db,
    segments.map(({ id }) => id),
  );
  return {
    policy,
    kind: meeting.bookingKind as BookingKind,
    mode: meeting.recording as RecordingMode,
    consents: [...(await listBuyersConsents(db, meeting.id)), ...guests] as Consent[],
  };
}

/** Customers who bought; with `everyone` the professional too, under the professional's own id. Each is named once (F07). */
export async function recipientsOf(db: Reader, policy: Policy, meeting: Meeting): Promise<string[]> {
  const buyers = (await listAttendees(db, [meeting.id])).filter(({ purchasedAt }) => purchasedAt !== null);
  const named = buyers.map(({ customerId }) => customerId);
  if (policy.recording.recipients === 'everyone') named.push(meeting.professionalId);
  return [...new Set(named)];
}
