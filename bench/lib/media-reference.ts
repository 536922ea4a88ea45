/**
 * What streaming and opening a link are compared with, as a program:
 *   `pipe <port>`  a bare pipe of `node:http` from the vendor's port to whoever asks, or
 *   `route`        a route of Hono that answers a page of the usual size, without a database.
 */
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';

const [kind, option] = process.argv.slice(2);
const server = kind === 'pipe' ? pipe(Number(option)) : createAdaptorServer({ fetch: route(Number(option)).fetch });
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));

function pipe(port: number) {
  return createServer((_, response) => {
    get({ port, host: '127.0.0.1', path: '/rec/download/1' }, (upstream) => {
      response.writeHead(upstream.statusCode!, { 'content-type': 'video/mp4', 'content-length': upstream.headers['content-length'] });
      upstream.pipe(response);
    });
  });
}

function route(bytes: number): Hono {
  const page = 'x'.repeat(bytes);
  return new Hono().get('/r/:token', (c) => c.html(page));
}
