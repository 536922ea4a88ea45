/** Calls on demand: who may start one, what rings, and what becomes of it. */
import { eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { location, visit, type Answer } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { meetingRequestOf, askedOf } from '../../src/calls/request.ts';
import type { PresetName } from '../../src/domain/presets/index.ts';
import { DAY, HOUR, SECOND } from '../../src/domain/time.ts';
import { createMeeting } from '../../src/meetings/create.ts';
import { setCall } from '../../src/store/calls.ts';
import { findJob } from '../../src/store/jobs.ts';
import { findMarketplace } from '../../src/store/marketplaces.ts';
import { describeOnBothDatabases, type Engine } from '../support/databases.ts';
import {
  databaseOf,
  eventually,
  fault,
  getMeeting,
  happen,
  MINUTE,
  must,
  otherMarketplace,
  setPolicy,
  settled,
  vendorMeetings,
} from '../support/gateway.ts';
import { listen } from '../support/live.ts';
import { addPlatformHost, connect, testWorld } from '../support/world.ts';

interface CallJson {
  readonly id: string;
  readonly state: string;
  readonly rings: boolean;
  readonly accept_by: string;
  readonly ended_at: string | null;
  readonly meeting_id: string | null;
  readonly conversation_id: string | null;
  readonly booking: { id: string; title: string };
  readonly pages: { professional_url: string; customer_url: string };
  readonly invitation: { title: string; text: string; url: string } | null;
}

const body = (changes: Readonly<Record<string, unknown>> = {}) => ({
  professional_id: 'pro_1',
  customer_id: 'cus_1',
  initiator: 'customer',
  prepaid_blocks: 1,
  ...changes,
});

const ask = (world: World, changes: Readonly<Record<string, unknown>> = {}, headers: Record<string, string> = {}): Promise<Answer> =>
  world.api('POST', '/v1/calls', body(changes), headers);
const ring = async (world: World, changes: Readonly<Record<string, unknown>> = {}): Promise<CallJson> =>
  must(await ask(world, changes), 201).json as unknown as CallJson;
const move = (world: World, { id }: { id: string }, action: string): Promise<Answer> => world.api('POST', `/v1/calls/${id}/${action}`);
const accept = async (world: World, call: { id: string }): Promise<CallJson> =>
  must(await move(world, call, 'accept'), 200).json as unknown as CallJson;
const read = async (world: World, { id }: { id: string }): Promise<CallJson> =>
  must(await world.api('GET', `/v1/calls/${id}`), 200).json as unknown as CallJson;
const post = (url: string): Promise<Answer> => visit(url, { method: 'POST', body: new URLSearchParams() });

/** What the marketplace says of a professional's presence. */
async function present({ gateway, marketplaceId, now }: World, presence: string, { video = true, ...more }: Record<string, unknown> = {}) {
  const row = {
    marketplaceId,
    professionalId: 'pro_1',
    presence,
    video: video as boolean,
    presentUntil: new Date(now().getTime() + 60 * MINUTE),
    presenceVersion: 1,
    timeZone: null,
    hours: [],
    defaultDurationMinutes: null,
    standing: 'good',
    standingUntil: null,
    decisionId: null,
    ...more,
  };
  await gateway.gateway.db.write(async (tx) => {
    const { professionals } = tx.t;
    await tx
      .insert(professionals)
      .values(row)
      .onConflictDoUpdate({ target: [professionals.marketplaceId, professionals.professionalId], set: row });
  });
}

async function startWorld(engine: Engine, policy: PresetName = 'tvip', presence: string | null = 'available'): Promise<World> {
  const world = await testWorld({ databaseUrl: await databaseOf(engine), policy });
  await connect(world, 'zoom');
  if (presence !== null) await present(world, presence);
  return world;
}

const told = ({ receiver }: World): string[] => receiver.events.map(({ type }) => type).filter((type) => type.startsWith('call.'));

/** As `acceptCall` leaves it when its process dies after the vendor's answer and before its own. */
async function diesAfterMaking(world: World, { id }: { id: string }): Promise<string> {
  const { gateway } = world.gateway;
  const call = await gateway.db.write((tx) => setCall(tx, id, { answeredAt: world.now() }));
  const marketplace = (await findMarketplace(gateway.db.read, world.marketplaceId))!;
  return (await createMeeting(gateway, meetingRequestOf(marketplace, call, askedOf(call), world.now()))).id;
}

describeOnBothDatabases('a call', (_open, engine) => {
  it('T03 is started by the customer alone, and only when its first block is paid', async () => {
    const world = await startWorld(engine);
    expect(await ask(world, { initiator: 'professional' })).toMatchObject({
      status: 403,
      json: { code: 'forbidden', initiator: 'customer' },
    });
    expect(await ask(world, { prepaid_blocks: 0 })).toMatchObject({
      status: 409,
      json: { code: 'prepayment_missing', required_blocks: 1 },
    });
    expect((await ask(world, { prepaid_blocks: undefined })).json['code']).toBe('prepayment_missing');
    expect(await ring(world)).toMatchObject({ state: 'ringing', rings: true, meeting_id: null, ended_at: null });
    await setPolicy(world, { calls: { initiator: 'nobody' } });
    expect((await ask(world, { customer_id: 'cus_2' })).json['code']).toBe('forbidden');
    await settled(world);
    expect(told(world)).toEqual(['call.ringing']);
  });

  it('T01 is refused outside of the hours that the professional has given, unless the professional is available', async () => {
    const world = await startWorld(engine, 'rodrun', 'unknown');
    await setPolicy(world, { calls: { presence: 'optional', away: 'count' } });
    expect(await ring(world)).toMatchObject({ rings: true });
    const inTwoDays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][(world.now().getUTCDay() + 2) % 7];
    const given = { timeZone: 'UTC', hours: [{ day: inTwoDays, from: '00:00', to: '24:00' }] };
    for (const status of ['unknown', 'away']) {
      await present(world, status, given);
      const outside = { code: 'professional_unavailable', reason: 'outside_hours' };
      expect(await ask(world, { customer_id: 'cus_2' }), status).toMatchObject({ status: 409, json: outside });
    }
    await present(world, 'available', given);
    expect(await ring(world, { customer_id: 'cus_2' })).toMatchObject({ rings: true });
    world.jump(2 * DAY);
    await present(world, 'away', given);
    expect(await ring(world, { customer_id: 'cus_3' })).toMatchObject({ rings: false });
  });

  it('T02 R01 rings for who is available, is counted for who is away, and is refused to who is busy, unknown or without video', async () => {
    const world = await startWorld(engine, 'tvip', 'busy');
    const refusal = async (changes: Record<string, unknown> = {}) => {
      const { status, json } = await ask(world, changes);
      return [status, json['code'], json['reason']];
    };
    expect(await refusal()).toEqual([409, 'professional_unavailable', 'busy']);
    await present(world, 'unknown');
    expect(await refusal()).toEqual([409, 'professional_unavailable', 'unknown']);
    await present(world, 'available', { presentUntil: new Date(world.now().getTime() - 1) });
    expect(await refusal()).toEqual([409, 'professional_unavailable', 'unknown']);

    await present(world, 'away');
    expect(await ring(world)).toMatchObject({ state: 'ringing', rings: false });
    const counted = must(await world.api('GET', '/v1/calls?professional_id=pro_1&state=ringing'), 200).json;
    expect(counted).toMatchObject({ data: [{ rings: false }], next_cursor: null });
    await setPolicy(world, { calls: { away: 'refuse' } });
    expect(await refusal({ customer_id: 'cus_2' })).toEqual([409, 'professional_unavailable', 'away']);

    await present(world, 'available', { video: false });
    expect(await refusal({ customer_id: 'cus_2', video: true })).toEqual([409, 'professional_unavailable', 'no_video']);
    expect(await ring(world, { customer_id: 'cus_2' })).toMatchObject({ rings: true });
    // Where nobody has to be seen first, only what is known to be against it is.
    await setPolicy(world, { calls: { presence: 'optional' } });
    await present(world, 'unknown');
    expect(await ring(world, { customer_id: 'cus_3', video: true })).toMatchObject({ rings: true });
  });

  it('F02 F05 from the professional carries an invitation to answer, becomes a meeting on the platform’s host, and the conversation travels along', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine), policy: 'fiverr' });
    await addPlatformHost(world);
    const facts = { level: 2, average_selling_price: 80, last_order_at: world.now().toISOString() };
    const asked = { initiator: 'professional', conversation_id: 'cnv_9', locale: 'de', facts, booking: { id: 'bk_7', title: 'Logo' } };
    expect((await ask(world, { ...asked, initiator: 'customer' })).status).toBe(403);
    const call = await ring(world, asked);
    expect(call).toMatchObject({ rings: true, conversation_id: 'cnv_9', booking: { id: 'bk_7', title: 'Logo' } });
    expect(call.invitation).toEqual({
      title: 'Du wirst angerufen: Logo',
      text: `Du wirst angerufen: Logo\nHier nimmst du an: ${call.pages.customer_url}`,
      url: call.pages.customer_url,
    });
    const accepted = await accept(world, call);
    const meeting = await getMeeting(world, accepted.meeting_id!);
    expect(meeting).toMatchObject({ booking: { id: 'bk_7', kind: 'one_to_one', title: 'Logo' }, recording: 'always', provider: 'zoom' });
    expect(accepted).toMatchObject({
      conversation_id: 'cnv_9',
      invitation: { title: 'Einladung: Logo', url: meeting.attendees[0]!.join_url },
    });
    expect(accepted.invitation!.text).toContain('Zoom');
    await settled(world);
    for (const type of ['call.ringing', 'call.accepted'])
      expect(world.receiver.events.find((event) => event.type === type)!.data).toMatchObject({
        call_id: call.id,
        conversation_id: 'cnv_9',
      });
  });

  it('T03 T08 the blocks that were paid before are the credit of its meeting, which the marketplace may add to', async () => {
    const world = await startWorld(engine);
    const call = await ring(world, { prepaid_blocks: 2 });
    const { meeting_id: id } = await accept(world, call);
    const meter = async () => must(await world.api('GET', `/v1/meetings/${id}/meter`), 200).json;
    expect(await meter()).toMatchObject({ enabled: true, credit_blocks: 2, used_blocks: 0 });
    must(await world.api('PUT', `/v1/meetings/${id}/credit`, { blocks: 3 }), 200);
    // An answer that is repeated does not take away what was paid meanwhile.
    await accept(world, call);
    expect(await meter()).toMatchObject({ credit_blocks: 3 });
  });

  it('R03 tells who calls and why, and expires by itself when nobody answers within five minutes', async () => {
    const world = await startWorld(engine, 'rodrun');
    const call = await ring(world, { purpose: 'A question <b>about</b> tax', customer_name: 'Ada' });
    expect(Date.parse(call.accept_by) - world.now().getTime()).toBe(5 * MINUTE);
    const page = await visit(call.pages.professional_url, { headers: { accept: 'text/html' } });
    expect(page.status).toBe(200);
    for (const text of ['Ada', 'A question &lt;b&gt;about&lt;/b&gt; tax', '05:00', 'data-sound', '/accept', '/decline'])
      expect(page.text).toContain(text);
    expect(page.text).not.toContain('/withdraw');
    world.jump(5 * MINUTE - SECOND);
    await settled(world);
    expect((await read(world, call)).state).toBe('ringing');
    world.jump(SECOND);
    await settled(world);
    expect(await read(world, call)).toMatchObject({
      state: 'expired',
      ended_at: world.now().toISOString(),
      invitation: null,
      meeting_id: null,
    });
    expect(told(world)).toEqual(['call.ringing', 'call.expired']);
    expect(await move(world, call, 'accept')).toMatchObject({ status: 409, json: { code: 'conflict', state: 'expired' } });
    expect((await visit(call.pages.professional_url)).status).toBe(410);
    expect((await post(`${call.pages.professional_url}/accept`)).status).toBe(303);
    expect(await vendorMeetings(world, 'zoom')).toEqual([]);
  });

  it('R04 that is accepted is a meeting that begins now, bought, locked and open, with both cameras on and the professional’s own length', async () => {
    const world = await startWorld(engine);
    await present(world, 'available', { defaultDurationMinutes: 45 });
    const call = await ring(world, { prepaid_blocks: 3, locale: 'ru' });
    world.jump(MINUTE);
    const accepted = await accept(world, call);
    expect(accepted).toMatchObject({ state: 'accepted', ended_at: world.now().toISOString() });
    const meeting = await getMeeting(world, accepted.meeting_id!);
    expect(meeting).toMatchObject({
      state: 'confirmed',
      starts_at: world.now().toISOString(),
      duration_minutes: 45,
      booking: { id: call.id, kind: 'one_to_one', title: 'Видеозвонок' },
      link: { locked_at: world.now().toISOString() },
      attendees: [{ customer_id: 'cus_1', state: 'purchased', locale: 'ru' }],
    });
    expect(await vendorMeetings(world, 'zoom')).toMatchObject([{ settings: { host_video: true, participant_video: true } }]);
    const { db } = world.gateway.gateway;
    expect(await db.read.select().from(db.read.t.meters)).toMatchObject([{ meetingId: meeting.id, creditBlocks: 3 }]);
    const [stored] = await db.read.select().from(db.read.t.meetings).where(eq(db.read.t.meetings.id, meeting.id));
    expect(stored!.callId).toBe(call.id);
    expect(await findJob(db.read, { kind: 'call.expire', subjectId: call.id })).toBeUndefined();
    // Both pages lead on, and the way in is open.
    const [host, customer] = [await visit(call.pages.professional_url), await visit(call.pages.customer_url)];
    expect([host.status, new URL(location(host), world.publicUrl).href]).toEqual([303, meeting.host_url]);
    expect([customer.status, new URL(location(customer), world.publicUrl).href]).toEqual([303, meeting.attendees[0]!.join_url]);
    expect((await post(`${meeting.attendees[0]!.join_url}/join`)).status).toBe(303);
    expect(await accept(world, call)).toEqual(accepted);
    await settled(world);
    expect(told(world)).toEqual(['call.ringing', 'call.accepted']);
  });

  it('R04 makes one meeting of 12 acceptances at the same moment, from page and API', async () => {
    const world = await startWorld(engine);
    const call = await ring(world);
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) => (n % 3 === 2 ? post(`${call.pages.professional_url}/accept`) : move(world, call, 'accept'))),
    );
    for (const { status } of answers) expect([200, 303, 409]).toContain(status);
    const { meeting_id: id } = await accept(world, call);
    for (const { json } of answers.filter(({ status }) => status === 200)) expect(json['meeting_id']).toBe(id);
    expect(await vendorMeetings(world, 'zoom')).toHaveLength(1);
    await settled(world);
    expect(told(world)).toEqual(['call.ringing', 'call.accepted']);
  });

  it('R04 finds the meeting again that an acceptance made before it died', async () => {
    const world = await startWorld(engine);
    const call = await ring(world);
    world.jump(5 * MINUTE - SECOND);
    const made = await diesAfterMaking(world, call);
    // The answer came in time, so the call is still open although its time is over.
    world.jump(30 * SECOND);
    await settled(world);
    expect(await read(world, call)).toMatchObject({ state: 'ringing', ended_at: null, meeting_id: null });
    expect((await accept(world, call)).meeting_id).toBe(made);
    expect(await vendorMeetings(world, 'zoom')).toHaveLength(1);
    expect((await getMeeting(world, made)).state).toBe('confirmed');
  });

  it('R03 is forgotten after 90 days when it came to nothing, and kept when it became a meeting', async () => {
    const world = await startWorld(engine);
    const answered = await ring(world);
    await accept(world, answered);
    const declined = await ring(world, { customer_id: 'cus_2' });
    must(await move(world, declined, 'decline'), 200);
    world.jump(89 * DAY);
    await settled(world);
    expect((await read(world, declined)).state).toBe('declined');
    world.jump(DAY + HOUR);
    await settled(world);
    expect((await world.api('GET', `/v1/calls/${declined.id}`)).status).toBe(404);
    expect((await visit(declined.pages.customer_url)).status).toBe(404);
    expect((await read(world, answered)).state).toBe('accepted');
  });

  it.each(['decline', 'withdraw', 'expire'] as const)(
    'R03 that an acceptance has died in, takes its meeting away when they %s',
    async (how) => {
      const world = await startWorld(engine);
      const call = await ring(world);
      const made = await diesAfterMaking(world, call);
      if (how === 'expire') world.jump(5 * MINUTE);
      else must(await move(world, call, how), 200);
      await settled(world);
      const state = { decline: 'declined', withdraw: 'withdrawn', expire: 'expired' }[how];
      expect(await read(world, call)).toMatchObject({ state, meeting_id: null });
      expect(await getMeeting(world, made)).toMatchObject({ state: 'cancelled', cancel_reason: `call_${state}` });
      expect(await vendorMeetings(world, 'zoom')).toEqual([]);
      expect((await move(world, call, 'accept')).json).toMatchObject({ code: 'conflict', state });
      expect(told(world)).toEqual(['call.ringing', `call.${state}`]);
      // The two can call each other again.
      expect((await accept(world, await ring(world))).state).toBe('accepted');
    },
  );

  it('R03 has one winner when it is accepted and withdrawn at the same moment', async () => {
    const world = await startWorld(engine);
    for (let round = 0; round < 6; round++) {
      const call = await ring(world, { booking: { id: `bk_${round}`, title: 'Tax' } });
      // The vendor works while the customer gives up, sooner or later.
      const accepting = move(world, call, 'accept');
      if (round % 2 === 1) await eventually('the vendor is asked', async () => (await vendorMeetings(world, 'zoom')).length > 0);
      const [accepted, withdrawn] = await Promise.all([accepting, move(world, call, 'withdraw')]);
      expect(new Set([accepted.status, withdrawn.status])).toEqual(new Set([200, 409]));
      await settled(world);
      const winner = accepted.status === 200 ? 'accepted' : 'withdrawn';
      expect((await read(world, call)).state).toBe(winner);
      expect(await vendorMeetings(world, 'zoom')).toHaveLength(winner === 'accepted' ? 1 : 0);
      if (winner === 'accepted') must(await world.api('POST', `/v1/meetings/${(await read(world, call)).meeting_id}/cancel`), 200);
      await settled(world);
    }
  });

  it('R04 rings on when the vendor fails at the acceptance, which is answered with the failure; then it can be accepted', async () => {
    const world = await startWorld(engine);
    const call = await ring(world);
    fault(world, 'zoom', 'POST', '/v2/users/me/meetings', { status: 500 }, 20);
    const failed = await move(world, call, 'accept');
    expect(failed).toMatchObject({ status: 503, json: { code: 'vendor_unavailable' } });
    const page = await visit(`${call.pages.professional_url}/accept`, {
      method: 'POST',
      body: new URLSearchParams(),
      headers: { accept: 'text/html' },
    });
    expect(page.status).toBe(503);
    expect(page.text).toContain('The meeting could not be created');
    expect(page.text).toContain('/accept"');
    expect(await read(world, call)).toMatchObject({ state: 'ringing', meeting_id: null });
    world.sandbox.sandbox.traffic.reset();
    expect((await accept(world, call)).state).toBe('accepted');
    expect(await vendorMeetings(world, 'zoom')).toHaveLength(1);
  });

  it('T03 is one between two people: a second one is refused with its id, a repeated request gets its own', async () => {
    const world = await startWorld(engine);
    const call = must(await ask(world, {}, { 'idempotency-key': 'k1' }), 201).json as unknown as CallJson;
    expect(await ask(world)).toMatchObject({ status: 409, json: { code: 'call_exists', call_id: call.id } });
    // As after a crash before the answer was kept.
    const { db } = world.gateway.gateway;
    await db.write((tx) => tx.delete(tx.t.idempotencyKeys));
    expect(must(await ask(world, {}, { 'idempotency-key': 'k1' }), 201).json['id']).toBe(call.id);
    const many = await Promise.all(Array.from({ length: 8 }, () => ask(world, { customer_id: 'cus_2' })));
    expect(many.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(many.filter(({ json }) => json['code'] === 'call_exists')).toHaveLength(7);
    // A call whose time is over stands in nobody's way, though its end is told a moment later.
    world.jump(5 * MINUTE);
    expect((await ring(world)).id).not.toBe(call.id);
    await settled(world);
    expect((await read(world, call)).state).toBe('expired');
  });

  it('is refused where its meeting could not be made or its professional is suspended, and is nobody else’s', async () => {
    const world = await startWorld(engine);
    const call = await ring(world);
    const other = await otherMarketplace(world, 'tvip');
    for (const action of ['accept', 'decline', 'withdraw'])
      expect((await other.api('POST', `/v1/calls/${call.id}/${action}`)).status).toBe(404);
    expect((await other.api('GET', `/v1/calls/${call.id}`)).status).toBe(404);
    expect((await other.api('GET', '/v1/calls')).json['data']).toEqual([]);
    expect((await ask(world, { customer_id: 'cus_2', recording: 'always' })).json['code']).toBe('recording_not_allowed');
    await present(world, 'available', { standing: 'suspended' });
    expect((await ask(world, { customer_id: 'cus_2' })).json['code']).toBe('professional_suspended');
    expect((await move(world, call, 'accept')).json['code']).toBe('professional_suspended');
    expect((await read(world, call)).state).toBe('ringing');
  });
});

