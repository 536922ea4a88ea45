/** The evidence about an incident, as it is exported and signed. */
import { z } from '@hono/zod-openapi';
import { RECORDING_STATES, VENDOR_ENDINGS } from '../../domain/recording.ts';
import * as answers from './answers.ts';
import * as schemas from './schemas.ts';

const { moment } = schemas;
const id = z.string();

const linkHistory = z.object({
  at: moment,
  what: z.enum(['created', 'ready', 'replaced', 'locked', 'purchased', 'continued']),
  customer_id: z.string().nullable().describe('Who bought'),
});

const recording = z.object({
  id,
  source: z.enum(['provider', 'upload']),
  state: z.enum(RECORDING_STATES),
  reason: z.string().nullable(),
  started_at: moment.nullable(),
  ended_at: moment.nullable(),
  ready_at: moment.nullable(),
  published_at: moment.nullable(),
  expires_at: moment.nullable(),
  erased_at: moment.nullable(),
  at_vendor: z.object({ ending: z.enum(VENDOR_ENDINGS), ended_at: moment.nullable() }).nullable(),
  links: z.array(
    z.object({
      kind: z.enum(['recipient', 'operator']),
      customer_id: z.string().nullable().describe("Whose it is; null for an operator's"),
      incident_id: z.string().nullable(),
      created_at: moment,
      views: z.number().int(),
      first_viewed_at: moment.nullable(),
      expires_at: moment.nullable(),
      revoked_at: moment.nullable(),
    }),
  ),
});

const event = z.object({
  id,
  type: z.string(),
  at: moment,
  sequence: z.number().int().nullable(),
  data: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe('What the event says of the meeting beyond its ids; null for events about something else'),
  deliveries: z.array(
    z.object({
      id,
      endpoint_id: z.string(),
      state: schemas.delivery.shape.state,
      reason: schemas.delivery.shape.reason,
      created_at: moment,
      attempts: z.array(z.object({ at: moment, status: z.number().int().nullable(), duration_ms: z.number().int() })),
    }),
  ),
});

const auditEntry = z
  .object({
    id,
    seq: z.number().int(),
    previous: z.string().describe('The hash of the entry before it in the chain of the marketplace'),
    hash: z.string(),
    at: moment,
    action: z.string(),
    subject_id: z.string(),
    details: z.record(z.string(), z.unknown()),
  })
  .describe('`hash` is SHA-256 over this entry and `previous`: docs/evidence.md');

export const evidence = z
  .object({
    format: z.literal(1),
    issuer: z.url().describe("The gateway's address; its keys are at /.well-known/jwks.json"),
    marketplace_id: id,
    exported_at: moment,
    incident: schemas.incidentWithTimeline,
    meeting: z.object({
      id,
      booking: schemas.meeting.shape.booking,
      professional_id: z.string(),
      provider: schemas.providerId,
      state: schemas.meeting.shape.state,
      starts_at: moment,
      duration_minutes: z.number().int(),
      time_zone: z.string(),
      recording: schemas.meeting.shape.recording,
      records_automatically: z.boolean(),
      limit_minutes: z.number().int().nullable(),
      started_at: moment.nullable(),
      ended_at: moment.nullable(),
      ended_by: z.string().nullable(),
      cancel_reason: z.string().nullable(),
      continues: z.string().nullable(),
      continued_by: z.string().nullable(),
      call_id: z.string().nullable(),
      created_at: moment,
    }),
    customers: z.array(
      z.object({
        customer_id: z.string(),
        name: z.string().nullable(),
        purchased_at: moment.nullable(),
        camera_off: z.boolean(),
        recording_consent: schemas.attendee.shape.recording_consent,
      }),
    ),
    sessions: answers.meetingSessions.pick({ minutes: true, sessions: true, segments: true, segments_minutes: true }),
    consents: z.array(
      z.object({
        at: moment,
        customer_id: z.string(),
        decision: z.string(),
        locale: z.string(),
        text_version: z.string(),
        channel: z.string(),
      }),
    ),
    link: z.object({
      source: schemas.meeting.shape.link.shape.source,
      locked_at: moment.nullable(),
      history: z.array(linkHistory),
      followed: z
        .array(z.object({ at: moment, side: z.string(), customer_id: z.string().nullable() }))
        .describe('When somebody went on to the app by a link of the gateway, to the minute'),
      places: z.array(z.object({ at: moment, customer_id: z.string() })).describe('Each browser that a personal link was opened from'),
      guests: z.array(
        z.object({
          id,
          name: z.string().nullable(),
          invited_by: z.string(),
          customer_id: z.string().nullable(),
          uses: z.number().int(),
          created_at: moment,
          last_used_at: moment.nullable(),
          revoked_at: moment.nullable(),
        }),
      ),
    }),
    recordings: z.array(recording),
    meter: z
      .object({
        credit_blocks: z.number().int().nullable(),
        used_blocks: z.number().int(),
        exhausted_at: moment.nullable(),
        blocks: z.array(z.object({ session: z.string(), number: z.number().int(), starts_at: moment, voided_at: moment.nullable() })),
      })
      .nullable()
      .describe('Null where time is not counted in blocks'),
    early_ends: z.array(
      z.object({
        id,
        asked_at: moment,
        asked_by: z.string(),
        customer_id: z.string().nullable(),
        state: z.string(),
        answer_by: moment,
        answered_at: moment.nullable(),
      }),
    ),
    ratings: z.array(
      z.object({
        at: moment,
        customer_id: z.string(),
        professional: z.number().int(),
        connection: z.number().int(),
        comment: z.string().nullable(),
      }),
    ),
    events: z.array(event),
    audit: z.array(auditEntry),
    left_out: z.array(z.string()).describe('Lists that have more than is here; each has at most 500 entries, the newest of them'),
  })
  .openapi('Evidence');

export const signedEvidence = z
  .object({
    evidence,
    signature: z
      .string()
      .describe('A JWS with detached content (RFC 7515, appendix F) over the canonical JSON (RFC 8785) of `evidence`, as it stands here'),
    page: z.object({ url: z.url(), expires_at: moment }).describe('The same to read, for whoever has the link, for half an hour'),
  })
  .openapi('SignedEvidence');
