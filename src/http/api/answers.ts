/** What single routes answer; the shapes that several share are in `schemas.ts`. */
import { z } from '@hono/zod-openapi';
import { EARLY_END_SIDES, EARLY_END_STATES } from '../../domain/early-end.ts';
import { INVITER_SIDES } from '../../domain/guest.ts';
import { policySchema } from '../../domain/policy.ts';
import { PRESET_NAMES } from '../../domain/presets/index.ts';
import { PRESENCES } from '../../domain/presence.ts';
import { SIDES } from '../../domain/session.ts';
import * as schemas from './schemas.ts';

// What the gateway says unasked, for the typed client.
export type { EventData } from '../../events/catalogue.ts';

export const policy = z
  .object({
    preset: z.enum(PRESET_NAMES),
    values: policySchema,
    changed: z.array(z.string()).describe("JSON pointers of the values that differ from the preset's"),
  })
  .openapi('Policy');

export const packageOfMeetings = z
  .object({ id: z.string(), booking_id: z.string(), meetings: z.array(schemas.meeting), created_at: schemas.moment })
  .openapi('Package');
export const packagePurchase = z.object({ attendees: z.array(schemas.attendee) });

export const presence = z
  .object({
    professional_id: z.string(),
    status: z.enum(PRESENCES),
    video: z.boolean(),
    until: schemas.moment.nullable().describe('Then it is `unknown`, unless it is told again; null: it is'),
  })
  .openapi('Presence');
export const presences = z.object({ data: z.array(presence) });

export const availability = z
  .object({
    professional_id: z.string(),
    time_zone: z.string().nullable().describe('Null as long as no hours were given'),
    hours: z.array(schemas.hours).describe('In the order of the week'),
    windows: z
      .array(z.object({ starts_at: schemas.moment, ends_at: schemas.moment }))
      .optional()
      .describe('With `from` and `until`: the same hours as moments. What a clock skips is in none, what it shows twice is in them twice'),
  })
  .openapi('Availability');

export const profile = z
  .object({
    professional_id: z.string(),
    default_duration_minutes: z
      .number()
      .int()
      .nullable()
      .describe('Of a meeting that is asked for without a length; null: it has to be named'),
  })
  .openapi('Professional');

export const content = z
  .object({
    id: z.string(),
    booking_id: z.string(),
    professional_id: z.string(),
    title: z.string().nullable().describe('Null once it is erased'),
    host: z.string().nullable().describe('Where it lies; null once it is erased'),
    links: z
      .array(
        z.object({
          customer_id: z.string(),
          url: z.url().nullable(),
          views: z.number().int().describe('Of all contents of the booking together'),
          first_viewed_at: schemas.moment.nullable(),
          expires_at: schemas.moment,
        }),
      )
      .describe('Of those who bought what the booking sells, one each for all of it'),
    erased_at: schemas.moment.nullable(),
    created_at: schemas.moment,
  })
  .openapi('Content');

export const contentAccess = z
  .object({
    booking_id: z.string(),
    customer_id: z.string(),
    url: z.url().describe("The customer's own page, with all contents of the booking"),
    expires_at: schemas.moment,
    contents: z.array(z.object({ id: z.string(), title: z.string() })),
  })
  .openapi('ContentAccess');

export const cancelled = schemas.meeting
  .extend({ block_used: z.boolean().describe('Whether a block of a metered session of this meeting counts as used') })
  .openapi('CancelledMeeting');

export const meter = z
  .object({
    meeting_id: z.string(),
    booking_id: z.string(),
    enabled: z.boolean().describe('Whether the policy meters sessions'),
    block_minutes: z.number().int(),
    credit_blocks: z
      .number()
      .int()
      .nullable()
      .describe('Blocks that are paid for, all sessions of the meeting together; null: not limited'),
    used_blocks: z.number().int(),
    block_ends_at: schemas.moment.nullable().describe('When the block that runs ends; null while none does'),
    exhausted_at: schemas.moment.nullable().describe('Since when there is a block that nobody has paid for'),
    ending: z
      .enum(['gateway', 'not_capable', 'policy'])
      .describe(
        'What becomes of the meeting then. `gateway`: it ends it at the vendor. `not_capable`: the vendor cannot. `policy`: it is told only',
      ),
    balance_text: z.string().nullable(),
    blocks: z
      .array(
        z.object({
          session_id: z.string().describe('Of the run of the meeting; as in the events'),
          number: z.number().int().describe('From 1 in each session'),
          starts_at: schemas.moment,
          voided_at: schemas.moment.nullable().describe('Set where it does not count'),
        }),
      )
      .describe('Of all sessions, oldest first'),
  })
  .openapi('Meter');

