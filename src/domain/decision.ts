/** Which of a professional's connections a meeting is made with, and why (G02, G14). */
import type { Plan, ProviderId } from './apps.ts';
import { isTooLong, type PlanBasis, type Terms } from './plan.ts';
import type { Policy } from './policy.ts';

/** What a meeting is made with. */
export interface Chosen extends Terms {
  /** Null for a link that was made elsewhere. */
  readonly connectionId: string | null;
  readonly provider: ProviderId;
}

export interface Candidate extends Chosen {
  readonly connectionId: string;
  readonly status: 'active' | 'reconnect_required' | 'revoked';
  readonly createsMeetings: boolean;
  /** When the professional last chose it before the others; null: never. */
  readonly preferredAt: Date | null;
}

/** `not_needed`: it would do, but another app comes before it. */
export const REJECTIONS = [
  'app_not_approved',
  'not_connected',
  'reconnect_required',
  'not_capable',
  'limit_exceeded',
  'not_needed',
] as const;
export type Rejection = (typeof REJECTIONS)[number];

/**
 * Why it is this app. `asked`: it was asked for. `asked_too_short`: another one was asked for, whose plan is too short. `preferred`: the
 * professional's choice. `first_fitting`: the first one in the policy's order that fits best. `link`: a link of it was given.
 */
export const CHOICE_REASONS = ['asked', 'asked_too_short', 'preferred', 'first_fitting', 'link'] as const;
export type ChoiceReason = (typeof CHOICE_REASONS)[number];

/** What the account's plan allows is null where there is no account. */
export interface Considered {
  readonly provider: ProviderId;
  readonly rejected: Rejection;
  readonly limitMinutes: number | null;
  readonly plan: Plan | null;
  readonly planBasis: PlanBasis | null;
}

export type Asked = ProviderId | 'auto' | null;

export interface Decision<T extends Chosen | null = Candidate | null> {
  /** As in the request; null when it was left out. */
  readonly asked: Asked;
  readonly chosen: T;
  readonly reason: ChoiceReason | null;
  /** True when the booking is longer than the chosen plan allows, or may be (plan `unknown`). */
  readonly exceeded: boolean;
  readonly considered: readonly Considered[];
}

/** For sorting: the professional's latest choice first; what was never chosen keeps its order. */
export const byPreference = (a: Pick<Candidate, 'preferredAt'>, b: Pick<Candidate, 'preferredAt'>): number =>
  (b.preferredAt?.getTime() ?? 0) - (a.preferredAt?.getTime() ?? 0);

/**
 * `asked` is an app's id, or `auto`: then the first usable app in the policy's order whose limit fits; among those that do not fit for sure,
 * one that is only `unknown` comes before one that is known to be too short. Null, nothing was asked for: as `auto`, but the app that the
 * professional prefers comes before the policy's order. Of several accounts of one app that fit equally well, the preferred one is taken,
 * else the first of the list. Only the policy's `choose_other` takes another app than the one that was asked for, and only one that fits.
 */
export function decide({
  policy,
  asked,
  durationMinutes,
  candidates,
}: {
  policy: Policy;
  asked: Asked;
  durationMinutes: number;
  candidates: readonly Candidate[];
}): Decision {
  const preferred = preferredApp(candidates);
  const inOrder = preferredFirst(policy, preferred);
  if (asked === null || asked === 'auto') {
    const { best, considered } = bestOf(policy, asked === null ? inOrder : policy.approved_apps, durationMinutes, candidates);
    const reason = asked === null && best?.candidate.provider === preferred ? 'preferred' : 'first_fitting';
    return { asked, ...decided(best, reason), considered };
  }
  const own = bestOf(policy, [asked], durationMinutes, candidates);
  const isShort = own.best === undefined && own.considered.some(({ rejected }) => rejected === 'limit_exceeded');
  if (!isShort || policy.limits.on_exceed !== 'choose_other') return { asked, ...decided(own.best, 'asked'), considered: own.considered };
  const others = inOrder.filter((app) => app !== asked);
  const other = bestOf(policy, others, durationMinutes, candidates, FITS);
  return { asked, ...decided(other.best, 'asked_too_short'), considered: [...own.considered, ...other.considered] };
}

const decided = (best: Fitting | undefined, reason: ChoiceReason) => ({
  chosen: best?.candidate ?? null,
  reason: best === undefined ? null : reason,
  exceeded: (best?.fit ?? FITS) > FITS,
});

interface Fitting {
  readonly candidate: Candidate;
  readonly fit: number;
}

