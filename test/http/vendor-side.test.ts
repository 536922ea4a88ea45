/** What happens to a recording at its vendor, and what happens there to it: all of it over the sandbox, by the adapters as they are. */
import { decodeJwt } from 'jose';
import { eq } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { visit } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { accountOf } from '../../src/connections/account.ts';
import { findConnection } from '../../src/store/connections.ts';
import { listRecordingMarksOf } from '../../src/store/recordings.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import {
  boughtMeeting,
  calls,
  databaseOf,
  DAY,
  eventually,
  fault,
  happen,
  MINUTE,
  must,
  setPolicy,
  settled,
  vendorState,
  type MeetingJson,
} from '../support/gateway.ts';
import { connect, testWorld, USERS, type Vendor } from '../support/world.ts';

interface RecordingJson {
  readonly id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly at_vendor: { readonly ending: string; readonly ended_at: string | null } | null;
  readonly files: readonly { readonly kind: string }[];
  readonly links: readonly { readonly url: string | null; readonly revoked_at: string | null }[];
}

const told = ({ receiver }: World, type: string) => receiver.events.filter((event) => event.type === type).map(({ data }) => data);
const again = async ({ api }: World, { id }: Pick<RecordingJson, 'id'>): Promise<RecordingJson> =>
  must(await api('GET', `/v1/recordings/${id}`), 200).json as unknown as RecordingJson;
const publish = async (world: World, { id }: RecordingJson) =>
  must(await world.api('POST', `/v1/recordings/${id}/publish`), 200).json as unknown as RecordingJson;
const row = async ({ gateway }: World, { id }: Pick<RecordingJson, 'id'>) => {
  const { read } = gateway.gateway.db;
  return (await read.select().from(read.t.recordings).where(eq(read.t.recordings.id, id)))[0]!;
};
const openLink = ({ links }: RecordingJson): string => links.find(({ revoked_at }) => revoked_at === null)!.url!;

async function decide(world: World, { id }: MeetingJson, decision: 'granted' | 'refused'): Promise<void> {
  const consent = { decision, locale: 'en', text_version: 'v1' };
  must(await world.api('PUT', `/v1/meetings/${id}/attendees/cus_1/recording-consent`, consent), 200);
  await settled(world);
}

/** Held, recorded and published. */
async function published(world: World, vendor: Vendor = 'zoom') {
  await connect(world, vendor);
  await settled(world);
  const meeting = await boughtMeeting(world, { provider: vendor, recording: 'on_consent' });
  await decide(world, meeting, 'granted');
  for (const action of ['start', 'join', 'end']) await happen(world, meeting, action, { name: 'Ada' });
  await happen(world, meeting, 'finish-recording');
  const event = await world.receiver.waitFor('recording.published', ({ type }) => type === 'recording.published');
  await settled(world);
  const recording = await again(world, { id: String(event.data['recording_id']) });
  return { meeting, recording, link: openLink(recording) };
}

async function jump(world: World, ms: number): Promise<void> {
  world.jump(ms);
  world.gateway.gateway.wake();
  await settled(world);
}

