/** Who may allow what, and through which tenant he may come in. */
import type { ConsentRules } from '../consent.ts';
import type { AuthorizeRequest } from '../oauth.ts';
import type { ConsentUser } from '../world.ts';
import { ADMIN_SCOPES, PERSONAL_TENANT } from './state.ts';
import type { Microsoft, MicrosoftUser } from './state.ts';

/** Scopes are compared without the Graph prefix and without case. */
export const includesScope = (granted: readonly string[], scope: string): boolean =>
  granted.some((candidate) => candidate.toLowerCase() === scope.toLowerCase());

export function microsoftConsentRules({ state }: Microsoft): ConsentRules {
  return {
    title: 'Microsoft: permissions requested',
    users: ({ parameters }) => state.users.filter((user) => mayComeIn(user, parameters.get('tenant') ?? 'common')).map(asConsentUser),
    optional: () => [],
    denial: () => ({ error: 'access_denied', error_description: 'AADSTS65004: User declined to consent to access the app.' }),
    refusal: (request, { id }) => {
      const user = state.users.find((candidate) => candidate.id === id);
      if (!user || state.consentedTenants.has(user.tenantId)) return null;
      if (!needsAdmin(request) && !state.strictTenants.has(user.tenantId)) return null;
      return { error: 'access_denied', error_description: 'AADSTS90094: The grant requires admin permission.', error_subcode: 'cancel' };
    },
  };
}

export function asConsentUser({ id, email, name, tenantId, hasTeams }: MicrosoftUser): ConsentUser {
  const licence = hasTeams ? 'work, Teams licence' : 'work, no Teams licence';
  return { id, email, name, note: tenantId === PERSONAL_TENANT ? 'personal account' : licence };
}

export const bareScope = (scope: string): string => scope.replace(/^https:\/\/graph\.microsoft\.com\//i, '');
const needsAdmin = ({ scopes }: AuthorizeRequest): boolean => scopes.some((scope) => ADMIN_SCOPES.includes(scope.toLowerCase()));

function mayComeIn({ tenantId }: MicrosoftUser, tenant: string): boolean {
  if (tenant === 'common') return true;
  if (tenant === 'consumers') return tenantId === PERSONAL_TENANT;
  return tenant === 'organizations' ? tenantId !== PERSONAL_TENANT : tenantId === tenant;
}
