import { createRoute } from '@hono/zod-openapi';
import { found } from '../../domain/failure.ts';
import { makeEvidenceLink } from '../../evidence/page-link.ts';
import { signEvidence } from '../../evidence/sign-evidence.ts';
import type { Gateway } from '../../gateway.ts';
import { exportEvidence } from '../../incidents/evidence.ts';
import { moveIncident } from '../../incidents/move.ts';
import { reportFor } from '../../incidents/report-for.ts';
import { timelineOf } from '../../incidents/timeline.ts';
import { findOwnIncident, listOwnIncidents, type Incident } from '../../store/incidents.ts';
import * as evidenceSchemas from './evidence-schemas.ts';
import { representEvidence } from './represent-evidence.ts';
import { representIncident, representTimeline } from './represent.ts';
import * as requests from './requests.ts';
import { about, apiRouter, body, cursorOf, idParameter, json, listOf, pageOf, problems } from './router.ts';
import * as schemas from './schemas.ts';

export const incidentRoutes = (gateway: Gateway) => {
  const { db } = gateway;
  const shown = async (incident: Incident) => representTimeline(incident, await timelineOf(db.read, incident));

  return apiRouter()
    .openapi(
      createRoute({
        method: 'post',
        path: '/meetings/{id}/incidents',
        ...about('Incidents', 'Report a problem for a customer or the professional'),
        description:
          'By the rules of their own pages: at most five reports of one person about one meeting are open at a time. The same words once more are answered with 200 and the incident that is there.',
        request: { params: idParameter, body: body(requests.newIncident) },
        responses: {
          200: json(schemas.incidentWithTimeline, 'It was reported before'),
          201: json(schemas.incidentWithTimeline, 'The incident'),
          ...problems,
        },
      }),
      async (c) => {
        const { reported_by: side, reporter_id: id, kind, text } = c.req.valid('json');
        const { incident, isNew } = await reportFor(gateway, {
          marketplaceId: c.get('marketplace').id,
          meetingId: c.req.valid('param').id,
          reporter: { side, id },
          kind: kind ?? null,
          text,
        });
        return c.json(await shown(incident), isNew ? 201 : 200);
      },
    )
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
        ...about('Incidents', 'One incident, with its timeline'),
        request: { params: idParameter },
        responses: { 200: json(schemas.incidentWithTimeline, 'The incident'), ...problems },
      }),
      async (c) => c.json(await shown(found(await findOwnIncident(db.read, c.get('marketplace').id, c.req.valid('param').id))), 200),
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/incidents/{id}/evidence',
        ...about('Incidents', 'What the gateway knows of the reported meeting, signed'),
        description:
          'Sessions, minutes, consents, history of the link, recordings, blocks, requests to end early, ratings, events with their deliveries, audit entries. No links and no secrets. Each export is an entry of the audit log.',
        request: { params: idParameter },
        responses: { 200: json(evidenceSchemas.signedEvidence, 'The evidence'), ...problems },
      }),
      async (c) => {
        const marketplaceId = c.get('marketplace').id;
        const { id } = c.req.valid('param');
        const collected = await exportEvidence(gateway, { marketplaceId, id, by: c.get('keyId') });
        const { url, expiresAt } = makeEvidenceLink(gateway, id);
        const signed = await signEvidence(gateway, representEvidence(gateway, collected));
        return c.json({ ...signed, page: { url, expires_at: expiresAt.toISOString() } }, 200);
      },
    )
    .openapi(
      createRoute({
        method: 'patch',
        path: '/incidents/{id}',
        ...about('Incidents', 'Say how far it is'),
        description:
          'Each move is in the timeline and the audit log, and is told as `incident.changed`. A dispute is resolved with a resolution only. `resolved` ends at once what the incident allowed: links for a look into the recording answer 410, and streams are broken off.',
        request: { params: idParameter, body: body(requests.incidentChange) },
        responses: { 200: json(schemas.incidentWithTimeline, 'The incident'), ...problems },
      }),
      async (c) => {
        const { state, note, resolution } = c.req.valid('json');
        const moved = await moveIncident(gateway, {
          marketplaceId: c.get('marketplace').id,
          id: c.req.valid('param').id,
          state,
          note: note ?? null,
          resolution: resolution ?? null,
          by: c.get('keyId'),
        });
        return c.json(await shown(moved), 200);
      },
    );
};
