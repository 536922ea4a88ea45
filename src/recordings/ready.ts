/** From "the vendor has a file" to personal links. Webhook and reconciliation both end here. */
import type { VendorRecording } from '../../providers/provider.ts';
import { emit, type EventType } from '../events/emit.ts';
import { learnPlan } from '../connections/plan.ts';
import { recordingLinkContext, vendorRecordingContext } from '../connections/sealed.ts';
import { Failure } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import { type BookingKind, type Policy, type RecordingMode } from '../domain/policy.ts';
import { judge, RECORDING_STATES, type Consent } from '../domain/recording.ts';
import { DAY, plus } from '../domain/time.ts';
import { fingerprint, hashToken, newToken } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import type { Writer } from '../store/database.ts';
import { scheduleJob } from '../store/jobs.ts';
import type { FoundBy } from '../store/expectations.ts';
import { listAttendees, lockMeeting, type Meeting } from '../store/meetings.ts';
import {
  findRecordingByFingerprint,
  insertRecording,
  insertRecordingLink,
  lockRecordingByFingerprint,
  updateRecording,
  type Recording,
} from '../store/recordings.ts';
import { meetExpectation } from './reconcile.ts';

/** Recognizes a vendor's recording, also after everything else about it has been erased. */
export const recordingFingerprint = (meeting: Pick<Meeting, 'id'>, vendorRecordingId: string): string =>
  fingerprint('recording', meeting.id, vendorRecordingId);

/** The vendor is still working on it (G13). */
export async function noteProcessing(tx: Writer, gateway: Gateway, meeting: Meeting, vendorRecordingId: string): Promise<void> {
  const recording = newRecording(gateway, meeting, vendorRecordingId);
  if (await insertRecording(tx, recording)) {
    await tellRecording(tx, gateway, meeting, recording, 'recording.processing', {
      note: 'The vendor is processing the recording; this may take until the next day.',
    });
  }
}

/** The vendor has finished it. Repeats, further files and further events of one recording give one recording. */
export async function noteReady(
  tx: Writer,
  gateway: Gateway,
  meeting: Meeting,
  vendor: VendorRecording,
  by: FoundBy = 'webhook',
): Promise<void> {
  // Whoever ends the meeting at the same time sees this recording, or this one the expectation that follows from the end.
  await lockMeeting(tx, meeting.id);
  const mark = recordingFingerprint(meeting, vendor.id);
  if ((await findRecordingByFingerprint(tx, mark)) === undefined) await insertRecording(tx, newRecording(gateway, meeting, vendor.id));
  const recording = (await lockRecordingByFingerprint(tx, mark))!;
  await meetExpectation(tx, meeting.id, by);
  // Late news does not bring back what was erased or taken back.
  if (recording.state === 'expired' || recording.state === 'revoked') return;

  const files = new Map(recording.files.map((file) => [file.id, file]));
  for (const file of vendor.files) files.set(file.id, { ...file });
  const facts = {
    files: [...files.values()],
    startedAt: vendor.startedAt ?? recording.startedAt,
    endedAt: vendor.endedAt ?? recording.endedAt,
    readyAt: recording.readyAt ?? gateway.now(),
  };
  const known = await updateRecording(tx, { id: recording.id, from: [recording.state] }, facts);
  if (known === undefined || known.state !== 'processing') return;
  // No vendor records in the cloud for a free plan. Of a link that was made elsewhere the account is not known.
  if (meeting.linkSource === 'created' && meeting.connectionId !== null) await learnPlan(tx, meeting.connectionId, 'paid');

  const policy = await policyFor(tx, meeting);
  const verdict = await verdictOn(tx, policy, meeting);
  if (verdict.publish) await publish(tx, gateway, policy, meeting, known);
  else {
    await updateRecording(tx, { id: known.id, from: ['processing'] }, { state: 'withheld', reason: verdict.reason });
    await tellRecording(tx, gateway, meeting, known, 'recording.withheld', { reason: verdict.reason });
  }
}

/** A withheld one, once every consent is there. @throws Failure `consent_missing`, `conflict` */
export async function publishWithheld(tx: Writer, gateway: Gateway, meeting: Meeting, recording: Recording): Promise<Recording> {
  if (recording.state !== 'withheld') throw new Failure('conflict', `The recording is ${recording.state}.`);
  const policy = await policyFor(tx, meeting);
  const verdict = await verdictOn(tx, policy, meeting);
  if (!verdict.publish && verdict.reason === 'consent_missing')
    throw new Failure('consent_missing', 'Not every customer has consented to the recording.');
  return publish(tx, gateway, policy, meeting, recording);
}

