/** The shapes of the API, once: they validate requests and describe themselves at `/openapi.json`. */
import { z } from '@hono/zod-openapi';
import { PROVIDER_IDS } from '../../domain/apps.ts';
import { CALL_SIDES, CALL_STATES } from '../../domain/call.ts';
import { CONNECTION_REASONS } from '../../domain/connection.ts';
import { CHOICE_REASONS, REJECTIONS } from '../../domain/decision.ts';
import { ATTEMPT_PROBLEMS, DEATHS, DELIVERY_STATES } from '../../domain/delivery.ts';
import { factsSchema } from '../../domain/eligibility.ts';
import { ENDERS, MEETING_STATES } from '../../domain/meeting.ts';
import { PLAN_BASES } from '../../domain/plan.ts';
import { BOOKING_KINDS, RECORDING_MODES } from '../../domain/policy.ts';
import { WEEKDAYS } from '../../domain/weekly-hours.ts';
import { FINDING_KINDS } from '../../domain/text-scan.ts';
import { INCIDENT_KINDS, INCIDENT_STATES, TIMELINE_AUTHORS, TIMELINE_KINDS } from '../../domain/incident.ts';
import { APPEAL_STATES, STANDINGS } from '../../domain/standing.ts';
import { RECORDING_STATES, REVOKED_REASONS, VENDOR_ENDINGS, WITHHELD_REASONS } from '../../domain/recording.ts';
import { WARNINGS } from '../../meetings/preview.ts';

const CONTROL = /^[^\p{Cc}]*$/u;

/** The pattern is said once more, because the OpenAPI document would get the flag, too. */
export const line = (max: number) =>
  z.string().min(1).max(max).regex(CONTROL, 'must not contain control characters').openapi({ pattern: CONTROL.source });
const PROSE = /^[\n\t\P{Cc}]*$/u;

/** What somebody wrote, over several lines. */
export const prose = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(PROSE, 'must not contain control characters other than line breaks and tabs')
    .openapi({ pattern: PROSE.source });
/** An id that the marketplace made. */
export const foreignId = line(200);
export const moment = z.iso.datetime({ offset: true, message: 'must be an RFC 3339 moment with offset' });
export const providerId = z.enum(PROVIDER_IDS);
export const locale = z.string().regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'must be a language tag');
export const timeZone = z.string().max(64).refine(isTimeZone, 'must be an IANA time zone');

export const durationMinutes = z.number().int().min(1).max(1_440);

/** A time of the wall clock. `24:00` is the end of the day. */
const wallTime = (pattern: RegExp) => z.string().regex(pattern, 'must be a time as `09:30`');
export const hours = z
  .strictObject({
    day: z.enum(WEEKDAYS),
    from: wallTime(/^([01]\d|2[0-3]):[0-5]\d$/),
    to: wallTime(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/).describe('`24:00` is the end of the day'),
  })
  .openapi('WeeklyHours');

export const page = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().max(64).optional(),
});

