/** What the tests of whole flows in the browser share. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import type { World } from '../../demo/world.ts';
import { openBrowser, openPage, type WatchedPage } from '../support/browser.ts';
import type { Vendor } from '../support/world.ts';

export const NAMES: Readonly<Record<Vendor, string>> = { zoom: 'Zoom', 'microsoft-teams': 'Microsoft Teams', 'google-meet': 'Google Meet' };
export const VENDORS = Object.keys(NAMES) as Vendor[];
export const SMALLEST = { viewport: { width: 320, height: 640 } };

export type Visit = (options?: BrowserContextOptions) => Promise<WatchedPage>;

/** One browser for the file; every visit has cookies of its own and ends with its test. */
export function useBrowser(): Visit {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());
  return async (options) => {
    const watched = await openPage(browser, { locale: 'en-US', timezoneId: 'Europe/Berlin', ...options });
    onTestFinished(() => watched.context.close());
    return watched;
  };
}

/** Without what Chromium says about every answer that is not a success, and about a video of which it has read enough. */
export const unexpected = (complaints: readonly string[]): string[] =>
  complaints.filter(
    (complaint) => !/^Failed to load resource: .* status of (402|403|404|410) |\/media(\?\S*)?: net::ERR_ABORTED$/.test(complaint),
  );

export async function connectUrl(world: World, request: Record<string, unknown> = {}): Promise<string> {
  const session = await world.api('POST', '/v1/connect-sessions', { professional_id: 'pro_1', ...request });
  return String(session.json['url']);
}

export const card = (page: Page, vendor: Vendor) => page.getByRole('region', { name: NAMES[vendor] });

/** From the connect page to the vendor's question. */
export async function toConsent(page: Page, world: World, vendor: Vendor, button = `Connect ${NAMES[vendor]}`): Promise<void> {
  await card(page, vendor).getByRole('button', { name: button }).click();
  await page.getByRole('button', { name: 'Allow' }).waitFor();
  expect(new URL(page.url()).origin).toBe(world.sandbox.url);
}

/** Runs in the page: elements that stick out of the window at the right. */
export function overflowing(): string[] {
  if (document.documentElement.scrollWidth > innerWidth) return ['the page itself'];
  return [...document.querySelectorAll('body *')]
    .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
    .map((element) => element.outerHTML.slice(0, 120));
}

export interface Departure {
  readonly method: string;
  readonly url: string;
  readonly referrer: string | undefined;
}

/**
 * Answers in the vendors' place: nothing leaves the machine. By the protocol of the browser itself, because Playwright's
 * routes do not see where a redirect leads.
 */
export async function catchDepartures(page: Page): Promise<readonly Departure[]> {
  const departures: Departure[] = [];
  const session = await page.context().newCDPSession(page);
  session.on('Fetch.requestPaused', ({ requestId, request }) => {
    const referrer = Object.entries(request.headers).find(([name]) => name.toLowerCase() === 'referer')?.[1];
    departures.push({ method: request.method, url: request.url, referrer });
    const body = Buffer.from('<!doctype html><link rel="icon" href="data:,"><title>Vendor</title>Arrived at the vendor').toString('base64');
    void session.send('Fetch.fulfillRequest', {
      requestId,
      responseCode: 200,
      responseHeaders: [{ name: 'content-type', value: 'text/html' }],
      body,
    });
  });
  await session.send('Fetch.enable', { patterns: [{ urlPattern: 'https://*' }] });
  return departures;
}
