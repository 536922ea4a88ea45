/** Eligibility, standing and appeals over the API, and what they do to links, meetings and pages. */
import { expect, it } from 'vitest';
import { visit, type Answer } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { verifyAudit } from '../../src/evidence/verify-audit.ts';
import { digestOf } from '../../src/domain/audit-chain.ts';
import { canonicalJson } from '../../src/domain/canonical-json.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import {
  boughtMeeting,
  calls,
  createMeeting,
  databaseOf,
  DAY,
  eventually,
  getMeeting,
  happen,
  HOUR,
  MINUTE,
  must,
  otherMarketplace,
  settled,
} from '../support/gateway.ts';
import { listen } from '../support/live.ts';
import { connect, meetingBody, testWorld } from '../support/world.ts';

type Json = Record<string, unknown>;

const STANDING = '/v1/professionals/pro_1/standing';
const APPEALS = '/v1/professionals/pro_1/appeals';
const EVIDENCE = [{ url: 'https://files.example/chat.png', title: 'The chat' }, { url: 'https://files.example/mail.pdf' }];

const after = (world: World, ms: number): string => new Date(world.now().getTime() + ms).toISOString();
const put = ({ api }: World, body: Json): Promise<Answer> => api('PUT', STANDING, { reason: 'Paid outside.', ...body });
const suspend = async (world: World, ms = DAY, more: Json = {}): Promise<Json> =>
  must(await put(world, { standing: 'suspended', until: after(world, ms), ...more }), 200).json;
const book = ({ api, now }: World, id: string, changes: Json = {}): Promise<Answer> =>
  api('POST', '/v1/meetings', meetingBody({ now }, { booking: { id, kind: 'one_to_one', title: 'Again' }, ...changes }));
const policy = async ({ api }: World, patch: Json): Promise<Answer> => must(await api('PATCH', '/v1/policy', patch), 200);
const pointersOf = ({ json }: Answer): string[] => (json['errors'] as { pointer: string }[]).map(({ pointer }) => pointer);
/** What was told, in the order in which it was written. */
async function told(world: World, type: string): Promise<Json[]> {
  await settled(world);
  const { data } = must(await world.api('GET', `/v1/events?type=${type}`), 200).json as unknown as { data: { data: Json }[] };
  return data.map((event) => event.data).toReversed();
}
async function audited({ gateway, marketplaceId }: World): Promise<{ action: string; subjectId: string; details: Json }[]> {
  const { db } = gateway.gateway;
  expect(await verifyAudit(db, marketplaceId)).toMatchObject([{ broken: null }]);
  const entries = await db.read.select().from(db.read.t.audit);
  return entries
    .filter(({ action }) => /^(standing|appeal)\./.test(action))
    .toSorted((a, b) => a.seq! - b.seq!)
    .map(({ action, subjectId, details }) => ({ action, subjectId, details }));
}

describeOnBothDatabases('eligibility', (_open, engine) => {
  it('F03 facts that come with a request decide over meetings, previews and packages, and only rules that make sense are taken', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    const bad = await world.api('PATCH', '/v1/policy', { eligibility: [{ any: [{ fact: 'rank', is: 'at_least', value: 'high' }] }] });
    expect([bad.status, pointersOf(bad)]).toEqual([422, ['/eligibility/0/any/0/value']]);
    await policy(world, {
      eligibility: [
        { name: 'A good rank', fact: 'rank', is: 'at_least', value: 3 },
        { name: 'Seen lately', fact: 'seen_at', is: 'days_since_at_most', value: 7 },
      ],
    });

    const facts = { rank: 3, seen_at: after(world, -7 * DAY) };
    const refused = { code: 'not_eligible', rule: 'Seen lately', fact: 'seen_at', pointer: '/eligibility/1' };
    const tooLong = { ...facts, seen_at: after(world, -7 * DAY - 1) };
    expect(must(await book(world, 'bk_1', { facts: tooLong }), 422).json).toMatchObject(refused);
    expect(must(await book(world, 'bk_1', { facts: { rank: 'high' } }), 422).json).toMatchObject({
      rule: 'A good rank',
      fact: 'rank',
      lacking: [{ problem: 'wrong_type' }, { problem: 'missing' }],
    });
    expect(must(await world.api('POST', '/v1/meetings/preview', meetingBody(world, { facts: tooLong })), 200).json).toMatchObject({
      would_be: 'refused',
      problem: refused,
    });
    const { booking, professional_id, attendees, starts_at } = meetingBody(world);
    const sold = { booking, professional_id, attendees, meetings: [{ starts_at, duration_minutes: 30 }] };
    expect(must(await world.api('POST', '/v1/packages', sold), 422).json).toMatchObject({ code: 'not_eligible', fact: 'rank' });
    expect(pointersOf(must(await book(world, 'bk_1', { facts: { rank: [3] } }), 422))).toEqual(['/facts/rank']);

    must(await world.api('POST', '/v1/packages', { ...sold, facts }), 201);
    must(await book(world, 'bk_2', { facts: { ...facts, unasked: true } }), 201);
    expect(calls(world, 'zoom', 'POST', /\/meetings$/)).toHaveLength(2);
  });
});

