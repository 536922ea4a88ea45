/**
 * What a vendor asks for when its user removes the app: everything about that user goes. The rows stay, with ids, times and states: a
 * marketplace still has to find its meetings, and a later reconnect of the same account its connection.
 */
import { isOver, MEETING_STATES } from '../domain/meeting.ts';
import { newId } from '../domain/id.ts';
import { DAY, plus } from '../domain/time.ts';
import type { Gateway } from '../gateway.ts';
import { revokeRecording } from '../recordings/erase.ts';
import { insertAuditEntry } from '../store/audit.ts';
import { eraseAccount, findConnection, listConnectionsOfGrant, type Connection } from '../store/connections.ts';
import type { Writer } from '../store/database.ts';
import { eraseGrant, lockGrant } from '../store/grants.ts';
import { scheduleJob } from '../store/jobs.ts';
import { eraseVendorSide, hasMeetings, findMeeting } from '../store/meetings.ts';
import { listVendorRecordingsOf } from '../store/recordings.ts';
import { deleteStaleLinksOf } from '../store/stale-links.ts';

const OVER = MEETING_STATES.filter(isOver);
const NOT_OVER = MEETING_STATES.filter((state) => !isOver(state));
/** Chosen: how often it is looked whether the last booked meetings are over. */
const LOOK_AGAIN_MS = DAY;

/**
 * Job `connection.erase`. Each step is done once and does nothing when it is repeated, so a crash between two of them costs nothing.
 * Booked meetings keep their links until they are over, because the vendor still opens them; the job comes back for these.
 */
export async function eraseConnection(gateway: Gateway, id: string): Promise<void> {
  const { db, now, wake } = gateway;
  const connection = await findConnection(db.read, id);
  // Connected again meanwhile: what is there now was given anew.
  if (connection === undefined || connection.status !== 'revoked') return;

  for (const { id: recordingId } of await listVendorRecordingsOf(db.read, id)) {
    await db.write((tx) => takeBack(tx, gateway, connection, recordingId));
  }
  await db.write(async (tx) => {
    await lockGrant(tx, connection.grantId);
    if ((await findConnection(tx, id))?.status !== 'revoked') return;
    // Asked before: a meeting that ends in between is seen by the one or by the other.
    const booked = await hasMeetings(tx, { connectionId: id, states: NOT_OVER });
    const meetings = await eraseVendorSide(tx, { connectionId: id, states: OVER });
    await deleteStaleLinksOf(tx, id);
    if ((await listConnectionsOfGrant(tx, connection.grantId)).every(({ status }) => status === 'revoked')) {
      await eraseGrant(tx, connection.grantId);
    }
    if (await eraseAccount(tx, { id, at: now() })) {
      await insertAuditEntry(tx, {
        id: newId(gateway, 'aud'),
        marketplaceId: connection.marketplaceId,
        at: now(),
        action: 'connection.erased',
        subjectId: id,
        details: { provider: connection.provider, reason: connection.statusReason, meetings },
      });
    }
    if (booked) await scheduleJob(tx, { kind: 'connection.erase', subjectId: id, dueAt: plus(now(), LOOK_AGAIN_MS) });
  });
  wake();
}

/** It lies in the vendor's account and cannot be played any more. */
async function takeBack(tx: Writer, gateway: Gateway, connection: Connection, recordingId: string): Promise<void> {
  const recordings = await listVendorRecordingsOf(tx, connection.id);
  const recording = recordings.find(({ id }) => id === recordingId);
  const meeting = recording && (await findMeeting(tx, recording.meetingId));
  if (recording !== undefined && meeting !== undefined) {
    await revokeRecording(tx, gateway, meeting, recording, 'app_removed');
  }
}
