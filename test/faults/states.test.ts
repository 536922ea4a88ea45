/**
 * What every documented answer of a vendor's sign-in makes of a connection, end to end: the sandbox answers so, the gateway's state, its
 * event and its alarm are looked at. Where a code is common knowledge and not in a text that could be read, its row says "(unread)".
 */
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createWorld, type World } from '../../demo/world.ts';
import { beginAuthorization, completeAuthorization, createConnectSession } from '../../src/connections/connect.ts';
import { atVendor } from '../../src/connections/account.ts';
import type { ConnectionReason } from '../../src/domain/connection.ts';
import { Failure } from '../../src/domain/failure.ts';
import { HOUR, MINUTE } from '../../src/domain/time.ts';
import { listAlarms } from '../../src/store/alarms.ts';
import { findConnection, type Connection } from '../../src/store/connections.ts';
import { findMarketplace } from '../../src/store/marketplaces.ts';
import { settled } from '../support/gateway.ts';
import { connect, meetingBody, type Vendor } from '../support/world.ts';

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** What is left when the answer was heard. */
type State =
  | { readonly reconnect: ConnectionReason }
  /** Active; only the operator can repair it. */
  | { readonly alarm: true; readonly failure: 'credentials_rejected' }
  /** Active, and the call failed by this name. */
  | { readonly failure: string };

type Row = readonly [name: string, answer: Answer, state: State];

const ALARM = { alarm: true, failure: 'credentials_rejected' } as const;
const end = (reason: ConnectionReason): State => ({ reconnect: reason });

const zoom = (reason: string, error = 'invalid_grant', status = 400): Answer => ({ status, body: { reason, error } });
const zoomApi = (status: number, code: number, message: string): Answer => ({ status, body: { code, message } });
const entra = (error: string, number: number, more: Record<string, unknown> = {}, status = 400): Answer => ({
  status,
  body: { error, error_description: `AADSTS${number}: Words. Trace ID: 1`, error_codes: [number], ...more },
});
const google = (error: string, description: string, more: Record<string, unknown> = {}, status = 400): Answer => ({
  status,
  body: { error, error_description: description, ...more },
});
const googleApi = (status: number, name: string, reason: string): Answer => ({
  status,
  body: {
    error: {
      code: status,
      message: 'no',
      status: name,
      details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'googleapis.com', metadata: {} }],
    },
  },
});

type CodeRow = readonly [name: string, answer: Answer, failure: string, reason?: ConnectionReason];

interface Subject {
  readonly vendor: Vendor;
  readonly token: string;
  /** Every call that makes a meeting. */
  readonly create: string;
  readonly refresh: readonly Row[];
  readonly exchange: readonly CodeRow[];
  readonly call: readonly Row[];
  /** `error` of the redirect back. */
  readonly redirect: readonly string[];
}

