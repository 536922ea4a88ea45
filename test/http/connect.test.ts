import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createBrowser, location } from '../../demo/clients.ts';
import { RETURN_URL, type World } from '../../demo/world.ts';
import { TEXTS } from '../../src/http/pages/texts/index.ts';
import {
  boughtMeeting,
  calls,
  createMeeting,
  databaseOf,
  DAY,
  everythingStored,
  fault,
  happen,
  HOUR,
  MINUTE,
  must,
  otherMarketplace,
  settled,
  VENDORS,
  vendorState,
} from '../support/gateway.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { begin, consent, leave, queryOf } from '../support/sign-in.ts';
import { connect, meetingBody, testWorld, USERS } from '../support/world.ts';

const connectionOf = async ({ api }: World, id: string) => must(await api('GET', `/v1/connections/${id}`), 200).json;
describe('the connect page', () => {
  it('shows the apps with plan and limit, and sends nothing that could be stored or framed', async () => {
    const world = await testWorld();
    const made = must(
      await world.api('POST', '/v1/connect-sessions', { professional_id: 'pro_1', return_url: RETURN_URL, locale: 'de' }),
      201,
    );
    expect(Date.parse(String(made.json['expires_at']))).toBe(world.now().getTime() + 30 * MINUTE);
    expect(made.json['id']).toMatch(/^cns_/);
    const page = must(await createBrowser()(String(made.json['url'])), 200);
    for (const name of ['Zoom', 'Microsoft Teams', 'Google Meet']) expect(page.text).toContain(name);
    expect(page.text).toContain('<html lang="de"');
    expect(page.headers.get('cache-control')).toContain('no-store');
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    const cookie = page.headers.getSetCookie()[0]!;
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Lax/);
  });

  it.each(VENDORS)('asks %s with PKCE S256 and a state of its own each time', async (vendor) => {
    const world = await testWorld();
    const visit = await begin(world, vendor);
    const again = await leave(visit.browser, visit.url, vendor);
    for (const { searchParams } of [visit.authorize, again]) {
      expect(searchParams.get('code_challenge_method')).toBe('S256');
      expect(searchParams.get('code_challenge')).toMatch(/^[A-Za-z0-9_-]{43}$/);
      expect(searchParams.get('state')).toMatch(/^[A-Za-z0-9_-]{43}$/);
      expect(searchParams.get('redirect_uri')).toBe(`${world.publicUrl}/oauth/${vendor}/callback`);
      expect(searchParams.get('response_type')).toBe('code');
    }
    expect(again.searchParams.get('state')).not.toBe(visit.authorize.searchParams.get('state'));
    expect(again.searchParams.get('code_challenge')).not.toBe(visit.authorize.searchParams.get('code_challenge'));
    // The verifier and the state are nowhere in the clear.
    const stored = await everythingStored(world);
    expect(stored).not.toContain(visit.authorize.searchParams.get('state'));
    expect(stored).toContain(createHash('sha256').update(visit.authorize.searchParams.get('state')!).digest('base64url'));
  });

  it('leads to the marketplace with the connection, and says what went wrong otherwise', async () => {
    const world = await testWorld();
    const visit = await begin(world, 'zoom', { return_url: `${RETURN_URL}/done?x=1` });
    const back = must(await visit.browser(await consent(visit, USERS.zoom)), 303);
    const page = must(await visit.browser(new URL(location(back), visit.url).href), 200);
    const id = queryOf(back, visit.url)['connection_id'];
    expect(page.text).toContain(`${RETURN_URL}/done?x=1&amp;connection_id=${id}`);
    await world.receiver.waitFor('connection.active', ({ type, data }) => type === 'connection.active' && data['connection_id'] === id);

    const denied = { ...visit, authorize: await leave(visit.browser, visit.url, 'zoom') };
    const refused = must(await visit.browser(await consent(denied, USERS.zoom, 'deny')), 303);
    expect(queryOf(refused, visit.url)).toEqual({ app: 'zoom', notice: 'access_denied', error: 'access_denied' });
    const second = must(await visit.browser(new URL(location(refused), visit.url).href), 200);
    expect(second.text).toContain(`${RETURN_URL}/done?x=1&amp;error=access_denied`);
  });

  it('is over after 30 minutes', async () => {
    const world = await testWorld();
    const visit = await begin(world, 'zoom');
    world.jump(30 * MINUTE);
    expect((await visit.browser(visit.url)).status).toBe(410);
    const form = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: '' };
    expect((await visit.browser(`${visit.url}/zoom`, form)).status).toBe(410);
    expect((await visit.browser(await consent(visit, USERS.zoom))).status).toBe(403);
    expect(must(await world.api('GET', '/v1/connections'), 200).json['data']).toEqual([]);
    expect((await visit.browser(`${world.publicUrl}/connect/${'A'.repeat(43)}`)).status).toBe(410);
  });

  it('offers only what the session and the marketplace allow', async () => {
    const world = await testWorld();
    const { url, browser } = await begin(world, 'zoom');
    const form = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: '' };
    expect((await browser(`${url}/google-meet`, form)).status).toBe(404);
    expect((await browser(`${url}/webex`, form)).status).toBe(404);
    const fiverr = await otherMarketplace(world, 'fiverr');
    const answer = await fiverr.api('POST', '/v1/connect-sessions', { professional_id: 'p', providers: ['google-meet'] });
    expect(answer).toMatchObject({ status: 422, json: { code: 'app_not_approved', approved_apps: ['zoom'] } });
  });
});

