import { Hono } from 'hono';
import { Failure, isFailureCode } from '../../domain/failure.ts';
import type { Gateway } from '../../gateway.ts';
import { assetHeaders } from './headers.ts';
import { sendPage } from './page.ts';
import { assets, problemPage } from './views/index.ts';

/** `/problems/<code>`, where the `type` of every problem leads, and the files of all pages. */
export const problemRoutes = (gateway: Gateway) => {
  const routes = new Hono().get('/problems/:code', (c) => {
    const code = c.req.param('code');
    if (!isFailureCode(code)) throw new Failure('not_found', 'There is no such problem.');
    return sendPage(c, gateway, problemPage({ code, now: gateway.now() }));
  });
  for (const { path, contentType, body } of assets) routes.get(path, (c) => c.body(body, 200, assetHeaders(contentType)));
  return routes;
};
