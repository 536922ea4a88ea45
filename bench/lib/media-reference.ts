/**
 * What streaming and opening a link are compared with, as a program:
 *   `pipe <port>`  a bare pipe of `node:http` from the vendor's port to whoever asks, or
 *   `page <bytes>` a route of Hono that renders the page of a recording of that size for each request, of data that it has: no database, and
 *                  nothing else that the gateway does on the way, or
 *   `text <url>`   one that has read what is at the URL once, and answers the same text with the same headers.
 */
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { APPS } from '../../providers/approved.ts';
import type { Config } from '../../src/config.ts';
import { PRESETS } from '../../src/domain/presets/index.ts';
import { DAY, HOUR, plus } from '../../src/domain/time.ts';
import { sendPage } from '../../src/http/pages/page.ts';
import { recordingPage } from '../../src/http/pages/views/index.ts';

/** Set by the server itself, for each answer. */
const OF_THE_CONNECTION = new Set(['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding']);

const [kind, option] = process.argv.slice(2);
const routes = { page: renderedPage, text: constantText };
const server =
  kind === 'pipe' ? pipe(Number(option)) : createAdaptorServer({ fetch: (await routes[kind as keyof typeof routes](option!)).fetch });
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));

function pipe(port: number) {
  return createServer((_, response) => {
    get({ port, host: '127.0.0.1', path: '/rec/download/1' }, (upstream) => {
      response.writeHead(upstream.statusCode!, { 'content-type': 'video/mp4', 'content-length': upstream.headers['content-length'] });
      upstream.pipe(response);
    });
  });
}

function renderedPage(bytes: string): Hono {
  const at = new Date();
  const known = {
    language: 'en' as const,
    marketplace: 'Bench',
    title: 'Bench',
    app: { id: 'zoom', name: APPS.zoom.name },
    recordedAt: plus(at, -HOUR),
    timeZone: 'UTC',
    source: 'provider' as const,
    uses: PRESETS.guide.recording.uses,
    access: null,
    state: {
      kind: 'published' as const,
      expiresAt: plus(at, 13 * DAY),
      files: [{ id: '0', kind: 'video' as const, bytes: Number(bytes), streamable: true }],
      passcode: null,
    },
  };
  const config = { publicUrl: 'http://127.0.0.1' } as Config;
  return new Hono().get('/r/:token', (c) =>
    sendPage(c, { config }, recordingPage({ ...known, now: new Date(), token: c.req.param('token') })),
  );
}

async function constantText(url: string): Promise<Hono> {
  const answer = await fetch(url);
  const page = await answer.text();
  const headers = Object.fromEntries([...answer.headers].filter(([name]) => !OF_THE_CONNECTION.has(name)));
  return new Hono().get('/r/:token', (c) => c.html(page, 200, headers));
}
