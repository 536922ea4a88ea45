/** Hosts of the operator's own accounts (F04): users in whose name meetings of a marketplace are made, whoever the professional is. */
import type { ProviderId } from '../domain/apps.ts';
import { Failure } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import { plus } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { clearAlarm } from '../store/alarms.ts';
import { listHostsOfAccount, upsertConnection, type Connection } from '../store/connections.ts';
import { ensureGrant, listPlatformSubjects, replaceTokens } from '../store/grants.ts';
import { lockMarketplace } from '../store/marketplaces.ts';
import { revive, startFeed, tell } from './health.ts';
import { hostColumns } from './keep.ts';
import { credentialsAlarm } from './refresh.ts';
import { sealTokens } from './tokens.ts';

export interface HostRequest {
  readonly marketplaceId: string;
  readonly provider: ProviderId;
  /** E-mail address or vendor user id. */
  readonly host: string;
}

/**
 * Reads the host at the vendor and puts it into the marketplace's pool, or renews it there. It keeps its id, and hosts that waited for
 * the operator work again.
 * @throws Failure `not_configured`, `not_found`, `not_capable`, `conflict` when it belongs to another pool, and what the adapter throws
 */
export async function addHost(gateway: Gateway, { marketplaceId, provider: id, host: named }: HostRequest): Promise<Connection> {
  const { db, now, providers } = gateway;
  const provider = providers.get(id);
  const platform = provider?.platform;
  if (provider === undefined || platform === undefined)
    throw new Failure('not_configured', `The operator's own account at ${id} is not set up. See docs/vendors/${id}.md.`);
  const subject = platform.subjectOf(named);
  const granted = await platform.token(subject);
  const host = await platform.host(granted, named);

  const ids = { connection: newId(gateway, 'con'), grant: newId(gateway, 'grt') };
  const stored = await db.write(async (tx) => {
    const at = now();
    // Two operators at once do not put one host into the pool twice.
    if ((await lockMarketplace(tx, marketplaceId)) === undefined)
      throw new Failure('not_found', `There is no marketplace ${marketplaceId}.`);
    const accountId = host.id;
    const elsewhere = (await listHostsOfAccount(tx, { provider: id, accountId })).find(
      (other) => other.marketplaceId !== marketplaceId && other.status !== 'revoked',
    );
    // Each pool counts for itself what its hosts do at the same time.
    if (elsewhere !== undefined)
      throw new Failure('conflict', `${named} is in the pool of the marketplace ${elsewhere.marketplaceId}. Remove it there first.`);

    const { id: grantId } = await ensureGrant(tx, { id: ids.grant, provider: id, kind: 'platform', accountId: subject, refreshedAt: at });
    await replaceTokens(tx, {
      id: grantId,
      tokensSealed: sealTokens(gateway, grantId, { accessToken: granted.accessToken, refreshToken: null }),
      accessExpiresAt: plus(at, granted.expiresInMs),
      scopes: [...granted.scopes],
      refreshedAt: at,
    });
    await clearAlarm(tx, credentialsAlarm({ provider: id, kind: 'platform' }));
    const connection = await upsertConnection(tx, {
      id: ids.connection,
      marketplaceId,
      professionalId: null,
      provider: id,
      accountId,
      ...hostColumns(gateway, host),
      grantId,
      status: 'active',
      statusReason: null,
      statusVersion: 1,
      preferredAt: null,
      erasedAt: null,
      createdAt: at,
    });
    await tell(tx, gateway, connection, 'connection.active');
    await startFeed(tx, gateway, connection);
    await revive(tx, gateway, grantId);
    return connection;
  });
  gateway.wake();
  return stored;
}

/** Asks each vendor for a token of the operator's own account. `result`: `ok`, or what is wrong. */
export async function checkPlatforms({ db, providers }: Gateway): Promise<{ provider: ProviderId; result: string }[]> {
  const checks: { provider: ProviderId; result: string }[] = [];
  for (const { id, platform } of providers.values()) {
    if (platform === undefined) continue;
    const subjects = await listPlatformSubjects(db.read, id);
    if (subjects.length === 0) checks.push({ provider: id, result: 'configured, without hosts' });
    for (const subject of subjects) {
      const result = await platform.token(subject).then(
        () => 'ok',
        (error: unknown) => Failure.from(error).message,
      );
      checks.push({ provider: id, result });
    }
  }
  return checks;
}
