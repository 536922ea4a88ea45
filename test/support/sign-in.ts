/** The steps of a sign-in, one by one: from the connect page to the vendor and back. */
import { createBrowser, location, type Browser } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { must } from './gateway.ts';
import type { Vendor } from './world.ts';

export interface Visit {
  readonly browser: Browser;
  readonly url: string;
  /** Where the vendor would be asked. */
  readonly authorize: URL;
}

export async function begin(world: World, vendor: Vendor, session: Record<string, unknown> = {}, recordings = true): Promise<Visit> {
  const made = must(await world.api('POST', '/v1/connect-sessions', { professional_id: 'pro_1', providers: [vendor], ...session }), 201);
  const url = String(made.json['url']);
  const browser = createBrowser();
  must(await browser(url), 200);
  return { browser, url, authorize: await leave(browser, url, vendor, recordings) };
}

export async function leave(browser: Browser, url: string, vendor: Vendor, recordings = true, connectionId?: string): Promise<URL> {
  const form = { ...(recordings ? { recordings: 'yes' } : {}), ...(connectionId === undefined ? {} : { connection: connectionId }) };
  return new URL(location(must(await submit(browser, `${url}/${vendor}`, form), 303)));
}

/** A form of a page, sent as a browser sends it. */
export const submit = (browser: Browser, url: string, form: Record<string, string> = {}) =>
  browser(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  });

/** The vendor's consent; the address of our callback. */
export async function consent({ browser, authorize }: Visit, user: string, decision = 'allow', scopes?: string): Promise<string> {
  const url = new URL(authorize);
  url.searchParams.set('sandbox_user', user);
  url.searchParams.set('sandbox_decision', decision);
  if (scopes !== undefined) url.searchParams.set('sandbox_scopes', scopes);
  return location(await browser(url.href));
}

/** What the gateway's redirect says.  */
export const queryOf = (answer: { headers: Headers }, url: string): Record<string, string> =>
  Object.fromEntries(new URL(answer.headers.get('location') ?? '', url).searchParams);
