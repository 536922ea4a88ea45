/** From a stored delivery to state: read, ask the vendor where the delivery says too little, then one transaction. */
import type { Notice, Pointer, Provider, VendorEvent } from '../providers/provider.ts';
import { accountOf } from '../src/connections/account.ts';
import { markRevoked } from '../src/connections/health.ts';
import { jobBackoffMs } from '../src/domain/backoff.ts';
import type { ProviderId } from '../src/domain/apps.ts';
import { Failure } from '../src/domain/failure.ts';
import { MINUTE, plus, SECOND } from '../src/domain/time.ts';
import type { Gateway } from '../src/gateway.ts';
import { move } from '../src/meetings/lifecycle.ts';
import { tellMeeting } from '../src/meetings/tell.ts';
import { revokeRecording } from '../src/recordings/erase.ts';
import { noteProcessing, noteReady, recordingFingerprint } from '../src/recordings/ready.ts';
import { deleteSubscriptionOf, findConnection, findSubscription, listConnectionsOfAccount } from '../src/store/connections.ts';
import type { Writer } from '../src/store/database.ts';
import { dropInboxEntry, finishInboxEntry, parkInboxEntry, retryInboxEntry, type InboxEntry } from '../src/store/inbox.ts';
import { scheduleJob } from '../src/store/jobs.ts';
import { findMeetingByVendorId, type Meeting } from '../src/store/meetings.ts';
import { findRecordingByFingerprint } from '../src/store/recordings.ts';

/**
 * A webhook may overtake the answer that tells us the meeting's id, so a stranger is looked at again after these waits. Few, because each
 * look at a thin notification costs calls at the vendor; after the last one, an hour in all, the meeting is not ours.
 */
const UNMATCHED_WAITS_MS = [10 * SECOND, 2 * MINUTE, 15 * MINUTE, 43 * MINUTE];
/** A delivery that failed this often is set aside with its reason. */
const MAX_ATTEMPTS = 12;

/** Applies a claimed delivery. What fails is tried again, parked or dropped, with a reason; only the storage's own failures are thrown. */
export async function applyDelivery(gateway: Gateway, entry: InboxEntry): Promise<void> {
  const { db, log, now, providers, random } = gateway;
  const provider = providers.get(entry.provider as ProviderId);
  try {
    if (provider === undefined) throw new Failure('not_configured', 'This app is not set up on the gateway any more.');
    const events = await readEvents(gateway, provider, entry.body ?? Buffer.alloc(0));
    const unmatched = await db.write(async (tx) => {
      let missing = false;
      for (const event of events) missing = !(await applyEvent(tx, gateway, provider, event)) || missing;
      if (!missing) await finishInboxEntry(tx, entry.key);
      return missing;
    });
    if (unmatched) throw new Unmatched();
  } catch (error) {
    const failure = Failure.from(error);
    const unmatched = error instanceof Unmatched;
    const at = now();
    const unmatchedWaitMs = unmatched ? UNMATCHED_WAITS_MS[entry.attempts - 1] : undefined;
    const reason = unmatched ? 'unmatched' : `${failure.code}: ${failure.message}`;
    if (!unmatched) log.warn({ err: error, inbox: entry.key, attempts: entry.attempts }, 'a delivery could not be applied');
    await db.write(async (tx) => {
      // Somebody else's meeting: nothing of it is kept but the key.
      if (unmatched && unmatchedWaitMs === undefined) await dropInboxEntry(tx, entry.key, reason);
      else if (failure.code === 'malformed' || (!unmatched && entry.attempts >= MAX_ATTEMPTS)) await parkInboxEntry(tx, entry.key, reason);
      else {
        const waitMs = unmatchedWaitMs ?? failure.retryAfterMs ?? jobBackoffMs(entry.attempts, random(4).readUInt32BE() / 2 ** 32);
        await retryInboxEntry(tx, entry.key, { dueAt: plus(at, waitMs), reason });
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
  return provider.webhook.resolve(accountOf(gateway, connection), pointer);
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
      for (const connection of connections) await markRevoked(tx, gateway, connection, 'deauthorized at the vendor');
      return true;
    }
    case 'subscription.removed':
    case 'subscription.expiring':
    case 'subscription.suspended':
    case 'subscription.missed': {
      const subscription = await findSubscription(tx, provider.id, event.subscriptionId);
      if (subscription === undefined) return true;
      if (event.type === 'subscription.removed') await deleteSubscriptionOf(tx, subscription.connectionId);
      await scheduleJob(tx, { kind: 'subscription.renew', subjectId: subscription.connectionId, dueAt: gateway.now() });
      return true;
    }
    default: {
      const meeting = await findMeetingByVendorId(tx, provider.id, event.meetingId);
      if (meeting === undefined) return false;
      await applyToMeeting(tx, gateway, meeting, event);
      return true;
    }
  }
}

async function applyToMeeting(
  tx: Writer,
  gateway: Gateway,
  meeting: Meeting,
  event: Extract<VendorEvent, { meetingId: string }>,
): Promise<void> {
  switch (event.type) {
    case 'meeting.started':
      await move(tx, gateway, meeting, { type: 'started', at: event.at }, {}, event.instanceId);
      return;
    case 'meeting.ended':
      if (event.limitReached) await tellLimit(tx, gateway, meeting, event.instanceId, event.at);
      await move(tx, gateway, meeting, { type: 'ended', at: event.at }, {}, event.instanceId);
      return;
    case 'participant.joined':
    case 'participant.left':
      if (event.limitReached) await tellLimit(tx, gateway, meeting, event.instanceId, event.at);
      await tellMeeting(
        tx,
        gateway,
        meeting,
        event.type === 'participant.joined' ? 'meeting.participant_joined' : 'meeting.participant_left',
        `${event.instanceId} ${event.participantId} ${event.at.toISOString()}`,
        {
          participant: { id: event.participantId, name: event.name },
          at: event.at.toISOString(),
        },
      );
      return;
    case 'recording.processing':
      await noteProcessing(tx, gateway, meeting, event.recordingId);
      return;
    case 'recording.ready':
      await noteReady(tx, gateway, meeting, event.recording);
      return;
    case 'recording.removed': {
      const recording = await findRecordingByFingerprint(tx, recordingFingerprint(meeting, event.recordingId));
      if (recording !== undefined && recording.state !== 'expired' && recording.state !== 'revoked') {
        await revokeRecording(tx, gateway, meeting, recording, 'deleted at the vendor');
      }
      return;
    }
    case 'recording.recovered':
      // What was taken back is not published again without anybody asking for it.
      return;
  }
}

const tellLimit = (tx: Writer, gateway: Gateway, meeting: Meeting, instanceId: string, at: Date): Promise<boolean> =>
  tellMeeting(tx, gateway, meeting, 'meeting.limit_reached', instanceId, { at: at.toISOString(), limit_minutes: meeting.limitMinutes });
