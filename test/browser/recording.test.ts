import type { Page } from 'playwright-core';
import { describe, expect, it, vi } from 'vitest';
import { CASTS, playStory } from '../../demo/story.ts';
import type { World } from '../../demo/world.ts';
import { tokensContext } from '../../src/connections/sealed.ts';
import { DAY } from '../../src/domain/time.ts';
import { boughtMeeting, vendorState } from '../support/gateway.ts';
import { connect, testWorld, type Vendor } from '../support/world.ts';
import { catchDepartures, overflowing, SMALLEST, unexpected, useBrowser } from './support.ts';

const visit = useBrowser();

describe('recording page', { timeout: 90_000 }, () => {
  it.each(CASTS)('G15 plays the video of $app until the link ends after 14 days', async (cast) => {
    const world = await testWorld();
    const { link, recordingId } = await playStory(world, cast, () => {});
    const { page, complaints } = await visit({ acceptDownloads: true });
    const media: number[] = [];
    page.on('response', (response) => {
      if (response.url() === `${link}/media`) media.push(response.status());
    });
    await page.goto(link);
    await page.waitForFunction(() => document.querySelector('video')!.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA);
    expect(await video(page)).toMatchObject({ duration: 12, videoWidth: 160, videoHeight: 96, error: null });
    await play(page);
    await page.waitForFunction(() => document.querySelector('video')!.currentTime > 0.2);
    expect(media.length).toBeGreaterThan(0);
    expect(media.every((status) => status === 200 || status === 206)).toBe(true);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download: Video' }).click()]);
    expect(download.suggestedFilename()).toBe('video.mp4');
    expect(await download.failure()).toBeNull();
    expect(unexpected(complaints)).toEqual([]);

    world.jump(14 * DAY);
    expect((await page.reload())?.status()).toBe(410);
    expect(await page.getByRole('heading', { name: 'The recording is no longer available' }).isVisible()).toBe(true);
    expect(await page.locator('video').count()).toBe(0);
    await world.receiver.waitFor(
      'recording.expired',
      ({ type, data }) => type === 'recording.expired' && data['recording_id'] === recordingId,
    );
    expect((await page.reload())?.status()).toBe(410);
    expect(await page.getByRole('heading', { name: 'The recording is no longer available' }).isVisible()).toBe(true);
    expect((await page.goto(`${link}/media?download=1`))?.status()).toBe(410);
    expect(unexpected(complaints)).toEqual([]);
  });

  // Graph documents no ranges: what comes from there may have to be played from the start.
  it.each(CASTS.filter(({ provider }) => provider !== 'microsoft-teams'))(
    'G15 plays on from any place of the video of $app, shows nothing of the vendor meanwhile, and is gone afterwards',
    async (cast) => {
      const world = await testWorld();
      const { link, recordingId } = await playStory(world, cast, () => {});
      const { page, complaints } = await visit({ ...SMALLEST, colorScheme: 'dark' });
      const heard: { url: string; status: number; words: string; range: string | undefined }[] = [];
      page.on('response', async (response) => {
        const request = response.request();
        const headers = JSON.stringify([await request.allHeaders(), await response.allHeaders()]);
        heard.push({
          url: response.url(),
          status: response.status(),
          words: `${response.url()} ${headers}`,
          range: (await request.allHeaders())['range'],
        });
      });
      await page.goto(link);
      await play(page);
      await page.waitForFunction(() => document.querySelector('video')!.currentTime > 0.2);
      const reached = await page.evaluate(
        () =>
          new Promise<number>((resolve) => {
            const element = document.querySelector('video')!;
            element.addEventListener('seeked', () => resolve(element.currentTime), { once: true });
            element.currentTime = 9;
          }),
      );
      expect(reached).toBeGreaterThanOrEqual(9);
      await page.waitForFunction((from) => document.querySelector('video')!.currentTime > from + 0.3, reached);
      expect(await page.evaluate(() => document.querySelector('video')!.paused)).toBe(false);

      const media = await vi.waitFor(() => {
        const found = heard.filter(({ url }) => url === `${link}/media`);
        expect(found.length).toBeGreaterThan(0);
        return found;
      });
      expect(media.every(({ status, range }) => status === 206 && range?.startsWith('bytes='))).toBe(true);
      const seen = [await page.content(), ...heard.map(({ words }) => words)].join('\n');
      for (const secret of [world.sandbox.url, new URL(world.sandbox.url).host, ...(await secretsOf(world, cast.provider))])
        expect(seen).not.toContain(secret);
      expect(seen).not.toMatch(/access_token|download_url|download_token|Bearer|zoom\.us|googleapis/i);
      expect(unexpected(complaints)).toEqual([]);

      expect(await recordingOf(world, recordingId)).toMatchObject({ links: [{ views: expect.any(Number) }] });
      world.jump(14 * DAY);
      expect((await page.reload())?.status()).toBe(410);
      expect((await page.goto(`${link}/media`))?.status()).toBe(410);
    },
  );

  it('G17 says that the link was taken back', async () => {
    const world = await testWorld();
    const { link, recordingId } = await playStory(world, CASTS[0]!, () => {});
    const { page, complaints } = await visit(SMALLEST);
    expect((await page.goto(link))?.status()).toBe(200);
    expect(await page.evaluate(overflowing)).toEqual([]);
    expect((await world.api('POST', `/v1/recordings/${recordingId}/revoke`, { customer_id: 'cus_zoom' })).status).toBe(200);
    expect((await page.reload())?.status()).toBe(410);
    expect(await page.getByRole('heading', { name: 'The recording was withdrawn' }).isVisible()).toBe(true);
    expect(await page.locator('video, a').count()).toBe(1); // the way to the content, for keyboards
    expect(unexpected(complaints)).toEqual([]);
  });

  it('F08 says to an operator on whose account it is open, and plays', async () => {
    const world = await testWorld();
    const { meetingId, recordingId } = await playStory(world, CASTS[0]!, () => {});
    const { db, now } = world.gateway.gateway;
    const incident = { id: 'inc_1', marketplaceId: world.marketplaceId, meetingId, side: 'customer', reporterId: 'cus_zoom', kind: null };
    await db.write((tx) => tx.insert(tx.t.incidents).values({ ...incident, text: 'He shouted', state: 'open', at: now() }));
    const access = await world.api('POST', `/v1/recordings/${recordingId}/access`, { incident_id: 'inc_1', reason: 'He shouted' });
    const { page, complaints } = await visit(SMALLEST);
    await page.goto(String(access.json['url']));
    expect(await page.getByRole('heading', { name: 'You look into a reported meeting' }).isVisible()).toBe(true);
    expect(await page.evaluate(overflowing)).toEqual([]);
    await play(page);
    await page.waitForFunction(() => document.querySelector('video')!.currentTime > 0.2);
    expect(unexpected(complaints)).toEqual([]);
  });
});

