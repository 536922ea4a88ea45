/** Every operation of the API with what it takes and gives: the types of the very schemas that the gateway validates with. */
import type { z } from '@hono/zod-openapi';
import type * as answers from '../http/api/answers.ts';
import type * as evidence from '../http/api/evidence-schemas.ts';
import type * as requests from '../http/api/requests.ts';
import type * as schemas from '../http/api/schemas.ts';

export type Appeal = z.output<typeof schemas.appeal>;
export type AppealDecision = z.input<typeof requests.ruling>;
export type Attendee = z.output<typeof schemas.attendee>;
export type Availability = z.output<typeof answers.availability>;
export type AvailabilityChange = z.input<typeof requests.availability>;
export type Call = z.output<typeof schemas.call>;
export type Connection = z.output<typeof schemas.connection>;
export type ConnectionChange = z.input<typeof requests.connectionChange>;
export type ConnectSession = z.output<typeof schemas.connectSession>;
export type DeletionCertificate = z.output<typeof schemas.deletionCertificate>;
export type Content = z.output<typeof answers.content>;
export type ContentAccess = z.output<typeof answers.contentAccess>;
export type Delivery = z.output<typeof schemas.delivery>;
export type DeliveryCount = z.output<typeof answers.deliveryCount>;
export type EarlyEnd = z.output<typeof answers.earlyEnd>;
export type Guest = z.output<typeof answers.guest>;
/** All of them in one page. */
export type MeetingGuests = z.output<typeof answers.meetingGuests>;
export type Incident = z.output<typeof schemas.incident>;
export type IncidentWithTimeline = z.output<typeof schemas.incidentWithTimeline>;
export type IncidentChange = z.input<typeof requests.incidentChange>;
export type CancelledMeeting = z.output<typeof answers.cancelled>;
export type Credit = z.input<typeof requests.credit>;
export type Meeting = z.output<typeof schemas.meeting>;
export type MeetingChange = z.input<typeof requests.meetingChange>;
export type MeetingPreview = z.output<typeof schemas.preview>;
/** All of them in one page. */
export type MeetingRecordings = Page<Recording> & { readonly expected: z.output<typeof schemas.expectedRecording> };
export type MeetingSessions = z.output<typeof answers.meetingSessions>;
export type Meter = z.output<typeof answers.meter>;
export type NewAppeal = z.input<typeof requests.newAppeal>;
export type NewCall = z.input<typeof requests.newCall>;
export type NewConnectSession = z.input<typeof requests.newConnectSession>;
export type NewContent = z.input<typeof requests.newContent>;
export type NewIncident = z.input<typeof requests.newIncident>;
export type NewMeeting = z.input<typeof requests.newMeeting>;
export type NewPackage = z.input<typeof requests.newPackage>;
export type NewUpload = z.input<typeof requests.newUpload>;
export type NewWebhookEndpoint = z.input<typeof requests.newEndpoint>;
export type Package = z.output<typeof answers.packageOfMeetings>;
export type PackagePurchase = z.output<typeof answers.packagePurchase>;
export type Policy = z.output<typeof answers.policy>;
/** A JSON merge patch (RFC 7396): what is left out stays, null goes back to the preset. */
export type PolicyChange = MergePatch<Policy['values']>;
export type Presence = z.output<typeof answers.presence>;
export type PresenceChange = z.input<typeof requests.presence>;
export type Problem = z.output<typeof schemas.problem>;
export type Professional = z.output<typeof answers.profile>;
export type ProfessionalChange = z.input<typeof requests.profileChange>;
export type Provider = z.output<typeof schemas.provider>;
export type Rating = z.output<typeof answers.rating>;
export type Ratings = z.output<typeof answers.ratings>;
export type Recording = z.output<typeof schemas.recording>;
export type RecordingAccess = z.output<typeof schemas.access>;
export type RecordingConsent = z.input<typeof requests.consent>;
export type Standing = z.output<typeof schemas.standing>;
export type StandingChange = z.input<typeof requests.standingChange>;
export type SignedEvidence = z.output<typeof evidence.signedEvidence>;
/** An event as the API lists it; one that arrives is a `GatewayEvent`. */
export type StoredEvent = z.output<typeof schemas.event>;
export type Usage = z.output<typeof answers.usage>;
export type WebhookEndpoint = z.output<typeof schemas.endpoint>;
export type WebhookEndpointChange = z.input<typeof requests.endpointChange>;
export type WebhookEndpointWithSecret = z.output<typeof schemas.endpointWithSecret>;

export interface Page<Item> {
  readonly data: Item[];
  readonly next_cursor: string | null;
}

