/** What a marketplace asks for, and the rules that need nothing but the request. */
import type { ProviderId } from '../domain/apps.ts';
import type { Facts } from '../domain/eligibility.ts';
import { Failure } from '../domain/failure.ts';
import { endsAt } from '../domain/meeting.ts';
import type { BookingKind, Policy, RecordingMode } from '../domain/policy.ts';
import type { Marketplace } from '../store/marketplaces.ts';

export interface AttendeeRequest {
  readonly customerId: string;
  readonly name: string | null;
  readonly locale: string | null;
  readonly cameraOff: boolean;
}

export interface MeetingRequest {
  readonly marketplace: Marketplace;
  readonly booking: { readonly id: string; readonly kind: BookingKind; readonly title: string };
  readonly professionalId: string;
  readonly attendees: readonly AttendeeRequest[];
  /** Null: left out, so that the professional's preference counts (G02). */
  readonly provider: ProviderId | 'auto' | null;
  readonly startsAt: Date;
  readonly durationMinutes: number;
  readonly timeZone: string;
  readonly recording: RecordingMode;
  /** For the rules of the policy; not kept. */
  readonly facts: Facts;
  /** An uploaded link instead of a created one. */
  readonly joinUrl: string | null;
  /** Digest of the request's Idempotency-Key; a repeat after a crash gets the meeting that the first attempt reserved. */
  readonly requestKey: string | null;
  /** The package it belongs to, and its place there. */
  readonly packageId?: string;
  readonly place?: number;
  /** The call on demand that it comes of, and until when its acceptance may buy it. */
  readonly call?: { readonly id: string; readonly purchaseBy: Date };
}

/** @throws Failure `recording_not_allowed`, `invalid` */
export function checkRequest(
  policy: Policy,
  { booking, attendees, recording, startsAt, durationMinutes }: MeetingRequest,
  now: Date,
): void {
  if (!policy.recording[booking.kind].modes.includes(recording)) {
    throw new Failure(
      'recording_not_allowed',
      `A booking of the kind ${booking.kind} may ask for: ${policy.recording[booking.kind].modes.join(', ')}.`,
      {
        extra: { allowed: policy.recording[booking.kind].modes },
      },
    );
  }
  const wrong = (pointer: string, detail: string): Failure =>
    new Failure('invalid', 'The request breaks a rule.', { errors: [{ pointer, detail }] });
  if (booking.kind === 'one_to_one' && attendees.length !== 1) throw wrong('/attendees', 'a one_to_one booking has exactly one');
  if (booking.kind === 'private_group' && attendees.length === 0) throw wrong('/attendees', 'a private_group booking has at least one');
  if (new Set(attendees.map(({ customerId }) => customerId)).size < attendees.length)
    throw wrong('/attendees', 'a customer is in it twice');
  if (endsAt({ startsAt, durationMinutes }) <= now) throw wrong('/starts_at', 'the meeting would be over already');
}
