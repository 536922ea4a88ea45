/** What tests of the running gateway share: waiting for a condition, the vendors' side, a look past the API. */
import { onTestFinished } from 'vitest';
import { createApi, visit, type Answer, type Api } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import type { PresetName } from '../../src/domain/presets/index.ts';
import { createMarketplace } from '../../src/marketplaces/manage.ts';
import { serveGateway } from '../../src/server.ts';
import type { Fault, LoggedRequest } from '../../sandbox/traffic.ts';
import type { Engine } from './databases.ts';
import { meetingBody, type Vendor } from './world.ts';

export const VENDORS: readonly Vendor[] = ['zoom', 'microsoft-teams', 'google-meet'];
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const PATIENCE_MS = 12_000;
const LOOK_EVERY_MS = 15;

/** Looks again and again until `probe` gives something; fails when it never does. */
export async function eventually<T>(what: string, probe: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`It did not happen within ${PATIENCE_MS / 1_000} s: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, LOOK_EVERY_MS);
    });
  }
}

/** Until nothing that is due waits any more: no job, no vendor delivery, no event. */
export function settled({ gateway, now }: World): Promise<true> {
  const { db } = gateway.gateway;
  return eventually('all due work is done', async () => {
    const at = now();
    const jobs = await db.read.select().from(db.read.t.jobs);
    const inbox = await db.read.select().from(db.read.t.inbox);
    const deliveries = await db.read.select().from(db.read.t.deliveries);
    return (
      jobs.every(({ dueAt, deadAt }) => deadAt !== null || dueAt > at) &&
      inbox.every(({ state, dueAt }) => state !== 'pending' || dueAt > at) &&
      deliveries.every(({ state, dueAt }) => state !== 'pending' || dueAt > at)
    );
  });
}

/** The `DATABASE_URL` of a new database. */
export async function databaseOf(engine: Engine): Promise<string> {
  const url = await engine.createUrl();
  return engine.dialect === 'sqlite' ? `file:${url}` : url;
}

/** Another marketplace on the same gateway. */
export async function otherMarketplace(world: World, preset: PresetName = 'guide'): Promise<{ id: string; apiKey: string; api: Api }> {
  const { marketplace, apiKey } = await createMarketplace(world.gateway.gateway, { name: 'Other', preset, returnUrls: [] });
  return { id: marketplace.id, apiKey, api: createApi(world.publicUrl, apiKey) };
}

/** Overrides single values of the marketplace's policy. */
export async function setPolicy({ gateway, marketplaceId }: World, policyPatch: Record<string, unknown>): Promise<void> {
  const { eq } = await import('drizzle-orm');
  await gateway.gateway.db.write((tx) => tx.update(tx.t.marketplaces).set({ policyPatch }).where(eq(tx.t.marketplaces.id, marketplaceId)));
}

export interface MeetingJson {
  readonly id: string;
  readonly state: string;
  readonly provider: Vendor;
  readonly purchase_by: string;
  readonly connection_id: string | null;
  readonly starts_at: string;
  readonly duration_minutes: number;
  readonly link: { source: string; locked_at: string | null; provider_join_url: string; degraded: string[] };
  readonly host_url: string;
  readonly attendees: readonly {
    customer_id: string;
    state: string;
    join_url: string;
    locale: string | null;
    camera_off: boolean;
    recording_consent: string;
  }[];
  readonly limit: { minutes: number | null; plan: string; exceeded: boolean };
  readonly decision: { chosen: string | null; considered: { provider: string; rejected: string; limit_minutes: number | null }[] };
}

export function must(answer: Answer, status: number): Answer {
  if (answer.status !== status) throw new Error(`expected ${status}, got ${answer.status}: ${answer.text}`);
  return answer;
}

export async function createMeeting(world: World, changes: Readonly<Record<string, unknown>> = {}): Promise<MeetingJson> {
  return must(await world.api('POST', '/v1/meetings', meetingBody(world, changes)), 201).json as unknown as MeetingJson;
}

export async function boughtMeeting(world: World, changes: Readonly<Record<string, unknown>> = {}): Promise<MeetingJson> {
  const meeting = await createMeeting(world, changes);
  for (const { customer_id } of meeting.attendees)
    must(await world.api('POST', `/v1/meetings/${meeting.id}/purchases`, { customer_id }), 201);
  return meeting;
}

export const getMeeting = async ({ api }: World, id: string): Promise<MeetingJson> =>
  must(await api('GET', `/v1/meetings/${id}`), 200).json as unknown as MeetingJson;

/** Lets something happen at the vendor, by the sandbox's control API. */
export async function happen(world: World, { provider, link }: MeetingJson, action: string, body: unknown = {}): Promise<void> {
  const id = provider === 'microsoft-teams' ? link.provider_join_url : new URL(link.provider_join_url).pathname.split('/').at(-1)!;
  must(
    await visit(`${world.sandbox.url}/control/meetings/${provider}/${encodeURIComponent(id)}/${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
    200,
  );
}

