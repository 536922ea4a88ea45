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
    return graphError(
      c,
      microsoft,
      403,
      'Forbidden',
      `Missing scope permissions on the request. API requires one of '${permissions.join(', ')}'.`,
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
  const found = microsoft.state.users.find((candidate) => candidate.id === named || (user !== null && candidate.email === named));
  if (!found || found.tenantId !== tenantId) return graphError(c, microsoft, 404, 'UnknownError', `User '${named}' does not exist.`);
  if (user && found !== user) return graphError(c, microsoft, 403, 'Forbidden', 'Delegated permissions reach only your own resources.');
  return found;
}

/** Online meetings exist for work accounts with Teams only. */
export function refusesTeams(microsoft: Microsoft, c: Context<Env>, user: MicrosoftUser): Response | null {
  if (user.tenantId === PERSONAL_TENANT) {
    return graphError(c, microsoft, 403, 'Forbidden', 'This API is not supported for personal Microsoft accounts.');
  }
  return user.hasTeams ? null : graphError(c, microsoft, 403, 'Forbidden', 'The user has no Teams licence.');
}
