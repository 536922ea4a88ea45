import { z } from 'zod';
import { REVOKED_REASONS, VENDOR_ENDINGS, WITHHELD_REASONS } from '../../domain/recording.ts';
import { entry, entryWithLinks } from './entry.ts';
import { code, customerId, incidentId, moment, ofMeeting, ofRecording, url, words } from './members.ts';

const operator = z.literal(true).optional().describe('The link of somebody of the operator, opened for an incident');
const ofLink = {
  customer_id: customerId.optional(),
  operator,
  incident_id: incidentId.nullable().optional().describe('With `operator`: which incident'),
};
const expiresAt = moment.describe('When it ends by itself');
const erasedAt = moment.nullable().describe('When everything about it here was erased. Null: it is to be ended at the vendor first');

const erasedHereAt = moment.describe('When everything about it here was erased');
const atVendor = z
  .strictObject({
    ending: z.enum(VENDOR_ENDINGS),
    ended_at: moment.nullable(),
    closed: z.boolean().describe('Its page there was closed'),
    deleted: z.boolean().describe('It was deleted there'),
  })
  .describe('What became of it at the vendor, read back');

const example = {
  recording_id: 'rec_01kb4wv7f3g5h9j1k2m4n6p8q0',
  meeting_id: 'mtg_01kb4s9t8w3x7y2z5a6b1c0d4e',
  booking_id: 'bk_1001',
  professional_id: 'pro_42',
  sequence: 12,
} as const;

export const RECORDING_EVENTS = {
  'recording.processing': entry({
    description: 'There is a recording, and the vendor is still working on it.',
    when: 'Where the vendor tells it before the recording is ready.',
    data: { ...ofRecording, note: words(200).describe('A sentence for people') },
    example: { ...example, sequence: 11, note: 'The vendor is processing the recording; this may take until the next day.' },
  }),
  'recording.published': entryWithLinks({
    description: 'A recording can be watched, each recipient by a personal link.',
    when: 'When it is published, again after it was withheld, and for each later buyer. With more recipients than one event holds, several events tell them: add what is new, and take nothing away.',
    data: { ...ofRecording, published_at: moment.describe('When it was published first'), expires_at: expiresAt },
    links: {
      links: z
        .array(z.strictObject({ customer_id: customerId, url: url.describe('The page to watch it, for this customer only') }))
        .describe('The links that this event tells. Missing once the recording has ended'),
    },
    example: {
      ...example,
      published_at: '2026-11-27T11:20:00.000Z',
      expires_at: '2026-12-11T11:20:00.000Z',
      links: [{ customer_id: 'cus_7', url: 'https://meet.example/r/b8Xw2LdF4nVs' }],
    },
  }),
  'recording.withheld': entry({
    description: 'A recording is ready and shown to nobody.',
    when: 'Instead of `recording.published`, or after it when a consent is withdrawn. Links that were given out answer 410 meanwhile.',
    data: { ...ofRecording, reason: z.enum(WITHHELD_REASONS).describe('Why'), expires_at: expiresAt },
    example: { ...example, reason: 'consent_missing', expires_at: '2026-12-11T11:20:00.000Z' },
  }),
  'recording.publishable': entry({
    description: 'The last consent has come: a recording that is withheld may be published.',
    when: 'When the consent of a customer makes it so, each time. `POST /v1/recordings/{id}/publish` shows it; the gateway does not do that by itself.',
    data: { ...ofRecording, reason: z.enum(WITHHELD_REASONS).describe('Why it is withheld'), expires_at: expiresAt },
    example: { ...example, reason: 'consent_missing', expires_at: '2026-12-11T11:20:00.000Z' },
  }),
  'recording.viewed': entry({
    description: 'Somebody has opened a link to a recording.',
    when: 'For a customer the first time, for somebody of the operator once in five minutes.',
    data: { ...ofRecording, ...ofLink },
    example: { ...example, sequence: 13, customer_id: 'cus_7' },
  }),
  'recording.revoked': entry({
    description: 'A recording, or one link to it, was taken back before its time.',
    when: 'With `reason` it is the whole recording; with `customer_id` or `operator` one link.',
    data: {
      ...ofRecording,
      reason: z.enum(REVOKED_REASONS).optional().describe('Why, or who took it back'),
      erased_at: erasedAt.optional(),
      ...ofLink,
    },
    example: { ...example, sequence: 14, reason: 'marketplace', erased_at: '2026-11-30T08:00:00.000Z' },
  }),
  'recording.expired': entry({
    description: 'The time of a recording is over.',
    when: 'At `expires_at`. Its links are dead, and what the gateway knew of it is erased.',
    data: { ...ofRecording, erased_at: erasedAt },
    example: { ...example, sequence: 14, erased_at: '2026-12-11T11:20:00.000Z' },
  }),
  'recording.missing': entry({
    description: 'A meeting was held, and the recording that it should have was not found.',
    when: 'At the end of the search. A recording that comes later is taken all the same.',
    data: {
      ...ofMeeting,
      until: moment.describe('How long it was looked for'),
      looks: z.number().int().min(0).max(100_000).describe('How often the vendor was asked'),
      reason: code.describe('`not_found`, `processing`, or the code of the failure, as in problem documents'),
    },
    example: {
      meeting_id: example.meeting_id,
      booking_id: example.booking_id,
      professional_id: example.professional_id,
      provider: 'zoom',
      state: 'ended',
      sequence: 11,
      until: '2026-11-28T10:48:30.000Z',
      looks: 9,
      reason: 'not_found',
    },
  }),
  'recording.deleted': entry({
    description: 'An ended recording is gone at the vendor, too.',
    when: 'After `recording.expired` or `recording.revoked`, once the vendor has it no more and that was read back.',
    data: { ...ofRecording, erased_at: erasedHereAt, at_vendor: atVendor },
    example: {
      ...example,
      sequence: 15,
      erased_at: '2026-12-11T11:20:04.000Z',
      at_vendor: { ending: 'confirmed', ended_at: '2026-12-11T11:20:04.000Z', closed: false, deleted: true },
    },
  }),
  'recording.erased': entry({
    description: 'An ended recording is erased here, and the vendor keeps it.',
    when: 'After `recording.expired` or `recording.revoked`, where only its page at the vendor was to be closed, or nothing was to be done any more.',
    data: {
      ...ofRecording,
      erased_at: erasedHereAt,
      at_vendor: atVendor.nullable().describe('What became of it at the vendor, read back. Null: there was nothing to be done any more'),
    },
    example: {
      ...example,
      sequence: 15,
      erased_at: '2026-12-11T11:20:04.000Z',
      at_vendor: { ending: 'confirmed', ended_at: '2026-12-11T11:20:04.000Z', closed: true, deleted: false },
    },
  }),
  'recording.deletion_failed': entry({
    description: 'An ended recording could not be deleted, or its page not be closed, at the vendor.',
    when: 'At the first failure, and once more with `final` when it is not tried any more.',
    data: {
      ...ofRecording,
      reason: code.describe('The code of the failure, as in problem documents, or why the recording was taken back'),
      final: z.boolean().describe('True: somebody has to delete it by hand'),
    },
    example: { ...example, sequence: 15, reason: 'vendor_unavailable', final: false },
  }),
};
