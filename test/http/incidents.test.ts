import { expect, it } from 'vitest';
import { visit } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { boughtMeeting, databaseOf, must, otherMarketplace, type MeetingJson } from '../support/gateway.ts';
import { connect, testWorld } from '../support/world.ts';

interface IncidentJson {
  readonly id: string;
  readonly state: string;
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
      [id, { meeting_id: meeting.id, from: 'open', to: 'investigating', note: 'Asked both of them', by }],
      [id, { meeting_id: meeting.id, from: 'investigating', to: 'resolved', note: null, by }],
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
