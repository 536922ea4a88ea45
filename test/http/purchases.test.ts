import { describe, expect, it } from 'vitest';
import {
  boughtMeeting,
  createMeeting,
  databaseOf,
  eventually,
  getMeeting,
  HOUR,
  MINUTE,
  must,
  restart,
  settled,
  VENDORS,
  vendorMeetings,
} from '../support/gateway.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { connect, meetingBody, testWorld } from '../support/world.ts';
import type { World } from '../../demo/world.ts';

const booking = (id: string, kind = 'one_to_one') => ({ booking: { id, kind, title: 'Tax consultation' } });
const buy = (world: World, meetingId: string, customer_id = 'cus_1') =>
  world.api('POST', `/v1/meetings/${meetingId}/purchases`, { customer_id });
const told = ({ receiver }: World, type: string) => receiver.events.filter((event) => event.type === type);

describeOnBothDatabases('a purchase', (_open, engine) => {
  it('G08 locks the link, confirms the meeting, is told once and may be repeated', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    const meeting = await createMeeting(world);
    const first = must(await buy(world, meeting.id), 201);
    expect(first.json).toMatchObject({ customer_id: 'cus_1', state: 'purchased', join_url: meeting.attendees[0]!.join_url });
    const second = must(await buy(world, meeting.id), 200);
    expect(second.json).toEqual(first.json);
    const after = await getMeeting(world, meeting.id);
    expect(after).toMatchObject({ state: 'confirmed', link: { ...meeting.link, locked_at: world.now().toISOString() } });
    await settled(world);
    expect(told(world, 'meeting.link_locked')).toHaveLength(1);
    expect(told(world, 'meeting.purchased').map(({ data }) => data)).toMatchObject([
      { meeting_id: meeting.id, customer_id: 'cus_1', state: 'confirmed' },
    ]);
    // What has been bought does not expire.
    world.jump(49 * HOUR);
    await settled(world);
    expect(told(world, 'meeting.expired')).toEqual([]);
  });

  it('20 reports of one purchase at once are one purchase', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    const event = await createMeeting(world, { ...booking('ev', 'event'), attendees: [] });
    const answers = await Promise.all(Array.from({ length: 20 }, () => buy(world, event.id, 'cus_9')));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 201]));
    expect(new Set(answers.map(({ json }) => json['join_url'])).size).toBe(1);
    await settled(world);
    expect(told(world, 'meeting.purchased')).toHaveLength(1);
    expect((await getMeeting(world, event.id)).attendees).toHaveLength(1);
  });

  it('G03 G06 of an event makes the customer an attendee, whose way in opens with the own purchase only', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    const event = await createMeeting(world, { ...booking('ev', 'event'), attendees: [{ customer_id: 'listed' }] });
    const bought = must(await buy(world, event.id, 'cus_a'), 201);
    expect((await fetch(String(bought.json['join_url']))).status).toBe(200);
    expect((await fetch(event.attendees[0]!.join_url)).status).toBe(402);
    const { link } = await getMeeting(world, event.id);
    expect(link.locked_at).not.toBeNull();
    world.jump(MINUTE);
    must(await buy(world, event.id, 'cus_b'), 201);
    expect((await getMeeting(world, event.id)).link).toEqual(link);
    // G03: places are sold as long as the event lasts, here 10 minutes to the start and 30 of event.
    world.jump(48 * MINUTE);
    must(await buy(world, event.id, 'cus_c'), 201);
    await settled(world);
    expect(told(world, 'meeting.purchased').map(({ data }) => data['customer_id'])).toEqual(['cus_a', 'cus_b', 'cus_c']);
    expect(told(world, 'meeting.link_locked')).toHaveLength(1);
  });

  it('of somebody who is not part of the booking is 404', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    const meeting = await createMeeting(world);
    expect((await buy(world, meeting.id, 'stranger')).status).toBe(404);
    expect((await getMeeting(world, meeting.id)).link.locked_at).toBeNull();
  });

  it.each(VENDORS)('G04 expires at %s after 48 hours, to the millisecond, and goes from the vendor', async (vendor) => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, vendor);
    await settled(world);
    const starts_at = new Date(world.now().getTime() + 100 * HOUR).toISOString();
    const late = await createMeeting(world, { ...booking('late'), provider: vendor, starts_at });
    const inTime = await createMeeting(world, { ...booking('in time'), provider: vendor, starts_at });
    expect(Date.parse(late.purchase_by) - world.now().getTime()).toBe(48 * HOUR);
    world.jump(48 * HOUR - 1);
    expect((await fetch(late.attendees[0]!.join_url)).status).toBe(402);
    must(await buy(world, inTime.id), 201);
    world.jump(1);
    // Refused by the clock, whether or not the job has been there.
    expect(await buy(world, late.id)).toMatchObject({ status: 409, json: { code: 'purchase_expired' } });
    expect((await fetch(late.attendees[0]!.join_url)).status).toBe(410);
    await world.receiver.waitFor('expired', ({ type, data }) => type === 'meeting.expired' && data['meeting_id'] === late.id);
    expect((await getMeeting(world, late.id)).state).toBe('expired');
    expect(await buy(world, late.id)).toMatchObject({ status: 409, json: { code: 'purchase_expired' } });
    await eventually('the vendor has it no more', async () => {
      const left = await vendorMeetings(world, vendor);
      // A space of Google cannot be deleted; it is closed.
      const open =
        vendor === 'google-meet' ? left.filter(({ config }) => (config as { accessType?: string }).accessType !== 'RESTRICTED') : left;
      return open.length === 1;
    });
    await settled(world);
    expect(told(world, 'meeting.expired')).toHaveLength(1);
    // The booking is free for another meeting.
    await createMeeting(world, { ...booking('late'), provider: vendor, starts_at });
  });
});

