/** From "the vendor has a file" to personal links. Webhook and reconciliation both end here. */
import type { VendorRecording } from '../../providers/provider.ts';
import { emitAll } from '../events/emit.ts';
import { inPieces } from '../events/pieces.ts';
import { learnPlan } from '../connections/plan.ts';
import { vendorRecordingContext } from '../connections/sealed.ts';
import { Failure } from '../domain/failure.ts';
import { newId } from '../domain/id.ts';
import { LAST_LOOK_MS } from '../domain/looks.ts';
import type { Policy } from '../domain/policy.ts';
import { expiryOf, type WithheldReason } from '../domain/recording.ts';
import { plus } from '../domain/time.ts';
import { fingerprint } from '../domain/token.ts';
import type { Gateway } from '../gateway.ts';
import { policyFor } from '../marketplaces/policy.ts';
import type { Writer } from '../store/database.ts';
import { scheduleJob } from '../store/jobs.ts';
import type { FoundBy } from '../store/expectations.ts';
import { lockMeeting, type Meeting } from '../store/meetings.ts';
import {
  findRecording,
  findRecordingByFingerprint,
  insertRecording,
  listRecordings,
  lockRecordingByFingerprint,
  updateRecording,
  type Recording,
} from '../store/recordings.ts';
import { blankRecording } from './blank.ts';
import { giveLinks, type GivenLink } from './links.ts';
import { lookSoon, meetExpectation } from './reconcile.ts';
import { recipientsOf, verdictOn } from './verdict.ts';
import { recordingEvent, tellRecording } from './tell.ts';
import { closeShareSoon } from './unshare.ts';
import { suspectGone } from './vanished.ts';

/** Recognizes a vendor's recording, also after everything else about it has been erased. */
export const recordingFingerprint = (meeting: Pick<Meeting, 'id'>, vendorRecordingId: string): string =>
  fingerprint('recording', meeting.id, vendorRecordingId);

/** The vendor is still working on it (G13). What it never finishes ends when it is looked for no more (G15). */
export async function noteProcessing(tx: Writer, gateway: Gateway, meeting: Meeting, vendorRecordingId: string): Promise<void> {
  const recording = { ...newRecording(gateway, meeting, vendorRecordingId), expiresAt: plus(gateway.now(), LAST_LOOK_MS) };
  if (await insertRecording(tx, recording)) {
    await scheduleJob(tx, { kind: 'recording.expire', subjectId: recording.id, dueAt: recording.expiresAt });
    await tellRecording(tx, gateway, meeting, recording, 'recording.processing', {
      note: 'The vendor is processing the recording; this may take until the next day.',
    });
  }
}

/**
 * The vendor has finished it. Repeats, further files and further events of one recording give one recording.
 * `by`: how it was found.
 */
export async function noteReady(
  tx: Writer,
  gateway: Gateway,
  meeting: Meeting,
  vendor: VendorRecording,
  by: FoundBy = 'webhook',
): Promise<void> {
  // Whoever ends the meeting or withdraws a consent at this moment waits here, or is waited for.
  await lockMeeting(tx, meeting.id);
  const mark = recordingFingerprint(meeting, vendor.id);
  if ((await findRecordingByFingerprint(tx, mark)) === undefined) {
    if (isWatchable(vendor)) await insertRecording(tx, newRecording(gateway, meeting, vendor.id));
    else await noteProcessing(tx, gateway, meeting, vendor.id);
  }
  const recording = (await lockRecordingByFingerprint(tx, mark))!;
  // Late news does not bring back what was erased or taken back.
  if (recording.state === 'expired' || recording.state === 'revoked') {
    await meetExpectation(tx, meeting.id, by);
    return;
  }

  const files = new Map(recording.files.map((file) => [file.id, file]));
  for (const file of vendor.files) files.set(file.id, { ...file });
  const facts = {
    files: [...files.values()],
    startedAt: vendor.startedAt ?? recording.startedAt,
    endedAt: vendor.endedAt ?? recording.endedAt,
    readyAt: recording.readyAt ?? (isWatchable({ files: [...files.values()] }) ? gateway.now() : null),
  };
  const known = await updateRecording(tx, { id: recording.id, from: [recording.state] }, facts);
  if (known === undefined) return;
  // A transcript alone is no recording yet: what was told of the others got lost, or comes later.
  if (!isWatchable(known)) {
    if (by === 'webhook') await lookSoon(tx, gateway, meeting.id);
    return;
  }
  await meetExpectation(tx, meeting.id, by);
  // Something of it was deleted at the vendor, maybe after this was said of its files: the vendor is asked which are there.
  if (by === 'webhook' && known.vendorEndedAt !== null) await suspectGone(tx, gateway, known.id);
  if (known.state !== 'processing') return;
  // No vendor records in the cloud for a free plan. Of a link that was made elsewhere the account is not known.
  if (meeting.linkSource === 'created' && meeting.connectionId !== null) await learnPlan(tx, meeting.connectionId, 'paid');

  const policy = await policyFor(tx, meeting);
  const verdict = await verdictOn(tx, policy, meeting);
  if (verdict.publish) await publish(tx, gateway, policy, meeting, known);
  else await withhold(tx, gateway, meeting, known, verdict.reason);
}

