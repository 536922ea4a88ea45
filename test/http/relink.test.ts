import { expect, it } from 'vitest';
import {
  boughtMeeting,
  createMeeting,
  databaseOf,
  eventually,
  fault,
  getMeeting,
  MINUTE,
  must,
  vendorMeetings,
} from '../support/gateway.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { connect, testWorld } from '../support/world.ts';

const UPLOADED = 'https://zoom.us/j/91234567890?pwd=abc';

describeOnBothDatabases('another link before the first purchase', (_open, engine) => {
  it('G02 moves the meeting to another app and takes the old vendor meeting away', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    await connect(world, 'microsoft-teams');
    const meeting = await createMeeting(world, { provider: 'zoom' });
    const moved = must(await world.api('PATCH', `/v1/meetings/${meeting.id}`, { provider: 'microsoft-teams' }), 200);
    expect(moved.json).toMatchObject({
      id: meeting.id,
      provider: 'microsoft-teams',
      state: 'awaiting_purchase',
      attendees: meeting.attendees.map(({ customer_id, join_url }) => ({ customer_id, join_url })),
    });
    expect((moved.json['link'] as { provider_join_url: string }).provider_join_url).toMatch(/^https:\/\/teams\.microsoft\.com\//);
    await eventually('the Zoom meeting is gone', async () => (await vendorMeetings(world, 'zoom')).length === 0);
    expect(await vendorMeetings(world, 'microsoft-teams')).toHaveLength(1);
    await world.receiver.waitFor(
      'meeting.changed',
      ({ type, data }) => type === 'meeting.changed' && String(data['changed']).includes('link'),
    );
  });

  it('G01 G05 takes an uploaded link in place of the created one, once and for all', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    const meeting = await createMeeting(world, { provider: 'zoom' });
    must(await world.api('PATCH', `/v1/meetings/${meeting.id}`, { join_url: UPLOADED }), 200);
    expect(await getMeeting(world, meeting.id)).toMatchObject({ link: { source: 'uploaded', provider_join_url: UPLOADED } });
    await eventually('the vendor meeting is gone', async () => (await vendorMeetings(world, 'zoom')).length === 0);
    const second = await createMeeting(world, { provider: 'zoom', booking: { id: 'bk_2', kind: 'one_to_one', title: 'x' } });
    expect(must(await world.api('PATCH', `/v1/meetings/${second.id}`, { join_url: UPLOADED }), 422).json['code']).toBe('link_already_used');
    expect(must(await world.api('PATCH', `/v1/meetings/${second.id}`, { join_url: 'https://webex.com/meet/x' }), 422).json['code']).toBe(
      'app_not_approved',
    );
    expect(await vendorMeetings(world, 'zoom')).toHaveLength(1);
  });

  it('G06 G08 is refused after the purchase, and nothing is made at the vendor for it', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    await connect(world, 'microsoft-teams');
    const meeting = await boughtMeeting(world, { provider: 'zoom' });
    for (const change of [{ provider: 'microsoft-teams' }, { join_url: UPLOADED }]) {
      expect(must(await world.api('PATCH', `/v1/meetings/${meeting.id}`, change), 409).json['code']).toBe('link_locked');
    }
    expect(await vendorMeetings(world, 'microsoft-teams')).toHaveLength(0);
    expect((await getMeeting(world, meeting.id)).link.provider_join_url).toBe(meeting.link.provider_join_url);
  });

  it('keeps the old link when the new vendor does not answer, and cleans up what it may have made', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'google-meet');
    await connect(world, 'zoom');
    const meeting = await createMeeting(world, { provider: 'google-meet' });
    fault(world, 'zoom', 'POST', '/v2/users/me/meetings$', { drop_connection: 'after' });
    must(await world.api('PATCH', `/v1/meetings/${meeting.id}`, { provider: 'zoom' }), 503);
    expect((await getMeeting(world, meeting.id)).link).toEqual(meeting.link);
    expect(await vendorMeetings(world, 'zoom')).toHaveLength(1);
    world.jump(5 * MINUTE);
    await eventually('the half-made meeting is gone', async () => (await vendorMeetings(world, 'zoom')).length === 0);
  });

  it('G06 lets the purchase win that happens while the new link is made', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'google-meet');
    await connect(world, 'zoom');
    const meeting = await createMeeting(world, { provider: 'google-meet' });
    // Slow enough that the purchase is there first, wherever the change is by then.
    fault(world, 'zoom', 'POST', '/v2/users/me/meetings$', { delay_ms: 1_500, process: true });
    const changing = world.api('PATCH', `/v1/meetings/${meeting.id}`, { provider: 'zoom' });
    must(await world.api('POST', `/v1/meetings/${meeting.id}/purchases`, { customer_id: 'cus_1' }), 201);
    expect(must(await changing, 409).json['code']).toBe('link_locked');
    const after = await getMeeting(world, meeting.id);
    expect(after.state).toBe('confirmed');
    expect(after.link.provider_join_url).toBe(meeting.link.provider_join_url);
    world.jump(5 * MINUTE);
    await eventually('the loser is taken away', async () => (await vendorMeetings(world, 'zoom')).length === 0);
  });

  it('takes one of the two, not both', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    const meeting = await createMeeting(world, { provider: 'zoom' });
    expect(must(await world.api('PATCH', `/v1/meetings/${meeting.id}`, { provider: 'zoom', join_url: UPLOADED }), 422).json['code']).toBe(
      'invalid',
    );
  });

  it('C03 flags contact data and links in the title', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    const meeting = await createMeeting(world, {
      provider: 'zoom',
      booking: { id: 'bk_9', kind: 'one_to_one', title: 'Call me: ada@example.com or https://meet.jit.si/ada' },
    });
    const { json } = must(await world.api('GET', `/v1/meetings/${meeting.id}`), 200);
    expect(json['flags']).toEqual([
      { field: 'title', kind: 'email' },
      { field: 'title', kind: 'foreign_meeting_link' },
    ]);
  });
});
