/** Ending before the time: one side asks, the other answers (R05). */
import { expect, it } from 'vitest';
import { visit, type Answer } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import {
  boughtMeeting,
  calls,
  createMeeting,
  databaseOf,
  eventually,
  fault,
  getMeeting,
  happen,
  MINUTE,
  must,
  setPolicy,
  settled,
} from '../support/gateway.ts';
import type { MeetingJson } from '../support/gateway.ts';
import { connect, testWorld, type Vendor } from '../support/world.ts';

const SECOND = 1_000;

const ask = ({ api }: World, { id }: MeetingJson, body: unknown): Promise<Answer> => api('POST', `/v1/meetings/${id}/early-end`, body);
const answer = ({ api }: World, { id }: MeetingJson, by: string, decision: string): Promise<Answer> =>
  api('POST', `/v1/meetings/${id}/early-end/answer`, { by, decision });
const press = (page: string, word: string): Promise<Answer> =>
  visit(`${page}/early-end`, { method: 'POST', body: new URLSearchParams({ early_end: word }) });
const told = ({ receiver }: World, type: string) => receiver.events.filter((event) => event.type === type).map(({ data }) => data);
const joinOf = ({ attendees }: MeetingJson): string => attendees[0]!.join_url;
const textOf = async (page: string): Promise<string> => (await visit(page, { headers: { accept: 'text/html' } })).text;

