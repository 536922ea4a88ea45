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

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const LOOKS = (['light', 'dark'] as const).flatMap((colorScheme) => [320, 1100].map((width) => ({ colorScheme, width })));
/** Those that measure colours and places. */
const RULES_OF_LOOKS = ['color-contrast', 'link-in-text-block', 'target-size', 'css-orientation-lock', 'scrollable-region-focusable'];
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
  // A page looks for its own news as well: it finds itself, and stays.
  app.get('*', async (c) => c.html((await shown) ?? '', 200, pageHeaders({ secure: false })));
  server = await new Promise<ServerType>((resolve) => {
    const starting = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(starting));
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => server.close());

describe('every page', { timeout: 900_000 }, () => {
  it('breaks no rule of WCAG 2.2 A and AA, in light and dark colours, on the smallest telephone and on a wide screen', async () => {
    const { page } = await visit({ reducedMotion: 'reduce' });
    let judged = 0;
    for (const [name, html] of everyPage('en')) {
      const found: string[] = [];
      for (const [index, { colorScheme, width }] of LOOKS.entries()) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        if (index === 0) await open(page, html);
        // The other rules read the document, which is the same in every look.
        found.push(...(await judge(page, index === 0 ? {} : { only: RULES_OF_LOOKS })));
      }
      expect(found, name).toEqual([]);
      judged += 1;
    }
    expect(judged).toBeGreaterThan(60);
  });

  it.each(['de', 'ru', 'bg'] as const)('breaks none in %s either', async (language: Language) => {
    const { page } = await visit({ viewport: { width: 320, height: 800 } });
    const chosen = [...everyPage(language)].filter(([name]) =>
      /^(connect|join-open|host-open|host-uploads|call-callee|call-caller|recording-published|evidence|message-404)-\d/.test(name),
    );
    expect(chosen.length).toBeGreaterThan(4);
    for (const [name, html] of chosen) expect(await violationsOf(page, html), name).toEqual([]);
  });

  it('breaks none on the pages for developers', async () => {
    const world = await testWorld();
    const { page } = await visit();
    for (const path of ['/problems/limit_exceeded', '/docs']) {
      await page.goto(`${world.publicUrl}${path}`);
      await page.evaluate(axe);
      for (const [index, { colorScheme, width }] of LOOKS.entries()) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        expect(await judge(page, index === 0 ? {} : { only: RULES_OF_LOOKS }), path).toEqual([]);
      }
    }
  });

  it('would notice a page that breaks one', async () => {
    const { page } = await visit();
    shown = views.joinPage(join('en'));
    await page.goto(url);
    await page.evaluate(axe);
    await page.evaluate(() => {
      document.documentElement.removeAttribute('lang');
      document.querySelector('.button')!.textContent = '';
      document.querySelector('label[for="report-text"]')!.remove();
      document.querySelector('details#report')!.setAttribute('open', '');
    });
    expect(new Set((await judge(page)).map((violation) => violation.split(':')[0]))).toEqual(
      new Set(['button-name', 'html-has-lang', 'label']),
    );
  });
});

async function violationsOf(page: Page, html: views.Html): Promise<string[]> {
  await open(page, html);
  return judge(page);
}

async function open(page: Page, html: views.Html): Promise<void> {
  shown = html;
  await page.goto(url);
  // By the protocol of the browser, to which the content security policy of the page does not apply.
  await page.evaluate(axe);
  // What can be folded out is part of the page.
  await page.evaluate(() => document.querySelectorAll('details').forEach((element) => element.setAttribute('open', '')));
}

async function judge(page: Page, { only }: { only?: readonly string[] } = {}): Promise<string[]> {
  const runOnly = only === undefined ? { type: 'tag', values: TAGS } : { type: 'rule', values: only };
  const { violations, passes } = await page.evaluate(
    (options) =>
      (globalThis as unknown as { axe: { run: (node: Document, options: object) => Promise<AxeResults> } }).axe.run(document, options),
    { runOnly, resultTypes: ['violations'] },
  );
  expect(passes.length).toBeGreaterThan(only === undefined ? 5 : 0);
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
}
