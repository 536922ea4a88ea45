/** The way by which an administrator agrees for a whole organisation, at a vendor that separates this from the user's own consent. */
import type { ProviderId } from '../domain/apps.ts';
import { Failure } from '../domain/failure.ts';
import { DAY, plus } from '../domain/time.ts';
import { hashToken, newToken } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import { insertAuthorization } from '../store/connect-sessions.ts';
import { listConnections } from '../store/connections.ts';
import { offered, openConnectSession, redirectUri } from './connect.ts';
import { codeVerifierContext, connectTokenContext } from './sealed.ts';

/** Chosen: administrators answer within days. */
const ADMIN_CONSENT_MS = 7 * DAY;

/**
 * A link for an administrator, who may be another person in another browser: its state works once, carries nothing of the professional's
 * session, and no account comes of it. `completeAuthorization` is its end.
 * @throws Failure `not_capable` where the vendor knows no such consent
 */
export async function beginAdminConsent(
  gateway: Gateway,
  { token, provider: id, browser, recordings }: { token: string; provider: ProviderId; browser: string; recordings: boolean },
): Promise<{ url: URL; expiresAt: Date }> {
  const { config, db, now, random, vault } = gateway;
  const session = await openConnectSession(gateway, token);
  const { oauth } = offered(gateway, session, id);
  if (oauth.adminConsentUrl === undefined) throw new Failure('not_capable', 'This app has no consent of an administrator.');
  const { marketplaceId, professionalId } = session;
  const organisations = new Set(
    (await listConnections(db.read, { marketplaceId, professionalId }))
      .filter((connection) => connection.provider === id && connection.status !== 'revoked' && connection.createsMeetings)
      .map(({ organisation }) => organisation),
  );
  const state = newToken(random);
  const stateHash = hashToken(state);
  const expiresAt = plus(now(), ADMIN_CONSENT_MS);
  await db.write((tx) =>
    insertAuthorization(tx, {
      stateHash,
      sessionId: session.id,
      provider: id,
      browserHash: hashToken(browser),
      // No code comes of it, so there is nothing to verify.
      codeVerifierSealed: vault.seal('', codeVerifierContext(stateHash)),
      connectTokenSealed: vault.seal(token, connectTokenContext(stateHash)),
      recordings,
      kind: 'admin_consent',
      connectionId: null,
      expiresAt,
    }),
  );
  const url = oauth.adminConsentUrl({
    state,
    redirectUri: redirectUri(config.publicUrl, id),
    // Of several organisations nobody knows which one is meant: the administrator's own sign-in decides.
    organisation: organisations.size === 1 ? [...organisations][0]! : null,
    recordings,
  });
  return { url, expiresAt };
}
