/** Which of a professional's connections a meeting is made with, and why (G02, G14). */
import type { Plan, ProviderId } from './apps.ts';
import type { Policy } from './policy.ts';

export interface Candidate {
  readonly connectionId: string;
  readonly provider: ProviderId;
  readonly status: 'active' | 'reconnect_required' | 'revoked';
  readonly createsMeetings: boolean;
  readonly plan: Plan;
  /** Minutes the plan allows; null: no limit known. */
  readonly limitMinutes: number | null;
  /** When the professional last chose it before the others; null: never. */
  readonly preferredAt: Date | null;
}

export type Rejection = 'app_not_approved' | 'not_connected' | 'reconnect_required' | 'not_capable' | 'limit_exceeded';

export interface Decision {
  readonly chosen: Candidate | null;
  /** True when the booking is longer than the chosen plan allows, or may be (plan `unknown`). */
  readonly exceeded: boolean;
  readonly considered: readonly { readonly provider: ProviderId; readonly rejected: Rejection; readonly limitMinutes: number | null }[];
}

/** For sorting: the professional's latest choice first; what was never chosen keeps its order. */
export const byPreference = (a: Pick<Candidate, 'preferredAt'>, b: Pick<Candidate, 'preferredAt'>): number =>
  (b.preferredAt?.getTime() ?? 0) - (a.preferredAt?.getTime() ?? 0);

/**
 * `asked` is an app's id, or `auto`: then the first usable app in the policy's order whose limit fits; among those that do not fit for sure,
 * one that is only `unknown` comes before one that is known to be too short. Null, nothing was asked for: as `auto`, but the app that the
 * professional prefers comes before the policy's order. Of several accounts of one app that fit equally well, the preferred one is taken,
 * else the first of the list.
 */
export function decide({
  policy,
  asked,
  durationMinutes,
  candidates,
}: {
  policy: Policy;
  asked: ProviderId | 'auto' | null;
  durationMinutes: number;
  candidates: readonly Candidate[];
}): Decision {
  const apps = asked === null ? preferredFirst(policy, candidates) : asked === 'auto' ? policy.approved_apps : [asked];
  const considered: { provider: ProviderId; rejected: Rejection; limitMinutes: number | null }[] = [];
  const usable: { candidate: Candidate; fit: number }[] = [];
  for (const provider of apps) {
    if (!policy.approved_apps.includes(provider)) {
      considered.push({ provider, rejected: 'app_not_approved', limitMinutes: null });
      continue;
    }
    const own = candidates.filter((candidate) => candidate.provider === provider && candidate.status !== 'revoked').toSorted(byPreference);
    const working = own.filter((candidate) => candidate.status === 'active' && candidate.createsMeetings);
    if (working.length === 0) {
      considered.push({ provider, rejected: whyNot(own), limitMinutes: null });
      continue;
    }
    for (const candidate of working) usable.push({ candidate, fit: fitOf(candidate, durationMinutes) });
  }
  const allowed = usable.filter(({ fit }) => fit < TOO_SHORT || policy.limits.on_exceed === 'warn');
  const best = allowed.toSorted((a, b) => a.fit - b.fit)[0];
  for (const { candidate, fit } of usable) {
    const sameAppChosen = candidate.provider === best?.candidate.provider;
    if (!sameAppChosen && fit > (best?.fit ?? FITS))
      considered.push({ provider: candidate.provider, rejected: 'limit_exceeded', limitMinutes: candidate.limitMinutes });
  }
  return { chosen: best?.candidate ?? null, exceeded: (best?.fit ?? FITS) > FITS, considered };
}

/** The approved apps, that of the professional's latest choice first. */
function preferredFirst({ approved_apps: apps }: Policy, candidates: readonly Candidate[]): readonly ProviderId[] {
  const preferred = candidates.filter(({ status, preferredAt }) => status !== 'revoked' && preferredAt !== null).toSorted(byPreference)[0];
  return apps.toSorted((a, b) => Number(b === preferred?.provider) - Number(a === preferred?.provider));
}

const FITS = 0;
const MAYBE = 1;
const TOO_SHORT = 2;

function fitOf({ plan, limitMinutes }: Candidate, durationMinutes: number): number {
  if (plan === 'paid' || limitMinutes === null || durationMinutes <= limitMinutes) return FITS;
  return plan === 'unknown' ? MAYBE : TOO_SHORT;
}

function whyNot(own: readonly Candidate[]): Rejection {
  if (own.some(({ status }) => status === 'reconnect_required')) return 'reconnect_required';
  return own.length > 0 ? 'not_capable' : 'not_connected';
}

/** The rejected candidates as they are stored and shown. */
export const shownConsidered = ({ considered }: Pick<Decision, 'considered'>) =>
  considered.map(({ provider, rejected, limitMinutes }) => ({ provider, rejected, limit_minutes: limitMinutes }));
