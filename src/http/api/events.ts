import { createRoute } from '@hono/zod-openapi';
import { openerOfLists } from '../../connections/opener.ts';
import { found } from '../../domain/failure.ts';
import {
  changeEndpoint,
  createEndpoint,
  recoverEndpoint,
  redeliverEvent,
  removeEndpoint,
  rotateSecret,
  testEndpoint,
} from '../../events/endpoints.ts';
import type { Gateway } from '../../gateway.ts';
import { listDeliveries } from '../../store/deliveries.ts';
import { findOwnEndpoint, findOwnEvent, listEndpoints, listEvents } from '../../store/events.ts';
import { deliveryCount } from './answers.ts';
import { representDelivery, representEndpoint, representEvent } from './represent.ts';
import * as requests from './requests.ts';
import { about, apiRouter, body, cursorOf, idParameter, json, listOf, pageOf, problems } from './router.ts';
import * as schemas from './schemas.ts';

export const eventRoutes = (gateway: Gateway) => {
  const { db } = gateway;
  const inLists = openerOfLists(gateway);
  const tag = 'Webhook endpoints and events';

  return apiRouter()
    .openapi(
      createRoute({
        method: 'post',
        path: '/webhook-endpoints',
        ...about(tag, 'Where events shall be sent'),
        request: { body: body(requests.newEndpoint) },
        responses: { 201: json(schemas.endpointWithSecret, 'The endpoint, with its secret; it is not shown again'), ...problems },
      }),
      async (c) => {
        const request = c.req.valid('json');
        const { endpoint, secret } = await createEndpoint(gateway, {
          marketplaceId: c.get('marketplace').id,
          url: request.url,
          events: request.events,
          description: request.description ?? null,
        });
        return c.json({ ...representEndpoint(endpoint), secret }, 201);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/webhook-endpoints',
        ...about(tag, 'All endpoints'),
        responses: { 200: json(listOf(schemas.endpoint), 'All of them'), ...problems },
      }),
      async (c) => c.json({ data: (await listEndpoints(db.read, c.get('marketplace').id)).map(representEndpoint), next_cursor: null }, 200),
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/webhook-endpoints/{id}',
        ...about(tag, 'One endpoint'),
        request: { params: idParameter },
        responses: { 200: json(schemas.endpoint, 'The endpoint'), ...problems },
      }),
      async (c) => c.json(representEndpoint(found(await findOwnEndpoint(db.read, c.get('marketplace').id, c.req.valid('param').id))), 200),
    )
    .openapi(
      createRoute({
        method: 'patch',
        path: '/webhook-endpoints/{id}',
        ...about(tag, 'Change an endpoint, or enable it again'),
        request: { params: idParameter, body: body(requests.endpointChange) },
        responses: { 200: json(schemas.endpoint, 'The endpoint'), ...problems },
      }),
      async (c) => {
        const given = Object.fromEntries(Object.entries(c.req.valid('json')).filter(([, value]) => value !== undefined));
        return c.json(
          representEndpoint(
            await changeEndpoint(gateway, { marketplaceId: c.get('marketplace').id, id: c.req.valid('param').id, ...given }),
          ),
          200,
        );
      },
    )
    .openapi(
      createRoute({
        method: 'delete',
        path: '/webhook-endpoints/{id}',
        ...about(tag, 'Remove an endpoint'),
        request: { params: idParameter },
        responses: { 204: { description: 'Removed' }, ...problems },
      }),
      async (c) => {
        await removeEndpoint(gateway, { marketplaceId: c.get('marketplace').id, id: c.req.valid('param').id });
        return c.body(null, 204);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/webhook-endpoints/{id}/rotate-secret',
        ...about(tag, 'A new secret; each earlier one signs along until 24 hours after it was replaced. Seven can; then it is 409'),
        request: { params: idParameter },
        responses: { 200: json(schemas.endpointWithSecret, 'The endpoint, with its new secret'), ...problems },
      }),
      async (c) => {
        const { endpoint, secret } = await rotateSecret(gateway, { marketplaceId: c.get('marketplace').id, id: c.req.valid('param').id });
        return c.json({ ...representEndpoint(endpoint), secret }, 200);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/webhook-endpoints/{id}/test',
        ...about(tag, 'Send a test event the same way as a real one'),
        request: { params: idParameter },
        responses: { 202: { description: 'On its way' }, ...problems },
      }),
      async (c) => {
        await testEndpoint(gateway, { marketplaceId: c.get('marketplace').id, id: c.req.valid('param').id });
        return c.body(null, 202);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/webhook-endpoints/{id}/deliveries',
        ...about(tag, 'Deliveries with every attempt, newest first; the dead ones are the dead letters'),
        request: { params: idParameter, query: requests.deliveriesPage },
        responses: { 200: json(listOf(schemas.delivery), 'A page of deliveries'), ...problems },
      }),
      async (c) => {
        const { limit, cursor, state } = c.req.valid('query');
        const endpoint = found(await findOwnEndpoint(db.read, c.get('marketplace').id, c.req.valid('param').id));
        const rows = await listDeliveries(db.read, { endpointId: endpoint.id, state, before: cursorOf(cursor), limit: limit + 1 });
        return c.json(pageOf(rows, limit, { show: representDelivery, cursor: ({ delivery }) => delivery.id }), 200);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/webhook-endpoints/{id}/recover',
        ...about(tag, 'Send everything again that did not arrive since a moment'),
        request: { params: idParameter, body: body(requests.recovery) },
        responses: { 202: json(deliveryCount, 'How many are on their way'), ...problems },
      }),
      async (c) => {
        const deliveries = await recoverEndpoint(gateway, {
          marketplaceId: c.get('marketplace').id,
          id: c.req.valid('param').id,
          since: new Date(c.req.valid('json').since),
        });
        return c.json({ deliveries }, 202);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/events',
        ...about(tag, 'Events, newest first'),
        request: { query: requests.eventsPage },
        responses: { 200: json(listOf(schemas.event), 'A page of events'), ...problems },
      }),
      async (c) => {
        const { limit, cursor, type } = c.req.valid('query');
        const rows = await listEvents(db.read, {
          marketplaceId: c.get('marketplace').id,
          type,
          before: cursorOf(cursor),
          limit: limit + 1,
        });
        return c.json(
          pageOf(rows, limit, { show: (event) => representEvent(gateway, event, inLists), cursor: ({ position }) => position }),
          200,
        );
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/events/{id}',
        ...about(tag, 'One event'),
        request: { params: idParameter },
        responses: { 200: json(schemas.event, 'The event'), ...problems },
      }),
      async (c) =>
        c.json(representEvent(gateway, found(await findOwnEvent(db.read, c.get('marketplace').id, c.req.valid('param').id))), 200),
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/events/{id}/redeliver',
        ...about(tag, 'Send an event again, under its old id; to one endpoint only, if it is named'),
        request: {
          params: idParameter,
          body: { required: false, content: { 'application/json': { schema: requests.redelivery } } },
        },
        responses: { 202: json(deliveryCount, 'How many are on their way'), ...problems },
      }),
      async (c) =>
        c.json(
          {
            deliveries: await redeliverEvent(gateway, {
              marketplaceId: c.get('marketplace').id,
              id: c.req.valid('param').id,
              endpointId: c.req.valid('json').endpoint_id,
            }),
          },
          202,
        ),
    );
};
