/** What the tests of connections look at: the vendor's token endpoint, the states, the events. */
import { eq, isNull, lte, and } from 'drizzle-orm';
import { setTimeout as delay } from 'node:timers/promises';
import type { World } from '../../demo/world.ts';
import type { LoggedRequest } from '../../sandbox/traffic.ts';
import { listConnections } from '../../src/store/connections.ts';
import type { Vendor } from '../support/world.ts';

export const TOKEN_PATHS: Readonly<Record<Vendor, string>> = {
  zoom: '/oauth/token$',
  'microsoft-teams': '/oauth2/v2.0/token$',
  'google-meet': '^/token$',
};

/** Calls of the token endpoint; after the last sign-in these are refreshes. */
export const tokenCalls = ({ sandbox }: Pick<World, 'sandbox'>, vendor: Vendor): LoggedRequest[] =>
  sandbox.sandbox.traffic
    .requests()
    .filter((request) => request.vendor === vendor && request.method === 'POST' && new RegExp(TOKEN_PATHS[vendor]).test(request.path));

/** Each state and reason that the connections of the marketplace have, once. */
export async function states({ gateway, marketplaceId }: World): Promise<string[]> {
  const all = await listConnections(gateway.gateway.db.read, { marketplaceId });
  return [...new Set(all.map(({ status, statusReason }) => (statusReason === null ? status : `${status}: ${statusReason}`)))];
}

/** The events of this type that were written, by their reason. */
export async function toldReasons({ gateway }: Pick<World, 'gateway'>, type: string): Promise<unknown[]> {
  const { read } = gateway.gateway.db;
  const told = await read.select().from(read.t.events).where(eq(read.t.events.type, type));
  return told.map(({ data }) => data['reason']);
}

/** Real time between two looks: the work of a step is done within milliseconds. */
const LOOK_EVERY_MS = 2;

/** Until no job and no vendor's delivery is due any more. */
export async function quiet({ gateway, now, sandbox }: World): Promise<void> {
  const { read } = gateway.gateway.db;
  const { jobs, inbox } = read.t;
  for (;;) {
    await sandbox.sandbox.settle();
    const due =
      (await read.$count(jobs, and(isNull(jobs.deadAt), lte(jobs.dueAt, now())))) +
      (await read.$count(inbox, and(eq(inbox.state, 'pending'), lte(inbox.dueAt, now()))));
    if (due === 0) return;
    await delay(LOOK_EVERY_MS);
  }
}
