/** What could not be applied: told to the operator, shown without what is secret in it, run again, given up. */
import type { Notice } from '../providers/provider.ts';
import { inboxContext } from '../src/connections/sealed.ts';
import { PROVIDER_IDS, type ProviderId } from '../src/domain/apps.ts';
import { Failure } from '../src/domain/failure.ts';
import type { Gateway } from '../src/gateway.ts';
import { clearAlarm, raiseAlarm } from '../src/store/alarms.ts';
import { findSubscription } from '../src/store/connections.ts';
import type { Reader, Writer } from '../src/store/database.ts';
import {
  dropParkedEntries,
  findInboxEntry,
  findLastParked,
  listInboxEntries,
  parkInboxEntry,
  rerunInboxEntries,
  type InboxEntry,
} from '../src/store/inbox.ts';
import { findMeetingByVendorId } from '../src/store/meetings.ts';

/** Chosen: time to look into what could not be applied. Bodies name recordings, which may not be kept for long. */
export const PARKED_KEPT_DAYS = 7;
/** Rows of one transaction, so that receiving never waits long for the write lock. */
const PAGE = 500;

const alarmOf = (provider: string): string => `inbox_parked:${provider}`;

/** Sets a delivery aside, and raises the alarm of its provider. */
export async function park(tx: Writer, gateway: Gateway, { key, provider }: InboxEntry, reason: string): Promise<void> {
  await parkInboxEntry(tx, key, reason);
  await tell(tx, gateway, provider, reason);
}

async function tell(tx: Writer, { log, now }: Gateway, provider: string, reason: string | null): Promise<void> {
  const name = alarmOf(provider);
  const detail = `Deliveries could not be applied; \`inbox list\` shows them. The last one: ${reason}`;
  if (await raiseAlarm(tx, { name, detail, now: now() })) log.error({ alarm: name, reason }, 'a delivery was set aside');
}

/** The alarm holds for as long as something is parked. Hourly, too: entries end by age. */
export async function settleParkedAlarms(tx: Writer, gateway: Gateway): Promise<void> {
  for (const provider of PROVIDER_IDS) {
    // Another process may park one between the look and the deletion: the second look finds it.
    if ((await findLastParked(tx, provider)) === undefined) await clearAlarm(tx, alarmOf(provider));
    const last = await findLastParked(tx, provider);
    if (last !== undefined) await tell(tx, gateway, provider, last.reason);
  }
}

/** One of them, or all that are parked. */
export type Chosen = { readonly key: string } | { readonly provider: ProviderId | undefined };

/**
 * The workers take them at once, with all their attempts. `withoutBody`: those whose time is over stay as they are.
 * @throws Failure of a single one: `not_found`; `conflict` when it is not parked; `gone` when its body was erased.
 */
export async function rerunParked(gateway: Gateway, chosen: Chosen): Promise<{ rerun: number; withoutBody: number }> {
  const { db, now } = gateway;
  const done = await inPages(gateway, chosen, (tx, keys) => rerunInboxEntries(tx, keys, now()));
  if ('key' in chosen && done.changed === 0) {
    requireParked(await findInboxEntry(db.read, chosen.key), chosen.key);
    throw new Failure('gone', `The body of ${chosen.key} was erased after ${PARKED_KEPT_DAYS} days. It cannot be run again, only dropped.`);
  }
  return { rerun: done.changed, withoutBody: done.looked - done.changed };
}

/** Nothing is kept but the key and the reason. @throws Failure of a single one: `not_found`; `conflict` when it is not parked. */
export async function dropParked(gateway: Gateway, chosen: Chosen): Promise<{ dropped: number }> {
  const done = await inPages(gateway, chosen, dropParkedEntries);
  if ('key' in chosen && done.changed === 0) requireParked(await findInboxEntry(gateway.db.read, chosen.key), chosen.key);
  return { dropped: done.changed };
}

async function inPages(
  gateway: Gateway,
  chosen: Chosen,
  change: (tx: Writer, keys: readonly string[]) => Promise<string[]>,
): Promise<{ looked: number; changed: number }> {
  const { db } = gateway;
  const done = { looked: 0, changed: 0 };
  let after: InboxEntry | undefined;
  for (;;) {
    const page =
      'key' in chosen
        ? [await findInboxEntry(db.read, chosen.key)].filter((entry) => entry !== undefined)
        : await listInboxEntries(db.read, { state: 'parked', provider: chosen.provider, after, limit: PAGE });
    const keys = page.map(({ key }) => key);
    done.looked += keys.length;
    done.changed += (await db.write((tx) => change(tx, keys))).length;
    after = page.at(-1);
    if ('key' in chosen || after === undefined) break;
  }
  await db.write((tx) => settleParkedAlarms(tx, gateway));
  return done;
}

function requireParked(entry: InboxEntry | undefined, key: string): asserts entry is InboxEntry {
  if (entry === undefined) throw new Failure('not_found', `There is no delivery with the key ${key}.`);
  if (entry.state !== 'parked') throw new Failure('conflict', `${key} is not parked but ${entry.state}.`);
}

/**
 * What a delivery is about, a sentence for each thing that it tells: kind, the vendor's id of the meeting, and ours. No name of a person,
 * no link, no token. @throws Failure `not_found`
 */
export async function describeDelivery(
  { db, providers, vault }: Gateway,
  key: string,
): Promise<{ entry: InboxEntry; bytes: number | null; about: string[] }> {
  const entry = await findInboxEntry(db.read, key);
  if (entry === undefined) throw new Failure('not_found', `There is no delivery with the key ${key}.`);
  if (entry.bodySealed === null) return { entry, bytes: null, about: ['its body is erased'] };
  const provider = providers.get(entry.provider as ProviderId);
  let bytes: number | null = null;
  try {
    const body = vault.openBytes(entry.bodySealed, inboxContext(key));
    bytes = body.length;
    if (provider === undefined) return { entry, bytes, about: [`${entry.provider} is not set up on the gateway`] };
    const about: string[] = [];
    for (const notice of provider.webhook.read(body)) about.push(await inWords(db.read, provider.id, notice));
    return { entry, bytes, about: about.length === 0 ? ['nothing that the gateway takes'] : about };
  } catch (error) {
    return { entry, bytes, about: [`it cannot be read: ${Failure.from(error).message}`] };
  }
}

async function inWords(db: Reader, provider: ProviderId, notice: Notice): Promise<string> {
  if ('meetingId' in notice) {
    const meeting = await findMeetingByVendorId(db, provider, notice.meetingId);
    const whose = meeting === undefined ? 'which nobody here knows' : `which is ${meeting.id}`;
    return `${notice.type} of the meeting ${notice.meetingId}, ${whose}, at ${notice.at.toISOString()}`;
  }
  if ('subscriptionId' in notice) {
    const subscription = await findSubscription(db, provider, notice.subscriptionId);
    const whose = subscription === undefined ? 'an account that nobody here knows' : `the connection ${subscription.connectionId}`;
    return `${notice.type === 'pointer' ? notice.about : notice.type} of ${whose}`;
  }
  if ('recordingIds' in notice)
    return `${notice.type} of the organisation ${notice.organisation}: ${notice.recordingIds.length}, at ${notice.at.toISOString()}`;
  return `${notice.type} of the organisation ${notice.organisation}, at ${notice.at.toISOString()}`;
}
