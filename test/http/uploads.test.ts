import { describe, expect, it } from 'vitest';
import { visit, type Answer } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { STORAGE_HOSTS } from '../../src/domain/presets/storage-hosts.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import {
  boughtMeeting,
  createMeeting,
  databaseOf,
  DAY,
  everythingStored,
  happen,
  HOUR,
  must,
  otherMarketplace,
  setPolicy,
  settled,
  type MeetingJson,
} from '../support/gateway.ts';
import { connect, testWorld } from '../support/world.ts';

const URL_OF_VIDEO = 'https://us02web.zoom.us/rec/share/Hq3kCanaryOfUpload?startTime=1';
const VIDEO = { url: URL_OF_VIDEO, title: 'Exercises of the week', passcode: 'pAss!w0rd-7' };

interface RecordingJson {
  readonly id: string;
  readonly state: string;
  readonly links: readonly { customer_id: string; url: string | null; views: number }[];
}

const upload = ({ api }: World, meeting: MeetingJson, body: Readonly<Record<string, unknown>> = VIDEO): Promise<Answer> =>
  api('POST', `/v1/meetings/${meeting.id}/recordings`, body);
const uploaded = async (world: World, meeting: MeetingJson, body: Readonly<Record<string, unknown>> = VIDEO) => {
  const recording = must(await upload(world, meeting, body), 201).json as unknown as RecordingJson;
  return { recording, link: recording.links[0]!.url! };
};
const recordingOf = async ({ api }: World, id: string) => must(await api('GET', `/v1/recordings/${id}`), 200).json;
const told = ({ receiver }: World, type: string) => receiver.events.filter((event) => event.type === type);
const actions = async ({ gateway }: World, subjectId: string): Promise<string[]> => {
  const { db } = gateway.gateway;
  return (await db.read.select().from(db.read.t.audit)).filter((entry) => entry.subjectId === subjectId).map(({ action }) => action);
};

/** As a browser sends the form of the host page. */
function send(url: string, fields: Readonly<Record<string, string>> = {}, headers: Record<string, string> = {}): Promise<Answer> {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  return visit(url, { method: 'POST', body, headers: { accept: 'text/html', ...headers } });
}

