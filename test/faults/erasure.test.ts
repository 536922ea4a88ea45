/** What is said to be erased, searched for in the files of the database: not by its columns, but byte by byte. */
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { eq, inArray } from 'drizzle-orm';
import { expect, it } from 'vitest';
import type { World } from '../../demo/world.ts';
import { inboxContext, recordingLinkContext, recordingPlaceContext } from '../../src/connections/sealed.ts';
import { hashToken } from '../../src/domain/token.ts';
import { emit } from '../../src/events/emit.ts';
import { recordingEvent } from '../../src/recordings/tell.ts';
import { scheduleJob } from '../../src/store/jobs.ts';
import { findMeeting } from '../../src/store/meetings.ts';
import { findRecording } from '../../src/store/recordings.ts';
import { describeOnBothDatabases, raw, type Engine } from '../support/databases.ts';
import { boughtMeeting, databaseOf, DAY, eventually, happen, HOUR, must, settled, vendorState } from '../support/gateway.ts';
import { connect, testWorld } from '../support/world.ts';

/** As much of a value as identifies it; longer ones may lie in several pieces. */
const MARK_BYTES = 200;

const TRACES = { error: 'canary-error-of-a-job', echo: 'canary-echo-of-a-receiver' };

describeOnBothDatabases('the files of the database', (_open, engine) => {
  it(
    'G15 T13 case 128: have nothing of a recording or of what was sold any more when its time is over, neither in the clear nor sealed',
    { timeout: 120_000 },
    async () => {
      const databaseUrl = await databaseOf(engine);
      const world = await testWorld({ databaseUrl });
      const canaries = { ...(await recordedAtVendor(world)), ...(await uploaded(world)), ...(await sold(world)), ...TRACES };
      await leaveTraces(world, canaries);
      const sealed = await sealedValues(world);
      // The search is worth something only if it finds what is there.
      expect([...new Set(sealed.map(({ column }) => column))].toSorted()).toEqual([
        'contentLinks.tokenSealed',
        'contents.linkSealed',
        'events.linksSealed',
        'idempotencyKeys.bodySealed',
        'inbox.bodySealed',
        'recordingLinks.tokenSealed',
        'recordings.linkSealed',
        'recordings.vendorRecordingSealed',
      ]);
      const before = await files(databaseUrl, engine, world);
      for (const { column, mark } of sealed) expect(before.includes(mark), column).toBe(true);
      for (const name of ['fileId', 'title', 'error', 'echo'] as const) expect(before.includes(canaries[name]), name).toBe(true);

      world.jump(14 * DAY);
      world.gateway.gateway.wake();
      await settled(world);
      expect(
        (await world.gateway.gateway.db.read.select().from(world.gateway.gateway.db.read.t.recordings)).map(({ state }) => state),
      ).toEqual(['expired', 'expired']);

      // PostgreSQL's log is the operator's (docs/operations.md).
      const log = engine.dialect === 'sqlite' ? await logAfterSweep(databaseUrl, world, sealed) : Buffer.alloc(0);
      for (const [name, value] of Object.entries(canaries)) expect(log.includes(value), name).toBe(false);

      // On PostgreSQL a row is kept through a vacuum for as long as any transaction could still see it.
      if (engine.dialect === 'postgres') await world.gateway.close();
      const after = await files(databaseUrl, engine, world);
      for (const { column, mark } of sealed) expect(after.includes(mark), column).toBe(false);
      for (const [name, value] of Object.entries(canaries)) expect(after.includes(value), name).toBe(false);
    },
  );
});

/** A recording as the vendor announces it; what of it is the vendor's. */
async function recordedAtVendor(world: World) {
  await connect(world, 'zoom');
  await settled(world);
  const meeting = await boughtMeeting(world, { provider: 'zoom', recording: 'on_consent' });
  for (const action of ['start', 'join', 'end', 'finish-recording']) await happen(world, meeting, action, { name: 'Ada' });
  const { data } = await world.receiver.waitFor('recording.withheld', ({ type }) => type === 'recording.withheld');
  const id = String(data['recording_id']);
  const consent = { decision: 'granted', locale: 'en', text_version: 'v1' };
  must(await world.api('PUT', `/v1/meetings/${meeting.id}/attendees/cus_1/recording-consent`, consent), 200);
  must(await world.api('POST', `/v1/recordings/${id}/publish`, undefined, { 'idempotency-key': 'publish' }), 200);
  await settled(world);
  const { recordings } = await vendorState(world, 'zoom');
  const [recording] = recordings as unknown as { uuid: string; passcode: string }[];
  const { db } = world.gateway.gateway;
  const stored = (await findRecording(db.read, id))!;
  return { uuid: recording!.uuid, vendorPasscode: recording!.passcode, fileId: stored.files[0]!.id };
}