const isWatchable = ({ files }: Pick<VendorRecording, 'files'> | Pick<Recording, 'files'>): boolean =>
  files.some(({ kind }) => kind === 'video' || kind === 'audio');

/**
 * Shows it to nobody, for now. Links that were given out stay, and are answered with 410 meanwhile. What nobody publishes ends by itself
 * (G12, G15).
 */
export async function withhold(
  tx: Writer,
  gateway: Gateway,
  meeting: Meeting,
  recording: Recording,
  reason: WithheldReason,
): Promise<Recording | undefined> {
  const readyAt = recording.readyAt ?? gateway.now();
  const due = recording.state === 'processing' ? null : recording.expiresAt;
  const expiresAt = due ?? expiryOf(await policyFor(tx, meeting), { readyAt, publishedAt: null });
  const withheld = await updateRecording(
    tx,
    { id: recording.id, from: ['processing', 'published'] },
    { state: 'withheld', reason, expiresAt, linkSealed: null },
  );
  if (withheld === undefined) return undefined;
  await closeShareSoon(tx, gateway, withheld);
  await scheduleJob(tx, { kind: 'recording.expire', subjectId: recording.id, dueAt: expiresAt });
  await tellWithheld(tx, gateway, meeting, withheld);
  return withheld;
}

/** Of one that was published before, each time is news. */
export const tellWithheld = (tx: Writer, gateway: Gateway, meeting: Meeting, recording: Recording): Promise<boolean> => {
  const { expiresAt, publishedAt, reason } = recording;
  const key = publishedAt === null && reason !== 'recovered' ? 'once' : newId(gateway, 'evt');
  // Withheld, it has both.
  const why = { reason: reason as WithheldReason, expires_at: expiresAt!.toISOString() };
  return tellRecording(tx, gateway, meeting, recording, 'recording.withheld', why, key);
};

/** A withheld one, once every consent is there. @throws Failure `consent_missing`, `conflict` */
export async function publishWithheld(tx: Writer, gateway: Gateway, meeting: Meeting, { id }: Recording): Promise<Recording> {
  await lockMeeting(tx, meeting.id);
  const recording = (await findRecording(tx, id))!;
  if (recording.state !== 'withheld') throw new Failure('conflict', `The recording is ${recording.state}.`);
  // The day of expiry counts from its moment, not from when the job gets to it.
  if (recording.expiresAt !== null && recording.expiresAt <= gateway.now()) throw new Failure('conflict', 'The recording is expired.');
  // After it was recovered, until the vendor was asked for its files.
  if (recording.source === 'provider' && !isWatchable(recording))
    throw new Failure('conflict', 'The files of the recording are not known (again) yet.');
  const policy = await policyFor(tx, meeting);
  const verdict = await verdictOn(tx, policy, meeting);
  if (!verdict.publish && verdict.reason === 'consent_missing')
    throw new Failure('consent_missing', 'Not every customer has consented to the recording.');
  return publish(tx, gateway, policy, meeting, recording);
}

/**
 * One personal link per recipient, for as long as the policy says (G15, G17). One that was published before is shown again under the same
 * links, and its days go on; one that the vendor has recovered, under new links. @throws Failure `conflict`
 */
