import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApi, visit, type Answer } from '../../demo/clients.ts';
import { createWorld, type World } from '../../demo/world.ts';
import { PRESET_NAMES, PRESETS } from '../../src/domain/presets/index.ts';
import { changePolicy } from '../../src/marketplaces/change-policy.ts';
import { createMarketplace } from '../../src/marketplaces/manage.ts';
import { findMarketplace, lockMarketplace, setPolicyPatch } from '../../src/store/marketplaces.ts';
import { boughtMeeting, createMeeting, databaseOf, getMeeting, HOUR, MINUTE, must, otherMarketplace } from '../support/gateway.ts';
import { describeOnBothDatabases, useDatabases } from '../support/databases.ts';
import { connect, meetingBody, testWorld } from '../support/world.ts';

const change = ({ api }: Pick<World, 'api'>, patch: unknown): Promise<Answer> => api('PATCH', '/v1/policy', patch);

const pointersOf = ({ json }: Answer): string[] => (json['errors'] as { pointer: string }[]).map(({ pointer }) => pointer);

async function storedPatch({ gateway, marketplaceId }: World): Promise<unknown> {
  return (await findMarketplace(gateway.gateway.db.read, marketplaceId))?.policyPatch;
}

describeOnBothDatabases('a policy', (_open, engine) => {
  const start = async (): Promise<World> => testWorld({ databaseUrl: await databaseOf(engine) });

  it('is overridden value by value, shows what differs, and goes back with null', async () => {
    const world = await start();
    const fresh = must(await world.api('GET', '/v1/policy'), 200);
    expect(fresh.json).toEqual({ preset: 'guide', values: PRESETS.guide, changed: [] });

    const first = must(await change(world, { purchase: { within_hours: 24 }, approved_apps: ['google-meet', 'zoom'] }), 200);
    expect(first.json).toEqual({
      preset: 'guide',
      values: { ...PRESETS.guide, purchase: { within_hours: 24 }, approved_apps: ['google-meet', 'zoom'] },
      changed: ['/approved_apps', '/purchase/within_hours'],
    });
    const second = must(await change(world, { recording: { event: { modes: ['none'] } }, approved_apps: null }), 200);
    expect(second.json['changed']).toEqual(['/purchase/within_hours', '/recording/event/modes']);
    expect(must(await world.api('GET', '/v1/policy'), 200).json).toEqual(second.json);

    const last = must(await change(world, { purchase: null, recording: { event: null } }), 200);
    expect(last.json).toEqual(fresh.json);
    expect(await storedPatch(world)).toEqual({});
  });

  it('is stored without values that repeat the preset', async () => {
    const world = await start();
    must(await change(world, { ...PRESETS.guide, purchase: { within_hours: 12 }, join: { opens_minutes_before: 15 } }), 200);
    expect(await storedPatch(world)).toEqual({ purchase: { within_hours: 12 } });
    const answer = must(await change(world, { purchase: { within_hours: 48 }, limits: { on_exceed: 'warn' } }), 200);
    expect(answer.json['changed']).toEqual(['/limits/on_exceed']);
    expect(await storedPatch(world)).toEqual({ limits: { on_exceed: 'warn' } });
  });

  it('loses none of many patches at the same moment', async () => {
    const world = await start();
    const patches = [
      { purchase: { within_hours: 7 } },
      { packages: { max_meetings: 2 } },
      { join: { opens_minutes_before: 7 } },
      { join: { closes_minutes_after: 7 } },
      { limits: { on_exceed: 'warn' } },
      { vendor_unavailable: 'refuse' },
      { recording: { recipients: 'everyone' } },
      { recording: { retention_days: 7 } },
      { recording: { event: { modes: ['none'] } } },
    ];
    for (const answer of await Promise.all(patches.map((patch) => change(world, patch)))) must(answer, 200);
    const { values, changed } = must(await world.api('GET', '/v1/policy'), 200).json;
    expect(changed).toHaveLength(patches.length);
    for (const patch of patches) expect(values).toMatchObject(patch);
  });

  it('changes nothing when one part of a patch is refused', async () => {
    const world = await start();
    must(await change(world, { join: { opens_minutes_before: 5 } }), 200);
    const before = await storedPatch(world);
    must(await change(world, { purchase: { within_hours: 12 }, join: { opens_minutes_before: -1 } }), 422);
    must(await change(world, { purchase: { within_hours: 12 }, recording: { event: { consent: 'each_customer' } } }), 422);
    expect(await storedPatch(world)).toEqual(before);
  });

  it('belongs to its marketplace alone', async () => {
    const world = await start();
    const other = await otherMarketplace(world, 'tvip');
    must(await change(world, { purchase: { within_hours: 12 } }), 200);
    expect(must(await other.api('GET', '/v1/policy'), 200).json).toEqual({ preset: 'tvip', values: PRESETS.tvip, changed: [] });
    expect((await change({ api: createApi(world.publicUrl, `gk_${'x'.repeat(43)}`) }, { purchase: { within_hours: 1 } })).status).toBe(401);
    expect(await storedPatch(world)).toEqual({ purchase: { within_hours: 12 } });
  });
});

