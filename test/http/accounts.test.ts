/** Several accounts of one professional, and what the professional can do about each on the connect page. */
import { describe, expect, it } from 'vitest';
import { createBrowser, location, type Browser } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { TEXTS } from '../../src/http/pages/texts/index.ts';
import { SECOND } from '../../src/domain/time.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { boughtMeeting, calls, createMeeting, databaseOf, DAY, fault, HOUR, must, otherMarketplace, settled } from '../support/gateway.ts';
import { begin, consent, leave, queryOf, submit, type Visit } from '../support/sign-in.ts';
import { connect, meetingBody, testWorld, USERS } from '../support/world.ts';

const BEN = 'ben@zoom.sandbox.example';
const connectionOf = async ({ api }: Pick<World, 'api'>, id: string) => must(await api('GET', `/v1/connections/${id}`), 200).json;
const statusesOf = async (world: World) =>
  (must(await world.api('GET', '/v1/connections'), 200).json['data'] as Record<string, unknown>[]).map(({ status }) => status);

async function openedPage(world: World, session: Record<string, unknown> = {}): Promise<{ browser: Browser; url: string; html: string }> {
  const made = must(await world.api('POST', '/v1/connect-sessions', { professional_id: 'pro_1', ...session }), 201);
  const browser = createBrowser();
  const url = String(made.json['url']);
  return { browser, url, html: must(await browser(url), 200).text };
}

const cardOf = (html: string, id: string): string =>
  new RegExp(`<article[^>]*aria-labelledby="${id}"[^]*?</article>`).exec(html)?.[0] ?? '';

