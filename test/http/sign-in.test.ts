import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createBrowser, location } from '../../demo/clients.ts';
import { RETURN_URL, type World } from '../../demo/world.ts';
import { calls, createMeeting, MINUTE, must, otherMarketplace, VENDORS } from '../support/gateway.ts';
import { begin, consent, leave, queryOf, submit } from '../support/sign-in.ts';
import { connect, testWorld, USERS, type Vendor } from '../support/world.ts';

describe('attacks on the sign-in', () => {
  it('case 74: a state works once', async () => {
    const world = await testWorld();
    const visit = await begin(world, 'zoom');
    const callback = await consent(visit, USERS.zoom);
    must(await visit.browser(callback), 303);
    const exchanges = calls(world, 'zoom', 'POST', /\/oauth\/token$/).length;
    expect((await visit.browser(callback)).status).toBe(403);
    expect(calls(world, 'zoom', 'POST', /\/oauth\/token$/)).toHaveLength(exchanges);
    expect(must(await world.api('GET', '/v1/connections'), 200).json['data']).toHaveLength(1);
  });

  it('case 74: another browser is refused, and spoils the state for everybody', async () => {
    const world = await testWorld();
    const visit = await begin(world, 'zoom');
    const callback = await consent(visit, USERS.zoom);
    const victim = createBrowser();
    // A browser with a cookie of its own, and one without any.
    await victim(visit.url);
    expect((await victim(callback)).status).toBe(403);
    expect((await visit.browser(callback)).status).toBe(403);
    const other = await begin(world, 'zoom');
    expect((await createBrowser()(await consent(other, USERS.zoom))).status).toBe(403);
    expect(calls(world, 'zoom', 'POST', /\/oauth\/token$/)).toEqual([]);
    expect(must(await world.api('GET', '/v1/connections'), 200).json['data']).toEqual([]);
  });

  it("case 76: another provider's callback is refused (mix-up), and no code is sent anywhere", async () => {
    const world = await testWorld();
    const visit = await begin(world, 'zoom');
    const callback = (await consent(visit, USERS.zoom)).replace('/oauth/zoom/', '/oauth/google-meet/');
    expect((await visit.browser(callback)).status).toBe(403);
    expect(calls(world, 'google-meet', 'POST', /token$/)).toEqual([]);
    expect(calls(world, 'zoom', 'POST', /token$/)).toEqual([]);
  });

  it.each([
    ['no state', '?code=x'],
    ['no code and no error', '?state=x'],
    ['both', '?state=x&code=y&error=z'],
    ['nothing', ''],
  ])('case 74: a callback with %s is malformed', async (_what, query) => {
    const world = await testWorld();
    expect((await createBrowser()(`${world.publicUrl}/oauth/zoom/callback${query}`)).status).toBe(400);
    expect((await createBrowser()(`${world.publicUrl}/oauth/webex/callback${query}`)).status).toBe(404);
  });

  it('case 77: a code that the vendor does not know connects nothing', async () => {
    const world = await testWorld();
    const visit = await begin(world, 'zoom');
    const callback = new URL(await consent(visit, USERS.zoom));
    callback.searchParams.set('code', 'stolen');
    const back = must(await visit.browser(callback.href), 303);
    expect(queryOf(back, visit.url)).toMatchObject({ notice: 'failed', error: 'vendor_refused' });
    expect(must(await world.api('GET', '/v1/connections'), 200).json['data']).toEqual([]);
  });

  it('case 79: return_url stays on the list of the marketplace, however it is spelled', async () => {
    const world = await testWorld();
    const ask = (return_url: unknown) => world.api('POST', '/v1/connect-sessions', { professional_id: 'pro_1', return_url });
    for (const good of [RETURN_URL, `${RETURN_URL}/`, `${RETURN_URL}/deep/er?a=b#c`, `${RETURN_URL}?a=//evil.example`, null])
      expect((await ask(good)).status, String(good)).toBe(201);
    const bad = [
      'https://evil.example/marketplace',
      '//evil.example/marketplace',
      '/marketplace',
      'http://127.0.0.1@evil.example/marketplace',
      'http://user@127.0.0.1/marketplace',
      'http://127.0.0.1:80@evil.example/',
      'http://127.0.0.1\\@evil.example/marketplace',
      'http:\\\\127.0.0.1\\marketplace',
      'http:127.0.0.1/marketplace',
      'http://127.0.0.1.evil.example/marketplace',
      'http://127.0.0.1:8080/marketplace',
      'https://127.0.0.1/marketplace',
      'http://127.0.0.1/marketplace-evil',
      'http://127.0.0.1/marketplac',
      'http://127.0.0.1/other',
      'http://127.0.0.1/marketplace/../other',
      'http://127.0.0.1/marketplace/%2e%2e/other',
      ' http://127.0.0.1/marketplace',
      'http://127.0.0.1/\tmarketplace',
      'HTTP://127.0.0.1/marketplace',
      'http://0x7f.1/marketplace',
      'javascript:alert(1)',
      'data:text/html,x',
      '',
    ];
    for (const url of bad) {
      const answer = await ask(url);
      expect({ url, status: answer.status }).toEqual({ url, status: 422 });
      expect(answer.json['errors']).toMatchObject([{ pointer: '/return_url' }]);
    }
  });

  it('case 74: a state that nobody made, or that has expired, is refused', async () => {
    const world = await testWorld();
    const visit = await begin(world, 'zoom');
    expect((await visit.browser(`${world.publicUrl}/oauth/zoom/callback?code=x&state=${'A'.repeat(43)}`)).status).toBe(403);
    const callback = await consent(visit, USERS.zoom);
    world.jump(15 * MINUTE);
    expect((await visit.browser(callback)).status).toBe(403);
    await nothingCameOf(world, 'zoom');
  });

  it('case 74: a session of one marketplace cannot renew the connection of another', async () => {
    const world = await testWorld();
    const other = await otherMarketplace(world);
    const foreign = await connect({ api: other.api }, 'zoom');
    const visit = await begin(world, 'zoom');
    for (const path of [`connections/${foreign}/disconnect`, `connections/${foreign}/prefer`])
      expect((await submit(visit.browser, `${visit.url}/${path}`)).status, path).toBe(404);
    expect((await submit(visit.browser, `${visit.url}/zoom`, { connection: foreign })).status).toBe(404);
    expect(must(await other.api('GET', `/v1/connections/${foreign}`), 200).json).toMatchObject({ status: 'active' });
  });

  it('case 74: a session reaches no connection of another professional, and none of an app that it does not offer', async () => {
    const world = await testWorld();
    const [colleague, meet] = [await connect(world, 'zoom', { professionalId: 'pro_2' }), await connect(world, 'google-meet')];
    const visit = await begin(world, 'zoom');
    for (const id of [colleague, meet])
      for (const action of ['disconnect', 'prefer'])
        expect((await submit(visit.browser, `${visit.url}/connections/${id}/${action}`)).status, action).toBe(404);
    expect((await submit(visit.browser, `${visit.url}/zoom`, { connection: colleague })).status).toBe(404);
    expect(must(await world.api('GET', '/v1/connections'), 200).json['data']).toMatchObject([{ status: 'active' }, { status: 'active' }]);
  });

  it.each(VENDORS)(
    'case 75: the PKCE verifier of %s goes to the token endpoint only, and a code without it is worth nothing',
    async (vendor) => {
      const world = await testWorld();
      const visit = await begin(world, vendor);
      const stolen = await consent(visit, USERS[vendor]);
      expect(visit.authorize.searchParams.get('code_challenge_method')).toBe('S256');
      expect(stolen + visit.authorize.href).not.toContain('code_verifier');
      // The thief has the code and a sign-in of his own, but not the verifier that belongs to the code.
      const thief = await begin(world, vendor);
      const injected = new URL(await consent(thief, USERS[vendor]));
      injected.searchParams.set('code', new URL(stolen).searchParams.get('code')!);
      const back = must(await thief.browser(injected.href), 303);
      expect(queryOf(back, thief.url)).toMatchObject({ notice: 'failed', error: 'vendor_refused' });
      expect(must(await world.api('GET', '/v1/connections'), 200).json['data']).toEqual([]);
      const { db } = world.gateway.gateway;
      expect(await db.read.select().from(db.read.t.grants)).toEqual([]);
    },
  );

  it.each(VENDORS)('case 76: %s has a redirect URI of its own, and a callback that names another issuer is refused', async (vendor) => {
    const world = await testWorld();
    const visit = await begin(world, vendor);
    expect(visit.authorize.searchParams.get('redirect_uri')).toBe(`${world.publicUrl}/oauth/${vendor}/callback`);
    for (const iss of ['https://evil.example', `${world.sandbox.url}.evil.example`, `${world.sandbox.url}/x/v2.0`, '']) {
      const callback = new URL(await consent({ ...visit, authorize: await leave(visit.browser, visit.url, vendor) }, USERS[vendor]));
      callback.searchParams.set('iss', iss);
      expect((await visit.browser(callback.href)).status, iss).toBe(403);
    }
    await nothingCameOf(world, vendor);
  });

  it('case 76: the issuer that Google names itself is accepted', async () => {
    const world = await testWorld();
    const visit = await begin(world, 'google-meet');
    const callback = await consent(visit, USERS['google-meet']);
    expect(new URL(callback).searchParams.get('iss')).toBe('https://accounts.google.com');
    expect(queryOf(must(await visit.browser(callback), 303), visit.url)).toMatchObject({ notice: 'connected' });
  });

  it('case 77: a code works once: its second use with a fresh state leaves nothing and ends nothing', async () => {
    const world = await testWorld();
    const visit = await begin(world, 'google-meet');
    const first = await consent(visit, USERS['google-meet']);
    must(await visit.browser(first), 303);
    const again = { ...visit, authorize: await leave(visit.browser, visit.url, 'google-meet') };
    const replay = new URL(await consent(again, USERS['google-meet']));
    replay.searchParams.set('code', new URL(first).searchParams.get('code')!);
    expect(queryOf(must(await visit.browser(replay.href), 303), visit.url)).toMatchObject({ notice: 'failed' });
    expect(must(await world.api('GET', '/v1/connections'), 200).json['data']).toMatchObject([{ status: 'active' }]);
    await createMeeting(world, { provider: 'google-meet' });
  });

  it('case 78: what a vendor or a stranger writes into error and error_description is shown nowhere', async () => {
    const world = await testWorld();
    const visit = await begin(world, 'zoom', { return_url: RETURN_URL });
    const hostile = '"><script>alert(1)</script><b>pwned';
    const callback = new URL(await consent(visit, USERS.zoom, 'deny'));
    callback.searchParams.set('error', hostile);
    callback.searchParams.set('error_description', hostile);
    const back = must(await visit.browser(callback.href), 303);
    expect(location(back)).not.toMatch(/script|pwned/);
    const crafted = `${visit.url}?notice=${encodeURIComponent(hostile)}&app=${encodeURIComponent(hostile)}&error=${encodeURIComponent(hostile)}`;
    for (const url of [new URL(location(back), visit.url).href, crafted])
      expect((await visit.browser(url)).text).not.toMatch(/alert|pwned/);
    const strange = await visit.browser(`${world.publicUrl}/oauth/zoom/callback?state=x&error=${encodeURIComponent(hostile)}`);
    expect(strange.status).toBe(403);
    expect(strange.text).not.toMatch(/alert|pwned/);
  });

  it('case 80: the redirect URI comes from the configuration, whatever Host and X-Forwarded-Host say', async () => {
    const world = await testWorld();
    const made = must(await world.api('POST', '/v1/connect-sessions', { professional_id: 'pro_1' }), 201);
    const headers = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', forwarded: 'host=evil.example;proto=https' };
    const spoofed = await requestAs('evil.example', `${String(made.json['url'])}/zoom`, headers);
    expect(spoofed.status).toBe(303);
    expect(new URL(spoofed.location).searchParams.get('redirect_uri')).toBe(`${world.publicUrl}/oauth/zoom/callback`);
    const session = must(await world.api('POST', '/v1/connect-sessions', { professional_id: 'pro_1' }, headers), 201);
    expect(String(session.json['url']).startsWith(`${world.publicUrl}/connect/`)).toBe(true);
  });
});

async function nothingCameOf(world: World, vendor: Vendor): Promise<void> {
  expect(calls(world, vendor, 'POST', /token$/)).toEqual([]);
  expect(must(await world.api('GET', '/v1/connections'), 200).json['data']).toEqual([]);
}

/** `fetch` does not let a Host be set. */
function requestAs(host: string, url: string, headers: Record<string, string>): Promise<{ status: number; location: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method: 'POST', headers: { ...headers, host, 'content-type': 'application/x-www-form-urlencoded', 'content-length': '0' } },
      (answer) => {
        answer.resume();
        resolve({ status: answer.statusCode ?? 0, location: answer.headers.location ?? '' });
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}
