import { describe, expect, it } from 'vitest';
import { FAILURE_CODES, failureTitle } from '../../src/domain/failure.ts';
import { testWorld } from '../support/world.ts';
import { connectUrl, overflowing, SMALLEST, toConsent, unexpected, useBrowser, VENDORS } from './support.ts';

const visit = useBrowser();

describe('pages for those who write programs', { timeout: 60_000 }, () => {
  it('shows every call of the API at /docs, without anything from elsewhere or scrolling sideways at 320 pixels', async () => {
    const world = await testWorld();
    const { page, complaints } = await visit(SMALLEST);
    const origins = new Set<string>();
    page.on('request', (request) => origins.add(new URL(request.url()).origin));
    await page.goto(`${world.publicUrl}/docs`);
    await page.evaluate(() => document.querySelectorAll('details').forEach((element) => (element.open = true)));
    expect(await page.evaluate(overflowing)).toEqual([]);

    const { paths, webhooks } = (await world.api('GET', '/openapi.json')).json as Record<
      'paths' | 'webhooks',
      Record<string, Record<string, unknown>>
    >;
    const calls = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const told = page.locator('[aria-labelledby="events"]');
    expect((await told.locator('summary code:first-child').allInnerTexts()).toSorted()).toEqual(Object.keys(webhooks).toSorted());
    const shown = await page.locator('[aria-labelledby]:not([aria-labelledby="events"]) summary').evaluateAll((all) =>
      all.map((one) =>
        [...one.children]
          .slice(0, 2)
          .map((part) => part.textContent)
          .join(' '),
      ),
    );
    expect(shown.toSorted()).toEqual(calls.toSorted());
    expect(
      await page.evaluate(() =>
        [...document.querySelectorAll<HTMLAnchorElement>('a[href^="#"]')]
          .filter(({ hash }) => document.getElementById(hash.slice(1)) === null)
          .map(({ hash }) => hash),
      ),
    ).toEqual([]);
    expect(complaints).toEqual([]);
    expect([...origins].filter((origin) => origin !== 'null')).toEqual([world.publicUrl]);

    const links = await page.locator('a:not([href^="#"])').evaluateAll((all) => all.map((one) => one.getAttribute('href') ?? ''));
    expect(links).toContain('/openapi.json');
    for (const link of links) expect((await page.request.get(new URL(link, world.publicUrl).href)).status(), link).toBe(200);
  });

  it('explains every problem under its address', async () => {
    const world = await testWorld();
    const { page, complaints } = await visit(SMALLEST);
    for (const code of FAILURE_CODES) {
      await page.goto(`${world.publicUrl}/problems/${code}`);
      expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe(failureTitle(code));
      expect(await page.evaluate(overflowing), code).toEqual([]);
    }
    expect(complaints).toEqual([]);
  });

  it.each(['/j/nothing', '/h/nothing', '/r/nothing', '/r/nothing/media', '/problems/nothing', '/oauth/nothing/callback'])(
    'shows a page at %s, where there is nothing',
    async (path) => {
      const world = await testWorld();
      const { page, complaints } = await visit(SMALLEST);
      expect((await page.goto(`${world.publicUrl}${path}`))?.status()).toBe(404);
      expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('There is nothing here');
      expect(await page.evaluate(overflowing)).toEqual([]);
      expect(unexpected(complaints)).toEqual([]);
    },
  );

  it("shows the sandbox's own pages without scrolling sideways at 320 pixels", async () => {
    const world = await testWorld();
    const { page, complaints } = await visit(SMALLEST);
    await page.goto(world.sandbox.url);
    expect(await page.evaluate(overflowing)).toEqual([]);
    const url = await connectUrl(world);
    for (const vendor of VENDORS) {
      await page.goto(url);
      await toConsent(page, world, vendor);
      expect(await page.evaluate(overflowing), vendor).toEqual([]);
    }
    expect(complaints).toEqual([]);
  });
});
