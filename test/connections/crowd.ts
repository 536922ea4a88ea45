/** Many connected accounts at once: real grants of the sandbox, stored as the connect page stores them. */
import { createHash, randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { z } from 'zod';
import type { World } from '../../demo/world.ts';
import { profileColumns } from '../../src/connections/keep.ts';
import { sealTokens } from '../../src/connections/tokens.ts';
import { scheduleKeep } from '../../src/connections/upkeep.ts';
import { newId } from '../../src/domain/id.ts';
import { plus, SECOND } from '../../src/domain/time.ts';
import { upsertConnection, type Connection } from '../../src/store/connections.ts';
import type { Writer } from '../../src/store/database.ts';
import { ensureGrant, replaceTokens } from '../../src/store/grants.ts';
import { scheduleJob } from '../../src/store/jobs.ts';
import type { Vendor } from '../support/world.ts';

const VERIFIER = randomBytes(32).toString('base64url');
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

const REDIRECT = 'https://gateway.example/callback';
const TOKEN_PATHS: Readonly<Record<Vendor, string>> = {
  zoom: '/oauth/token',
  'microsoft-teams': '/common/oauth2/v2.0/token',
  'google-meet': '/token',
};
const tokenAnswer = z.object({ access_token: z.string(), refresh_token: z.string(), expires_in: z.number(), scope: z.string() });

/** `feed`: with the permission for recordings, and the vendor's event feed if it has one. The sign-in itself does without sockets. */
export async function connectMany(world: World, vendor: Vendor, count: number, { feed = false } = {}): Promise<Connection[]> {
  const { gateway } = world.gateway;
  const { sandbox, url: origin } = world.sandbox;
  const { oauth } = gateway.providers.get(vendor)!;

  const granted: Granted[] = [];
  for (let index = 0; index < count; index++) {
    const email = `${randomBytes(8).toString('hex')}@crowd.example`;
    const { id } = sandbox.addUser(vendor, { email });
    const url = oauth.authorizationUrl({ state: 'state', codeChallenge: CHALLENGE, redirectUri: REDIRECT, recordings: feed });
    url.searchParams.set('sandbox_user', email);
    url.searchParams.set('sandbox_decision', 'allow');
    const back = new URL((await sandbox.app.request(url.href)).headers.get('location')!);
    const form = new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: 'sandbox-client',
      client_secret: 'sandbox-secret',
      code: back.searchParams.get('code')!,
      redirect_uri: REDIRECT,
      code_verifier: VERIFIER,
    });
    const answer = await sandbox.app.request(`${origin}${TOKEN_PATHS[vendor]}`, { method: 'POST', body: form });
    granted.push({ id, email, tokens: tokenAnswer.parse(await answer.json()) });
  }

  // In slices: a long transaction on SQLite would let idle connections to the sandbox die unnoticed.
  const connections: Connection[] = [];
  for (let from = 0; from < granted.length; from += 50) {
    connections.push(...(await gateway.db.write((tx) => storeAll(tx, world, { vendor, feed, granted: granted.slice(from, from + 50) }))));
    await turn();
  }
  gateway.wake();
  return connections;
}

interface Granted {
  readonly id: string;
  readonly email: string;
  readonly tokens: z.infer<typeof tokenAnswer>;
}

async function storeAll(
  tx: Writer,
  { gateway: { gateway }, marketplaceId, now }: World,
  { vendor, feed, granted }: { vendor: Vendor; feed: boolean; granted: readonly Granted[] },
): Promise<Connection[]> {
  const at = now();
  const made: Connection[] = [];
  for (const { id: accountId, email, tokens } of granted) {
    const kept = await ensureGrant(tx, { id: newId(gateway, 'grt'), provider: vendor, kind: 'user', accountId, refreshedAt: at });
    await replaceTokens(tx, {
      id: kept.id,
      tokensSealed: sealTokens(gateway, kept.id, { accessToken: tokens.access_token, refreshToken: tokens.refresh_token }),
      accessExpiresAt: plus(at, tokens.expires_in * SECOND),
      scopes: tokens.scope.split(' '),
      refreshedAt: at,
    });
    await scheduleKeep(tx, gateway, kept);
    const profile = { id: accountId, email, organisation: null, plan: 'paid', createsMeetings: true, cloudRecording: 'unknown' } as const;
    const connection = await upsertConnection(tx, {
      id: newId(gateway, 'con'),
      marketplaceId,
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
}
