import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { CASTS, playStory } from '../../demo/story.ts';
import { DAY } from '../../src/domain/time.ts';
import { testWorld } from '../support/world.ts';
import { overflowing, SMALLEST, unexpected, useBrowser } from './support.ts';

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
  it.each(CASTS.filter(({ provider }) => provider !== 'microsoft-teams'))('jumps to any place of the video of $app', async (cast) => {
    const world = await testWorld();
    const { link } = await playStory(world, cast, () => {});
    const { page } = await visit();
    const media = new Set<number>();
    page.on('response', (response) => {
      if (response.url() === `${link}/media`) media.add(response.status());
    });
    await page.goto(link);
    await play(page);
    const reached = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          const element = document.querySelector('video')!;
          element.addEventListener('seeked', () => resolve(element.currentTime), { once: true });
          element.currentTime = 9;
        }),
    );
    expect(reached).toBeGreaterThanOrEqual(9);
    expect([...media]).toEqual([206]);
  });

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
