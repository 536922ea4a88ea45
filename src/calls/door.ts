/** The page of a call, for either side: while it rings, and the way into its meeting once it is answered. */
import type { CallSide } from '../domain/call.ts';
import { joinTokenContext } from '../connections/sealed.ts';
import { Failure } from '../domain/failure.ts';
import { hashToken } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import { hostTokenOf } from '../meetings/segments.ts';
import { findCallByToken, type Call } from '../store/calls.ts';
import { findAttendee, findMeeting } from '../store/meetings.ts';

export interface CallDoor {
  readonly call: Call;
  /** Whose page it is. */
  readonly side: CallSide;
}

/** @throws Failure `not_found` */
export async function openCallLink({ db }: Gateway, token: string): Promise<CallDoor> {
  const hash = hashToken(token);
  const call = await findCallByToken(db.read, hash);
  if (call === undefined) throw new Failure('not_found', 'There is no such call.');
  return { call, side: call.professionalTokenHash === hash ? 'professional' : 'customer' };
}

/** This side's page of the meeting that the call became; undefined for a call that became none. */
export async function wayIntoMeeting(gateway: Gateway, { call, side }: CallDoor): Promise<string | undefined> {
  const { db, vault } = gateway;
  const meeting = call.meetingId === null ? undefined : await findMeeting(db.read, call.meetingId);
  if (meeting === undefined) return undefined;
  if (side === 'professional') return `/h/${hostTokenOf(gateway, meeting)}`;
  const attendee = await findAttendee(db.read, meeting.id, call.customerId);
  return attendee && `/j/${vault.open(attendee.joinTokenSealed, joinTokenContext(attendee.id))}`;
}