/** A link that the professional uploaded. */
async function uploaded(world: World) {
  const { db, vault, now } = world.gateway.gateway;
  const [model] = await db.read.select().from(db.read.t.recordings);
  const canaries = {
    title: 'canary-title-of-the-upload',
    url: 'https://canary.example/upload/of-the-professional',
    passcode: 'canary-passcode-1',
    token: randomBytes(32).toString('base64url'),
  };
  const { title, url, passcode, token } = canaries;
  const id = 'rec_uploaded';
  const linkId = 'rcl_uploaded';
  await db.write(async (tx) => {
    await tx.insert(tx.t.recordings).values({
      ...model!,
      id,
      title,
      source: 'upload',
      fingerprint: 'of the upload',
      vendorRecordingSealed: null,
      files: [],
      linkSealed: vault.seal(JSON.stringify({ url, passcode }), recordingPlaceContext(id)),
    });
    await tx.insert(tx.t.recordingLinks).values({
      id: linkId,
      marketplaceId: model!.marketplaceId,
      recordingId: id,
      kind: 'recipient',
      customerId: 'cus_1',
      incidentId: null,
      tokenHash: hashToken(token),
      tokenSealed: vault.seal(token, recordingLinkContext(linkId)),
      views: 0,
      firstViewedAt: null,
      expiresAt: null,
      revokedAt: null,
      createdAt: now(),
    });
    const meeting = (await findMeeting(tx, model!.meetingId))!;
    const [published_at, expires_at] = [model!.publishedAt!.toISOString(), model!.expiresAt!.toISOString()];
    const event = recordingEvent(meeting, { id }, 'recording.published', 'once', { published_at, expires_at });
    await emit(tx, world.gateway.gateway, { ...event, links: { links: [{ customer_id: 'cus_1', url: `${world.publicUrl}/r/${token}` }] } });
    await scheduleJob(tx, { kind: 'recording.expire', subjectId: id, dueAt: model!.expiresAt! });
  });
  await settled(world);
  return canaries;
}

/** A link that is for sale, and bought. */
async function sold(world: World) {
  const canaries = {
    soldTitle: 'canary-title-of-what-is-sold',
    soldUrl: 'https://drive.google.com/file/d/canary-of-what-is-sold/view',
    soldPasscode: 'canary-passcode-2',
  };
  const { soldTitle: title, soldUrl: url, soldPasscode: passcode } = canaries;
  const sale = { booking: { id: 'bk_sale' }, professional_id: 'pro_1' };
  must(await world.api('POST', '/v1/contents', { ...sale, title, url, passcode }), 201);
  const access = must(await world.api('POST', '/v1/contents/access', { booking_id: 'bk_sale', customer_id: 'cus_1' }), 201).json;
  await settled(world);
  return { ...canaries, soldToken: new URL(String(access['url'])).pathname.slice('/s/'.length) };
}

