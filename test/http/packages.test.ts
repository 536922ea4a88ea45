import { expect, it } from 'vitest';
import type { World } from '../../demo/world.ts';
import { scheduleJob } from '../../src/store/jobs.ts';
import { databaseOf, DAY, eventually, fault, MINUTE, must, VENDORS, vendorMeetings } from '../support/gateway.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { connect, meetingBody, testWorld } from '../support/world.ts';

interface Shown {
  id: string;
  meetings: {
    id: string;
    state: string;
    link: { locked_at: string | null; provider_join_url: string };
    booking: { title: string };
    starts_at: string;
  }[];
}

function packageBody(world: World, count: number, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const { starts_at: _startsAt, duration_minutes: _minutes, ...common } = meetingBody(world);
  return {
    ...common,
    provider: 'zoom',
    meetings: Array.from({ length: count }, (_, index) => ({
      title: `Lesson ${index + 1}`,
      starts_at: new Date(world.now().getTime() + (index + 1) * DAY).toISOString(),
      duration_minutes: 30,
    })),
    ...changes,
  };
}

const uploaded = (world: World, numbers: readonly string[]) =>
  packageBody(world, 0, {
    provider: 'auto',
    meetings: numbers.map((number, index) => ({
      starts_at: new Date(world.now().getTime() + (index + 1) * DAY).toISOString(),
      duration_minutes: 30,
      join_url: `https://zoom.us/j/${number}`,
    })),
  });

