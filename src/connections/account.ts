/** A connection as the adapters see it: with tokens that are renewed once, however many callers need them. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Account, Grant } from '../../providers/provider.ts';
import type { Plan, ProviderId } from '../domain/apps.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import { MINUTE, plus, SECOND } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { findConnection, leaseRefresh, releaseRefresh, storeTokens, type Connection } from '../store/connections.ts';
import { markReconnectRequired } from './health.ts';

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string | null;
}

/** A token that ends within this time is replaced before it is used. */
const EARLY_MS = MINUTE;
/** Longer than the timeout of the token endpoint, so that a lease ends only with a process that died. */
const REFRESH_LEASE_MS = 30 * SECOND;
const POLL_MS = 100;

const tokensContext = (connectionId: string): string[] => ['connection', connectionId, 'tokens'];

export const sealTokens = ({ vault }: Pick<Gateway, 'vault'>, connectionId: string, tokens: Tokens): Buffer =>
  vault.seal(JSON.stringify(tokens), tokensContext(connectionId));

export const openTokens = ({ vault }: Pick<Gateway, 'vault'>, connection: Connection): Tokens | undefined =>
  connection.tokensSealed === null ? undefined : (JSON.parse(vault.open(connection.tokensSealed, tokensContext(connection.id))) as Tokens);

export function accountOf(gateway: Gateway, connection: Connection): Account {
  return {
    id: connection.accountId,
    email: connection.email,
    organisation: connection.organisation,
    plan: connection.plan as Plan,
    createsMeetings: connection.createsMeetings,
    cloudRecording: connection.cloudRecording as Account['cloudRecording'],
    scopes: connection.scopes,
    accessToken: (rejected) => accessToken(gateway, connection.id, rejected),
  };
}

/** @throws Failure `reconnect_required` */
async function accessToken(gateway: Gateway, connectionId: string, rejected: string | undefined): Promise<string> {
  const deadline = plus(gateway.now(), REFRESH_LEASE_MS);
  for (;;) {
    const connection = await findConnection(gateway.db.read, connectionId);
    const tokens = connection && openTokens(gateway, connection);
    if (connection === undefined || connection.status !== 'active' || tokens === undefined) throw reconnectRequired();
    const fresh = connection.accessExpiresAt !== null && connection.accessExpiresAt > plus(gateway.now(), EARLY_MS);
    if (fresh && tokens.accessToken !== rejected) return tokens.accessToken;
    if (tokens.refreshToken === null) throw await died(gateway, connection, 'The vendor gave no refresh token.');
    const now = gateway.now();
    const leased = await gateway.db.write((tx) =>
      leaseRefresh(tx, { id: connection.id, tokenVersion: connection.tokenVersion, now, until: plus(now, REFRESH_LEASE_MS) }),
    );
    if (leased) return refresh(gateway, connection, tokens.refreshToken);
    // Somebody else is refreshing: their result is ours.
    if (gateway.now() > deadline) throw new Failure('vendor_unavailable', 'The access could not be renewed in time.');
    await wait(POLL_MS);
  }
}

async function refresh(gateway: Gateway, connection: Connection, refreshToken: string): Promise<string> {
  const provider = gateway.providers.get(connection.provider as ProviderId);
  if (provider === undefined) throw new Failure('not_configured', 'This app is not set up on the gateway any more.');
  let grant: Grant;
  try {
    grant = await provider.oauth.refresh(refreshToken);
  } catch (error) {
    if (isFailure(error, 'reconnect_required'))
      throw await died(gateway, connection, 'The vendor no longer accepts the permission.', error);
    await gateway.db.write((tx) => releaseRefresh(tx, connection.id));
    throw error;
  }
  // Stored before it is used: a refresh token that works once must not live in memory only.
  const stored = await gateway.db.write((tx) =>
    storeTokens(tx, {
      id: connection.id,
      tokenVersion: connection.tokenVersion,
      tokensSealed: sealTokens(gateway, connection.id, {
        accessToken: grant.accessToken,
        refreshToken: grant.refreshToken ?? refreshToken,
      }),
      accessExpiresAt: plus(gateway.now(), grant.expiresInMs),
      scopes: grant.scopes.length > 0 ? [...grant.scopes] : connection.scopes,
    }),
  );
  if (!stored)
    throw new Failure('vendor_unavailable', 'The connection was changed while its access was renewed.', { retryAfterMs: SECOND });
  return grant.accessToken;
}

async function died(gateway: Gateway, connection: Connection, reason: string, cause?: unknown): Promise<Failure> {
  const died = await markReconnectRequired(gateway, connection, { reason, tokenVersion: connection.tokenVersion });
  // Not marked: the tokens were replaced in the meantime, so the news of their death is old.
  if (!died)
    return new Failure('vendor_unavailable', 'The connection was changed while its access was renewed.', { retryAfterMs: SECOND, cause });
  return reconnectRequired(cause);
}

const reconnectRequired = (cause?: unknown): Failure =>
  new Failure('reconnect_required', 'The professional has to connect the account again.', { cause });