/** The next `times` requests that match get this answer instead. */
export const fault = (
  { sandbox }: World,
  vendor: Vendor,
  method: string,
  path: string,
  answer: Partial<Fault['answer']>,
  times = 1,
): void => sandbox.sandbox.traffic.addFault({ vendor, match: { method, path }, times, answer });

/** Requests that the vendor has seen. */
export const calls = ({ sandbox }: World, vendor: Vendor, method: string, path: RegExp): LoggedRequest[] =>
  sandbox.sandbox.traffic.requests().filter((request) => request.vendor === vendor && request.method === method && path.test(request.path));

interface VendorState {
  readonly meetings?: readonly Record<string, unknown>[];
  readonly spaces?: readonly Record<string, unknown>[];
  readonly events?: readonly Record<string, unknown>[];
  readonly subscriptions?: readonly Record<string, unknown>[];
  readonly recordings?: readonly Record<string, unknown>[];
}

export async function vendorState({ sandbox }: World, vendor: Vendor): Promise<VendorState> {
  const { json } = await visit(`${sandbox.url}/control/state`);
  return (json['vendors'] as Record<Vendor, VendorState>)[vendor];
}

/** Meetings that exist at the vendor and were not deleted. */
export async function vendorMeetings(world: World, vendor: Vendor): Promise<readonly Record<string, unknown>[]> {
  const { events, meetings, spaces } = await vendorState(world, vendor);
  // A Teams meeting is made as an event of the calendar, and goes with it.
  const made = { zoom: meetings, 'microsoft-teams': events, 'google-meet': spaces }[vendor] ?? [];
  return made.filter(({ deleted }) => deleted !== true);
}

/** Every row of every table, as one text; bytes as they are. */
export async function everythingStored({ gateway }: World): Promise<string> {
  const { read } = gateway.gateway.db;
  const rows: unknown[] = [];
  for (const table of Object.values(read.t)) rows.push(...(await read.select().from(table)));
  return JSON.stringify(rows, (_key, value: unknown) => (isBytes(value) ? Buffer.from(value.data).toString('latin1') : value));
}

const isBytes = (value: unknown): value is { data: number[] } =>
  typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value && Array.isArray(value.data);

/** Closes with the test. */
export function whenDone(close: () => Promise<unknown> | void): void {
  onTestFinished(async () => {
    await close();
  });
}

/** Ends the gateway, lets time pass, and starts it again on its old address and database. */
export async function restart(world: World, { after }: { after: number }): Promise<void> {
  const { config, now, random } = world.gateway.gateway;
  await world.gateway.close();
  world.jump(after);
  const running = await serveGateway(config, { now, random, keys: config.encryptionKeys! }, { host: '127.0.0.1' });
  // The world closes what runs in the end.
  world.gateway.close = () => running.close();
}
