import type { AddressInfo } from 'node:net';
import { serve, type ServerType } from '@hono/node-server';
import { Hono } from 'hono';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { assetHeaders, pageHeaders } from '../../src/http/pages/headers.ts';
import { LANGUAGES } from '../../src/http/pages/texts/index.ts';
import * as views from '../../src/http/pages/views/index.ts';
import { openBrowser, openPage, type WatchedPage } from '../support/browser.ts';
import { everyPage, join, JOIN_STATES, live, NOW, recording, RECORDING_STATES } from '../support/pages.ts';

const SMALLEST = { viewport: { width: 320, height: 640 } };
let browser: Browser;
let site: Site;
/** Another origin, in the role of a vendor. */
let vendor: Site;
let opened: WatchedPage[] = [];

beforeAll(async () => {
  [browser, site, vendor] = await Promise.all([openBrowser(), startSite(), startSite()]);
});
afterEach(async () => {
  await Promise.all(opened.map(({ context }) => context.close()));
  opened = [];
});
afterAll(async () => {
  await browser.close();
  site.server.close();
  vendor.server.close();
});

describe('every page', () => {
  it.each(LANGUAGES)(
    'is shown in %s without complaints of the browser, requests to elsewhere or scrolling sideways at 320 pixels',
    { timeout: 180_000 },
    async (language) => {
      const { page, complaints } = await visit(SMALLEST);
      const origins = new Set<string>();
      page.on('request', (request) => origins.add(new URL(request.url()).origin));
      for (const [name, html] of everyPage(language)) {
        site.show(html);
        await page.goto(site.url);
        expect(await page.evaluate(overflowing), name).toEqual([]);
      }
      expect(complaints).toEqual([]);
      // `null` is the origin of the icon, which is a data: URL.
      expect([...origins].filter((origin) => origin !== 'null')).toEqual([new URL(site.url).origin]);
    },
  );
});

describe('countdown', () => {
  it('counts down by the clock of the server, however wrong the clock of the device is', async () => {
    site.show(views.joinPage(join('en', { state: { kind: 'too_early', opensAt: new Date('2026-12-01T10:30:10Z') } })));
    const { page } = await visit();
    await page.clock.install({ time: new Date('2031-05-05T05:05:05Z') });
    await page.goto(site.url);
    const shown = page.locator('.countdown time');
    await page.clock.pauseAt(new Date('2031-05-05T05:05:10Z'));
    expect(await shown.textContent()).toMatch(/^1:30:0[5-9]$/);
    const before = seconds(await shown.textContent());
    await page.clock.runFor(60_000);
    expect(seconds(await shown.textContent())).toBe(before - 60);
  });

  it('asks the server again when the time has come, once', async () => {
    site.show(views.joinPage(join('en', { state: { kind: 'too_early', opensAt: new Date(NOW.getTime() + 30_000) } })));
    const { page } = await visit();
    await page.clock.install({ time: NOW });
    await page.goto(site.url);
    site.show(views.joinPage(join('en', { now: new Date(NOW.getTime() + 32_000) })));
    const visits = site.visits();
    await page.clock.runFor(32_000);
    await page.getByRole('button', { name: 'Join with Google Meet' }).waitFor();
    expect(site.visits() - visits).toBe(1);
  });

  it('shows whole days while there are more than two of them', async () => {
    site.show(views.recordingPage(recording('ru', { state: RECORDING_STATES[0]! })));
    const { page } = await visit();
    await page.clock.install({ time: NOW });
    await page.goto(site.url);
    const shown = page.locator('[data-until]');
    expect(await shown.textContent()).toBe('3 дня');
    await page.clock.fastForward('24:00:00');
    await page.clock.runFor(1_000);
    expect(await shown.textContent()).toBe('2 дня');
  });
});