export const problem = z
  .object({
    type: z.url(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.string(),
    request_id: z.string(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
    resets_at: moment.optional().describe('With `vendor_quota`: when the vendor may be asked again.'),
    limit: z.number().int().optional().describe('With `vendor_quota`: how many creates and changes the used-up budget has.'),
  })
  .openapi('Problem');

const plan = z.enum(['free', 'paid', 'unknown']);
const certainPlan = z.enum(['free', 'paid']);
const planBasis = z
  .enum(PLAN_BASES)
  .describe(
    'How the plan is known. `vendor`: the vendor tells it. `learned`: from what happened in a meeting. `declared`: somebody said so. `none`: it is not.',
  );
const asOf = z.iso.date().nullable().describe("The day of the source. Null: the marketplace's own figure");
const source = z.string().describe('An address, or a few words');
/** `minutes` is null where no booking is long enough to reach the limit. */
const limitMinutes = z.number().int().nullable();

export const connectSession = z.object({ id: z.string(), url: z.url(), expires_at: moment }).openapi('ConnectSession');

export const connection = z
  .object({
    id: z.string(),
    professional_id: z.string().nullable(),
    provider: providerId,
    account: z.object({ id: z.string(), email: z.string().nullable() }),
    plan,
    plan_basis: planBasis,
    declared_plan: certainPlan.nullable().describe('What was said of the plan; it counts where nothing better is known'),
    limit_minutes: limitMinutes,
    limit: z
      .object({ minutes: limitMinutes, as_of: asOf, source })
      .describe('Of a meeting of three and more; see `limits.pairs` of the policy'),
    status: z.enum(['active', 'reconnect_required', 'revoked']),
    status_reason: z.enum(CONNECTION_REASONS).nullable(),
    status_detail: z.string().nullable().describe('The reason as a sentence for the professional'),
    preferred: z
      .boolean()
      .describe("The account that is taken among the professional's active ones of this app when several fit equally well"),
    missing_scopes: z.array(z.string()),
    features: z.array(z.string()),
    daily_quota: z
      .object({ limit: z.number().int(), used: z.number().int(), resets_at: moment })
      .nullable()
      .describe(
        "Creates and changes of meetings that the vendor allows this account in a UTC day, shared with the account's other connections. Null: the vendor has no such limit.",
      ),
    created_at: moment,
  })
  .openapi('Connection');

export const connectionChange = z
  .strictObject({
    preferred: z.literal(true).optional().describe("Takes the place of the professional's earlier choice"),
    declared_plan: certainPlan
      .nullable()
      .optional()
      .describe('Which plan the account has, where the vendor does not tell it. Takes the place of what was learned. Null: not known'),
  })
  .refine((change) => Object.keys(change).length > 0, 'has to change something')
  .openapi('ConnectionChange');

const decision = z
  .object({
    asked: z
      .enum(['auto', ...PROVIDER_IDS])
      .nullable()
      .describe('As in the request; null when it was left out'),
    chosen: providerId.nullable(),
    reason: z
      .enum(CHOICE_REASONS)
      .nullable()
      .describe(
        'Why it is this one. `asked_too_short`: another app was asked for, whose plan is too short, and the policy says `choose_other`',
      ),
    limit_minutes: limitMinutes.describe('Of the chosen one'),
    plan: plan.nullable(),
    plan_basis: planBasis.nullable(),
    considered: z
      .array(
        z.object({
          provider: z.string(),
          rejected: z.enum(REJECTIONS),
          limit_minutes: limitMinutes,
          plan: plan.nullable(),
          plan_basis: planBasis.nullable(),
        }),
      )
      .describe('What else was looked at, and why it was not taken'),
  })
  .openapi('Decision');

const meetingLimit = z
  .object({ minutes: limitMinutes, plan, plan_basis: planBasis, exceeded: z.boolean(), as_of: asOf, source: source.nullable() })
  .openapi('MeetingLimit');

const UNOPENED = 'Null in lists only, where the stored link is damaged; asked for by itself, the resource fails with the reason';

const invitation = z.object({ title: z.string(), text: z.string(), url: z.url() });

export const attendee = z
  .object({
    customer_id: z.string(),
    name: z.string().nullable(),
    locale: z.string().nullable(),
    state: z.enum(['awaiting_purchase', 'purchased']),
    join_url: z.url().nullable().describe(UNOPENED),
    camera_off: z.boolean(),
    recording_consent: z.enum(['missing', 'granted', 'refused']),
    invitation: invitation.nullable().describe("Ready for a conversation, in the customer's language; null where `join_url` is"),
  })
  .openapi('Attendee');

export const meeting = z
  .object({
    id: z.string(),
    state: z.enum(MEETING_STATES),
    purchase_by: moment,
    provider: providerId,
    booking: z.object({ id: z.string(), kind: z.enum(BOOKING_KINDS), title: z.string() }),
    professional_id: z.string(),
    connection_id: z.string().nullable(),
    starts_at: moment,
    duration_minutes: z.number().int(),
    time_zone: z.string(),
    link: z.object({
      source: z.enum(['created', 'uploaded']),
      locked_at: moment.nullable(),
      provider_join_url: z.url().nullable(),
      degraded: z.array(z.string()),
    }),
    host_url: z.url().nullable().describe(UNOPENED),
    attendees: z.array(attendee),
    limit: meetingLimit,
    decision,
    recording: z.enum(RECORDING_MODES),
    records_automatically: z.boolean().openapi({ description: 'Whether the vendor records by itself, as read back from it' }),
    flags: z
      .array(z.object({ field: z.enum(['title']), kind: z.enum(FINDING_KINDS) }))
      .describe('Links and contact data found in free text (C03)'),
    important_notes: z.string(),
    running: z
      .object({ since: moment, limit_ends_at: moment.nullable(), host_lost_at: moment.nullable() })
      .nullable()
      .describe(
        "The run that goes on now: since when by the vendor, when the plan's limit ends it, and since when the host is told to be lost. Null: none does.",
      ),
    continues: z.string().nullable().describe('The meeting of the same booking that this one continues after a limit'),
    continued_by: z.string().nullable().describe('The meeting that continues this one'),
    started_at: moment.nullable(),
    ended_at: moment.nullable(),
    ended_by: z.enum(ENDERS).nullable().describe('On whose wish the gateway ended it; null where people did in the app, or left'),
    cancel_reason: z.string().nullable(),
    created_at: moment,
  })
  .openapi('Meeting');

const MOST_FACTS = 50;

export const facts = factsSchema
  .refine((one) => Object.keys(one).length <= MOST_FACTS, `must not be more than ${MOST_FACTS}`)
  .default({})
  .describe('What the rules of `eligibility` in the policy are about, by name: numbers, texts, booleans, moments. Not kept');

export const newMeeting = z
  .strictObject({
    booking: z.strictObject({ id: foreignId, kind: z.enum(BOOKING_KINDS), title: line(200) }),
    professional_id: foreignId,
    attendees: z
      .array(
        z.strictObject({
          customer_id: foreignId,
          name: line(200).nullish(),
          locale: locale.nullish(),
          camera_off: z.boolean().default(false),
        }),
      )
      .max(100)
      .default([]),
    provider: z
      .enum(['auto', ...PROVIDER_IDS])
      .optional()
      .describe('Left out: the app that the professional prefers, else as `auto`'),
    starts_at: moment,
    duration_minutes: durationMinutes.optional().describe("Left out: the professional's `default_duration_minutes`"),
    time_zone: timeZone.default('UTC'),
    recording: z.enum(RECORDING_MODES).default('none'),
    facts,
    join_url: z.string().max(2_048).nullish(),
  })
  .openapi('NewMeeting');

export const call = z
  .object({
    id: z.string(),
    state: z.enum(CALL_STATES),
    professional_id: z.string(),
    customer_id: z.string(),
    initiator: z.enum(CALL_SIDES),
    booking: z.object({ id: z.string(), title: z.string() }),
    purpose: z.string().nullable(),
    conversation_id: z.string().nullable(),
    video: z.boolean(),
    prepaid_blocks: z.number().int().nullable(),
    rings: z.boolean().describe('False: the professional is away, so the call is counted and makes no sound'),
    accept_by: moment,
    ended_at: moment.nullable().describe('When it was accepted, declined, withdrawn or expired; null while it rings'),
    meeting_id: z.string().nullable().describe('The meeting that it became'),
    pages: z.object({
      professional_url: z.url().nullable().describe(UNOPENED),
      customer_url: z.url().nullable().describe(UNOPENED),
    }),
    invitation: invitation
      .nullable()
      .describe(
        "Ready for a conversation, in the customer's language. While it rings: to answer it, for who is called. Accepted: to join, for the customer. Null: it came to nothing, or the link is damaged",
      ),
    created_at: moment,
  })
  .openapi('Call');

export const preview = z
  .object({
    would_be: z.enum(['created', 'refused']),
    problem: problem
      .omit({ request_id: true })
      .loose()
      .nullable()
      .describe(
        'What the request would be refused with, members of its own included; a `reconnect_required` comes without the connect link',
      ),
    provider: providerId.nullable(),
    connection_id: z.string().nullable().describe("The account at this moment; of a platform's hosts another one may be free later"),
    limit: meetingLimit.nullable(),
    decision: decision.nullable().describe('Null when it is refused before any app is chosen'),
    warnings: z.array(z.object({ code: z.enum(WARNINGS), detail: z.string() })),
    alternatives: z
      .array(z.object({ provider: providerId, limit_minutes: limitMinutes, plan, plan_basis: planBasis }))
      .describe('Other connected apps that the booking fits into'),
  })
  .openapi('MeetingPreview');

export const meetingChange = z
  .strictObject({
    provider: providerId.describe('Another app; only before the first purchase'),
    join_url: z.string().max(2_048).describe('A link made elsewhere; only before the first purchase'),
    title: line(200),
    starts_at: moment,
    duration_minutes: durationMinutes,
    time_zone: timeZone,
  })
  .partial()
  .openapi('MeetingChange');

export const consent = z
  .strictObject({ decision: z.enum(['granted', 'refused']), locale, text_version: line(100) })
  .openapi('RecordingConsent');

export const expectedRecording = z
  .object({
    state: z.enum(['open', 'met', 'missed']),
    until: z.iso
      .datetime()
      .describe('When `recording.missing` is told if none was found; a recording that comes later is taken all the same'),
  })
  .nullable()
  .describe('Null where no recording is expected: the meeting is not over, or is not to be recorded')
  .openapi('ExpectedRecording');

export const recording = z
  .object({
    id: z.string(),
    meeting_id: z.string(),
    source: z.enum(['provider', 'upload']),
    state: z.enum(RECORDING_STATES),
    /** Why it is withheld or was taken back. */
    reason: z.enum([...WITHHELD_REASONS, ...REVOKED_REASONS]).nullable(),
    title: z.string().nullable(),
    files: z.array(z.object({ kind: z.string(), content_type: z.string(), bytes: z.number().nullable() })),
    ready_at: moment.nullable(),
    published_at: moment.nullable(),
    expires_at: moment.nullable(),
    links: z.array(
      z.object({
        customer_id: z.string(),
        url: z.url().nullable(),
        views: z.number().int(),
        first_viewed_at: moment.nullable(),
        revoked_at: moment.nullable(),
      }),
    ),
    erased_at: moment.nullable(),
    /** What became of it at the vendor when its time was over; null while nothing is to be done there. */
    at_vendor: z.object({ ending: z.enum(VENDOR_ENDINGS), ended_at: moment.nullable() }).nullable(),
    created_at: moment,
  })
  .openapi('Recording');

export const access = z
  .object({
    url: z.url().describe('Shown once'),
    expires_at: moment.describe('The link ends earlier when the incident is closed'),
    incident_id: z.string(),
  })
  .openapi('RecordingAccess');
export const incident = z
  .object({
    id: z.string(),
    meeting_id: z.string(),
    reported_by: z.enum(['customer', 'professional']),
    reporter_id: z.string(),
    kind: z.enum(INCIDENT_KINDS).nullable(),
    text: z.string(),
    state: z.enum(INCIDENT_STATES),
    reported_at: moment,
    resolution: z.string().nullable().describe('How it was decided'),
    resolved_at: moment.nullable(),
  })
  .openapi('Incident');

export const timelineEntry = z
  .object({
    at: moment,
    kind: z.enum(TIMELINE_KINDS),
    by: z.enum(TIMELINE_AUTHORS).describe('`operator`: on the command line of the gateway'),
    state: z.enum(INCIDENT_STATES).nullable().describe('The state from then on; null for a note'),
    text: z.string().nullable().describe('The note, or the resolution'),
  })
  .openapi('IncidentTimelineEntry');

export const incidentWithTimeline = incident
  .extend({ timeline: z.array(timelineEntry).describe('Oldest first') })
  .openapi('IncidentWithTimeline');

const standingName = z.enum(STANDINGS);

const standingDecision = z
  .object({
    id: z.string(),
    standing: standingName,
    until: moment.nullable(),
    reason: z.string(),
    incident_id: z.string().nullable(),
    appeal_id: z.string().nullable().describe('The appeal that it answers'),
    decided_at: moment,
  })
  .openapi('StandingDecision');

export const standing = z
  .object({
    professional_id: z.string(),
    standing: standingName.describe('Now. `suspended` and `terminated`: no new links and calls'),
    until: moment.nullable().describe('When the suspension ends by itself'),
    decision: standingDecision.nullable().describe('What it rests on; null when nothing was decided, and after a suspension'),
    decisions: z.array(standingDecision).describe('The newest first, at most 20'),
  })
  .openapi('Standing');

export const appeal = z
  .object({
    id: z.string(),
    professional_id: z.string(),
    decision_id: z.string(),
    state: z.enum(APPEAL_STATES),
    text: z.string(),
    evidence: z.array(z.object({ url: z.url(), title: z.string().nullable() })),
    answer: z.string().nullable(),
    filed_at: moment,
    decided_at: moment.nullable(),
  })
  .openapi('Appeal');

/** A compact JWS (RFC 7515). */
export const deletionCertificate = z.object({ certificate: z.string() }).openapi('DeletionCertificate');

export const endpoint = z
  .object({
    id: z.string(),
    url: z.url(),
    events: z.array(z.string()),
    description: z.string().nullable(),
    enabled: z.boolean(),
    disabled: z
      .object({
        reason: z.enum(['asked', 'gone', 'failing']).describe('Over the API; it answered 410; nothing but failures for five days'),
        at: moment,
        notice: z.object({ subject: z.string(), text: z.string() }).describe('To be mailed to whoever looks after the endpoint'),
      })
      .nullable(),
    failing_since: moment.nullable().describe('Every attempt has failed since; null after a success'),
    created_at: moment,
  })
  .openapi('WebhookEndpoint');

export const endpointWithSecret = endpoint.extend({ secret: z.string() }).openapi('WebhookEndpointWithSecret');

export const event = z
  .object({ id: z.string(), type: z.string(), timestamp: moment, data: z.record(z.string(), z.unknown()) })
  .openapi('Event');

export const delivery = z
  .object({
    id: z.string(),
    event_id: z.string(),
    type: z.string(),
    state: z.enum(DELIVERY_STATES),
    reason: z.enum(DEATHS).nullable().describe('Why it is dead'),
    next_attempt_at: moment.nullable(),
    attempts: z.array(
      z.object({
        at: moment,
        status: z.number().int().nullable(),
        problem: z.enum(ATTEMPT_PROBLEMS).nullable().describe('Null: it was delivered'),
        duration_ms: z.number().int(),
        answer: z.string().describe('The beginning of the answer, or what kept it from being heard'),
      }),
    ),
  })
  .openapi('Delivery');

const figure = <Value extends z.ZodType>(value: Value) => z.object({ value, as_of: z.iso.date(), source });
const planFigures = z.object({
  name: z.string(),
  limit_minutes: figure(z.number().int()).describe('Of a meeting of three and more'),
  pairs_limit_minutes: figure(z.number().int()).describe('Of a meeting of two'),
  participants: figure(z.number().int()),
  concurrent_meetings: figure(z.number().int()).nullable().describe('Of one host; null where no source says'),
  recording: figure(z.enum(['yes', 'no', 'depends'])).describe("In the vendor's cloud"),
});

export const provider = z
  .object({
    id: providerId,
    name: z.string(),
    configured: z.boolean(),
    free_plan: z.object({ limit_minutes: limitMinutes, applies_to: z.string(), as_of: asOf, source }),
    plans: z
      .object({ free: planFigures, paid: planFigures })
      .describe('What the vendor says of its plans, each figure with its source; `free_plan` is what counts here'),
    guides: z.object({ participant: z.url(), host: z.url() }),
    join_hosts: z.array(z.string()),
    features: z.array(z.string()),
  })
  .openapi('Provider');

function isTimeZone(value: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