/** The best account of these apps, the first of the equally good ones; `worst`: the least fit that is good enough. */
function bestOf(
  policy: Policy,
  apps: readonly ProviderId[],
  durationMinutes: number,
  candidates: readonly Candidate[],
  worst: number = policy.limits.on_exceed === 'warn' ? TOO_SHORT : MAYBE,
): { best: Fitting | undefined; considered: Considered[] } {
  const considered: Considered[] = [];
  const usable: Fitting[] = [];
  for (const provider of apps) {
    if (!policy.approved_apps.includes(provider)) {
      considered.push(withoutAccount(provider, 'app_not_approved'));
      continue;
    }
    const own = candidates.filter((candidate) => candidate.provider === provider && candidate.status !== 'revoked').toSorted(byPreference);
    if (own.length === 0) considered.push(withoutAccount(provider, 'not_connected'));
    for (const candidate of own) {
      const broken = whyNot(candidate);
      if (broken === undefined) usable.push({ candidate, fit: fitOf(candidate, durationMinutes) });
      else considered.push(rejected(candidate, broken));
    }
  }
  const [best] = usable.filter(({ fit }) => fit <= worst).toSorted((a, b) => a.fit - b.fit);
  for (const { candidate, fit } of usable) {
    if (fit > (best?.fit ?? FITS)) considered.push(rejected(candidate, 'limit_exceeded'));
    // A second account of the same app that would do as well is no news.
    else if (candidate.provider !== best?.candidate.provider) considered.push(rejected(candidate, 'not_needed'));
  }
  // A pool has many accounts of which the same is to be said.
  const seen = new Map(considered.map((one) => [JSON.stringify(one), one]));
  return { best, considered: [...seen.values()].toSorted((a, b) => apps.indexOf(a.provider) - apps.indexOf(b.provider)) };
}

/** The app of the professional's latest choice. */
const preferredApp = (candidates: readonly Candidate[]): ProviderId | undefined =>
  candidates.filter(({ status, preferredAt }) => status !== 'revoked' && preferredAt !== null).toSorted(byPreference)[0]?.provider;

/** The approved apps, the preferred one first. */
const preferredFirst = ({ approved_apps: apps }: Policy, preferred: ProviderId | undefined): readonly ProviderId[] =>
  apps.toSorted((a, b) => Number(b === preferred) - Number(a === preferred));

const FITS = 0;
const MAYBE = 1;
const TOO_SHORT = 2;

function fitOf(candidate: Candidate, durationMinutes: number): number {
  if (!isTooLong(candidate, durationMinutes)) return FITS;
  return candidate.plan === 'unknown' ? MAYBE : TOO_SHORT;
}

function whyNot({ status, createsMeetings }: Candidate): Rejection | undefined {
  if (status === 'reconnect_required') return 'reconnect_required';
  return createsMeetings ? undefined : 'not_capable';
}

/** Connected accounts of other apps that the booking fits into for sure; the best of each app, in the order of the list. */
export function alternativesTo(
  provider: ProviderId,
  { policy, durationMinutes, candidates }: { policy: Policy; durationMinutes: number; candidates: readonly Candidate[] },
): Candidate[] {
  return policy.approved_apps
    .filter((app) => app !== provider)
    .flatMap((app) => bestOf(policy, [app], durationMinutes, candidates, FITS).best?.candidate ?? []);
}

const withoutAccount = (provider: ProviderId, rejected: Rejection): Considered => ({
  provider,
  rejected,
  limitMinutes: null,
  plan: null,
  planBasis: null,
});

const rejected = ({ provider, limit, plan, planBasis }: Candidate, rejection: Rejection): Considered => ({
  provider,
  rejected: rejection,
  limitMinutes: limit.minutes,
  plan,
  planBasis,
});

/** The rejected candidates as they are stored and shown. */
export const shownConsidered = ({ considered }: Pick<Decision, 'considered'>) =>
  considered.map(({ provider, rejected, limitMinutes, plan, planBasis }) => ({
    provider,
    rejected,
    limit_minutes: limitMinutes,
    plan,
    plan_basis: planBasis,
  }));

/** The whole decision as it is stored and shown. */
export const shownDecision = (decision: Decision<Chosen | null>) => ({
  asked: decision.asked,
  chosen: decision.chosen?.provider ?? null,
  reason: decision.reason,
  limit_minutes: decision.chosen?.limit.minutes ?? null,
  limit_as_of: decision.chosen?.limit.asOf ?? null,
  limit_source: decision.chosen?.limit.source ?? null,
  plan: decision.chosen?.plan ?? null,
  plan_basis: decision.chosen?.planBasis ?? null,
  considered: shownConsidered(decision),
});
