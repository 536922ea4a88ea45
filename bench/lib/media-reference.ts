/**
 * What streaming and opening a link are compared with, as a program:
 *   `pipe <port>`  a bare pipe of `node:http` from the vendor's port to whoever asks, or
 *   `route <url>`  a route of Hono that has read what is at the URL once, and answers the same page with the same headers, without a database.
 */
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';

/** Set by the server itself, for each answer. */
const OF_THE_CONNECTION = new Set(['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding']);

const [kind, option] = process.argv.slice(2);
const server = kind === 'pipe' ? pipe(Number(option)) : createAdaptorServer({ fetch: (await route(option!)).fetch });
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));

function pipe(port: number) {
  return createServer((_, response) => {
    get({ port, host: '127.0.0.1', path: '/rec/download/1' }, (upstream) => {
      response.writeHead(upstream.statusCode!, { 'content-type': 'video/mp4', 'content-length': upstream.headers['content-length'] });
      upstream.pipe(response);
    });
  });
}

async function route(url: string): Promise<Hono> {
  const answer = await fetch(url);
  const page = await answer.text();
  const headers = Object.fromEntries([...answer.headers].filter(([name]) => !OF_THE_CONNECTION.has(name)));
  return new Hono().get('/r/:token', (c) => c.html(page, 200, headers));
}
