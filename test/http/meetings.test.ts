import { describe, expect, it } from 'vitest';
import { createVault } from '../../src/connections/vault.ts';
import { joinUrlContext } from '../../src/connections/sealed.ts';
import {
  boughtMeeting,
  calls,
  createMeeting,
  databaseOf,
  DAY,
  eventually,
  fault,
  getMeeting,
  happen,
  MINUTE,
  must,
  otherMarketplace,
  setPolicy,
  settled,
  VENDORS,
  vendorMeetings,
  vendorState,
} from '../support/gateway.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { connect, meetingBody, testWorld, type Vendor } from '../support/world.ts';
import type { World } from '../../demo/world.ts';

const JOIN_HOST: Readonly<Record<Vendor, RegExp>> = {
  zoom: /^https:\/\/[a-z0-9]+\.zoom\.us\/j\/\d+/,
  'microsoft-teams': /^https:\/\/teams\.microsoft\.com\/l\/meetup-join\//,
  'google-meet': /^https:\/\/meet\.google\.com\/[a-z]{3}-[a-z]{4}-[a-z]{3}$/,
};
const CREATE: Readonly<Record<Vendor, string>> = {
  zoom: '/v2/users/me/meetings$',
  'microsoft-teams': '/v1.0/me/(calendar/)?events$',
  'google-meet': '/v2/spaces$',
};
const booking = (id: string, kind = 'one_to_one') => ({ booking: { id, kind, title: 'Tax consultation' } });
const eventTypes = ({ receiver }: World, meetingId: string): string[] =>
  receiver.events.filter(({ data }) => data['meeting_id'] === meetingId).map(({ type }) => type);
/** True when the vendor lets nobody into the meeting any more: deleted, or (a space cannot be deleted) closed. */
async function goneAtVendor(world: World, vendor: Vendor): Promise<boolean> {
  const left = await vendorMeetings(world, vendor);
  if (vendor !== 'google-meet') return left.length === 0;
  return left.every(({ config }) => (config as { accessType?: string }).accessType === 'RESTRICTED');
}