describe('the deadline', () => {
  it('G04 passes while the gateway is down', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const starts_at = new Date(world.now().getTime() + 100 * HOUR).toISOString();
    const meeting = await createMeeting(world, { starts_at });
    await settled(world);
    await restart(world, { after: 49 * HOUR });
    await world.receiver.waitFor('expired', ({ type, data }) => type === 'meeting.expired' && data['meeting_id'] === meeting.id);
    expect(await buy(world, meeting.id)).toMatchObject({ status: 409, json: { code: 'purchase_expired' } });
    expect((await fetch(meeting.attendees[0]!.join_url)).status).toBe(410);
    await eventually('the vendor has deleted it', async () => (await vendorMeetings(world, 'zoom')).length === 0);
  });

  it('G04 follows the policy of the marketplace', async () => {
    const world = await testWorld();
    const { setPolicy } = await import('../support/gateway.ts');
    await setPolicy(world, { purchase: { within_hours: 1 } });
    await connect(world, 'zoom');
    const meeting = await createMeeting(world);
    expect(Date.parse(meeting.purchase_by) - world.now().getTime()).toBe(HOUR);
  });
});

describe('after the lock', () => {
  it('G06 G08 no request changes the link', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    await connect(world, 'google-meet');
    const meeting = await boughtMeeting(world, { provider: 'zoom' });
    const before = (await getMeeting(world, meeting.id)).link;
    for (const change of [{ provider: 'google-meet' }, { join_url: 'https://meet.google.com/abc-defg-hij' }])
      expect((await world.api('PATCH', `/v1/meetings/${meeting.id}`, change)).status).toBeGreaterThanOrEqual(400);
    must(await world.api('PATCH', `/v1/meetings/${meeting.id}`, { title: 'Other', duration_minutes: 20 }), 200);
    expect(await world.api('POST', '/v1/meetings', meetingBody(world, { join_url: 'https://meet.google.com/abc-defg-hij' }))).toMatchObject(
      {
        status: 409,
        json: { code: 'meeting_exists' },
      },
    );
    expect((await getMeeting(world, meeting.id)).link).toEqual(before);
  });
});

describe('wishes and consents', () => {
  it('G10 the camera wish is kept and shown to the professional', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world);
    const answer = must(await world.api('PUT', `/v1/meetings/${meeting.id}/attendees/cus_1`, { camera_off: true, locale: 'bg' }), 200);
    expect(answer.json).toMatchObject({ customer_id: 'cus_1', camera_off: true, locale: 'bg' });
    must(await world.api('PUT', `/v1/meetings/${meeting.id}/attendees/cus_1`, {}), 200);
    expect((await getMeeting(world, meeting.id)).attendees[0]).toMatchObject({ camera_off: true });
    expect(await (await fetch(meeting.host_url)).text()).toMatch(/camera/i);
    expect(await (await fetch(meeting.attendees[0]!.join_url)).text()).toContain('<html lang="bg"');
  });

  it('G12 the ledger keeps every decision, the attendee shows the last one', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world, { recording: 'on_consent' });
    const path = `/v1/meetings/${meeting.id}/attendees/cus_1/recording-consent`;
    for (const [decision, text_version] of [
      ['granted', 'v1'],
      ['refused', 'v1'],
      ['granted', 'v2'],
    ]) {
      world.jump(1_000);
      const answer = must(await world.api('PUT', path, { decision, locale: 'de', text_version }), 200);
      expect(answer.json).toMatchObject({ recording_consent: decision });
    }
    const { read } = world.gateway.gateway.db;
    const ledger = (await read.select().from(read.t.consents)).toSorted((a, b) => a.at.getTime() - b.at.getTime());
    expect(ledger.map(({ decision, textVersion, channel, customerId }) => [decision, textVersion, channel, customerId])).toEqual([
      ['granted', 'v1', 'api', 'cus_1'],
      ['refused', 'v1', 'api', 'cus_1'],
      ['granted', 'v2', 'api', 'cus_1'],
    ]);
    expect(await world.api('PUT', path, { decision: 'maybe', locale: 'de', text_version: 'v' })).toMatchObject({
      status: 422,
      json: { errors: [{ pointer: '/decision' }] },
    });
    expect((await world.api('PUT', path.replace('cus_1', 'nobody'), { decision: 'granted', locale: 'de', text_version: 'v' })).status).toBe(
      404,
    );
  });
});
