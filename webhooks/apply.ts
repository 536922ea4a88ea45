/** From a stored delivery to state: read, ask the vendor where the delivery says too little, then one transaction. */
import type { Notice, Pointer, Provider, VendorEvent } from '../providers/provider.ts';
import { atVendor } from '../src/connections/account.ts';
import { markRevoked } from '../src/connections/health.ts';
import { inboxContext } from '../src/connections/sealed.ts';
import { park } from './parked.ts';
import { isOurFault, raiseFeedAlarm } from './renew.ts';
import { afterReset, jobBackoffMs } from '../src/domain/backoff.ts';
import type { ProviderId } from '../src/domain/apps.ts';
import { Failure, isFailure, type FailureCode } from '../src/domain/failure.ts';
import { MINUTE, plus, SECOND } from '../src/domain/time.ts';
import type { Gateway } from '../src/gateway.ts';
import { noteVendorEvent } from '../src/meetings/vendor-event.ts';
import { noteProcessing, noteReady, recordingFingerprint } from '../src/recordings/ready.ts';
import { noteRecovered, noteRemoved } from '../src/recordings/vendor-news.ts';
import {
  deleteSubscriptionOf,
  findConnection,
  findSubscription,
  listConnectionsOfAccount,
  type Connection,
} from '../src/store/connections.ts';
import type { Writer } from '../src/store/database.ts';
import {
  dropInboxEntries,
  findDueInboxEntries,
  finishInboxEntries,
  leaseInboxEntries,
  retryInboxEntries,
  type InboxEntry,
} from '../src/store/inbox.ts';
import { findGrant } from '../src/store/grants.ts';
import { scheduleJob } from '../src/store/jobs.ts';
import { findMeeting, findMeetingByVendorId, type Meeting } from '../src/store/meetings.ts';
import { listRecordingMarksOf } from '../src/store/recordings.ts';

/**
 * A webhook may overtake the answer that tells us the meeting's id, so a stranger is looked at again after these waits. Few, because each
 * look at a thin notification costs calls at the vendor; after the last one, an hour in all, the meeting is not ours.
 */
const UNMATCHED_WAITS_MS = [10 * SECOND, 2 * MINUTE, 15 * MINUTE, 43 * MINUTE];
/** Applying holds SQLite's only writer, and the event loop: who wants to be acknowledged waits no longer than this. */
const SLICE_MS = { sqlite: 10, postgres: 100 };
/** A delivery that failed this often is set aside with its reason: about two hours, and two days while it is the vendor who fails. */
const MAX_ATTEMPTS = 12;
const MAX_ATTEMPTS_IN_OUTAGE = 60;
/** How far a vendor's clock may be from ours before one moment counts as later than another. */
const CLOCK_TOLERANCE_MS = MINUTE;
const OUTAGES: ReadonlySet<FailureCode> = new Set(['vendor_unavailable', 'vendor_quota', 'storage_unavailable', 'key_unavailable']);

/**
 * Applies what is due. Deliveries that say everything themselves share one transaction, and nothing of them is half done after a crash;
 * the others are leased and returned, to be applied each for itself. `more`: there was more to do than fitted.
 */
export async function applyDue(
  gateway: Gateway,
  { limit, leaseMs }: { limit: number; leaseMs: number },
): Promise<{ alone: InboxEntry[]; more: boolean }> {
  const { db, now } = gateway;
  const at = now();
  const find = (tx: Writer): Promise<InboxEntry[]> => findDueInboxEntries(tx, { now: at, limit });
  try {
    const { applied, ...result } = await db.write(async (tx) => {
      const due = await find(tx);
      const end = plus(now(), SLICE_MS[db.dialect]);
      const matched: string[] = [];
      const strangers: InboxEntry[] = [];
      const alone: InboxEntry[] = [];
      let looked = 0;
      for (const { entry, read } of byMeeting(due.map((one) => ({ entry: one, read: readComplete(gateway, one) })))) {
        if (read === undefined) alone.push(entry);
        else if (await applyEvents(tx, gateway, read.provider, read.events)) matched.push(entry.key);
        else strangers.push({ ...entry, attempts: entry.attempts + 1 });
        looked += 1;
        if (now() >= end) break;
      }
      await finishInboxEntries(tx, matched);
      await putOff(tx, strangers, at);
      return {
        alone: await leaseInboxEntries(tx, alone, plus(at, leaseMs)),
        applied: matched.length > 0,
        more: due.length === limit || looked < due.length,
      };
    });
    if (applied) gateway.wake();
    return result;
  } catch (error) {
    if (isFailure(error, 'storage_unavailable')) throw error;
    // Nothing of the transaction is left. Alone, each is applied or fails for its own reason.
    return { alone: await db.write(async (tx) => leaseInboxEntries(tx, await find(tx), plus(at, leaseMs))), more: true };
  }
}

