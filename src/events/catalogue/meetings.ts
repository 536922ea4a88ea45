import { z } from 'zod';
import { ENDERS } from '../../domain/meeting.ts';
import { PLAN_BASES } from '../../domain/plan.ts';
import { SIDES } from '../../domain/session.ts';
import { EARLY_END_SIDES } from '../../domain/early-end.ts';
import { MOST_COMMENT_CHARACTERS, MOST_POINTS } from '../../domain/rating.ts';
import { entry, entryWithLinks } from './entry.ts';
import { customerId, id, meetingId, moment, MOST_NAME_CHARACTERS, MOST_PARTICIPANT_ID_CHARACTERS, ofMeeting, url } from './members.ts';

const at = moment.describe('When it happened');
const certain = z
  .boolean()
  .describe(
    'Whether the vendor itself ends the meeting at this limit. False where the plan is not known, or the policy counts another figure',
  );
const limit = {
  limit_minutes: z.number().int().min(1).max(10_000).nullable().describe('The limit that is counted. Null: none was'),
  plan: z.enum(['free', 'paid', 'unknown']).describe("The plan of the professional's account"),
  plan_basis: z.enum(PLAN_BASES).describe('How the plan is known'),
  certain,
};
const earlyEnd = {
  early_end_id: id.describe("The request's id"),
  asked_by: z.enum(EARLY_END_SIDES),
  customer_id: customerId.nullable().describe('The customer who asked. Null: the professional did'),
};
const points = z.number().int().min(1).max(MOST_POINTS);
const participant = z
  .strictObject({
    id: z.string().max(MOST_PARTICIPANT_ID_CHARACTERS).describe("The vendor's id of this stay or person"),
    name: z.string().max(MOST_NAME_CHARACTERS).nullable().describe('What the person is called in the app, cut'),
    side: z.enum(SIDES),
    customer_id: customerId.nullable().describe('Null where it is not known who it is'),
  })
  .describe('Who it is, as far as the vendor tells');

const example = {
  meeting_id: 'mtg_01kb4s9t8w3x7y2z5a6b1c0d4e',
  booking_id: 'bk_1001',
  professional_id: 'pro_42',
  provider: 'zoom',
  state: 'confirmed',
  sequence: 4,
} as const;
const live = { ...example, state: 'live', sequence: 7 } as const;
const askedEarlyEnd = { early_end_id: 'ere_01kb4tz5c7d9e1f3g4h6j8k0m2', asked_by: 'customer', customer_id: 'cus_7' } as const;
const countedLimit = { limit_minutes: 40, plan: 'free', plan_basis: 'vendor', certain: true } as const;
const somebody = { id: '16778240', name: 'Ada', side: 'customer', customer_id: 'cus_7' } as const;

