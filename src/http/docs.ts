/** The description of the API, for programs at `/openapi.json` and for people at `/docs`. */
import { Hono } from 'hono';
import type { Gateway } from '../gateway.ts';
import { sendPage } from './pages/page.ts';
import { docsPage } from './pages/views/index.ts';

/** Made at the first request: most processes are never asked. */
export const docsRoutes = (gateway: Gateway, describe: () => object) => {
  let document: object | undefined;
  const described = (): object => (document ??= describe());
  return new Hono()
    .get('/openapi.json', (c) => c.json(described()))
    .get('/docs', (c) => sendPage(c, gateway, docsPage({ now: gateway.now(), document: described() })));
};