describeOnBothDatabases('a new meeting', (_open, engine) => {
  it('G09 comes with important notes and an invitation in the customer’s language', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    const body = meetingBody(world, { provider: 'zoom', attendees: [{ customer_id: 'cus_7', locale: 'de' }] });
    const { json } = must(await world.api('POST', '/v1/meetings', body), 201);
    const [attendee] = json['attendees'] as { join_url: string; invitation: { title: string; text: string; url: string } }[];
    expect(json['important_notes']).toContain('Das Meeting findet in Zoom statt.');
    expect(attendee!.invitation.title).toBe('Einladung: Tax consultation');
    expect(attendee!.invitation.text).toContain(attendee!.join_url);
    expect(attendee!.invitation.text).not.toContain('zoom.us');
    expect(attendee!.invitation.url).toBe(attendee!.join_url);
  });

  it.each(VENDORS)('at %s has everything that the contract names, and one event', async (vendor) => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const connection = await connect(world, vendor);
    const body = meetingBody(world, {
      provider: vendor,
      attendees: [{ customer_id: 'cus_7', name: 'Ada', locale: 'de', camera_off: true }],
      duration_minutes: 50,
      recording: 'on_consent',
    });
    const answer = must(await world.api('POST', '/v1/meetings', body), 201);
    expect(answer.json).toMatchObject({
      id: expect.stringMatching(/^mtg_/),
      state: 'awaiting_purchase',
      purchase_by: new Date(world.now().getTime() + 2 * DAY).toISOString(),
      provider: vendor,
      booking: body['booking'],
      professional_id: 'pro_1',
      connection_id: connection,
      starts_at: body['starts_at'],
      duration_minutes: 50,
      time_zone: 'Europe/Berlin',
      link: { source: 'created', locked_at: null, provider_join_url: expect.stringMatching(JOIN_HOST[vendor]) },
      host_url: expect.stringMatching(new RegExp(`^${world.publicUrl}/h/[A-Za-z0-9_-]{43}$`)),
      attendees: [
        {
          customer_id: 'cus_7',
          state: 'awaiting_purchase',
          join_url: expect.stringMatching(new RegExp(`^${world.publicUrl}/j/[A-Za-z0-9_-]{43}$`)),
          camera_off: true,
          recording_consent: 'missing',
        },
      ],
      limit: { exceeded: false },
      decision: { chosen: vendor, considered: [] },
      recording: 'on_consent',
      created_at: world.now().toISOString(),
    });
    // G09: the text for the "Important Notes" is in the customer's language and names app and guide.
    expect(answer.json['important_notes']).toMatch(/^Das Meeting findet in (Zoom|Microsoft Teams|Google Meet) statt\./);
    expect((await getMeeting(world, String(answer.json['id']))) as unknown).toEqual(answer.json);
    expect(await vendorMeetings(world, vendor)).toHaveLength(1);
    await world.receiver.waitFor('created', ({ type, data }) => type === 'meeting.created' && data['meeting_id'] === answer.json['id']);
    // G12: no vendor records by itself before anybody has consented.
    const [made] = await vendorMeetings(world, vendor);
    expect(JSON.stringify(made)).not.toMatch(/"auto_recording":"cloud"|"recordAutomatically":true|"autoRecordingGeneration":"ON"/);
    // G10: Zoom is the one with a setting for it.
    expect((made?.['settings'] as { participant_video?: boolean } | undefined)?.participant_video ?? false).toBe(false);
  });

  it('G11 an event that shall be recorded is recorded by the vendor itself', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    await createMeeting(world, { ...booking('ev', 'event'), attendees: [], recording: 'always' });
    expect((await vendorMeetings(world, 'zoom'))[0]).toMatchObject({ settings: { auto_recording: 'cloud' } });
  });

  it('G05 every customer gets an own join link and every booking an own vendor link', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    const group = await createMeeting(world, { ...booking('g', 'private_group'), attendees: [{ customer_id: 'a' }, { customer_id: 'b' }] });
    const single = await createMeeting(world, booking('s'));
    expect(new Set([...group.attendees, ...single.attendees].map(({ join_url }) => join_url)).size).toBe(3);
    expect(group.link.provider_join_url).not.toBe(single.link.provider_join_url);
  });

  it('409 meeting_exists carries the id of the live one, and is over when that one is', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    const first = await createMeeting(world);
    const second = await world.api('POST', '/v1/meetings', meetingBody(world));
    expect(second).toMatchObject({ status: 409, json: { code: 'meeting_exists', meeting_id: first.id } });
    // One customer of a group is enough.
    const group = { ...booking('bk_1', 'private_group'), attendees: [{ customer_id: 'other' }, { customer_id: 'cus_1' }] };
    expect((await world.api('POST', '/v1/meetings', meetingBody(world, group))).json).toMatchObject({ meeting_id: first.id });
    await createMeeting(world, { attendees: [{ customer_id: 'other' }] });
    must(await world.api('POST', `/v1/meetings/${first.id}/cancel`), 200);
    await createMeeting(world);
    // What was refused left nothing at the vendor.
    expect(calls(world, 'zoom', 'POST', /\/meetings$/)).toHaveLength(3);
  });

  it.each([
    ['two customers of a one_to_one', { attendees: [{ customer_id: 'a' }, { customer_id: 'b' }] }, '/attendees'],
    ['nobody at a one_to_one', { attendees: [] }, '/attendees'],
    ['nobody in a group', { ...booking('x', 'private_group'), attendees: [] }, '/attendees'],
    ['a customer twice', { ...booking('x', 'private_group'), attendees: [{ customer_id: 'a' }, { customer_id: 'a' }] }, '/attendees'],
    ['a meeting that is over', { starts_at: '2020-01-01T00:00:00Z' }, '/starts_at'],
  ])('422 for %s', async (_what, changes, pointer) => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const answer = await world.api('POST', '/v1/meetings', meetingBody(world, changes));
    expect(answer).toMatchObject({ status: 422, json: { code: 'invalid', errors: [{ pointer }] } });
  });

  it('G12 a recording mode that the policy does not allow for the kind is refused', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const answer = await world.api('POST', '/v1/meetings', meetingBody(world, { recording: 'always' }));
    expect(answer).toMatchObject({ status: 422, json: { code: 'recording_not_allowed', allowed: ['none', 'on_consent'] } });
  });
});

