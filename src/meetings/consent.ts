/** Wishes and consents of a customer. The ledger keeps every decision (G12). */
import { notFound } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import type { BookingKind, RecordingMode } from '../domain/policy.ts';
import { isAsked } from '../domain/recording.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import { considerRecording } from '../recordings/automatic.ts';
import { lookSoon } from '../recordings/reconcile.ts';
import { tellPublishable, withholdRefused } from '../recordings/ready.ts';
import {
  findAttendee,
  findOwnMeeting,
  insertConsent,
  lockAttendee,
  lockMeeting,
  updateAttendee,
  type Attendee,
  type Meeting,
} from '../store/meetings.ts';
import type { Writer } from '../store/database.ts';
import { segmentsOf } from './segments.ts';

interface Who {
  readonly marketplaceId: string;
  readonly meetingId: string;
  readonly customerId: string;
}

export interface ConsentDecision {
  readonly decision: 'granted' | 'refused';
  readonly locale: string;
  /** Which wording the customer saw. */
  readonly textVersion: string;
  readonly channel: 'api' | 'join_page';
}

export async function recordConsent(
  gateway: Gateway,
  who: Who,
  decision: ConsentDecision,
): Promise<{ meeting: Meeting; attendee: Attendee }> {
  const recorded = await gateway.db.write(async (tx) => {
    const { meeting } = await find(tx, who);
    const decided: { segment: Meeting; id: string; isNew: boolean }[] = [];
    for (const segment of await decidedWith(tx, meeting, decision)) {
      const attendee = await lockAttendee(tx, segment.id, who.customerId);
      if (attendee === undefined) continue;
      const id = newId(gateway, 'cst');
      await insertConsent(tx, { id, ...who, meetingId: segment.id, ...decision, at: gateway.now() });
      await updateAttendee(tx, attendee.id, { recordingConsent: decision.decision });
      if (attendee.purchasedAt !== null) decided.push({ segment, id, isNew: attendee.recordingConsent !== decision.decision });
    }
    for (const { segment, id, isNew } of decided) await followDecision(tx, gateway, segment, { decision: decision.decision, id, isNew });
    return find(tx, who);
  });
  gateway.wake();
  return recorded;
}

/** What a decision that counts does to the recordings of one segment. `id`: of the decision. `isNew`: it is another one than before. */
export async function followDecision(
  tx: Writer,
  gateway: Gateway,
  segment: Meeting,
  { decision, id, isNew }: { decision: ConsentDecision['decision']; id: string; isNew: boolean },
): Promise<void> {
  // Whoever publishes a recording of it at this moment is waited for, or waits.
  await lockMeeting(tx, segment.id);
  if (decision === 'refused') await withholdRefused(tx, gateway, segment);
  else if (isNew) await tellPublishable(tx, gateway, segment, id);
  await considerRecording(tx, gateway, segment);
  // Its recording was not expected until now.
  if (decision === 'granted' && segment.state === 'ended') await lookSoon(tx, gateway, segment.id);
}

export async function setWishes(
  gateway: Gateway,
  who: Who,
  wishes: { cameraOff?: boolean; locale?: string | null },
): Promise<{ meeting: Meeting; attendee: Attendee }> {
  return gateway.db.write(async (tx) => {
    const { meeting } = await find(tx, who);
    if (Object.keys(wishes).length > 0) {
      // What is over was held as it was wished then.
      const segments = await segmentsOf(tx, meeting);
      for (const { id: meetingId } of segments.slice(segments.indexOf(meeting))) {
        const attendee = await findAttendee(tx, meetingId, who.customerId);
        if (attendee !== undefined) await updateAttendee(tx, attendee.id, wishes);
      }
    }
    return find(tx, who);
  });
}

/**
 * Who is asked decides about the booking, into however many segments a limit cut it, and whoever says no means all of it. A consent that
 * joining implies is given to what is joined.
 */
async function decidedWith(tx: Writer, meeting: Meeting, { decision }: ConsentDecision): Promise<readonly Meeting[]> {
  const policy = await policyFor(tx, meeting);
  const asked = isAsked(policy, meeting.bookingKind as BookingKind, meeting.recording as RecordingMode);
  return asked || decision === 'refused' ? segmentsOf(tx, meeting) : [meeting];
}

async function find(tx: Writer, { marketplaceId, meetingId, customerId }: Who): Promise<{ meeting: Meeting; attendee: Attendee }> {
  const meeting = await findOwnMeeting(tx, marketplaceId, meetingId);
  const attendee = meeting && (await findAttendee(tx, meeting.id, customerId));
  if (meeting === undefined || attendee === undefined) throw notFound();
  return { meeting, attendee };
}
