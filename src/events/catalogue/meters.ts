import { z } from 'zod';
import { entry } from './entry.ts';
import { moment, ofMeeting } from './members.ts';

const blocks = z.number().int().min(0).max(100_000);
const session = {
  session_id: z.string().max(300).describe('Of the run of the meeting; the same in all events about it'),
};
const block = {
  ...session,
  number: z.number().int().min(1).max(100_000).describe('Of the block, from 1 in each session'),
  starts_at: moment.describe('When the block began'),
};
const used = blocks.describe('Blocks that count as used, of all sessions of the meeting');
const credit = blocks.describe('Blocks that are paid for, all sessions of the meeting together');
const ending = z
  .enum(['gateway', 'not_capable', 'policy'])
  .describe(
    '`gateway`: it ends the meeting at the vendor. `not_capable`: the policy wants that, the vendor cannot; the marketplace has to ask the people to leave. `policy`: it is told only',
  );

const example = {
  meeting_id: 'mtg_01kb4s9t8w3x7y2z5a6b1c0d4e',
  booking_id: 'bk_1001',
  professional_id: 'pro_42',
  provider: 'zoom',
  state: 'live',
  session_id: 'YqN4tjCf20TRZyvUlRud0ZC-5oCR6D18',
} as const;

export const METER_EVENTS = {
  'meter.block_started': entry({
    description: 'A block of a metered session counts.',
    when: "At second 0 of each block while host and customer are both there; in the first session of a booking, block 1 is told when the policy's `meter.grace_seconds` are over. Once per session and number, unless it was voided in between.",
    data: {
      ...ofMeeting,
      ...block,
      ends_at: moment.describe('When it is over'),
      used_blocks: used,
      credit_blocks: credit.nullable().describe('Blocks that are paid for. Null: not limited'),
      paid: z.boolean().describe('False where the credit was used up and the meeting went on all the same'),
    },
    example: {
      ...example,
      sequence: 7,
      number: 2,
      starts_at: '2026-11-27T10:15:03.000Z',
      ends_at: '2026-11-27T10:30:03.000Z',
      used_blocks: 2,
      credit_blocks: 4,
      paid: true,
    },
  }),
  'meter.voided': entry({
    description: 'A session did not take place, or a block that was told does not count.',
    when: "When the first session of a booking was left within the policy's `meter.grace_seconds`; and when the vendor tells late that somebody had left before a block began.",
    data: {
      ...ofMeeting,
      ...block,
      reason: z
        .enum(['grace', 'not_run'])
        .describe('`grace`: left in time, nothing counts. `not_run`: the block was told, and by what is known now it did not run'),
      used_blocks: used,
    },
    example: { ...example, sequence: 8, number: 1, starts_at: '2026-11-27T10:00:03.000Z', reason: 'grace', used_blocks: 0 },
  }),
  'meter.credit_low': entry({
    description: 'The last paid block ends soon.',
    when: "The policy's `meter.warn_seconds` before its end, once for each block and credit. More credit in time lets the session go on.",
    data: { ...ofMeeting, ...session, ends_at: moment.describe('When it ends'), used_blocks: used, credit_blocks: credit, ending },
    example: { ...example, sequence: 9, ends_at: '2026-11-27T11:00:03.000Z', used_blocks: 4, credit_blocks: 4, ending: 'gateway' },
  }),
  'meter.credit_exhausted': entry({
    description: 'A block would begin that nobody has paid for.',
    when: 'Once per session and credit. With `ending: gateway` the meeting is ended, unless more credit comes first.',
    data: {
      ...ofMeeting,
      ...session,
      at: moment.describe('When that block would begin'),
      used_blocks: used,
      credit_blocks: credit,
      ending,
    },
    example: { ...example, sequence: 10, at: '2026-11-27T11:00:03.000Z', used_blocks: 4, credit_blocks: 4, ending: 'gateway' },
  }),
};
