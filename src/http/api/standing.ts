import { createRoute, z } from '@hono/zod-openapi';
import type { Gateway } from '../../gateway.ts';
import { fileAppeal, ruleOnAppeal } from '../../professionals/appeals.ts';
import { judge, readStanding } from '../../professionals/standing.ts';
import type { ProfessionalKey } from '../../store/professionals.ts';
import { listAppeals, listStandingDecisions, type StandingInForce } from '../../store/standing.ts';
import { representAppeal, representStanding } from './represent.ts';
import * as requests from './requests.ts';
import { about, apiRouter, body, cursorOf, idParameter, json, listOf, pageOf, problems } from './router.ts';
import * as schemas from './schemas.ts';

const MOST_DECISIONS = 20;
const professionalParameter = z.object({ id: schemas.foreignId });

const momentOrNull = (text: string | null | undefined): Date | null => (text == null ? null : new Date(text));

export const standingRoutes = (gateway: Gateway) => {
  const { db, now } = gateway;
  const shown = async (whose: ProfessionalKey, standing: StandingInForce) =>
    representStanding(whose.professionalId, standing, await listStandingDecisions(db.read, whose, MOST_DECISIONS));

  return apiRouter()
    .openapi(
      createRoute({
        method: 'get',
        path: '/professionals/{id}/standing',
        ...about('Conduct', 'How a professional is regarded now, and what was decided'),
        request: { params: professionalParameter },
        responses: { 200: json(schemas.standing, 'The standing; `good` for whom nothing was decided about'), ...problems },
      }),
      async (c) => {
        const whose = { marketplaceId: c.get('marketplace').id, professionalId: c.req.valid('param').id };
        return c.json(await shown(whose, await readStanding(db.read, whose, now())), 200);
      },
    )
    .openapi(
      createRoute({
        method: 'put',
        path: '/professionals/{id}/standing',
        ...about('Conduct', 'Decide about a professional'),
        description:
          'Each decision is kept, and is in the audit log. `suspended` and `terminated` get no new links and calls; what becomes of meetings that exist is said by `standing` of the policy. A suspension ends by itself. The decision in force once more changes nothing.',
        request: { params: professionalParameter, body: body(requests.standingChange) },
        responses: { 200: json(schemas.standing, 'The standing'), ...problems },
      }),
      async (c) => {
        const whose = { marketplaceId: c.get('marketplace').id, professionalId: c.req.valid('param').id };
        const { standing, until, reason, incident_id: incidentId } = c.req.valid('json');
        const decided = await judge(gateway, whose, {
          standing,
          until: momentOrNull(until),
          reason,
          incidentId: incidentId ?? null,
          appealId: null,
          by: c.get('keyId'),
        });
        return c.json(await shown(whose, decided), 200);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/professionals/{id}/appeals',
        ...about('Conduct', 'Appeal against the decision in force, with evidence as links'),
        description: 'Once for each decision. While the appeal is open the decision stays in force.',
        request: { params: professionalParameter, body: body(requests.newAppeal) },
        responses: { 201: json(schemas.appeal, 'The appeal'), ...problems },
      }),
      async (c) => {
        const whose = { marketplaceId: c.get('marketplace').id, professionalId: c.req.valid('param').id };
        const { text, evidence } = c.req.valid('json');
        const links = evidence.map(({ url, title }) => ({ url, title: title ?? null }));
        return c.json(representAppeal(await fileAppeal(gateway, whose, { text, evidence: links, by: c.get('keyId') })), 201);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/professionals/{id}/appeals',
        ...about('Conduct', "A professional's appeals, newest first"),
        request: { params: professionalParameter, query: requests.page },
        responses: { 200: json(listOf(schemas.appeal), 'A page of appeals'), ...problems },
      }),
      async (c) => {
        const { limit, cursor } = c.req.valid('query');
        const rows = await listAppeals(db.read, {
          marketplaceId: c.get('marketplace').id,
          professionalId: c.req.valid('param').id,
          before: cursorOf(cursor),
          limit: limit + 1,
        });
        return c.json(pageOf(rows, limit, { show: representAppeal, cursor: ({ id }) => id }), 200);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/appeals/{id}/decision',
        ...about('Conduct', 'Decide on an appeal'),
        description:
          'A grant takes the decision back, so that what was in force before it is in force again if it still holds, or changes the standing to the one that is named. Where another decision took its place meanwhile, that one stays unless a standing is named.',
        request: { params: idParameter, body: body(requests.ruling) },
        responses: { 200: json(schemas.appeal, 'The appeal'), ...problems },
      }),
      async (c) => {
        const { decision, answer, standing, until } = c.req.valid('json');
        const change = standing === undefined ? null : { standing, until: momentOrNull(until) };
        const appeal = await ruleOnAppeal(gateway, {
          marketplaceId: c.get('marketplace').id,
          appealId: c.req.valid('param').id,
          ruling: { decision, answer, change, by: c.get('keyId') },
        });
        return c.json(representAppeal(appeal), 200);
      },
    );
};