describeOnBothDatabases('an uploaded link', (_open, engine) => {
  const start = async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    await settled(world);
    return world;
  };

  it('G16 is published at once, shown with its passcode, followed by a link that counts, and gone after 14 days', async () => {
    const world = await start();
    const meeting = await boughtMeeting(world, { provider: 'zoom' });
    const { recording, link } = await uploaded(world, meeting);
    expect(recording).toMatchObject({
      source: 'upload',
      state: 'published',
      title: VIDEO.title,
      files: [],
      ready_at: world.now().toISOString(),
      published_at: world.now().toISOString(),
      expires_at: new Date(world.now().getTime() + 14 * DAY).toISOString(),
      links: [{ customer_id: 'cus_1', views: 0 }],
    });
    const event = await world.receiver.waitFor('recording.published', ({ type }) => type === 'recording.published');
    expect(event.data).toMatchObject({ recording_id: recording.id, meeting_id: meeting.id, links: [{ customer_id: 'cus_1', url: link }] });

    const page = must(await visit(link), 200);
    for (const shown of [VIDEO.title, VIDEO.passcode, 'Please download it to your own device', 'stored by another company', 'Time left'])
      expect(page.text).toContain(shown);
    expect(page.text).not.toContain('us02web');
    expect(page.text).not.toContain('<video');
    // Whoever only looks, a mail program for instance, watches nothing and learns nothing.
    for (const headers of [{}, { 'sec-purpose': 'prefetch' }]) {
      const look = await visit(`${link}/media`, { method: 'sec-purpose' in headers ? 'GET' : 'HEAD', headers });
      expect([look.status, look.headers.get('location')]).toEqual([204, null]);
    }
    expect(await recordingOf(world, recording.id)).toMatchObject({ links: [{ views: 0 }] });
    for (let count = 0; count < 2; count += 1) {
      const answer = await visit(`${link}/media`);
      expect([answer.status, answer.headers.get('location')]).toEqual([303, URL_OF_VIDEO]);
      expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
    const viewed = await world.receiver.waitFor('recording.viewed', ({ type }) => type === 'recording.viewed');
    expect(viewed.data).toMatchObject({ recording_id: recording.id, customer_id: 'cus_1' });
    await settled(world);
    expect(told(world, 'recording.viewed')).toHaveLength(1);
    expect(await recordingOf(world, recording.id)).toMatchObject({ links: [{ views: 2 }] });
    expect((await actions(world, recording.id)).toSorted()).toEqual(['recording.uploaded', 'recording.viewed']);

    world.jump(14 * DAY - 1);
    expect((await visit(link)).status).toBe(200);
    world.jump(1);
    for (const url of [link, `${link}/media`]) expect((await visit(url)).status).toBe(410);
    await world.receiver.waitFor('recording.expired', ({ type }) => type === 'recording.expired');
    await settled(world);
    const stored = await everythingStored(world);
    for (const canary of ['CanaryOfUpload', VIDEO.passcode, VIDEO.title, link.split('/').at(-1)!]) expect(stored).not.toContain(canary);
    expect(await upload(world, meeting)).toMatchObject({ status: 409, json: { code: 'conflict' } });
  });

  it('G16 address and passcode lie in the database only sealed', async () => {
    const world = await start();
    await uploaded(world, await boughtMeeting(world, { provider: 'zoom' }));
    const stored = await everythingStored(world);
    for (const secret of ['CanaryOfUpload', VIDEO.passcode]) expect(stored).not.toContain(secret);
  });

  it('T13 there are at most three of a meeting that are not erased, also when they come at once', async () => {
    const world = await start();
    const meeting = await boughtMeeting(world, { provider: 'zoom' });
    const answers = await Promise.all(
      [1, 2, 3, 4, 5].map((number) => upload(world, meeting, { url: `https://vimeo.com/${number}`, title: `Part ${number}` })),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 201, 201, 422, 422]);
    expect(answers.find(({ status }) => status === 422)!.json).toMatchObject({ code: 'too_many_uploads', max_links: 3 });
    const { id } = answers.find(({ status }) => status === 201)!.json as { id: string };
    must(await world.api('POST', `/v1/recordings/${id}/revoke`), 200);
    must(await upload(world, meeting, { url: 'https://vimeo.com/6', title: 'Part 6' }), 201);
    expect((await upload(world, meeting, { url: 'https://vimeo.com/7', title: 'Part 7' })).status).toBe(422);
    // Another meeting has its own three.
    const other = await boughtMeeting(world, { provider: 'zoom', booking: { id: 'bk_2', kind: 'one_to_one', title: 'Other' } });
    must(await upload(world, other, { url: 'https://vimeo.com/6', title: 'Part 6' }), 201);
  });

  it('G16 the same link once more is the one that is there; taken back, it may come again', async () => {
    const world = await start();
    const meeting = await boughtMeeting(world, { provider: 'zoom' });
    const [one, two] = await Promise.all([upload(world, meeting), upload(world, meeting)]);
    expect([one.status, two.status].toSorted((a, b) => a - b)).toEqual([200, 201]);
    expect(one.json).toEqual(two.json);
    expect(await upload(world, meeting, { ...VIDEO, passcode: 'other' })).toMatchObject({ status: 409, json: { code: 'conflict' } });
    const first = one.json as unknown as RecordingJson;
    must(await world.api('POST', `/v1/recordings/${first.id}/revoke`), 200);
    const again = await uploaded(world, meeting, { ...VIDEO, passcode: 'other' });
    expect(again.recording.id).not.toBe(first.id);
    expect((await visit(first.links[0]!.url!)).status).toBe(410);
    expect((await visit(again.link)).text).toContain('other');
    await settled(world);
    expect(told(world, 'recording.published')).toHaveLength(2);
  });

  it('T13 needs somebody who has bought, and a meeting that is not cancelled or expired', async () => {
    const world = await start();
    const meeting = await createMeeting(world, { provider: 'zoom' });
    expect(await upload(world, meeting)).toMatchObject({ status: 409, json: { code: 'conflict' } });
    must(await world.api('POST', `/v1/meetings/${meeting.id}/cancel`, {}), 200);
    expect(await upload(world, meeting)).toMatchObject({ status: 409, json: { code: 'conflict' } });
    const late = await createMeeting(world, { provider: 'zoom', booking: { id: 'bk_2', kind: 'one_to_one', title: 'Late' } });
    world.jump(HOUR);
    await settled(world);
    expect(await upload(world, late)).toMatchObject({ status: 409, json: { code: 'conflict' } });
    expect(told(world, 'recording.published')).toEqual([]);
  });

  it('G16 belongs to its marketplace', async () => {
    const world = await start();
    const meeting = await boughtMeeting(world, { provider: 'zoom' });
    const { api } = await otherMarketplace(world);
    expect(await api('POST', `/v1/meetings/${meeting.id}/recordings`, VIDEO)).toMatchObject({ status: 404 });
    expect(must(await world.api('GET', `/v1/meetings/${meeting.id}/recordings`), 200).json['data']).toEqual([]);
  });

  it('G16 a storage that is approved no longer is not followed any more', async () => {
    const world = await start();
    const { link } = await uploaded(world, await boughtMeeting(world, { provider: 'zoom' }));
    await setPolicy(world, { recording: { uploads: { hosts: ['vimeo.com'] } } });
    expect((await visit(`${link}/media`)).status).toBe(410);
  });

  it('G16 the professional shares a link by the host page after the start, sees it there and takes it back', async () => {
    const world = await start();
    const meeting = await boughtMeeting(world, { provider: 'zoom' });
    const page = meeting.host_url;
    expect((await visit(page)).text).not.toContain('id="uploads"');
    expect((await send(`${page}/uploads`, VIDEO)).status).toBe(403);
    await happen(world, meeting, 'start');
    await world.receiver.waitFor('meeting.started', ({ type }) => type === 'meeting.started');
    const open = await visit(page);
    expect(open.text).toContain('They are notified at once and asked to download it. The link is deleted after 14 days.');
    expect((await visit(page, { headers: { 'accept-language': 'de' } })).text).toContain('Nach 14 Tagen wird der Link gelöscht.');

    expect((await send(`${page}/uploads`, VIDEO, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    const bad = await send(`${page}/uploads`, { ...VIDEO, url: 'https://zoom.us.evil.example/x' });
    expect(bad.status).toBe(422);
    expect(bad.text).toContain('The link was not shared');
    expect(bad.text).toContain('value="https://zoom.us.evil.example/x"');
    expect((await send(`${page}/uploads`, { ...VIDEO, title: ' ' })).text).toContain('Please fill in a title and a link');
    expect(told(world, 'recording.published')).toEqual([]);

    const sent = await send(`${page}/uploads`, VIDEO);
    expect([sent.status, new URL(sent.headers.get('location')!, page).href]).toEqual([303, `${page}?uploads=sent#uploads`]);
    const event = await world.receiver.waitFor('recording.published', ({ type }) => type === 'recording.published');
    const id = String(event.data['recording_id']);
    const link = (event.data['links'] as { url: string }[])[0]!.url;
    const listed = await visit(`${page}?uploads=sent`);
    expect(listed.text).toContain('The link is shared');
    expect(listed.text).toContain(VIDEO.title);
    for (const secret of [URL_OF_VIDEO, VIDEO.passcode, link]) expect(listed.text).not.toContain(secret);

    for (const other of ['rec_unknown', meeting.id]) expect((await send(`${page}/uploads/${other}/take-back`)).status).toBe(404);
    expect((await send(`${page}/uploads/${id}/take-back`)).status).toBe(303);
    expect((await send(`${page}/uploads/${id}/take-back`)).status).toBe(303);
    expect((await visit(link)).status).toBe(410);
    expect(await recordingOf(world, id)).toMatchObject({ state: 'revoked', reason: 'professional', title: null });
    expect((await visit(page)).text).not.toContain(VIDEO.title);
    const revoked = await world.receiver.waitFor('recording.revoked', ({ type }) => type === 'recording.revoked');
    expect(revoked.data).toMatchObject({ recording_id: id, reason: 'professional' });
    // With the right passcode, say.
    expect((await send(`${page}/uploads`, VIDEO)).status).toBe(303);
  });

  it('G16 what the marketplace has taken back, the professional does not bring in again', async () => {
    const world = await start();
    const meeting = await boughtMeeting(world, { provider: 'zoom' });
    world.jump(15 * 60_000);
    const { recording } = await uploaded(world, meeting);
    must(await world.api('POST', `/v1/recordings/${recording.id}/revoke`), 200);
    expect((await send(`${meeting.host_url}/uploads`, VIDEO)).status).toBe(422);
    must(await upload(world, meeting), 201);
  });

  it('G16 the page takes links for 30 days after the end, and none where the policy has no storage', async () => {
    const world = await start();
    const meeting = await boughtMeeting(world, { provider: 'zoom' });
    world.jump(20 * DAY);
    expect((await visit(meeting.host_url)).text).toContain('id="upload-url"');
    await setPolicy(world, { recording: { uploads: { hosts: [] } } });
    expect((await visit(meeting.host_url)).text).not.toContain('id="uploads"');
    expect((await send(`${meeting.host_url}/uploads`, VIDEO)).status).toBe(403);
    await setPolicy(world, {});
    world.jump(11 * DAY);
    expect((await visit(meeting.host_url)).text).not.toContain('id="uploads"');
    expect((await send(`${meeting.host_url}/uploads`, VIDEO)).status).toBe(403);
  });
});

describe('case 105: an uploaded link', () => {
  it('leads to an approved storage, whatever it looks like', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world, { provider: 'zoom' });
    const refused: readonly (readonly [string, string])[] = [
      ['https://zoom.us.evil.com/rec/1', 'not_approved_host'],
      ['https://evil-zoom.us/rec/1', 'not_approved_host'],
      ['https://evilzoom.us/rec/1', 'not_approved_host'],
      ['https://zoom.us/rec/1', 'not_approved_host'],
      ['https://drive.google.com.evil.example/x', 'not_approved_host'],
      ['https://sub.drive.google.com/x', 'not_approved_host'],
      ['https://127.0.0.1/x', 'not_approved_host'],
      ['https://2130706433/x', 'host_not_plain'],
      ['https://[::1]/x', 'host_not_plain'],
      ['https://us02web.zoom.us./rec/1', 'host_not_plain'],
      ['https://US02WEB.zoom.us/rec/1', 'host_not_plain'],
      ['https://us02web.zооm.us/rec/1', 'host_not_plain'],
      ['https://xn--zm-emda.us/rec/1', 'host_not_plain'],
      ['https://us02web.xn--zm-emda.zoom.us/rec/1', 'host_not_plain'],
      ['https://us02web.zoom.us%2eevil.com/rec/1', 'host_not_plain'],
      ['https://us02web.zoom.us\\.evil.com/rec/1', 'host_not_plain'],
      ['https://us02web.zoom.us:8443/rec/1', 'port'],
      ['https://us02web.zoom.us:443/rec/1', 'port'],
      ['https://us02web.zoom.us@evil.com/rec/1', 'credentials'],
      ['https://user:pass@us02web.zoom.us/rec/1', 'credentials'],
      ['http://us02web.zoom.us/rec/1', 'not_https'],
      ['ftp://us02web.zoom.us/rec/1', 'not_https'],
      ['javascript:alert(1)//us02web.zoom.us', 'not_https'],
      ['//us02web.zoom.us/rec/1', 'not_a_url'],
      ['us02web.zoom.us/rec/1', 'not_a_url'],
      ['https://us02web.zoom.us/rec/ 1', 'hidden_characters'],
      ['https://us02web.zoom.us/rec/\u202e1', 'hidden_characters'],
    ];
    for (const [url, reason] of refused) {
      const answer = await upload(world, meeting, { url, title: 'x' });
      expect([url, answer.status, answer.json['code'], answer.json['reason']]).toEqual([url, 422, 'upload_not_approved', reason]);
      expect(answer.json['approved_hosts']).toEqual(STORAGE_HOSTS);
    }
    expect(must(await world.api('GET', `/v1/meetings/${meeting.id}/recordings`), 200).json['data']).toEqual([]);
  });

  it('may lie at any depth below a name with a star, and only at the name itself without one', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world, { provider: 'zoom' });
    for (const url of [
      'https://a.b.sharepoint.com/:v:/g/x?e=1#t=3',
      'https://drive.google.com/file/d/1/view',
      'https://www.dropbox.com/s/ü',
    ])
      must(await upload(world, meeting, { url, title: url }), 201);
  });

  it('has a title, and nothing that is not asked for', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world, { provider: 'zoom' });
    for (const body of [{ url: URL_OF_VIDEO }, { ...VIDEO, title: '' }, { ...VIDEO, title: 'a\u0007' }, { ...VIDEO, state: 'published' }])
      expect(await upload(world, meeting, body)).toMatchObject({ status: 422, json: { code: 'invalid' } });
    must(await upload(world, meeting, { url: URL_OF_VIDEO, title: 'Without passcode', passcode: null }), 201);
  });
});