describeOnBothDatabases('standing', (_open, engine) => {
  const start = async (values: Json = {}, vendor: 'zoom' | 'microsoft-teams' = 'zoom'): Promise<World> => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, vendor);
    if (Object.keys(values).length > 0) await policy(world, { standing: values });
    return world;
  };

  it('C01 is decided with a reason, is kept as a history, and the same decision once more is none', async () => {
    const world = await start();
    expect(must(await world.api('GET', STANDING), 200).json).toEqual({
      professional_id: 'pro_1',
      standing: 'good',
      until: null,
      decision: null,
      decisions: [],
    });
    const meeting = await boughtMeeting(world);
    const text = new URLSearchParams({ text: 'He asked for cash.', kind: 'conduct' });
    expect((await visit(`${meeting.attendees[0]!.join_url}/report`, { method: 'POST', body: text })).status).toBe(303);
    const { data } = must(await world.api('GET', '/v1/incidents'), 200).json as unknown as { data: [{ id: string }] };
    must(await put(world, { standing: 'warned', incident_id: data[0].id }), 200);
    // A warning keeps nobody from anything.
    must(await book(world, 'bk_2'), 201);
    world.jump(1);
    const until = after(world, DAY);
    for (const _ of [1, 2]) {
      expect(must(await put(world, { standing: 'suspended', until }), 200).json).toMatchObject({
        standing: 'suspended',
        until,
        decision: { standing: 'suspended', until, reason: 'Paid outside.', incident_id: null, appeal_id: null },
        decisions: [{ standing: 'suspended' }, { standing: 'warned', incident_id: data[0].id }],
      });
    }
    expect(await told(world, 'professional.standing_changed')).toMatchObject([
      { standing: 'warned', before: 'good', until: null, cause: 'decision', incident_id: data[0].id },
      { standing: 'suspended', before: 'warned', until, cause: 'decision', reason: 'Paid outside.' },
    ]);
    expect(await audited(world)).toMatchObject([
      {
        action: 'standing.decided',
        details: { professional_id: 'pro_1', from: 'good', to: 'warned', by: expect.stringMatching(/^key_/) as string },
      },
      { action: 'standing.decided', details: { from: 'warned', to: 'suspended', until, reason_sha256: digestOf('Paid outside.') } },
    ]);

    const wrong: [Json, string][] = [
      [{ standing: 'suspended' }, '/until'],
      [{ standing: 'suspended', until: after(world, 0) }, '/until'],
      [{ standing: 'terminated', until }, '/until'],
      [{ standing: 'warned', incident_id: 'inc_nobodys' }, '/incident_id'],
      [{ standing: 'warned', reason: 'with a \u0007' }, '/reason'],
    ];
    for (const [body, pointer] of wrong) expect(pointersOf(must(await put(world, body), 422)), JSON.stringify(body)).toEqual([pointer]);
    const foreign = await otherMarketplace(world);
    expect(must(await foreign.api('GET', STANDING), 200).json).toMatchObject({ standing: 'good', decisions: [] });
  });

  it('C01 a suspended professional gets no new link until the suspension ends, which it does by itself and to the moment', async () => {
    const world = await start();
    const meeting = await createMeeting(world);
    const { until } = await suspend(world);
    const refused = { status: 409, json: { code: 'professional_suspended', standing: 'suspended', until } };
    const attempts: [string, string, Json][] = [
      ['POST', '/v1/meetings', meetingBody(world, { booking: { id: 'bk_2', kind: 'one_to_one', title: 'Again' } })],
      ['POST', '/v1/meetings', meetingBody(world, { join_url: 'https://meet.google.com/abc-defg-hij' })],
      ['PATCH', `/v1/meetings/${meeting.id}`, { join_url: 'https://meet.google.com/abc-defg-hij' }],
    ];
    for (const [method, path, body] of attempts) expect(await world.api(method, path, body), path).toMatchObject(refused);
    const { booking, professional_id, attendees, starts_at } = meetingBody(world);
    const sold = { booking, professional_id, attendees, meetings: [{ starts_at, duration_minutes: 30 }] };
    expect(await world.api('POST', '/v1/packages', sold)).toMatchObject(refused);
    expect(must(await world.api('POST', '/v1/meetings/preview', meetingBody(world)), 200).json).toMatchObject({
      problem: { code: 'professional_suspended' },
    });
    // By default what is booked is kept.
    must(await world.api('POST', `/v1/meetings/${meeting.id}/purchases`, { customer_id: 'cus_1' }), 201);

    world.jump(DAY - 1);
    expect(await book(world, 'bk_2')).toMatchObject(refused);
    world.jump(1);
    must(await book(world, 'bk_2'), 201);
    expect(await told(world, 'professional.standing_changed')).toMatchObject([
      { standing: 'suspended' },
      { standing: 'good', before: 'suspended', until: null, cause: 'suspension_over' },
    ]);
    expect(must(await world.api('GET', STANDING), 200).json).toMatchObject({ standing: 'good', decision: null, decisions: [{}] });
    expect((await audited(world)).map(({ action }) => action)).toEqual(['standing.decided', 'standing.ended']);
  });

  it('C01 a suspension that was replaced does not end what took its place', async () => {
    const world = await start();
    await suspend(world, HOUR);
    must(await put(world, { standing: 'terminated' }), 200);
    world.jump(2 * HOUR);
    await settled(world);
    expect(must(await book(world, 'bk_1'), 409).json).toMatchObject({ standing: 'terminated', until: null });
  });

  it('C01 meetings that were booked are kept, or cancelled at the vendor, too, as the policy says', async () => {
    const world = await start({ upcoming: 'cancel' });
    await connect(world, 'zoom', { professionalId: 'pro_2' });
    const [bought, open] = [
      await boughtMeeting(world),
      await createMeeting(world, { booking: { id: 'bk_2', kind: 'one_to_one', title: 'Open' } }),
    ];
    const others = await boughtMeeting(world, { professional_id: 'pro_2', booking: { id: 'bk_3', kind: 'one_to_one', title: 'Other' } });
    await suspend(world);
    await settled(world);
    for (const { id } of [bought, open])
      expect(await getMeeting(world, id)).toMatchObject({ state: 'cancelled', cancel_reason: 'professional_suspended' });
    expect((await getMeeting(world, others.id)).state).toBe('confirmed');
    expect(calls(world, 'zoom', 'DELETE', /\/meetings\//)).toHaveLength(2);
    expect((await visit(bought.attendees[0]!.join_url)).status).toBe(410);
    const entries = (await audited(world)).filter(({ action }) => action === 'standing.cancels_meeting');
    expect(entries.map(({ subjectId }) => subjectId).toSorted()).toEqual([bought.id, open.id].toSorted());
  });

  it('C01 a meeting that runs goes on, its continuation included, where the policy says `keep`', async () => {
    const world = await start({ running: 'keep', upcoming: 'cancel' });
    const meeting = await boughtMeeting(world);
    await happen(world, meeting, 'start');
    await eventually('it is live', async () => (await getMeeting(world, meeting.id)).state === 'live');
    await suspend(world);
    await settled(world);
    expect((await getMeeting(world, meeting.id)).state).toBe('live');
    expect((await visit(`${meeting.attendees[0]!.join_url}/join`, { method: 'POST' })).status).toBe(303);
    must(await world.api('POST', `/v1/meetings/${meeting.id}/continuation`), 201);
  });

  it.each(['zoom', 'microsoft-teams'] as const)(
    'C01 a meeting that runs is ended where the policy says `end`, and nobody else comes in, even where the vendor cannot end it (%s)',
    async (vendor) => {
      const world = await start({ running: 'end' }, vendor);
      const meeting = await boughtMeeting(world, { starts_at: after(world, 0) });
      const later = await boughtMeeting(world, { booking: { id: 'bk_2', kind: 'one_to_one', title: 'Later' } });
      await happen(world, meeting, 'start');
      // Microsoft tells nothing of it before its end.
      const started = vendor === 'zoom' ? 'live' : 'confirmed';
      await eventually(`it is ${started}`, async () => (await getMeeting(world, meeting.id)).state === started);
      world.jump(MINUTE);
      const pages = [await listen(meeting.attendees[0]!.join_url), await listen(meeting.host_url)];
      await eventually('both pages are open', () => pages.every(({ heard }) => heard.at(-1)?.data['door'] === 'open'));
      await suspend(world);
      await eventually('both pages say that it is over', () => pages.every(({ heard }) => heard.at(-1)?.event === 'end'));
      for (const { heard } of pages) expect(heard.at(-2)).toMatchObject({ event: 'state', data: { door: 'over', running_since: null } });
      await settled(world);
      const state = vendor === 'zoom' ? 'ended' : 'confirmed';
      await eventually(`it is ${state}`, async () => (await getMeeting(world, meeting.id)).state === state);
      expect((await audited(world)).at(-1)).toMatchObject({
        action: 'standing.ends_meeting',
        subjectId: meeting.id,
        details: { ends: vendor === 'zoom' },
      });
      for (const url of [meeting.attendees[0]!.join_url, meeting.host_url]) {
        const answer = await visit(`${url}/join`, { method: 'POST' });
        expect([answer.status, answer.headers.get('location')], url).toEqual([410, null]);
      }
      expect(await world.api('POST', `/v1/meetings/${meeting.id}/continuation`)).toMatchObject({ status: 409 });
      // What had not begun was kept, and is opened as planned.
      expect((await visit(`${later.attendees[0]!.join_url}/join`, { method: 'POST' })).status).toBe(303);
      const { db } = world.gateway.gateway;
      expect((await db.read.select().from(db.read.t.jobs)).filter(({ deadAt }) => deadAt !== null)).toEqual([]);
    },
  );

  it('C01 the professional reads of it on the own pages, and the customer does not', async () => {
    const world = await start();
    const meeting = await boughtMeeting(world);
    const session = must(await world.api('POST', '/v1/connect-sessions', { professional_id: 'pro_1', locale: 'de' }), 201);
    await suspend(world);
    const read = async (url: string, language: string): Promise<string> =>
      (await visit(url, { headers: { 'accept-language': language } })).text;
    for (const [language, words] of [
      ['en', 'Your account is suspended'],
      ['de', 'Dein Konto ist gesperrt'],
      ['ru', 'Ваша работа приостановлена'],
      ['bg', 'Профилът ви е временно спрян'],
    ] as const)
      expect(await read(meeting.host_url, language)).toContain(words);
    expect(await read(String(session.json['url']), 'de')).toContain('Dein Konto ist gesperrt');
    expect(await read(meeting.attendees[0]!.join_url, 'en')).not.toContain('suspended');
    must(await put(world, { standing: 'good' }), 200);
    expect(await read(meeting.host_url, 'en')).not.toContain('suspended');
  });
});

