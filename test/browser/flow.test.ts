import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { RETURN_URL, type World } from '../../demo/world.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.ts';
import { connect, meetingBody, testWorld, USERS } from '../support/world.ts';
import { card, catchDepartures, connectUrl, NAMES, overflowing, SMALLEST, toConsent, unexpected, useBrowser, VENDORS } from './support.ts';

const visit = useBrowser();

/** Of an account that makes links, and was not asked for recordings. Google does not tell the plan, so there it can be said. */
const BUTTONS = {
  zoom: ['Connect another account'],
  'microsoft-teams': ['Allow recordings, too', 'Connect another account'],
  'google-meet': ['Save the plan', 'Allow recordings, too', 'Connect another account'],
};

describe('connect page', { timeout: 60_000 }, () => {
  it.each(VENDORS)('leads to the consent of %s and back to the connected account', async (vendor) => {
    const world = await testWorld();
    const { page, complaints } = await visit();
    await page.goto(await connectUrl(world, { return_url: `${RETURN_URL}?from=connect` }));
    await toConsent(page, world, vendor);
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByRole('heading', { name: `${NAMES[vendor]} is connected` }).waitFor();

    const [connection] = await connections(world);
    expect(connection).toMatchObject({ provider: vendor, status: 'active', missing_scopes: [], account: { email: USERS[vendor] } });
    expect(await card(page, vendor).innerText()).toMatch(new RegExp(`${USERS[vendor].replaceAll('.', String.raw`\.`)}[^]*Connected`));
    expect(await card(page, vendor).getByText('Missing permissions').count()).toBe(0);
    // What Zoom asks for was settled when the app was registered: it knows no second step.
    expect(await card(page, vendor).getByRole('button').allInnerTexts()).toEqual(BUTTONS[vendor]);
    expect(await page.getByRole('link', { name: 'Back to Demo Marketplace' }).getAttribute('href')).toBe(
      `${RETURN_URL}?from=connect&connection_id=${String(connection?.['id'])}`,
    );
    expect(complaints).toEqual([]);
  });

  it.each(VENDORS)('says that nothing was connected when the professional denies it at %s', async (vendor) => {
    const world = await testWorld();
    const { page, complaints } = await visit();
    await page.goto(await connectUrl(world, { return_url: RETURN_URL }));
    await toConsent(page, world, vendor);
    await page.getByRole('button', { name: 'Deny' }).click();
    await page.getByRole('heading', { name: 'Nothing was connected' }).waitFor();

    expect(await page.getByRole('status').innerText()).toContain(`Access was declined at ${NAMES[vendor]}`);
    expect(await card(page, vendor).innerText()).toContain('Not connected');
    expect(await page.getByRole('link', { name: 'Back to' }).getAttribute('href')).toBe(`${RETURN_URL}?error=access_denied`);
    expect(await connections(world)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('tells the owner of a personal Microsoft account to use another one, and asks for that only', async () => {
    const world = await testWorld();
    const { page, complaints } = await visit();
    await page.goto(await connectUrl(world));
    await toConsent(page, world, 'microsoft-teams');
    await page.getByLabel('ben@outlook.sandbox.example').check();
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByRole('status').getByText('This account cannot create meeting links').waitFor();

    await page.goto(page.url().replace(/\?.*/, ''));
    const shown = card(page, 'microsoft-teams');
    expect(await shown.innerText()).toMatch(/ben@outlook[^]*Action needed[^]*cannot create meeting links\. Use another account/);
    expect(await shown.getByRole('button').allInnerTexts()).toEqual(['Connect another account']);
    expect(complaints).toEqual([]);
  });

  it.each([true, false])(
    'gets a link for the administrator of a professional whose organisation blocks apps, with JavaScript %s',
    async (javaScriptEnabled) => {
      const world = await testWorld();
      const email = 'eve@strict.sandbox.example';
      world.sandbox.sandbox.addUser('microsoft-teams', {
        email,
        tenant_id: '6f0b2f5a-5a3f-4a57-9a57-0d7a5a3f4a57',
        admin_consented: false,
        user_consent: false,
      });
      const { page, complaints } = await visit({ ...SMALLEST, javaScriptEnabled });
      const connectEve = async () => {
        await toConsent(page, world, 'microsoft-teams');
        await page.getByLabel(email).check();
        await page.getByRole('button', { name: 'Allow' }).click();
      };
      await page.goto(await connectUrl(world));
      await connectEve();
      await page.getByRole('heading', { name: 'An administrator has to agree first' }).waitFor();

      await card(page, 'microsoft-teams').getByRole('button', { name: 'Get a link for the administrator' }).click();
      await page.getByRole('heading', { name: 'A link for your administrator' }).waitFor();
      const link = await page.getByLabel('Link').inputValue();
      expect(await page.getByRole('link', { name: 'I am the administrator' }).getAttribute('href')).toBe(link);

      const administrator = await visit();
      await administrator.page.goto(`${link}&sandbox_user=${email}`);
      await administrator.page.getByRole('heading', { name: 'Thank you' }).waitFor();
      expect(await administrator.page.getByRole('link').count()).toBe(1); // to the content

      await page.getByRole('link', { name: 'Back to the connection page' }).click();
      await connectEve();
      await page.getByRole('heading', { name: 'Microsoft Teams is connected' }).waitFor();
      expect(await connections(world)).toMatchObject([{ status: 'active', account: { email } }]);
      expect([...complaints, ...administrator.complaints]).toEqual([]);
    },
  );

  it('G02 prefers and disconnects one of several accounts, by keyboard and without JavaScript', async () => {
    const world = await testWorld();
    const ada = await connect(world, 'zoom');
    world.jump(SECOND);
    const ben = await connect(world, 'zoom', { user: 'ben@zoom.sandbox.example' });
    const { page, complaints } = await visit({ ...SMALLEST, javaScriptEnabled: false });
    await page.goto(await connectUrl(world));
    const account = (name: string) => card(page, 'zoom').getByRole('article', { name });
    await account('ben@zoom').getByRole('button', { name: 'Prefer this account' }).press('Enter');
    await page.getByRole('heading', { name: 'This account comes first now' }).waitFor();
    expect(await account('ben@zoom').getByText('Preferred', { exact: true }).isVisible()).toBe(true);
    expect(await connections(world)).toMatchObject([
      { id: ada, preferred: false },
      { id: ben, preferred: true },
    ]);

    // Nothing ends by one click: what follows is read first.
    expect(await account('ada@zoom').getByRole('button', { name: 'Disconnect this account' }).isVisible()).toBe(false);
    await account('ada@zoom').locator('summary').press('Enter');
    await account('ada@zoom').getByRole('button', { name: 'Disconnect this account' }).press('Enter');
    await page.getByRole('heading', { name: 'The account is disconnected' }).waitFor();
    expect(await card(page, 'zoom').getByRole('article').count()).toBe(1);
    expect(await connections(world)).toMatchObject([{ status: 'revoked', status_reason: 'disconnected' }, { status: 'active' }]);
    expect(complaints).toEqual([]);
  });

  it('names the permission that was left out at Google, which goes on with links by Calendar, and asks to connect again', async () => {
    const scope = 'https://www.googleapis.com/auth/meetings.space.created';
    const world = await testWorld();
    const { page, complaints } = await visit();
    await page.goto(await connectUrl(world));
    await toConsent(page, world, 'google-meet');
    await page.getByLabel(scope).uncheck();
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByRole('heading', { name: 'Google Meet is connected' }).waitFor();

    const shown = card(page, 'google-meet');
    expect(await shown.getByRole('listitem').allInnerTexts()).toEqual([`${scope} – needed to create meetings`]);
    expect(await shown.getByText('Connected', { exact: true }).isVisible()).toBe(true);
    expect(await shown.getByText('Action needed').count()).toBe(0);
    expect(await shown.getByRole('button').allInnerTexts()).toEqual([
      'Save the plan',
      'Connect Google Meet again',
      'Allow recordings, too',
      'Connect another account',
    ]);
    expect(await connections(world)).toMatchObject([{ status: 'active', missing_scopes: [scope] }]);

    await toConsent(page, world, 'google-meet', 'Connect Google Meet again');
    await page.getByRole('button', { name: 'Allow' }).click();
    await shown.getByRole('listitem').waitFor({ state: 'detached' });
    await page.getByRole('heading', { name: 'Google Meet is connected' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('accepts the answer of a vendor once, and explains itself the second time', async () => {
    const world = await testWorld();
    const { page, complaints } = await visit();
    const callbacks: string[] = [];
    page.on('request', (request) => {
      if (request.url().includes('/callback?')) callbacks.push(request.url());
    });
    await page.goto(await connectUrl(world));
    await toConsent(page, world, 'zoom');
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByRole('heading', { name: 'Zoom is connected' }).waitFor();

    expect((await page.goto(callbacks[0]!))?.status()).toBe(403);
    expect(await page.getByRole('main').innerText()).toContain('Go back and open the connection page again from there.');
    expect(await connections(world)).toHaveLength(1);
    expect(unexpected(complaints)).toEqual([]);
  });

  it('is finished only in the browser in which it was begun', async () => {
    const world = await testWorld();
    const [own, other] = [await visit(), await visit()];
    await own.page.goto(await connectUrl(world));
    await toConsent(own.page, world, 'google-meet');
    await other.page.goto(own.page.url());
    await other.page.getByRole('button', { name: 'Allow' }).click();
    await other.page.getByRole('heading', { name: 'This link can no longer be used' }).waitFor();
    expect(await connections(world)).toEqual([]);
  });

  it('says where to go when the link is over, in the language of the browser', async () => {
    const world = await testWorld();
    const url = await connectUrl(world);
    world.jump(31 * MINUTE);
    const { page } = await visit({ locale: 'de-DE' });
    expect((await page.goto(url))?.status()).toBe(410);
    expect(await page.getByRole('main').innerText()).toContain('Dieser Link');
  });

  it('speaks the language of the session, whatever the browser prefers', async () => {
    const world = await testWorld();
    const { page } = await visit({ locale: 'de-DE' });
    await page.goto(await connectUrl(world, { locale: 'bg' }));
    expect(await page.locator('html').getAttribute('lang')).toBe('bg');
    await page.goto(await connectUrl(world));
    expect(await page.locator('html').getAttribute('lang')).toBe('de');
  });
});

describe('connect page without recordings', { timeout: 60_000 }, () => {
  it.each(VENDORS)('misses no permission at %s that was not asked for', async (vendor) => {
    const world = await testWorld();
    await connect(world, vendor, { recordings: false });
    const { page } = await visit(SMALLEST);
    await page.goto(await connectUrl(world));
    expect(await card(page, vendor).getByText('Missing permissions').count()).toBe(0);
    // What Zoom asks for was settled when the app was registered: it knows no request for less.
    expect(await card(page, vendor).getByRole('button').allInnerTexts()).toEqual(BUTTONS[vendor]);
    expect(await page.evaluate(overflowing)).toEqual([]);
  });
});

describe('join page', { timeout: 60_000 }, () => {
  it.each(VENDORS)('G03 C03 opens after the purchase and in time, and then leads to %s', async (vendor) => {
    const world = await testWorld();
    await connect(world, vendor);
    const { meeting, joinUrl } = await createMeeting(world, { starts_at: inFuture(world, HOUR) });
    const { page, complaints } = await visit();
    const arrivals = await catchDepartures(page);

    expect((await page.goto(joinUrl))?.status()).toBe(402);
    expect(await page.getByRole('heading', { level: 2 }).first().innerText()).toBe('Your purchase is not complete yet');
    await purchase(world, meeting);
    // The open page comes by itself; a reload would collide with it.
    await page.getByRole('heading', { level: 2, name: 'It is not time yet' }).waitFor();
    expect((await page.request.get(joinUrl)).status()).toBe(200);
    expect(await page.locator('.countdown time').innerText()).toMatch(/^4[45]:\d\d$/);
    expect(await page.content()).not.toContain(new URL(meeting.link.provider_join_url).host);

    world.jump(50 * MINUTE);
    // It comes by itself here as well.
    await page.getByRole('button', { name: `Join with ${NAMES[vendor]}` }).waitFor();
    expect(await page.content()).not.toContain(new URL(meeting.link.provider_join_url).host);
    await page.getByRole('button', { name: `Join with ${NAMES[vendor]}` }).click();
    await page.getByText('Arrived at the vendor').waitFor();
    expect(page.url()).toBe(meeting.link.provider_join_url);
    expect(arrivals).toEqual([{ method: 'GET', url: meeting.link.provider_join_url, referrer: undefined }]);

    world.jump(DAY);
    expect((await page.goto(joinUrl))?.status()).toBe(410);
    expect(await page.getByRole('heading', { name: 'This meeting is over' }).isVisible()).toBe(true);
    // R07: nothing leads in any more, but one can say how it was. The button of the report is folded in.
    expect(await page.getByRole('button').allInnerTexts()).toEqual(['Send the rating']);
    expect(unexpected(complaints)).toEqual([]);
  });

  it('says that the meeting was cancelled', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const { meeting, joinUrl } = await createMeeting(world);
    await world.api('POST', `/v1/meetings/${meeting.id}/cancel`, { reason: 'ill' });
    const { page, complaints } = await visit();
    expect((await page.goto(joinUrl))?.status()).toBe(410);
    expect(await page.getByRole('heading', { name: 'This meeting was cancelled' }).isVisible()).toBe(true);
    expect((await page.goto(meeting.host_url))?.status()).toBe(410);
    expect(await page.getByRole('heading', { name: 'This meeting was cancelled' }).isVisible()).toBe(true);
    expect(unexpected(complaints)).toEqual([]);
  });

  it('G12 asks for the consent to the recording and keeps the answer, and another one later', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const { meeting, joinUrl } = await createMeeting(world, { recording: 'on_consent' });
    const { page, complaints } = await visit();
    await page.goto(joinUrl);
    expect(await consentOf(world, meeting.id)).toBe('missing');

    await page.getByRole('button', { name: 'Yes, you may record' }).click();
    await page.getByText('You agreed to the recording.').waitFor();
    expect(await consentOf(world, meeting.id)).toBe('granted');
    expect(page.url()).toBe(joinUrl);

    await page.getByRole('button', { name: 'No, please do not record' }).click();
    await page.getByText('You said no.').waitFor();
    expect(await consentOf(world, meeting.id)).toBe('refused');
    expect(unexpected(complaints)).toEqual([]);
  });

  it('G10 takes the wish to keep the camera off, and takes it back', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const { meeting, joinUrl } = await createMeeting(world);
    await purchase(world, meeting);
    const { page, complaints } = await visit(SMALLEST);
    await page.goto(joinUrl);
    await page.getByRole('button', { name: 'Keep my camera off' }).click();
    await page.getByRole('heading', { name: 'Your camera stays off' }).waitFor();
    expect(page.url()).toBe(joinUrl);
    await page.getByRole('button', { name: 'Use my camera after all' }).click();
    await page.getByRole('heading', { name: 'Would you rather not be seen?' }).waitFor();
    expect(await page.evaluate(overflowing)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it.each([true, false])('G20 F06 files a report of either side, with JavaScript %s', async (javaScriptEnabled) => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const { meeting, joinUrl } = await createMeeting(world);
    await purchase(world, meeting);
    for (const url of [joinUrl, meeting.host_url]) {
      const { page, complaints } = await visit({ ...SMALLEST, javaScriptEnabled });
      await page.goto(url);
      await page.getByText('Report a problem').click();
      await page.getByLabel('What is it about?').selectOption('Safety or fraud');
      await page.getByLabel('What happened?').fill('Zwei Zeilen.\nЖалоба <b>');
      expect(await page.evaluate(overflowing)).toEqual([]);
      await page.getByRole('button', { name: 'Send the report' }).click();
      await page.getByRole('heading', { name: 'Thank you, your report has arrived' }).waitFor();
      expect(page.url()).toBe(`${url}?report=sent#report`);
      expect(complaints).toEqual([]);
    }
    const { read } = world.gateway.gateway.db;
    expect(await read.select().from(read.t.incidents)).toMatchObject([
      { side: 'customer', kind: 'safety', text: 'Zwei Zeilen.\nЖалоба <b>' },
      { side: 'professional', kind: 'safety', text: 'Zwei Zeilen.\nЖалоба <b>' },
    ]);
  });

  it('C03 hands out the calendar file, which leads back to this page', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const { meeting, joinUrl } = await createMeeting(world);
    await purchase(world, meeting);
    const { page } = await visit({ acceptDownloads: true });
    await page.goto(joinUrl);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Add to your calendar' }).click()]);
    expect(download.suggestedFilename()).toBe('meeting.ics');
    const file = (await readFile(await download.path(), 'utf8')).replaceAll(/\r\n[ \t]/g, '');
    expect(file).toContain(`URL;VALUE=URI:${joinUrl}\r\n`);
  });

  it('cannot be shown in a frame, and sends its address nowhere', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const { joinUrl } = await createMeeting(world);
    const { page } = await visit();
    await page.goto(`${world.sandbox.url}/nowhere`);
    await page.setContent(`<iframe src="${joinUrl}"></iframe>`);
    await expect.poll(() => page.frames().some((frame) => frame.url().startsWith('chrome-error:'))).toBe(true);
    await page.goto(joinUrl);
    expect(await page.evaluate(() => fetch('/problems/conflict').then(() => document.referrer))).toBe('');
    const guide = page.getByRole('link', { name: 'How to join with Zoom' });
    expect(await guide.getAttribute('rel')).toBe('noreferrer noopener');
  });

  it("speaks the customer's language, else the one of the browser", async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const { joinUrl: bulgarian } = await createMeeting(world, { attendees: [{ customer_id: 'cus_1', locale: 'bg' }] });
    const { joinUrl: unknown } = await createMeeting(world, {
      booking: { id: 'bk_2', kind: 'one_to_one', title: 'Tax consultation' },
      attendees: [{ customer_id: 'cus_1' }],
    });
    const { page } = await visit({ locale: 'ru-RU' });
    await page.goto(bulgarian);
    expect(await page.locator('html').getAttribute('lang')).toBe('bg');
    await page.goto(unknown);
    expect(await page.locator('html').getAttribute('lang')).toBe('ru');
  });

  it('lets the professional start the meeting from the host page, and shows who comes', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const { meeting } = await createMeeting(world, { recording: 'on_consent' });
    await purchase(world, meeting);
    const { page, complaints } = await visit();
    const arrivals = await catchDepartures(page);
    expect((await page.goto(meeting.host_url))?.status()).toBe(200);
    expect(await page.locator('.people').innerText()).toMatch(/Ada\s+Recording: no answer yet/);
    await page.getByRole('button', { name: 'Start in Zoom' }).click();
    await page.getByText('Arrived at the vendor').waitFor();
    // The host's link carries his right to start; the customers' one does not.
    expect(arrivals[0]?.url).toMatch(/^https:\/\/[a-z0-9]+\.zoom\.us\/s\/\d+\?.*zak=/);
    expect(complaints).toEqual([]);
  });
});

async function connections(world: World): Promise<Record<string, unknown>[]> {
  return (await world.api('GET', '/v1/connections?professional_id=pro_1')).json['data'] as Record<string, unknown>[];
}

interface CreatedMeeting {
  readonly id: string;
  readonly host_url: string;
  readonly link: { readonly provider_join_url: string };
  readonly attendees: readonly { readonly join_url: string; readonly recording_consent: string }[];
}

async function createMeeting(world: World, changes: Record<string, unknown> = {}): Promise<{ meeting: CreatedMeeting; joinUrl: string }> {
  const created = await world.api('POST', '/v1/meetings', meetingBody(world, changes));
  expect(created.status, created.text).toBe(201);
  const meeting = created.json as unknown as CreatedMeeting;
  return { meeting, joinUrl: meeting.attendees[0]!.join_url };
}

async function purchase(world: World, { id }: CreatedMeeting): Promise<void> {
  expect((await world.api('POST', `/v1/meetings/${id}/purchases`, { customer_id: 'cus_1' })).status).toBe(201);
}

async function consentOf(world: World, id: string): Promise<string | undefined> {
  return ((await world.api('GET', `/v1/meetings/${id}`)).json as unknown as CreatedMeeting).attendees[0]?.recording_consent;
}

const inFuture = (world: World, ms: number): string => new Date(world.now().getTime() + ms).toISOString();