const SUBJECTS: readonly Subject[] = [
  {
    vendor: 'zoom',
    token: '^/oauth/token',
    create: '^/v2/users/me/meetings',
    refresh: [
      ['invalid_grant without a number', zoom('Invalid Token!'), end('expired')],
      ['4700 token without scopes', zoom('4700: Token cannot be empty'), end('permission_missing')],
      ['4702 invalid client', zoom('4702: Invalid client', 'invalid_client'), ALARM],
      ['4702 invalid client, by another error', zoom('4702: Invalid client', 'invalid_request'), ALARM],
      ['4704 invalid client secret', zoom('4704: Invalid client secret', 'invalid_client'), ALARM],
      ['invalid_client without a number', zoom('Invalid client_id or client_secret', 'invalid_client'), ALARM],
      ['4705 unsupported grant', zoom('4705: unsupported grant type', 'unsupported_grant_type'), { failure: 'vendor_unavailable' }],
      ['4706 client or grant missing', zoom('4706: missing', 'invalid_request'), { failure: 'vendor_unavailable' }],
      ['4711 scopes of token and client differ', zoom('4711: scopes'), end('permission_missing')],
      ['4717 app switched off', zoom('4717: The app has been disabled.', 'invalid_request'), ALARM],
      ['4735 owner gone', zoom('4735: The owner of the token does not exist'), end('account_gone')],
      ['4737 authentication not found', zoom('4737: not found'), end('withdrawn')],
      ['4738 switched off by the administrator', zoom('4738: disabled by admin'), end('admin_blocked')],
      ['4740 tolerance used up', zoom('4740: tolerance exceeded'), end('expired')],
      ['4741 a newer authorization', zoom('4741: revoked'), end('replaced')],
      ['429', zoom('slow down', 'invalid_request', 429), { failure: 'vendor_unavailable' }],
      ['500', { status: 500, body: 'down' }, { failure: 'vendor_unavailable' }],
    ],
    exchange: [
      ['4709 redirect mismatch', zoom('4709: Redirect URI mismatch', 'invalid_request'), 'vendor_refused'],
      ['4733 code expired', zoom('4733: Code is expired'), 'vendor_refused'],
      ['4734 invalid code', zoom('4734: Invalid authorization code'), 'vendor_refused'],
      ['4702 invalid client', zoom('4702: Invalid client', 'invalid_client'), 'credentials_rejected'],
      ['4738 switched off by the administrator', zoom('4738: disabled by admin'), 'vendor_refused', 'admin_blocked'],
    ],
    call: [
      ['401/124 after one refresh', zoomApi(401, 124, 'Invalid access token.'), { failure: 'vendor_unavailable' }],
      ['400/124 after one refresh', zoomApi(400, 124, 'Access token is expired.'), { failure: 'vendor_unavailable' }],
      ['401/4700', zoomApi(401, 4700, 'Token cannot be empty.'), end('permission_missing')],
      ['400/4711', zoomApi(400, 4711, 'Invalid access token, does not contain scopes:[meeting:write:meeting].'), end('permission_missing')],
      [
        '400/4711 for recordings only',
        zoomApi(400, 4711, 'Invalid access token, does not contain scopes:[cloud_recording:read:list_recording_files].'),
        { failure: 'not_capable' },
      ],
      ['404/1001 unknown user', zoomApi(404, 1001, 'User does not exist: me.'), end('account_gone')],
      ['400/1010 user of another account', zoomApi(400, 1010, 'User does not belong to this account.'), end('account_gone')],
      ['404/1120 invitation expired', zoomApi(404, 1120, 'A user has not joined.'), end('account_gone')],
      ['400/200 plan', zoomApi(400, 200, 'Only available for paid account'), { failure: 'not_capable' }],
    ],
    redirect: ['access_denied', 'server_error'],
  },
  {
    vendor: 'microsoft-teams',
    token: '^/common/oauth2/v2.0/token',
    create: '^/v1.0/me/events',
    refresh: [
      ['65001 not consented', entra('invalid_grant', 65001, { suberror: 'consent_required' }), end('withdrawn')],
      ['90094 an administrator has to approve', entra('invalid_grant', 90094), end('admin_blocked')],
      ['700082 unused for too long (unread)', entra('invalid_grant', 700082), end('expired')],
      ['70008 expired (unread)', entra('invalid_grant', 70008), end('expired')],
      ['50173 password or sessions (unread)', entra('invalid_grant', 50173), end('withdrawn')],
      ['53003 conditional access (unread)', entra('interaction_required', 53003), end('admin_blocked')],
      ['50076 second factor (unread)', entra('interaction_required', 50076), end('expired')],
      ['50079 second factor to set up (unread)', entra('interaction_required', 50079), end('expired')],
      ['50105 user not assigned (unread)', entra('invalid_grant', 50105), end('admin_blocked')],
      ['50057 user blocked (unread)', entra('invalid_grant', 50057), end('admin_blocked')],
      ['50034 user unknown (unread)', entra('invalid_grant', 50034), end('account_gone')],
      ['interaction_required', { status: 400, body: { error: 'interaction_required' } }, end('expired')],
      ['consent_required', { status: 400, body: { error: 'consent_required' } }, end('expired')],
      ['invalid_grant', { status: 400, body: { error: 'invalid_grant' } }, end('expired')],
      ['7000215 wrong secret', entra('invalid_client', 7000215, {}, 401), ALARM],
      ['7000222 expired secret', entra('invalid_client', 7000222, {}, 401), ALARM],
      ['500011 resource unknown (unread)', entra('invalid_resource', 500011), ALARM],
      ['unauthorized_client', { status: 400, body: { error: 'unauthorized_client' } }, ALARM],
      ['700016 app unknown in the tenant (unread)', entra('unauthorized_client', 700016), { failure: 'vendor_unavailable' }],
      ['7000112 app switched off in the tenant (unread)', entra('unauthorized_client', 7000112), end('admin_blocked')],
      ['temporarily_unavailable', { status: 400, body: { error: 'temporarily_unavailable' } }, { failure: 'vendor_unavailable' }],
    ],
    exchange: [
      ['65001 not consented', entra('invalid_grant', 65001, { suberror: 'consent_required' }), 'vendor_refused'],
      ['90094 an administrator has to approve', entra('invalid_grant', 90094), 'vendor_refused', 'admin_blocked'],
      ['7000215 wrong secret', entra('invalid_client', 7000215, {}, 401), 'credentials_rejected'],
      ['temporarily_unavailable', { status: 400, body: { error: 'temporarily_unavailable' } }, 'vendor_unavailable'],
    ],
    call: [
      [
        '401 InvalidAuthenticationToken after one refresh',
        { status: 401, body: { error: { code: 'InvalidAuthenticationToken', message: 'Access token is empty.' } } },
        { failure: 'vendor_unavailable' },
      ],
      [
        '403 Authorization_RequestDenied (unread)',
        {
          status: 403,
          body: { error: { code: 'Authorization_RequestDenied', message: 'Insufficient privileges to complete the operation.' } },
        },
        end('permission_missing'),
      ],
    ],
    redirect: ['access_denied', 'consent_required', 'interaction_required', 'temporarily_unavailable'],
  },
  {
    vendor: 'google-meet',
    token: '^/token',
    create: '^/(v2/spaces|calendar/v3/)',
    refresh: [
      ['invalid_grant, expired or revoked', google('invalid_grant', 'Token has been expired or revoked.'), end('withdrawn')],
      ['invalid_grant, bad request (unread)', google('invalid_grant', 'Bad Request'), end('unknown')],
      ['invalid_grant, invalid_rapt (unread)', google('invalid_grant', 'reauth', { error_subtype: 'invalid_rapt' }), end('expired')],
      ['invalid_grant, account deleted (unread)', google('invalid_grant', 'Account has been deleted'), end('account_gone')],
      ['admin_policy_enforced (unread)', google('admin_policy_enforced', 'Your administrator'), end('admin_blocked')],
      ['access_denied (unread)', google('access_denied', 'Account restricted'), end('admin_blocked')],
      ['deleted_client (unread)', google('deleted_client', 'The OAuth client was deleted.', {}, 401), ALARM],
      ['invalid_client', google('invalid_client', 'Unauthorized', {}, 401), ALARM],
      ['unauthorized_client', google('unauthorized_client', 'Unauthorized', {}, 401), ALARM],
      ['org_internal (unread)', google('org_internal', 'Only within the organisation', {}, 403), ALARM],
      ['503', { status: 503, body: 'down' }, { failure: 'vendor_unavailable' }],
    ],
    exchange: [
      ['invalid_grant', google('invalid_grant', 'Malformed auth code.'), 'vendor_refused'],
      ['invalid_client', google('invalid_client', 'Unauthorized', {}, 401), 'credentials_rejected'],
      ['admin_policy_enforced (unread)', google('admin_policy_enforced', 'Your administrator'), 'vendor_refused', 'admin_blocked'],
    ],
    call: [
      ['401 after one refresh', googleApi(401, 'UNAUTHENTICATED', 'ACCESS_TOKEN_EXPIRED'), { failure: 'vendor_unavailable' }],
      [
        '403 ACCESS_TOKEN_SCOPE_INSUFFICIENT',
        googleApi(403, 'PERMISSION_DENIED', 'ACCESS_TOKEN_SCOPE_INSUFFICIENT'),
        end('permission_missing'),
      ],
    ],
    redirect: ['access_denied', 'admin_policy_enforced', 'org_internal'],
  },
];

