/** What a marketplace asks for when somebody calls, and the meeting that the call becomes. */
import type { ProviderId } from '../domain/apps.ts';
import { ANSWERING_MS, type CallSide } from '../domain/call.ts';
import type { Facts } from '../domain/eligibility.ts';
import type { Policy, RecordingMode } from '../domain/policy.ts';
import { fingerprint } from '../domain/token.ts';
import { plus } from '../domain/time.ts';
import type { MeetingRequest } from '../meetings/request.ts';
import type { Call } from '../store/calls.ts';
import type { Marketplace } from '../store/marketplaces.ts';

export interface CallRequest {
  readonly marketplace: Marketplace;
  readonly professionalId: string;
  readonly customerId: string;
  readonly initiator: CallSide;
  readonly purpose: string | null;
  readonly conversationId: string | null;
  /** Null: the call is a booking of its own. */
  readonly booking: { readonly id: string; readonly title: string } | null;
  readonly prepaidBlocks: number | null;
  /** Whether the professional has to have video. */
  readonly video: boolean;
  readonly provider: ProviderId | 'auto' | null;
  /** Null: as the professional's calls are (R02). */
  readonly durationMinutes: number | null;
  /** Null: the first one that the policy allows. */
  readonly recording: RecordingMode | null;
  /** Of the customer. */
  readonly locale: string | null;
  /** As the other side's page shows them. */
  readonly customerName: string | null;
  readonly professionalName: string | null;
  /** The customer's wish not to be seen. */
  readonly cameraOff: boolean;
  readonly facts: Facts;
  /** Digest of the request's Idempotency-Key; a repeat after a crash gets the call that the first attempt made. */
  readonly requestKey: string | null;
}

/** What is kept of it for the meeting and the pages, with all defaults filled in. */
export interface Asked {
  readonly title: string;
  readonly provider: ProviderId | 'auto' | null;
  readonly durationMinutes: number;
  readonly timeZone: string;
  readonly recording: RecordingMode;
  readonly locale: string | null;
  readonly customerName: string | null;
  readonly professionalName: string | null;
  readonly cameraOff: boolean;
  readonly requestKey: string | null;
}

/** The column holds nothing but what `startCall` wrote: an `Asked`. */
export const askedOf = ({ request }: Pick<Call, 'request'>): Asked => request as unknown as Asked;

/** Nobody waits on the telephone for a vendor that may be back in an hour. */
export const atOnce = (policy: Policy): Policy => ({ ...policy, vendor_unavailable: 'refuse' });

/** Every acceptance of the call asks for the same meeting: its key is the call. */
export const meetingRequestOf = (
  marketplace: Marketplace,
  call: Pick<Call, 'id' | 'bookingId' | 'professionalId' | 'customerId' | 'acceptBy'>,
  asked: Asked,
  at: Date,
): MeetingRequest => ({
  marketplace,
  booking: { id: call.bookingId, kind: 'one_to_one', title: asked.title },
  professionalId: call.professionalId,
  attendees: [{ customerId: call.customerId, name: asked.customerName, locale: asked.locale, cameraOff: asked.cameraOff }],
  provider: asked.provider,
  startsAt: at,
  durationMinutes: asked.durationMinutes,
  timeZone: asked.timeZone,
  recording: asked.recording,
  // They are asked for when somebody calls, and not kept: an acceptance asks for none.
  facts: {},
  joinUrl: null,
  requestKey: fingerprint('call', call.id),
  call: { id: call.id, purchaseBy: plus(call.acceptBy, 2 * ANSWERING_MS) },
});
