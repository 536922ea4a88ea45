/** How a professional connects an account: a session made by the marketplace, then one authorization per app. */
import { timingSafeEqual } from 'node:crypto';
import { calculatePKCECodeChallenge, generateRandomCodeVerifier } from 'oauth4webapi';
import type { AccountProfile, Grant, Provider } from '../../providers/provider.ts';
import type { ProviderId } from '../domain/apps.ts';
import { Failure, found, notFound } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import { policyOf } from '../domain/presets/index.ts';
import { MINUTE, plus } from '../domain/time.ts';
import { hashToken, newToken } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import { clearAlarm } from '../store/alarms.ts';
import {
  findConnectSession,
  insertAuthorization,
  insertConnectSession,
  takeAuthorization,
  type ConnectSession,
} from '../store/connect-sessions.ts';
import { findConnection, findOwnConnection, listConnectionsOfGrant, upsertConnection, type Connection } from '../store/connections.ts';
import type { Writer } from '../store/database.ts';
import { accountIds, ensureGrant, findGrantOf, replaceTokens } from '../store/grants.ts';
import type { Marketplace } from '../store/marketplaces.ts';
import { endDoubt } from './doubt.ts';
import { canMakeLinks, judgeScopes, revive, startFeed, tell } from './health.ts';
import { profileColumns } from './keep.ts';
import { credentialsAlarm, raiseCredentialsAlarm } from './refresh.ts';
import { codeVerifierContext, connectTokenContext } from './sealed.ts';
import { sealTokens } from './tokens.ts';
import { scheduleKeep } from './upkeep.ts';

const SESSION_MS = 30 * MINUTE;
/** Chosen: time enough to sign in at the vendor and to fetch an administrator. */
const AUTHORIZATION_MS = 15 * MINUTE;

export interface ConnectSessionRequest {
  readonly marketplace: Marketplace;
  readonly professionalId: string;
  /** Undefined: all approved apps. */
  readonly providers: readonly ProviderId[] | undefined;
  readonly returnUrl: string | null;
  readonly locale: string | null;
}

export async function createConnectSession(
  gateway: Gateway,
  request: ConnectSessionRequest,
): Promise<{ session: ConnectSession; url: string }> {
  const { config, db, now, random } = gateway;
  const { marketplace, returnUrl } = request;
  const approved = policyOf(marketplace).approved_apps;
  const refused = request.providers?.find((provider) => !approved.includes(provider));
  if (refused !== undefined)
    throw new Failure('app_not_approved', `The marketplace does not use ${refused}.`, { extra: { approved_apps: approved } });
  if (returnUrl !== null && !isAllowedReturnUrl(returnUrl, marketplace.returnUrls)) {
    throw new Failure('invalid', "The return_url is not on the marketplace's list.", {
      errors: [{ pointer: '/return_url', detail: 'is not allowed' }],
    });
  }
  const token = newToken(random);
  const at = now();
  const session: ConnectSession = {
    id: newId(gateway, 'cns'),
    marketplaceId: marketplace.id,
    professionalId: request.professionalId,
    tokenHash: hashToken(token),
    providers: [...(request.providers ?? approved)],
    returnUrl,
    locale: request.locale,
    createdAt: at,
    expiresAt: plus(at, SESSION_MS),
  };
  await db.write((tx) => insertConnectSession(tx, session));
  return { session, url: `${config.publicUrl}/connect/${token}` };
}

/** @throws Failure `gone` when the link is unknown or over */
export async function openConnectSession({ db, now }: Gateway, token: string): Promise<ConnectSession> {
  const session = await findConnectSession(db.read, hashToken(token), now());
  if (session === undefined) throw new Failure('gone', 'This link is no longer valid. Ask the marketplace for a new one.');
  return session;
}

/** @throws Failure `not_found` for one that is another professional's, or of an app that the session does not offer */
export async function connectionOfSession(
  { db }: Gateway,
  { marketplaceId, professionalId, providers }: ConnectSession,
  id: string,
): Promise<Connection> {
  const connection = found(await findOwnConnection(db.read, marketplaceId, id));
  if (connection.professionalId !== professionalId || !providers.includes(connection.provider)) throw notFound();
  return connection;
}