describe('join page', () => {
  it('shows the time in the zone of the device without moving anything', async () => {
    for (const [timezoneId, expected] of [
      ['America/New_York', /^On your device: Dec 1, 2026, 5:00\s–\s5:50\sAM$/],
      ['Europe/Berlin', /^This is also the time zone of your device\.$/],
    ] as const) {
      for (const viewport of [SMALLEST.viewport, { width: 1000, height: 800 }]) {
        site.show(views.joinPage(join('en')));
        const { page } = await visit({ timezoneId, viewport });
        await page.goto(site.url);
        expect(await page.locator('.local').textContent()).toMatch(expected);
        const filled = await page.locator('.local').evaluate((element) => element.getBoundingClientRect().height);
        await page.locator('.local').evaluate((element) => element.replaceChildren());
        expect(await page.locator('.local').evaluate((element) => element.getBoundingClientRect().height)).toBe(filled);
      }
    }
  });

  it('T11 R06 keeps the line of the running meeting fresh without loading the page again', async () => {
    site.show(views.joinPage(join('en')));
    const { page, complaints } = await visit();
    await page.clock.install({ time: NOW });
    await page.goto(site.url);
    await page.evaluate(() => document.body.setAttribute('data-same-page', 'yes'));
    expect(await page.getByText('Running for').count()).toBe(0);
    site.show(views.joinPage(join('en', { live, version: 'v2' })));
    site.tell('v2');
    await page.getByText('Your professional lost the connection').waitFor();
    expect(await page.locator('[data-same-page=yes] #live').innerText()).toContain('24.50 €');
    expect(complaints).toEqual([]);
  });

  it('is joined by keyboard alone, and every control shows where the focus is', async () => {
    site.show(views.joinPage(join('en', { recording: { kind: 'consent', decision: 'missing', required: false } })));
    const { page } = await visit();
    await page.goto(site.url);
    const stops: string[] = [];
    for (let presses = 0; presses < 20 && stops.at(-1) !== 'Join with Google Meet'; presses++) {
      await page.keyboard.press('Tab');
      stops.push(await page.evaluate(() => document.activeElement?.textContent?.trim() ?? ''));
      expect(await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle)).toBe('solid');
    }
    expect(stops).toEqual(['Skip to the content', 'Yes, you may record', 'No, please do not record', 'Join with Google Meet']);
    site.redirectTo(`${site.url}arrived`);
    await page.keyboard.press('Enter');
    await page.waitForURL(`${site.url}arrived`);
    expect(site.posts().at(-1)).toBe('/j/jt_secret/join ');
  });

  it('G12 sends the answer with the version of the words and the language', async () => {
    site.show(views.joinPage(join('de', { recording: { kind: 'consent', decision: 'missing', required: true } })));
    const { page } = await visit();
    await page.goto(site.url);
    site.redirectTo(site.url);
    await Promise.all([page.waitForURL(site.url), page.getByRole('button', { name: 'Ja, es darf aufgezeichnet werden' }).click()]);
    await expect
      .poll(() => site.posts().at(-1))
      .toBe(`/j/jt_secret/consent text_version=${views.consentText('de').version}&locale=de&decision=granted`);
  });

  it('lets the form lead to the named vendor', async () => {
    const { page, complaints } = await visit();
    site.show(views.joinPage(join('en')), [new URL(vendor.url).origin]);
    vendor.show(views.messagePage({ language: 'en', now: NOW, marketplace: null, title: 'Vendor', text: 'Here it is.', reference: null }));
    await page.goto(site.url);
    site.redirectTo(vendor.url);
    await page.getByRole('button', { name: /Join/ }).click();
    await page.getByRole('heading', { name: 'Vendor' }).waitFor();
    expect(page.url()).toBe(vendor.url);
    expect(complaints).toEqual([]);
  });

  it('does not let the form lead anywhere else', async () => {
    const { page, complaints } = await visit();
    site.show(views.joinPage(join('en')));
    await page.goto(site.url);
    site.redirectTo(vendor.url);
    await page.getByRole('button', { name: /Join/ }).click();
    await expect.poll(() => complaints.join()).toContain('form-action');
    expect(page.url()).not.toContain(new URL(vendor.url).host);
  });

  it('works without JavaScript', async () => {
    const { page } = await visit({ javaScriptEnabled: false });
    site.show(views.joinPage(join('en', { state: JOIN_STATES[3]! })));
    await page.goto(site.url);
    expect(await page.locator('.countdown').innerText()).toContain('45:00');
    site.show(views.joinPage(join('en')));
    await page.goto(site.url);
    site.redirectTo(`${site.url}joined`);
    await page.getByRole('button', { name: /Join/ }).click();
    await page.waitForURL(`${site.url}joined`);
    expect(site.posts().at(-1)).toBe('/j/jt_secret/join ');
  });
});

interface Site {
  readonly url: string;
  readonly server: ServerType;
  /** What every GET answers from now on. */
  show(html: views.Html, formTargets?: readonly string[]): void;
  /** Tells every page that listens that there is another version of it. */
  tell(version: string): void;
  /** Where every POST leads from now on. */
  redirectTo(url: string): void;
  visits(): number;
  posts(): readonly string[];
}

async function startSite(): Promise<Site> {
  let shown: { html: views.Html; headers: Record<string, string> } | undefined;
  let target = '/';
  let visits = 0;
  const posts: string[] = [];
  const streams = new Set<ReadableStreamDefaultController<string>>();
  const app = new Hono();
  for (const { path, body, contentType } of views.assets) app.get(path, (c) => c.body(body, 200, assetHeaders(contentType)));
  app.get('/r/:token/media', (c) => c.body(null, 204));
  app.get('/:side{[chj]}/:token/live', (c) => {
    let own: ReadableStreamDefaultController<string>;
    const stream = new ReadableStream<string>({
      start: (controller) => {
        own = controller;
        streams.add(own);
        controller.enqueue('retry: 1000\n\n');
      },
      cancel: () => void streams.delete(own),
    });
    return c.body(stream.pipeThrough(new TextEncoderStream()), 200, { 'content-type': 'text/event-stream' });
  });
  app.get('*', async (c) => {
    // The page itself may look for news before its stream is open; that is no load of the page.
    if (c.req.header('sec-fetch-mode') !== 'cors') visits++;
    return shown === undefined ? c.notFound() : c.html(await shown.html, 200, shown.headers);
  });
  app.post('*', async (c) => {
    posts.push(`${c.req.path} ${await c.req.text()}`);
    return c.redirect(target, 303);
  });
  const server = await new Promise<ServerType>((resolve) => {
    const starting = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(starting));
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    server,
    show: (html, formTargets = []) => {
      shown = { html, headers: pageHeaders({ secure: false, formTargets }) };
    },
    tell: (version) => {
      for (const stream of streams) stream.enqueue(`event: state\ndata: ${JSON.stringify({ version, now: NOW.toISOString() })}\n\n`);
    },
    redirectTo: (url) => {
      target = url;
    },
    visits: () => visits,
    posts: () => posts,
  };
}

async function visit(options?: BrowserContextOptions): Promise<WatchedPage & { page: Page }> {
  const watched = await openPage(browser, { timezoneId: 'Europe/Berlin', ...options });
  opened.push(watched);
  return watched;
}

const seconds = (clock: string | null): number => (clock ?? '').split(':').reduce((sum, part) => sum * 60 + Number(part), 0);

/** Runs in the page: elements that stick out of the window at the right. */
function overflowing(): string[] {
  if (document.documentElement.scrollWidth > innerWidth) return ['the page itself'];
  return [...document.querySelectorAll('body *')]
    .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
    .map((element) => element.outerHTML.slice(0, 120));
}