describe('the choice of the app', () => {
  const ben = { user: 'ben@zoom.sandbox.example' };

  it('G14 auto takes Zoom for 40 minutes of a free plan and another app for 50', async () => {
    const world = await testWorld();
    await connect(world, 'zoom', ben);
    await connect(world, 'google-meet');
    const short = await createMeeting(world, { ...booking('a'), duration_minutes: 40 });
    expect(short).toMatchObject({ provider: 'zoom', limit: { minutes: 40, plan: 'free', exceeded: false } });
    const long = await createMeeting(world, { ...booking('b'), duration_minutes: 50 });
    expect(long.provider).toBe('google-meet');
    expect(long.decision.considered).toContainEqual({
      provider: 'zoom',
      rejected: 'limit_exceeded',
      limit_minutes: 40,
      plan: 'free',
      plan_basis: 'vendor',
    });
  });

  it('G14 a booking that is too long for the app that was asked for is refused with the limit and what would fit', async () => {
    const world = await testWorld();
    await connect(world, 'zoom', ben);
    await connect(world, 'google-meet');
    const answer = await world.api('POST', '/v1/meetings', meetingBody(world, { provider: 'zoom', duration_minutes: 50 }));
    expect(answer).toMatchObject({
      status: 422,
      json: { code: 'limit_exceeded', limit_minutes: 40, alternatives: [{ provider: 'google-meet', limit_minutes: 60 }] },
    });
    expect(calls(world, 'zoom', 'POST', /\/meetings$/)).toEqual([]);
  });

  it('G14 auto refuses when nothing fits', async () => {
    const world = await testWorld();
    await connect(world, 'zoom', ben);
    const answer = await world.api('POST', '/v1/meetings', meetingBody(world, { duration_minutes: 50 }));
    expect(answer).toMatchObject({ status: 422, json: { code: 'limit_exceeded', limit_minutes: 40, alternatives: [] } });
  });

  it('G14 a policy that only warns makes the meeting and says that it is too long', async () => {
    const world = await testWorld({ policy: 'rodrun' });
    await connect(world, 'zoom', ben);
    expect(await createMeeting(world, { duration_minutes: 50 })).toMatchObject({
      provider: 'zoom',
      limit: { minutes: 40, exceeded: true },
    });
  });

  it('G02 the app that was asked for is taken, and nothing else in its place', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    expect((await createMeeting(world, { provider: 'zoom' })).provider).toBe('zoom');
    const answer = await world.api('POST', '/v1/meetings', meetingBody(world, { ...booking('b'), provider: 'google-meet' }));
    expect(answer).toMatchObject({ status: 422, json: { code: 'not_connected' } });
    const nobody = await world.api('POST', '/v1/meetings', meetingBody(world, { professional_id: 'pro_2' }));
    expect(nobody).toMatchObject({ status: 422, json: { code: 'not_connected' } });
  });

  it('G01 an app that the marketplace does not use is refused', async () => {
    const world = await testWorld({ policy: 'fiverr' });
    const answer = await world.api('POST', '/v1/meetings', meetingBody(world, { provider: 'google-meet', recording: 'always' }));
    expect(answer).toMatchObject({ status: 422, json: { code: 'app_not_approved', approved_apps: ['zoom'] } });
  });
});

