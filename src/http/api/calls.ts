import { createRoute, type z } from '@hono/zod-openapi';
import { acceptCall } from '../../calls/accept.ts';
import { endCall } from '../../calls/end.ts';
import type { CallRequest } from '../../calls/request.ts';
import { startCall } from '../../calls/start.ts';
import { openerOfLists, type Opener } from '../../connections/opener.ts';
import { found } from '../../domain/failure.ts';
import type { Gateway } from '../../gateway.ts';
import { findOwnCall, listCalls, type Call } from '../../store/calls.ts';
import type { Marketplace } from '../../store/marketplaces.ts';
import { findCustomers, findMeetings } from '../../store/meetings.ts';
import { representCall } from './represent.ts';
import * as requests from './requests.ts';
import { about, apiRouter, body, cursorOf, idParameter, json, listOf, pageOf, problems } from './router.ts';
import * as schemas from './schemas.ts';

export const callRoutes = (gateway: Gateway) => {
  const { db } = gateway;
  const inLists = openerOfLists(gateway);

  const shown = async (calls: readonly Call[], opener?: Opener) => {
    const meetingIds = calls.flatMap(({ meetingId }) => meetingId ?? []);
    const meetings = await findMeetings(db.read, meetingIds);
    const attendees = await findCustomers(
      db.read,
      meetingIds,
      calls.map(({ customerId }) => customerId),
    );
    return calls.map((call) => {
      const meeting = meetings.find(({ id }) => id === call.meetingId);
      const attendee = attendees.find(({ meetingId, customerId }) => meetingId === call.meetingId && customerId === call.customerId);
      return representCall(gateway, call, meeting && attendee && { meeting, attendee }, opener);
    });
  };
  const one = async (call: Call) => (await shown([call]))[0]!;

  return apiRouter()
    .openapi(
      createRoute({
        method: 'post',
        path: '/calls',
        ...about('Calls', 'Somebody calls: the other side has until `accept_by` to answer'),
        description:
          'Who may call, what has to be paid before, and what becomes of a call to somebody who is away, is `calls` of the policy. A call that nobody answers ends by itself with `call.expired`.',
        request: { body: body(requests.newCall) },
        responses: { 201: json(schemas.call, 'The call, with a page for either side'), ...problems },
      }),
      async (c) =>
        c.json(await one(await startCall(gateway, requestOf(c.req.valid('json'), c.get('marketplace'), c.get('idempotencyKey')))), 201),
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/calls',
        ...about('Calls', 'Calls, newest first'),
        request: { query: requests.callsPage },
        responses: { 200: json(listOf(schemas.call), 'A page of calls'), ...problems },
      }),
      async (c) => {
        const { limit, cursor, professional_id: professionalId, customer_id: customerId, state } = c.req.valid('query');
        const calls = await listCalls(db.read, {
          marketplaceId: c.get('marketplace').id,
          professionalId,
          customerId,
          state,
          before: cursorOf(cursor),
          limit: limit + 1,
        });
        const page = pageOf(calls, limit, { show: (call) => call, cursor: ({ id }) => id });
        return c.json({ ...page, data: await shown(page.data, inLists) }, 200);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/calls/{id}',
        ...about('Calls', 'One call'),
        request: { params: idParameter },
        responses: { 200: json(schemas.call, 'The call'), ...problems },
      }),
      async (c) => c.json(await one(found(await findOwnCall(db.read, c.get('marketplace').id, c.req.valid('param').id))), 200),
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/calls/{id}/accept',
        ...about('Calls', 'The other side answers: the call becomes a meeting that is bought and begins now'),
        description:
          'Repeated, it answers the same. When the vendor fails, so does this, and the call rings on while its time lasts. An answer in time counts, also when the vendor takes up to a minute.',
        request: { params: idParameter },
        responses: { 200: json(schemas.call, 'The accepted call, with the invitation to join'), ...problems },
      }),
      async (c) => c.json(await one(await acceptCall(gateway, moveOf(c.get('marketplace'), c.req.valid('param').id))), 200),
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/calls/{id}/decline',
        ...about('Calls', 'The other side does not want to talk now'),
        request: { params: idParameter },
        responses: { 200: json(schemas.call, 'The declined call'), ...problems },
      }),
      async (c) => c.json(await one(await endCall(gateway, moveOf(c.get('marketplace'), c.req.valid('param').id), 'declined')), 200),
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/calls/{id}/withdraw',
        ...about('Calls', 'Who calls gives up'),
        request: { params: idParameter },
        responses: { 200: json(schemas.call, 'The withdrawn call'), ...problems },
      }),
      async (c) => c.json(await one(await endCall(gateway, moveOf(c.get('marketplace'), c.req.valid('param').id), 'withdrawn')), 200),
    );
};

const moveOf = ({ id: marketplaceId }: Marketplace, callId: string) => ({ marketplaceId, callId, by: 'api' as const });

const requestOf = (request: z.infer<typeof requests.newCall>, marketplace: Marketplace, requestKey: string | null = null): CallRequest => ({
  marketplace,
  professionalId: request.professional_id,
  customerId: request.customer_id,
  initiator: request.initiator,
  purpose: request.purpose ?? null,
  conversationId: request.conversation_id ?? null,
  booking: request.booking ?? null,
  prepaidBlocks: request.prepaid_blocks ?? null,
  video: request.video,
  provider: request.provider ?? null,
  durationMinutes: request.duration_minutes ?? null,
  recording: request.recording ?? null,
  locale: request.locale ?? null,
  customerName: request.customer_name ?? null,
  professionalName: request.professional_name ?? null,
  cameraOff: request.camera_off,
  facts: request.facts,
  requestKey,
});
