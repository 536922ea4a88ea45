/** A connection as the adapters see it, and the one way in which use cases call a vendor in its name. */
import type { Account, Provider } from '../../providers/provider.ts';
import type { Plan, ProviderId } from '../domain/apps.ts';
import { isConnectionReason } from '../domain/connection.ts';
import { Failure } from '../domain/failure.ts';
import type { Gateway } from '../gateway.ts';
import type { Connection } from '../store/connections.ts';
import { accessTokenOf } from './access-token.ts';
import { believe, doubt } from './doubt.ts';
import { forgetScopes, markReconnectRequired } from './health.ts';
import { heardLimit, passPause, spend } from './quota.ts';
import { reconnectRequired } from './tokens.ts';

/**
 * Calls the vendor in the connection's name. What the vendor says about the account itself (gone, blocked by an administrator, a permission
 * taken away) changes the connection's state, wherever it was heard, and what it says about its limits holds for everybody who shares them.
 * @throws Failure `not_configured`, `reconnect_required`, `vendor_quota` (with `extra.resets_at`), and what the adapter throws
 */
export async function atVendor<T>(
  gateway: Gateway,
  connection: Connection,
  call: (provider: Provider, account: Account) => Promise<T>,
): Promise<T> {
  const provider = gateway.providers.get(connection.provider as ProviderId);
  if (provider === undefined) throw new Failure('not_configured', 'This app is not set up on the gateway any more.');
  if (connection.status !== 'active') throw reconnectRequired();
  try {
    const answer = await call(provider, accountOf(gateway, connection));
    await believe(gateway, connection);
    return answer;
  } catch (error) {
    throw error instanceof Failure ? await heard(gateway, connection, error) : error;
  }
}

/** Draws the consequences of a refusal; gives what the caller is told. */
async function heard(gateway: Gateway, connection: Connection, failure: Failure): Promise<Failure> {
  const { reason, status, missing_scopes: missing } = failure.extra;
  if (Array.isArray(missing)) await forgetScopes(gateway, connection, missing.map(String));
  if (failure.code === 'vendor_quota' && failure.extra['resets_at'] === undefined) return heardLimit(gateway, connection, failure);
  if (failure.code !== 'reconnect_required') return failure;
  if (isConnectionReason(reason)) await markReconnectRequired(gateway, connection, reason);
  // The second token that was refused: the first was answered with a fresh one.
  else if (status === 401) return doubt(gateway, connection, failure);
  return failure;
}

/** For `atVendor`, and for a farewell: by tokens that are not stored any more. */
export function accountOf(gateway: Gateway, connection: Connection): Account {
  return {
    id: connection.accountId,
    email: connection.email,
    organisation: connection.organisation,
    plan: connection.plan as Plan,
    createsMeetings: connection.createsMeetings,
    cloudRecording: connection.cloudRecording as Account['cloudRecording'],
    hosting: connection.professionalId === null ? 'platform' : 'own',
    scopes: connection.scopes,
    // Every call needs a token, so this is where a pause holds; what needs no call is not held up.
    accessToken: async (rejected) => {
      await passPause(gateway, connection);
      return accessTokenOf(gateway, connection.grantId, { rejected });
    },
    spend: (call) => spend(gateway, connection, call),
  };
}