describe('what the vendor grants', () => {
  it('a permission that was unticked at Google is named', async () => {
    const world = await testWorld();
    const visit = await begin(world, 'google-meet');
    const asked = visit.authorize.searchParams.get('scope')!.split(' ');
    const dropped = asked.find((scope) => scope.includes('meetings.space.created'))!;
    const kept = asked.filter((scope) => scope !== dropped).join(' ');
    const back = must(await visit.browser(await consent(visit, USERS['google-meet'], 'allow', kept)), 303);
    const { connection_id: id, notice } = queryOf(back, visit.url);
    // As long as links can be made by another way, nothing has to be done.
    expect(notice).toBe('connected');
    expect(await connectionOf(world, id!)).toMatchObject({ status: 'active', missing_scopes: [dropped] });
    // Links come about by Calendar all the same: nothing has to be done, and what is missing is said.
    const page = (await visit.browser(visit.url)).text;
    expect(page).toContain(dropped);
    expect(page).not.toContain('Action needed');
    expect((await createMeeting(world, { provider: 'google-meet' })).state).toBe('awaiting_purchase');
  });

  it('what only an administrator can set right is said also when it shows after the consent', async () => {
    const world = await testWorld();
    const visit = await begin(world, 'google-meet', { return_url: null });
    const callback = await consent(visit, USERS['google-meet']);
    fault(world, 'google-meet', 'POST', '^/token$', { status: 400, body: { error: 'admin_policy_enforced', error_description: 'x' } });
    const back = must(await visit.browser(callback), 303);
    expect(queryOf(back, visit.url)).toEqual({ app: 'google-meet', notice: 'admin_approval', error: 'admin_approval' });
    const page = must(await visit.browser(new URL(location(back), visit.url).href), 200).text;
    expect(page).toContain(TEXTS.en.connectNotice.admin_approval.title);
  });

  it('a personal Microsoft account is connected and cannot create', async () => {
    const world = await testWorld();
    const visit = await begin(world, 'microsoft-teams', {}, false);
    const back = must(await visit.browser(await consent(visit, 'ben@outlook.sandbox.example')), 303);
    const { connection_id: id, notice } = queryOf(back, visit.url);
    expect(notice).toBe('account_cannot_create');
    expect((await connectionOf(world, id!))['features']).not.toContain('create');
    const answer = await world.api('POST', '/v1/meetings', meetingBody(world, { provider: 'microsoft-teams' }));
    expect(answer).toMatchObject({
      status: 422,
      json: { code: 'not_capable', considered: [{ provider: 'microsoft-teams', rejected: 'not_capable' }] },
    });
  });

  it('G14 the plan is detected where the vendor tells: Zoom Basic is free with 40 minutes', async () => {
    const world = await testWorld();
    const id = await connect(world, 'zoom', { user: 'ben@zoom.sandbox.example' });
    expect(await connectionOf(world, id)).toMatchObject({
      plan: 'free',
      limit_minutes: 40,
      provider: 'zoom',
      professional_id: 'pro_1',
      daily_quota: { limit: 100, used: 0 },
    });
    const paid = await connect(world, 'zoom', { professionalId: 'pro_2' });
    expect(await connectionOf(world, paid)).toMatchObject({ plan: 'paid', limit_minutes: null, features: ['create', 'recordings'] });
  });

  it.each(VENDORS)('connecting %s again keeps the id of the connection and makes it active', async (vendor) => {
    const world = await testWorld();
    const first = await connect(world, vendor);
    const other = await connect(world, vendor, { professionalId: 'pro_2' });
    must(await world.api('DELETE', `/v1/connections/${first}`), 204);
    expect(await connectionOf(world, first)).toMatchObject({ status: 'revoked' });
    expect(await connect(world, vendor)).toBe(first);
    expect(await connectionOf(world, first)).toMatchObject({ status: 'active', status_reason: null });
    expect(other).not.toBe(first);
    expect(must(await world.api('GET', '/v1/connections?professional_id=pro_1'), 200).json['data']).toHaveLength(1);
    await createMeeting(world, { provider: vendor });
  });
});

