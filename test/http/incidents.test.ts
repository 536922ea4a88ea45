import { expect, it } from 'vitest';
import { visit } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { digestOf } from '../../src/domain/audit-chain.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { boughtMeeting, databaseOf, must, otherMarketplace, settled, type MeetingJson } from '../support/gateway.ts';
import { connect, testWorld } from '../support/world.ts';

interface IncidentJson {
  readonly id: string;
  readonly state: string;
  readonly timeline?: readonly Record<string, unknown>[];
}

async function report({ attendees }: MeetingJson, text: string): Promise<void> {
  const body = new FormData();
  body.append('text', text);
  expect((await visit(`${attendees[0]!.join_url}/report`, { method: 'POST', body })).status).toBe(303);
}

const listed = async ({ api }: Pick<World, 'api'>, query = '') =>
  must(await api('GET', `/v1/incidents${query}`), 200).json as unknown as { data: IncidentJson[]; next_cursor: string | null };

describeOnBothDatabases('incidents', (_open, engine) => {
  const start = async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world);
    await report(meeting, 'He shouted.');
    return { world, meeting };
  };

  it('F06 C04 are listed newest first, by meeting and by state, page by page', async () => {
    const { world, meeting } = await start();
    const other = await boughtMeeting(world, { booking: { id: 'bk_2', kind: 'one_to_one', title: 'Other' } });
    world.jump(1);
    await report(other, 'No sound.');
    const { data } = await listed(world);
    expect(data).toMatchObject([
      { meeting_id: other.id, text: 'No sound.' },
      {
        id: expect.stringMatching(/^inc_/) as string,
        meeting_id: meeting.id,
        reported_by: 'customer',
        reporter_id: 'cus_1',
        kind: null,
        text: 'He shouted.',
        state: 'open',
        reported_at: new Date(world.now().getTime() - 1).toISOString(),
      },
    ]);
    const [newest, oldest] = data;
    expect((await listed(world, `?meeting_id=${meeting.id}`)).data).toEqual([oldest]);
    must(await world.api('PATCH', `/v1/incidents/${newest!.id}`, { state: 'resolved' }), 200);
    expect((await listed(world, '?state=open')).data).toEqual([oldest]);
    const first = await listed(world, '?limit=1');
    expect((await listed(world, `?limit=1&cursor=${first.next_cursor}`)).data).toEqual([oldest]);
    expect((await world.api('GET', '/v1/incidents?state=closed')).status).toBe(422);
  });

  it('C04 each move is in the audit log with who moved it and what was noted, and one that moves nothing is not', async () => {
    const { world, meeting } = await start();
    const [{ id }] = (await listed(world)).data as [IncidentJson];
    const move = (body: object) => world.api('PATCH', `/v1/incidents/${id}`, body);
    expect(must(await move({ state: 'investigating', note: 'Asked both of them' }), 200).json).toMatchObject({ state: 'investigating' });
    must(await move({ state: 'investigating' }), 200);
    must(await move({ state: 'resolved' }), 200);
    expect(must(await world.api('GET', `/v1/incidents/${id}`), 200).json).toMatchObject({ id, state: 'resolved' });
    expect((await move({ state: 'closed' })).status).toBe(422);
    const { read } = world.gateway.gateway.db;
    const moves = (await read.select().from(read.t.audit)).filter(({ action }) => action === 'incident.moved');
    const by = expect.stringMatching(/^key_/) as string;
    expect(moves.toSorted((a, b) => a.seq! - b.seq!).map(({ subjectId, details }) => [subjectId, details])).toEqual([
      [id, { meeting_id: meeting.id, from: 'open', to: 'investigating', note_sha256: digestOf('Asked both of them'), by }],
      [id, { meeting_id: meeting.id, from: 'investigating', to: 'resolved', note_sha256: null, by }],
    ]);
  });

  it('T14 F06 are filed by the marketplace for either side, by the rules of the pages', async () => {
    const { world, meeting } = await start();
    const file = (body: object) => world.api('POST', `/v1/meetings/${meeting.id}/incidents`, body);
    const dispute = {
      reported_by: 'professional',
      reporter_id: 'pro_1',
      kind: 'dispute',
      text: ' She left early.\r\nAnd did not pay.\u001b ',
    };
    const filed = must(await file(dispute), 201).json as unknown as IncidentJson;
    expect(filed).toMatchObject({
      meeting_id: meeting.id,
      reported_by: 'professional',
      reporter_id: 'pro_1',
      kind: 'dispute',
      text: 'She left early.\nAnd did not pay.',
      state: 'open',
      resolution: null,
      resolved_at: null,
      timeline: [{ at: world.now().toISOString(), kind: 'reported', by: 'marketplace', state: 'open', text: null }],
    });
    expect(must(await file(dispute), 200).json).toEqual(filed);
    const event = await world.receiver.waitFor('incident.reported', ({ data }) => data['incident_id'] === filed.id);
    expect(event.data).toMatchObject({ reported_by: 'professional', kind: 'dispute', text: 'She left early.\nAnd did not pay.' });

    // The customer's own report from the page counts among the five.
    const customer = { reported_by: 'customer', reporter_id: 'cus_1' };
    for (const count of [2, 3, 4, 5]) must(await file({ ...customer, text: `Report ${count}` }), 201);
    expect((await file({ ...customer, text: 'One more' })).status).toBe(409);
    for (const [body, pointer] of [
      [{ ...customer, reporter_id: 'cus_2', text: 'x' }, '/reporter_id'],
      [{ ...dispute, reporter_id: 'cus_1' }, '/reporter_id'],
      [{ ...dispute, text: ' \r\n ' }, '/text'],
      [{ ...dispute, text: 'x'.repeat(2_001) }, '/text'],
      [{ ...dispute, kind: 'quarrel' }, '/kind'],
    ] as const)
      expect(must(await file(body), 422).json).toMatchObject({ errors: [{ pointer }] });
    const foreign = await otherMarketplace(world);
    expect((await foreign.api('POST', `/v1/meetings/${meeting.id}/incidents`, dispute)).status).toBe(404);
  });

  it('C04 T14 have a timeline, a dispute ends with its resolution, and each move is told', async () => {
    const { world, meeting } = await start();
    const body = { reported_by: 'customer', reporter_id: 'cus_1', kind: 'dispute', text: 'He came late.' };
    const { id } = must(await world.api('POST', `/v1/meetings/${meeting.id}/incidents`, body), 201).json as unknown as IncidentJson;
    const reported = world.now().toISOString();
    const move = (change: object) => {
      world.jump(1_000);
      return world.api('PATCH', `/v1/incidents/${id}`, change);
    };
    must(await move({ state: 'investigating', note: 'Asked both' }), 200);
    must(await move({ state: 'investigating', note: 'He agrees' }), 200);
    const noted = world.now().toISOString();
    expect(must(await move({ state: 'resolved' }), 422).json).toMatchObject({ errors: [{ pointer: '/resolution' }] });
    expect(must(await move({ state: 'open', resolution: 'Half' }), 422).json).toMatchObject({ errors: [{ pointer: '/resolution' }] });
    const resolved = must(await move({ state: 'resolved', resolution: 'Half of it goes back' }), 200).json;
    const at = world.now().toISOString();
    expect(resolved).toMatchObject({
      state: 'resolved',
      resolution: 'Half of it goes back',
      resolved_at: at,
      timeline: [
        { at: reported, kind: 'reported', by: 'marketplace', state: 'open', text: null },
        { kind: 'state', by: 'marketplace', state: 'investigating', text: null },
        { kind: 'note', by: 'marketplace', state: null, text: 'Asked both' },
        { at: noted, kind: 'note', by: 'marketplace', state: null, text: 'He agrees' },
        { at, kind: 'state', by: 'marketplace', state: 'resolved', text: 'Half of it goes back' },
      ],
    });
    expect(must(await world.api('GET', `/v1/incidents/${id}`), 200).json).toEqual(resolved);
    must(await move({ state: 'resolved' }), 200);
    must(await move({ state: 'open' }), 200);
    const reopened = must(await world.api('GET', `/v1/incidents/${id}`), 200).json as unknown as IncidentJson;
    expect(reopened).toMatchObject({ state: 'open', resolution: null, resolved_at: null });
    expect(reopened.timeline).toHaveLength(6);
    await settled(world);
    const told = world.receiver.events.filter(({ type }) => type === 'incident.changed').map(({ data }) => data);
    expect(told.toSorted((a, b) => Number(a['sequence']) - Number(b['sequence']))).toMatchObject([
      { incident_id: id, kind: 'dispute', from: 'open', to: 'investigating', note: 'Asked both', resolution: null },
      { from: 'investigating', to: 'resolved', note: null, resolution: 'Half of it goes back' },
      { from: 'resolved', to: 'open', resolution: null },
    ]);
  });

  it('are nobody else’s', async () => {
    const { world } = await start();
    const [{ id }] = (await listed(world)).data as [IncidentJson];
    const foreign = await otherMarketplace(world);
    expect((await listed(foreign)).data).toEqual([]);
    expect((await foreign.api('GET', `/v1/incidents/${id}`)).status).toBe(404);
    expect((await foreign.api('PATCH', `/v1/incidents/${id}`, { state: 'resolved' })).status).toBe(404);
    expect((await listed(world)).data).toMatchObject([{ state: 'open' }]);
  });
});
