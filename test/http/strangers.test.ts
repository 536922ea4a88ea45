/** Pages under people's links, met by those they were not made for: previews, crawlers, other sites, and guessers. */
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { visit, type Answer } from '../../demo/clients.ts';
import { CASTS, playStory } from '../../demo/story.ts';
import type { World } from '../../demo/world.ts';
import { isFailure } from '../../src/domain/failure.ts';
import { guard } from '../../src/http/pages/guard.ts';
import { boughtMeeting, createMeeting, MINUTE, type MeetingJson, must, settled } from '../support/gateway.ts';
import { connect, testWorld } from '../support/world.ts';

const joinOf = ({ attendees }: MeetingJson): string => attendees[0]!.join_url;
const unknown = (world: World, path = '/j/', letter = 'A'): string => `${world.publicUrl}${path}${letter.repeat(43)}`;
const html = { accept: 'text/html' };

/** Every row of every table, without the processes' signs of life and what the vendor's stand-in still sends. */
async function everyRow({ gateway }: World): Promise<Record<string, unknown[]>> {
  const { read } = gateway.gateway.db;
  const rows: Record<string, unknown[]> = {};
  for (const [name, table] of Object.entries(read.t))
    if (name !== 'pulses' && name !== 'inbox') rows[name] = await read.select().from(table);
  return rows;
}

describe('looking at a page', () => {
  it('C03 case 110: changes nothing, whichever page it is and however it is asked for', async () => {
    const world = await testWorld();
    const { link, meetingId } = await playStory(world, CASTS[0]!, () => {});
    const held = must(await world.api('GET', `/v1/meetings/${meetingId}`), 200).json as unknown as MeetingJson;
    const open = await boughtMeeting(world, { professional_id: 'pro_zoom', recording: 'on_consent' });
    const unpaid = await createMeeting(world, { professional_id: 'pro_zoom', booking: { id: 'b2', kind: 'one_to_one', title: 'Unpaid' } });
    const session = must(await world.api('POST', '/v1/connect-sessions', { professional_id: 'pro_new' }), 201);
    await settled(world);
    const before = await everyRow(world);
    expect(before['recordingLinks']).toHaveLength(1);

    const pages = [open, unpaid, held].flatMap((meeting) => [joinOf(meeting), meeting.host_url, `${joinOf(meeting)}/meeting.ics`]);
    const urls = [
      ...pages,
      ...pages.flatMap((url) => ['join', 'consent', 'wishes', 'report'].map((form) => `${url}/${form}`)),
      `${joinOf(open)}?report=sent`,
      String(session.json['url']),
      `${String(session.json['url'])}/zoom`,
      link,
      unknown(world),
      unknown(world, '/r/'),
      `${world.publicUrl}/docs`,
      `${world.publicUrl}/problems/conflict`,
    ];
    for (const url of urls) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await visit(url, { method, headers: { ...html, 'user-agent': 'LinkPreview/1.0', purpose: 'prefetch' } });
        expect(answer.status, `${method} ${url}`).toBeLessThan(500);
      }
    }
    expect((await visit(`${link}/media`, { method: 'HEAD' })).status).toBe(200);
    expect(await everyRow(world)).toEqual(before);
  });

  it('G15 counts a view of a recording when its file is asked for, not when its page is', async () => {
    const world = await testWorld();
    const { link, recordingId } = await playStory(world, CASTS[0]!, () => {});
    const views = async (): Promise<number> => {
      const recording = must(await world.api('GET', `/v1/recordings/${recordingId}`), 200).json as { links?: { views: number }[] };
      return recording.links![0]!.views;
    };
    const media = async (range?: string): Promise<void> => {
      const answer = await fetch(`${link}/media`, range === undefined ? {} : { headers: { range } });
      expect([200, 206]).toContain(answer.status);
      await answer.arrayBuffer();
    };
    const seen = await views();
    await visit(link);
    expect(await views()).toBe(seen);
    await media();
    await media('bytes=0-');
    expect(await views()).toBe(seen + 2);
    // A player that looks for the length, and one that jumps.
    await media('bytes=0-1');
    await media('bytes=500-');
    expect(await views()).toBe(seen + 2);
  });

  it('G15 counts the first request for a file even when it does not begin at the beginning', async () => {
    const world = await testWorld();
    const { link, recordingId } = await playStory(world, CASTS[0]!, () => {});
    const { db } = world.gateway.gateway;
    await db.write((tx) => tx.update(tx.t.recordingLinks).set({ views: 0, firstViewedAt: null }));
    await (await fetch(`${link}/media`, { headers: { range: 'bytes=500-' } })).arrayBuffer();
    const recording = must(await world.api('GET', `/v1/recordings/${recordingId}`), 200);
    expect(recording.json).toMatchObject({ links: [{ views: 1 }] });
  });
});

