/** What the choice of an app goes by, and what its refusals say. */
import { limitMinutes } from '../../providers/limits.ts';
import type { Plan, ProviderId } from '../domain/apps.ts';
import { shownConsidered, type Candidate, type Decision, type Rejection } from '../domain/decision.ts';
import { Failure } from '../domain/failure.ts';
import type { Policy } from '../domain/policy.ts';
import type { Connection } from '../store/connections.ts';

export const candidateOf = (connection: Connection): Candidate => ({
  connectionId: connection.id,
  provider: connection.provider as ProviderId,
  status: connection.status as Candidate['status'],
  createsMeetings: connection.createsMeetings,
  plan: connection.plan as Plan,
  limitMinutes: limitMinutes(connection.provider as ProviderId, connection.plan as Plan),
  preferredAt: connection.preferredAt,
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
    const fitting = candidates.filter(
      ({ provider, status, plan, limitMinutes: limit }) =>
        provider !== tooLong.provider &&
        status === 'active' &&
        policy.approved_apps.includes(provider) &&
        (plan === 'paid' || limit === null || limit >= durationMinutes),
    );
    return new Failure('limit_exceeded', `The plan ends a meeting after ${tooLong.limitMinutes} minutes.`, {
      extra: {
        limit_minutes: tooLong.limitMinutes,
        alternatives: fitting.map(({ provider, limitMinutes: limit }) => ({ provider, limit_minutes: limit })),
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
