import { type Context, Hono } from 'hono';
import { APPS } from '../../../providers/approved.ts';
import { beginAdminConsent } from '../../connections/admin-consent.ts';
import {
  beginAuthorization,
  completeAuthorization,
  type Connected,
  connectionOfSession,
  openConnectSession,
} from '../../connections/connect.ts';
import { disconnect } from '../../connections/disconnect.ts';
import { declarePlan } from '../../connections/plan.ts';
import { preferConnection } from '../../connections/prefer.ts';
import { PROVIDER_IDS, type ProviderId } from '../../domain/apps.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { MINUTE, SECOND } from '../../domain/time.ts';
import { policyOf } from '../../domain/presets/index.ts';
import type { Gateway } from '../../gateway.ts';
import { readStanding } from '../../professionals/standing.ts';
import type { ConnectSession } from '../../store/connect-sessions.ts';
import { listConnections, type Connection } from '../../store/connections.ts';
import { findMarketplace } from '../../store/marketplaces.ts';
import { browserSecret, sentSecret, type BrowserCookie } from './browser.ts';
import { connectApps, troubleOf } from './connect-model.ts';
import { languageFor, sendFailurePage, sendPage } from './page.ts';
import { translator } from './texts/index.ts';
import { adminLinkPage, connectPage, type ConnectNotice, messagePage } from './views/index.ts';

/** Made on the connect page; the callback is accepted only from a browser that has it. */
const COOKIE: BrowserCookie = { name: 'connect', seconds: (45 * MINUTE) / SECOND };
const NOTICES: readonly ConnectNotice[] = [
  'connected',
  'recordings_missing',
  'access_denied',
  'account_cannot_create',
  'admin_approval',
  'admin_agreed',
  'permission_missing',
  'other_account',
  'disconnected',
  'preferred',
  'plan_declared',
  'vendor_unavailable',
  'failed',
];

export const connectRoutes = (gateway: Gateway) =>
  new Hono()
    .get('/connect/:token', async (c) => {
      const token = c.req.param('token');
      const session = await openConnectSession(gateway, token);
      browserSecret(c, gateway, COOKIE);
      return show(c, gateway, session, token);
    })
    .post('/connect/:token/connections/:id/disconnect', async (c) => {
      const { marketplaceId, id, provider } = await ownConnection(c, gateway);
      await disconnect(gateway, { marketplaceId, id });
      return toPage(c, c.req.param('token'), { app: provider, notice: 'disconnected' });
    })
    .post('/connect/:token/connections/:id/prefer', async (c) => {
      const { marketplaceId, id, provider } = await ownConnection(c, gateway);
      await preferConnection(gateway, { marketplaceId, id });
      return toPage(c, c.req.param('token'), { app: provider, notice: 'preferred' });
    })
    .post('/connect/:token/connections/:id/plan', async (c) => {
      const { marketplaceId, id, provider } = await ownConnection(c, gateway);
      const { plan } = await c.req.parseBody();
      await declarePlan(gateway, { marketplaceId, id, plan: plan === 'free' || plan === 'paid' ? plan : null });
      return toPage(c, c.req.param('token'), { app: provider, notice: 'plan_declared' });
    })
    .post('/connect/:token/:provider/admin-consent', async (c) => {
      const token = c.req.param('token');
      const provider = knownProvider(c.req.param('provider'));
      const { recordings } = await c.req.parseBody();
      const { url, expiresAt } = await beginAdminConsent(gateway, {
        token,
        provider,
        browser: browserSecret(c, gateway, COOKIE),
        recordings: recordings === 'yes',
      });
      const session = await openConnectSession(gateway, token);
      // Shown in the answer itself: kept nowhere, the link can be read nowhere else.
      const view = adminLinkPage({
        language: languageFor(c, session.locale),
        now: gateway.now(),
        marketplace: (await findMarketplace(gateway.db.read, session.marketplaceId))!.name,
        token,
        app: APPS[provider].name,
        url: url.href,
        expiresAt,
      });
      return sendPage(c, gateway, view);
    })
    .post('/connect/:token/:provider', async (c) => {
      const { recordings, connection } = await c.req.parseBody();
      const url = await beginAuthorization(gateway, {
        token: c.req.param('token'),
        provider: knownProvider(c.req.param('provider')),
        browser: browserSecret(c, gateway, COOKIE),
        recordings: recordings === 'yes',
        connectionId: typeof connection === 'string' ? connection : null,
      });
      return c.redirect(url.href, 303);
    })
    .get('/oauth/:provider/callback', async (c) => {
      const provider = knownProvider(c.req.param('provider'));
      const { state, code, error, error_description: words = '', admin_consent: consent, iss } = c.req.query();
      const adminConsent = consent !== undefined;
      if (
        state === undefined ||
        (code !== undefined && error !== undefined) ||
        (code === undefined && error === undefined && !adminConsent)
      )
        throw new Failure('malformed', 'The answer of the vendor is incomplete.');
      const browser = sentSecret(c, gateway, COOKIE);
      const result = await completeAuthorization(gateway, { provider, state, code, error, adminConsent, iss, browser });
      if (result.outcome === 'organisation') {
        const { agreed, connectToken } = result;
        return connectToken === undefined
          ? sendPage(c, gateway, thanks(c, gateway, provider, agreed))
          : toPage(c, connectToken, { app: provider, notice: agreed ? 'admin_agreed' : 'access_denied' });
      }
      return toPage(c, result.connectToken, { app: provider, ...outcome(gateway, result, words) });
    })
    .onError((error, c) => {
      // A link that is over, or a sign-in that was not begun here: either way there is one thing to do, and the page says it.
      if (isFailure(error, 'gone') || isFailure(error, 'forbidden')) {
        const t = translator(languageFor(c));
        return sendFailurePage(c, gateway, error, {
          title: t('connectNotice.link_expired.title'),
          text: t('connectNotice.link_expired.text'),
        });
      }
      throw error;
    });

