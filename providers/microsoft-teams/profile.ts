/** Who connected, and what the account is good for. */
import { z } from 'zod';
import { Failure, isFailure } from '../../src/domain/failure.ts';
import { parseAnswer } from '../call.ts';
import type { AccountProfile, Grant, Plan } from '../provider.ts';
import type { Graph } from './graph.ts';
import { PERSONAL_TENANT, type Caller } from './options.ts';

const me = z.object({ id: z.string().min(1), mail: z.string().nullish(), userPrincipalName: z.string().nullish() });
const claims = z.object({ tid: z.string().optional().catch(undefined) });
const teamsLicensing = z.object({ hasTeamsLicense: z.boolean() });
const servicePlan = z.object({
  servicePlanId: z.string().nullish(),
  servicePlanName: z.string().nullish(),
  provisioningStatus: z.string().nullish(),
});
type ServicePlan = z.infer<typeof servicePlan>;
const licenses = z.object({ value: z.array(z.object({ servicePlans: z.array(servicePlan).nullish() })) });

/** The service plan `TEAMS1`, in all licences that include Teams. */
const TEAMS_SERVICE_PLAN = '57ff2da0-773e-42df-b2af-ffb7a2317929';

/** `path`: of the user, `/me` or `/users/{id}`. */
export async function readProfile(
  graph: Graph,
  { caller, path, organisation }: { caller: Caller; path: string; organisation: string | null },
): Promise<AccountProfile> {
  const answer = await graph(caller, { method: 'GET', path: `${path}?$select=id,mail,userPrincipalName`, repeatable: true });
  const user = parseAnswer(me, answer, 'read the user');
  const personal = organisation === PERSONAL_TENANT;
  return {
    id: user.id,
    email: user.mail ?? user.userPrincipalName ?? null,
    organisation,
    plan: personal ? 'free' : await planOf(graph, caller, path),
    createsMeetings: !personal,
    // For work accounts the tenant's meeting policy decides, and Graph does not tell it.
    cloudRecording: personal ? 'no' : 'unknown',
  };
}

/** `unknown` where the tenant does not let us see the licence. A vendor that is down is a failure, so that a paid plan is not forgotten. */
async function planOf(graph: Graph, caller: Caller, path: string): Promise<Plan> {
  // The short way is closed to an app's own token.
  const teams =
    caller.hosting === 'platform' ? undefined : await licenceTold(graph, caller, `${path}/licenseDetails/getTeamsLicensingDetails`);
  const simple = teamsLicensing.safeParse(teams);
  if (simple.success) return simple.data.hasTeamsLicense ? 'paid' : 'unknown';

  const plans = await servicePlans(graph, caller, path);
  const licensed = plans?.some(
    ({ servicePlanId, provisioningStatus }) => servicePlanId?.toLowerCase() === TEAMS_SERVICE_PLAN && provisioningStatus === 'Success',
  );
  return licensed === true ? 'paid' : 'unknown';
}

/** True when the licences may be seen and none of them has any plan of Teams; other clouds have other plans than `TEAMS1`. */
export async function lacksTeams(graph: Graph, caller: Caller, path: string): Promise<boolean> {
  const plans = await servicePlans(graph, caller, path);
  return plans !== undefined && !plans.some(({ servicePlanName }) => servicePlanName?.startsWith('TEAMS'));
}

/** Undefined where they may not be seen. */
async function servicePlans(graph: Graph, caller: Caller, path: string): Promise<readonly ServicePlan[] | undefined> {
  const details = licenses.safeParse(await licenceTold(graph, caller, `${path}/licenseDetails`));
  return details.success ? details.data.value.flatMap(({ servicePlans: plans }) => plans ?? []) : undefined;
}

async function licenceTold(graph: Graph, caller: Caller, path: string): Promise<unknown> {
  try {
    return (await graph(caller, { method: 'GET', path, repeatable: true })).json;
  } catch (error) {
    if (isFailure(error, 'vendor_refused') || isFailure(error, 'not_capable')) return undefined;
    throw error;
  }
}

/** The tenant that the account signed in with. */
export const tenantOf = (grant: Grant): string | null => claims.parse(grant.claims).tid ?? null;

/** A fresh grant has no newer token to offer. */
export const callerOf = (grant: Grant): Caller => ({
  hosting: 'own',
  async accessToken(rejected) {
    if (rejected === undefined) return grant.accessToken;
    throw new Failure('reconnect_required', 'The vendor does not accept the access token.', { extra: { status: 401 } });
  },
});