describe('guessing links', () => {
  const withoutReference = ({ text }: Answer): string => text.replaceAll(/req_[0-9a-z]{26}/g, '').replace(/data-now="[^"]*"/, '');

  it('cases 108, 112: learns nothing from the answer: unknown, malformed and foreign tokens look the same', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world);
    const hostToken = new URL(meeting.host_url).pathname.split('/').at(-1)!;
    for (const [path, status] of [
      ['/j/', 404],
      ['/r/', 404],
      ['/connect/', 410],
    ] as const) {
      const first = await visit(unknown(world, path), { headers: html });
      expect(first.status).toBe(status);
      for (const token of ['x', '%00', `${'A'.repeat(42)}=`, 'A'.repeat(2_000), 'ж', "'or'1'='1", hostToken]) {
        const answer = await visit(`${world.publicUrl}${path}${token}`, { headers: html });
        expect([answer.status, withoutReference(answer)], `${path}${token}`).toEqual([status, withoutReference(first)]);
      }
    }
  });

  it('cases 112, 120: is answered with 429 after 30 in a minute, on whichever pages, while known links go on working', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world);
    const paths = ['/j/', '/h/', '/r/', '/connect/'];
    for (let count = 0; count < 30; count += 1) {
      const { status } = await visit(unknown(world, paths[count % 4]), { headers: html });
      expect(status).toBe(count % 4 === 3 ? 410 : 404);
    }
    const refused = await visit(unknown(world, '/h/', 'B'), { headers: { ...html, 'x-forwarded-for': '203.0.113.7' } });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBe(60);
    expect(refused.headers.get('content-type')).toMatch(/^text\/html/);
    expect(refused.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(refused.text).toMatch(/<h1>Too many attempts<\/h1>/);
    expect((await visit(joinOf(meeting), { headers: html })).status).toBe(200);
    expect((await visit(`${joinOf(meeting)}/join`, { method: 'POST' })).status).toBe(303);
    world.jump(MINUTE);
    expect((await visit(unknown(world), { headers: html })).status).toBe(404);
  });

  it('case 120: is counted per address of the connection, of IPv6 per network', async () => {
    const world = await testWorld();
    const app = new Hono()
      .use('*', guard(world.gateway.gateway))
      .onError((error, c) => (isFailure(error, 'rate_limited') ? c.text('', 429) : c.text(String(error), 500)));
    const ask = async (remoteAddress: string): Promise<number> =>
      (await app.request('/j/x', {}, { incoming: { socket: { remoteAddress } } })).status;
    for (let count = 0; count < 30; count += 1) {
      expect(await ask('203.0.113.7')).toBe(404);
      expect(await ask(`2001:db8:1:1::${count}`)).toBe(404);
    }
    expect([await ask('203.0.113.7'), await ask('::ffff:203.0.113.7'), await ask('203.0.113.8')]).toEqual([429, 429, 404]);
    expect([await ask('2001:db8:1:1:ffff::1'), await ask('2001:db8:1:2::1')]).toEqual([429, 404]);
  });
});

describe('forms of another site', () => {
  const forms = (meeting: MeetingJson): string[] => [
    ...['join', 'consent', 'wishes', 'report'].map((form) => `${joinOf(meeting)}/${form}`),
    ...['join', 'report'].map((form) => `${meeting.host_url}/${form}`),
  ];

  it.each([
    [{ 'sec-fetch-site': 'cross-site' }],
    [{ 'sec-fetch-site': 'same-site' }],
    [{ 'sec-fetch-site': 'cross-site', origin: 'null' }],
    [{ origin: 'https://evil.example' }],
    [{ origin: 'http://127.0.0.1:1' }],
  ])('are refused when the browser says %j, and change nothing', async (headers) => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world, { recording: 'on_consent' });
    await settled(world);
    const before = await everyRow(world);
    for (const url of forms(meeting)) {
      const body = new URLSearchParams({ camera_off: 'yes', text: 'Spam', decision: 'granted' });
      const answer = await visit(url, { method: 'POST', body, headers: { ...html, ...(headers as Record<string, string>) } });
      expect([answer.status, answer.headers.get('location')], url).toEqual([403, null]);
      expect(answer.text).toContain('<h1>This is not allowed</h1>');
    }
    const session = must(await world.api('POST', '/v1/connect-sessions', { professional_id: 'pro_2' }), 201);
    const foreign = { method: 'POST', headers: headers as Record<string, string> };
    expect((await visit(`${String(session.json['url'])}/zoom`, foreign)).status).toBe(403);
    const { connectSessions, ...rest } = await everyRow(world);
    const { connectSessions: sessions, ...others } = before;
    expect(connectSessions).toHaveLength(sessions!.length + 1);
    expect(rest).toEqual(others);
  });

  it.each([
    [{ 'sec-fetch-site': 'same-origin', origin: 'null' }],
    [{ 'sec-fetch-site': 'none' }],
    // A browser without Sec-Fetch-Site, from a page with `no-referrer`.
    [{ origin: 'null' }],
    [{}],
  ])('are none of those that say %j', async (headers) => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world);
    const answer = await visit(`${joinOf(meeting)}/wishes`, {
      method: 'POST',
      body: new URLSearchParams({ camera_off: 'yes' }),
      headers: headers as Record<string, string>,
    });
    expect(answer.status).toBe(303);
  });
});

describe('the wish to keep the camera off', () => {
  it('G10 T10 is made on the join page, seen by the professional and the marketplace, and taken back', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world);
    const wish = (value: string) =>
      visit(`${joinOf(meeting)}/wishes`, { method: 'POST', body: new URLSearchParams({ camera_off: value }) });
    const wished = async () =>
      (must(await world.api('GET', `/v1/meetings/${meeting.id}`), 200).json as unknown as MeetingJson).attendees[0];
    const answer = await wish('yes');
    expect([answer.status, new URL(answer.headers.get('location')!, joinOf(meeting)).href]).toEqual([303, joinOf(meeting)]);
    expect(await wished()).toMatchObject({ camera_off: true });
    expect((await visit(meeting.host_url)).text).toContain('Camera off wished');
    expect((await wish('perhaps')).status).toBe(409);
    expect((await wish('no')).status).toBe(303);
    expect(await wished()).toMatchObject({ camera_off: false });
    world.jump(180 * MINUTE);
    expect((await wish('yes')).status).toBe(410);
    expect(await wished()).toMatchObject({ camera_off: false });
  });
});