/** More than anything asks in one row. */
const ALWAYS = 500;

describe.each(SUBJECTS)('$vendor', ({ vendor, token, create, refresh, exchange, call, redirect }) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ logLevel: 'silent', operator: 'direct', clock: 'standing' });
    const endpoint = await world.api('POST', '/v1/webhook-endpoints', { url: world.receiver.url });
    world.receiver.secret = String(endpoint.json['secret']);
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    world.sandbox.sandbox.traffic.reset();
    const { db } = world.gateway.gateway;
    await db.write((tx) => tx.delete(tx.t.alarms));
  });

  const answering = (path: string, answer: Answer, method = 'POST'): void =>
    world.sandbox.sandbox.traffic.addFault({ vendor, match: { method, path }, times: ALWAYS, answer });
  const connected = async (): Promise<Connection> => {
    const id = await connect(world, vendor);
    await settled(world);
    return (await findConnection(world.gateway.gateway.db.read, id))!;
  };

  /** The clock stands, because the id tokens of every new sign-in are checked by the machine's own. */
  const aged = ({ grantId }: Connection, expired: boolean): Promise<unknown> => {
    const anHourAgo = new Date(world.now().getTime() - HOUR);
    return world.gateway.gateway.db.write((tx) =>
      tx
        .update(tx.t.grants)
        .set({ refreshedAt: anHourAgo, ...(expired ? { accessExpiresAt: anHourAgo } : {}) })
        .where(eq(tx.t.grants.id, grantId)),
    );
  };

  /** What is left of an active connection after something was tried with it. */
  const expectState = async (before: Connection, state: State, attempt: () => Promise<unknown>): Promise<void> => {
    expect(before.status).toBe('active');
    const { db } = world.gateway.gateway;
    const seen = world.receiver.events.length;
    const failure: unknown = await attempt().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(Failure);
    const after = (await findConnection(db.read, before.id))!;
    const alarms = (await listAlarms(db.read)).map(({ name }) => name);
    const news = () =>
      world.receiver.events.slice(seen).filter(({ type, data }) => type.startsWith('connection.') && data['connection_id'] === before.id);
    if ('reconnect' in state) {
      expect([(failure as Failure).code, after.status, after.statusReason]).toEqual([
        'reconnect_required',
        'reconnect_required',
        state.reconnect,
      ]);
      expect(alarms).toEqual([]);
      await vi.waitFor(
        () => expect(news()).toMatchObject([{ type: 'connection.reconnect_required', data: { reason: state.reconnect } }]),
        5_000,
      );
      return;
    }
    expect([(failure as Failure).code, after.status, after.statusReason]).toEqual([state.failure, 'active', null]);
    expect(alarms).toEqual('alarm' in state ? [`credentials_rejected:${vendor}`] : []);
    expect(news()).toEqual([]);
  };

  it.each(refresh)('a refresh that is answered with %s', async (_, answer, state) => {
    const connection = await connected();
    answering(token, answer);
    await aged(connection, true);
    await expectState(connection, state, () => atVendor(world.gateway.gateway, connection, (_provider, account) => account.accessToken()));
  });

  it.each(call)('a call that is answered with %s', async (_, answer, state) => {
    const connection = await connected();
    await aged(connection, false);
    answering(create, answer);
    const request = {
      key: `mtg_${connection.statusVersion}_${world.now().getTime()}`,
      retry: false,
      title: 'Tax consultation',
      startsAt: new Date(world.now().getTime() + HOUR),
      durationMinutes: 30,
      timeZone: 'UTC',
      recordAutomatically: false,
      participantVideo: true,
    };
    await expectState(connection, state, () =>
      atVendor(world.gateway.gateway, connection, (provider, account) => provider.createMeeting(account, request)),
    );
  });

  const begin = async () => {
    const { gateway } = world.gateway;
    const marketplace = (await findMarketplace(gateway.db.read, world.marketplaceId))!;
    const { url } = await createConnectSession(gateway, {
      marketplace,
      professionalId: 'pro_new',
      providers: [vendor],
      returnUrl: null,
      locale: null,
    });
    const away = await beginAuthorization(gateway, { token: url.split('/').at(-1)!, provider: vendor, browser: 'b', recordings: false });
    return { gateway, state: away.searchParams.get('state')! };
  };

  it.each(exchange.map((row) => ({ name: row[0], row })))(
    'a code that is answered with $name',
    async ({ row: [, answer, failure, reason] }) => {
      const { gateway, state } = await begin();
      answering(token, answer);
      const result = await completeAuthorization(gateway, { provider: vendor, state, code: 'code', error: undefined, browser: 'b' });
      if (result.outcome !== 'failed') throw new Error(`it ended as ${result.outcome}`);
      expect([result.failure.code, result.failure.extra['reason']]).toEqual([failure, reason]);
      expect(await world.api('GET', '/v1/connections?professional_id=pro_new')).toMatchObject({ json: { data: [] } });
    },
  );

  it.each(redirect)('a sign-in that comes back with %s', async (error) => {
    const { gateway, state } = await begin();
    const result = await completeAuthorization(gateway, { provider: vendor, state, code: undefined, error, browser: 'b' });
    expect(result).toMatchObject({ outcome: 'refused', error });
    expect(await world.api('GET', '/v1/connections?professional_id=pro_new')).toMatchObject({ json: { data: [] } });
  });

  it('case 86: fresh tokens that are refused for a while end the grant', async () => {
    const connection = await connected();
    await aged(connection, false);
    answering(create, { status: 401, body: {} });
    const attempt = async (): Promise<string> => {
      const { status, json } = await world.api(
        'POST',
        '/v1/meetings',
        meetingBody(world, { booking: { id: `bk_${world.now().getTime()}`, kind: 'one_to_one', title: 'T' }, provider: vendor }),
      );
      return status === 201 ? 'made' : String(json['code']);
    };
    await attempt();
    const { db } = world.gateway.gateway;
    expect(await findConnection(db.read, connection.id)).toMatchObject({ status: 'active' });
    world.jump(10 * MINUTE);
    await attempt();
    await settled(world);
    expect(await findConnection(db.read, connection.id)).toMatchObject({ status: 'active' });
    world.jump(15 * MINUTE);
    await attempt();
    await vi.waitFor(
      async () =>
        expect(await findConnection(db.read, connection.id)).toMatchObject({ status: 'reconnect_required', statusReason: 'unknown' }),
      5_000,
    );
  });
});
