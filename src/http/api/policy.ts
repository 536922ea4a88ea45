import { createRoute, z } from '@hono/zod-openapi';
import type { Gateway } from '../../gateway.ts';
import { changePolicy } from '../../marketplaces/change-policy.ts';
import { policyInForce } from '../../marketplaces/policy.ts';
import { policy } from './answers.ts';
import { policyChange } from './requests.ts';
import { about, apiRouter, json, problems } from './router.ts';

const MERGE_PATCH = 'application/merge-patch+json';

export const policyRoutes = (gateway: Gateway) =>
  apiRouter()
    .openapi(
      createRoute({
        method: 'get',
        path: '/policy',
        ...about('Policy', 'The values in force, and which of them differ from the preset'),
        request: { query: z.strictObject({}) },
        responses: { 200: json(policy, 'The policy'), ...problems },
      }),
      (c) => c.json(policy.parse(policyInForce(c.get('marketplace'))), 200),
    )
    .openapi(
      createRoute({
        method: 'patch',
        path: '/policy',
        ...about('Policy', 'Override values of the preset by a JSON merge patch (RFC 7396); null goes back to the preset'),
        request: {
          body: {
            required: true,
            content: { [MERGE_PATCH]: { schema: policyChange }, 'application/json': { schema: policyChange } },
          },
        },
        responses: { 200: json(policy, 'The policy after the change'), ...problems },
      }),
      async (c) =>
        c.json(policy.parse(await changePolicy(gateway, { marketplaceId: c.get('marketplace').id, patch: c.req.valid('json') })), 200),
    );
