/** Somebody at a page in a real browser, as the stories of the marketplaces want them. */
import type { Locator, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import type { Invite } from '../../demo/person.ts';
import { catchDepartures, unexpected, type Visit } from '../browser/support.ts';

/**
 * Vendors are never reached: whoever leaves for one sees a page in its place. The browser may complain about nothing but a page that was
 * overtaken: what somebody does and the news of it lead to the next page at the same moment.
 */
export function personInBrowser(visit: Visit): Invite {
  return async (locale = 'en-US') => {
    const { page, complaints } = await visit({ locale });
    await catchDepartures(page);
    onTestFinished(() => expect(unexpected(complaints).filter((complaint) => !complaint.endsWith('net::ERR_ABORTED'))).toEqual([]));
    return {
      open: (url) => go(page, url),
      place: () => page.url(),
      async press(button, fields = {}) {
        const pressed = page.getByRole('button', { name: button, exact: true, includeHidden: true });
        await unfold(pressed);
        const form = page.locator('form').filter({ has: pressed });
        for (const [name, value] of Object.entries(fields)) await fill(form, name, value);
        // The answer to a form is always a page, here or at the vendor.
        const arrived = page.waitForEvent('framenavigated', (frame) => frame === page.mainFrame());
        await pressed.click();
        await arrived;
        await page.waitForLoadState();
      },
      async sees(words) {
        await expect.poll(() => readable(page.locator('main')), { timeout: 10_000 }).toContain(words);
      },
    };
  };
}

const MOST_TRIES = 5;
/** What Chromium says of a page that was overtaken, before and after the server has answered. */
const OVERTAKEN = /interrupted by another navigation|net::ERR_ABORTED/;

/** Again where the page that is left was going on by itself at this moment, once it has arrived there. */
async function go(page: Page, url: string, tries = 1): Promise<void> {
  try {
    await page.goto(url);
  } catch (error) {
    if (tries === MOST_TRIES || !OVERTAKEN.test(String(error))) throw error;
    await page.waitForLoadState();
    await go(page, url, tries + 1);
  }
}

/** Opens what hides it, by its own summary. */
async function unfold(hidden: Locator): Promise<void> {
  const closed = hidden.page().locator('details:not([open])').filter({ has: hidden });
  if ((await closed.count()) > 0) await closed.locator('summary').click();
}

async function fill(form: Locator, name: string, value: string): Promise<void> {
  const field = form.locator(`[name="${name}"]`);
  const kind = await field.first().evaluate((element) => element.getAttribute('type') ?? element.tagName);
  if (kind === 'radio' || kind === 'checkbox') await form.locator(`[name="${name}"][value="${value}"]`).check();
  else if (kind === 'SELECT') await field.selectOption(value);
  else await field.fill(value);
}

/** As the eye reads it, in one line. A page that is just being replaced has no words. */
const readable = (main: Locator): Promise<string> =>
  main.innerText({ timeout: 1_000 }).then(
    (text) => text.replaceAll(/\s+/g, ' '),
    () => '',
  );
