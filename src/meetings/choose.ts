/** Which of a professional's connections a new meeting is made with; a refusal says what would help. */
import { createConnectSession } from '../connections/connect.ts';
import type { ProviderId } from '../domain/apps.ts';
import { decide, shownConsidered, type Candidate, type Decision } from '../domain/decision.ts';
import { Failure } from '../domain/failure.ts';
import type { Policy } from '../domain/policy.ts';
import type { Gateway } from '../gateway.ts';
import { listConnections, type Connection } from '../store/connections.ts';
import { candidateOf, refusalOf } from './candidates.ts';
import type { MeetingRequest } from './request.ts';

/** What the choice depends on. */
export type ChoiceRequest = Pick<MeetingRequest, 'marketplace' | 'professionalId' | 'provider' | 'durationMinutes'> & {
  /** Everybody with the host; null when that is not known. */
  readonly participants: number | null;
};

export interface Made {
  readonly connection: Connection;
  readonly decision: Decision<Candidate>;
}

/** The decision, and what comes of it. */
export type Choice = { readonly candidates: readonly Candidate[] } & (
  | Made
  | { readonly connection: undefined; readonly decision: Decision; readonly refusal: Failure }
);

/** @throws Failure `not_connected`, `limit_exceeded`, `reconnect_required`, `not_capable`, `app_not_approved` */
export async function chooseConnection(gateway: Gateway, policy: Policy, request: ChoiceRequest): Promise<Made> {
  const choice = await considerConnections(gateway, policy, request);
  if (choice.connection !== undefined) return choice;
  const { decision, refusal } = choice;
  throw refusal.code === 'reconnect_required' ? await reconnectFailure(gateway, request, shownConsidered(decision)) : refusal;
}

/** The same without any consequence; the refusal lacks the connect link. */
export async function considerConnections({ db, providers }: Gateway, policy: Policy, request: ChoiceRequest): Promise<Choice> {
  const { durationMinutes, marketplace, participants, professionalId, provider: asked } = request;
  const connections = (await listConnections(db.read, { marketplaceId: marketplace.id, professionalId })).filter((connection) =>
    providers.has(connection.provider as ProviderId),
  );
  const candidates = connections.map((connection) => candidateOf(policy, connection, participants));
  const decision = decide({ policy, asked, durationMinutes, candidates });
  const connection = connections.find(({ id }) => id === decision.chosen?.connectionId);
  if (connection !== undefined && isMade(decision)) return { candidates, connection, decision };

  const refusal = refusalOf(policy, request, decision, candidates) ?? unusable(decision);
  return { candidates, connection: undefined, decision, refusal };
}

export const isMade = (decision: Decision): decision is Decision<Candidate> => decision.chosen !== null;

function unusable(decision: Decision): Failure {
  const considered = shownConsidered(decision);
  const some = (name: string) => considered.some(({ rejected }) => rejected === name);
  if (some('reconnect_required')) return needsReconnect({ considered });
  if (some('not_capable'))
    return new Failure('not_capable', 'The connected account cannot make meeting links; the professional can upload one.', {
      extra: { considered },
    });
  return new Failure('not_connected', 'The professional has not connected an account that could be used.', { extra: { considered } });
}

/** The refusal carries the way out: a connect link made for this moment. */
export async function reconnectFailure(
  gateway: Gateway,
  { marketplace, professionalId }: Pick<ChoiceRequest, 'marketplace' | 'professionalId'>,
  considered: unknown,
): Promise<Failure> {
  const { url } = await createConnectSession(gateway, { marketplace, professionalId, providers: undefined, returnUrl: null, locale: null });
  return needsReconnect({ connect_url: url, considered });
}

const needsReconnect = (extra: Readonly<Record<string, unknown>>): Failure =>
  new Failure('reconnect_required', 'The professional has to connect the account again.', { extra });
