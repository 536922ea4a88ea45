/** Changes of a connection's status; each one is told to the marketplace. */
import type { Provider } from '../../providers/provider.ts';
import type { ProviderId } from '../domain/apps.ts';
import { readReason, type ConnectionReason } from '../domain/connection.ts';
import { found } from '../domain/failure.ts';
import { emit } from '../events/emit.ts';
import type { Gateway } from '../gateway.ts';
import { deleteSubscriptionOf, listConnectionsOfGrant, setConnectionStatus, type Connection } from '../store/connections.ts';
import type { Writer } from '../store/database.ts';
import { endTokens, eraseTokens, findGrant, lockGrant, setScopes, type Grant } from '../store/grants.ts';
import { cancelJob, scheduleJob } from '../store/jobs.ts';
import { REPLACE_SUBSCRIPTION } from './retire.ts';
import { scheduleKeep } from './upkeep.ts';

export interface EndOfGrant {
  readonly reason: ConnectionReason;
  /** Of the tokens that the news is about. */
  readonly tokenVersion: number;
}

/** Every connection of the grant needs its professional. False when the tokens are others by now: then nothing has ended. */
export async function endGrant(gateway: Gateway, grantId: string, { reason, tokenVersion }: EndOfGrant): Promise<boolean> {
  const ended = await gateway.db.write(async (tx) => {
    if (!(await endTokens(tx, { id: grantId, tokenVersion }))) return false;
    const changed = await setConnectionStatus(tx, { grantId }, { from: ['active'], to: 'reconnect_required', reason });
    await tellAll(tx, gateway, changed, 'connection.reconnect_required');
    return true;
  });
  gateway.wake();
  return ended;
}

/** What the vendor says about the account itself. Old news, from before the last change of its status, changes nothing. */
export async function markReconnectRequired(gateway: Gateway, connection: Connection, reason: ConnectionReason): Promise<void> {
  const { id, statusVersion } = connection;
  await gateway.db.write(async (tx) => {
    const changed = await setConnectionStatus(tx, { id, statusVersion }, { from: ['active'], to: 'reconnect_required', reason });
    await tellAll(tx, gateway, changed, 'connection.reconnect_required');
  });
  gateway.wake();
}

/** False when the account granted too little for any way to a link. A vendor that does not tell what was granted is believed to have granted it. */
export const canMakeLinks = ({ oauth }: Provider, scopes: readonly string[]): boolean =>
  scopes.length === 0 || oauth.scopes.linkWays.some((way) => way.every((scope) => scopes.includes(scope)));

/** After the vendor has told anew what the account grants: the connections that could make links and cannot any more need their professional. */
export async function judgeScopes(
  tx: Writer,
  gateway: Gateway,
  { id: grantId, kind, provider: providerId, scopes }: Pick<Grant, 'id' | 'kind' | 'provider' | 'scopes'>,
): Promise<void> {
  const provider = gateway.providers.get(providerId as ProviderId);
  if (kind !== 'user' || provider === undefined || canMakeLinks(provider, scopes)) return;
  for (const { id, createsMeetings } of await listConnectionsOfGrant(tx, grantId)) {
    if (!createsMeetings) continue;
    const changed = await setConnectionStatus(tx, { id }, { from: ['active'], to: 'reconnect_required', reason: 'permission_missing' });
    await tellAll(tx, gateway, changed, 'connection.reconnect_required');
  }
}

/** A call was refused for these: what the vendor told when it last gave a token does not hold any more. */
export async function forgetScopes(gateway: Gateway, { grantId }: Connection, missing: readonly string[]): Promise<void> {
  await gateway.db.write(async (tx) => {
    const grant = await findGrant(tx, grantId);
    if (grant === undefined || !grant.scopes.some((scope) => missing.includes(scope))) return;
    const scopes = grant.scopes.filter((scope) => !missing.includes(scope));
    if (await setScopes(tx, { ...grant, scopes })) await judgeScopes(tx, gateway, { ...grant, scopes });
  });
  gateway.wake();
}