/** Where the browser goes next. `browser` is the secret of a cookie: only the browser that begins can finish. */
export async function beginAuthorization(
  gateway: Gateway,
  {
    token,
    provider: id,
    browser,
    recordings,
    connectionId = null,
  }: {
    token: string;
    provider: ProviderId;
    browser: string;
    recordings: boolean;
    /** The connection that is to be renewed; another account than its own is not taken for it. */
    connectionId?: string | null;
  },
): Promise<URL> {
  const { config, db, now, random, vault } = gateway;
  const session = await openConnectSession(gateway, token);
  const provider = offered(gateway, session, id);
  const expected = connectionId === null ? undefined : await connectionOfSession(gateway, session, connectionId);
  if (expected !== undefined && expected.provider !== id) throw notFound();
  const state = newToken(random);
  const codeVerifier = generateRandomCodeVerifier();
  const stateHash = hashToken(state);
  await db.write((tx) =>
    insertAuthorization(tx, {
      stateHash,
      sessionId: session.id,
      provider: id,
      browserHash: hashToken(browser),
      codeVerifierSealed: vault.seal(codeVerifier, codeVerifierContext(stateHash)),
      connectTokenSealed: vault.seal(token, connectTokenContext(stateHash)),
      recordings,
      kind: 'connect',
      connectionId: expected?.id ?? null,
      expiresAt: plus(now(), AUTHORIZATION_MS),
    }),
  );
  return provider.oauth.authorizationUrl({
    state,
    codeChallenge: await calculatePKCECodeChallenge(codeVerifier),
    redirectUri: redirectUri(config.publicUrl, id),
    recordings,
  });
}

export interface Callback {
  readonly provider: ProviderId;
  readonly state: string;
  /** One of the three: a code, an error, or an administrator's consent, which comes without a code. */
  readonly code: string | undefined;
  readonly error: string | undefined;
  readonly adminConsent?: boolean;
  /** Who says so, where the vendor says it (RFC 9207). */
  readonly iss?: string | undefined;
  readonly browser: string | undefined;
}

export type Connected =
  | { readonly outcome: 'connected'; readonly connectToken: string; readonly connection: Connection; readonly recordings: boolean }
  /** The professional or the vendor said no. */
  | { readonly outcome: 'refused'; readonly connectToken: string; readonly error: string }
  /** Signed in with another account than the one that was to be connected again: nothing has changed for that one. */
  | { readonly outcome: 'other_account'; readonly connectToken: string; readonly expected: Connection; readonly email: string | null }
  /** The vendor said yes and then did not keep it. */
  | { readonly outcome: 'failed'; readonly connectToken: string; readonly failure: Failure }
  /** An administrator has answered for the organisation. The token only in the browser that asked for the link, while its session lasts. */
  | { readonly outcome: 'organisation'; readonly connectToken: string | undefined; readonly agreed: boolean };

/**
 * The end of an authorization. A state works once, in the browser and for the vendor it was made for.
 * @throws Failure `forbidden` when the callback does not belong to an authorization of this browser
 */
export async function completeAuthorization(gateway: Gateway, callback: Callback): Promise<Connected> {
  const { config, db, now, vault } = gateway;
  const taken = await db.write((tx) => takeAuthorization(tx, hashToken(callback.state), now()));
  if (taken === undefined || taken.authorization.provider !== callback.provider) throw notStartedHere();
  const { authorization, session } = taken;
  const provider = configured(gateway, callback.provider);
  if (callback.iss !== undefined && !provider.oauth.isIssuer(callback.iss)) throw notStartedHere();
  const ownBrowser = sameBrowser(authorization.browserHash, callback.browser);
  const connectToken = vault.open(authorization.connectTokenSealed, connectTokenContext(authorization.stateHash));
  if (authorization.kind === 'admin_consent') {
    if (callback.code !== undefined) throw notStartedHere();
    // The administrator may be anybody, anywhere: nothing of the session goes to another browser, and nothing here changes.
    const sessionOpen = session !== undefined && session.expiresAt > now();
    return {
      outcome: 'organisation',
      connectToken: ownBrowser && sessionOpen ? connectToken : undefined,
      agreed: callback.error === undefined,
    };
  }
  if (session === undefined || !ownBrowser || callback.adminConsent === true) throw notStartedHere();
  if (callback.code === undefined) return { outcome: 'refused', connectToken, error: callback.error ?? 'access_denied' };

  let grant: Grant;
  let profile: AccountProfile;
  try {
    grant = await provider.oauth.exchange({
      code: callback.code,
      codeVerifier: vault.open(authorization.codeVerifierSealed, codeVerifierContext(authorization.stateHash)),
      redirectUri: redirectUri(config.publicUrl, callback.provider),
    });
    profile = await provider.oauth.profile(grant);
  } catch (error) {
    const failure = Failure.from(error);
    gateway.log.warn({ err: error, provider: callback.provider }, 'an authorization failed at the vendor');
    // No professional can do anything about it.
    if (failure.code === 'credentials_rejected')
      await db.write((tx) => raiseCredentialsAlarm(tx, gateway, { provider: callback.provider, kind: 'user' }, failure));
    return { outcome: 'failed', connectToken, failure };
  }

  const expected = authorization.connectionId === null ? undefined : await findConnection(db.read, authorization.connectionId);
  if (expected !== undefined && !accountIds({ provider: callback.provider, accountId: profile.id }).includes(expected.accountId)) {
    await keepTokensOfKnownAccount(gateway, { provider: callback.provider, accountId: profile.id, grant });
    return { outcome: 'other_account', connectToken, expected, email: profile.email };
  }
  const connection = await storeConnection(gateway, { session, provider, grant, profile });
  return { outcome: 'connected', connectToken, connection, recordings: authorization.recordings };
}