describe('uploaded links', { timeout: 90_000 }, () => {
  const STORAGE = 'https://us02web.zoom.us/rec/share/abc';

  it.each(['light', 'dark'] as const)(
    'G16 are shared by the host page, followed by the customer, and taken back, in %s colours',
    async (colorScheme) => {
      const world = await testWorld();
      await connect(world, 'zoom');
      const meeting = await boughtMeeting(world, { provider: 'zoom' });
      world.jump(15 * 60_000);
      const host = await visit({ ...SMALLEST, colorScheme });
      await host.page.goto(meeting.host_url);
      await host.page.getByText('Share a video or file').click();
      await host.page.getByLabel('Title').fill('Exercises of the week, with a very long name that goes on and on');
      await host.page.getByLabel('Link', { exact: true }).fill('https://example.org/video');
      await host.page.getByLabel('Passcode, if the link needs one').fill('pAss!w0rd-7');
      expect(await host.page.evaluate(overflowing)).toEqual([]);
      await host.page.getByRole('button', { name: 'Share the link' }).click();
      await host.page.getByText('The link was not shared').waitFor();
      expect(await host.page.getByLabel('Passcode, if the link needs one').inputValue()).toBe('pAss!w0rd-7');
      await host.page.getByLabel('Link', { exact: true }).fill(STORAGE);
      await host.page.getByRole('button', { name: 'Share the link' }).click();
      await host.page.getByText('The link is shared').waitFor();
      expect(await host.page.evaluate(overflowing)).toEqual([]);

      const event = await world.receiver.waitFor('recording.published', ({ type }) => type === 'recording.published');
      const link = (event.data['links'] as { url: string }[])[0]!.url;
      const customer = await visit({ ...SMALLEST, colorScheme });
      const arrivals = await catchDepartures(customer.page);
      await customer.page.goto(link);
      expect(await customer.page.locator('code').textContent()).toBe('pAss!w0rd-7');
      expect(await customer.page.evaluate(overflowing)).toEqual([]);
      expect(await customer.page.content()).not.toContain('us02web');
      await customer.page.getByRole('link', { name: /^Open at the provider/ }).click();
      await customer.page.getByText('Arrived at the vendor').waitFor();
      expect(arrivals).toEqual([{ method: 'GET', url: STORAGE, referrer: undefined }]);
      await world.receiver.waitFor('recording.viewed', ({ type }) => type === 'recording.viewed');

      await host.page.getByRole('button', { name: /^Take back/ }).click();
      await host.page.getByText('The link is taken back').waitFor();
      expect((await customer.page.goto(link))?.status()).toBe(410);
      expect(await customer.page.getByRole('heading', { name: 'The recording was withdrawn' }).isVisible()).toBe(true);
      expect(unexpected([...host.complaints, ...customer.complaints]).filter((complaint) => !/status of 422 /.test(complaint))).toEqual([]);
    },
  );
});

const play = (page: Page): Promise<void> =>
  page.evaluate(async () => {
    const element = document.querySelector('video')!;
    element.muted = true;
    await element.play();
  });

/** Runs in the page: what the player knows about the video. */
const video = (page: Page) =>
  page.evaluate(() => {
    const { duration, videoWidth, videoHeight, error } = document.querySelector('video')!;
    return { duration, videoWidth, videoHeight, error: error?.message ?? null };
  });

const recordingOf = async ({ api }: World, id: string) => (await api('GET', `/v1/recordings/${id}`)).json;

/** The vendor's ids of the recording and its files, and the tokens of the account. */
async function secretsOf(world: World, vendor: Vendor): Promise<string[]> {
  const found: string[] = [];
  const collect = (value: unknown, name = ''): void => {
    if (typeof value === 'string' && value.length >= 6 && /^(id|uuid|fileId|passcode|password|downloadUrl|shareUrl)$/.test(name))
      found.push(value);
    else if (typeof value === 'object' && value !== null) Object.entries(value).forEach(([key, one]) => collect(one, key));
  };
  const { recordings, records } = (await vendorState(world, vendor)) as Record<string, unknown>;
  collect(recordings);
  collect(records);
  expect(found.length).toBeGreaterThan(0);
  const { db, vault } = world.gateway.gateway;
  for (const { id, tokensSealed } of await db.read.select().from(db.read.t.grants)) {
    if (tokensSealed === null) continue;
    const tokens = JSON.parse(vault.open(tokensSealed, tokensContext(id))) as Record<string, unknown>;
    found.push(...[tokens['accessToken'], tokens['refreshToken']].filter((token) => typeof token === 'string'));
  }
  return found;
}
