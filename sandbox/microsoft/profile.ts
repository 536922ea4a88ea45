import { Hono } from 'hono';
import type { Env, Routes } from '../world.ts';
import { graphCaller, pathGraphUser } from './access.ts';
import { PERSONAL_TENANT, graphError } from './state.ts';
import type { Microsoft } from './state.ts';

const TEAMS_PLAN_ID = '57ff2da0-773e-42df-b2af-ffb7a2317929';

export function microsoftProfileRoutes(microsoft: Microsoft): Routes {
  const { world } = microsoft;
  const metadata = (path: string): string => `https://graph.microsoft.com/v1.0/$metadata#${path}`;
  const routes = new Hono<Env>();
  for (const base of ['/v1.0/me', '/v1.0/users/:user'] as const) {
    routes
      .get(base, (c) => {
        const caller = graphCaller(microsoft, c, 'User.Read');
        if (caller instanceof Response) return caller;
        const user = pathGraphUser(microsoft, c, caller);
        if (user instanceof Response) return user;
        const [givenName, surname] = user.name.split(' ');
        return c.json({
          '@odata.context': metadata('users/$entity'),
          id: user.id,
          displayName: user.name,
          givenName,
          surname,
          mail: user.email,
          userPrincipalName: user.email,
          preferredLanguage: 'en-US',
        });
      })
      .get(`${base}/licenseDetails`, (c) => {
        const caller = graphCaller(microsoft, c, 'User.Read');
        if (caller instanceof Response) return caller;
        const user = pathGraphUser(microsoft, c, caller);
        if (user instanceof Response) return user;
        const plan = { servicePlanId: TEAMS_PLAN_ID, servicePlanName: 'TEAMS1', provisioningStatus: 'Success', appliesTo: 'User' };
        const licence = {
          id: 'sandbox-license-id',
          skuId: '00000000-0000-4000-8000-000000000001',
          skuPartNumber: user.hasTeams ? 'O365_BUSINESS_PREMIUM' : 'EXCHANGESTANDARD',
          servicePlans: user.hasTeams ? [plan] : [],
        };
        const value = user.tenantId === PERSONAL_TENANT ? [] : [licence];
        return c.json({ '@odata.context': metadata(`users('${user.id}')/licenseDetails`), value });
      })
      .get(`${base}/licenseDetails/getTeamsLicensingDetails`, (c) => {
        const caller = graphCaller(microsoft, c, 'User.Read');
        if (caller instanceof Response) return caller;
        // The one call of these that is documented without an application permission.
        if (caller.user === null) return graphError(c, microsoft, 403, 'Authorization_RequestDenied', 'Insufficient privileges.');
        const user = pathGraphUser(microsoft, c, caller);
        if (user instanceof Response) return user;
        return c.json({ '@odata.context': metadata('microsoft.graph.teamsLicensingDetails'), hasTeamsLicense: user.hasTeams });
      })
      .get(`${base}/calendar`, (c) => {
        const caller = graphCaller(microsoft, c, 'Calendars.ReadWrite', 'Calendars.Read');
        if (caller instanceof Response) return caller;
        const user = pathGraphUser(microsoft, c, caller);
        if (user instanceof Response) return user;
        return c.json({
          '@odata.context': metadata(`users('${user.id}')/calendar/$entity`),
          id: 'AQMkADAwAGVAAAJfygAAAA==',
          name: 'Calendar',
          color: 'auto',
          changeKey: world.random(12).toString('base64'),
          canShare: true,
          canViewPrivateItems: true,
          canEdit: true,
          allowedOnlineMeetingProviders: user.hasTeams ? ['teamsForBusiness'] : [],
          defaultOnlineMeetingProvider: user.hasTeams ? 'teamsForBusiness' : 'unknown',
          isTallyingResponses: true,
          isRemovable: false,
          owner: { name: user.name, address: user.email },
        });
      });
  }
  return routes;
}
