/** A whole world for tests: gateway, sandbox and receiver over real HTTP, on a clock that stands still until it is moved. */
import { onTestFinished } from 'vitest';
import { createBrowser, location } from '../../demo/clients.ts';
import { addHost } from '../../src/connections/platform.ts';
import type { Connection } from '../../src/store/connections.ts';
import { createWorld, type World, type WorldOptions } from '../../demo/world.ts';
import { mustBeCatalogued } from './catalogue.ts';
import { createFile } from './databases.ts';

export type Vendor = 'zoom' | 'microsoft-teams' | 'google-meet';

/** The sandbox's users that can do everything. */
export const USERS: Readonly<Record<Vendor, string>> = {
  zoom: 'ada@zoom.sandbox.example',
  'microsoft-teams': 'ada@microsoft.sandbox.example',
  'google-meet': 'ada@google.sandbox.example',
};

/**
 * Closed when the test is over. The marketplace's receiver is registered for all events, and each has to be what the catalogue says, unless
 * the test makes up its own (`madeUp`).
 */
export async function testWorld({ madeUp = false, ...options }: Partial<WorldOptions> & { madeUp?: boolean } = {}): Promise<World> {
  const database = options.databaseUrl === undefined ? await createFile() : undefined;
  const databaseUrl = options.databaseUrl ?? `file:${database!.url}`;
  const world = await createWorld({ logLevel: 'silent', operator: 'direct', clock: 'standing', ...options, databaseUrl });
  onTestFinished(async () => {
    await world.close();
    await database?.remove();
    if (!madeUp) mustBeCatalogued(world.receiver.events);
  });
  const endpoint = await world.api('POST', '/v1/webhook-endpoints', { url: world.receiver.url });
  world.receiver.secret = String(endpoint.json['secret']);
  return world;
}

/** Connects a sandbox user through the connect page and the vendor's consent; the connection's id. */
export async function connect(
  world: Pick<World, 'api'>,
  vendor: Vendor,
  { professionalId = 'pro_1', user = USERS[vendor], recordings = true } = {},
): Promise<string> {
  const session = await world.api('POST', '/v1/connect-sessions', { professional_id: professionalId, providers: [vendor] });
  const url = String(session.json['url']);
  const browser = createBrowser();
  await browser(url);
  const away = await browser(`${url}/${vendor}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: recordings ? 'recordings=yes' : '',
  });
  const authorize = new URL(location(away));
  authorize.searchParams.set('sandbox_user', user);
  authorize.searchParams.set('sandbox_decision', 'allow');
  const back = await browser(location(await browser(authorize.href)));
  const id = new URL(location(back), url).searchParams.get('connection_id');
  if (id === null) throw new Error(`The connection failed: ${location(back)}`);
  return id;
}

/** Enough for the rules of every preset (F03). */
export const ELIGIBLE = { client_program: 'pro' } as const;

/** A body for `POST /v1/meetings`: one customer, in ten minutes, half an hour. */
export function meetingBody(world: Pick<World, 'now'>, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    booking: { id: 'bk_1', kind: 'one_to_one', title: 'Tax consultation' },
    professional_id: 'pro_1',
    attendees: [{ customer_id: 'cus_1', name: 'Ada', locale: 'en' }],
    starts_at: new Date(world.now().getTime() + 600_000).toISOString(),
    duration_minutes: 30,
    time_zone: 'Europe/Berlin',
    facts: ELIGIBLE,
    ...changes,
  };
}

/** The sandbox's user in the operator's own account. */
export const HOST = 'host@zoom.sandbox.example';

/** Puts a host of the operator's account into the marketplace's pool, as the command line does. */
export const addPlatformHost = ({ gateway, marketplaceId }: World, host = HOST, provider: Vendor = 'zoom'): Promise<Connection> =>
  addHost(gateway.gateway, { marketplaceId, provider, host });
