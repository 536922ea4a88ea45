import { type Context, Hono } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { APPS } from '../../../providers/approved.ts';
import { FREE_PLAN, limitMinutes } from '../../../providers/limits.ts';
import { beginAuthorization, completeAuthorization, openConnectSession } from '../../connections/connect.ts';
import { PROVIDER_IDS, type Plan, type ProviderId } from '../../domain/apps.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { MINUTE, SECOND } from '../../domain/time.ts';
import { newToken } from '../../domain/token.ts';
import type { Gateway } from '../../gateway.ts';
import type { ConnectSession } from '../../store/connect-sessions.ts';
import { listConnections, type Connection } from '../../store/connections.ts';
import { findMarketplace } from '../../store/marketplaces.ts';
import { languageFor, sendFailurePage, sendPage } from './page.ts';
import { translator } from './texts/index.ts';
import { connectPage, type ConnectApp, type ConnectedAccount, type ConnectNotice } from './views/index.ts';

const COOKIE_SECONDS = (45 * MINUTE) / SECOND;
const NOTICES: readonly ConnectNotice[] = [
  'connected',
  'access_denied',
  'account_cannot_create',
  'admin_approval',
  'permission_missing',
  'other_account',
  'vendor_unavailable',
  'failed',
];

export const connectRoutes = (gateway: Gateway) =>
  new Hono()
    .get('/connect/:token', async (c) => {
      const token = c.req.param('token');
      const session = await openConnectSession(gateway, token);
      browserSecret(c, gateway);
      return show(c, gateway, session, token);
    })
    .post('/connect/:token/:provider', async (c) => {
      const form = await c.req.parseBody();
      const url = await beginAuthorization(gateway, {
        token: c.req.param('token'),
        provider: knownProvider(c.req.param('provider')),
        browser: browserSecret(c, gateway),
        recordings: form['recordings'] === 'yes',
      });
      return c.redirect(url.href, 303);
    })
    .get('/oauth/:provider/callback', async (c) => {
      const provider = knownProvider(c.req.param('provider'));
      const { state, code, error, error_description: words = '' } = c.req.query();
      if (state === undefined || (code === undefined) === (error === undefined))
        throw new Failure('malformed', 'The answer of the vendor is incomplete.');
      const result = await completeAuthorization(gateway, { provider, state, code, error, browser: getCookie(c, cookieName(gateway)) });
      const query = new URLSearchParams({ app: provider, ...outcome(gateway, result, words) });
      return c.redirect(`/connect/${result.connectToken}?${query.toString()}`, 303);
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

function outcome({ providers }: Gateway, result: Awaited<ReturnType<typeof completeAuthorization>>, words: string): Record<string, string> {
  if (result.outcome === 'failed')
    return { notice: result.failure.code === 'vendor_unavailable' ? 'vendor_unavailable' : 'failed', error: result.failure.code };
  if (result.outcome === 'refused') {
    const notice = refusal(result.error, words);
    return { notice, error: notice };
  }
  if (result.outcome === 'other_account') return { notice: 'other_account', error: 'other_account' };
  const { connection } = result;
  const missing = providers.get(connection.provider as ProviderId)?.oauth.scopes.links.some((scope) => !connection.scopes.includes(scope));
  const notice: ConnectNotice = !connection.createsMeetings
    ? 'account_cannot_create'
    : missing === true
      ? 'permission_missing'
      : 'connected';
  return { notice, connection_id: connection.id };
}

/** What the errors of RFC 6749, 4.1.2.1 mean to a person. */
function refusal(error: string, words: string): ConnectNotice {
  // Entra says so when only an administrator may agree; AADSTS90094 comes under `access_denied`.
  if (error === 'consent_required' || words.includes('AADSTS90094')) return 'admin_approval';
  if (error === 'access_denied') return 'access_denied';
  return error === 'server_error' || error === 'temporarily_unavailable' ? 'vendor_unavailable' : 'failed';
}

async function show(c: Context, gateway: Gateway, session: ConnectSession, token: string) {
  const { db, now, providers } = gateway;
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
    apps: session.providers.flatMap((name) => {
      const id = PROVIDER_IDS.find((provider) => provider === name);
      return id === undefined
        ? []
        : [
            appModel(
              gateway,
              id,
              providers.has(id),
              connections.findLast(({ provider, status }) => provider === id && status !== 'revoked'),
            ),
          ];
    }),
    returnUrl: returnUrl(session, c.req.query('connection_id'), c.req.query('error')),
  });
  return sendPage(c, gateway, view, { formsLeadOut: true });
}

function appModel({ providers }: Gateway, id: ProviderId, configured: boolean, connection: Connection | undefined): ConnectApp {
  const facts = { id, name: APPS[id].name, configured };
  if (connection === undefined) return { ...facts, account: null };
  const plan = connection.plan as Plan;
  const minutes = limitMinutes(id, plan);
  const scopes = providers.get(id)?.oauth.scopes ?? { links: [], recordings: [] };
  const absent = (names: readonly string[]) => names.filter((name) => !connection.scopes.includes(name));
  const recordingsWanted = absent(scopes.recordings).length < scopes.recordings.length || scopes.recordings.length === 0;
  const missingPermissions = [
    ...absent(scopes.links).map((name) => ({ name, neededFor: 'links' as const })),
    // Nobody misses what was not asked for.
    ...(recordingsWanted ? absent(scopes.recordings) : []).map((name) => ({ name, neededFor: 'recordings' as const })),
  ];
  return {
    ...facts,
    account: {
      email: connection.email,
      plan,
      limit: minutes === null ? null : { minutes, asOf: FREE_PLAN[id].asOf },
      recording: connection.cloudRecording as 'yes' | 'no' | 'unknown',
      ...usability(
        connection,
        missingPermissions.some(({ neededFor }) => neededFor === 'links'),
      ),
      recordingsWanted,
      missingPermissions,
    },
  };
}

/** To the professional a connection without which no meeting comes about is not done, whatever the vendor accepted. */
function usability({ createsMeetings, status }: Connection, incomplete: boolean): Pick<ConnectedAccount, 'status' | 'reason'> {
  if (!createsMeetings) return { status: 'reconnect_required', reason: 'cannot_create' };
  if (status !== 'active') return { status: 'reconnect_required', reason: 'grant_ended' };
  return incomplete ? { status: 'reconnect_required', reason: 'permission_missing' } : { status: 'active', reason: 'unknown' };
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

const isSecure = ({ config }: Gateway): boolean => config.publicUrl.startsWith('https:');
const cookieName = (gateway: Gateway): string => (isSecure(gateway) ? '__Host-connect' : 'connect');

/** The browser's own secret, made on its first page and kept alive by each one; the callback is accepted only from a browser that has it. */
function browserSecret(c: Context, gateway: Gateway): string {
  const known = getCookie(c, cookieName(gateway));
  const secret = known !== undefined && /^[A-Za-z0-9_-]{43}$/.test(known) ? known : newToken(gateway.random);
  setCookie(c, cookieName(gateway), secret, {
    httpOnly: true,
    sameSite: 'Lax',
    path: '/',
    secure: isSecure(gateway),
    maxAge: COOKIE_SECONDS,
  });
  return secret;
}