/**
 * What follows new tokens: every connection that was waiting for them works again, has its event feed, and is kept from dying of disuse. A
 * host that has left the operator's account was not waiting for tokens.
 */
export async function revive(tx: Writer, gateway: Gateway, grantId: string): Promise<void> {
  const grant = found(await findGrant(tx, grantId));
  const except = grant.kind === 'platform' ? 'account_gone' : undefined;
  const changed = await setConnectionStatus(tx, { grantId, except }, { from: ['reconnect_required'], to: 'active', reason: null });
  await tellAll(tx, gateway, changed, 'connection.active');
  for (const connection of changed) await startFeed(tx, gateway, connection);
  if (changed.length > 0 && grant.kind === 'user') await scheduleKeep(tx, gateway, grant);
}

/**
 * Who connects without the permission for recordings has no feed, whatever was granted to the account before. What was told to nobody while
 * the connection did not work is looked for.
 */
export async function startFeed(
  tx: Writer,
  { now, providers }: Pick<Gateway, 'now' | 'providers'>,
  { id, createsMeetings, provider, scopes, statusVersion }: Connection,
): Promise<void> {
  const needed = providers.get(provider as ProviderId)?.subscriptions?.scopes ?? [];
  if (createsMeetings && needed.some((scope) => scopes.includes(scope)))
    await scheduleJob(tx, { kind: 'subscription.renew', subjectId: id, dueAt: now() });
  if (statusVersion > 1) await scheduleJob(tx, { kind: 'recording.sweep', subjectId: id, dueAt: now() });
}

/**
 * The connection's row stays for its meetings; the tokens go with the last connection that lives on them. The others that still do, or
 * undefined when it was revoked already.
 */
export async function markRevoked(
  tx: Writer,
  gateway: Gateway,
  { id, grantId }: Connection,
  reason: ConnectionReason,
): Promise<Connection[] | undefined> {
  // Two that end at once would each see the other one alive.
  await lockGrant(tx, grantId);
  const changed = await setConnectionStatus(tx, { id }, { from: ['active', 'reconnect_required'], to: 'revoked', reason });
  if (changed.length === 0) return undefined;
  await deleteSubscriptionOf(tx, id);
  for (const kind of ['subscription.renew', REPLACE_SUBSCRIPTION]) await cancelJob(tx, { kind, subjectId: id });
  const living = (await listConnectionsOfGrant(tx, grantId)).filter(({ status }) => status !== 'revoked');
  if (living.length === 0) {
    await eraseTokens(tx, grantId);
    for (const kind of ['grant.keep', 'grant.profile']) await cancelJob(tx, { kind, subjectId: grantId });
  }
  await tellAll(tx, gateway, changed, 'connection.revoked');
  return living;
}

async function tellAll(
  tx: Writer,
  gateway: Gateway,
  connections: readonly Connection[],
  type: 'connection.active' | 'connection.reconnect_required' | 'connection.revoked',
): Promise<void> {
  for (const connection of connections) await tell(tx, gateway, connection, type);
}

/** One change of the status, one event: the version tells one from the next of the same kind. */
export async function tell(
  tx: Writer,
  gateway: Gateway,
  { id, marketplaceId, professionalId, provider, statusReason, statusVersion }: Connection,
  type: 'connection.active' | 'connection.reconnect_required' | 'connection.revoked',
): Promise<void> {
  const common = { marketplaceId, subjectId: id, key: String(statusVersion) };
  const data = { connection_id: id, professional_id: professionalId, provider: provider as ProviderId };
  const reason = readReason(statusReason);
  await emit(
    tx,
    gateway,
    type === 'connection.active' || reason === null ? { ...common, type, data } : { ...common, type, data: { ...data, reason } },
  );
}
