import { createRoute, type z } from '@hono/zod-openapi';
import { createConnectSession } from '../../connections/connect.ts';
import { disconnect } from '../../connections/disconnect.ts';
import { declarePlan } from '../../connections/plan.ts';
import { firstChoices, preferConnection } from '../../connections/prefer.ts';
import { dailyQuotasOf } from '../../connections/quota.ts';
import { Failure, found } from '../../domain/failure.ts';
import { policyOf } from '../../domain/presets/index.ts';
import type { Gateway } from '../../gateway.ts';
import { findOwnConnection, listConnections, type Connection } from '../../store/connections.ts';
import type { Marketplace } from '../../store/marketplaces.ts';
import { representConnection } from './represent.ts';
import * as requests from './requests.ts';
import { about, apiRouter, body, cursorOf, idParameter, json, listOf, pageOf, problems } from './router.ts';
import * as schemas from './schemas.ts';

export const connectionRoutes = (gateway: Gateway) =>
  apiRouter()
    .openapi(
      createRoute({
        method: 'post',
        path: '/connect-sessions',
        ...about('Connections', 'Make a link for a professional to connect accounts'),
        request: { body: body(requests.newConnectSession) },
        responses: { 201: json(schemas.connectSession, 'The link; it works for 30 minutes'), ...problems },
      }),
      async (c) => {
        const request = c.req.valid('json');
        const { session, url } = await createConnectSession(gateway, {
          marketplace: c.get('marketplace'),
          professionalId: request.professional_id,
          providers: request.providers,
          returnUrl: request.return_url ?? null,
          locale: request.locale ?? null,
        });
        return c.json({ id: session.id, url, expires_at: session.expiresAt.toISOString() }, 201);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/connections',
        ...about('Connections', 'Connections of the marketplace, or of one professional, oldest first'),
        request: { query: requests.connectionsPage },
        responses: { 200: json(listOf(schemas.connection), 'A page of connections'), ...problems },
      }),
      async (c) => {
        const { limit, cursor, professional_id: professionalId } = c.req.valid('query');
        const connections = await listConnections(gateway.db.read, {
          marketplaceId: c.get('marketplace').id,
          professionalId,
          after: cursorOf(cursor),
          limit: limit + 1,
        });
        const show = await showing(gateway, c.get('marketplace'), connections);
        return c.json(pageOf(connections, limit, { show, cursor: ({ id }) => id }), 200);
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/connections/{id}',
        ...about('Connections', 'One connection'),
        request: { params: idParameter },
        responses: { 200: json(schemas.connection, 'The connection'), ...problems },
      }),
      async (c) => {
        const connection = found(await findOwnConnection(gateway.db.read, c.get('marketplace').id, c.req.valid('param').id));
        return c.json((await showing(gateway, c.get('marketplace'), [connection]))(connection), 200);
      },
    )
    .openapi(
      createRoute({
        method: 'patch',
        path: '/connections/{id}',
        ...about('Connections', 'Prefer this account to the others of the professional, or say which plan it has'),
        request: { params: idParameter, body: body(requests.connectionChange) },
        responses: { 200: json(schemas.connection, 'The connection'), ...problems },
      }),
      async (c) => {
        const { preferred, declared_plan: plan } = c.req.valid('json');
        const own = { marketplaceId: c.get('marketplace').id, id: c.req.valid('param').id };
        await refuseHost(gateway, own);
        if (preferred === true) await preferConnection(gateway, own);
        if (plan !== undefined) await declarePlan(gateway, { ...own, plan });
        const connection = found(await findOwnConnection(gateway.db.read, own.marketplaceId, own.id));
        return c.json((await showing(gateway, c.get('marketplace'), [connection]))(connection), 200);
      },
    )
    .openapi(
      createRoute({
        method: 'delete',
        path: '/connections/{id}',
        ...about('Connections', 'Disconnect: revoked at the vendor, tokens erased'),
        request: { params: idParameter },
        responses: { 204: { description: 'Disconnected' }, ...problems },
      }),
      async (c) => {
        const own = { marketplaceId: c.get('marketplace').id, id: c.req.valid('param').id };
        await refuseHost(gateway, own);
        await disconnect(gateway, own);
        return c.body(null, 204);
      },
    );

/** The hosts of the pool are the operator's accounts. @throws Failure `not_found`, `conflict` for one of them */
async function refuseHost({ db }: Gateway, { marketplaceId, id }: { marketplaceId: string; id: string }): Promise<void> {
  const { professionalId } = found(await findOwnConnection(db.read, marketplaceId, id));
  if (professionalId === null) throw new Failure('conflict', "Only the operator can change a host of the operator's own account.");
}

/** What is said of these connections beside their rows. */
async function showing(gateway: Gateway, marketplace: Marketplace, connections: readonly Connection[]) {
  const policy = policyOf(marketplace);
  const [quotas, first] = await Promise.all([dailyQuotasOf(gateway.db.read, gateway, connections), firstChoicesOf(gateway, connections)]);
  return (connection: Connection): z.infer<typeof schemas.connection> =>
    representConnection(gateway, connection, { policy, preferred: first.has(connection.id), quota: quotas.get(connection.id) });
}

/** The choices of every professional who has one of the connections. */
async function firstChoicesOf({ db }: Gateway, connections: readonly Connection[]): Promise<ReadonlySet<string>> {
  const professionals = new Map(
    connections.flatMap(({ marketplaceId, professionalId }) => (professionalId === null ? [] : [[professionalId, marketplaceId] as const])),
  );
  const found = await Promise.all(
    [...professionals].map(([professionalId, marketplaceId]) => listConnections(db.read, { marketplaceId, professionalId })),
  );
  return new Set(found.flatMap((own) => [...firstChoices(own)]));
}