/** What a receiver echoes, what a job failed with, and a delivery of the vendor that could not be applied. */
async function leaveTraces(world: World, { url, uuid }: { url: string; uuid: string }): Promise<void> {
  const { db, now, vault } = world.gateway.gateway;
  const [recording] = await db.read.select().from(db.read.t.recordings).where(eq(db.read.t.recordings.source, 'provider'));
  await db.write(async (tx) => {
    const { deliveryAttempts, deliveries, events, inbox, jobs } = tx.t;
    const about = tx
      .select({ id: events.id })
      .from(events)
      .where(inArray(events.type, ['recording.published', 'content.published']));
    const sent = tx.select({ id: deliveries.id }).from(deliveries).where(inArray(deliveries.eventId, about));
    await tx.update(deliveryAttempts).set({ answer: TRACES.echo }).where(inArray(deliveryAttempts.deliveryId, sent));
    const failed = { attempts: 3, deadAt: now(), lastError: TRACES.error };
    const look = {
      id: `recording.look:${recording!.meetingId}`,
      kind: 'recording.look',
      subjectId: recording!.meetingId,
      dueAt: now(),
      leasedUntil: null,
      ...failed,
    };
    // There may be one already: it is looked for what else was recorded.
    await tx.insert(jobs).values(look).onConflictDoUpdate({ target: jobs.id, set: failed });
    await tx.insert(inbox).values({
      key: 'zoom/parked',
      provider: 'zoom',
      bodySealed: vault.seal(JSON.stringify({ download_url: url, uuid }), inboxContext('zoom/parked')),
      state: 'parked',
      reason: 'vendor_nonsense',
      receivedAt: now(),
      dueAt: now(),
      leasedUntil: null,
      attempts: 12,
    });
  });
}

/** The ciphertexts by which a recording could be found again, as they are now. */
async function sealedValues(world: World): Promise<{ column: string; mark: Buffer }[]> {
  const { read } = world.gateway.gateway.db;
  const { contentLinks, contents, events, idempotencyKeys, inbox, recordingLinks, recordings } = read.t;
  const told = inArray(events.type, ['recording.published', 'content.published']);
  const values: Record<string, (Buffer | null)[]> = {
    'recordings.vendorRecordingSealed': (await read.select().from(recordings)).map((row) => row.vendorRecordingSealed),
    'recordings.linkSealed': (await read.select().from(recordings)).map((row) => row.linkSealed),
    'recordingLinks.tokenSealed': (await read.select().from(recordingLinks)).map((row) => row.tokenSealed),
    'events.linksSealed': (await read.select().from(events).where(told)).map((row) => row.linksSealed),
    'contents.linkSealed': (await read.select().from(contents)).map((row) => row.linkSealed),
    'contentLinks.tokenSealed': (await read.select().from(contentLinks)).map((row) => row.tokenSealed),
    'inbox.bodySealed': (await read.select().from(inbox)).map((row) => row.bodySealed),
    'idempotencyKeys.bodySealed': (await read.select().from(idempotencyKeys)).map((row) => row.bodySealed),
  };
  return Object.entries(values).flatMap(([column, all]) =>
    all.filter((value) => value !== null).map((value) => ({ column, mark: value.subarray(0, MARK_BYTES) })),
  );
}

/** The log, once the hourly sweep has emptied it of these. */
async function logAfterSweep(databaseUrl: string, world: World, sealed: readonly { readonly mark: Buffer }[]): Promise<Buffer> {
  world.jump(HOUR);
  await settled(world);
  return eventually('the hourly sweep has emptied the log', async () => {
    const bytes = await readFile(`${databaseUrl.slice('file:'.length)}-wal`);
    return sealed.some(({ mark }) => bytes.includes(mark)) ? undefined : bytes;
  });
}

/** All bytes of the database, after what an operator does who wants nothing to be left (docs/operations.md). */
async function files(databaseUrl: string, { dialect }: Engine, { gateway }: World): Promise<Buffer> {
  if (dialect === 'sqlite') {
    const path = databaseUrl.slice('file:'.length);
    await raw(path, 'vacuum');
    if (!(await gateway.gateway.db.checkpoint())) throw new Error('the log could not be emptied');
    const names = await readdir(dirname(path));
    if (!names.includes('gateway.db-wal')) throw new Error('the log is in a file that is not here');
    return Buffer.concat(await Promise.all(names.map((name) => readFile(join(dirname(path), name)))));
  }
  // In this order: the planner keeps samples of values, and the old samples are rows that are vacuumed away.
  await raw(databaseUrl, 'analyze');
  await raw(databaseUrl, 'vacuum full');
  await raw(databaseUrl, 'checkpoint');
  const [place] = await raw(
    databaseUrl,
    `select current_setting('data_directory') as folder, oid from pg_database where datname = current_database()`,
  );
  const folder = join(String(place!['folder']), 'base', String(place!['oid']));
  const names = await readdir(folder);
  if (names.length < 100) throw new Error('these are not all files');
  return Buffer.concat(await Promise.all(names.map((name) => readFile(join(folder, name)))));
}
