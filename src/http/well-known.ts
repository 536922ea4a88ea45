/** What strangers may know: the keys by which certificates are verified. */
import { Hono } from 'hono';
import { publicKeys } from '../evidence/signing.ts';
import type { Gateway } from '../gateway.ts';

export const wellKnownRoutes = (gateway: Gateway) =>
  new Hono().get('/.well-known/jwks.json', async (c) =>
    c.body(JSON.stringify(await publicKeys(gateway)), 200, {
      'content-type': 'application/jwk-set+json',
      // A key that is new is needed at once by whoever was just given its first signature.
      'cache-control': 'public, max-age=60',
    }),
  );
