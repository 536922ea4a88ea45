/** What is asked of the API: bodies and queries. The routes validate with them, the typed client is typed by them. */
import { z } from '@hono/zod-openapi';
import { CALL_SIDES, CALL_STATES } from '../../domain/call.ts';
import { EARLY_END_SIDES } from '../../domain/early-end.ts';
import { INVITER_SIDES } from '../../domain/guest.ts';
import { INCIDENT_KINDS, INCIDENT_STATES, MOST_CHARACTERS, MOST_NOTE_CHARACTERS } from '../../domain/incident.ts';
import { MEETING_STATES } from '../../domain/meeting.ts';
import { RECORDING_MODES } from '../../domain/policy.ts';
import { DELIVERY_STATES } from '../../domain/delivery.ts';
import { PRESENCES } from '../../domain/presence.ts';
import { DAY } from '../../domain/time.ts';
import { EVENT_TYPES, type EventType } from '../../events/catalogue.ts';
import { MOST_LINK_CHARACTERS, PLAIN_LINK_REFUSALS, readPlainLink } from '../../domain/plain-link.ts';
import { STANDINGS, type Standing } from '../../domain/standing.ts';
import { MOST_COMMENT_CHARACTERS, MOST_POINTS } from '../../domain/rating.ts';
import * as schemas from './schemas.ts';

export { policyPatchSchema as policyChange } from '../../domain/policy.ts';
export { connectionChange, consent, meetingChange, newMeeting, page } from './schemas.ts';

export const newConnectSession = z
  .strictObject({
    professional_id: schemas.foreignId,
    providers: z.array(schemas.providerId).min(1).optional(),
    return_url: z.string().max(2_048).nullish(),
    locale: schemas.locale.nullish(),
  })
  .openapi('NewConnectSession');

export const connectionsPage = schemas.page.extend({ professional_id: schemas.foreignId.optional() });

export const usageQuery = z.object({
  month: z
    .string()
    .regex(/^20\d\d-(0[1-9]|1[0-2])$/)
    .openapi({ example: '2026-11' }),
});

export const meetingsPage = schemas.page.extend({
  booking_id: schemas.foreignId.optional(),
  professional_id: schemas.foreignId.optional(),
  state: z.enum(MEETING_STATES).optional(),
});

export const purchase = z.strictObject({ customer_id: schemas.foreignId });
export const cancellation = z.strictObject({ reason: schemas.line(500).nullish() });
export const ending = z.strictObject({
  by: z.enum(['customer', 'professional', 'marketplace']).optional().describe('On whose wish. Default: `marketplace`'),
});
export const credit = z
  .strictObject({
    blocks: z.int().min(0).max(100_000).describe('All blocks that are paid for, used ones included: set, not added'),
    balance_text: schemas.line(100).nullish().describe('Shown on the pages while the meeting runs. Left out: as it was'),
  })
  .openapi('Credit');
export const wishes = z.strictObject({ camera_off: z.boolean().optional(), locale: schemas.locale.nullable().optional() });

export const newCall = z
  .strictObject({
    professional_id: schemas.foreignId,
    customer_id: schemas.foreignId,
    initiator: z.enum(CALL_SIDES).describe('Who calls; the other side answers. Who may is `calls.initiator` of the policy'),
    purpose: schemas.line(500).nullish().describe('What it is about, as the page of who is called shows it'),
    conversation_id: schemas.foreignId.nullish().describe('Comes back in answers and events'),
    booking: z
      .strictObject({ id: schemas.foreignId, title: schemas.line(200) })
      .nullish()
      .describe('Left out: the call is a booking of its own'),
    prepaid_blocks: z.number().int().min(0).max(10_000).nullish().describe('Blocks that the customer has paid for'),
    video: z.boolean().default(false).describe('True: refused where the professional has no video'),
    provider: schemas.newMeeting.shape.provider,
    duration_minutes: schemas.newMeeting.shape.duration_minutes
      .nullish()
      .describe("Left out: the professional's own length, else 30 minutes"),
    recording: z.enum(RECORDING_MODES).optional().describe('Left out: the first one that the policy allows for `one_to_one`'),
    locale: schemas.locale.nullish().describe('Of the customer'),
    customer_name: schemas.line(200).nullish().describe("As the professional's page shows it"),
    professional_name: schemas.line(200).nullish().describe("As the customer's page shows it"),
    camera_off: z.boolean().default(false).describe('The customer sees and is not seen (T10)'),
    facts: schemas.facts,
  })
  .openapi('NewCall');

export const callsPage = schemas.page.extend({
  professional_id: schemas.foreignId.optional(),
  customer_id: schemas.foreignId.optional(),
  state: z.enum(CALL_STATES).optional(),
});

/** The upper bound of any policy is checked by the policy; this one only keeps the request readable. */
const MOST_MEETINGS_EVER = 50;