describeOnBothDatabases('the end of a connection', (_open, engine) => {
  it.each(VENDORS)('DELETE erases the tokens of %s, tells the vendor and the marketplace', async (vendor) => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const id = await connect(world, vendor);
    await settled(world);
    const { db } = world.gateway.gateway;
    const grants = () => db.read.select().from(db.read.t.grants);
    expect((await grants())[0]!.tokensSealed).not.toBeNull();
    must(await world.api('DELETE', `/v1/connections/${id}`), 204);
    expect(await grants()).toMatchObject([{ tokensSealed: null, accessExpiresAt: null }]);
    expect(await db.read.select().from(db.read.t.connections)).toMatchObject([{ status: 'revoked' }]);
    expect(await db.read.select().from(db.read.t.subscriptions)).toEqual([]);
    // Microsoft has no address for revocations; Zoom no subscriptions of an account.
    const revocations = calls(world, vendor, 'POST', /revoke$/).filter(({ status }) => status === 200);
    expect(revocations.length).toBe(vendor === 'microsoft-teams' ? 0 : 1);
    const { subscriptions = [] } = await vendorState(world, vendor);
    expect(subscriptions.filter(({ deleted }) => deleted !== true)).toEqual([]);
    const event = await world.receiver.waitFor('connection.revoked', ({ type }) => type === 'connection.revoked');
    expect(event.data).toMatchObject({ connection_id: id, provider: vendor, reason: 'disconnected' });
    must(await world.api('DELETE', `/v1/connections/${id}`), 204);
    await settled(world);
    expect(world.receiver.events.filter(({ type }) => type === 'connection.revoked')).toHaveLength(1);
    expect(await world.api('POST', '/v1/meetings', meetingBody(world, { provider: vendor }))).toMatchObject({
      status: 422,
      json: { code: 'not_connected' },
    });
  });

  it('tokens are erased here even when the vendor cannot be reached', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const id = await connect(world, 'zoom');
    fault(world, 'zoom', 'POST', '/oauth/revoke', { status: 503 }, 10);
    must(await world.api('DELETE', `/v1/connections/${id}`), 204);
    const { db } = world.gateway.gateway;
    expect((await db.read.select().from(db.read.t.grants))[0]!.tokensSealed).toBeNull();
  }, 40_000);

  it.each(['zoom', 'google-meet'] as const)('an idle connection takes the permission back at %s, too', async (vendor) => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const id = await connect(world, vendor, { recordings: false });
    await settled(world);
    world.jump(3 * DAY);
    must(await world.api('DELETE', `/v1/connections/${id}`), 204);
    expect(calls(world, vendor, 'POST', /revoke$/).map(({ status }) => status)).toEqual([200]);
    expect(await connectionOf(world, id)).toMatchObject({ status: 'revoked', status_reason: 'disconnected' });
  });

  it('both connections of one account end at once: the vendor is told once, and no tokens are left', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const ids = await Promise.all([connect(world, 'zoom'), connect(world, 'google-meet')]);
    const others = [
      await connect(world, 'zoom', { professionalId: 'pro_2' }),
      await connect(world, 'google-meet', { professionalId: 'pro_2' }),
    ];
    await settled(world);
    const ended = await Promise.all([...ids, ...others].map((id) => world.api('DELETE', `/v1/connections/${id}`)));
    expect(ended.map(({ status }) => status)).toEqual([204, 204, 204, 204]);
    for (const vendor of ['zoom', 'google-meet'] as const)
      expect(calls(world, vendor, 'POST', /revoke$/).map(({ status }) => status)).toEqual([200]);
    const { read } = world.gateway.gateway.db;
    expect((await read.select().from(read.t.grants)).map(({ tokensSealed }) => tokensSealed)).toEqual([null, null]);
  });

  it('the vendor says that the app was removed', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const id = await connect(world, 'zoom');
    world.sandbox.sandbox.removeApp('zoom', USERS.zoom);
    await world.sandbox.sandbox.settle();
    await world.receiver.waitFor('connection.revoked', ({ type, data }) => type === 'connection.revoked' && data['connection_id'] === id);
    expect(await connectionOf(world, id)).toMatchObject({ status: 'revoked' });
  });
});

