/** Every page in every state, judged by axe-core against WCAG 2.2 A and AA. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { AxeResults } from 'axe-core';
import { serve, type ServerType } from '@hono/node-server';
import { Hono } from 'hono';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assetHeaders, pageHeaders } from '../../src/http/pages/headers.ts';
import type { Language } from '../../src/http/pages/texts/index.ts';
import * as views from '../../src/http/pages/views/index.ts';
import { everyPage, join } from '../support/pages.ts';
import { testWorld } from '../support/world.ts';
import { useBrowser } from './support.ts';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const visit = useBrowser();
let axe: string;
let shown: views.Html | undefined;
let server: ServerType;
let url: string;

beforeAll(async () => {
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  const app = new Hono();
  for (const { path, body, contentType } of views.assets) app.get(path, (c) => c.body(body, 200, assetHeaders(contentType)));
  app.get('/r/:token/media', (c) => c.body(null, 204));
  app.get('/', async (c) => c.html((await shown) ?? '', 200, pageHeaders({ secure: false })));
  server = await new Promise<ServerType>((resolve) => {
    const starting = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(starting));
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => server.close());

describe('every page', { timeout: 240_000 }, () => {
  it('breaks no rule of WCAG 2.2 A and AA, in light and dark colours, on the smallest telephone and on a wide screen', async () => {
    const kinds = (['light', 'dark'] as const).flatMap((colorScheme) => [320, 1100].map((width) => ({ colorScheme, width })));
    const pages = await Promise.all(
      kinds.map(({ colorScheme, width }) => visit({ colorScheme, viewport: { width, height: 800 }, reducedMotion: 'reduce' })),
    );
    let judged = 0;
    for (const [name, html] of everyPage('en')) {
      const found = await Promise.all(pages.map(({ page }) => violationsOf(page, html)));
      for (const [index, violations] of found.entries()) {
        expect(violations, `${name} ${JSON.stringify(kinds[index])}`).toEqual([]);
        judged += 1;
      }
    }
    expect(judged).toBeGreaterThan(240);
  });

  it.each(['de', 'ru', 'bg'] as const)('breaks none in %s either', async (language: Language) => {
    const { page } = await visit({ viewport: { width: 320, height: 800 } });
    for (const [name, html] of everyPage(language)) {
      if (/^(connect|join-open|host-open|recording-published|message-404)-\d/.test(name))
        expect(await violationsOf(page, html), name).toEqual([]);
    }
  });

  it('breaks none on the pages for developers', async () => {
    const world = await testWorld();
    for (const viewport of [
      { width: 320, height: 800 },
      { width: 1100, height: 800 },
    ]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        const { page } = await visit({ viewport, colorScheme });
        await page.goto(`${world.publicUrl}/problems/limit_exceeded`);
        expect(await judge(page)).toEqual([]);
        await page.goto(`${world.publicUrl}/docs`);
        expect(await judge(page)).toEqual([]);
      }
    }
  });

  it('would notice a page that breaks one', async () => {
    const { page } = await visit();
    shown = views.joinPage(join('en'));
    await page.goto(url);
    await page.evaluate(() => {
      document.documentElement.removeAttribute('lang');
      document.querySelector('.button')!.textContent = '';
      document.querySelector('label[for="report-text"]')!.remove();
      document.querySelector('details#report')!.setAttribute('open', '');
    });
    expect((await judge(page)).map((violation) => violation.split(':')[0]).toSorted()).toEqual(['button-name', 'html-has-lang', 'label']);
  });
});

async function violationsOf(page: Page, html: views.Html): Promise<string[]> {
  shown = html;
  await page.goto(url);
  // What can be folded out is part of the page.
  await page.evaluate(() => document.querySelectorAll('details').forEach((element) => element.setAttribute('open', '')));
  return judge(page);
}

/** By the protocol of the browser, to which the content security policy of the page does not apply. */
async function judge(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations, passes } = await page.evaluate(
    (values) =>
      (globalThis as unknown as { axe: { run: (node: Document, options: object) => Promise<AxeResults> } }).axe.run(document, {
        runOnly: { type: 'tag', values },
        resultTypes: ['violations'],
      }),
    RULES,
  );
  expect(passes.length).toBeGreaterThan(5);
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
}