export async function publish(tx: Writer, gateway: Gateway, policy: Policy, meeting: Meeting, recording: Recording): Promise<Recording> {
  const at = gateway.now();
  const publishedAt = recording.publishedAt ?? at;
  const readyAt = recording.readyAt ?? at;
  const expiresAt =
    recording.publishedAt !== null && recording.expiresAt !== null ? recording.expiresAt : expiryOf(policy, { readyAt, publishedAt });
  // The policy may have become shorter while it was withheld.
  if (expiresAt <= at) throw new Failure('conflict', 'By the policy its time would be over already.');
  const published = await updateRecording(
    tx,
    { id: recording.id, from: ['processing', 'withheld'] },
    { state: 'published', reason: null, readyAt, publishedAt, expiresAt },
  );
  if (published === undefined) throw new Failure('conflict', 'The recording has just changed. Try again.');
  const given = await giveLinks(tx, gateway, published, await recipientsOf(tx, policy, meeting), {
    anew: recording.reason === 'recovered',
  });
  await scheduleJob(tx, { kind: 'recording.expire', subjectId: recording.id, dueAt: expiresAt });
  await tellPublished(tx, gateway, meeting, published, given, recording.publishedAt === null ? 'once' : newId(gateway, 'evt'));
  return published;
}

/** A later buyer gets a link of one's own to what is published. Whose consent counts and is missing, withholds it from everybody (G12). */
export async function shareWith(tx: Writer, gateway: Gateway, meeting: Meeting, customerId: string): Promise<void> {
  const published = (await listRecordings(tx, meeting.id)).filter(({ state }) => state === 'published');
  if (published.length === 0) return;
  const verdict = await verdictOn(tx, await policyFor(tx, meeting), meeting);
  const isMissing = !verdict.publish && verdict.reason === 'consent_missing';
  for (const recording of published) {
    if (isMissing && recording.source === 'provider') await withhold(tx, gateway, meeting, recording, 'consent_missing');
    else {
      const given = await giveLinks(tx, gateway, recording, [customerId], { anew: false });
      if (given.length > 0) await tellPublished(tx, gateway, meeting, recording, given, given[0]!.id);
    }
  }
}

/** A customer who bought says no: what is published of the meeting is shown to nobody any more (G12). */
export async function withholdRefused(tx: Writer, gateway: Gateway, meeting: Meeting): Promise<void> {
  const published = (await listRecordings(tx, meeting.id)).filter(({ state, source }) => state === 'published' && source === 'provider');
  if (published.length === 0) return;
  const verdict = await verdictOn(tx, await policyFor(tx, meeting), meeting);
  if (verdict.publish || verdict.reason !== 'consent_missing') return;
  for (const recording of published) await withhold(tx, gateway, meeting, recording, 'consent_withdrawn');
}

/**
 * The last consent has just come: what is withheld may be published, which waits for the marketplace (G12). `consentId`: of that decision;
 * whoever says no and yes again brings it about once more.
 */
export async function tellPublishable(tx: Writer, gateway: Gateway, meeting: Meeting, consentId: string): Promise<void> {
  const withheld = (await listRecordings(tx, meeting.id)).filter(
    ({ state, source, expiresAt }) => state === 'withheld' && source === 'provider' && (expiresAt === null || expiresAt > gateway.now()),
  );
  if (withheld.length === 0 || !(await verdictOn(tx, await policyFor(tx, meeting), meeting)).publish) return;
  for (const recording of withheld) {
    const { reason, expiresAt } = recording;
    const more = { reason: reason as WithheldReason, expires_at: expiresAt!.toISOString() };
    await tellRecording(tx, gateway, meeting, recording, 'recording.publishable', more, consentId);
  }
}

/** In several events where there are many links. `recording` has been published. */
async function tellPublished(
  tx: Writer,
  gateway: Gateway,
  meeting: Meeting,
  recording: Recording,
  given: readonly GivenLink[],
  key: string,
): Promise<void> {
  const more = { published_at: recording.publishedAt!.toISOString(), expires_at: recording.expiresAt!.toISOString() };
  const links = given.map(({ customerId, url }) => ({ customer_id: customerId, url }));
  await emitAll(
    tx,
    gateway,
    inPieces(key, links).map((piece) => ({
      ...recordingEvent(meeting, recording, 'recording.published', piece.key, more),
      links: { links: [...piece.items] },
    })),
  );
}

export const newRecording = (gateway: Gateway, meeting: Meeting, vendorRecordingId: string): Recording => {
  const blank = blankRecording(gateway, meeting, recordingFingerprint(meeting, vendorRecordingId));
  return { ...blank, vendorRecordingSealed: gateway.vault.seal(vendorRecordingId, vendorRecordingContext(blank.id)) };
};