export const newPackage = z
  .strictObject({
    booking: schemas.newMeeting.shape.booking,
    professional_id: schemas.foreignId,
    attendees: schemas.newMeeting.shape.attendees,
    provider: schemas.newMeeting.shape.provider,
    time_zone: schemas.newMeeting.shape.time_zone,
    recording: schemas.newMeeting.shape.recording,
    facts: schemas.facts,
    meetings: z
      .array(
        z.strictObject({
          title: schemas.line(200).optional().describe("Default: the booking's title"),
          starts_at: schemas.moment,
          duration_minutes: schemas.newMeeting.shape.duration_minutes,
          join_url: schemas.newMeeting.shape.join_url,
        }),
      )
      .min(1)
      .max(MOST_MEETINGS_EVER),
  })
  .openapi('NewPackage');

export const newUpload = z
  .strictObject({
    url: z.string().min(1).max(MOST_LINK_CHARACTERS).describe('https; its host has to be one of `recording.uploads.hosts` of the policy'),
    title: schemas.line(200).describe('As the recipients see it'),
    passcode: schemas.line(200).nullish().describe('What the storage asks for; shown to the recipients'),
  })
  .openapi('NewUpload');

export const newContent = newUpload
  .extend({
    booking: z.strictObject({ id: schemas.foreignId }),
    professional_id: schemas.foreignId,
    title: schemas.line(200).describe('As the buyers see it'),
    passcode: schemas.line(200).nullish().describe('What the storage asks for; shown to the buyers'),
  })
  .openapi('NewContent');
export const contentPurchase = z.strictObject({ booking_id: schemas.foreignId, customer_id: schemas.foreignId }).openapi('ContentPurchase');
export const contentsPage = schemas.page.extend({ booking_id: schemas.foreignId.optional() });

export const revocation = z
  .strictObject({ customer_id: schemas.foreignId, incident_id: schemas.foreignId })
  .partial()
  .refine((one) => Object.keys(one).length < 2, 'has to name one of the two, or none')
  .openapi('Revocation');

export const presence = z
  .strictObject({
    status: z.enum(PRESENCES),
    video: z.boolean().default(false).describe('Whether the professional can be seen; counts for nothing while the status is `unknown`'),
    expires_in_seconds: z
      .int()
      .min(30)
      .max(86_400)
      .optional()
      .describe('How long it holds unless it is told again; left out: `presence.heartbeat_seconds` of the policy'),
  })
  .openapi('PresenceChange');

/** What stands once in a query is no list yet. */
const oneOrMore = (value: unknown): unknown => (typeof value === 'string' ? [value] : value);
export const presenceQuery = z.strictObject({
  professional_id: z.preprocess(oneOrMore, z.array(schemas.foreignId).min(1).max(100)).openapi({
    param: { explode: true, style: 'form' },
    type: 'array',
    items: { type: 'string' },
    minItems: 1,
    maxItems: 100,
    description: 'Once for each professional',
  }),
});

/** One cell an hour, all week. */
const MOST_HOURS = 168;

export const availability = z
  .strictObject({
    time_zone: schemas.timeZone.describe("The professional's own"),
    hours: z
      .array(
        schemas.hours.refine(({ from, to }) => from < to, {
          path: ['to'],
          message: 'has to be later than `from`; what goes on past midnight is hours of two days',
        }),
      )
      .max(MOST_HOURS)
      .describe('In the place of all earlier ones. Those that touch or overlap become one'),
  })
  .openapi('AvailabilityChange');

const MOST_DAYS = 92;

export const availabilityQuery = z
  .strictObject({ from: schemas.moment.optional(), until: schemas.moment.optional() })
  .refine(({ from, until }) => (from === undefined) === (until === undefined), 'has to have both `from` and `until`, or none')
  .refine(({ from, until }) => from === undefined || until === undefined || isPeriod(Date.parse(until) - Date.parse(from)), {
    path: ['until'],
    message: `has to be later than \`from\`, by no more than ${MOST_DAYS} days`,
  });

const isPeriod = (ms: number): boolean => ms > 0 && ms <= MOST_DAYS * DAY;

export const profileChange = z.strictObject({ default_duration_minutes: schemas.durationMinutes.nullable() }).openapi('ProfessionalChange');

export const accessRequest = z
  .strictObject({
    incident_id: schemas.foreignId.describe('An incident of the same meeting that is `open` or `investigating`'),
    reason: schemas.line(500).describe('Goes into the audit log'),
  })
  .openapi('RecordingAccessRequest');

export const incidentsPage = schemas.page.extend({
  meeting_id: schemas.foreignId.optional(),
  state: z.enum(INCIDENT_STATES).optional(),
});

export const newIncident = z
  .strictObject({
    reported_by: z.enum(['customer', 'professional']),
    reporter_id: schemas.foreignId.describe("The meeting's professional, or one of its customers"),
    kind: z.enum(INCIDENT_KINDS).nullish(),
    text: z.string().describe(`The person's own words, at most ${MOST_CHARACTERS} characters; a line break counts as one`),
  })
  .openapi('NewIncident');

export const incidentChange = z
  .strictObject({
    state: z.enum(INCIDENT_STATES),
    note: schemas.line(MOST_NOTE_CHARACTERS).nullish().describe('Goes into the timeline and the audit log'),
    resolution: schemas.line(MOST_CHARACTERS).nullish().describe('How it was decided. Only with the state `resolved`; a dispute needs one'),
  })
  .openapi('IncidentChange');

