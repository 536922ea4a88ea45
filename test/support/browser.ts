/** The browser of the tests, and a page in it that remembers what the browser complained about. */
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';

export { openBrowser } from '../../demo/browser.ts';

export interface WatchedPage {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the browser complained about: script errors, console errors, violations of the content security policy, failed requests. */
  readonly complaints: string[];
}

/** A page in a context of its own that remembers every complaint of the browser. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('requestfailed', (request) => {
    const error = request.failure()?.errorText;
    // Leaving a page ends its stream, and a look at itself that is under way; the browser has no other word for that.
    const isOwn = request.url().endsWith('/live') || request.resourceType() === 'fetch';
    if (!(isOwn && error === 'net::ERR_ABORTED')) complaints.push(`${request.url()}: ${error}`);
  });
  return { context, page, complaints };
}