describeOnBothDatabases('a call of a professional who is suspended', (_open, engine) => {
  it('C01 is withdrawn while it rings, and the meeting of one that was answered obeys the policy', async () => {
    const world = await startWorld(engine);
    await setPolicy(world, { standing: { running: 'end', upcoming: 'keep' } });
    const answered = await getMeeting(world, (await accept(world, await ring(world))).meeting_id!);
    await happen(world, answered, 'start');
    const stateIs = (state: string) => eventually(`it is ${state}`, async () => (await getMeeting(world, answered.id)).state === state);
    await stateIs('live');
    const ringing = await ring(world, { customer_id: 'cus_2' });
    const until = new Date(world.now().getTime() + DAY).toISOString();
    must(await world.api('PUT', '/v1/professionals/pro_1/standing', { standing: 'suspended', until, reason: 'Paid outside.' }), 200);
    await settled(world);
    expect(await read(world, ringing)).toMatchObject({ state: 'withdrawn', meeting_id: null });
    expect((await visit(ringing.pages.customer_url)).status).toBe(410);
    expect((await move(world, ringing, 'accept')).json).toMatchObject({ status: 409, state: 'withdrawn' });
    expect(told(world).filter((type) => type === 'call.withdrawn')).toHaveLength(1);
    await stateIs('ended');
    const { read: db } = world.gateway.gateway.db;
    const entries = (await db.select().from(db.t.audit)).filter(({ subjectId }) => subjectId === ringing.id);
    expect(entries).toMatchObject([{ action: 'call.withdrawn', details: { by: 'standing' } }]);
  });
});

