/** The API as an object: resources, and what can be done with them. */
import { createCall, type Call, type CallOptions, type ClientOptions, type Input, type PostOptions } from './call.ts';
import type { BodyOf, ItemOf, ListOperation, Page, QueryOf } from './operations.ts';

/** The first page when it is awaited; every item of every page when it is iterated: `for await (const meeting of gateway.meetings.list())`. */
export type List<Item> = Promise<Page<Item>> & AsyncIterable<Item>;

export type GatewayClient = ReturnType<typeof createClient>;

/** A client of one marketplace's API. Needs `fetch` and `crypto` of the web standard, nothing else. @throws TypeError when an option cannot be right */
export function createClient(options: ClientOptions) {
  const call = createCall(options);
  const list = listOver(call);

  return {
    providers: {
      list: (request?: CallOptions) => list('GET /v1/providers', {}, request),
    },
    connectSessions: {
      create: (body: BodyOf<'POST /v1/connect-sessions'>, request?: PostOptions) => call('POST /v1/connect-sessions', { body }, request),
    },
    connections: {
      list: (query?: QueryOf<'GET /v1/connections'>, request?: CallOptions) => list('GET /v1/connections', { query }, request),
      get: (id: string, request?: CallOptions) => call('GET /v1/connections/{id}', { id }, request),
      update: (id: string, body: BodyOf<'PATCH /v1/connections/{id}'>, request?: CallOptions) =>
        call('PATCH /v1/connections/{id}', { id, body }, request),
      /** Disconnects: revoked at the vendor, tokens erased. */
      delete: (id: string, request?: CallOptions) => call('DELETE /v1/connections/{id}', { id }, request),
      usage: (id: string, query: QueryOf<'GET /v1/connections/{id}/usage'>, request?: CallOptions) =>
        call('GET /v1/connections/{id}/usage', { id, query }, request),
    },
    professionals: {
      get: (id: string, request?: CallOptions) => call('GET /v1/professionals/{id}', { id }, request),
      update: (id: string, body: BodyOf<'PATCH /v1/professionals/{id}'>, request?: CallOptions) =>
        call('PATCH /v1/professionals/{id}', { id, body }, request),
      /** Of up to 100 at once. */
      presences: (query: QueryOf<'GET /v1/presence'>, request?: CallOptions) => call('GET /v1/presence', { query }, request),
      /** Tell it again before it expires: a heartbeat. */
      setPresence: (id: string, body: BodyOf<'PUT /v1/professionals/{id}/presence'>, request?: CallOptions) =>
        call('PUT /v1/professionals/{id}/presence', { id, body }, request),
      /** With `from` and `until` also as windows. */
      availability: (id: string, query?: QueryOf<'GET /v1/professionals/{id}/availability'>, request?: CallOptions) =>
        call('GET /v1/professionals/{id}/availability', { id, query }, request),
      setAvailability: (id: string, body: BodyOf<'PUT /v1/professionals/{id}/availability'>, request?: CallOptions) =>
        call('PUT /v1/professionals/{id}/availability', { id, body }, request),
      standing: (id: string, request?: CallOptions) => call('GET /v1/professionals/{id}/standing', { id }, request),
      /** Warns, suspends for a time, or ends it; each is a decision that can be appealed against. */
      setStanding: (id: string, body: BodyOf<'PUT /v1/professionals/{id}/standing'>, request?: CallOptions) =>
        call('PUT /v1/professionals/{id}/standing', { id, body }, request),
      /** Against the decision in force. */
      appeal: (id: string, body: BodyOf<'POST /v1/professionals/{id}/appeals'>, request?: PostOptions) =>
        call('POST /v1/professionals/{id}/appeals', { id, body }, request),
      appeals: (id: string, query?: QueryOf<'GET /v1/professionals/{id}/appeals'>, request?: CallOptions) =>
        list('GET /v1/professionals/{id}/appeals', { id, query }, request),
    },
    meetings: {
      create: (body: BodyOf<'POST /v1/meetings'>, request?: PostOptions) => call('POST /v1/meetings', { body }, request),
      /** What `create` would come to; makes nothing. */
      preview: (body: BodyOf<'POST /v1/meetings/preview'>, request?: PostOptions) => call('POST /v1/meetings/preview', { body }, request),
      list: (query?: QueryOf<'GET /v1/meetings'>, request?: CallOptions) => list('GET /v1/meetings', { query }, request),
      get: (id: string, request?: CallOptions) => call('GET /v1/meetings/{id}', { id }, request),
      update: (id: string, body: BodyOf<'PATCH /v1/meetings/{id}'>, request?: CallOptions) =>
        call('PATCH /v1/meetings/{id}', { id, body }, request),
      /** A customer has bought. */
      purchase: (id: string, body: BodyOf<'POST /v1/meetings/{id}/purchases'>, request?: PostOptions) =>
        call('POST /v1/meetings/{id}/purchases', { id, body }, request),
      cancel: (id: string, body?: BodyOf<'POST /v1/meetings/{id}/cancel'>, request?: PostOptions) =>
        call('POST /v1/meetings/{id}/cancel', { id, body }, request),
      end: (id: string, body?: BodyOf<'POST /v1/meetings/{id}/end'>, request?: PostOptions) =>
        call('POST /v1/meetings/{id}/end', { id, body }, request),
      /** Sets what is paid for of a metered meeting: all blocks, used ones included. */
      setCredit: (id: string, body: BodyOf<'PUT /v1/meetings/{id}/credit'>, request?: CallOptions) =>
        call('PUT /v1/meetings/{id}/credit', { id, body }, request),
      meter: (id: string, request?: CallOptions) => call('GET /v1/meetings/{id}/meter', { id }, request),
      /** A new link for the rest of a booking that a plan's limit cuts off. */
      continue: (id: string, request?: PostOptions) => call('POST /v1/meetings/{id}/continuation', { id }, request),
      setWishes: (id: string, customerId: string, body: BodyOf<'PUT /v1/meetings/{id}/attendees/{customer_id}'>, request?: CallOptions) =>
        call('PUT /v1/meetings/{id}/attendees/{customer_id}', { id, customer_id: customerId, body }, request),
      setRecordingConsent: (
        id: string,
        customerId: string,
        body: BodyOf<'PUT /v1/meetings/{id}/attendees/{customer_id}/recording-consent'>,
        request?: CallOptions,
      ) => call('PUT /v1/meetings/{id}/attendees/{customer_id}/recording-consent', { id, customer_id: customerId, body }, request),
      sessions: (id: string, request?: CallOptions) => call('GET /v1/meetings/{id}/sessions', { id }, request),
      recordings: (id: string, request?: CallOptions) => list('GET /v1/meetings/{id}/recordings', { id }, request),
      /** Shares a link to a video or a file with the customers. */
      upload: (id: string, body: BodyOf<'POST /v1/meetings/{id}/recordings'>, request?: PostOptions) =>
        call('POST /v1/meetings/{id}/recordings', { id, body }, request),
    },
    calls: {
      /** Somebody calls; the other side answers. */
      start: (body: BodyOf<'POST /v1/calls'>, request?: PostOptions) => call('POST /v1/calls', { body }, request),
      list: (query?: QueryOf<'GET /v1/calls'>, request?: CallOptions) => list('GET /v1/calls', { query }, request),
      get: (id: string, request?: CallOptions) => call('GET /v1/calls/{id}', { id }, request),
      accept: (id: string, request?: PostOptions) => call('POST /v1/calls/{id}/accept', { id }, request),
      decline: (id: string, request?: PostOptions) => call('POST /v1/calls/{id}/decline', { id }, request),
      withdraw: (id: string, request?: PostOptions) => call('POST /v1/calls/{id}/withdraw', { id }, request),
    },
    earlyEnds: {
      /** One side asks to end before the time. */
      ask: (meetingId: string, body: BodyOf<'POST /v1/meetings/{id}/early-end'>, request?: PostOptions) =>
        call('POST /v1/meetings/{id}/early-end', { id: meetingId, body }, request),
      /** The other side agrees or refuses. */
      answer: (meetingId: string, body: BodyOf<'POST /v1/meetings/{id}/early-end/answer'>, request?: PostOptions) =>
        call('POST /v1/meetings/{id}/early-end/answer', { id: meetingId, body }, request),
      list: (meetingId: string, request?: CallOptions) => list('GET /v1/meetings/{id}/early-end', { id: meetingId }, request),
    },
    guests: {
      invite: (meetingId: string, body: BodyOf<'POST /v1/meetings/{id}/guests'>, request?: PostOptions) =>
        call('POST /v1/meetings/{id}/guests', { id: meetingId, body }, request),
      /** With the personal links that were opened in several browsers. */
      list: (meetingId: string, request?: CallOptions) => call('GET /v1/meetings/{id}/guests', { id: meetingId }, request),
      revoke: (id: string, request?: PostOptions) => call('POST /v1/guests/{id}/revoke', { id }, request),
    },
    ratings: {
      /** Once per customer, after the end. */
      set: (meetingId: string, customerId: string, body: BodyOf<'PUT /v1/meetings/{id}/ratings/{customer_id}'>, request?: CallOptions) =>
        call('PUT /v1/meetings/{id}/ratings/{customer_id}', { id: meetingId, customer_id: customerId, body }, request),
      ofMeeting: (meetingId: string, query?: QueryOf<'GET /v1/meetings/{id}/ratings'>, request?: CallOptions) =>
        call('GET /v1/meetings/{id}/ratings', { id: meetingId, query }, request),
      ofProfessional: (professionalId: string, query?: QueryOf<'GET /v1/professionals/{id}/ratings'>, request?: CallOptions) =>
        call('GET /v1/professionals/{id}/ratings', { id: professionalId, query }, request),
    },
    packages: {
      create: (body: BodyOf<'POST /v1/packages'>, request?: PostOptions) => call('POST /v1/packages', { body }, request),
      get: (id: string, request?: CallOptions) => call('GET /v1/packages/{id}', { id }, request),
      /** A customer has bought all of it. */
      purchase: (id: string, body: BodyOf<'POST /v1/packages/{id}/purchases'>, request?: PostOptions) =>
        call('POST /v1/packages/{id}/purchases', { id, body }, request),
    },
    recordings: {
      get: (id: string, request?: CallOptions) => call('GET /v1/recordings/{id}', { id }, request),
      publish: (id: string, request?: PostOptions) => call('POST /v1/recordings/{id}/publish', { id }, request),
      /** A link for who looks into a reported meeting. */
      access: (id: string, body: BodyOf<'POST /v1/recordings/{id}/access'>, request?: PostOptions) =>
        call('POST /v1/recordings/{id}/access', { id, body }, request),
      /** A compact JWS, once it is erased. */
      deletionCertificate: (id: string, request?: CallOptions) => call('GET /v1/recordings/{id}/deletion-certificate', { id }, request),
      /** All links, that of one recipient, or those given for an incident. */
      revoke: (id: string, body?: BodyOf<'POST /v1/recordings/{id}/revoke'>, request?: PostOptions) =>
        call('POST /v1/recordings/{id}/revoke', { id, body }, request),
    },
    contents: {
      /** Puts a link to a file, a video or anything else up for sale. */
      create: (body: BodyOf<'POST /v1/contents'>, request?: PostOptions) => call('POST /v1/contents', { body }, request),
      /** A customer has bought what the booking sells; the personal link. */
      access: (body: BodyOf<'POST /v1/contents/access'>, request?: PostOptions) => call('POST /v1/contents/access', { body }, request),
      /** One customer cannot open what the booking sells any more. */
      revokeAccess: (body: BodyOf<'POST /v1/contents/access/revoke'>, request?: PostOptions) =>
        call('POST /v1/contents/access/revoke', { body }, request),
      list: (query?: QueryOf<'GET /v1/contents'>, request?: CallOptions) => list('GET /v1/contents', { query }, request),
      /** Takes it back: nobody can open it any more. */
      delete: (id: string, request?: CallOptions) => call('DELETE /v1/contents/{id}', { id }, request),
    },
    incidents: {
      /** For a customer or the professional of the meeting. */
      report: (meetingId: string, body: BodyOf<'POST /v1/meetings/{id}/incidents'>, request?: PostOptions) =>
        call('POST /v1/meetings/{id}/incidents', { id: meetingId, body }, request),
      list: (query?: QueryOf<'GET /v1/incidents'>, request?: CallOptions) => list('GET /v1/incidents', { query }, request),
      get: (id: string, request?: CallOptions) => call('GET /v1/incidents/{id}', { id }, request),
      /** What the gateway knows of the meeting, signed. */
      evidence: (id: string, request?: CallOptions) => call('GET /v1/incidents/{id}/evidence', { id }, request),
      update: (id: string, body: BodyOf<'PATCH /v1/incidents/{id}'>, request?: CallOptions) =>
        call('PATCH /v1/incidents/{id}', { id, body }, request),
    },
    appeals: {
      decide: (id: string, body: BodyOf<'POST /v1/appeals/{id}/decision'>, request?: PostOptions) =>
        call('POST /v1/appeals/{id}/decision', { id, body }, request),
    },
    webhookEndpoints: {
      /** The answer has the secret; it is not shown again. */
      create: (body: BodyOf<'POST /v1/webhook-endpoints'>, request?: PostOptions) => call('POST /v1/webhook-endpoints', { body }, request),
      list: (request?: CallOptions) => list('GET /v1/webhook-endpoints', {}, request),
      get: (id: string, request?: CallOptions) => call('GET /v1/webhook-endpoints/{id}', { id }, request),
      update: (id: string, body: BodyOf<'PATCH /v1/webhook-endpoints/{id}'>, request?: CallOptions) =>
        call('PATCH /v1/webhook-endpoints/{id}', { id, body }, request),
      delete: (id: string, request?: CallOptions) => call('DELETE /v1/webhook-endpoints/{id}', { id }, request),
      /** The old secret signs along for 24 hours. */
      rotateSecret: (id: string, request?: PostOptions) => call('POST /v1/webhook-endpoints/{id}/rotate-secret', { id }, request),
      test: (id: string, request?: PostOptions) => call('POST /v1/webhook-endpoints/{id}/test', { id }, request),
      deliveries: (id: string, query?: QueryOf<'GET /v1/webhook-endpoints/{id}/deliveries'>, request?: CallOptions) =>
        list('GET /v1/webhook-endpoints/{id}/deliveries', { id, query }, request),
      /** Everything again that did not arrive since a moment. */
      recover: (id: string, body: BodyOf<'POST /v1/webhook-endpoints/{id}/recover'>, request?: PostOptions) =>
        call('POST /v1/webhook-endpoints/{id}/recover', { id, body }, request),
    },
    events: {
      list: (query?: QueryOf<'GET /v1/events'>, request?: CallOptions) => list('GET /v1/events', { query }, request),
      get: (id: string, request?: CallOptions) => call('GET /v1/events/{id}', { id }, request),
      /** Under its old id, to every endpoint or to one. */
      redeliver: (id: string, body?: BodyOf<'POST /v1/events/{id}/redeliver'>, request?: PostOptions) =>
        call('POST /v1/events/{id}/redeliver', { id, body }, request),
    },
    policy: {
      get: (request?: CallOptions) => call('GET /v1/policy', {}, request),
      update: (body: BodyOf<'PATCH /v1/policy'>, request?: CallOptions) => call('PATCH /v1/policy', { body }, request),
    },
  };
}

const listOver =
  (call: Call) =>
  <Name extends ListOperation>(operation: Name, input: Input<Name>, request?: CallOptions): List<ItemOf<Name>> => {
    // That the answer of a list operation is a page is how it was chosen; a compiler cannot follow that through `Name`.
    const pageAt = (query: Input<Name>) => call(operation, query, request) as Promise<unknown> as Promise<Page<ItemOf<Name>>>;
    const first = pageAt(input);
    return Object.assign(first, {
      async *[Symbol.asyncIterator]() {
        for (let page = await first; ; page = await pageAt(atCursor(input, page.next_cursor))) {
          yield* page.data;
          if (page.next_cursor === null) return;
        }
      },
    });
  };

const atCursor = <Name extends ListOperation>(input: Input<Name>, cursor: string): Input<Name> => ({
  ...input,
  query: { ...(input as { query?: object }).query, cursor },
});
