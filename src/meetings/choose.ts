/** Which of a professional's connections a new meeting is made with; a refusal says what would help. */
import { createConnectSession } from '../connections/connect.ts';
import type { ProviderId } from '../domain/apps.ts';
import { decide, type Decision, shownConsidered } from '../domain/decision.ts';
import { Failure } from '../domain/failure.ts';
import type { Policy } from '../domain/policy.ts';
import type { Gateway } from '../gateway.ts';
import { listConnections, type Connection } from '../store/connections.ts';
import { candidateOf, refusalOf } from './candidates.ts';
import type { MeetingRequest } from './request.ts';

/** What the choice depends on. */
export type ChoiceRequest = Pick<MeetingRequest, 'marketplace' | 'professionalId' | 'provider' | 'durationMinutes'>;

/** @throws Failure `not_connected`, `limit_exceeded`, `reconnect_required`, `not_capable`, `app_not_approved` */
export async function chooseConnection(
  gateway: Gateway,
  policy: Policy,
  request: ChoiceRequest,
): Promise<{ connection: Connection; decision: Decision }> {
  const { db, providers } = gateway;
  const { marketplace, professionalId } = request;
  const connections = (await listConnections(db.read, { marketplaceId: marketplace.id, professionalId })).filter((connection) =>
    providers.has(connection.provider as ProviderId),
  );
  const candidates = connections.map(candidateOf);
  const decision = decide({ policy, asked: request.provider, durationMinutes: request.durationMinutes, candidates });
  const connection = connections.find(({ id }) => id === decision.chosen?.connectionId);
  if (connection !== undefined) return { connection, decision };

  const considered = shownConsidered(decision);
  const first = (rejected: string) => decision.considered.find((candidate) => candidate.rejected === rejected);
  const refusal = refusalOf(policy, request, decision, candidates);
  if (refusal !== undefined) throw refusal;
  if (first('reconnect_required') !== undefined) throw await reconnectFailure(gateway, request, considered);
  if (first('not_capable') !== undefined) {
    throw new Failure('not_capable', 'The connected account cannot make meeting links; the professional can upload one.', {
      extra: { considered },
    });
  }
  throw new Failure('not_connected', 'The professional has not connected an account that could be used.', { extra: { considered } });
}

/** The refusal carries the way out: a connect link made for this moment. */
export async function reconnectFailure(
  gateway: Gateway,
  { marketplace, professionalId }: ChoiceRequest,
  considered: unknown,
): Promise<Failure> {
  const { url } = await createConnectSession(gateway, { marketplace, professionalId, providers: undefined, returnUrl: null, locale: null });
  return new Failure('reconnect_required', 'The professional has to connect the account again.', {
    extra: { connect_url: url, considered },
  });
}