interface Piece {
  readonly entry: InboxEntry;
  readonly read: { provider: Provider; events: VendorEvent[] } | undefined;
}

/**
 * The events of one meeting stay in their order. Several transactions apply at once on PostgreSQL, and each holds the meetings that it has
 * changed: in one order for all, so that they wait for each other but never in a circle.
 */
function byMeeting(pieces: readonly Piece[]): Piece[] {
  const meetingOf = ({ read }: Piece): string => {
    const first = read?.events[0];
    return first !== undefined && 'meetingId' in first ? first.meetingId : '';
  };
  const keyed = pieces.map((piece) => ({ piece, meeting: meetingOf(piece) }));
  return keyed.toSorted((a, b) => (a.meeting < b.meeting ? -1 : a.meeting > b.meeting ? 1 : 0)).map(({ piece }) => piece);
}

/** Undefined for what needs its vendor, and for what cannot be read: `applyDelivery` says why. */
function readComplete(gateway: Gateway, entry: InboxEntry): Piece['read'] {
  const provider = gateway.providers.get(entry.provider as ProviderId);
  if (provider === undefined) return undefined;
  try {
    const events: VendorEvent[] = [];
    for (const notice of provider.webhook.read(bodyOf(gateway, entry))) {
      if (isPointer(notice)) return undefined;
      events.push(notice);
    }
    return { provider, events };
  } catch {
    return undefined;
  }
}

const bodyOf = ({ vault }: Gateway, { key, bodySealed }: InboxEntry): Buffer =>
  bodySealed === null ? Buffer.alloc(0) : vault.openBytes(bodySealed, inboxContext(key));

/** About meetings that nobody here knows: looked at again later, and forgotten after the last time. */
async function putOff(tx: Writer, strangers: readonly InboxEntry[], at: Date): Promise<void> {
  for (const attempts of new Set(strangers.map((entry) => entry.attempts))) {
    const keys = strangers.filter((entry) => entry.attempts === attempts).map((entry) => entry.key);
    const waitMs = UNMATCHED_WAITS_MS[attempts - 1];
    if (waitMs === undefined) await dropInboxEntries(tx, keys, 'unmatched');
    else await retryInboxEntries(tx, keys, { dueAt: plus(at, waitMs), reason: 'unmatched', attempts });
  }
}

/** False when one of them is about something that we do not know (yet). */
async function applyEvents(tx: Writer, gateway: Gateway, provider: Provider, events: readonly VendorEvent[]): Promise<boolean> {
  let matched = true;
  for (const event of events) matched = (await applyEvent(tx, gateway, provider, event)) && matched;
  return matched;
}

/** Applies a leased delivery. What fails is tried again, parked or dropped, with a reason; only the storage's own failures are thrown. */
export async function applyDelivery(gateway: Gateway, entry: InboxEntry): Promise<void> {
  const { db, log, now, providers, random } = gateway;
  const provider = providers.get(entry.provider as ProviderId);
  try {
    if (provider === undefined) throw new Failure('not_configured', 'This app is not set up on the gateway any more.');
    const events = await readEvents(gateway, provider, bodyOf(gateway, entry));
    const unmatched = await db.write(async (tx) => {
      const matched = await applyEvents(tx, gateway, provider, events);
      if (matched) await finishInboxEntries(tx, [entry.key]);
      return !matched;
    });
    if (unmatched) throw new Unmatched();
  } catch (error) {
    const failure = Failure.from(error);
    const unmatched = error instanceof Unmatched;
    const at = now();
    const reason = `${failure.code}: ${failure.message}`;
    const mostAttempts = OUTAGES.has(failure.code) ? MAX_ATTEMPTS_IN_OUTAGE : MAX_ATTEMPTS;
    if (!unmatched) log.warn({ err: error, inbox: entry.key, attempts: entry.attempts }, 'a delivery could not be applied');
    await db.write(async (tx) => {
      if (unmatched) await putOff(tx, [entry], at);
      else if (failure.code === 'malformed' || entry.attempts >= mostAttempts) await park(tx, gateway, entry, reason);
      else {
        const chance = random(4).readUInt32BE() / 2 ** 32;
        const { retryAfterMs } = failure;
        const waitMs = retryAfterMs === undefined ? jobBackoffMs(entry.attempts, chance) : afterReset(retryAfterMs, chance);
        await retryInboxEntries(tx, [entry.key], { dueAt: plus(at, waitMs), reason, attempts: entry.attempts });
      }
    });
  }
  gateway.wake();
}

class Unmatched extends Error {}

async function readEvents(gateway: Gateway, provider: Provider, body: Buffer): Promise<VendorEvent[]> {
  const events: VendorEvent[] = [];
  for (const notice of provider.webhook.read(body))
    events.push(...(isPointer(notice) ? await resolvePointer(gateway, provider, notice) : [notice]));
  return events;
}

