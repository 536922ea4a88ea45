/** By what a page knows a browser again: a secret of its own in a cookie that no script reads. */
import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { newToken } from '../../domain/token.ts';
import type { Gateway } from '../../gateway.ts';

/** `seconds`: how long it lives after the last page that kept it alive. */
export interface BrowserCookie {
  readonly name: string;
  readonly seconds: number;
}

const isSecure = ({ config }: Gateway): boolean => config.publicUrl.startsWith('https:');
const nameOf = (gateway: Gateway, { name }: BrowserCookie): string => (isSecure(gateway) ? `__Host-${name}` : name);

/** What the browser sent; undefined for a browser that has none, and for what is none of ours. */
export function sentSecret(c: Context, gateway: Gateway, cookie: BrowserCookie): string | undefined {
  const known = getCookie(c, nameOf(gateway, cookie));
  return known !== undefined && /^[A-Za-z0-9_-]{43}$/.test(known) ? known : undefined;
}

/** Made on the browser's first page and kept alive by each one. */
export function browserSecret(c: Context, gateway: Gateway, cookie: BrowserCookie): string {
  const secret = sentSecret(c, gateway, cookie) ?? newToken(gateway.random);
  setCookie(c, nameOf(gateway, cookie), secret, {
    httpOnly: true,
    sameSite: 'Lax',
    path: '/',
    secure: isSecure(gateway),
    maxAge: cookie.seconds,
  });
  return secret;
}