describe('an uploaded link', () => {
  const upload = (world: World, join_url: string, id = 'bk_1', changes = {}) =>
    world.api('POST', '/v1/meetings', meetingBody(world, { ...booking(id), join_url, ...changes }));

  it.each([
    ['https://us02web.zoom.us/j/81234567890?pwd=abc', 'zoom'],
    ['https://teams.live.com/meet/9312345678901', 'microsoft-teams'],
    ['https://meet.google.com/abc-defg-hij', 'google-meet'],
  ])('G01 %s is taken as %s, without any connection', async (url, provider) => {
    const world = await testWorld();
    const answer = must(await upload(world, url), 201);
    expect(answer.json).toMatchObject({
      provider,
      connection_id: null,
      state: 'awaiting_purchase',
      link: { source: 'uploaded', provider_join_url: url },
    });
    await world.receiver.waitFor('created', ({ type }) => type === 'meeting.created');
    // It is nobody's to delete at the vendor.
    must(await world.api('POST', `/v1/meetings/${String(answer.json['id'])}/cancel`), 200);
    await settled(world);
    const { read } = world.gateway.gateway.db;
    const kinds = (await read.select().from(read.t.jobs)).map(({ kind }) => kind);
    expect(kinds.toSorted()).toEqual(['gateway.pulse', 'gateway.sweep']);
  });

  it.each([
    ['https://webex.com/meet/x', 'app_not_approved'],
    ['https://zoom.us.evil.example/j/81234567890', 'app_not_approved'],
    ['https://evilzoom.us/j/81234567890', 'app_not_approved'],
    ['http://zoom.us/j/81234567890', 'join_url_invalid'],
    ['https://zoom.us/signin', 'join_url_invalid'],
    ['https://user@zoom.us/j/81234567890', 'join_url_invalid'],
    ['javascript:alert(1)', 'join_url_invalid'],
  ])('G01 %s is refused: %s', async (url, code) => {
    const world = await testWorld();
    const answer = await upload(world, url);
    expect(answer).toMatchObject({ status: 422, json: { code } });
    const approved = code === 'app_not_approved' ? ['zoom', 'microsoft-teams', 'google-meet'] : undefined;
    expect(answer.json['approved_apps']).toEqual(approved);
  });

  it('that belongs to another app than the one asked for is refused', async () => {
    const world = await testWorld();
    const answer = await upload(world, 'https://meet.google.com/abc-defg-hij', 'bk_1', { provider: 'zoom' });
    expect(answer).toMatchObject({ status: 422, json: { errors: [{ pointer: '/provider' }] } });
  });

  it.each([
    [
      'https://us02web.zoom.us/j/81234567890?pwd=abc',
      [
        'https://us02web.zoom.us/j/81234567890?pwd=abc',
        'https://us02web.zoom.us/j/81234567890',
        'https://us02web.zoom.us/j/81234567890/',
        'https://zoom.us/j/81234567890',
        'https://us06web.zoom.us/w/81234567890#success',
        'https://company.zoom.us/wc/81234567890/join',
      ],
    ],
    [
      'https://teams.microsoft.com/l/meetup-join/19%3ameeting_Abc%40thread.v2/0?context=%7b%7d',
      [
        'https://teams.microsoft.com/l/meetup-join/19%3Ameeting_Abc%40thread.v2/0',
        'https://teams.microsoft.com/l/meetup-join/19:meeting_Abc@thread.v2/0?context=x',
        'https://teams.cloud.microsoft/l/meetup-join/19%3ameeting_Abc%40thread.v2',
      ],
    ],
    ['https://meet.google.com/abc-defg-hij', ['https://meet.google.com/abc-defg-hij?authuser=1', 'https://meet.google.com/abc-defg-hij/']],
  ])('G05 %s is not used twice, however it is spelled, by any marketplace', async (url, spellings) => {
    const world = await testWorld();
    const other = await otherMarketplace(world);
    const first = must(await upload(world, url), 201);
    for (const spelling of spellings) {
      expect({ spelling, ...(await upload(world, spelling, 'bk_2')) }).toMatchObject({
        spelling,
        status: 422,
        json: { code: 'link_already_used' },
      });
      const elsewhere = await other.api('POST', '/v1/meetings', meetingBody(world, { ...booking('bk_2'), join_url: spelling }));
      expect(elsewhere).toMatchObject({ status: 422, json: { code: 'link_already_used' } });
    }
    // Not after the first booking is over either.
    must(await world.api('POST', `/v1/meetings/${String(first.json['id'])}/cancel`), 200);
    expect((await upload(world, url, 'bk_3')).json).toMatchObject({ code: 'link_already_used' });
  });

  it.each(VENDORS)('G05 the link of a meeting made at %s cannot be uploaded for another booking', async (vendor) => {
    const world = await testWorld();
    await connect(world, vendor);
    const { link } = await createMeeting(world, { provider: vendor });
    expect(await upload(world, link.provider_join_url, 'bk_2')).toMatchObject({ status: 422, json: { code: 'link_already_used' } });
  });
});