/** How many deliveries are on their way. */
export const deliveryCount = z.object({ deliveries: z.number().int() });

export const minutes = z
  .object({ total: z.number(), host: z.number(), customer: z.number(), joint: z.number() })
  .describe('To the hundredth. `joint`: host and customer at the same time. Who is of unknown side counts in `total` only')
  .openapi('Minutes');

export const session = z
  .object({
    started_at: schemas.moment,
    ended_at: schemas.moment.nullable().describe('Null while it goes on'),
    limit_reached: z.boolean().describe("True where the vendor says that the plan's limit ended it"),
    estimated: z
      .boolean()
      .describe(
        'True where the vendor told nothing, so that the clicks on the links count, or did not tell the end, so that the clock does',
      ),
    source: z.enum(['events', 'attendance', 'clicks']),
    participants: z.array(
      z.object({
        side: z.enum(SIDES),
        customer_id: z.string().nullable(),
        stays: z.array(z.object({ joined_at: schemas.moment, left_at: schemas.moment.nullable() })),
      }),
    ),
    minutes,
  })
  .openapi('Session');

export const segment = z
  .object({
    meeting_id: z.string(),
    provider: schemas.providerId,
    starts_at: schemas.moment,
    booked_minutes: z.number().int(),
    limit_reached: z.boolean(),
    estimated: z.boolean(),
    minutes,
  })
  .openapi('Segment');

export const meetingSessions = z
  .object({
    meeting_id: z.string(),
    booking_id: z.string(),
    booked_minutes: z.number().int(),
    minutes: minutes.describe('All sessions of this meeting together'),
    sessions: z.array(session).describe('Oldest first'),
    segments: z.array(segment).describe('This meeting and those that it continues or is continued by, the first one first'),
    segments_minutes: minutes.describe('All segments together: what came of the booking'),
  })
  .openapi('MeetingSessions');

export const usage = z
  .object({
    connection_id: z.string(),
    month: z.string(),
    meetings: z.number().int().describe('Bought, and booked to start in that month (UTC); a continuation is no further one'),
    held: z.number().int().describe('Those of which a session is known'),
    sessions: z.number().int(),
    estimated_sessions: z.number().int(),
    limit_reached: z.number().int().describe("Sessions that the plan's limit ended"),
    booked_minutes: z.number().int().describe('Of `meetings`'),
    minutes,
  })
  .openapi('Usage');

export const earlyEnd = z
  .object({
    id: z.string(),
    meeting_id: z.string(),
    asked_by: z.enum(EARLY_END_SIDES),
    customer_id: z.string().nullable().describe('The customer who asked. Null: the professional did'),
    state: z.enum(EARLY_END_STATES),
    ends: z
      .boolean()
      .describe("Whether agreeing ends the vendor's meeting. False: the app cannot be ended from outside, and both leave it"),
    asked_at: schemas.moment,
    answer_by: schemas.moment,
    answered_at: schemas.moment.nullable(),
  })
  .openapi('EarlyEnd');

export const guest = z
  .object({
    id: z.string(),
    meeting_id: z.string(),
    name: z.string().nullable(),
    url: z.url().nullable().describe("The guest's page. Null once it is revoked"),
    invited_by: z.enum(INVITER_SIDES),
    customer_id: z.string().nullable().describe('The customer who invited'),
    uses: z.number().int().describe('How often it led to the meeting'),
    last_used_at: schemas.moment.nullable(),
    revoked_at: schemas.moment.nullable(),
    created_at: schemas.moment,
  })
  .openapi('Guest');

export const meetingGuests = z
  .object({
    data: z.array(guest),
    next_cursor: z.null(),
    shared_links: z
      .array(z.object({ customer_id: z.string(), places: z.number().int().describe('Browsers that it was opened in') }))
      .describe('Personal links of this meeting that were opened in several browsers, where the policy lets none be shared'),
  })
  .openapi('MeetingGuests');

export const rating = z
  .object({
    id: z.string(),
    meeting_id: z.string(),
    professional_id: z.string(),
    customer_id: z.string(),
    professional: z.number().int(),
    connection: z.number().int(),
    comment: z.string().nullable(),
    rated_at: schemas.moment,
  })
  .openapi('Rating');

export const ratings = z
  .object({
    data: z.array(rating),
    next_cursor: z.string().nullable(),
    averages: z
      .object({ count: z.number().int(), professional: z.number().nullable(), connection: z.number().nullable() })
      .describe('Over all ratings, to the hundredth; null where there is none'),
  })
  .openapi('Ratings');