/** The query of a list: everything may be left out. What stands in a URL is text, which is all that the input type could say. */
type Filter<Schema extends z.ZodType> = Partial<z.output<Schema>>;

type MergePatch<Value> = {
  [Name in keyof Value]?:
    | (Value[Name] extends readonly unknown[] | string | number | boolean | null ? Value[Name] : MergePatch<Value[Name]>)
    | null;
};

/** By method and path, as in the OpenAPI document. A body or a query that may be missing is a union with `undefined`. */
export interface Operations {
  'GET /v1/providers': { answer: Page<Provider> };

  'POST /v1/connect-sessions': { body: NewConnectSession; answer: ConnectSession };
  'GET /v1/connections': { query: Filter<typeof requests.connectionsPage> | undefined; answer: Page<Connection> };
  'GET /v1/connections/{id}': { answer: Connection };
  'PATCH /v1/connections/{id}': { body: ConnectionChange; answer: Connection };
  'DELETE /v1/connections/{id}': { answer: undefined };
  'GET /v1/connections/{id}/usage': { query: z.input<typeof requests.usageQuery>; answer: Usage };

  'GET /v1/presence': { query: z.output<typeof requests.presenceQuery>; answer: z.output<typeof answers.presences> };
  'GET /v1/professionals/{id}': { answer: Professional };
  'PATCH /v1/professionals/{id}': { body: ProfessionalChange; answer: Professional };
  'PUT /v1/professionals/{id}/presence': { body: PresenceChange; answer: Presence };
  'GET /v1/professionals/{id}/availability': { query: Filter<typeof requests.availabilityQuery> | undefined; answer: Availability };
  'PUT /v1/professionals/{id}/availability': { body: AvailabilityChange; answer: Availability };

  'POST /v1/meetings': { body: NewMeeting; answer: Meeting };
  'POST /v1/meetings/preview': { body: NewMeeting; answer: MeetingPreview };
  'GET /v1/meetings': { query: Filter<typeof requests.meetingsPage> | undefined; answer: Page<Meeting> };
  'GET /v1/meetings/{id}': { answer: Meeting };
  'PATCH /v1/meetings/{id}': { body: MeetingChange; answer: Meeting };
  'POST /v1/meetings/{id}/purchases': { body: z.input<typeof requests.purchase>; answer: Attendee };
  'POST /v1/meetings/{id}/cancel': { body: z.input<typeof requests.cancellation> | undefined; answer: CancelledMeeting };
  'POST /v1/meetings/{id}/end': { body: z.input<typeof requests.ending> | undefined; answer: Meeting };
  'PUT /v1/meetings/{id}/credit': { body: Credit; answer: Meter };
  'GET /v1/meetings/{id}/meter': { answer: Meter };
  'POST /v1/meetings/{id}/continuation': { answer: Meeting };
  'PUT /v1/meetings/{id}/attendees/{customer_id}': { body: z.input<typeof requests.wishes>; answer: Attendee };
  'PUT /v1/meetings/{id}/attendees/{customer_id}/recording-consent': { body: RecordingConsent; answer: Attendee };
  'GET /v1/meetings/{id}/sessions': { answer: MeetingSessions };
  'POST /v1/meetings/{id}/early-end': { body: z.input<typeof requests.earlyEnd>; answer: EarlyEnd };
  'POST /v1/meetings/{id}/early-end/answer': { body: z.input<typeof requests.earlyEndAnswer>; answer: EarlyEnd };
  'GET /v1/meetings/{id}/early-end': { answer: Page<EarlyEnd> };
  'POST /v1/meetings/{id}/guests': { body: z.input<typeof requests.newGuest>; answer: Guest };
  'GET /v1/meetings/{id}/guests': { answer: MeetingGuests };
  'POST /v1/guests/{id}/revoke': { answer: Guest };
  'PUT /v1/meetings/{id}/ratings/{customer_id}': { body: z.input<typeof requests.newRating>; answer: Rating };
  'GET /v1/meetings/{id}/ratings': { query: Filter<typeof requests.page> | undefined; answer: Ratings };
  'GET /v1/professionals/{id}/ratings': { query: Filter<typeof requests.page> | undefined; answer: Ratings };
  'GET /v1/meetings/{id}/recordings': { answer: MeetingRecordings };
  'POST /v1/meetings/{id}/recordings': { body: NewUpload; answer: Recording };

