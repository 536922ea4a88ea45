/** Gateway and sandbox in this process, a meeting that the gateway knows at each vendor, and deliveries signed as the vendors sign them. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, vi } from 'vitest';
import type { World, WorldOptions } from '../../demo/world.ts';
import { signClientState } from '../../providers/microsoft-teams/client-state.ts';
import { atVendor } from '../../src/connections/account.ts';
import { findConnection, findSubscriptionOf, type Connection } from '../../src/store/connections.ts';
import type { InboxEntry } from '../../src/store/inbox.ts';
import { findMeeting, type Meeting } from '../../src/store/meetings.ts';
import { GOOGLE_KEY, pushToken, type Signing } from '../providers/google-meet.options.ts';
import { withState } from '../providers/microsoft-teams/options.ts';
import { signZoom } from '../providers/zoom-vendor.ts';
import { eventually } from '../support/gateway.ts';
import { connect, meetingBody, testWorld, type Vendor } from '../support/world.ts';

export const VENDORS: readonly Vendor[] = ['zoom', 'microsoft-teams', 'google-meet'];
export const PUSHER = 'push@sandbox.iam.gserviceaccount.com';

/** The sandbox answers and never speaks by itself. Google's keys are ours, so that the test can sign. */
export async function webhookWorld(options: Partial<WorldOptions> = {}): Promise<World> {
  const keys = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [GOOGLE_KEY.jwk] }));
  });
  await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        keys.close(() => resolve());
        keys.closeAllConnections();
      }),
  );
  const { environment, ...rest } = options;
  const jwks = `http://127.0.0.1:${(keys.address() as AddressInfo).port}/certs`;
  const world = await testWorld({ environment: { GOOGLE_JWKS_URL: jwks, ...environment }, ...rest });
  await world.sandbox.sandbox.configureWebhooks({ zoom: null, google: null });
  return world;
}

export interface Known {
  readonly vendor: Vendor;
  readonly connection: Connection;
  /** Of the vendor's event feed; the empty string at Zoom, which has none per account. */
  readonly subscriptionId: string;
  readonly meeting: Meeting;
  readonly joinUrl: string;
}

/** A connected account with a bought, consented meeting. The vendor itself stays silent: its subscription is taken away behind the gateway's back. */
export async function knownMeeting(world: World, vendor: Vendor): Promise<Known> {
  const { gateway } = world.gateway;
  const professionalId = `pro_${vendor}`;
  const connectionId = await connect(world, vendor, { professionalId });
  const connection = (await findConnection(gateway.db.read, connectionId))!;
  const subscriptions = gateway.providers.get(vendor)!.subscriptions;
  let subscriptionId = '';
  if (subscriptions !== undefined) {
    const made = await eventually('its events are subscribed to', () => findSubscriptionOf(gateway.db.read, connectionId));
    subscriptionId = made.vendorId;
    await atVendor(gateway, connection, (_, account) => subscriptions.remove(account, subscriptionId));
  }
  return { vendor, connection, subscriptionId, ...(await bookMeeting(world, vendor)) };
}

/** One more meeting of the same professional. */
export async function bookMeeting(world: World, vendor: Vendor, booking = 'bk_1'): Promise<Pick<Known, 'meeting' | 'joinUrl'>> {
  const body = meetingBody(world, {
    booking: { id: booking, kind: 'one_to_one', title: 'Tax consultation' },
    professional_id: `pro_${vendor}`,
    provider: vendor,
    recording: 'on_consent',
  });
  const created = await world.api('POST', '/v1/meetings', body);
  expect(created.status, created.text).toBe(201);
  const { id, link } = created.json as { id: string; link: { provider_join_url: string } };
  expect((await world.api('POST', `/v1/meetings/${id}/purchases`, { customer_id: 'cus_1' })).status).toBe(201);
  const consent = { decision: 'granted', locale: 'en', text_version: '1' };
  expect((await world.api('PUT', `/v1/meetings/${id}/attendees/cus_1/recording-consent`, consent)).status).toBe(200);
  return { meeting: await meetingNow(world, id), joinUrl: link.provider_join_url };
}

export const meetingNow = async (world: World, id: string): Promise<Meeting> => (await findMeeting(world.gateway.gateway.db.read, id))!;

/** A body with its proof: Microsoft's is inside, the others' are headers. */
export interface Signed {
  readonly bytes: Buffer;
  readonly headers: Record<string, string>;
}

export async function sign(world: World, { vendor, connection }: Pick<Known, 'vendor' | 'connection'>, bytes: Buffer): Promise<Signed> {
  switch (vendor) {
    case 'zoom':
      return { bytes, headers: signZoom(world.zoomWebhookSecret, bytes, world.now()) };
    case 'microsoft-teams':
      return { bytes: withState(bytes, clientState(world, connection.accountId)), headers: {} };
    case 'google-meet':
      return { bytes, headers: { authorization: `Bearer ${await googleToken(world)}` } };
  }
}

export const clientState = (world: World, accountId: string): string =>
  signClientState(world.gateway.gateway.vault.derive('microsoft-client-state'), accountId);

export const googleToken = (world: World, claims: Record<string, unknown> = {}, key: Signing = GOOGLE_KEY): Promise<string> =>
  pushToken(world.now(), { aud: `${world.publicUrl}/webhooks/google-meet`, email: PUSHER, ...claims }, key);

export async function post(world: World, vendor: Vendor, { bytes, headers }: Signed, path = ''): Promise<Response> {
  return fetch(`${world.publicUrl}/webhooks/${vendor}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: new Uint8Array(bytes),
  });
}

/** Signs and delivers, and waits until it has been looked at. */
export async function deliver(world: World, known: Pick<Known, 'vendor' | 'connection'>, bytes: Buffer, path = ''): Promise<number> {
  const answer = await post(world, known.vendor, await sign(world, known, bytes), path);
  await answer.arrayBuffer();
  await lookedAt(world);
  return answer.status;
}

/** What is in the inbox; of a body only whether it is there. */
export async function inbox({ gateway }: World): Promise<(Omit<InboxEntry, 'bodySealed'> & { body: 'kept' | null })[]> {
  const { read } = gateway.gateway.db;
  return (await read.select().from(read.t.inbox)).map(({ bodySealed, ...entry }) => ({
    ...entry,
    body: bodySealed === null ? null : 'kept',
  }));
}

/** Nothing in the inbox is under way or has never been tried. The clock stands, so what waits for a later moment waits. */
export async function lookedAt(world: World): Promise<void> {
  await vi.waitFor(
    async () => {
      world.gateway.gateway.wake();
      const at = world.now();
      const open = (await inbox(world)).filter(
        ({ state, dueAt, leasedUntil }) => state === 'pending' && (dueAt <= at || leasedUntil !== null),
      );
      expect(open).toEqual([]);
    },
    { timeout: 10_000, interval: 20 },
  );
}

/** The events written for the marketplace about a subject, as `type` lists. */
export async function toldAbout({ gateway }: World, subjectId: string): Promise<string[]> {
  const { read } = gateway.gateway.db;
  const rows = await read.select().from(read.t.events);
  return rows
    .filter(({ subjectId: subject, data }) => subject === subjectId || data['meeting_id'] === subjectId)
    .map(({ type }) => type)
    .filter((type) => !['meeting.created', 'meeting.purchased', 'meeting.link_locked'].includes(type))
    .toSorted();
}
