import { z } from 'zod';
import { CALL_SIDES } from '../../domain/call.ts';
import { entry } from './entry.ts';
import { customerId, moment, ofMeeting, professionalId } from './members.ts';

const foreignId = z.string().min(1).max(200);
const ofCall = {
  call_id: z.string().max(64).describe("The call's id"),
  booking_id: foreignId.describe("The booking's id at the marketplace; the call's own where it came without one"),
  professional_id: professionalId,
  customer_id: customerId,
  initiator: z.enum(CALL_SIDES).describe('Who calls; the other side answers'),
  conversation_id: foreignId.nullable().describe('The conversation at the marketplace that the call was started in'),
  rings: z.boolean().describe('False: the professional is away; the call is counted and makes no sound'),
};

const example = {
  call_id: 'cal_01kb4s9t8w3x7y2z5a6b1c0d4e',
  booking_id: 'bk_1001',
  professional_id: 'pro_42',
  customer_id: 'cus_7',
  initiator: 'customer',
  conversation_id: 'cnv_9',
  rings: true,
} as const;

export const CALL_EVENTS = {
  'call.ringing': entry({
    description: 'Somebody calls.',
    when: 'When `POST /v1/calls` has taken the call. Show the other side its page, or put the invitation into the conversation.',
    data: {
      ...ofCall,
      title: z.string().max(200).describe('What the meeting will be called'),
      purpose: z.string().max(500).nullable().describe('What the call is about, in the words of who calls: show them as text'),
      video: z.boolean().describe('Whether it has to be a video call'),
      prepaid_blocks: z.number().int().min(0).max(10_000).nullable().describe('Blocks that are paid for. Null: nothing was said'),
      accept_by: moment.describe('Until when it can be answered'),
    },
    example: {
      ...example,
      title: 'Tax consultation',
      purpose: 'A question about my tax return',
      video: true,
      prepaid_blocks: 1,
      accept_by: '2026-12-01T10:05:00.000Z',
    },
  }),
  'call.accepted': entry({
    description: 'A call is answered, and its meeting is there: bought, locked and open.',
    when: 'Once the vendor has made the meeting. `GET /v1/calls/{id}` has the invitation.',
    data: { ...ofCall, meeting_id: ofMeeting.meeting_id, sequence: ofMeeting.sequence },
    example: { ...example, meeting_id: 'mtg_01kb4sb3f5g7h9j1k2m4n6p8q0', sequence: 4 },
  }),
  'call.declined': entry({
    description: 'Who is called does not want to talk now.',
    when: 'Once, on the page or over the API.',
    data: ofCall,
    example,
  }),
  'call.withdrawn': entry({
    description: 'A call is taken back before the answer.',
    when: 'Once: when who calls gives up, on the page or over the API, or when the professional is suspended or terminated.',
    data: ofCall,
    example,
  }),
  'call.expired': entry({
    description: 'Nobody has answered a call in time.',
    when: 'At `accept_by`; a moment later where an answer was under way and came to nothing.',
    data: ofCall,
    example,
  }),
};
