/** In front of every page that a token opens: what other sites send is refused, and whoever guesses tokens is slowed down. */
import type { HttpBindings } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import ipaddr from 'ipaddr.js';
import { Failure } from '../../domain/failure.ts';
import { MINUTE } from '../../domain/time.ts';
import type { Gateway } from '../../gateway.ts';

/** A person who copies a link wrongly needs a few. */
const MOST_MISSES = 30;
const WINDOW_MS = MINUTE;
/** Addresses that are remembered; beyond that the oldest is forgotten. */
const MOST_ADDRESSES = 10_000;

/**
 * After 30 unknown tokens in a minute, unknown tokens from that address are answered with 429. Known ones go on working: behind a proxy
 * all customers have one address, and a stranger must not be able to shut them out. What keeps tokens safe is their 256 bits.
 */
export function guard(gateway: Gateway): MiddlewareHandler {
  const { config, now } = gateway;
  const origin = new URL(config.publicUrl).origin;
  const misses = createMisses();
  return async (c, next) => {
    // Of redirects, too: their address may carry a token.
    c.header('cache-control', 'no-store');
    c.header('referrer-policy', 'no-referrer');
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD' && isForeign(c, origin))
      throw new Failure('forbidden', 'The form was sent by another site.');
    await next();
    if (!isMiss(c)) return;
    const wait = misses.note(addressOf(c), now());
    if (wait !== undefined) throw new Failure('rate_limited', 'Too many unknown links.', { retryAfterMs: wait });
  };
}

/** A connect link that never was looks like one that is over. */
const isMiss = ({ req, res }: Context): boolean => res.status === 404 || (res.status === 410 && req.path.startsWith('/connect/'));

/**
 * Whether a browser says that another site sent the form. A browser that says nothing is too old for `Sec-Fetch-Site`; `Origin: null` says
 * nothing either, for our own pages send it, too (`no-referrer`). Without the token nobody can send anything, and no cookie stands in for it.
 */
function isForeign({ req }: Context, own: string): boolean {
  const site = req.header('sec-fetch-site');
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const origin = req.header('origin');
  return origin !== undefined && origin !== 'null' && origin !== own;
}

/** The address of the connection. `X-Forwarded-For` is what the client likes to say. Of IPv6 the network: one customer has all of it. */
function addressOf(c: Context): string {
  const address = (c.env as Partial<HttpBindings> | undefined)?.incoming?.socket.remoteAddress;
  if (address === undefined || !ipaddr.isValid(address)) return 'unknown';
  const parsed = ipaddr.process(address);
  return parsed.kind() === 'ipv6' ? parsed.toNormalizedString().split(':').slice(0, 4).join(':') : parsed.toString();
}

/** How many times an address missed, within a minute from its first miss. */
function createMisses() {
  const known = new Map<string, { count: number; until: number }>();
  return {
    /** How long to wait, in milliseconds, once there were too many. */
    note(address: string, at: Date): number | undefined {
      const time = at.getTime();
      const entry = known.get(address);
      if (entry !== undefined && entry.until > time) {
        entry.count += 1;
        return entry.count > MOST_MISSES ? entry.until - time : undefined;
      }
      known.delete(address);
      if (known.size >= MOST_ADDRESSES) known.delete(known.keys().next().value!);
      known.set(address, { count: 1, until: time + WINDOW_MS });
      return undefined;
    },
  };
}