type NamedStanding = { readonly standing?: Standing | undefined; readonly until?: string | null | undefined };

/** A suspension, and nothing else, has its end. */
function checkUntil({ standing, until }: NamedStanding, context: z.RefinementCtx): void {
  const suspended = standing === 'suspended';
  if (suspended === (typeof until === 'string')) return;
  const message = suspended ? 'has to say when the suspension ends' : 'belongs to `suspended` only';
  context.addIssue({ code: 'custom', path: ['until'], message });
}

export const standingChange = z
  .strictObject({
    standing: z.enum(STANDINGS),
    until: schemas.moment.nullish().describe('When the suspension ends by itself; with `suspended`, and only then'),
    reason: schemas.prose(MOST_CHARACTERS).describe('For the professional, and for the audit log'),
    incident_id: schemas.foreignId.nullish().describe('The incident that it answers'),
  })
  .superRefine(checkUntil)
  .openapi('StandingChange');

const evidenceUrl = z
  .string()
  .min(1)
  .max(MOST_LINK_CHARACTERS)
  .superRefine((text, context) => {
    const read = readPlainLink(text);
    if (typeof read === 'string') context.addIssue({ code: 'custom', message: PLAIN_LINK_REFUSALS[read] });
  });

export const newAppeal = z
  .strictObject({
    text: schemas.prose(MOST_CHARACTERS),
    evidence: z
      .array(z.strictObject({ url: evidenceUrl, title: schemas.line(200).nullish() }))
      .min(1)
      .max(10)
      .describe('https links; the gateway does not follow them'),
  })
  .openapi('NewAppeal');

export const ruling = z
  .strictObject({
    decision: z.enum(['upheld', 'granted']),
    answer: schemas.prose(MOST_CHARACTERS).describe('For the professional, and for the audit log'),
    standing: z.enum(['good', 'warned', 'suspended']).optional().describe('Of a grant: what the standing becomes. Left out: `good`'),
    until: schemas.moment.nullish(),
  })
  .superRefine((one, context) => {
    checkUntil(one, context);
    if (one.decision === 'upheld' && one.standing !== undefined)
      context.addIssue({ code: 'custom', path: ['standing'], message: 'belongs to `granted` only' });
  })
  .openapi('AppealDecision');

export const earlyEnd = z
  .strictObject({
    asked_by: z.enum(EARLY_END_SIDES),
    customer_id: schemas.foreignId.nullish().describe('With `customer`; may be left out, as there is only one'),
  })
  .refine(({ asked_by: by, customer_id: id }) => by === 'customer' || (id ?? null) === null, {
    path: ['customer_id'],
    message: 'goes with `customer` only',
  })
  .openapi('NewEarlyEnd');

export const earlyEndAnswer = z
  .strictObject({ by: z.enum(EARLY_END_SIDES).describe('The side that did not ask'), decision: z.enum(['agreed', 'refused']) })
  .openapi('EarlyEndAnswer');

export const newGuest = z
  .strictObject({
    name: schemas.line(200).nullish().describe('For whom it is; shown to the other participants'),
    invited_by: z.enum(INVITER_SIDES).default('marketplace').describe('Who may revoke it on the own page'),
    customer_id: schemas.foreignId.nullish().describe('With `customer`: who has bought'),
  })
  .refine(({ invited_by: by, customer_id: id }) => (by === 'customer') === ((id ?? null) !== null), {
    path: ['customer_id'],
    message: 'goes with `customer`, and with nobody else',
  })
  .openapi('NewGuest');

const points = z.number().int().min(1).max(MOST_POINTS);
export const newRating = z
  .strictObject({
    professional: points.describe('5 is the best'),
    connection: points.describe('The technical connection; 5 is the best'),
    comment: z.string().max(MOST_COMMENT_CHARACTERS).nullish(),
  })
  .openapi('NewRating');

type FamilyOf<Type> = Type extends `${infer Family}.${string}` ? `${Family}.*` : never;
const FAMILIES = [...new Set(EVENT_TYPES.map((type) => `${type.split('.')[0]}.*` as FamilyOf<EventType>))];
const eventPattern = z.enum(['*', ...FAMILIES, ...EVENT_TYPES]);

export const newEndpoint = z
  .strictObject({
    url: z.string().max(2_048),
    events: z.array(eventPattern).min(1).default(['*']),
    description: schemas.line(200).nullish(),
  })
  .openapi('NewWebhookEndpoint');

export const endpointChange = z
  .strictObject({
    url: z.string().max(2_048).optional(),
    events: z.array(eventPattern).min(1).optional(),
    description: schemas.line(200).nullable().optional(),
    enabled: z.boolean().optional(),
  })
  .openapi('WebhookEndpointChange');

export const deliveriesPage = schemas.page.extend({ state: z.enum(DELIVERY_STATES).optional() });
export const redelivery = z.strictObject({ endpoint_id: z.string().max(64).optional() }).openapi('Redelivery');
export const recovery = z.strictObject({ since: schemas.moment });
export const eventsPage = schemas.page.extend({ type: z.enum(EVENT_TYPES).optional() });
