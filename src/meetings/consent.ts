/** Wishes and consents of a customer. The ledger keeps every decision (G12). */
import { notFound } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import type { Gateway } from '../gateway.ts';
import { findAttendee, findOwnMeeting, insertConsent, updateAttendee, type Attendee, type Meeting } from '../store/meetings.ts';
import type { Writer } from '../store/database.ts';

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
  return gateway.db.write(async (tx) => {
    const { meeting, attendee } = await find(tx, who);
    await insertConsent(tx, { id: newId(gateway, 'cst'), ...who, ...decision, at: gateway.now() });
    return { meeting, attendee: (await updateAttendee(tx, attendee.id, { recordingConsent: decision.decision }))! };
  });
}

export async function setWishes(
  gateway: Gateway,
  who: Who,
  wishes: { cameraOff?: boolean; locale?: string | null },
): Promise<{ meeting: Meeting; attendee: Attendee }> {
  return gateway.db.write(async (tx) => {
    const { meeting, attendee } = await find(tx, who);
    return { meeting, attendee: Object.keys(wishes).length === 0 ? attendee : (await updateAttendee(tx, attendee.id, wishes))! };
  });
}

async function find(tx: Writer, { marketplaceId, meetingId, customerId }: Who): Promise<{ meeting: Meeting; attendee: Attendee }> {
  const meeting = await findOwnMeeting(tx, marketplaceId, meetingId);
  const attendee = meeting && (await findAttendee(tx, meeting.id, customerId));
  if (meeting === undefined || attendee === undefined) throw notFound();
  return { meeting, attendee };
}