describe('the pages of a call', () => {
  it('R03 are told of the answer at once, on both sides, and end with it', async () => {
    const world = await testWorld({ policy: 'rodrun' });
    await connect(world, 'zoom');
    await present(world, 'available');
    const call = await ring(world);
    const pages = [await listen(call.pages.professional_url), await listen(call.pages.customer_url)];
    for (const page of pages) await eventually('it begins', () => page.heard[0]?.data['state'] === 'ringing');
    expect((await post(`${call.pages.professional_url}/decline`)).status).toBe(303);
    for (const page of pages) {
      await page.ended;
      expect(page.heard.map(({ event, data }) => data['state'] ?? event)).toEqual(['ringing', 'declined', 'end']);
    }
    expect((await listen(call.pages.customer_url)).status).toBe(410);
    expect((await visit(call.pages.customer_url)).status).toBe(410);
  });

  it('T02 give each side its own buttons alone, and no sound where the call is only counted', async () => {
    const world = await testWorld({ policy: 'tvip' });
    await connect(world, 'zoom');
    await present(world, 'away');
    const call = await ring(world);
    const professional = await visit(call.pages.professional_url);
    expect(professional.text).not.toContain('data-sound');
    const customer = await visit(call.pages.customer_url);
    expect(customer.text).toContain('/withdraw');
    expect(customer.text).not.toContain('/accept');
    expect(customer.text).toContain('http-equiv="refresh"');
    for (const action of ['accept', 'decline']) expect((await post(`${call.pages.customer_url}/${action}`)).status).toBe(403);
    expect((await post(`${call.pages.professional_url}/withdraw`)).status).toBe(403);
    expect((await post(`${call.pages.customer_url}/withdraw`)).status).toBe(303);
    expect((await read(world, call)).state).toBe('withdrawn');
    const { db } = world.gateway.gateway;
    expect(await db.read.select().from(db.read.t.audit).where(eq(db.read.t.audit.subjectId, call.id))).toMatchObject([
      { action: 'call.withdrawn', details: { by: 'page' } },
    ]);
    expect((await visit(`${world.publicUrl}/c/unknown`)).status).toBe(404);
  });
});