describe('patches at the same moment on PostgreSQL', () => {
  const { engine } = useDatabases('postgres');

  it('wait for the one that came first, and build on it', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const { gateway } = world.gateway;
    const { marketplaceId } = world;
    let second: Promise<unknown> | undefined;
    await gateway.db.write(async (tx) => {
      await lockMarketplace(tx, marketplaceId);
      let done = false;
      second = changePolicy(gateway, { marketplaceId, patch: { limits: { on_exceed: 'warn' } } }).finally(() => {
        done = true;
      });
      // As many round trips to the database as a change needs, and more.
      for (let look = 0; look < 20; look += 1) await findMarketplace(gateway.db.read, marketplaceId);
      expect(done).toBe(false);
      await setPolicyPatch(tx, { id: marketplaceId, policyPatch: { purchase: { within_hours: 7 } } });
    });
    await second;
    expect(await storedPatch(world)).toEqual({ purchase: { within_hours: 7 }, limits: { on_exceed: 'warn' } });
  });
});

describe('a change takes effect', () => {
  it('G04 for the next meeting at once, while a deadline that was set stays', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const old = await createMeeting(world);
    must(await change(world, { purchase: { within_hours: 24 } }), 200);
    const next = await createMeeting(world, { booking: { id: 'bk_2', kind: 'one_to_one', title: 'Tax consultation' } });
    const inHours = (hours: number): string => new Date(world.now().getTime() + hours * HOUR).toISOString();
    expect([old.purchase_by, next.purchase_by]).toEqual([inHours(48), inHours(24)]);
    expect((await getMeeting(world, old.id)).purchase_by).toBe(inHours(48));
    world.jump(25 * HOUR);
    expect((await world.api('POST', `/v1/meetings/${next.id}/purchases`, { customer_id: 'cus_1' })).json['code']).toBe('purchase_expired');
    must(await world.api('POST', `/v1/meetings/${old.id}/purchases`, { customer_id: 'cus_1' }), 201);
  });

  it('G01 on the apps that are offered, on links, and at the moment of joining', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const { id, attendees } = await boughtMeeting(world);
    const enter = () => visit(`${attendees[0]!.join_url}/join`, { method: 'POST' });
    must(await change(world, { approved_apps: ['google-meet'] }), 200);

    const { data } = must(await world.api('GET', '/v1/providers'), 200).json as { data: { id: string }[] };
    expect(data.map((provider) => provider.id)).toEqual(['google-meet']);
    const link = { booking: { id: 'bk_2', kind: 'one_to_one', title: 'Tax' }, join_url: 'https://us02web.zoom.us/j/81234567890' };
    expect(await world.api('POST', '/v1/meetings', meetingBody(world, link))).toMatchObject({
      status: 422,
      json: { code: 'app_not_approved', approved_apps: ['google-meet'] },
    });
    expect((await enter()).status).toBe(422);
    expect((await getMeeting(world, id)).provider).toBe('zoom');

    must(await change(world, { approved_apps: null }), 200);
    expect((await enter()).status).toBe(303);
  });

  it('C03 on the join window of meetings that exist', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const starts_at = new Date(world.now().getTime() + 30 * MINUTE).toISOString();
    const { attendees } = await boughtMeeting(world, { starts_at });
    const enter = () => visit(`${attendees[0]!.join_url}/join`, { method: 'POST' });
    expect((await enter()).status).toBe(403);
    must(await change(world, { join: { opens_minutes_before: 45 } }), 200);
    expect((await enter()).status).toBe(303);
  });

  it('G11 G12 on the recording modes that a booking may ask for', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const ask = () => world.api('POST', '/v1/meetings', meetingBody(world, { recording: 'always' }));
    expect((await ask()).json).toMatchObject({ code: 'recording_not_allowed', allowed: ['none', 'on_consent'] });
    must(await change(world, { recording: { one_to_one: { modes: ['none', 'always'], consent: 'implied' } } }), 200);
    expect(must(await ask(), 201).json['recording']).toBe('always');
  });
});