describeOnBothDatabases('tokens', (_open, engine) => {
  const booking = (count: number) => ({ booking: { id: `bk_${count}`, kind: 'one_to_one', title: 'x' } });

  it.each(VENDORS)('of %s that ended are renewed once for 20 calls at the same moment', async (vendor) => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, vendor, { recordings: false });
    await settled(world);
    const tomorrow = new Date(world.now().getTime() + DAY).toISOString();
    const refreshes = () => calls(world, vendor, 'POST', vendor === 'zoom' ? /\/oauth\/token$/ : /\/token$/).length;
    const meetings = await Promise.all(
      Array.from({ length: 5 }, (_, count) => boughtMeeting(world, { provider: vendor, starts_at: tomorrow, ...booking(count) })),
    );
    const before = refreshes();
    // Past the hour of the token; nothing else that is due asks the vendor in between.
    world.jump(61 * MINUTE);
    await settled(world);
    const afterJobs = refreshes();
    expect(afterJobs - before).toBeLessThanOrEqual(1);
    world.jump(61 * MINUTE);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, count) =>
        // Nothing about a Meet space changes with its time or title: there, only the end asks Google.
        vendor === 'google-meet'
          ? world.api('POST', `/v1/meetings/${meetings[count % 5]!.id}/end`)
          : world.api('PATCH', `/v1/meetings/${meetings[count % 5]!.id}`, { title: `t${count}` }),
      ),
    );
    for (const answer of answers) must(answer, 200);
    await settled(world);
    expect(refreshes() - afterJobs).toBe(1);
    expect(must(await world.api('GET', '/v1/connections'), 200).json['data']).toMatchObject([{ status: 'active' }]);
  });

  it('a dead grant: status, event, and a refusal that carries a connect link that works', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const id = await connect(world, 'zoom');
    world.jump(2 * HOUR);
    fault(world, 'zoom', 'POST', '/oauth/token', { status: 400, body: { error: 'invalid_grant', reason: 'Invalid Token!' } });
    const first = await world.api('POST', '/v1/meetings', meetingBody(world));
    expect(first).toMatchObject({ status: 409, json: { code: 'reconnect_required' } });
    expect(await connectionOf(world, id)).toMatchObject({ status: 'reconnect_required' });
    const event = await world.receiver.waitFor('reconnect', ({ type }) => type === 'connection.reconnect_required');
    expect(event.data).toMatchObject({ connection_id: id, professional_id: 'pro_1' });
    const second = await world.api('POST', '/v1/meetings', meetingBody(world, { provider: 'zoom' }));
    expect(second).toMatchObject({ status: 409, json: { code: 'reconnect_required' } });
    await settled(world);
    expect(world.receiver.events.filter(({ type }) => type === 'connection.reconnect_required')).toHaveLength(1);

    for (const { json } of [first, second]) {
      const url = String(json['connect_url']);
      const browser = createBrowser();
      must(await browser(url), 200);
      const back = await browser(await consent({ browser, url, authorize: await leave(browser, url, 'zoom') }, USERS.zoom));
      expect(queryOf(back, url)['connection_id']).toBe(id);
    }
    await createMeeting(world);
  });

  it('a token endpoint that is down is no dead grant', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const id = await connect(world, 'zoom');
    world.jump(2 * HOUR);
    fault(world, 'zoom', 'POST', '/oauth/token', { status: 503 }, 1);
    const answer = await world.api('POST', '/v1/meetings', meetingBody(world));
    expect(answer.status).toBe(201);
    expect(await connectionOf(world, id)).toMatchObject({ status: 'active' });
  });

  it('an access token that the vendor refuses early is renewed, too', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    const before = calls(world, 'zoom', 'POST', /token$/).length;
    fault(world, 'zoom', 'POST', '/meetings$', { status: 401, body: { code: 124, message: 'Invalid access token.' } });
    await createMeeting(world);
    expect(calls(world, 'zoom', 'POST', /token$/).length - before).toBe(1);
  });

  it('nothing readable is stored of tokens and codes', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const visit = await begin(world, 'google-meet');
    const callback = await consent(visit, USERS['google-meet']);
    must(await visit.browser(callback), 303);
    const stored = await everythingStored(world);
    for (const secret of [new URL(callback).searchParams.get('code')!, visit.url.split('/').at(-1)!, world.apiKey])
      expect(stored).not.toContain(secret);
    expect(stored).not.toMatch(/ya29\.|"access_?token"/i);
    await happen(world, await createMeeting(world), 'start');
    world.jump(DAY);
    await settled(world);
  });
});
