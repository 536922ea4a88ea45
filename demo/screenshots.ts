/** `npm run screenshots`: the pages for people as pictures for the README, made from a whole world that runs against the sandbox. */
import { mkdir, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { openBrowser } from './browser.ts';
import { CASTS, check, expect, playStory } from './story.ts';
import { createWorld } from './world.ts';

const FOLDER = fileURLToPath(new URL('../docs/images/', import.meta.url));
/** So that the README loads quickly. */
const MOST_BYTES = 85_000;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const world = await createWorld({ logLevel: 'silent', operator: 'direct', clock: 'standing' });
const browser = await openBrowser();
try {
  // Whoever looks at the pictures shall see an afternoon.
  world.jump(DAY + 13 * 60 * MINUTE + 20 * MINUTE - (world.now().getTime() % DAY));
  await mkdir(FOLDER, { recursive: true });
  const endpoint = await world.api('POST', '/v1/webhook-endpoints', { url: world.receiver.url });
  world.receiver.secret = String(endpoint.json['secret']);
  const cast = CASTS.find(({ provider }) => provider === 'zoom')!;
  const { link } = await playStory(world, cast, () => {});

  const created = await world.api('POST', '/v1/meetings', {
    booking: { id: 'bk_pictures', kind: 'one_to_one', title: 'Tax consultation with Grace' },
    professional_id: 'pro_zoom',
    attendees: [{ customer_id: 'cus_pictures', name: 'Ada', locale: 'en', camera_off: true }],
    provider: 'zoom',
    starts_at: new Date(world.now().getTime() + 10 * MINUTE).toISOString(),
    duration_minutes: 40,
    time_zone: 'Europe/Sofia',
    recording: 'on_consent',
  });
  expect(created, 201);
  const meeting = created.json as { id: string; host_url: string; attendees: { join_url: string }[] };
  expect(await world.api('POST', `/v1/meetings/${meeting.id}/purchases`, { customer_id: 'cus_pictures' }), 201);
  const session = await world.api('POST', '/v1/connect-sessions', { professional_id: 'pro_zoom' });
  expect(session, 201);

  await take('connect-page', String(session.json['url']), { height: 928 });
  await take('join-page', meeting.attendees[0]!.join_url, { height: 830 });
  await take('host-page', meeting.host_url, { height: 652 });
  await take('recording-page', link, { height: 704, ready: showFrame });
} finally {
  await browser.close();
  await world.close();
}

interface Shot {
  /** Where the picture ends, in pixels: between two parts of the page. */
  readonly height: number;
  readonly ready?: (page: Page) => Promise<void>;
}

async function take(name: string, url: string, { height, ready = async () => {} }: Shot): Promise<void> {
  const context = await browser.newContext({
    viewport: { width: 640, height },
    colorScheme: 'light',
    locale: 'en-US',
    timezoneId: 'America/New_York',
  });
  const page = await context.newPage();
  await page.goto(url);
  await ready(page);
  const path = `${FOLDER}${name}.png`;
  await page.screenshot({ path });
  await context.close();
  const { size } = await stat(path);
  check(size <= MOST_BYTES, `${name}.png has at most ${MOST_BYTES} bytes: ${size}`);
  console.log(`${name}.png  ${Math.round(size / 1_000)} kB`);
}

/** A frame from the middle of the video. */
async function showFrame(page: Page): Promise<void> {
  await page.evaluate(
    () =>
      new Promise((resolve) => {
        const video = document.querySelector('video')!;
        video.addEventListener('seeked', () => requestAnimationFrame(resolve), { once: true });
        video.currentTime = 6;
      }),
  );
  // The wheel of the player's own controls goes away a moment later, and nothing tells when.
  await page.waitForTimeout(1_500);
}
