/** What keeps a connection from dying unnoticed: an idle grant is renewed well before the vendor ends it, and the plan is read anew. */
import type { AccountProfile, PlatformHost } from '../../providers/provider.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import type { Gateway } from '../gateway.ts';
import { listConnectionsOfGrant, updateAccount, type Connection } from '../store/connections.ts';
import { findGrant } from '../store/grants.ts';
import { atVendor } from './account.ts';
import { accessTokenOf } from './access-token.ts';
import { markReconnectRequired } from './health.ts';
import { renewalOf, scheduleKeep } from './upkeep.ts';

/** Job `grant.keep`. */
export async function keepGrant(gateway: Gateway, grantId: string): Promise<void> {
  const { db, now } = gateway;
  const grant = await findGrant(db.read, grantId);
  if (grant === undefined || grant.kind !== 'user' || grant.tokensSealed === null) return;
  if (!(await listConnectionsOfGrant(db.read, grantId)).some(({ status }) => status === 'active')) return;
  // Otherwise it was used meanwhile, and the renewal that use brought with it counts.
  if (renewalOf(gateway, grant) <= now()) {
    try {
      // Idle for so long, its access token has ended: this renews it.
      await accessTokenOf(gateway, grantId);
    } catch (error) {
      // The professional has been told; there is nothing left to keep.
      if (isFailure(error, 'reconnect_required')) return;
      throw error;
    }
  }
  const kept = await findGrant(db.read, grantId);
  if (kept !== undefined) await db.write((tx) => scheduleKeep(tx, gateway, kept));
}

/** Job `grant.profile`: plan and capabilities as the vendor tells them now. */
export async function readProfileAgain(gateway: Gateway, grantId: string): Promise<void> {
  const { db } = gateway;
  const connections = (await listConnectionsOfGrant(db.read, grantId)).filter(({ status }) => status === 'active');
  const [first] = connections;
  if (first === undefined) return;
  if (first.professionalId === null) return readHostsAgain(gateway, connections);
  const profile = await atVendor(gateway, first, (provider, account) => provider.oauth.readAgain(account));
  await db.write(async (tx) => {
    for (const connection of connections) await updateAccount(tx, connection, profileColumns(gateway, profile));
  });
}

/**
 * The same for hosts of the platform, whose one grant has many users. A host that the vendor no longer has gets no more meetings. The trouble
 * with one host keeps none of the others from being read.
 */
async function readHostsAgain(gateway: Gateway, hosts: readonly Connection[]): Promise<void> {
  const { db, now } = gateway;
  const troubles: unknown[] = [];
  for (const connection of hosts) {
    try {
      const host = await atVendor(gateway, connection, async ({ platform }, account) => {
        if (platform === undefined) throw new Failure('not_configured', "The operator's own account is not set up any more.");
        return platform.host({ accessToken: await account.accessToken(), scopes: account.scopes }, account.id);
      });
      await db.write((tx) => updateAccount(tx, connection, hostColumns(gateway, host)));
    } catch (error) {
      if (isFailure(error, 'not_found')) await markReconnectRequired(gateway, connection, 'account_gone');
      else if (isFailure(error, 'not_capable'))
        await db.write((tx) => updateAccount(tx, connection, { createsMeetings: false, profileReadAt: now() }));
      else troubles.push(error);
    }
  }
  if (troubles.length > 0) throw troubles[0];
}

/** What a vendor tells about an account, as it is stored. */
export const profileColumns = (
  { now }: Pick<Gateway, 'now'>,
  profile: AccountProfile,
): Pick<Connection, 'organisation' | 'email' | 'plan' | 'createsMeetings' | 'cloudRecording' | 'profileReadAt'> => ({
  organisation: profile.organisation,
  email: profile.email,
  plan: profile.plan,
  createsMeetings: profile.createsMeetings,
  cloudRecording: profile.cloudRecording,
  profileReadAt: now(),
});

export const hostColumns = (gateway: Pick<Gateway, 'now'>, host: PlatformHost) => ({
  ...profileColumns(gateway, host),
  concurrentMeetings: host.concurrentMeetings,
});