describeOnBothDatabases('appeals', (_open, engine) => {
  const start = async (): Promise<World> => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    return world;
  };
  const file = ({ api }: World, body: Json = {}): Promise<Answer> =>
    api('POST', APPEALS, { text: 'It was another order.\nSee the chat.', evidence: EVIDENCE, ...body });
  const rule = ({ api }: World, id: string, body: Json): Promise<Answer> =>
    api('POST', `/v1/appeals/${id}/decision`, { answer: 'We read the chat.', ...body });

  it('C02 are filed once for each decision, with links as evidence, and leave it in force', async () => {
    const world = await start();
    must(await file(world), 409);
    const { decision } = await suspend(world);
    const wrong: [Json, string][] = [
      [{ evidence: [] }, '/evidence'],
      [{ evidence: Array.from({ length: 11 }, () => EVIDENCE[0]) }, '/evidence'],
      [{ evidence: [EVIDENCE[0], { url: 'http://files.example/a' }] }, '/evidence/1/url'],
      [{ text: '' }, '/text'],
    ];
    for (const [body, pointer] of wrong) expect(pointersOf(must(await file(world, body), 422)), pointer).toEqual([pointer]);
    const appeal = must(await file(world), 201).json;
    const decisionId = (decision as Json)['id'];
    expect(appeal).toEqual({
      id: expect.stringMatching(/^apl_/) as string,
      professional_id: 'pro_1',
      decision_id: decisionId,
      state: 'open',
      text: 'It was another order.\nSee the chat.',
      evidence: [EVIDENCE[0], { url: 'https://files.example/mail.pdf', title: null }],
      answer: null,
      filed_at: world.now().toISOString(),
      decided_at: null,
    });
    expect(must(await file(world, { text: 'Again.' }), 409).json).toMatchObject({
      code: 'conflict',
      appeal_id: appeal['id'],
      appeal_state: 'open',
    });
    must(await book(world, 'bk_1'), 409);
    world.jump(1);
    // A new decision can be appealed against anew.
    must(await put(world, { standing: 'terminated' }), 200);
    const second = must(await file(world), 201).json;
    const page = async (query: string) =>
      must(await world.api('GET', `${APPEALS}${query}`), 200).json as unknown as { data: Json[]; next_cursor: string | null };
    const first = await page('?limit=1');
    expect(first.data).toEqual([second]);
    expect(await page(`?limit=1&cursor=${first.next_cursor}`)).toEqual({ data: [appeal], next_cursor: null });
    expect(await told(world, 'appeal.filed')).toMatchObject([
      { appeal_id: appeal['id'], decision_id: decisionId, professional_id: 'pro_1', evidence_links: 2 },
      { appeal_id: second['id'] },
    ]);
    expect((await audited(world)).find(({ action }) => action === 'appeal.filed')?.details).toMatchObject({
      evidence_sha256: digestOf(canonicalJson(appeal['evidence'])),
    });
  });

  it('C02 are decided once, by whom they belong to: upheld, the decision stays', async () => {
    const world = await start();
    await suspend(world);
    const appeal = must(await file(world), 201).json;
    const id = String(appeal['id']);
    expect(pointersOf(must(await rule(world, id, { decision: 'upheld', standing: 'good' }), 422))).toEqual(['/standing']);
    const foreign = await otherMarketplace(world);
    must(await foreign.api('POST', `/v1/appeals/${id}/decision`, { decision: 'granted', answer: 'Ours now.' }), 404);
    expect(must(await rule(world, id, { decision: 'upheld' }), 200).json).toEqual({
      ...appeal,
      state: 'upheld',
      answer: 'We read the chat.',
      decided_at: world.now().toISOString(),
    });
    expect(must(await rule(world, id, { decision: 'granted' }), 409).json).toMatchObject({ appeal_state: 'upheld' });
    must(await book(world, 'bk_1'), 409);
    expect(await told(world, 'appeal.decided')).toMatchObject([{ appeal_id: id, decision: 'upheld', answer: 'We read the chat.' }]);
    expect((await audited(world)).map(({ action }) => action)).toEqual(['standing.decided', 'appeal.filed', 'appeal.decided']);
  });

  it('C02 a grant takes the decision back or changes it, and never one that took its place', async () => {
    const world = await start();
    await suspend(world);
    const first = String(must(await file(world), 201).json['id']);
    // The order of events is told by the millisecond.
    world.jump(1);
    must(await rule(world, first, { decision: 'granted' }), 200);
    expect(must(await world.api('GET', STANDING), 200).json).toMatchObject({
      standing: 'good',
      decision: { reason: 'We read the chat.', appeal_id: first },
    });
    must(await book(world, 'bk_1'), 201);

    world.jump(1);
    must(await put(world, { standing: 'terminated' }), 200);
    const second = String(must(await file(world), 201).json['id']);
    world.jump(1);
    const until = after(world, HOUR);
    must(await rule(world, second, { decision: 'granted', standing: 'suspended', until }), 200);
    expect(must(await book(world, 'bk_2'), 409).json).toMatchObject({ standing: 'suspended', until });

    world.jump(1);
    const third = String(must(await file(world), 201).json['id']);
    world.jump(1);
    must(await put(world, { standing: 'terminated', reason: 'Once more.' }), 200);
    must(await rule(world, third, { decision: 'granted' }), 200);
    expect(must(await world.api('GET', STANDING), 200).json).toMatchObject({ standing: 'terminated', decision: { reason: 'Once more.' } });
    expect(
      (await told(world, 'professional.standing_changed')).map(({ standing, cause }) => `${String(standing)} ${String(cause)}`).toSorted(),
    ).toEqual(['good appeal', 'suspended appeal', 'suspended decision', 'terminated decision', 'terminated decision']);
  });

  it('C01 C02 a grant brings back what was decided before, if it still holds, and an end that came unnoticed is told', async () => {
    const world = await start();
    await put(world, { standing: 'warned', reason: 'Late three times.' });
    world.jump(1);
    await put(world, { standing: 'terminated' });
    const appeal = String(must(await file(world), 201).json['id']);
    world.jump(1);
    must(await rule(world, appeal, { decision: 'granted' }), 200);
    expect(must(await world.api('GET', STANDING), 200).json).toMatchObject({ standing: 'warned' });
    world.jump(1);
    await suspend(world, HOUR);
    world.jump(HOUR);
    // Whether the job or this decision comes first, the end is told once.
    must(await put(world, { standing: 'warned', reason: 'Again.' }), 200);
    const over = (await told(world, 'professional.standing_changed')).filter(({ cause }) => cause === 'suspension_over');
    expect(over).toMatchObject([{ before: 'suspended', standing: 'good' }]);
  });
});