describeOnBothDatabases('several accounts of one app', (_open, engine) => {
  it('G02 the preferred one is used, by the API and by the page, and the latest choice counts', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const ada = await connect(world, 'zoom');
    world.jump(SECOND);
    const ben = await connect(world, 'zoom', { user: BEN });
    expect([await connectionOf(world, ada), await connectionOf(world, ben)]).toMatchObject([{ preferred: true }, { preferred: false }]);
    const changed = must(await world.api('PATCH', `/v1/connections/${ben}`, { preferred: true }), 200);
    expect(changed.json).toMatchObject({ id: ben, preferred: true });
    expect(must(await world.api('GET', '/v1/connections?professional_id=pro_1'), 200).json['data']).toMatchObject([
      { id: ada, preferred: false },
      { id: ben, preferred: true },
    ]);
    expect(await createMeeting(world, { provider: 'zoom' })).toMatchObject({ connection_id: ben });

    const { browser, url, html } = await openedPage(world);
    expect(cardOf(html, ben)).toContain('>Preferred<');
    expect(cardOf(html, ben)).not.toContain('/prefer"');
    expect(cardOf(html, ada)).toContain(`/connections/${ada}/prefer"`);
    const back = must(await submit(browser, `${url}/connections/${ada}/prefer`), 303);
    expect(queryOf(back, url)).toEqual({ app: 'zoom', notice: 'preferred' });
    // The clock stands still: the later choice counts all the same.
    expect(await connectionOf(world, ada)).toMatchObject({ preferred: true });
    const second = { booking: { id: 'bk_2', kind: 'one_to_one', title: 'x' } };
    expect(await createMeeting(world, { provider: 'zoom', ...second })).toMatchObject({ connection_id: ada });
    expect(queryOf(must(await submit(browser, `${url}/connections/${ben}/disconnect`), 303), url)).toEqual({
      app: 'zoom',
      notice: 'disconnected',
    });
    expect(await connectionOf(world, ben)).toMatchObject({ status: 'revoked', status_reason: 'disconnected', preferred: false });
    expect(await world.api('PATCH', `/v1/connections/${ben}`, { preferred: true })).toMatchObject({
      status: 409,
      json: { code: 'conflict' },
    });
    expect((await world.api('PATCH', `/v1/connections/${ada}`, { preferred: false })).status).toBe(422);
    expect((await world.api('PATCH', '/v1/connections/con_unknown', { preferred: true })).status).toBe(404);
  });

  it('G02 leaves the app to the preference when a request leaves it out, and to the policy for auto', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const [zoom, meet] = [await connect(world, 'zoom'), await connect(world, 'google-meet')];
    const booking = (id: string) => ({ booking: { id, kind: 'one_to_one', title: 'x' } });
    expect(await createMeeting(world, booking('bk_1'))).toMatchObject({ connection_id: zoom });
    must(await world.api('PATCH', `/v1/connections/${meet}`, { preferred: true }), 200);
    expect(await createMeeting(world, booking('bk_2'))).toMatchObject({ connection_id: meet, decision: { chosen: 'google-meet' } });
    expect(await createMeeting(world, { ...booking('bk_3'), provider: 'auto' })).toMatchObject({ connection_id: zoom });
    // The choice would end it after an hour: another app is taken, and the answer says why.
    expect(await createMeeting(world, { ...booking('bk_4'), duration_minutes: 90 })).toMatchObject({
      connection_id: zoom,
      decision: {
        chosen: 'zoom',
        considered: expect.arrayContaining([
          expect.objectContaining({ provider: 'google-meet', rejected: 'limit_exceeded', limit_minutes: 60 }),
        ]),
      },
    });
  });

  it('case 82: connecting again takes this very account and no other; the id and the meetings stay', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const id = await connect(world, 'zoom');
    const meeting = await boughtMeeting(world, { provider: 'zoom', starts_at: new Date(world.now().getTime() + DAY).toISOString() });
    world.jump(2 * HOUR);
    fault(world, 'zoom', 'POST', '/oauth/token', { status: 400, body: { error: 'invalid_grant', reason: 'Invalid Token!' } });
    expect((await world.api('PATCH', `/v1/meetings/${meeting.id}`, { title: 'new' })).status).toBe(409);
    expect(await connectionOf(world, id)).toMatchObject({
      status: 'reconnect_required',
      status_reason: 'expired',
      status_detail: TEXTS.en.connectReason.expired.replace('{{app}}', 'Zoom'),
    });

    const { browser, url, html } = await openedPage(world);
    expect(cardOf(html, id)).toContain(TEXTS.en.connectReason.expired.replace('{{app}}', 'Zoom'));
    const other: Visit = { browser, url, authorize: await leave(browser, url, 'zoom', false, id) };
    const wrong = must(await browser(await consent(other, BEN)), 303);
    expect(queryOf(wrong, url)).toMatchObject({ notice: 'other_account' });
    expect(await statusesOf(world)).toEqual(['reconnect_required']);
    expect(must(await browser(new URL(location(wrong), url).href), 200).text).toContain('That was another account');

    const right: Visit = { browser, url, authorize: await leave(browser, url, 'zoom', false, id) };
    expect(queryOf(must(await browser(await consent(right, USERS.zoom)), 303), url)).toMatchObject({
      notice: 'connected',
      connection_id: id,
    });
    must(await world.api('PATCH', `/v1/meetings/${meeting.id}`, { title: 'newer' }), 200);
    await settled(world);
    expect(world.receiver.events.find(({ type }) => type === 'connection.reconnect_required')?.data).toMatchObject({
      connection_id: id,
      reason: 'expired',
    });
  });

  it('two professionals connect one account: each has a connection, and the end of one leaves the other working', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const one = await connect(world, 'zoom');
    world.jump(SECOND);
    const two = await connect(world, 'zoom', { professionalId: 'pro_2' });
    expect(one).not.toBe(two);
    for (const professional_id of ['pro_1', 'pro_2'])
      await createMeeting(world, { professional_id, provider: 'zoom', booking: { id: professional_id, kind: 'one_to_one', title: 'x' } });
    must(await world.api('DELETE', `/v1/connections/${one}`), 204);
    expect(calls(world, 'zoom', 'POST', /revoke$/)).toEqual([]);
    world.jump(2 * HOUR);
    await createMeeting(world, { professional_id: 'pro_2', provider: 'zoom' });
    expect(await statusesOf(world)).toEqual(['revoked', 'active']);
  });

  it("one professional in two marketplaces: Zoom's newest authorization wins, both connections work, and the end of one does not end the other", async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const other = await otherMarketplace(world);
    const first = await connect(world, 'zoom');
    const second = await connect({ api: other.api }, 'zoom');
    const create = async (api: World['api'], id: string) =>
      must(
        await api('POST', '/v1/meetings', meetingBody(world, { provider: 'zoom', booking: { id, kind: 'one_to_one', title: 'x' } })),
        201,
      );
    for (const step of ['now', 'with a renewed token']) {
      await create(world.api, `bk ${step}`);
      await create(other.api, `bk ${step}`);
      world.jump(2 * HOUR);
    }
    must(await other.api('DELETE', `/v1/connections/${second}`), 204);
    expect(calls(world, 'zoom', 'POST', /revoke$/)).toEqual([]);
    world.jump(2 * HOUR);
    await create(world.api, 'bk after');
    expect(await connectionOf(world, first)).toMatchObject({ status: 'active' });
    must(await world.api('DELETE', `/v1/connections/${first}`), 204);
    expect(calls(world, 'zoom', 'POST', /revoke$/)).toHaveLength(1);
  });
});

