/** Events about calls: each happens once in the life of a call. */
import type { CallSide } from '../domain/call.ts';
import type { NewEvent } from '../events/emit.ts';
import type { Call } from '../store/calls.ts';
import { askedOf } from './request.ts';

const common = (call: Call) => ({
  call_id: call.id,
  booking_id: call.bookingId,
  professional_id: call.professionalId,
  customer_id: call.customerId,
  initiator: call.initiator as CallSide,
  conversation_id: call.conversationId,
  rings: call.rings,
});

const subject = ({ id, marketplaceId }: Call) => ({ marketplaceId, subjectId: id, key: 'once' });

export const ringingEvent = (call: Call): NewEvent<'call.ringing'> => ({
  ...subject(call),
  type: 'call.ringing',
  data: {
    ...common(call),
    title: askedOf(call).title,
    purpose: call.purpose,
    video: call.video,
    prepaid_blocks: call.prepaidBlocks,
    accept_by: call.acceptBy.toISOString(),
  },
});

export const acceptedEvent = (call: Call, meetingId: string): NewEvent<'call.accepted'> => ({
  ...subject(call),
  type: 'call.accepted',
  data: { ...common(call), meeting_id: meetingId },
});

export const endedEvent = <Type extends 'call.declined' | 'call.withdrawn' | 'call.expired'>(call: Call, type: Type) => ({
  ...subject(call),
  type,
  data: common(call),
});
