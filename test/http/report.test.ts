import { describe, expect, it } from 'vitest';
import { visit, type Answer } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { MOST_CHARACTERS } from '../../src/domain/incident.ts';
import { MOST_OPEN_REPORTS } from '../../src/incidents/report.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { boughtMeeting, createMeeting, databaseOf, type MeetingJson, must, settled } from '../support/gateway.ts';
import { connect, testWorld } from '../support/world.ts';

const joinOf = ({ attendees }: MeetingJson, index = 0): string => attendees[index]!.join_url;

/** As a browser sends the form of the page. */
function report(page: string, fields: Readonly<Record<string, string>>, headers: Record<string, string> = {}): Promise<Answer> {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  return visit(`${page}/report`, { method: 'POST', body, headers });
}

const incidents = ({ gateway }: World) => gateway.gateway.db.read.select().from(gateway.gateway.db.read.t.incidents);
const told = ({ receiver }: World) => receiver.events.filter(({ type }) => type === 'incident.reported');

describeOnBothDatabases('reporting a problem', (_open, engine) => {
  const start = async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    return world;
  };

  it('G20 F06 a customer is thanked, support has a row and the marketplace an event with the words', async () => {
    const world = await start();
    const meeting = await boughtMeeting(world);
    const answer = await report(joinOf(meeting), { kind: 'conduct', text: '  He shouted.\r\nTwice.  ' });
    expect([answer.status, new URL(answer.headers.get('location')!, joinOf(meeting)).href]).toEqual([
      303,
      `${joinOf(meeting)}?report=sent`,
    ]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect((await visit(`${joinOf(meeting)}?report=sent`)).text).toContain('Thank you, your report has arrived');
    const [row, ...others] = await incidents(world);
    expect(others).toEqual([]);
    expect(row).toMatchObject({
      id: expect.stringMatching(/^inc_[0-9a-z]{26}$/),
      marketplaceId: world.marketplaceId,
      meetingId: meeting.id,
      side: 'customer',
      reporterId: 'cus_1',
      kind: 'conduct',
      text: 'He shouted.\nTwice.',
      state: 'open',
      at: world.now(),
    });
    const event = await world.receiver.waitFor('incident.reported', ({ type }) => type === 'incident.reported');
    expect(event.data).toMatchObject({
      incident_id: row!.id,
      meeting_id: meeting.id,
      reported_by: 'customer',
      reporter_id: 'cus_1',
      kind: 'conduct',
      text: 'He shouted.\nTwice.',
    });
  });

  it('F06 a professional reports by the host page', async () => {
    const world = await start();
    const meeting = await boughtMeeting(world);
    expect((await report(meeting.host_url, { text: 'Nobody paid attention.' })).headers.get('location')).toMatch(/\?report=sent$/);
    const event = await world.receiver.waitFor('incident.reported', ({ type }) => type === 'incident.reported');
    expect(event.data).toMatchObject({ reported_by: 'professional', reporter_id: 'pro_1', kind: null });
  });

  it('F06 T14 either side may report a dispute by its page, in four languages', async () => {
    const world = await start();
    const meeting = await boughtMeeting(world);
    const pages = [joinOf(meeting), meeting.host_url];
    for (const page of pages) expect((await report(page, { kind: 'dispute', text: 'We do not agree.' })).status).toBe(303);
    expect((await incidents(world)).map(({ side, kind }) => `${side}: ${kind}`).toSorted()).toEqual([
      'customer: dispute',
      'professional: dispute',
    ]);
    const offers = ['en', 'de', 'ru', 'bg'].map(async (language) => {
      const { text } = await visit(meeting.host_url, { headers: { 'accept-language': language } });
      return /<option value="dispute">([^<]+)</.exec(text)![1];
    });
    expect(new Set(await Promise.all(offers)).size).toBe(4);
  });

  it('G20 a second click files nothing twice, and five open reports are enough, also when they come at once', async () => {
    const world = await start();
    const meeting = await boughtMeeting(world);
    const twice = await Promise.all([1, 2].map(() => report(joinOf(meeting), { text: 'The same' })));
    expect(twice.map(({ status }) => status)).toEqual([303, 303]);
    expect(await incidents(world)).toHaveLength(1);
    const many = await Promise.all(Array.from({ length: 8 }, (_, index) => report(joinOf(meeting), { text: `Report ${index}` })));
    expect([303, 429].map((code) => many.filter(({ status }) => status === code).length)).toEqual([4, 4]);
    const refused = many.find(({ status }) => status === 429)!;
    expect(refused.text).toContain('5 reports of yours about this meeting are being looked at.');
    expect(refused.headers.get('content-type')).toMatch(/^text\/html/);
    expect(await incidents(world)).toHaveLength(MOST_OPEN_REPORTS);
    await settled(world);
    expect(told(world)).toHaveLength(MOST_OPEN_REPORTS);
    // The other side is not kept from reporting.
    expect((await report(meeting.host_url, { text: 'Me, too' })).status).toBe(303);
  });

  it('G20 the five are counted per person and meeting, and only while they are open', async () => {
    const world = await start();
    const meeting = await boughtMeeting(world, {
      booking: { id: 'g', kind: 'private_group', title: 'Group' },
      attendees: [{ customer_id: 'a' }, { customer_id: 'b' }],
    });
    for (let count = 0; count < MOST_OPEN_REPORTS; count += 1) await report(joinOf(meeting), { text: `Report ${count}` });
    expect((await report(joinOf(meeting), { text: 'One more' })).status).toBe(429);
    expect((await report(joinOf(meeting, 1), { text: 'One more' })).status).toBe(303);
    const { db } = world.gateway.gateway;
    await db.write((tx) => tx.update(tx.t.incidents).set({ state: 'closed' }));
    expect((await report(joinOf(meeting), { text: 'One more' })).status).toBe(303);
  });
});