describe('permissions in two steps', () => {
  it.each(['microsoft-teams', 'google-meet'] as const)('%s is asked for links first and for recordings afterwards', async (vendor) => {
    const world = await testWorld();
    const id = await connect(world, vendor, { recordings: false });
    expect((await connectionOf(world, id))['features']).toEqual(['create']);
    const { browser, url, html } = await openedPage(world);
    expect(cardOf(html, id)).toContain('Allow recordings, too');
    expect(cardOf(html, id)).toContain('Possible once you allow it');
    const authorize = await leave(browser, url, vendor, true, id);
    const { recordings } = world.gateway.gateway.providers.get(vendor)!.oauth.scopes;
    for (const scope of recordings) expect(authorize.searchParams.get('scope')?.split(' ')).toContain(scope);
    expect(authorize.searchParams.get('include_granted_scopes')).toBe(vendor === 'google-meet' ? 'true' : null);
    expect(queryOf(must(await browser(await consent({ browser, url, authorize }, USERS[vendor])), 303), url)).toMatchObject({
      notice: 'connected',
      connection_id: id,
    });
    expect((await connectionOf(world, id))['features']).toEqual(['create', 'recordings']);
    expect(cardOf((await browser(url)).text, id)).not.toContain('Allow recordings');
  });

  it('case 81: recordings that were unticked in the second step are said to be missing, and links go on working', async () => {
    const world = await testWorld();
    const id = await connect(world, 'google-meet', { recordings: false });
    const { browser, url } = await openedPage(world);
    const authorize = await leave(browser, url, 'google-meet', true, id);
    const { links } = world.gateway.gateway.providers.get('google-meet')!.oauth.scopes;
    const back = must(await browser(await consent({ browser, url, authorize }, USERS['google-meet'], 'allow', links.join(' '))), 303);
    expect(queryOf(back, url)).toMatchObject({ notice: 'recordings_missing', connection_id: id });
    expect(await connectionOf(world, id)).toMatchObject({ features: ['create'], missing_scopes: [] });
    await createMeeting(world, { provider: 'google-meet' });
  });

  it('case 81: Zoom grants what the app was registered with, more than was asked for: it is used, and no second step is offered', async () => {
    const world = await testWorld();
    const id = await connect(world, 'zoom', { recordings: false });
    expect(await connectionOf(world, id)).toMatchObject({ features: ['create', 'recordings'], missing_scopes: [] });
    expect(cardOf((await openedPage(world)).html, id)).not.toContain('Allow recordings');
  });
});