/** One personal link per recipient, for as long as the policy says (G15, G17). */
export async function publish(tx: Writer, gateway: Gateway, policy: Policy, meeting: Meeting, recording: Recording): Promise<Recording> {
  const { config, now, random, vault } = gateway;
  const publishedAt = now();
  const expiresAt = plus(publishedAt, policy.recording.retention_days * DAY);
  const published = await updateRecording(
    tx,
    { id: recording.id, from: ['processing', 'withheld'] },
    { state: 'published', reason: null, publishedAt, expiresAt },
  );
  if (published === undefined) throw new Failure('conflict', 'The recording has just changed. Try again.');
  const links: { customer_id: string; url: string }[] = [];
  for (const customerId of await recipients(tx, policy, meeting)) {
    const token = newToken(random);
    const id = newId(gateway, 'rcl');
    await insertRecordingLink(tx, {
      id,
      marketplaceId: meeting.marketplaceId,
      recordingId: recording.id,
      kind: 'recipient',
      customerId,
      incidentId: null,
      tokenHash: hashToken(token),
      tokenSealed: vault.seal(token, recordingLinkContext(id)),
      views: 0,
      firstViewedAt: null,
      expiresAt: null,
      revokedAt: null,
      createdAt: publishedAt,
    });
    links.push({ customer_id: customerId, url: `${config.publicUrl}/r/${token}` });
  }
  await scheduleJob(tx, { kind: 'recording.expire', subjectId: recording.id, dueAt: expiresAt });
  await tellRecording(
    tx,
    gateway,
    meeting,
    published,
    'recording.published',
    { published_at: publishedAt.toISOString(), expires_at: expiresAt.toISOString() },
    { links },
  );
  return published;
}

export function tellRecording(
  tx: Writer,
  gateway: Gateway,
  meeting: Meeting,
  recording: Recording,
  type: EventType,
  more: Record<string, unknown> = {},
  links?: Record<string, unknown>,
  key = 'once',
): Promise<boolean> {
  return emit(tx, gateway, {
    marketplaceId: meeting.marketplaceId,
    type,
    subjectId: recording.id,
    key,
    data: {
      recording_id: recording.id,
      meeting_id: meeting.id,
      booking_id: meeting.bookingId,
      professional_id: meeting.professionalId,
      ...more,
    },
    ...(links === undefined ? {} : { links }),
  });
}

async function verdictOn(tx: Writer, policy: Policy, meeting: Meeting) {
  const buyers = (await listAttendees(tx, [meeting.id])).filter(({ purchasedAt }) => purchasedAt !== null);
  return judge({
    policy,
    kind: meeting.bookingKind as BookingKind,
    mode: meeting.recording as RecordingMode,
    consents: buyers.map(({ recordingConsent }) => recordingConsent as Consent),
  });
}

/** Customers who bought; with `everyone` the professional too, under the professional's own id. */
async function recipients(tx: Writer, policy: Policy, meeting: Meeting): Promise<string[]> {
  const buyers = (await listAttendees(tx, [meeting.id]))
    .filter(({ purchasedAt }) => purchasedAt !== null)
    .map(({ customerId }) => customerId);
  return policy.recording.recipients === 'everyone' ? [...buyers, meeting.professionalId] : buyers;
}

function newRecording(gateway: Gateway, meeting: Meeting, vendorRecordingId: string): Recording {
  const id = newId(gateway, 'rec');
  return {
    id,
    marketplaceId: meeting.marketplaceId,
    meetingId: meeting.id,
    source: 'provider',
    state: RECORDING_STATES[0],
    reason: null,
    fingerprint: recordingFingerprint(meeting, vendorRecordingId),
    vendorRecordingSealed: gateway.vault.seal(vendorRecordingId, vendorRecordingContext(id)),
    linkSealed: null,
    title: null,
    files: [],
    startedAt: null,
    endedAt: null,
    readyAt: null,
    publishedAt: null,
    expiresAt: null,
    sharedAt: null,
    vendorEnding: null,
    vendorEndedAt: null,
    erasedAt: null,
    createdAt: gateway.now(),
  };
}