const notStartedHere = (): Failure =>
  new Failure('forbidden', 'This sign-in was not started here, or it took too long. Open the connect link once more.');

async function storeConnection(
  gateway: Gateway,
  { session, provider, grant, profile }: { session: ConnectSession; provider: Provider; grant: Grant; profile: AccountProfile },
): Promise<Connection> {
  const { db, now } = gateway;
  const ids = { connection: newId(gateway, 'con'), grant: newId(gateway, 'grt') };
  const usable = !profile.createsMeetings || canMakeLinks(provider, grant.scopes);
  const stored = await db.write(async (tx) => {
    const at = now();
    const { id: grantId } = await ensureGrant(tx, {
      id: ids.grant,
      provider: provider.id,
      kind: 'user',
      accountId: profile.id,
      refreshedAt: at,
    });
    await storeAuthorization(tx, gateway, { id: grantId, provider: provider.id }, grant);
    const connection = await upsertConnection(tx, {
      id: ids.connection,
      marketplaceId: session.marketplaceId,
      professionalId: session.professionalId,
      provider: provider.id,
      accountId: profile.id,
      ...profileColumns(gateway, profile),
      grantId,
      status: usable ? 'active' : 'reconnect_required',
      statusReason: usable ? null : 'permission_missing',
      statusVersion: 1,
      preferredAt: null,
      concurrentMeetings: 1,
      erasedAt: null,
      createdAt: at,
    });
    await tell(tx, gateway, connection, usable ? 'connection.active' : 'connection.reconnect_required');
    if (!usable) {
      await judgeScopes(tx, gateway, { id: grantId, kind: 'user', provider: provider.id, scopes: [...grant.scopes] });
      return connection;
    }
    await startFeed(tx, gateway, connection);
    await revive(tx, gateway, grantId);
    return connection;
  });
  gateway.wake();
  return stored;
}

async function storeAuthorization(
  tx: Writer,
  gateway: Gateway,
  { id, provider }: { id: string; provider: ProviderId },
  { accessToken, refreshToken, expiresInMs, scopes }: Grant,
): Promise<void> {
  const refreshedAt = gateway.now();
  await replaceTokens(tx, {
    id,
    tokensSealed: sealTokens(gateway, id, { accessToken, refreshToken }),
    accessExpiresAt: plus(refreshedAt, expiresInMs),
    scopes: [...scopes],
    refreshedAt,
  });
  await endDoubt(tx, id);
  await clearAlarm(tx, credentialsAlarm({ provider, kind: 'user' }));
  await scheduleKeep(tx, gateway, { id, provider, refreshedAt });
}

/** The vendor may have ended the tokens that another connection of this account lives on: the new ones take their place. */
async function keepTokensOfKnownAccount(
  gateway: Gateway,
  { provider, accountId, grant }: { provider: ProviderId; accountId: string; grant: Grant },
): Promise<void> {
  await gateway.db.write(async (tx) => {
    const known = await findGrantOf(tx, { provider, kind: 'user', accountId });
    // Of an account that nobody uses any more nothing is kept.
    if (known === undefined || (await listConnectionsOfGrant(tx, known.id)).every(({ status }) => status === 'revoked')) return;
    await storeAuthorization(tx, gateway, { id: known.id, provider }, grant);
    if (canMakeLinks(configured(gateway, provider), grant.scopes)) await revive(tx, gateway, known.id);
    else await judgeScopes(tx, gateway, { ...known, scopes: [...grant.scopes] });
  });
  gateway.wake();
}

/** Exact origin, and a path below the allowed one; no user names, no repaired spellings. */
function isAllowedReturnUrl(text: string, allowed: readonly string[]): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  // What a URL parser had to repair (`https:evil`, backslashes, tabs) is no address that anybody meant.
  if (url.username !== '' || url.password !== '' || !text.startsWith(`${url.origin}/`) || /[\s\\\p{Cc}]/u.test(text)) return false;
  return allowed.some((entry) => {
    const base = new URL(entry);
    return url.origin === base.origin && (url.pathname === base.pathname || url.pathname.startsWith(base.pathname.replace(/\/?$/, '/')));
  });
}

export const redirectUri = (publicUrl: string, provider: ProviderId): string => `${publicUrl}/oauth/${provider}/callback`;

/** @throws Failure `not_found` when the session does not offer this app, `not_configured` */
export function offered(gateway: Gateway, session: ConnectSession, id: ProviderId): Provider {
  if (!session.providers.includes(id)) throw new Failure('not_found', 'This app is not offered here.');
  return configured(gateway, id);
}

function configured({ providers }: Gateway, id: ProviderId): Provider {
  const provider = providers.get(id);
  if (provider === undefined) throw new Failure('not_configured', 'This app is not set up on the gateway.');
  return provider;
}

const sameBrowser = (hash: string, browser: string | undefined): boolean =>
  browser !== undefined && timingSafeEqual(Buffer.from(hash), Buffer.from(hashToken(browser)));
