import { z } from 'zod';
import { entry, entryWithLinks } from './entry.ts';
import { contentId, customerId, moment, ofMeeting, professionalId, url } from './members.ts';

const ofSale = { booking_id: ofMeeting.booking_id, professional_id: professionalId };
/** The rule itself ends at three (T13). */
const MOST_CONTENTS = 3;

const example = { booking_id: 'bk_1001', professional_id: 'pro_42' } as const;

export const CONTENT_EVENTS = {
  'content.published': entryWithLinks({
    description: 'A customer can open the contents that were bought, by a personal link.',
    when: 'When the purchase was reported, and again for each buyer when the booking gets another content. The link stays the same.',
    data: {
      ...ofSale,
      content_ids: z.array(contentId).min(1).max(MOST_CONTENTS).describe('Everything that the link opens now'),
      expires_at: moment.describe('When it ends by itself'),
    },
    links: {
      links: z
        .array(z.strictObject({ customer_id: customerId, url: url.describe('The page to open them, for this customer only') }))
        .max(1)
        .describe('The link that this event tells. Missing once it has ended'),
    },
    example: {
      ...example,
      content_ids: ['cnt_01kb4wv7f3g5h9j1k2m4n6p8q0'],
      expires_at: '2026-12-11T11:20:00.000Z',
      links: [{ customer_id: 'cus_7', url: 'https://meet.example/s/b8Xw2LdF4nVs' }],
    },
  }),
  'content.viewed': entry({
    description: 'A customer has opened a content.',
    when: 'The first time of each content and customer.',
    data: { ...ofSale, content_id: contentId, customer_id: customerId },
    example: { ...example, content_id: 'cnt_01kb4wv7f3g5h9j1k2m4n6p8q0', customer_id: 'cus_7' },
  }),
  'content.expired': entry({
    description: 'The time in which a customer could open the contents is over.',
    when: "At `expires_at`, for each customer. The customer's link is dead.",
    data: {
      ...ofSale,
      customer_id: customerId,
      erased_at: moment
        .nullable()
        .describe('When the addresses of the contents were erased, because nobody can open them any more. Null: others still can'),
    },
    example: { ...example, customer_id: 'cus_7', erased_at: '2026-12-11T11:20:00.000Z' },
  }),
};
