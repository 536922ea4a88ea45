import type { Provider } from '../../providers/provider.ts';
import type { ProviderId } from '../domain/apps.ts';
import { found } from '../domain/failure.ts';
import type { Gateway } from '../gateway.ts';
import { findOwnConnection, findSubscriptionOf, type Connection } from '../store/connections.ts';
import { findGrant } from '../store/grants.ts';
import { isShared, closeShares } from '../recordings/unshare.ts';
import { scheduleJob } from '../store/jobs.ts';
import { listVendorRecordingsOf, type Recording } from '../store/recordings.ts';
import { accessTokenOf } from './access-token.ts';
import { accountOf } from './account.ts';
import { markRevoked } from './health.ts';
import { openTokens, type Tokens } from './tokens.ts';

/**
 * Ends the connection here and at the vendor. The vendor's part is best effort: our tokens are erased in any case.
 *
 * Nothing else is erased, unlike after the removal of the app at the vendor (`erase.ts`): this is the marketplace's wish to make no more
 * links with the account, and not the account's owner's to be forgotten. Meetings that are booked keep their links, which the vendor goes
 * on opening, and the row still says whose they were.
 */
export async function disconnect(gateway: Gateway, { marketplaceId, id }: { marketplaceId: string; id: string }): Promise<void> {
  const { db, now } = gateway;
  const connection = found(await findOwnConnection(db.read, marketplaceId, id));
  if (connection.status === 'revoked') return;
  const farewell = await prepareFarewell(gateway, connection);
  const { last, unused } = await db.write(async (tx) => {
    const living = await markRevoked(tx, gateway, connection, 'disconnected');
    const sharing = living?.filter(({ accountId, status }) => accountId === connection.accountId && status === 'active');
    for (const other of sharing ?? []) await scheduleJob(tx, { kind: 'subscription.renew', subjectId: other.id, dueAt: now() });
    return { last: living?.length === 0, unused: sharing?.length === 0 };
  });
  gateway.wake();
  // Grant and subscription belong to the vendor's account: while another connection uses the account, they stay.
  if (farewell !== undefined) await tellVendor(gateway, connection, farewell, { last, unused });
}

interface Farewell {
  readonly provider: Provider;
  readonly tokens: Tokens;
  /** Not for the operator's own account, which goes on. */
  readonly revocable: boolean;
  /** The vendor's id. */
  readonly subscription: string | undefined;
  /** Recordings whose page at the vendor may be open. */
  readonly shared: readonly Recording[];
}

/** What the vendor can be told with: to be opened before the tokens are erased. Undefined when there is nothing to tell, or no way. */
async function prepareFarewell(gateway: Gateway, connection: Connection): Promise<Farewell | undefined> {
  const { db, log, providers } = gateway;
  const { grantId, id } = connection;
  const provider = providers.get(connection.provider as ProviderId);
  const before = await findGrant(db.read, grantId);
  if (provider === undefined || before === undefined || before.tokensSealed === null) return undefined;
  const subscription = connection.status === 'active' ? (await findSubscriptionOf(db.read, id))?.vendorId : undefined;
  const revocable = before.kind === 'user' && provider.oauth.revoke !== undefined;
  const shared = (await listVendorRecordingsOf(db.read, id)).filter(isShared);
  if (!revocable && subscription === undefined && shared.length === 0) return undefined;
  try {
    // Zoom takes back a grant by a living access token only, and answers a dead one as if nothing were left to take back.
    await accessTokenOf(gateway, grantId).catch((error: unknown) => {
      log.warn({ err: error, connection: id }, 'no fresh token for the end of a connection');
    });
    const grant = await findGrant(db.read, grantId);
    const tokens = grant && openTokens(gateway, grant);
    return tokens && { provider, tokens, revocable, subscription, shared };
  } catch (error) {
    log.warn({ err: error, connection: id }, 'the tokens of a connection that ends cannot be opened');
    return undefined;
  }
}

async function tellVendor(
  gateway: Gateway,
  connection: Connection,
  { provider, tokens, revocable, subscription, shared }: Farewell,
  { last, unused }: { last: boolean; unused: boolean },
): Promise<void> {
  const account = { ...accountOf(gateway, connection), accessToken: () => Promise.resolve(tokens.accessToken) };
  const bestEffort = (told: Promise<void> | undefined) =>
    told?.catch((error: unknown) => {
      gateway.log.warn({ err: error, connection: connection.id }, 'the vendor could not be told about the end of a connection');
    });
  // In this order: without the grant no page can be closed, and the subscription cannot be removed.
  await closeShares(gateway, { provider, account }, shared);
  if (unused && subscription !== undefined) await bestEffort(provider.subscriptions?.remove(account, subscription));
  if (last && revocable) await bestEffort(provider.oauth.revoke?.(tokens));
}