describe('a change', () => {
  it.each(VENDORS)('at %s keeps the link and changes the meeting of the vendor', async (vendor) => {
    const world = await testWorld();
    await connect(world, vendor);
    const meeting = await createMeeting(world, { provider: vendor });
    const starts_at = new Date(world.now().getTime() + DAY).toISOString();
    const answer = must(
      await world.api('PATCH', `/v1/meetings/${meeting.id}`, { title: 'New title', starts_at, duration_minutes: 45, time_zone: 'UTC' }),
      200,
    );
    expect(answer.json).toMatchObject({
      booking: { id: 'bk_1', title: 'New title' },
      starts_at,
      duration_minutes: 45,
      time_zone: 'UTC',
      link: meeting.link,
      host_url: meeting.host_url,
      attendees: meeting.attendees.map(({ customer_id, join_url }) => ({ customer_id, join_url })),
    });
    const left = await vendorMeetings(world, vendor);
    expect(left).toHaveLength(1);
    const at = starts_at.replace(/\.\d+Z$/, '');
    // A Meet space has neither title nor time.
    const told = {
      zoom: { topic: 'New title', duration: 45, startTime: expect.stringContaining(at) as string },
      'microsoft-teams': { subject: 'New title', start: expect.stringContaining(at) as string },
      'google-meet': {},
    }[vendor];
    expect(left[0]).toMatchObject(told);
    const event = await world.receiver.waitFor('changed', ({ type }) => type === 'meeting.changed');
    expect((event.data['changed'] as string[]).toSorted()).toEqual(['duration_minutes', 'starts_at', 'time_zone', 'title']);
  });

  it('that changes nothing costs the vendor nothing and is no news', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await createMeeting(world);
    must(await world.api('PATCH', `/v1/meetings/${meeting.id}`, {}), 200);
    must(
      await world.api('PATCH', `/v1/meetings/${meeting.id}`, {
        title: 'Tax consultation',
        starts_at: meeting.starts_at.replace('Z', '+00:00'),
      }),
      200,
    );
    await settled(world);
    expect(calls(world, 'zoom', 'PATCH', /./)).toEqual([]);
    expect(eventTypes(world, meeting.id)).toEqual(['meeting.created']);
  });

  it('is told once for each, even within one millisecond', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await createMeeting(world);
    for (const title of ['one', 'two', 'one']) must(await world.api('PATCH', `/v1/meetings/${meeting.id}`, { title }), 200);
    await settled(world);
    expect(eventTypes(world, meeting.id).filter((type) => type === 'meeting.changed')).toHaveLength(3);
  });

  it('moves the window of the join links, before and after the purchase', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world);
    must(await world.api('PATCH', `/v1/meetings/${meeting.id}`, { starts_at: new Date(world.now().getTime() + DAY).toISOString() }), 200);
    world.jump(3 * 60 * MINUTE);
    await settled(world);
    expect((await getMeeting(world, meeting.id)).state).toBe('confirmed');
    world.jump(DAY);
    await eventually('the window is over', async () => (await getMeeting(world, meeting.id)).state === 'ended');
  });

  it('G14 cannot make a meeting longer than the plan allows', async () => {
    const world = await testWorld();
    await connect(world, 'zoom', { user: 'ben@zoom.sandbox.example' });
    const meeting = await createMeeting(world, { duration_minutes: 40 });
    expect(await world.api('PATCH', `/v1/meetings/${meeting.id}`, { duration_minutes: 41 })).toMatchObject({
      status: 422,
      json: { code: 'limit_exceeded', limit_minutes: 40 },
    });
    expect(calls(world, 'zoom', 'PATCH', /./)).toEqual([]);
    must(await world.api('PATCH', `/v1/meetings/${meeting.id}`, { duration_minutes: 20 }), 200);
    await setPolicy(world, { limits: { on_exceed: 'warn' } });
    expect(must(await world.api('PATCH', `/v1/meetings/${meeting.id}`, { duration_minutes: 41 }), 200).json).toMatchObject({
      limit: { exceeded: true },
    });
  });

  it('into the past, of unknown members and of a meeting that is over is refused', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const { id } = await createMeeting(world);
    const change = (body: unknown) => world.api('PATCH', `/v1/meetings/${id}`, body);
    expect(await change({ starts_at: '2020-01-01T00:00:00Z' })).toMatchObject({
      status: 422,
      json: { errors: [{ pointer: '/starts_at' }] },
    });
    expect(await change({ colour: 'red' })).toMatchObject({ status: 422, json: { errors: [{ pointer: '/colour' }] } });
    must(await world.api('POST', `/v1/meetings/${id}/cancel`, { reason: 'ill' }), 200);
    expect(await change({ title: 'x' })).toMatchObject({ status: 409, json: { code: 'conflict' } });
  });
});