describeOnBothDatabases('the consent of an administrator', (_open, engine) => {
  const TENANT = '6f0b2f5a-5a3f-4a57-9a57-0d7a5a3f4a57';
  const EVE = 'eve@strict.sandbox.example';

  /** A professional whose organisation lets nobody but its administrator allow anything. */
  async function strictWorld(): Promise<{ world: World; visit: Visit }> {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    world.sandbox.sandbox.addUser('microsoft-teams', { email: EVE, tenant_id: TENANT, admin_consented: false, user_consent: false });
    return { world, visit: await begin(world, 'microsoft-teams', {}, false) };
  }

  async function adminLink({ browser, url }: Pick<Visit, 'browser' | 'url'>, recordings = false): Promise<URL> {
    const page = must(await submit(browser, `${url}/microsoft-teams/admin-consent`, recordings ? { recordings: 'yes' } : {}), 200);
    const link = /<textarea[^>]*>([^<]*)<\/textarea>/.exec(page.text)![1]!.replaceAll('&amp;', '&');
    return new URL(link);
  }

  const answerOf = async (link: URL, decision = 'allow'): Promise<string> => {
    const url = new URL(link);
    url.searchParams.set('sandbox_user', EVE);
    url.searchParams.set('sandbox_decision', decision);
    return location(await createBrowser()(url.href));
  };

  it('is asked for by a link that works in any browser, once, and the professional connects afterwards', async () => {
    const { world, visit } = await strictWorld();
    const refused = must(await visit.browser(await consent(visit, EVE)), 303);
    expect(queryOf(refused, visit.url)).toMatchObject({ notice: 'admin_approval' });
    expect(must(await visit.browser(new URL(location(refused), visit.url).href), 200).text).toMatch(/<details open[^]*admin-consent"/);

    const link = await adminLink(visit);
    expect(link.pathname).toBe('/organizations/v2.0/adminconsent');
    expect(link.searchParams.get('redirect_uri')).toBe(`${world.publicUrl}/oauth/microsoft-teams/callback`);
    expect(link.searchParams.get('scope')?.split(' ')).toContain('https://graph.microsoft.com/OnlineMeetings.ReadWrite');
    expect(link.href).not.toContain(visit.url.split('/').at(-1)!);
    const answer = await answerOf(link);
    const administrator = createBrowser();
    const thanks = must(await administrator(answer), 200);
    expect(thanks.text).toContain('Your organisation has allowed this service at Microsoft Teams.');
    expect(thanks.text).not.toMatch(/\/connect\/|<form/);
    expect(thanks.headers.getSetCookie()).toEqual([]);
    expect((await administrator(answer)).status).toBe(403);

    expect(await statusesOf(world)).toEqual([]);
    expect(await connect(world, 'microsoft-teams', { user: EVE, recordings: false })).toMatch(/^con_/);
  });

  it('has days to come, longer than the session of the professional', async () => {
    const { world, visit } = await strictWorld();
    const [soon, late] = [await adminLink(visit), await adminLink(visit)];
    world.jump(6 * DAY);
    await settled(world);
    // The professional's own browser as well: there is no page any more to lead back to.
    expect(must(await visit.browser(await answerOf(soon)), 200).text).toContain('Your organisation has allowed this service');
    world.jump(DAY);
    expect((await createBrowser()(await answerOf(late))).status).toBe(403);
  });

  it('leads an administrator who is the professional back to the connect page', async () => {
    const { visit } = await strictWorld();
    const back = must(await visit.browser(await answerOf(await adminLink(visit))), 303);
    expect(queryOf(back, visit.url)).toEqual({ app: 'microsoft-teams', notice: 'admin_agreed' });
    expect(must(await visit.browser(new URL(location(back), visit.url).href), 200).text).toContain('Your organisation has agreed');
  });

  it('asks the organisation of the connected account, for the recordings too when they are wanted', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'microsoft-teams', { recordings: false });
    const link = await adminLink(await openedPage(world), true);
    expect(link.pathname).toMatch(/^\/2432b57b-[0-9a-f-]+\/v2\.0\/adminconsent$/);
    expect(link.searchParams.get('scope')).toContain('https://graph.microsoft.com/OnlineMeetingRecording.Read.All');
  });

  it('a refusal ends on a plain page, and neither kind of state does the work of the other', async () => {
    const { world, visit } = await strictWorld();
    const denied = must(await createBrowser()(await answerOf(await adminLink(visit), 'deny')), 200);
    expect(denied.text).toContain('Nothing was allowed');

    const callback = `${world.publicUrl}/oauth/microsoft-teams/callback`;
    const stateOf = (url: URL) => url.searchParams.get('state')!;
    const asCode = await visit.browser(`${callback}?code=x&state=${stateOf(await adminLink(visit))}`);
    expect(asCode.status).toBe(403);
    const asConsent = await visit.browser(`${callback}?admin_consent=True&tenant=${TENANT}&state=${stateOf(visit.authorize)}`);
    expect(asConsent.status).toBe(403);
    expect(calls(world, 'microsoft-teams', 'POST', /token$/)).toEqual([]);
    expect(await statusesOf(world)).toEqual([]);
  });

  it('is offered only where the vendor knows it', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const { browser, url, html } = await openedPage(world);
    expect(html.match(/admin-consent"/g)).toHaveLength(1);
    expect((await submit(browser, `${url}/zoom/admin-consent`)).status).toBe(422);
  });
});
