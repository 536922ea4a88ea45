import { describe, expect, it } from 'vitest';
import { visit } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { CONSENT_VERSION_PATTERN, consentFormOf } from '../support/pages-over-http.ts';
import {
  boughtMeeting,
  calls,
  createMeeting,
  fault,
  happen,
  MINUTE,
  must,
  setPolicy,
  settled,
  VENDORS,
  vendorState,
  type MeetingJson,
} from '../support/gateway.ts';
import { addPlatformHost, connect, testWorld } from '../support/world.ts';

const far = (world: World, minutes: number) => ({ starts_at: new Date(world.now().getTime() + minutes * MINUTE).toISOString() });
const post = (url: string, form?: Record<string, string>) =>
  visit(url, form === undefined ? { method: 'POST' } : { method: 'POST', body: new URLSearchParams(form) });
const joinOf = ({ attendees }: MeetingJson): string => attendees[0]!.join_url;

/** Everything a page sends, headers too, must be free of the vendor's link. */
async function showsNothing(meeting: MeetingJson, ...urls: string[]): Promise<void> {
  const link = new URL(meeting.link.provider_join_url);
  const secrets = [
    meeting.link.provider_join_url,
    link.host + link.pathname,
    link.pathname.split('/').at(-1)!,
    link.searchParams.get('pwd'),
  ];
  for (const url of urls) {
    const page = await visit(url);
    const all = page.text + JSON.stringify([...page.headers]);
    for (const secret of secrets.filter((one) => one !== null && one.length > 5)) expect(all).not.toContain(secret);
  }
}

describe.each(VENDORS)('the join page for %s', (vendor) => {
  it('402 before the purchase, 200 and 403 before the window, 303 in it, 410 after it; the link is nowhere before', async () => {
    const world = await testWorld();
    await connect(world, vendor);
    const meeting = await createMeeting(world, { provider: vendor, ...far(world, 60) });
    const join = joinOf(meeting);
    expect((await visit(join)).status).toBe(402);
    const unpaid = await post(`${join}/join`);
    expect([unpaid.status, unpaid.headers.get('location')]).toEqual([402, null]);
    await showsNothing(meeting, join);

    must(await world.api('POST', `/v1/meetings/${meeting.id}/purchases`, { customer_id: 'cus_1' }), 201);
    const early = await visit(join);
    expect(early.status).toBe(200);
    expect(early.headers.get('cache-control')).toContain('no-store');
    for (const url of [join, meeting.host_url]) {
      const refused = await post(`${url}/join`);
      expect([refused.status, refused.headers.get('location')]).toEqual([403, null]);
    }
    await showsNothing(meeting, join, meeting.host_url);

    world.jump(45 * MINUTE - 1);
    expect((await post(`${join}/join`)).status).toBe(403);
    world.jump(1);
    expect((await visit(join)).status).toBe(200);
    await showsNothing(meeting, join, meeting.host_url);
    const open = await post(`${join}/join`);
    expect([open.status, open.headers.get('location')]).toEqual([303, meeting.link.provider_join_url]);
    expect(open.headers.get('referrer-policy')).toBe('no-referrer');
    expect(open.headers.get('cache-control')).toBe('no-store');
    const host = await post(`${meeting.host_url}/join`);
    expect(host.status).toBe(303);
    expect(new URL(host.headers.get('location')!).protocol).toBe('https:');
    // A link is followed by a person's click only, never by what looks at it.
    expect((await visit(`${join}/join`)).status).toBe(404);

    // 15 minutes to the start, 30 of meeting, 60 of window.
    world.jump(105 * MINUTE - 1);
    expect((await post(`${join}/join`)).status).toBe(303);
    world.jump(1);
    for (const url of [join, meeting.host_url]) {
      expect((await visit(url)).status).toBe(410);
      expect((await post(`${url}/join`)).status).toBe(410);
    }
    await showsNothing(meeting, join, meeting.host_url);
  });
});

describe('the host link', () => {
  it('is fetched from Zoom at that moment and stored nowhere', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world);
    const before = calls(world, 'zoom', 'GET', /\/meetings\/\d+$/).length;
    const first = await post(`${meeting.host_url}/join`);
    expect(first.headers.get('location')).toMatch(/zak=/);
    await post(`${meeting.host_url}/join`);
    expect(calls(world, 'zoom', 'GET', /\/meetings\/\d+$/).length).toBe(before + 2);
    const { everythingStored } = await import('../support/gateway.ts');
    expect(await everythingStored(world)).not.toContain(new URL(first.headers.get('location')!).searchParams.get('zak'));
  });

  it('says that the vendor is down, without the vendor’s words', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world);
    fault(world, 'zoom', 'GET', '/meetings/', { status: 503, body: 'canary' }, 50);
    const answer = await post(`${meeting.host_url}/join`);
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(answer.text).not.toContain('canary');
    expect(answer.headers.get('content-type')).toMatch(/^text\/html/);
  });

  it('of an uploaded link leads to that link', async () => {
    const world = await testWorld();
    const url = 'https://meet.google.com/abc-defg-hij';
    const meeting = await boughtMeeting(world, { join_url: url });
    expect((await post(`${meeting.host_url}/join`)).headers.get('location')).toBe(url);
    expect((await post(`${joinOf(meeting)}/join`)).headers.get('location')).toBe(url);
  });
});

