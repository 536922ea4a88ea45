/** The operator's own account at Zoom: its token, and what is read about a host. */
import { http, HttpResponse } from 'msw';
import { describe, expect, it } from 'vitest';
import { guardedServer } from '../conformance/provider.ts';
import { API, CONTRACT, createTestZoom, OAUTH, zoomError } from './zoom-vendor.ts';

const server = guardedServer({ contract: CONTRACT });
const platform = createTestZoom({ platform: { accountId: 'account-1', clientId: 's2s-id', clientSecret: 's2s-secret' } }).platform!;
const grant = { accessToken: 'token-1', scopes: [] };
const EMAIL = 'host@example.com';
const user = (more: object) => ({ id: 'host-1', account_id: 'account-1', email: EMAIL, type: 2, ...more });
const answer = (path: string, status: number, body: object) => http.get(`${API}/users/${path}`, () => HttpResponse.json(body, { status }));
const settings = answer(':user/settings', 200, { recording: { cloud_recording: true } });

describe("the operator's account at Zoom (F04)", () => {
  it('is absent without its credentials', () => {
    expect(createTestZoom().platform).toBeUndefined();
  });

  it('has one token for all hosts, by the credentials of its own app, and no refresh token', async () => {
    let asked: unknown;
    server.use(
      http.post(`${OAUTH}/oauth/token`, async ({ request }) => {
        asked = [request.headers.get('authorization'), await request.text()];
        return HttpResponse.json({
          access_token: 'token-1',
          token_type: 'bearer',
          expires_in: 3_600,
          scope: 'meeting:write:meeting:admin user:read:admin',
          api_url: 'https://api.zoom.us',
        });
      }),
    );
    const subject = platform.subjectOf(EMAIL);
    expect(platform.subjectOf('other@example.com')).toBe(subject);
    const given = await platform.token(subject);
    expect(asked).toEqual([
      `Basic ${Buffer.from('s2s-id:s2s-secret').toString('base64')}`,
      'account_id=account-1&grant_type=account_credentials',
    ]);
    expect(given).toMatchObject({ accessToken: 'token-1', refreshToken: null, expiresInMs: 3_600_000 });
    // By both families of names, and by the names of the users' own scopes.
    expect(given.scopes).toEqual(expect.arrayContaining(['meeting:write:meeting:admin', 'meeting:write:meeting', 'user:read:settings']));
  });

  it.each([
    ['a client that Zoom does not know', 400, { reason: 'Invalid client_id or client_secret', error: 'invalid_client' }],
    ['an account that is not of the app', 400, { reason: 'Invalid account_id', error: 'invalid_request' }],
    ['an app that is not activated', 400, { reason: 'The app has been disabled by the developer', error: 'invalid_grant' }],
  ])('blames the operator for %s', async (_what, status, body) => {
    server.use(http.post(`${OAUTH}/oauth/token`, () => HttpResponse.json(body, { status })));
    await expect(platform.token('account-1')).rejects.toMatchObject({ code: 'credentials_rejected' });
  });

  it.each([
    ['a plain licence, whose account may be any', {}, 1, 'paid'],
    ['a Pro bundle', { plan_united_type: '16' }, 1, 'paid'],
    ['a Business bundle', { plan_united_type: '32' }, 2, 'paid'],
    ['an Enterprise bundle', { plan_united_type: '16384' }, 2, 'paid'],
    ['a Pro bundle with a higher number', { plan_united_type: '32768' }, 1, 'paid'],
    ['Business Plus', { zoom_one_type: 16 }, 2, 'paid'],
    ['a bundle that nobody has documented', { zoom_one_type: 33_554_432 }, 1, 'paid'],
    ['a Basic user', { type: 1, plan_united_type: '32' }, 1, 'free'],
  ])('reads how many meetings %s may run at once', async (_what, more, concurrentMeetings, plan) => {
    server.use(answer(':user', 200, user(more)), settings);
    expect(await platform.host(grant, EMAIL)).toEqual({
      id: 'host-1',
      email: EMAIL,
      organisation: 'account-1',
      plan,
      createsMeetings: true,
      cloudRecording: plan === 'paid' ? 'yes' : 'no',
      concurrentMeetings,
    });
  });

  it.each([
    ['a user whom Zoom does not know', 404, zoomError(1001), 'not_found'],
    ['a user of another account', 400, zoomError(1010), 'not_found'],
    ['a user who has not accepted the invitation', 404, zoomError(1120), 'not_found'],
    ['a user without a licence for meetings', 200, user({ type: 4 }), 'not_capable'],
    ['an app without the scopes', 400, zoomError(4711), 'reconnect_required'],
  ])('refuses %s', async (_what, status, body, code) => {
    server.use(answer(':user', status, body));
    await expect(platform.host(grant, EMAIL)).rejects.toMatchObject({ code });
  });
});