const toPage = (c: Context, token: string, query: Record<string, string>) =>
  c.redirect(`/connect/${token}?${new URLSearchParams(query).toString()}`, 303);

/** The connection that a form of the page is about. */
async function ownConnection(c: Context, gateway: Gateway): Promise<Connection> {
  const session = await openConnectSession(gateway, c.req.param('token')!);
  return connectionOfSession(gateway, session, c.req.param('id')!);
}

/** For an administrator, who has nothing more to do here. */
function thanks(c: Context, { now }: Gateway, provider: ProviderId, agreed: boolean) {
  const language = languageFor(c);
  const t = translator(language);
  const app = APPS[provider].name;
  return messagePage({
    language,
    now: now(),
    marketplace: null,
    title: agreed ? t('adminConsent.thanksTitle') : t('adminConsent.refusedTitle'),
    text: agreed ? t('adminConsent.thanksText', { app }) : t('adminConsent.refusedText', { app }),
    reference: null,
  });
}

/** What only a person can set right, of all that a vendor says when a code is redeemed. */
const NOTICE_OF: Readonly<Record<string, ConnectNotice>> = { admin_blocked: 'admin_approval', permission_missing: 'permission_missing' };

function outcome(gateway: Gateway, result: Exclude<Connected, { outcome: 'organisation' }>, words: string): Record<string, string> {
  if (result.outcome === 'failed') {
    const { code, extra } = result.failure;
    const told = NOTICE_OF[String(extra['reason'])];
    if (told !== undefined) return { notice: told, error: told };
    return { notice: code === 'vendor_unavailable' ? 'vendor_unavailable' : 'failed', error: code };
  }
  if (result.outcome === 'refused') {
    const notice = refusal(result.error, words);
    return { notice, error: notice };
  }
  if (result.outcome === 'other_account') return { notice: 'other_account', error: 'other_account' };
  const { connection } = result;
  const notice = connectedNotice(gateway, connection, result.recordings);
  return { notice, connection_id: connection.id };
}

/** As the account's card says it: what is not needed for a link is not asked for again. */
function connectedNotice(gateway: Gateway, connection: Connection, recordings: boolean): ConnectNotice {
  const trouble = troubleOf(gateway, connection);
  if (trouble === 'cannot_create') return 'account_cannot_create';
  if (trouble !== null) return 'permission_missing';
  const wanted = recordings ? (gateway.providers.get(connection.provider as ProviderId)?.oauth.scopes.recordings ?? []) : [];
  return wanted.every((scope) => connection.scopes.includes(scope)) ? 'connected' : 'recordings_missing';
}

/** What the errors of RFC 6749, 4.1.2.1 mean to a person. */
function refusal(error: string, words: string): ConnectNotice {
  // Entra says so when only an administrator may agree; AADSTS90094 comes under `access_denied`.
  if (error === 'consent_required' || words.includes('AADSTS90094')) return 'admin_approval';
  if (error === 'access_denied') return 'access_denied';
  return error === 'server_error' || error === 'temporarily_unavailable' ? 'vendor_unavailable' : 'failed';
}

async function show(c: Context, gateway: Gateway, session: ConnectSession, token: string) {
  const { db, now } = gateway;
  const marketplace = (await findMarketplace(db.read, session.marketplaceId))!;
  const connections = await listConnections(db.read, { marketplaceId: session.marketplaceId, professionalId: session.professionalId });
  const notice = NOTICES.find((kind) => kind === c.req.query('notice'));
  const app = PROVIDER_IDS.find((id) => id === c.req.query('app'));
  const view = connectPage({
    language: languageFor(c, session.locale),
    now: now(),
    marketplace: marketplace.name,
    token,
    expiresAt: session.expiresAt,
    notice: notice === undefined ? null : { kind: notice, app: app === undefined ? null : APPS[app].name },
    regarded: await readStanding(db.read, session, now()),
    apps: connectApps(gateway, policyOf(marketplace), session.providers, connections),
    returnUrl: returnUrl(session, c.req.query('connection_id'), c.req.query('error')),
  });
  return sendPage(c, gateway, view, { formsLeadOut: true });
}

/** The way back to the marketplace carries what came of it. */
function returnUrl(session: ConnectSession, connectionId: string | undefined, error: string | undefined): string | null {
  if (session.returnUrl === null) return null;
  const url = new URL(session.returnUrl);
  if (connectionId !== undefined && /^con_[0-9a-z]{26}$/.test(connectionId)) url.searchParams.set('connection_id', connectionId);
  else if (error !== undefined && /^[a-z_]{1,40}$/.test(error)) url.searchParams.set('error', error);
  return url.href;
}

function knownProvider(name: string): ProviderId {
  const id = PROVIDER_IDS.find((provider) => provider === name);
  if (id === undefined) throw new Failure('not_found', 'There is no such app.');
  return id;
}
