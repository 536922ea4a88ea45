import { createRoute } from '@hono/zod-openapi';
import { found } from '../../domain/failure.ts';
import type { Gateway } from '../../gateway.ts';
import { moveIncident } from '../../incidents/move.ts';
import { findOwnIncident, listOwnIncidents } from '../../store/incidents.ts';
import { representIncident } from './represent.ts';
import * as requests from './requests.ts';
import { about, apiRouter, body, cursorOf, idParameter, json, listOf, pageOf, problems } from './router.ts';
import * as schemas from './schemas.ts';

export const incidentRoutes = (gateway: Gateway) => {
  const { db } = gateway;

  return apiRouter()
    .openapi(
      createRoute({
        method: 'get',
        path: '/incidents',
        ...about('Incidents', 'What people reported about meetings, newest first'),
        request: { query: requests.incidentsPage },
        responses: { 200: json(listOf(schemas.incident), 'A page of incidents'), ...problems },
      }),
      async (c) => {
        const { limit, cursor, meeting_id: meetingId, state } = c.req.valid('query');
        const rows = await listOwnIncidents(db.read, {
          marketplaceId: c.get('marketplace').id,
          meetingId,
          state,
          before: cursorOf(cursor),
          limit: limit + 1,
        });
        return c.json(pageOf(rows, limit, { show: representIncident, cursor: ({ id }) => id }), 200);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/incidents/{id}',
        ...about('Incidents', 'One incident'),
        request: { params: idParameter },
        responses: { 200: json(schemas.incident, 'The incident'), ...problems },
      }),
      async (c) => c.json(representIncident(found(await findOwnIncident(db.read, c.get('marketplace').id, c.req.valid('param').id))), 200),
    )
    .openapi(
      createRoute({
        method: 'patch',
        path: '/incidents/{id}',
        ...about('Incidents', 'Say how far it is'),
        description:
          'Each move is in the audit log. `resolved` ends at once what the incident allowed: links for a look into the recording answer 410, and streams are broken off.',
        request: { params: idParameter, body: body(requests.incidentChange) },
        responses: { 200: json(schemas.incident, 'The incident'), ...problems },
      }),
      async (c) => {
        const { state, note } = c.req.valid('json');
        const moved = await moveIncident(gateway, {
          marketplaceId: c.get('marketplace').id,
          id: c.req.valid('param').id,
          state,
          note: note ?? null,
          by: c.get('keyId'),
        });
        return c.json(representIncident(moved), 200);
      },
    );
};
