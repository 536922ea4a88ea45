/** What the choice of an app goes by, and what its refusals say. */
import { limitOf } from '../../providers/limits.ts';
import type { ProviderId } from '../domain/apps.ts';
import { alternativesTo, shownConsidered, type Candidate, type Decision, type Rejection } from '../domain/decision.ts';
import { Failure } from '../domain/failure.ts';
import { planOf, type Terms } from '../domain/plan.ts';
import type { BookingKind, Policy } from '../domain/policy.ts';
import type { Connection } from '../store/connections.ts';

/** Everybody in the meeting, with the host; null for an event, whose customers come with the purchases. */
export const participantsOf = (kind: BookingKind, customers: number): number | null => (kind === 'event' ? null : customers + 1);

/** What a meeting with the account would be made under. */
function termsOf(policy: Policy, connection: Connection, participants: number | null): Terms {
  const { plan, basis } = planOf(connection);
  return { plan, planBasis: basis, limit: limitOf({ provider: connection.provider as ProviderId, plan, participants }, policy) };
}

export const candidateOf = (policy: Policy, connection: Connection, participants: number | null): Candidate => ({
  connectionId: connection.id,
  provider: connection.provider as ProviderId,
  status: connection.status as Candidate['status'],
  createsMeetings: connection.createsMeetings,
  preferredAt: connection.preferredAt,
  ...termsOf(policy, connection, participants),
});

/** The refusals that follow from the policy and the plans alone; undefined for others. */
export function refusalOf(
  policy: Policy,
  { durationMinutes }: { durationMinutes: number },
  decision: Decision,
  candidates: readonly Candidate[],
): Failure | undefined {
  const first = (rejected: Rejection) => decision.considered.find((candidate) => candidate.rejected === rejected);
  const tooLong = first('limit_exceeded');
  if (tooLong !== undefined) {
    const fitting = alternativesTo(tooLong.provider, { policy, durationMinutes, candidates });
    return new Failure('limit_exceeded', `The plan ends a meeting after ${tooLong.limitMinutes} minutes.`, {
      extra: {
        limit_minutes: tooLong.limitMinutes,
        plan: tooLong.plan,
        plan_basis: tooLong.planBasis,
        alternatives: fitting.map(shownAlternative),
        considered: shownConsidered(decision),
      },
    });
  }
  const unapproved = first('app_not_approved');
  if (unapproved !== undefined)
    return new Failure('app_not_approved', `The marketplace does not use ${unapproved.provider}.`, {
      extra: { approved_apps: policy.approved_apps },
    });
  return undefined;
}

export const shownAlternative = ({ provider, limit, plan, planBasis }: Candidate) => ({
  provider,
  limit_minutes: limit.minutes,
  plan,
  plan_basis: planBasis,
});
