/** What a marketplace allows, as data. No code asks for a preset's name; it asks for a value of the policy. */
import { z } from 'zod';
import { PROVIDER_IDS } from './apps.ts';

export const BOOKING_KINDS = ['one_to_one', 'private_group', 'event'] as const;
export type BookingKind = (typeof BOOKING_KINDS)[number];

export const RECORDING_MODES = ['none', 'on_consent', 'always'] as const;
export type RecordingMode = (typeof RECORDING_MODES)[number];

const recordingOfKind = z.strictObject({
  modes: z.array(z.enum(RECORDING_MODES)).min(1).describe('Recording modes a booking of this kind may ask for.'),
  consent: z
    .enum(['each_customer', 'implied', 'notice'])
    .describe(
      '`each_customer`: nothing is published without it (G12). `implied`: joining counts (F09). `notice`: participants are informed (G11).',
    ),
});

export const policySchema = z.strictObject({
  approved_apps: z.array(z.enum(PROVIDER_IDS)).min(1).describe('Apps that may be used (G01). Can only be narrowed.'),
  purchase: z.strictObject({
    within_hours: z.number().int().min(1).max(720).describe('Hours from the confirmation to the purchase; then the meeting expires (G04).'),
  }),
  join: z.strictObject({
    opens_minutes_before: z.number().int().min(0).max(1_440).describe('How long before the start the join link opens.'),
    closes_minutes_after: z.number().int().min(0).max(1_440).describe('How long after the planned end it still works.'),
  }),
  limits: z.strictObject({
    on_exceed: z.enum(['reject', 'warn']).describe("What happens to a booking that is longer than the account's plan allows (G14)."),
  }),
  vendor_unavailable: z.enum(['wait', 'refuse']).describe('`wait`: 201 with `link_pending` and a background retry. `refuse`: 503.'),
  recording: z.strictObject({
    one_to_one: recordingOfKind,
    private_group: recordingOfKind,
    event: recordingOfKind,
    recipients: z.enum(['customers', 'everyone']).describe('Who gets a personal link; `everyone` includes the professional (F07).'),
    retention_days: z.number().int().min(1).max(365).describe('Days from the publication to the erasure (G15, F01).'),
  }),
});

export type Policy = z.infer<typeof policySchema>;