describe('doors', () => {
  it('unknown tokens are 404, and a join token opens no host page', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world);
    for (const path of [
      `/j/${'A'.repeat(43)}`,
      `/h/${'A'.repeat(43)}`,
      '/j/%00',
      '/j/..%2f..%2fetc',
      new URL(joinOf(meeting)).pathname.replace('/j/', '/h/'),
    ]) {
      const answer = await visit(`${world.publicUrl}${path}`);
      expect(answer.status).toBe(404);
      expect(answer.headers.get('content-type')).toMatch(/^text\/html/);
    }
  });

  it('G04 is closed by the clock when the purchase was never made', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await createMeeting(world, far(world, 60 * 60));
    world.jump(48 * 60 * MINUTE);
    expect((await visit(joinOf(meeting))).status).toBe(410);
    expect((await visit(meeting.host_url)).status).toBe(410);
  });

  it('G01 an app that the marketplace has given up in between is not entered', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world);
    await setPolicy(world, { approved_apps: ['google-meet'] });
    const answer = await post(`${joinOf(meeting)}/join`);
    expect([answer.status, answer.headers.get('location')]).toEqual([422, null]);
  });

  it('stay open when the vendor’s meeting was cut off while its time lasts', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world);
    await happen(world, meeting, 'start');
    await happen(world, meeting, 'end', { reason: 'limit' });
    await world.receiver.waitFor('ended', ({ type }) => type === 'meeting.ended');
    expect((await post(`${joinOf(meeting)}/join`)).status).toBe(303);
    world.jump(MINUTE);
    await happen(world, meeting, 'start');
    await settled(world);
    expect(must(await world.api('GET', `/v1/meetings/${meeting.id}`), 200).json['state']).toBe('live');
  });

  it('cases 113, 125: headers keep strangers out: no framing, no referrer, no cache, no script from elsewhere', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world);
    for (const url of [joinOf(meeting), meeting.host_url]) {
      const { headers } = await visit(url);
      expect(headers.get('content-security-policy')).toMatch(/default-src 'none'/);
      expect(headers.get('content-security-policy')).toMatch(/frame-ancestors 'none'/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('access-control-allow-origin')).toBeNull();
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('x-robots-tag') ?? 'noindex').toContain('noindex');
    }
  });

  it('413 for a form that is far too large', async () => {
    const world = await testWorld();
    const answer = await post(`${world.publicUrl}/j/${'A'.repeat(43)}/consent`, { decision: 'x'.repeat(20_000) });
    expect(answer.status).toBe(413);
  });
});

describe('consent', () => {
  it('G12 is asked on the join page and goes into the ledger with the text that was seen', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world, { recording: 'on_consent', attendees: [{ customer_id: 'cus_1', locale: 'de' }] });
    const join = joinOf(meeting);
    const form = consentFormOf((await visit(join)).text);
    expect(form['text_version']).toMatch(CONSENT_VERSION_PATTERN);
    const stale = await post(`${join}/consent`, { ...form, decision: 'granted', text_version: 'old' });
    expect(stale.status).toBe(409);
    expect((await post(`${join}/consent`, { ...form, decision: 'perhaps' })).status).toBe(409);
    const given = await post(`${join}/consent`, { ...form, decision: 'granted' });
    expect([given.status, new URL(given.headers.get('location')!, join).href]).toEqual([303, join]);
    const { read } = world.gateway.gateway.db;
    expect(await read.select().from(read.t.consents)).toMatchObject([
      { decision: 'granted', channel: 'join_page', customerId: 'cus_1', locale: 'de', textVersion: form['text_version'] },
    ]);
    expect(must(await world.api('GET', `/v1/meetings/${meeting.id}`), 200).json).toMatchObject({
      attendees: [{ recording_consent: 'granted' }],
    });
  });

  it('G11 an event that is recorded tells so, and asks nobody', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world, { booking: { id: 'e', kind: 'event', title: 'Talk' }, recording: 'always' });
    const page = await visit(joinOf(meeting));
    expect(page.text).toMatch(/record/i);
    expect(page.text).not.toContain('/consent');
  });

  it('F09 joining counts as consent where the policy says so, once', async () => {
    const world = await testWorld({ policy: 'fiverr' });
    await addPlatformHost(world);
    const meeting = await boughtMeeting(world, { recording: 'always' });
    const { read } = world.gateway.gateway.db;
    expect(await read.select().from(read.t.consents)).toEqual([]);
    for (let count = 0; count < 2; count += 1) expect((await post(`${joinOf(meeting)}/join`)).status).toBe(303);
    expect(await read.select().from(read.t.consents)).toMatchObject([{ decision: 'granted', textVersion: 'implied-by-joining' }]);
    expect((await vendorState(world, 'zoom')).meetings).toHaveLength(1);
  });
});