describeOnBothDatabases('an early end', (_open, engine) => {
  const start = async (vendor: Vendor = 'zoom') => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine), policy: 'rodrun' });
    await setPolicy(world, { approved_apps: ['zoom', 'microsoft-teams', 'google-meet'], hosting: 'professional' });
    await connect(world, vendor);
    const meeting = await boughtMeeting(world);
    return { world, meeting };
  };
  const running = async (vendor: Vendor = 'zoom') => {
    const { world, meeting } = await start(vendor);
    world.jump(10 * MINUTE);
    if (vendor !== 'microsoft-teams') {
      await happen(world, meeting, 'start');
      await eventually('it runs', async () => (await getMeeting(world, meeting.id)).state === 'live');
    }
    return { world, meeting };
  };

  it('R05 asked for on the page of one side is agreed to on that of the other, and ends the meeting at the vendor', async () => {
    const { world, meeting } = await running();
    expect(await textOf(joinOf(meeting))).toContain('Ask to end early');
    expect((await press(joinOf(meeting), 'ask')).status).toBe(303);
    expect(await textOf(joinOf(meeting))).toContain('You asked to end early');
    const hostPage = await textOf(meeting.host_url);
    expect(hostPage).toContain('The other side would like to end early');
    expect(hostPage).toMatch(/data-until="[^"]+"[^>]*>01:00</);
    // A vendor that is not reachable for a moment is asked again.
    fault(world, 'zoom', 'PUT', '/v2/meetings/*/status', { status: 503 }, 3);
    expect((await press(meeting.host_url, 'agreed')).status).toBe(303);
    expect(await textOf(joinOf(meeting))).toContain('The call in Zoom is being ended.');
    await settled(world);
    world.jump(10 * SECOND);
    await eventually('it has ended', async () => (await getMeeting(world, meeting.id)).state === 'ended');
    expect(calls(world, 'zoom', 'PUT', /\/status$/).at(-1)?.status).toBe(204);
    await settled(world);
    expect(told(world, 'meeting.early_end_asked')).toMatchObject([{ meeting_id: meeting.id, asked_by: 'customer', customer_id: 'cus_1' }]);
    expect(told(world, 'meeting.early_end_answered')).toMatchObject([{ asked_by: 'customer', decision: 'agreed', ends: true }]);
    const { read } = world.gateway.gateway.db;
    expect((await read.select().from(read.t.audit)).filter(({ action }) => action === 'early_end.answered')).toMatchObject([
      { details: { meeting_id: meeting.id, asked_by: 'customer', decision: 'agreed' } },
    ]);
  });

  it('R05 ends only the run that was agreed to end, and nothing is agreed once it is over', async () => {
    const { world, meeting } = await running();
    must(await ask(world, meeting, { asked_by: 'customer' }), 201);
    fault(world, 'zoom', 'PUT', '/meetings/.+/status', { status: 503 }, 50);
    must(await answer(world, meeting, 'professional', 'agreed'), 200);
    await settled(world);
    // They end it themselves, and meet once more before the vendor can be reached.
    world.jump(2 * SECOND);
    await happen(world, meeting, 'end');
    await eventually('it has ended', async () => (await getMeeting(world, meeting.id)).state === 'ended');
    world.jump(2 * SECOND);
    await happen(world, meeting, 'start');
    await eventually('it runs again', async () => (await getMeeting(world, meeting.id)).state === 'live');
    const asked = calls(world, 'zoom', 'PUT', /\/status$/).length;
    world.jump(10 * MINUTE);
    await settled(world);
    expect((await getMeeting(world, meeting.id)).state).toBe('live');
    expect(calls(world, 'zoom', 'PUT', /\/status$/)).toHaveLength(asked);
    must(await ask(world, meeting, { asked_by: 'customer' }), 201);
    await happen(world, meeting, 'end');
    await eventually('it has ended', async () => (await getMeeting(world, meeting.id)).state === 'ended');
    expect((await answer(world, meeting, 'professional', 'agreed')).status).toBe(409);
  });

  it('R05 can be asked for twenty times by one side', async () => {
    const { world, meeting } = await running();
    for (let n = 0; n < 20; n += 1) {
      must(await ask(world, meeting, { asked_by: 'customer' }), 201);
      must(await answer(world, meeting, 'professional', 'refused'), 200);
      world.jump(1);
    }
    expect((await ask(world, meeting, { asked_by: 'customer' })).status).toBe(409);
    must(await ask(world, meeting, { asked_by: 'professional' }), 201);
  });

  it('R05 is refused, and lapses by itself when nobody answers; either may be asked for again', async () => {
    const { world, meeting } = await running();
    const first = must(await ask(world, meeting, { asked_by: 'professional' }), 201).json;
    expect(first).toMatchObject({ state: 'asked', answer_by: new Date(world.now().getTime() + 60 * SECOND).toISOString() });
    // Asked once more it is the same request; who asked does not answer, and the other side does not ask on top of it.
    expect(must(await ask(world, meeting, { asked_by: 'professional' }), 200).json).toEqual(first);
    expect((await answer(world, meeting, 'professional', 'agreed')).status).toBe(409);
    expect((await ask(world, meeting, { asked_by: 'customer' })).status).toBe(409);
    const refused = must(await answer(world, meeting, 'customer', 'refused'), 200).json;
    expect(refused).toMatchObject({ id: first['id'], state: 'refused' });
    expect(must(await answer(world, meeting, 'customer', 'refused'), 200).json).toEqual(refused);
    expect((await answer(world, meeting, 'customer', 'agreed')).status).toBe(409);
    expect(await textOf(meeting.host_url)).toContain('The other side would like to go on');
    // Ids tell what is newest by the millisecond.
    world.jump(1);
    must(await ask(world, meeting, { asked_by: 'customer', customer_id: 'cus_1' }), 201);
    world.jump(60 * SECOND);
    // The deadline counts from its moment.
    expect((await answer(world, meeting, 'professional', 'agreed')).status).toBe(409);
    expect(await textOf(joinOf(meeting))).toContain('There was no answer');
    await settled(world);
    expect(told(world, 'meeting.early_end_answered').map(({ decision, ends }) => [decision, ends])).toEqual([
      ['refused', false],
      ['lapsed', false],
    ]);
    must(await ask(world, meeting, { asked_by: 'customer' }), 201);
    const { json } = must(await world.api('GET', `/v1/meetings/${meeting.id}/early-end`), 200);
    expect((json['data'] as { state: string }[]).map(({ state }) => state).toSorted()).toEqual(['asked', 'lapsed', 'refused']);
    expect((await getMeeting(world, meeting.id)).state).toBe('live');
    expect(calls(world, 'zoom', 'PUT', /\/status$/)).toEqual([]);
  });

  it('R05 where the vendor cannot end a meeting, the answer says so and both pages ask to leave it', async () => {
    const { world, meeting } = await running('microsoft-teams');
    must(await ask(world, meeting, { asked_by: 'customer' }), 201);
    expect(must(await answer(world, meeting, 'professional', 'agreed'), 200).json).toMatchObject({ state: 'agreed', ends: false });
    for (const page of [joinOf(meeting), meeting.host_url])
      expect(await textOf(page)).toContain('Microsoft Teams cannot be ended from here: please leave the call yourself.');
    await settled(world);
    const { read } = world.gateway.gateway.db;
    expect((await read.select().from(read.t.jobs)).filter(({ kind }) => kind === 'early.end')).toEqual([]);
  });

  it('R05 cannot be asked for where the policy has no time for it, before the meeting runs, in a group, or with another’s id', async () => {
    const { world, meeting } = await start();
    expect((await ask(world, meeting, { asked_by: 'customer' })).json).toMatchObject({ code: 'conflict' });
    const group = await createMeeting(world, { booking: { id: 'g', kind: 'private_group', title: 'Group' } });
    expect((await ask(world, group, { asked_by: 'professional' })).json).toMatchObject({ code: 'conflict' });
    world.jump(10 * MINUTE);
    await happen(world, meeting, 'start');
    await eventually('it runs', async () => (await getMeeting(world, meeting.id)).state === 'live');
    expect((await ask(world, meeting, { asked_by: 'customer', customer_id: 'cus_2' })).json).toMatchObject({
      code: 'invalid',
      errors: [{ pointer: '/customer_id' }],
    });
    await setPolicy(world, { approved_apps: ['zoom'], hosting: 'professional', early_end: { answer_within_seconds: 0 } });
    expect((await ask(world, meeting, { asked_by: 'customer' })).json).toMatchObject({ status: 403, code: 'forbidden' });
    expect((await press(joinOf(meeting), 'ask')).status).toBe(403);
    expect(await textOf(joinOf(meeting))).not.toContain('end early');
  });
});
