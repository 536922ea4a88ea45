import { createRoute, z } from '@hono/zod-openapi';
import { PROVIDER_IDS } from '../../domain/apps.ts';
import { policyOf } from '../../domain/presets/index.ts';
import type { Gateway } from '../../gateway.ts';
import { representProvider } from './represent.ts';
import { about, apiRouter, json, listOf, problems } from './router.ts';
import * as schemas from './schemas.ts';

export const providerRoutes = ({ providers }: Gateway) =>
  apiRouter().openapi(
    createRoute({
      method: 'get',
      path: '/providers',
      ...about('Providers', 'The approved apps of the marketplace'),
      request: { query: z.strictObject({}) },
      responses: { 200: json(listOf(schemas.provider), 'All of them'), ...problems },
    }),
    (c) => {
      const policy = policyOf(c.get('marketplace'));
      const approved = PROVIDER_IDS.filter((id) => policy.approved_apps.includes(id));
      const data = approved.map((id) => representProvider(id, { configured: providers.has(id), policy }));
      return c.json({ data, next_cursor: null }, 200);
    },
  );
