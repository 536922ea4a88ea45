import { randomBytes } from 'node:crypto';
import { compactVerify, createLocalJWKSet, createRemoteJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet } from 'jose';
import { expect, it } from 'vitest';
import { visit } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import type { Provider, RecordingRemoval, RecordingShares } from '../../providers/provider.ts';
import { rotateEncryptionKey } from '../../src/connections/rotate.ts';
import { createVault } from '../../src/connections/vault.ts';
import { Failure, type FailureCode } from '../../src/domain/failure.ts';
import { sign } from '../../src/evidence/signing.ts';
import { verifyAudit } from '../../src/evidence/verify-audit.ts';
import { findRecording } from '../../src/store/recordings.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { boughtMeeting, databaseOf, DAY, happen, HOUR, MINUTE, must, setPolicy, settled } from '../support/gateway.ts';
import { connect, testWorld } from '../support/world.ts';

const SECOND = 1_000;

interface VendorSide {
  /** What was asked of it, in order. */
  readonly asked: string[];
  shown: boolean;
  there: boolean;
  /** What it answers instead, to everything or to these calls. */
  trouble: FailureCode | undefined;
  troubled: readonly string[] | undefined;
  /** It says that it has done it, and has not. */
  lies: boolean;
}

/** A Zoom whose recordings can be shown and deleted, as the contract of the adapters describes it. */
function vendorThatEnds(world: World, { scopes = [] as readonly string[] } = {}): VendorSide {
  const side: VendorSide = { asked: [], shown: true, there: true, trouble: undefined, troubled: undefined, lies: false };
  const asked = (what: string): void => {
    side.asked.push(what);
    if (side.trouble !== undefined && side.troubled?.includes(what) !== false) throw new Failure(side.trouble, 'As the test wants it.');
  };
  const shares: RecordingShares = {
    scopes,
    open: () => Promise.reject(new Error('nothing is opened at the end')),
    close: async () => {
      asked('close');
      side.shown = side.lies && side.shown;
    },
    isOpen: async () => {
      asked('isOpen');
      return side.shown;
    },
  };
  const removal: RecordingRemoval = {
    scopes,
    remove: async () => {
      asked('remove');
      side.there = side.lies && side.there;
    },
    isGone: async () => {
      asked('isGone');
      return !side.there;
    },
  };
  const providers = world.gateway.gateway.providers as Map<string, Provider>;
  const zoom = providers.get('zoom')!;
  providers.set('zoom', { ...zoom, recordings: { ...zoom.recordings, shares, removal } });
  return side;
}

const deletes = (world: World) => setPolicy(world, { recording: { delete_at_vendor: true } });

/** Held, recorded and published. */
async function published(world: World) {
  await connect(world, 'zoom');
  await settled(world);
  const meeting = await boughtMeeting(world, { provider: 'zoom', recording: 'on_consent' });
  const consent = { decision: 'granted', locale: 'en', text_version: 'v1' };
  must(await world.api('PUT', `/v1/meetings/${meeting.id}/attendees/cus_1/recording-consent`, consent), 200);
  for (const action of ['start', 'join', 'end', 'finish-recording']) await happen(world, meeting, action, { name: 'Ada' });
  const event = await world.receiver.waitFor('recording.published', ({ type }) => type === 'recording.published');
  const id = String(event.data['recording_id']);
  const link = (event.data['links'] as { url: string }[])[0]!.url;
  await settled(world);
  return { meeting, id, link };
}

const showAtVendor = ({ gateway, now }: World, id: string) =>
  gateway.gateway.db.write(async (tx) => {
    const { eq } = await import('drizzle-orm');
    await tx.update(tx.t.recordings).set({ sharedAt: now() }).where(eq(tx.t.recordings.id, id));
  });

const stored = async ({ gateway }: World, id: string) => (await findRecording(gateway.gateway.db.read, id))!;
const told = ({ receiver }: World, type: string) => receiver.events.filter((event) => event.type === type).map(({ data }) => data);
const certificateOf = ({ api }: World, id: string) => api('GET', `/v1/recordings/${id}/deletion-certificate`);

const jump = async (world: World, ms: number): Promise<void> => {
  world.jump(ms);
  world.gateway.gateway.wake();
  await settled(world);
};

