/** Many connected accounts at once: real grants of the sandbox, stored as the connect page stores them. */
import { randomBytes } from 'node:crypto';
import { calculatePKCECodeChallenge } from 'oauth4webapi';
import type { World } from '../../demo/world.ts';
import type { Grant as VendorGrant } from '../../providers/provider.ts';
import { profileColumns, scheduleKeep } from '../../src/connections/keep.ts';
import { redirectUri } from '../../src/connections/connect.ts';
import { sealTokens } from '../../src/connections/tokens.ts';
import { newId } from '../../src/domain/id.ts';
import { plus } from '../../src/domain/time.ts';
import { upsertConnection, type Connection } from '../../src/store/connections.ts';
import { ensureGrant, replaceTokens } from '../../src/store/grants.ts';
import { scheduleJob } from '../../src/store/jobs.ts';
import type { Vendor } from '../support/world.ts';

const VERIFIER = randomBytes(32).toString('base64url');

/** `feed`: with the permission for recordings, and the vendor's event feed if it has one. */
export async function connectMany(world: World, vendor: Vendor, count: number, { feed = false } = {}): Promise<Connection[]> {
  const { gateway } = world.gateway;
  const { sandbox } = world.sandbox;
  const { oauth } = gateway.providers.get(vendor)!;
  const codeChallenge = await calculatePKCECodeChallenge(VERIFIER);
  const redirect = redirectUri(world.publicUrl, vendor);

  const granted: { id: string; email: string; grant: VendorGrant }[] = [];
  for (let index = 0; index < count; index++) {
    const email = `${randomBytes(8).toString('hex')}@crowd.example`;
    const { id } = sandbox.addUser(vendor, { email });
    const url = oauth.authorizationUrl({ state: 'state', codeChallenge, redirectUri: redirect, recordings: feed });
    url.searchParams.set('sandbox_user', email);
    url.searchParams.set('sandbox_decision', 'allow');
    const back = new URL((await sandbox.app.request(url.href)).headers.get('location')!);
    const code = back.searchParams.get('code')!;
    granted.push({ id, email, grant: await oauth.exchange({ code, codeVerifier: VERIFIER, redirectUri: redirect }) });
  }

  const at = world.now();
  const connections = await gateway.db.write(async (tx) => {
    const made: Connection[] = [];
    for (const { id: accountId, email, grant } of granted) {
      const kept = await ensureGrant(tx, { id: newId(gateway, 'grt'), provider: vendor, kind: 'user', accountId, refreshedAt: at });
      await replaceTokens(tx, {
        id: kept.id,
        tokensSealed: sealTokens(gateway, kept.id, grant),
        accessExpiresAt: plus(at, grant.expiresInMs),
        scopes: [...grant.scopes],
        refreshedAt: at,
      });
      await scheduleKeep(tx, gateway, kept);
      const profile = { id: accountId, email, organisation: null, plan: 'paid', createsMeetings: true, cloudRecording: 'unknown' } as const;
      const connection = await upsertConnection(tx, {
        id: newId(gateway, 'con'),
        marketplaceId: world.marketplaceId,
        professionalId: email,
        provider: vendor,
        accountId,
        ...profileColumns(gateway, profile),
        grantId: kept.id,
        status: 'active',
        statusReason: null,
        statusVersion: 1,
        preferredAt: null,
        concurrentMeetings: 1,
        erasedAt: null,
        createdAt: at,
      });
      if (feed) await scheduleJob(tx, { kind: 'subscription.renew', subjectId: connection.id, dueAt: at });
      made.push(connection);
    }
    return made;
  });
  gateway.wake();
  return connections;
}
