/** What is asked of the API: bodies and queries. The routes validate with them, the typed client is typed by them. */
import { z } from '@hono/zod-openapi';
import { INCIDENT_KINDS, INCIDENT_STATES, MOST_CHARACTERS, MOST_NOTE_CHARACTERS } from '../../domain/incident.ts';
import { MEETING_STATES } from '../../domain/meeting.ts';
import { DELIVERY_STATES } from '../../domain/delivery.ts';
import { EVENT_TYPES, type EventType } from '../../events/catalogue.ts';
import { MOST_LINK_CHARACTERS } from '../../domain/plain-link.ts';
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
export const wishes = z.strictObject({ camera_off: z.boolean().optional(), locale: schemas.locale.nullable().optional() });

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

export const revocation = z
  .strictObject({ customer_id: schemas.foreignId, incident_id: schemas.foreignId })
  .partial()
  .refine((one) => Object.keys(one).length < 2, 'has to name one of the two, or none')
  .openapi('Revocation');

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