describeOnBothDatabases('the end of a recording', (_open, engine) => {
  const aWorld = async (): Promise<World> => testWorld({ databaseUrl: await databaseOf(engine) });

  it('G15 case 111: at the vendor comes first to its links, then to itself there, read back, then to what names it', async () => {
    const world = await aWorld();
    const vendor = vendorThatEnds(world);
    await deletes(world);
    const { id, link, meeting } = await published(world);
    await showAtVendor(world, id);
    vendor.trouble = 'vendor_unavailable';
    await jump(world, 14 * DAY);

    expect((await visit(link, { headers: { accept: 'text/html' } })).status).toBe(410);
    expect(told(world, 'recording.expired')).toMatchObject([{ recording_id: id, erased_at: null }]);
    expect(told(world, 'recording.deletion_failed')).toMatchObject([{ recording_id: id, reason: 'vendor_unavailable', final: false }]);
    const waiting = await stored(world, id);
    expect(waiting).toMatchObject({ state: 'expired', vendorEnding: 'pending', erasedAt: null, files: [], title: null });
    expect(waiting.vendorRecordingSealed).not.toBeNull();
    expect((await certificateOf(world, id)).status).toBe(409);

    vendor.trouble = undefined;
    await jump(world, 2 * MINUTE);
    // What is deleted has no page to be closed.
    expect(vendor.asked).toEqual(['remove', 'close', 'remove', 'isGone']);
    const gone = await stored(world, id);
    expect(gone).toMatchObject({ state: 'expired', vendorEnding: 'confirmed', vendorRecordingSealed: null, sharedAt: null });
    expect(gone.erasedAt).toEqual(world.now());
    expect(told(world, 'recording.deleted')).toMatchObject([
      {
        recording_id: id,
        meeting_id: meeting.id,
        at_vendor: { ending: 'confirmed', ended_at: world.now().toISOString(), closed: false, deleted: true },
      },
    ]);
    expect(told(world, 'recording.erased')).toEqual([]);
    expect(told(world, 'recording.deletion_failed')).toHaveLength(1);
    expect(must(await world.api('GET', `/v1/recordings/${id}`), 200).json).toMatchObject({
      at_vendor: { ending: 'confirmed', ended_at: world.now().toISOString() },
    });
  });

  it('is not believed before it was read back', async () => {
    const world = await aWorld();
    const vendor = vendorThatEnds(world);
    vendor.lies = true;
    await deletes(world);
    const { id } = await published(world);
    await jump(world, 14 * DAY);
    expect(told(world, 'recording.deletion_failed')).toMatchObject([{ reason: 'vendor_nonsense', final: false }]);
    expect(await stored(world, id)).toMatchObject({ vendorEnding: 'pending', erasedAt: null });
    vendor.lies = false;
    await jump(world, 2 * MINUTE);
    expect(await stored(world, id)).toMatchObject({ vendorEnding: 'confirmed' });
  });

  it('is given up after two weeks, and what is here is erased all the same', async () => {
    const world = await aWorld();
    const vendor = vendorThatEnds(world);
    await deletes(world);
    const { id } = await published(world);
    vendor.trouble = 'vendor_unavailable';
    await jump(world, 14 * DAY);
    for (let days = 1; days <= 13; days += 1) {
      const before = vendor.asked.length;
      await jump(world, DAY);
      expect(vendor.asked.length).toBeGreaterThan(before);
    }
    expect(await stored(world, id)).toMatchObject({ vendorEnding: 'pending' });
    await jump(world, DAY + 6 * HOUR);
    expect(await stored(world, id)).toMatchObject({ vendorEnding: 'given_up', vendorRecordingSealed: null, vendorEndedAt: null });
    expect(told(world, 'recording.deletion_failed')).toMatchObject([{ final: false }, { reason: 'vendor_unavailable', final: true }]);
    expect(told(world, 'recording.deleted')).toEqual([]);
  });

  it('is here alone where the account does not allow it at the vendor, which is told once', async () => {
    const world = await aWorld();
    const vendor = vendorThatEnds(world, { scopes: ['never:granted'] });
    await deletes(world);
    const { id } = await published(world);
    await jump(world, 14 * DAY);
    expect(vendor.asked).toEqual([]);
    expect(await stored(world, id)).toMatchObject({ vendorEnding: 'not_capable', vendorRecordingSealed: null });
    expect(told(world, 'recording.expired')).toMatchObject([{ erased_at: world.now().toISOString() }]);
    expect(told(world, 'recording.deletion_failed')).toMatchObject([{ reason: 'not_capable', final: true }]);
  });

  it('leaves the recording at the vendor alone where the policy does not want it deleted, closes its page there, and says no more than that', async () => {
    const world = await aWorld();
    const vendor = vendorThatEnds(world);
    const { id } = await published(world);
    await showAtVendor(world, id);
    await jump(world, DAY);
    must(await world.api('POST', `/v1/recordings/${id}/revoke`, {}), 200);
    await settled(world);
    expect(vendor.asked).toEqual(['close', 'isOpen']);
    expect(vendor.there).toBe(true);
    expect(await stored(world, id)).toMatchObject({ state: 'revoked', reason: 'marketplace', vendorEnding: 'confirmed' });
    const done = { ending: 'confirmed', closed: true, deleted: false };
    expect(told(world, 'recording.deleted')).toEqual([]);
    expect(told(world, 'recording.erased')).toMatchObject([{ recording_id: id, at_vendor: done }]);
    const { certificate } = must(await certificateOf(world, id), 200).json as { certificate: string };
    expect(decodeJwt(certificate)).toMatchObject({ at_vendor: { ...done, read_back: true } });
  });

  it('G15 is not confirmed while the vendor may still carry out what was asked before: its page is closed at once, and once more', async () => {
    const world = await aWorld();
    const vendor = vendorThatEnds(world);
    const { id } = await published(world);
    await showAtVendor(world, id);
    must(await world.api('POST', `/v1/recordings/${id}/revoke`, {}), 200);
    await settled(world);
    expect([vendor.shown, (await stored(world, id)).vendorEnding]).toEqual([false, 'pending']);
    expect((await certificateOf(world, id)).status).toBe(409);
    // A click of before, whose process has died since.
    vendor.shown = true;
    await jump(world, 3 * MINUTE);
    expect([vendor.shown, (await stored(world, id)).vendorEnding]).toEqual([false, 'confirmed']);
    expect(told(world, 'recording.deletion_failed')).toEqual([]);
  });

  it('G15 closes its page where the vendor refuses to delete it, and does not depend on that where it does', async () => {
    const world = await aWorld();
    const vendor = vendorThatEnds(world);
    await deletes(world);
    const { id } = await published(world);
    await showAtVendor(world, id);
    vendor.trouble = 'vendor_nonsense';
    vendor.troubled = ['close', 'isOpen'];
    await jump(world, 14 * DAY);
    expect(vendor.asked).toEqual(['remove', 'isGone']);
    expect(await stored(world, id)).toMatchObject({ vendorEnding: 'confirmed' });

    const other = await aWorld();
    const refusing = vendorThatEnds(other);
    await deletes(other);
    const second = await published(other);
    await showAtVendor(other, second.id);
    refusing.trouble = 'not_capable';
    refusing.troubled = ['remove'];
    await jump(other, 14 * DAY);
    expect(refusing).toMatchObject({ asked: ['remove', 'close', 'isOpen'], shown: false, there: true });
    expect(await stored(other, second.id)).toMatchObject({ vendorEnding: 'not_capable' });
    expect(told(other, 'recording.deletion_failed')).toMatchObject([{ reason: 'not_capable', final: true }]);
  });

  it('case 109: comes for links in answers that are kept for repeats, too', async () => {
    const world = await aWorld();
    await connect(world, 'zoom');
    await settled(world);
    const meeting = await boughtMeeting(world, { provider: 'zoom', recording: 'on_consent' });
    for (const action of ['start', 'join', 'end', 'finish-recording']) await happen(world, meeting, action, { name: 'Ada' });
    const event = await world.receiver.waitFor('recording.withheld', ({ type }) => type === 'recording.withheld');
    const id = String(event.data['recording_id']);
    const consent = { decision: 'granted', locale: 'en', text_version: 'v1' };
    must(await world.api('PUT', `/v1/meetings/${meeting.id}/attendees/cus_1/recording-consent`, consent), 200);
    const publish = () => world.api('POST', `/v1/recordings/${id}/publish`, undefined, { 'idempotency-key': 'publish-1' });
    const first = must(await publish(), 200);
    expect(first.text).toContain('/r/');
    const again = must(await publish(), 200);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(again.json).toEqual(first.json);
    must(await world.api('POST', `/v1/recordings/${id}/revoke`, {}), 200);
    const after = must(await publish(), 200);
    expect(after.headers.get('idempotency-replayed')).toBe('true');
    expect(after.text).not.toContain('/r/');
  });

  it('G15 case 128: is certified, for whoever knows nothing but the public keys, under another encryption key as well', async () => {
    const world = await aWorld();
    const vendor = vendorThatEnds(world);
    await deletes(world);
    const { id, meeting } = await published(world);
    expect(await certificateOf(world, id)).toMatchObject({ status: 409, json: { code: 'conflict' } });
    const publishedAt = (await stored(world, id)).publishedAt!.toISOString();
    await jump(world, 14 * DAY);
    expect(vendor.there).toBe(false);

    const { certificate } = must(await certificateOf(world, id), 200).json as { certificate: string };
    const keys = createRemoteJWKSet(new URL(`${world.publicUrl}/.well-known/jwks.json`));
    const { payload, protectedHeader } = await compactVerify(certificate, keys, { algorithms: ['EdDSA'] });
    expect(protectedHeader).toMatchObject({ alg: 'EdDSA', typ: 'deletion-certificate+jwt' });
    const claims = JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown>;
    const now = world.now().toISOString();
    expect(claims).toMatchObject({
      iss: world.publicUrl,
      sub: id,
      iat: Math.floor(world.now().getTime() / SECOND),
      meeting_id: meeting.id,
      marketplace: world.marketplaceId,
      published_at: publishedAt,
      ended: { as: 'expired', at: now, reason: null },
      erased_at: now,
      personal_links: 1,
      at_vendor: { ending: 'confirmed', ended_at: now, closed: false, deleted: true, read_back: true },
    });
    const { db } = world.gateway.gateway;
    const { audit } = claims as { audit: { entry: string; seq: number; hash: string } };
    const entries = await db.read.select().from(db.read.t.audit);
    expect(entries.find(({ seq }) => seq === audit.seq)).toMatchObject({ id: audit.entry, hash: audit.hash, action: 'recording.erased' });
    expect(await verifyAudit(db)).toMatchObject([{ broken: null }]);

    const published_ = (await visit(`${world.publicUrl}/.well-known/jwks.json`)).json as unknown as JSONWebKeySet;
    expect(published_.keys).toHaveLength(1);
    expect(published_.keys[0]).not.toHaveProperty('d');
    const forged = certificate.split('.').with(1, Buffer.from(JSON.stringify({ ...claims, sub: 'rec_other' })).toString('base64url'));
    await expect(compactVerify(forged.join('.'), createLocalJWKSet(published_))).rejects.toThrow('signature verification failed');

    const newest = { id: 'newest', key: randomBytes(32) };
    const { config, now: clock, random } = world.gateway.gateway;
    await rotateEncryptionKey({
      db,
      now: clock,
      providers: new Map(),
      vault: createVault({ keys: [newest, ...config.encryptionKeys!], random }),
    });
    const vault = createVault({ keys: [newest], random });
    const later = await sign({ db, now: clock, vault }, 'deletion-certificate+jwt', claims);
    expect(decodeProtectedHeader(later).kid).toBe(protectedHeader.kid);
    await compactVerify(later, createLocalJWKSet(published_));
  });

  it('is signed by one key, also when two processes make it at the same moment', async () => {
    const world = await aWorld();
    const { gateway } = world.gateway;
    const statements = await Promise.all(Array.from({ length: 8 }, (_, n) => sign(gateway, 'test+jwt', { n })));
    const keys = (await visit(`${world.publicUrl}/.well-known/jwks.json`)).json as unknown as JSONWebKeySet;
    expect(keys.keys).toHaveLength(1);
    for (const statement of statements) await compactVerify(statement, createLocalJWKSet(keys));
  });

  it('G15 of a crowd comes in one go, each of them once and none before its time', async () => {
    const world = await aWorld();
    const { id } = await published(world);
    const { db, now } = world.gateway.gateway;
    const model = await stored(world, id);
    const job = { leasedUntil: null, attempts: 0, deadAt: null, lastError: null };
    const copies = Array.from({ length: 500 }, (_, n) => ({
      ...model,
      id: `rec_${n}`,
      fingerprint: `copy ${n}`,
      expiresAt: new Date(model.expiresAt!.getTime() + (n % 2) * HOUR),
    }));
    await db.write(async (tx) => {
      await tx.insert(tx.t.recordings).values(copies);
      // What is looked at is what is told, not its delivery.
      await tx.update(tx.t.webhookEndpoints).set({ disabledAt: now() });
      await tx.insert(tx.t.jobs).values(
        copies.map((copy) => ({
          id: `recording.expire:${copy.id}`,
          kind: 'recording.expire',
          subjectId: copy.id,
          dueAt: model.expiresAt!,
          ...job,
        })),
      );
    });
    await jump(world, 14 * DAY);
    const all = await db.read.select().from(db.read.t.recordings);
    expect(all.filter(({ erasedAt }) => erasedAt !== null)).toHaveLength(251);
    expect(all.filter(({ state, expiresAt }) => state === 'published' && expiresAt! > now())).toHaveLength(250);
    await jump(world, HOUR);
    const expired = (await db.read.select().from(db.read.t.events)).filter(({ type }) => type === 'recording.expired');
    expect(expired).toHaveLength(501);
    expect(new Set(expired.map(({ subjectId }) => subjectId)).size).toBe(501);
    expect((await db.read.select().from(db.read.t.jobs)).filter(({ kind }) => kind === 'recording.expire')).toEqual([]);
    expect(await verifyAudit(db)).toMatchObject([{ broken: null }]);
  });
});
