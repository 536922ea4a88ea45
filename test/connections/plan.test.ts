import { expect, it } from 'vitest';
import { createBrowser, location } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { learnPlan } from '../../src/connections/plan.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { createMeeting, databaseOf, must, otherMarketplace, setPolicy } from '../support/gateway.ts';
import { connect, testWorld } from '../support/world.ts';

const learn = ({ gateway }: World, id: string, plan: 'free' | 'paid') => gateway.gateway.db.write((tx) => learnPlan(tx, id, plan));
const shown = async ({ api }: Pick<World, 'api'>, id: string) => must(await api('GET', `/v1/connections/${id}`), 200).json;
const declare = async ({ api }: Pick<World, 'api'>, id: string, plan: 'free' | 'paid' | null) =>
  must(await api('PATCH', `/v1/connections/${id}`, { declared_plan: plan }), 200).json;

describeOnBothDatabases('the plan of a connected account', (_open, engine) => {
  it('G14 is declared where the vendor does not tell it, learned when it shows itself, and declared anew after a change', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const id = await connect(world, 'google-meet');
    expect(await shown(world, id)).toMatchObject({ plan: 'unknown', plan_basis: 'none', declared_plan: null, limit_minutes: 60 });
    expect(await declare(world, id, 'paid')).toMatchObject({
      plan: 'paid',
      plan_basis: 'declared',
      declared_plan: 'paid',
      limit_minutes: null,
    });
    await learn(world, id, 'free');
    expect(await shown(world, id)).toMatchObject({ plan: 'free', plan_basis: 'learned', declared_plan: 'paid', limit_minutes: 60 });
    // Bought a subscription since.
    expect(await declare(world, id, 'paid')).toMatchObject({ plan: 'paid', plan_basis: 'declared' });
    await learn(world, id, 'free');
    expect(await declare(world, id, null)).toMatchObject({ plan: 'free', plan_basis: 'learned', declared_plan: null });
    expect(await createMeeting(world)).toMatchObject({
      limit: { minutes: 60, plan: 'free', plan_basis: 'learned', as_of: '2026-10-05', source: expect.stringMatching(/^https:/) },
      decision: { chosen: 'google-meet', plan: 'free', plan_basis: 'learned', limit_minutes: 60 },
    });
  });

  it('G14 is declared on the connect page, where it is asked for, and a new link writes down how it was known', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const [zoom, meet] = [await connect(world, 'zoom'), await connect(world, 'google-meet')];
    const session = must(await world.api('POST', '/v1/connect-sessions', { professional_id: 'pro_1' }), 201);
    const url = String(session.json['url']);
    const browser = createBrowser();
    const page = must(await browser(url), 200).text;
    expect(page).toContain(`/connections/${meet}/plan"`);
    expect(page).not.toContain(`/connections/${zoom}/plan"`);
    const say = async (plan: string) =>
      location(
        await browser(`${url}/connections/${meet}/plan`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: `plan=${plan}`,
        }),
      );
    expect(await say('free')).toContain('notice=plan_declared');
    expect(must(await browser(url), 200).text).toContain('As stated here; Google Meet itself does not say.');
    const meeting = await createMeeting(world, { provider: 'zoom' });
    expect(meeting).toMatchObject({ limit: { plan: 'paid', plan_basis: 'vendor' } });
    expect(must(await world.api('PATCH', `/v1/meetings/${meeting.id}`, { provider: 'google-meet' }), 200).json).toMatchObject({
      limit: { minutes: 60, plan: 'free', plan_basis: 'declared', exceeded: false },
      decision: { asked: 'google-meet', chosen: 'google-meet', plan_basis: 'declared' },
    });
    const uploaded = { join_url: 'https://us02web.zoom.us/j/81234567890' };
    expect(must(await world.api('PATCH', `/v1/meetings/${meeting.id}`, uploaded), 200).json).toMatchObject({
      limit: { minutes: 40, plan: 'unknown', plan_basis: 'none' },
      decision: { reason: 'link', chosen: 'zoom' },
    });
    expect(await say('unknown')).toContain('notice=plan_declared');
    expect(await shown(world, meet)).toMatchObject({ plan: 'unknown', plan_basis: 'none' });
  });

  it('G14 a change to an app that is too short is refused, also where a booking would have got another one', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await setPolicy(world, { limits: { on_exceed: 'choose_other' } });
    await connect(world, 'zoom', { user: 'ben@zoom.sandbox.example' });
    await connect(world, 'google-meet');
    const meeting = await createMeeting(world, { provider: 'zoom', duration_minutes: 50 });
    expect(meeting).toMatchObject({ provider: 'google-meet', decision: { asked: 'zoom', reason: 'asked_too_short' } });
    expect(await world.api('PATCH', `/v1/meetings/${meeting.id}`, { provider: 'zoom' })).toMatchObject({
      status: 422,
      json: { code: 'limit_exceeded', limit_minutes: 40, plan_basis: 'vendor' },
    });
  });

  it("G14 the vendor's word counts more than anything else", async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const id = await connect(world, 'zoom', { user: 'ben@zoom.sandbox.example' });
    await learn(world, id, 'paid');
    expect(await declare(world, id, 'paid')).toMatchObject({ plan: 'free', plan_basis: 'vendor', limit_minutes: 40 });
  });

  it('G14 what was learned of an account is known of it wherever it is connected, and of no other account', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const other = await otherMarketplace(world);
    const [id, stranger] = [
      await connect(world, 'google-meet'),
      await connect(world, 'google-meet', { user: 'ben@gmail.sandbox.example' }),
    ];
    const same = await connect(other, 'google-meet');
    await learn(world, id, 'free');
    expect(await shown(other, same)).toMatchObject({ plan: 'free', plan_basis: 'learned' });
    expect(await shown(world, stranger)).toMatchObject({ plan: 'unknown', plan_basis: 'none' });
    // What was said at one marketplace stays there.
    await declare(world, stranger, 'free');
    expect(await shown(other, await connect(other, 'google-meet', { user: 'ben@gmail.sandbox.example' }))).toMatchObject({
      plan: 'unknown',
    });
  });

  it('G14 survives a new authorization, and is refused for a connection that has ended or is not there', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const id = await connect(world, 'google-meet');
    await declare(world, id, 'free');
    expect(await connect(world, 'google-meet')).toBe(id);
    expect(await shown(world, id)).toMatchObject({ plan: 'free', plan_basis: 'declared' });
    must(await world.api('DELETE', `/v1/connections/${id}`), 204);
    expect(await world.api('PATCH', `/v1/connections/${id}`, { declared_plan: 'paid' })).toMatchObject({ status: 409 });
    expect(await world.api('PATCH', '/v1/connections/con_0', { declared_plan: 'paid' })).toMatchObject({ status: 404 });
    expect(await world.api('PATCH', `/v1/connections/${id}`, {})).toMatchObject({ status: 422 });
    expect(await world.api('PATCH', `/v1/connections/${id}`, { declared_plan: 'gold' })).toMatchObject({ status: 422 });
  });
});