describeOnBothDatabases('the end', (_open, engine) => {
  it.each(VENDORS)('cancel deletes the meeting at %s, closes the doors and is told once', async (vendor) => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, vendor);
    const meeting = await boughtMeeting(world, { provider: vendor });
    const answer = must(await world.api('POST', `/v1/meetings/${meeting.id}/cancel`, { reason: 'The professional is ill' }), 200);
    expect(answer.json).toMatchObject({ state: 'cancelled', cancel_reason: 'The professional is ill' });
    await eventually('the vendor has deleted it', () => goneAtVendor(world, vendor));
    for (const url of [meeting.attendees[0]!.join_url, meeting.host_url]) {
      expect((await fetch(url)).status).toBe(410);
      const join = await fetch(`${url}/join`, { method: 'POST', redirect: 'manual' });
      expect([join.status, join.headers.get('location')]).toEqual([410, null]);
    }
    must(await world.api('POST', `/v1/meetings/${meeting.id}/cancel`), 200);
    await settled(world);
    expect(eventTypes(world, meeting.id).filter((type) => type === 'meeting.cancelled')).toHaveLength(1);
    expect(await world.api('POST', `/v1/meetings/${meeting.id}/purchases`, { customer_id: 'cus_1' })).toMatchObject({ status: 200 });
  });

  it.each(['zoom', 'google-meet'] as const)('end ends the running meeting at %s', async (vendor) => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, vendor);
    await settled(world);
    const meeting = await boughtMeeting(world, { provider: vendor });
    await happen(world, meeting, 'start');
    await world.receiver.waitFor('started', ({ type }) => type === 'meeting.started');
    expect((await getMeeting(world, meeting.id)).state).toBe('live');
    world.jump(MINUTE);
    must(await world.api('POST', `/v1/meetings/${meeting.id}/end`), 200);
    await world.sandbox.sandbox.settle();
    await world.receiver.waitFor('ended', ({ type }) => type === 'meeting.ended');
    expect((await getMeeting(world, meeting.id)) as unknown).toMatchObject({
      state: 'ended',
      started_at: expect.any(String),
      ended_at: expect.any(String),
    });
  });

  it('end is refused where nobody can, and before anybody bought', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'microsoft-teams');
    await connect(world, 'zoom');
    const teams = await boughtMeeting(world, { ...booking('a'), provider: 'microsoft-teams' });
    expect(await world.api('POST', `/v1/meetings/${teams.id}/end`)).toMatchObject({ status: 422, json: { code: 'not_capable' } });
    const uploaded = await boughtMeeting(world, { ...booking('b'), join_url: 'https://zoom.us/j/81234567890' });
    expect(await world.api('POST', `/v1/meetings/${uploaded.id}/end`)).toMatchObject({ status: 422, json: { code: 'not_capable' } });
    const zoom = await createMeeting(world, { ...booking('c'), provider: 'zoom' });
    expect(await world.api('POST', `/v1/meetings/${zoom.id}/end`)).toMatchObject({ status: 409, json: { code: 'conflict' } });
  });

  it('comes by the clock where the vendor never tells it, and G14 the limit is told where it does', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom', { user: 'ben@zoom.sandbox.example' });
    const uploaded = await boughtMeeting(world, { ...booking('b'), join_url: 'https://meet.google.com/abc-defg-hij' });
    const zoom = await boughtMeeting(world, { ...booking('c'), provider: 'zoom' });
    await happen(world, zoom, 'start');
    await happen(world, zoom, 'join', { name: 'Ada' });
    await world.receiver.waitFor('started', ({ type }) => type === 'meeting.started');
    world.jump(40 * MINUTE);
    await happen(world, zoom, 'end', { reason: 'limit' });
    const limit = await world.receiver.waitFor('limit', ({ type }) => type === 'meeting.limit_reached');
    expect(limit.data).toMatchObject({ meeting_id: zoom.id, limit_minutes: 40 });
    // 10 minutes to the start, 30 of meeting, 60 of window.
    world.jump(59 * MINUTE);
    await settled(world);
    expect((await getMeeting(world, uploaded.id)).state).toBe('confirmed');
    world.jump(MINUTE);
    await world.receiver.waitFor('ended', ({ type, data }) => type === 'meeting.ended' && data['meeting_id'] === uploaded.id);
  });
});

