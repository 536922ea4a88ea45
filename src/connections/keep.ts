/** What keeps a connection from dying unnoticed: an idle grant is renewed well before the vendor ends it, and the plan is read anew. */
import type { AccountProfile, PlatformHost } from '../../providers/provider.ts';
import type { ProviderId } from '../domain/apps.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import { DAY, plus } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { listConnectionsOfGrant, updateConnection, type Connection } from '../store/connections.ts';
import type { Writer } from '../store/database.ts';
import { findGrant, type Grant } from '../store/grants.ts';
import { scheduleJob } from '../store/jobs.ts';
import { atVendor } from './account.ts';
import { accessTokenOf, spreadOf } from './access-token.ts';
import { markReconnectRequired } from './health.ts';

/** A third of the vendor's own figure leaves two more tries, and keeps well below figures that vendors change. */
const IDLE_SHARE = 3;

/** When an unused grant has to be renewed; each at a moment of its own, so that a thousand that began together do not come together. */
function renewalOf(
  { providers }: Pick<Gateway, 'providers'>,
  { id, provider, refreshedAt }: Pick<Grant, 'id' | 'provider' | 'refreshedAt'>,
): Date {
  const idleLifeMs = providers.get(provider as ProviderId)?.oauth.idleLifeMs ?? 90 * DAY;
  return plus(refreshedAt, Math.round((idleLifeMs / IDLE_SHARE) * (0.9 + 0.1 * spreadOf(id))));
}

/** In the transaction that stores a new authorization. */
export async function scheduleKeep(
  tx: Writer,
  gateway: Pick<Gateway, 'providers'>,
  grant: Pick<Grant, 'id' | 'provider' | 'refreshedAt'>,
): Promise<void> {
  await scheduleJob(tx, { kind: 'grant.keep', subjectId: grant.id, dueAt: renewalOf(gateway, grant) });
}

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
    for (const { id } of connections) await updateConnection(tx, id, profileColumns(gateway, profile));
  });
}

/** The same for hosts of the platform, whose one grant has many users. A host that the vendor no longer has gets no more meetings. */
async function readHostsAgain(gateway: Gateway, hosts: readonly Connection[]): Promise<void> {
  const { db } = gateway;
  for (const connection of hosts) {
    try {
      const host = await atVendor(gateway, connection, async ({ platform }, account) => {
        if (platform === undefined) throw new Failure('not_configured', "The operator's own account is not set up any more.");
        return platform.host({ accessToken: await account.accessToken(), scopes: account.scopes }, account.id);
      });
      await db.write((tx) => updateConnection(tx, connection.id, hostColumns(gateway, host)));
    } catch (error) {
      if (isFailure(error, 'not_found')) await markReconnectRequired(gateway, connection, 'account_gone');
      else if (isFailure(error, 'not_capable')) await db.write((tx) => updateConnection(tx, connection.id, { createsMeetings: false }));
      else throw error;
    }
  }
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
