import type { Context } from 'hono';
import type { Env } from '../world.ts';
import type { Token } from '../oauth.ts';
import { includesScope } from './consent-rules.ts';
import { PERSONAL_TENANT, graphError } from './state.ts';
import type { Microsoft, MicrosoftUser } from './state.ts';

export interface GraphCaller {
  readonly token: Token;
  /** Null for the application itself. */
  readonly user: MicrosoftUser | null;
  readonly tenantId: string;
}

/** The caller; refused unless one of the permissions was granted. */
export function graphCaller(microsoft: Microsoft, c: Context<Env>, ...permissions: readonly string[]): GraphCaller | Response {
  const token = microsoft.world.oauth.access(c.req.header('authorization'), 'microsoft-teams');
  if (!token) return graphError(c, microsoft, 401, 'InvalidAuthenticationToken', 'Access token is empty, expired or not valid.');
  const granted = permissions.some(
    (permission) => includesScope(token.scopes, permission) || includesScope(token.scopes, `${permission}.All`),
  );
  if (permissions.length > 0 && !granted) {
    const kind = token.grant.userId === null ? 'role' : 'scope';
    return graphError(
      c,
      microsoft,
      403,
      'Forbidden',
      `Missing ${kind} permissions on the request. API requires one of '${permissions.join(', ')}'.`,
    );
  }
  const user = microsoft.state.users.find(({ id }) => id === token.grant.userId) ?? null;
  const tenantId = user?.tenantId ?? token.scopes.find((scope) => scope.startsWith('tenant:'))?.slice('tenant:'.length) ?? '';
  return { token, user, tenantId };
}

/** Whose calendar or meetings are meant: `/me`, or `/users/{object id}`. */
export function pathGraphUser(microsoft: Microsoft, c: Context<Env>, { user, tenantId }: GraphCaller): MicrosoftUser | Response {
  const named = c.req.param('user');
  if (named === undefined) {
    return user ?? graphError(c, microsoft, 400, 'BadRequest', '/me request is only valid with delegated authentication flow.');
  }
  const found = microsoft.state.users.find(({ id, email }) => id === named || email === named.toLowerCase());
  if (!found || found.tenantId !== tenantId) return graphError(c, microsoft, 404, 'UnknownError', `User '${named}' does not exist.`);
  if (user && found !== user) return graphError(c, microsoft, 403, 'Forbidden', 'Delegated permissions reach only your own resources.');
  return found;
}

/**
 * The user whose online meetings are meant: a work account with Teams. The application itself has to name him by object id, and an
 * application access policy has to cover him.
 */
export function teamsUser(microsoft: Microsoft, c: Context<Env>, caller: GraphCaller): MicrosoftUser | Response {
  const found = pathGraphUser(microsoft, c, caller);
  if (found instanceof Response) return found;
  const refused = refusesTeams(microsoft, c, found);
  if (refused || caller.user !== null) return refused ?? found;
  const named = c.req.param('user');
  if (named !== found.id) return graphError(c, microsoft, 404, 'UnknownError', `User '${named}' is not named by object id.`);
  if (!microsoft.state.withoutAccessPolicy.has(found.id)) return found;
  const app = caller.token.grant.clientId;
  return graphError(c, microsoft, 403, 'Unauthorized', `App ${app} is not authorized to act on behalf of user ${found.id}`);
}

function refusesTeams(microsoft: Microsoft, c: Context<Env>, user: MicrosoftUser): Response | null {
  if (user.tenantId === PERSONAL_TENANT) {
    return graphError(c, microsoft, 403, 'Forbidden', 'This API is not supported for personal Microsoft accounts.');
  }
  return user.hasTeams ? null : graphError(c, microsoft, 403, 'Forbidden', 'The user has no Teams licence.');
}