describeOnBothDatabases('packages', (_open, engine) => {
  it.each(VENDORS)('G07 makes all links of a package at %s, in the order given, each of its own', async (vendor) => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, vendor);
    const made = must(await world.api('POST', '/v1/packages', packageBody(world, 5, { provider: vendor })), 201).json as unknown as Shown;
    expect(made.id).toMatch(/^pkg_/);
    expect(made.meetings.map(({ booking }) => booking.title)).toEqual(['Lesson 1', 'Lesson 2', 'Lesson 3', 'Lesson 4', 'Lesson 5']);
    expect(new Set(made.meetings.map(({ link }) => link.provider_join_url)).size).toBe(5);
    expect(await vendorMeetings(world, vendor)).toHaveLength(5);
    expect(must(await world.api('GET', `/v1/packages/${made.id}`), 200).json).toEqual(made);
    for (const { id } of made.meetings)
      await world.receiver.waitFor('meeting.created', ({ type, data }) => type === 'meeting.created' && data['meeting_id'] === id);
  });

  it('G07 refuses a sixth meeting, and makes none', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    const refused = must(await world.api('POST', '/v1/packages', packageBody(world, 6)), 422);
    expect(refused.json).toMatchObject({ code: 'package_too_large', max_meetings: 5 });
    expect(await vendorMeetings(world, 'zoom')).toHaveLength(0);
    expect(must(await world.api('GET', '/v1/meetings'), 200).json).toMatchObject({ data: [] });
  });

  it('G07 takes everything back at the vendor and here when one link cannot be made', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    must(
      await world.api(
        'POST',
        '/v1/meetings',
        meetingBody(world, { booking: { id: 'bk_1', kind: 'one_to_one', title: 'x' }, provider: 'zoom' }),
      ),
      201,
    );
    // Three are made, then the day of this host is used up by other programs: what the gateway counts itself, it refuses before the first.
    fault(world, 'zoom', 'POST', '/v2/users/me/meetings', { delay_ms: 1 }, 3);
    fault(world, 'zoom', 'POST', '/v2/users/me/meetings', {
      status: 429,
      body: {
        code: 429,
        message: 'You have exceeded the daily rate limit (100) of Meeting Create/Update API requests permitted for this particular user.',
      },
    });
    const before = (await vendorMeetings(world, 'zoom')).length;
    const refused = await world.api(
      'POST',
      '/v1/packages',
      packageBody(world, 4, { booking: { id: 'bk_package', kind: 'one_to_one', title: 'Course' } }),
    );
    expect(refused.status).toBe(503);
    expect(refused.json['code']).toBe('vendor_quota');
    await eventually('the vendor has only the others', async () => (await vendorMeetings(world, 'zoom')).length === before);
    const left = must(await world.api('GET', '/v1/meetings?booking_id=bk_package'), 200).json['data'] as { state: string }[];
    expect(left.map(({ state }) => state)).toEqual(['cancelled', 'cancelled', 'cancelled', 'cancelled']);
  });

  it('G03 G06 G08 sells the whole package at once and locks every link', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    const made = must(await world.api('POST', '/v1/packages', packageBody(world, 3)), 201).json as unknown as Shown;
    const bought = must(await world.api('POST', `/v1/packages/${made.id}/purchases`, { customer_id: 'cus_1' }), 201);
    expect((bought.json['attendees'] as { join_url: string; state: string }[]).map(({ state }) => state)).toEqual([
      'purchased',
      'purchased',
      'purchased',
    ]);
    must(await world.api('POST', `/v1/packages/${made.id}/purchases`, { customer_id: 'cus_1' }), 200);
    const after = must(await world.api('GET', `/v1/packages/${made.id}`), 200).json as unknown as Shown;
    expect(after.meetings.every(({ state, link }) => state === 'confirmed' && link.locked_at !== null)).toBe(true);
    for (const { id } of after.meetings) {
      expect(must(await world.api('PATCH', `/v1/meetings/${id}`, { join_url: 'https://zoom.us/j/99999999999' }), 409).json['code']).toBe(
        'link_locked',
      );
    }
  });

  it('G04 sells nothing of a package when one of its meetings can no longer be bought', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    const made = must(await world.api('POST', '/v1/packages', packageBody(world, 2)), 201).json as unknown as Shown;
    must(await world.api('POST', `/v1/meetings/${made.meetings[1]!.id}/cancel`), 200);
    must(await world.api('POST', `/v1/packages/${made.id}/purchases`, { customer_id: 'cus_1' }), 409);
    const first = must(await world.api('GET', `/v1/meetings/${made.meetings[0]!.id}`), 200);
    expect(first.json).toMatchObject({ state: 'awaiting_purchase', link: { locked_at: null } });
  });

  it('G05 refuses a package in which a link comes twice, and gives no link away for it', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const twice = must(await world.api('POST', '/v1/packages', uploaded(world, ['91234567890', '91234567890'])), 422);
    expect(twice.json['code']).toBe('link_already_used');
    must(await world.api('POST', '/v1/packages', uploaded(world, ['91234567890', '91234567891'])), 201);
  });

  it('case 66: leaves nothing behind when the answer to one create was lost', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    fault(world, 'zoom', 'POST', '/v2/users/me/meetings$', { drop_connection: 'after' });
    must(await world.api('POST', '/v1/packages', packageBody(world, 2)), 503);
    expect(await vendorMeetings(world, 'zoom')).toHaveLength(1);
    world.jump(20 * MINUTE);
    await eventually('nothing is left at the vendor', async () => (await vendorMeetings(world, 'zoom')).length === 0);
    const meetings = must(await world.api('GET', '/v1/meetings'), 200).json['data'] as { state: string }[];
    expect(meetings.map(({ state }) => state)).toEqual(['cancelled', 'cancelled']);
    must(await world.api('POST', '/v1/packages', packageBody(world, 2)), 201);
  });

  it('is undone when its process died before the last link was there', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    const made = must(await world.api('POST', '/v1/packages', packageBody(world, 2)), 201).json as unknown as Shown;
    // As a process leaves it that dies after the calls and before the last transaction.
    const { db } = world.gateway.gateway;
    await db.write(async (tx) => {
      await tx.update(tx.t.packages).set({ settledAt: null });
      await scheduleJob(tx, { kind: 'package.undo', subjectId: made.id, dueAt: world.now() });
    });
    world.jump(MINUTE);
    await eventually('nothing is left at the vendor', async () => (await vendorMeetings(world, 'zoom')).length === 0);
    must(await world.api('GET', `/v1/packages/${made.id}`), 404);
  });

  it('is not there for another marketplace', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    must(await world.api('GET', '/v1/packages/pkg_00000000000000000000000000'), 404);
    must(await world.api('POST', '/v1/packages/pkg_00000000000000000000000000/purchases', { customer_id: 'cus_1' }), 404);
  });
});