  'POST /v1/calls': { body: NewCall; answer: Call };
  'GET /v1/calls': { query: Filter<typeof requests.callsPage> | undefined; answer: Page<Call> };
  'GET /v1/calls/{id}': { answer: Call };
  'POST /v1/calls/{id}/accept': { answer: Call };
  'POST /v1/calls/{id}/decline': { answer: Call };
  'POST /v1/calls/{id}/withdraw': { answer: Call };

  'POST /v1/packages': { body: NewPackage; answer: Package };
  'GET /v1/packages/{id}': { answer: Package };
  'POST /v1/packages/{id}/purchases': { body: z.input<typeof requests.purchase>; answer: PackagePurchase };

  'GET /v1/recordings/{id}': { answer: Recording };
  'GET /v1/recordings/{id}/deletion-certificate': { answer: DeletionCertificate };
  'POST /v1/recordings/{id}/access': { body: z.input<typeof requests.accessRequest>; answer: RecordingAccess };
  'POST /v1/recordings/{id}/publish': { answer: Recording };
  'POST /v1/recordings/{id}/revoke': { body: z.input<typeof requests.revocation> | undefined; answer: Recording };

  'POST /v1/contents': { body: NewContent; answer: Content };
  'POST /v1/contents/access': { body: z.input<typeof requests.contentPurchase>; answer: ContentAccess };
  'POST /v1/contents/access/revoke': { body: z.input<typeof requests.contentPurchase>; answer: undefined };
  'GET /v1/contents': { query: Filter<typeof requests.contentsPage> | undefined; answer: Page<Content> };
  'DELETE /v1/contents/{id}': { answer: undefined };

  'POST /v1/meetings/{id}/incidents': { body: NewIncident; answer: IncidentWithTimeline };
  'GET /v1/incidents': { query: Filter<typeof requests.incidentsPage> | undefined; answer: Page<Incident> };
  'GET /v1/incidents/{id}': { answer: IncidentWithTimeline };
  'GET /v1/incidents/{id}/evidence': { answer: SignedEvidence };
  'PATCH /v1/incidents/{id}': { body: IncidentChange; answer: IncidentWithTimeline };

  'GET /v1/professionals/{id}/standing': { answer: Standing };
  'PUT /v1/professionals/{id}/standing': { body: StandingChange; answer: Standing };
  'GET /v1/professionals/{id}/appeals': { query: Filter<typeof requests.page> | undefined; answer: Page<Appeal> };
  'POST /v1/professionals/{id}/appeals': { body: NewAppeal; answer: Appeal };
  'POST /v1/appeals/{id}/decision': { body: AppealDecision; answer: Appeal };

  'POST /v1/webhook-endpoints': { body: NewWebhookEndpoint; answer: WebhookEndpointWithSecret };
  'GET /v1/webhook-endpoints': { answer: Page<WebhookEndpoint> };
  'GET /v1/webhook-endpoints/{id}': { answer: WebhookEndpoint };
  'PATCH /v1/webhook-endpoints/{id}': { body: WebhookEndpointChange; answer: WebhookEndpoint };
  'DELETE /v1/webhook-endpoints/{id}': { answer: undefined };
  'POST /v1/webhook-endpoints/{id}/rotate-secret': { answer: WebhookEndpointWithSecret };
  'POST /v1/webhook-endpoints/{id}/test': { answer: undefined };
  'GET /v1/webhook-endpoints/{id}/deliveries': { query: Filter<typeof requests.deliveriesPage> | undefined; answer: Page<Delivery> };
  'POST /v1/webhook-endpoints/{id}/recover': { body: z.input<typeof requests.recovery>; answer: DeliveryCount };

  'GET /v1/events': { query: Filter<typeof requests.eventsPage> | undefined; answer: Page<StoredEvent> };
  'GET /v1/events/{id}': { answer: StoredEvent };
  'POST /v1/events/{id}/redeliver': { body: z.input<typeof requests.redelivery> | undefined; answer: DeliveryCount };

  'GET /v1/policy': { answer: Policy };
  'PATCH /v1/policy': { body: PolicyChange; answer: Policy };
}

export type Operation = keyof Operations;
/** What an operation takes; `undefined` where it takes none. */
export type BodyOf<Name extends Operation> = Operations[Name] extends { body: infer Body } ? Body : undefined;
export type QueryOf<Name extends Operation> = Operations[Name] extends { query: infer Query } ? Query : undefined;
export type AnswerOf<Name extends Operation> = Operations[Name]['answer'];
/** The operations that answer in pages. */
export type ListOperation = { [Name in Operation]: AnswerOf<Name> extends Page<unknown> ? Name : never }[Operation];
export type ItemOf<Name extends ListOperation> = AnswerOf<Name>['data'][number];