describeOnBothDatabases('while the vendor is not reachable', (_open, engine) => {
  it.each(VENDORS)(
    '%s down: 201 link_pending, then repaired, with one meeting at the vendor',
    async (vendor) => {
      const world = await testWorld({ databaseUrl: await databaseOf(engine) });
      await connect(world, vendor);
      await settled(world);
      fault(world, vendor, 'POST', CREATE[vendor], { status: 503 }, 50);
      const meeting = await createMeeting(world, { provider: vendor });
      expect(meeting).toMatchObject({ state: 'link_pending', provider: vendor, link: { provider_join_url: null } });
      expect(await world.api('POST', `/v1/meetings/${meeting.id}/purchases`, { customer_id: 'cus_1' })).toMatchObject({
        status: 409,
        json: { code: 'conflict' },
      });
      expect(await world.api('PATCH', `/v1/meetings/${meeting.id}`, { title: 'x' })).toMatchObject({
        status: 409,
        json: { code: 'conflict' },
      });
      expect(await vendorMeetings(world, vendor)).toEqual([]);
      clearFaults(world);
      await repaired(world, meeting.id);
      expect((await getMeeting(world, meeting.id)).link.provider_join_url).toMatch(JOIN_HOST[vendor]);
      expect(await vendorMeetings(world, vendor)).toHaveLength(1);
      await settled(world);
      expect(eventTypes(world, meeting.id).toSorted()).toEqual(['meeting.created', 'meeting.link_ready']);
    },
    40_000,
  );

  it.each(['zoom', 'microsoft-teams'] as const)(
    '%s made it and the answer was lost: the same meeting is found again',
    async (vendor) => {
      const world = await testWorld({ databaseUrl: await databaseOf(engine) });
      await connect(world, vendor);
      await settled(world);
      fault(world, vendor, 'POST', CREATE[vendor], { drop_connection: 'after' }, 50);
      const meeting = await createMeeting(world, { provider: vendor });
      clearFaults(world);
      await repaired(world, meeting.id);
      const left = await vendorMeetings(world, vendor);
      expect(left).toHaveLength(1);
      const { link } = await getMeeting(world, meeting.id);
      const { meetings = [] } = await vendorState(world, vendor);
      const ofTeams = meetings.find(({ id }) => id === left[0]!['meetingId'])?.['joinWebUrl'];
      expect(link.provider_join_url).toContain(String(vendor === 'zoom' ? left[0]!['id'] : ofTeams));
    },
    40_000,
  );

  it('Google made it and the answer was lost: one link is given out, a forgotten space nobody knows may remain', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'google-meet');
    await settled(world);
    fault(world, 'google-meet', 'POST', CREATE['google-meet'], { drop_connection: 'after' }, 1);
    const meeting = await createMeeting(world, { provider: 'google-meet' });
    await repaired(world, meeting.id);
    const { link } = await getMeeting(world, meeting.id);
    const codes = (await vendorMeetings(world, 'google-meet')).map(({ code }) => String(code));
    expect(codes.filter((code) => link.provider_join_url.includes(code))).toHaveLength(1);
    expect(codes.length).toBeLessThanOrEqual(2);
  }, 40_000);

  it('a policy that refuses answers 503, keeps nothing, and takes away what the vendor made all the same', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    await connect(world, 'google-meet');
    await setPolicy(world, { vendor_unavailable: 'refuse' });
    fault(world, 'zoom', 'POST', CREATE.zoom, { drop_connection: 'after' }, 50);
    const answer = await world.api('POST', '/v1/meetings', meetingBody(world));
    expect(answer).toMatchObject({ status: 503, json: { code: 'vendor_unavailable' } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    clearFaults(world);
    // Never another vendor in silence.
    expect(await vendorMeetings(world, 'google-meet')).toEqual([]);
    const again = await createMeeting(world);
    world.jump(2 * MINUTE);
    await eventually('only the second one is left', async () => (await vendorMeetings(world, 'zoom')).length === 1);
    await settled(world);
    expect((await vendorMeetings(world, 'zoom'))[0]!['agenda']).toContain(again.id);
    const { data } = must(await world.api('GET', '/v1/meetings'), 200).json as { data: { id: string; state: string }[] };
    expect(data.filter(({ state }) => state !== 'cancelled').map(({ id }) => id)).toEqual([again.id]);
  }, 40_000);

  it('what the vendor refuses is told at once, and the booking is free again', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    fault(world, 'zoom', 'POST', CREATE.zoom, { status: 400, body: { code: 300, message: 'canary words of the vendor' } });
    const answer = await world.api('POST', '/v1/meetings', meetingBody(world));
    expect(answer).toMatchObject({ status: 422, json: { code: 'vendor_refused', vendor_code: expect.anything() } });
    expect(answer.text).not.toContain('canary');
    await createMeeting(world);
  });

  it('nonsense of the vendor is 502', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    fault(world, 'zoom', 'POST', CREATE.zoom, { status: 201, body: '<html>' }, 50);
    expect(await world.api('POST', '/v1/meetings', meetingBody(world))).toMatchObject({ status: 502, json: { code: 'vendor_nonsense' } });
  }, 40_000);

  it('cancelled before the vendor came back: nothing is left there', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    fault(world, 'zoom', 'POST', CREATE.zoom, { drop_connection: 'after' }, 50);
    const meeting = await createMeeting(world);
    clearFaults(world);
    must(await world.api('POST', `/v1/meetings/${meeting.id}/cancel`), 200);
    await eventually('the lost meeting is deleted', async () => (await vendorMeetings(world, 'zoom')).length === 0);
    expect((await getMeeting(world, meeting.id)).state).toBe('cancelled');
  }, 40_000);
});

describe('what is stored of a link', () => {
  it('is sealed for its own meeting', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await createMeeting(world);
    const { db, config, random } = world.gateway.gateway;
    const [row] = await db.read.select().from(db.read.t.meetings);
    const vault = createVault({ keys: config.encryptionKeys!, random });
    expect(row!.vendorJoinUrlSealed!.toString('latin1')).not.toContain('zoom.us');
    expect(vault.open(row!.vendorJoinUrlSealed!, joinUrlContext(meeting.id))).toBe(meeting.link.provider_join_url);
    expect(() => vault.open(row!.vendorJoinUrlSealed!, joinUrlContext('mtg_other'))).toThrow('does not open');
  });
});

/** The job that repairs a link is due within 15 s of the clock, or after the vendor's own wish. */
async function repaired(world: World, id: string): Promise<void> {
  world.jump(2 * MINUTE);
  await world.receiver.waitFor('link_ready', ({ type, data }) => type === 'meeting.link_ready' && data['meeting_id'] === id);
}

/** Uses up every fault that is still planned, so that the vendor is well again. */
function clearFaults({ sandbox }: World): void {
  for (const fault of sandbox.sandbox.traffic.faults()) (fault as { match: { path: string } }).match.path = '^never$';
}