describe('requests about the policy', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ logLevel: 'silent', operator: 'direct', clock: 'standing' });
  });
  afterAll(() => world.close());

  const send = (body: string, type: string): Promise<Answer> =>
    visit(`${world.publicUrl}/v1/policy`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${world.apiKey}`, 'content-type': type },
      body,
    });

  it.each(PRESET_NAMES)('show the preset %s as it is', async (preset) => {
    const { apiKey } = await createMarketplace(world.gateway.gateway, { name: 'Fresh', preset, returnUrls: [] });
    const answer = must(await createApi(world.publicUrl, apiKey)('GET', '/v1/policy'), 200);
    expect(answer.json).toEqual({ preset, values: PRESETS[preset], changed: [] });
  });

  it.each(['application/merge-patch+json', 'application/json', 'Application/Merge-Patch+JSON; charset=utf-8'])(
    'may come as %s',
    async (type) => {
      const other = await otherMarketplace(world);
      const answer = await other.api('PATCH', '/v1/policy', { recording: { retention_days: 7 } }, { 'content-type': type });
      expect(must(answer, 200).json['changed']).toEqual(['/recording/retention_days']);
    },
  );

  it.each(['application/json-patch+json', 'text/plain', 'application/merge-patch'])('may not come as %s', async (type) => {
    expect(await send('{}', type)).toMatchObject({ status: 415, json: { code: 'unsupported_media_type' } });
  });

  it('take a merge patch for the policy only', async () => {
    const answer = await world.api('POST', '/v1/meetings', {}, { 'content-type': 'application/merge-patch+json' });
    expect(answer.status).toBe(415);
  });

  it.each(['', '{}'])('change nothing with the body "%s"', async (body) => {
    expect(must(await send(body, 'application/merge-patch+json'), 200).json['changed']).toEqual([]);
  });

  it.each(['[]', '"zoom"', 'null', '{'])('are malformed with the body %s', async (body) => {
    expect(await send(body, 'application/merge-patch+json')).toMatchObject({ status: 400, json: { code: 'malformed' } });
  });

  it.each([
    [
      'unknown names, on every level',
      { colour: 'red', join: { opens: 5 }, recording: { event: { mode: 'none' } } },
      ['/join/opens', '/recording/event/mode', '/colour'],
    ],
    ['an unknown name with null', { 'col/our': null }, ['/col~1our']],
    [
      'wrong types',
      { purchase: { within_hours: '24' }, join: [], vendor_unavailable: false },
      ['/purchase/within_hours', '/join', '/vendor_unavailable'],
    ],
    ['no app at all', { approved_apps: [] }, ['/approved_apps']],
    ['a fourth app', { approved_apps: ['zoom', 'webex'] }, ['/approved_apps/1']],
    ['a recording that is kept for more than a year', { recording: { retention_days: 366 } }, ['/recording/retention_days']],
    ['G07 a package of six', { packages: { max_meetings: 6 } }, ['/packages/max_meetings']],
  ])('are refused for %s', async (_what, patch, pointers) => {
    const answer = await change(world, patch);
    expect(answer).toMatchObject({ status: 422, json: { code: 'invalid' } });
    expect(pointersOf(answer)).toEqual(pointers);
  });

  it('name the approved apps to who asks for another (G01)', async () => {
    const answer = await change(world, { approved_apps: ['webex'] });
    expect(answer.json['errors']).toEqual([
      { pointer: '/approved_apps/0', detail: 'has to be one of the approved apps: zoom, microsoft-teams, google-meet (G01)' },
    ]);
  });

  it.each([
    ['G12', 'recorded_before_consent', { one_to_one: { modes: ['always'] } }, '/recording/one_to_one'],
    ['G12', 'recorded_before_consent', { event: { consent: 'each_customer' } }, '/recording/event'],
    ['G12', 'consent_never_asked', { private_group: { consent: 'implied' } }, '/recording/private_group'],
    ['G11', 'notice_is_no_consent', { one_to_one: { modes: ['none'], consent: 'notice' } }, '/recording/one_to_one'],
    ['G12', 'listed_twice', { event: { modes: ['none', 'none'] } }, '/recording/event/modes'],
  ])('%s are refused for the contradiction %s in %j', async (_rule, name, recording, pointer) => {
    const answer = await change(world, { recording });
    expect(answer).toMatchObject({ status: 422, json: { code: 'invalid', contradictions: [name] } });
    expect(pointersOf(answer)).toEqual([pointer]);
  });

  it('F10 T04 are refused for guests where meetings are metered', async () => {
    const answer = await change(world, { links: { shareable: true }, meter: { enabled: true } });
    expect(answer).toMatchObject({ status: 422, json: { code: 'invalid', contradictions: ['guests_hide_the_customer'] } });
    expect(pointersOf(answer)).toEqual(['/links/shareable']);
  });

  it('are described with both media types and what each value means', async () => {
    const { json } = await visit(`${world.publicUrl}/openapi.json`);
    const { patch, get } = (json['paths'] as Record<string, Record<string, Record<string, unknown>>>)['/v1/policy']!;
    const { content } = patch!['requestBody'] as { content: Record<string, unknown> };
    expect(Object.keys(content)).toEqual(['application/merge-patch+json', 'application/json']);
    expect(JSON.stringify(content)).toContain('Hours from the confirmation to the purchase');
    expect(JSON.stringify(get!['responses'])).toContain('#/components/schemas/Policy');
    expect(JSON.stringify((json['components'] as { schemas: Record<string, unknown> }).schemas['Policy'])).toContain(
      'Hours from the confirmation',
    );
  });
});