describe('a report', () => {
  const start = async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    return world;
  };

  it('G20 without words, or with too many, is not sent, and what was written is still there', async () => {
    const world = await start();
    const meeting = await boughtMeeting(world);
    for (const text of ['', ' \r\n ', '\u0000']) expect((await report(joinOf(meeting), { text })).status).toBe(422);
    expect((await visit(`${joinOf(meeting)}/report`, { method: 'POST' })).status).toBe(422);
    const long = await report(meeting.host_url, { text: 'x'.repeat(MOST_CHARACTERS + 1) });
    expect(long.status).toBe(422);
    expect(long.text).toContain('at most 2,000 characters');
    expect(long.text).toContain('x'.repeat(MOST_CHARACTERS + 1));
    expect(await incidents(world)).toEqual([]);
  });

  it('G20 may have 2,000 characters of any script, line breaks counted once', async () => {
    const world = await start();
    const meeting = await boughtMeeting(world);
    const text = `${'語'.repeat(MOST_CHARACTERS - 2)}\r\nё`;
    expect((await report(joinOf(meeting), { text })).status).toBe(303);
    expect((await incidents(world))[0]!.text).toBe(text.replace('\r', ''));
  });

  it('G20 is filed before the purchase and after the end, and with a kind that nobody knows as one without', async () => {
    const world = await start();
    const unpaid = await createMeeting(world);
    expect((await report(joinOf(unpaid), { text: 'He wants money outside', kind: '<b>' })).status).toBe(303);
    expect((await incidents(world))[0]!.kind).toBeNull();
    must(await world.api('POST', `/v1/meetings/${unpaid.id}/cancel`, { reason: 'ill' }), 200);
    expect((await report(joinOf(unpaid), { text: 'It was cancelled' })).status).toBe(303);
    expect((await visit(`${joinOf(unpaid)}?report=sent`)).text).toContain('Thank you, your report has arrived');
  });

  it('G20 is shown to nobody on a page, neither as text nor as markup', async () => {
    const world = await start();
    const meeting = await boughtMeeting(world);
    const text = '<a href="https://evil.example">click</a> canary';
    await report(joinOf(meeting), { text });
    for (const url of [joinOf(meeting), `${joinOf(meeting)}?report=sent`, meeting.host_url]) {
      const page = await visit(url);
      expect(page.text).not.toContain('canary');
      expect(page.text).not.toContain('evil.example');
    }
    const refused = await report(joinOf(meeting), { text: `${text}${'x'.repeat(MOST_CHARACTERS)}` });
    expect(refused.text).toContain('&lt;a href=&quot;https://evil.example&quot;&gt;');
    expect(refused.text).not.toContain('<a href="https://evil.example"');
  });

  it('G20 has no characters that steer a terminal or turn the direction of what follows', async () => {
    const world = await start();
    const meeting = await boughtMeeting(world);
    await report(joinOf(meeting), { text: 'a\u001b[31mb\u202ec\td' });
    expect((await incidents(world))[0]!.text).toBe('a[31mbc\td');
  });
});