export const MEETING_EVENTS = {
  'meeting.created': entry({
    description: 'A meeting is there.',
    when: 'When the API has taken it. In the state `link_pending` its link is still to come with `meeting.link_ready`.',
    data: ofMeeting,
    example: { ...example, state: 'awaiting_purchase', sequence: 1 },
  }),
  'meeting.link_ready': entry({
    description: 'The link that was still missing is there.',
    when: 'Only after a `meeting.created` in the state `link_pending`, once the vendor has made the meeting.',
    data: ofMeeting,
    example: { ...example, state: 'awaiting_purchase', sequence: 2 },
  }),
  'meeting.purchased': entry({
    description: 'A customer has bought the meeting.',
    when: 'Once per customer, after the purchase was reported to the API. The join link of this customer works from now on.',
    data: { ...ofMeeting, customer_id: customerId },
    example: { ...example, customer_id: 'cus_7' },
  }),
  'meeting.link_locked': entry({
    description: 'The link of the meeting cannot change any more.',
    when: 'With the first purchase.',
    data: ofMeeting,
    example: { ...example, sequence: 3 },
  }),
  'meeting.changed': entry({
    description: 'Something about the meeting is different.',
    when: 'After each change over the API. The new values are in `GET /v1/meetings/{id}`.',
    data: {
      ...ofMeeting,
      changed: z
        .array(z.enum(['title', 'starts_at', 'duration_minutes', 'time_zone', 'link', 'provider']))
        .max(6)
        .describe('What'),
    },
    example: { ...example, changed: ['starts_at'] },
  }),
  'meeting.expired': entry({
    description: 'Nobody bought the meeting in time.',
    when: 'At `purchase_by`. Its links are dead, and the time is free for another booking.',
    data: ofMeeting,
    example: { ...example, state: 'expired', sequence: 2 },
  }),
  'meeting.cancelled': entry({
    description: 'The meeting will not take place.',
    when: 'After it was cancelled over the API. Its links are dead.',
    data: {
      ...ofMeeting,
      block_used: z
        .boolean()
        .optional()
        .describe('Whether a block of a metered session counts as used. Missing in events of before it was told'),
    },
    example: { ...example, state: 'cancelled', sequence: 5, block_used: false },
  }),
  'meeting.started': entry({
    description: "The vendor's meeting runs.",
    when: 'Once per run: a meeting that was left by all and entered again starts again.',
    data: { ...ofMeeting, at },
    example: { ...live, sequence: 5, at: '2026-11-27T09:58:12.000Z' },
  }),
  'meeting.participant_joined': entry({
    description: 'Somebody has entered the meeting.',
    when: 'For each time that the vendor tells; not all vendors do.',
    data: { ...ofMeeting, participant, at },
    example: { ...live, sequence: 6, participant: somebody, at: '2026-11-27T10:00:03.000Z' },
  }),
  'meeting.participant_left': entry({
    description: 'Somebody has left the meeting.',
    when: 'For each time that the vendor tells; not all vendors do.',
    data: { ...ofMeeting, participant, at },
    example: { ...live, participant: somebody, at: '2026-11-27T10:31:44.000Z' },
  }),
  'meeting.limit_approaching': entry({
    description: "The limit of the professional's plan comes nearer.",
    when: "While the meeting runs, at each of the policy's `limits.warn_minutes` before the end.",
    data: {
      ...ofMeeting,
      minutes_left: z.number().int().min(0).max(10_000).describe('Until the limit'),
      ends_at: moment.describe('When the limit is reached'),
      ...limit,
    },
    example: { ...live, minutes_left: 10, ends_at: '2026-11-27T10:38:12.000Z', ...countedLimit },
  }),
  'meeting.limit_reached': entry({
    description: "The limit of the professional's plan is reached.",
    when: 'Once per run, when the vendor has cut it off or the clock says so, whichever comes first.',
    data: {
      ...ofMeeting,
      at,
      told_by: z
        .enum(['vendor', 'clock'])
        .describe('`vendor`: it said that it ended the meeting. `clock`: the time is over, and no end was told'),
      ...limit,
    },
    example: { ...live, sequence: 8, at: '2026-11-27T10:38:12.000Z', told_by: 'clock', ...countedLimit },
  }),
  'meeting.host_lost': entry({
    description: 'The host has left a running meeting and does not come back.',
    when: "After the policy's `host_lost_after_seconds`, where the vendor tells who comes and goes.",
    data: { ...ofMeeting, since: moment.describe('Since when the host is away') },
    example: { ...live, since: '2026-11-27T10:12:40.000Z' },
  }),
  'meeting.host_back': entry({
    description: 'The host is in the meeting again.',
    when: 'Only after a `meeting.host_lost`.',
    data: {
      ...ofMeeting,
      since: moment.describe('Since when the host is back'),
      away_seconds: z.number().int().min(0).max(100_000_000).describe('How long the host was away'),
    },
    example: { ...live, sequence: 8, since: '2026-11-27T10:15:02.000Z', away_seconds: 142 },
  }),
  'meeting.continued': entryWithLinks({
    description: 'The meeting goes on as another one, under new links.',
    when: 'When a meeting that a limit ends is continued and the new links are there. With more attendees than one event holds, several events tell them.',
    data: {
      ...ofMeeting,
      continued_by: meetingId.describe('The meeting that it goes on as'),
      duration_minutes: z.number().int().min(1).max(1_440).describe('Of that meeting'),
    },
    links: {
      host_url: url.describe("The professional's link"),
      attendees: z
        .array(z.strictObject({ customer_id: customerId, join_url: url.describe("The customer's own link") }))
        .describe('Each with the link to join by'),
    },
    example: {
      ...live,
      sequence: 9,
      continued_by: 'mtg_01kb4vd2m6n8p0q4r7s9t1v3w5',
      duration_minutes: 20,
      host_url: 'https://meet.example/h/Yk3vN8qT2mXw',
      attendees: [{ customer_id: 'cus_7', join_url: 'https://meet.example/j/Qm1xT5bR7cLp' }],
    },
  }),
  'meeting.ended': entry({
    description: 'A run of the meeting is over.',
    when: 'Once per run. What nobody tells the end of is ended by the clock, after the join window.',
    data: {
      ...ofMeeting,
      at,
      ended_by: z
        .enum(ENDERS)
        .nullable()
        .optional()
        .describe('On whose wish the gateway ended it. Null where people did in the app, or left. Missing in events of before it was told'),
    },
    example: { ...example, state: 'ended', sequence: 10, at: '2026-11-27T10:48:30.000Z', ended_by: 'customer' },
  }),
  'meeting.early_end_asked': entry({
    description: 'One side asks to end the meeting before its time.',
    when: 'For each request, from a page or over the API, where the policy has an `early_end`.',
    data: { ...ofMeeting, ...earlyEnd, answer_by: moment.describe('Until when the other side may answer') },
    example: { ...live, ...askedEarlyEnd, answer_by: '2026-11-27T10:21:12.000Z' },
  }),
  'meeting.early_end_answered': entry({
    description: 'A request to end early was answered, or nobody did in time.',
    when: 'Once per request.',
    data: {
      ...ofMeeting,
      ...earlyEnd,
      decision: z.enum(['agreed', 'refused', 'lapsed']).describe('`lapsed`: nobody answered'),
      ends: z
        .boolean()
        .describe(
          "Whether the vendor's meeting is ended now. False also where both agreed and the app cannot be ended from outside: they leave it",
        ),
    },
    example: { ...live, sequence: 8, ...askedEarlyEnd, decision: 'agreed', ends: true },
  }),
  'meeting.guest_joined': entry({
    description: 'Somebody has come in by a guest link.',
    when: 'When a guest link leads to the meeting, once a minute at most.',
    data: {
      ...ofMeeting,
      guest_id: id.describe("The guest link's id"),
      name: z.string().max(MOST_NAME_CHARACTERS).nullable().describe('For whom the link was made'),
      uses: z.number().int().min(1).max(1_000_000_000).describe('How often the link has been used, this time included'),
    },
    example: { ...live, guest_id: 'gst_01kb4tz5c7d9e1f3g4h6j8k0m2', name: 'Grace', uses: 1 },
  }),
  'meeting.link_shared': entry({
    description: 'A personal join link was opened in a second browser.',
    when: 'Once per link, where the policy does not let links be shared. It may be the same person with another device.',
    data: { ...ofMeeting, customer_id: customerId, places: z.number().int().min(2).max(1_000_000_000).describe('Browsers so far') },
    example: { ...example, customer_id: 'cus_7', places: 2 },
  }),
  'meeting.rated': entry({
    description: 'A customer has rated the meeting.',
    when: 'Once per customer and meeting, after its end.',
    data: {
      ...ofMeeting,
      rating_id: id.describe("The rating's id"),
      customer_id: customerId,
      professional: points.describe('The professional, 5 is the best'),
      connection: points.describe('The technical connection, 5 is the best'),
      comment: z.string().max(MOST_COMMENT_CHARACTERS).nullable().describe("The customer's own words: show them as text"),
    },
    example: {
      ...example,
      state: 'ended',
      sequence: 11,
      rating_id: 'rat_01kb4tz5c7d9e1f3g4h6j8k0m2',
      customer_id: 'cus_7',
      professional: 5,
      connection: 4,
      comment: 'Very helpful.',
    },
  }),
};