/** What the host's administrator lets apps do at Zoom. */
const administer = async ({ sandbox }: World, body: Readonly<Record<string, unknown>>) =>
  must(
    await visit(`${sandbox.url}/control/administer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
    200,
  );

/** The address that the button of the recording's page leads to. */
async function shared(link: string): Promise<string> {
  // The first click may come back to show a passcode.
  await visit(`${link}/media`);
  const answer = await visit(`${link}/media?passcode=seen`);
  expect(answer.status).toBe(303);
  return answer.headers.get('location')!;
}
const filesAtZoom = async (world: World) =>
  (await vendorState(world, 'zoom')).recordings![0]!['files'] as readonly { id: string; fileType: string }[];

describeOnBothDatabases('a recording at its vendor', (_open, engine) => {
  const start = async (recording: Readonly<Record<string, unknown>> = {}): Promise<World> => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await setPolicy(world, { recording });
    return world;
  };

  it('G15 is deleted there at its end, read back, and certified as that', async () => {
    const world = await start({ delete_at_vendor: true });
    const { recording } = await published(world);
    await jump(world, 14 * DAY);
    expect((await vendorState(world, 'zoom')).recordings).toEqual([]);
    expect(calls(world, 'zoom', 'DELETE', /\/recordings$/)).toHaveLength(1);
    expect(await again(world, recording)).toMatchObject({ state: 'expired', at_vendor: { ending: 'confirmed' } });
    expect(told(world, 'recording.deleted')).toMatchObject([{ recording_id: recording.id, at_vendor: { ending: 'confirmed' } }]);
    expect(told(world, 'recording.deletion_failed')).toEqual([]);
    const { json } = must(await world.api('GET', `/v1/recordings/${recording.id}/deletion-certificate`), 200);
    expect(decodeJwt(String(json['certificate']))).toMatchObject({ at_vendor: { ending: 'confirmed', read_back: true } });
  });

  it('G15 is erased here alone where the host forbids deleting, which is told once', async () => {
    const world = await start({ delete_at_vendor: true });
    const { recording } = await published(world);
    await administer(world, { vendor: 'zoom', deleting: { user: USERS.zoom, allowed: false } });
    await jump(world, 14 * DAY);
    await jump(world, 14 * DAY);
    expect((await vendorState(world, 'zoom')).recordings).toHaveLength(1);
    expect(await again(world, recording)).toMatchObject({ at_vendor: { ending: 'not_capable' } });
    expect((await row(world, recording)).vendorRecordingSealed).toBeNull();
    expect(told(world, 'recording.deletion_failed').filter(({ final }) => final === true)).toMatchObject([{ reason: 'not_capable' }]);
    expect(told(world, 'recording.deleted')).toEqual([]);
  });

  it.each(['microsoft-teams', 'google-meet'] as const)('G15 of %s is erased here alone, which is told once', async (vendor) => {
    const world = await start({ delete_at_vendor: true });
    const { recording } = await published(world, vendor);
    await jump(world, 14 * DAY);
    expect(await again(world, recording)).toMatchObject({ state: 'expired', at_vendor: { ending: 'not_capable', ended_at: null } });
    expect(await row(world, recording)).toMatchObject({ erasedAt: world.now(), vendorRecordingSealed: null });
    await jump(world, DAY);
    expect(told(world, 'recording.deletion_failed')).toMatchObject([{ recording_id: recording.id, reason: 'not_capable', final: true }]);
  });

  it('G18 has a page there that recipients are sent to, and that closes with its end', async () => {
    const world = await start({ delivery: 'redirect' });
    const { recording, link } = await published(world);
    const page = await shared(link);
    expect((await visit(page)).status).toBe(200);
    await jump(world, 14 * DAY);
    expect((await visit(page)).status).toBe(403);
    expect((await visit(link)).status).toBe(410);
    expect(await again(world, recording)).toMatchObject({ state: 'expired', at_vendor: { ending: 'confirmed' } });
  });

  it('G12 G18 has no page there while it is withheld; shown again, the next click opens it anew', async () => {
    const world = await start({ delivery: 'redirect' });
    const { meeting, recording, link } = await published(world);
    const page = await shared(link);
    expect((await row(world, recording)).linkSealed).not.toBeNull();
    await decide(world, meeting, 'refused');
    expect((await visit(page)).status).toBe(403);
    expect((await visit(`${link}/media`)).status).toBe(410);
    // Once more, when a click of before can open it no more.
    expect(await row(world, recording)).toMatchObject({ state: 'withheld', linkSealed: null, sharedAt: expect.any(Date) });
    await jump(world, 3 * MINUTE);
    expect(await row(world, recording)).toMatchObject({ state: 'withheld', sharedAt: null });
    expect(calls(world, 'zoom', 'PATCH', /\/settings$/).length).toBeGreaterThan(2);
    await decide(world, meeting, 'granted');
    await publish(world, recording);
    expect((await visit(page)).status).toBe(403);
    expect((await visit(await shared(link))).status).toBe(200);
    expect((await row(world, recording)).sharedAt).toEqual(world.now());
  });

  it('G12 G18 whose page was not closed because the vendor was down is closed when it is back, and when the account is connected again', async () => {
    const world = await start({ delivery: 'redirect' });
    const { meeting, recording, link } = await published(world);
    const page = await shared(link);
    fault(world, 'zoom', 'PATCH', '/recordings/settings', { status: 503 }, 3);
    await decide(world, meeting, 'refused');
    expect((await row(world, recording)).sharedAt).not.toBeNull();
    await jump(world, 10 * MINUTE);
    expect((await visit(page)).status).toBe(403);
    expect(await row(world, recording)).toMatchObject({ sharedAt: null });

    await decide(world, meeting, 'granted');
    await publish(world, recording);
    const second = await shared(link);
    await disconnected(world);
    await decide(world, meeting, 'refused');
    expect((await visit(second)).status).toBe(200);
    await connect(world, 'zoom');
    await eventually('its page is closed', async () => (await visit(second)).status === 403);
    await jump(world, 3 * MINUTE);
    expect(await row(world, recording)).toMatchObject({ sharedAt: null });
  });

  it('G18 has no page there any more once its account is disconnected', async () => {
    const world = await start({ delivery: 'redirect' });
    const { link } = await published(world);
    const page = await shared(link);
    await jump(world, DAY);
    const { read } = world.gateway.gateway.db;
    const { id } = (await read.select().from(read.t.connections))[0]!;
    must(await world.api('DELETE', `/v1/connections/${id}`), 204);
    expect((await visit(page)).status).toBe(403);
  });

  it('G18 has no page there any more once recipients are not sent to it by the policy', async () => {
    const world = await start({ delivery: 'redirect' });
    const { recording, link } = await published(world);
    const page = await shared(link);
    await jump(world, DAY);
    must(await world.api('PATCH', '/v1/policy', { recording: { delivery: 'stream' } }), 200);
    await settled(world);
    expect((await visit(page)).status).toBe(403);
    expect(await row(world, recording)).toMatchObject({ state: 'published', sharedAt: null, linkSealed: null });
    expect((await visit(`${link}/media`)).status).toBe(200);
  });

  it('G15 G18 that is recovered after its time is closed there, and shown to nobody', async () => {
    const world = await start({ delivery: 'redirect' });
    const { meeting, recording, link } = await published(world);
    const page = await shared(link);
    await jump(world, DAY);
    await happen(world, meeting, 'trash-recording');
    await eventually('it is taken back', async () => (await row(world, recording)).state === 'revoked');
    await jump(world, 15 * DAY);
    await happen(world, meeting, 'recover-recording');
    await eventually('it is closed', async () => (await row(world, recording)).vendorEnding === 'confirmed');
    expect((await visit(page)).status).toBe(403);
    expect(await again(world, recording)).toMatchObject({ state: 'revoked', at_vendor: { ending: 'confirmed' } });
    expect(await row(world, recording)).toMatchObject({ vendorRecordingSealed: null, erasedAt: world.now(), sharedAt: null });
    expect(told(world, 'recording.withheld')).toEqual([]);
  });

  it('is asked for by news about many only while such news means something', async () => {
    const world = await start();
    const { meeting, recording } = await published(world);
    const { read } = world.gateway.gateway.db;
    const { organisation } = (await read.select().from(read.t.connections))[0]!;
    const marks = () => listRecordingMarksOf(read, { provider: 'zoom', organisation: organisation!, now: world.now() });
    expect(await marks()).toHaveLength(1);
    await happen(world, meeting, 'trash-recording');
    await eventually('it is taken back', async () => (await row(world, recording)).state === 'revoked');
    expect(await marks()).toHaveLength(1);
    await jump(world, 15 * DAY);
    expect(await marks()).toEqual([]);
  });

  it('G15 goes on without a single file that is deleted there, and ends with the last one that can be watched', async () => {
    const world = await start();
    const { meeting, recording, link } = await published(world);
    expect(recording.files.map(({ kind }) => kind)).toEqual(['video', 'audio']);
    const [video, audio] = await filesAtZoom(world);
    await deleteFile(world, meeting, audio!.id);
    expect(await again(world, recording)).toMatchObject({ state: 'published', files: [{ kind: 'video' }] });
    expect((await visit(`${link}/media`)).status).toBe(200);
    await deleteFile(world, meeting, video!.id);
    expect(await again(world, recording)).toMatchObject({ state: 'revoked', reason: 'deleted_at_vendor', at_vendor: null });
    expect((await visit(link)).status).toBe(410);
  });

  it('G15 loses no file to captions, which have no name there', async () => {
    const world = await start();
    const { meeting, recording } = await published(world);
    const captions = (await filesAtZoom(world)).find(({ fileType }) => fileType === 'CC')!;
    await deleteFile(world, meeting, captions.id);
    expect((await again(world, recording)).files).toEqual(recording.files);
  });

  it('G15 that is told late of a file which is deleted meanwhile asks which are there', async () => {
    const world = await start();
    const { meeting, recording } = await published(world);
    const [, audio] = await filesAtZoom(world);
    await deleteFile(world, meeting, audio!.id);
    // What was told of all files comes once more, after what was told of one.
    const { deliveries } = world.sandbox.sandbox;
    const completed = deliveries.list('zoom').find(({ type }) => type === 'recording.completed')!;
    await world.gateway.gateway.db.write((tx) => tx.delete(tx.t.inbox));
    deliveries.resend(completed.id, null);
    await world.sandbox.sandbox.settle();
    await settled(world);
    await jump(world, 6 * MINUTE);
    expect(await again(world, recording)).toMatchObject({ state: 'published', files: [{ kind: 'video' }] });
  });

  it.each(['stream', 'redirect'] as const)(
    'G15 that is out of the trash again is withheld, with its files, and closed there (%s)',
    async (delivery) => {
      const world = await start({ delivery, delete_at_vendor: true });
      const { meeting, recording, link } = await published(world);
      const page = delivery === 'redirect' ? await shared(link) : undefined;
      await jump(world, DAY);
      await happen(world, meeting, 'trash-recording');
      await settled(world);
      expect(await again(world, recording)).toMatchObject({ state: 'revoked', reason: 'deleted_at_vendor', files: [], at_vendor: null });
      expect(await row(world, recording)).toMatchObject({ erasedAt: world.now(), vendorEnding: null, vendorRecordingSealed: null });
      await jump(world, DAY);
      await happen(world, meeting, 'recover-recording');
      await settled(world);
      const back = await again(world, recording);
      expect(back).toMatchObject({
        state: 'withheld',
        reason: 'recovered',
        at_vendor: null,
        files: [{ kind: 'video' }, { kind: 'audio' }],
      });
      expect(await row(world, recording)).toMatchObject({ erasedAt: null, vendorEnding: null, sharedAt: null, linkSealed: null });
      expect(page === undefined ? 403 : (await visit(page)).status).toBe(403);
      expect((await world.api('GET', `/v1/recordings/${recording.id}/deletion-certificate`)).status).toBe(409);
      const shown = await publish(world, recording);
      expect([(await visit(openLink(shown))).status, (await visit(link)).status]).toEqual([200, 410]);
      await jump(world, 12 * DAY);
      expect(await again(world, recording)).toMatchObject({ state: 'expired', at_vendor: { ending: 'confirmed' } });
      expect((await vendorState(world, 'zoom')).recordings).toEqual([]);
    },
  );

  it('G15 that is being deleted by us is not brought back by what the vendor tells meanwhile', async () => {
    const world = await start({ delete_at_vendor: true });
    const { meeting, recording } = await published(world);
    fault(world, 'zoom', 'DELETE', '/recordings', { status: 503 }, 3);
    await jump(world, 14 * DAY);
    expect(await again(world, recording)).toMatchObject({ at_vendor: { ending: 'pending', ended_at: null } });
    await happen(world, meeting, 'trash-recording');
    await happen(world, meeting, 'recover-recording');
    await settled(world);
    expect(await again(world, recording)).toMatchObject({ state: 'expired', at_vendor: { ending: 'pending', ended_at: null } });
    await jump(world, 2 * MINUTE);
    expect(await again(world, recording)).toMatchObject({ state: 'expired', at_vendor: { ending: 'confirmed' } });
    expect((await vendorState(world, 'zoom')).recordings).toEqual([]);
  });

  it('G12 is made by the vendor itself after a reconnect, when the account was away as everybody agreed', async () => {
    const world = await start();
    await connect(world, 'zoom');
    await settled(world);
    const meeting = await boughtMeeting(world, { provider: 'zoom', recording: 'on_consent' });
    await disconnected(world);
    await decide(world, meeting, 'granted');
    const automatic = async () =>
      ((await vendorState(world, 'zoom')).meetings![0]!['settings'] as Record<string, unknown>)['auto_recording'];
    expect(await automatic()).not.toBe('cloud');
    await connect(world, 'zoom');
    await eventually('Zoom was told', async () => (await automatic()) === 'cloud');
  });
});

/** The account answers to nobody until its professional connects again. */
const disconnected = ({ gateway }: World) =>
  gateway.gateway.db.write((tx) =>
    tx.update(tx.t.connections).set({ status: 'reconnect_required' }).where(eq(tx.t.connections.professionalId, 'pro_1')),
  );

/** By the account's owner, at Zoom. */
async function deleteFile(world: World, { link }: MeetingJson, fileId: string): Promise<void> {
  await jump(world, MINUTE);
  const id = new URL(link.provider_join_url).pathname.split('/').at(-1)!;
  const { gateway } = world.gateway;
  const [known] = await gateway.db.read.select().from(gateway.db.read.t.connections);
  const connection = await findConnection(gateway.db.read, known!.id);
  const answer = await visit(`${world.sandbox.url}/v2/meetings/${id}/recordings/${fileId}?action=delete`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${await accountOf(gateway, connection!).accessToken()}` },
  });
  must(answer, 204);
  await world.sandbox.sandbox.settle();
  await settled(world);
}