const isPointer = (notice: Notice): notice is Pointer => notice.type === 'pointer';

async function resolvePointer(gateway: Gateway, provider: Provider, pointer: Pointer): Promise<readonly VendorEvent[]> {
  const { db } = gateway;
  const subscription = await findSubscription(db.read, provider.id, pointer.subscriptionId);
  const connection = subscription && (await findConnection(db.read, subscription.connectionId));
  if (connection === undefined || connection.status === 'revoked') throw new Unmatched();
  if (provider.webhook.resolve === undefined) return [];
  return atVendor(gateway, connection, async ({ webhook }, account) => webhook.resolve?.(account, pointer) ?? []);
}

/** False when it is about a meeting, account or subscription that we do not know (yet). */
export async function applyEvent(tx: Writer, gateway: Gateway, provider: Provider, event: VendorEvent): Promise<boolean> {
  switch (event.type) {
    case 'account.deauthorized': {
      const connections = await listConnectionsOfAccount(tx, {
        provider: provider.id,
        organisation: event.organisation,
        accountId: event.userId,
      });
      for (const connection of connections) {
        if (await isOldNews(tx, connection, event.at)) continue;
        await markRevoked(tx, gateway, connection, 'app_removed');
        await scheduleJob(tx, { kind: 'connection.erase', subjectId: connection.id, dueAt: gateway.now() });
      }
      return true;
    }
    case 'subscription.removed':
    case 'subscription.expiring':
    case 'subscription.suspended':
    case 'subscription.missed': {
      const subscription = await findSubscription(tx, provider.id, event.subscriptionId);
      if (subscription === undefined) return true;
      const { reason } = event;
      // A word about the account is not believed but asked for: the renewal shows whether it holds. One about us cannot hurt anybody.
      if (event.type === 'subscription.suspended' && reason !== null && isOurFault(reason)) {
        await raiseFeedAlarm(tx, gateway, provider.id, reason);
      }
      // What the vendor could not deliver is not delivered later.
      if (event.type === 'subscription.missed') {
        await scheduleJob(tx, { kind: 'recording.sweep', subjectId: subscription.connectionId, dueAt: gateway.now() });
      }
      if (event.type === 'subscription.removed') await deleteSubscriptionOf(tx, subscription.connectionId);
      await scheduleJob(tx, { kind: 'subscription.renew', subjectId: subscription.connectionId, dueAt: gateway.now() });
      return true;
    }
    case 'recordings.removed':
    case 'recordings.recovered': {
      const { organisation, recordingIds, at } = event;
      const removed = event.type === 'recordings.removed';
      let matched = false;
      for (const { meetingId, fingerprint } of await listRecordingMarksOf(tx, {
        provider: provider.id,
        organisation,
        now: gateway.now(),
      })) {
        // The meeting is part of the mark, and is not named by the vendor.
        const recordingId = recordingIds.find((id) => recordingFingerprint({ id: meetingId }, id) === fingerprint);
        const meeting = recordingId === undefined ? undefined : await findMeeting(tx, meetingId);
        if (recordingId === undefined || meeting?.vendorMeetingId == null) continue;
        const type = removed ? 'recording.removed' : 'recording.recovered';
        await applyToMeeting(tx, gateway, meeting, { type, meetingId: meeting.vendorMeetingId, recordingId, fileIds: null, at });
        matched = true;
      }
      return matched;
    }
    default: {
      const meeting = await findMeetingByVendorId(tx, provider.id, event.meetingId);
      if (meeting === undefined) return false;
      await applyToMeeting(tx, gateway, meeting, event);
      return true;
    }
  }
}

/** A vendor that has given tokens since has not heard of the removal any more: the account was connected again. */
async function isOldNews(tx: Writer, { grantId, status }: Connection, at: Date): Promise<boolean> {
  const grant = await findGrant(tx, grantId);
  return status !== 'revoked' && grant !== undefined && grant.refreshedAt > plus(at, CLOCK_TOLERANCE_MS);
}

async function applyToMeeting(
  tx: Writer,
  gateway: Gateway,
  meeting: Meeting,
  event: Extract<VendorEvent, { meetingId: string }>,
): Promise<void> {
  switch (event.type) {
    case 'meeting.started':
    case 'meeting.ended':
    case 'participant.joined':
    case 'participant.left':
      await noteVendorEvent(tx, gateway, meeting, event);
      return;
    case 'recording.processing':
      await noteProcessing(tx, gateway, meeting, event.recordingId);
      return;
    case 'recording.ready':
      await noteReady(tx, gateway, meeting, event.recording);
      return;
    case 'recording.removed':
      await noteRemoved(tx, gateway, meeting, event);
      return;
    case 'recording.recovered':
      await noteRecovered(tx, gateway, meeting, event);
      return;
  }
}
