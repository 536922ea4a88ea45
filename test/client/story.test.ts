import { describe, expect, expectTypeOf, it } from 'vitest';
import { isGatewayError, verifyEvent, type GatewayError, type Meeting, type Page } from '../../src/client/index.ts';
import { happen, settled, type MeetingJson } from '../support/gateway.ts';
import { startSink } from '../support/sink.ts';
import { connect, testWorld } from '../support/world.ts';
import { clientOf, newMeeting } from './support.ts';

/** What a call failed with. */
async function failureOf(call: Promise<unknown>): Promise<GatewayError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isGatewayError(error)) throw new Error(`The call should have failed: ${String(error)}`);
  return error;
}

describe('the typed client', () => {
  it('takes a marketplace from the connect link to the published recording and its events', async () => {
    const world = await testWorld();
    const gateway = clientOf(world);
    const sink = await startSink();
    const endpoint = await gateway.webhookEndpoints.create({ url: sink.url, events: ['meeting.*', 'recording.published'] });

    const session = await gateway.connectSessions.create({ professional_id: 'pro_1', providers: ['zoom'] });
    expect(session.url).toContain(`${world.publicUrl}/connect/`);
    const connectionId = await connect(world, 'zoom');
    expect(await gateway.connections.get(connectionId)).toMatchObject({ provider: 'zoom', status: 'active' });

    const preview = await gateway.meetings.preview(newMeeting(world, { recording: 'on_consent' }));
    expect(preview.would_be).toBe('created');
    const meeting = await gateway.meetings.create(newMeeting(world, { recording: 'on_consent' }), { idempotencyKey: 'bk_1' });
    expect(meeting).toMatchObject({ state: 'awaiting_purchase', connection_id: connectionId });
    expectTypeOf(meeting).toEqualTypeOf<Meeting>();
    expect(await gateway.meetings.purchase(meeting.id, { customer_id: 'cus_1' })).toMatchObject({ state: 'purchased' });
    const consent = { decision: 'granted', locale: 'en', text_version: '1' } as const;
    expect(await gateway.meetings.setRecordingConsent(meeting.id, 'cus_1', consent)).toMatchObject({ recording_consent: 'granted' });
    expect(await gateway.meetings.setWishes(meeting.id, 'cus_1', { camera_off: true })).toMatchObject({ camera_off: true });
    expect(await gateway.meetings.update(meeting.id, { title: 'Taxes' })).toMatchObject({ booking: { title: 'Taxes' } });

    for (const action of ['start', 'end', 'finish-recording']) await happen(world, meeting as MeetingJson, action);
    await world.receiver.waitFor('recording.published', ({ type }) => type === 'recording.published');
    const { data: recordings } = await gateway.meetings.recordings(meeting.id);
    expect(recordings).toMatchObject([{ state: 'published', links: [{ customer_id: 'cus_1' }] }]);
    expect((await gateway.meetings.sessions(meeting.id)).sessions).toHaveLength(1);
    expect(await gateway.recordings.revoke(recordings[0]!.id, { customer_id: 'cus_1' })).toMatchObject({
      links: [{ revoked_at: world.now().toISOString() }],
    });

    await settled(world);
    const arrived = await Promise.all(sink.requests.map(({ body, headers }) => verifyEvent(body, headers, endpoint.secret, world)));
    expect(new Set(arrived.map(({ type }) => type))).toEqual(
      new Set([
        'meeting.created',
        'meeting.purchased',
        'meeting.link_locked',
        'meeting.changed',
        'meeting.started',
        'meeting.ended',
        'recording.published',
      ]),
    );
    const published = arrived.find(({ type }) => type === 'recording.published')!;
    expect(await gateway.events.get(published.id)).toMatchObject({ id: published.id, type: 'recording.published' });
    expect(await gateway.events.redeliver(published.id)).toEqual({ deliveries: 2 });
    await gateway.connections.delete(connectionId);
    expect(await gateway.connections.get(connectionId)).toMatchObject({ status: 'revoked' });
  });

  it('gives the first page to who awaits a list, and every item to who walks through it', async () => {
    const world = await testWorld();
    const gateway = clientOf(world);
    await connect(world, 'zoom');
    const made: string[] = [];
    for (let count = 0; count < 5; count += 1) {
      world.jump(1_000);
      made.unshift(
        (await gateway.meetings.create(newMeeting(world, { booking: { id: `bk_${count}`, kind: 'one_to_one', title: 'x' } }))).id,
      );
    }
    const first = await gateway.meetings.list({ limit: 2 });
    expectTypeOf(first).toEqualTypeOf<Page<Meeting>>();
    expect(first.data.map(({ id }) => id)).toEqual(made.slice(0, 2));
    const rest = await gateway.meetings.list({ limit: 2, cursor: first.next_cursor! });
    expect(rest.data.map(({ id }) => id)).toEqual(made.slice(2, 4));
    const all: string[] = [];
    for await (const { id } of gateway.meetings.list({ limit: 2, professional_id: 'pro_1' })) all.push(id);
    expect(all).toEqual(made);
    for await (const meeting of gateway.meetings.list({ booking_id: 'nobody' })) expect(meeting).toBeUndefined();
  });

  it('reads and changes what a marketplace sets: policy, endpoints, plans', async () => {
    const world = await testWorld();
    const gateway = clientOf(world);
    expect((await gateway.providers.list()).data.map(({ id }) => id)).toEqual(['zoom', 'microsoft-teams', 'google-meet']);
    const { values } = await gateway.policy.get();
    expect(values.recording.uploads.max_links).not.toBe(1);
    expect(await gateway.policy.update({ recording: { uploads: { max_links: 1 } } })).toMatchObject({
      changed: ['/recording/uploads/max_links'],
      values: { recording: { uploads: { max_links: 1 } } },
    });
    expect((await gateway.policy.update({ recording: null })).values).toEqual(values);

    const id = await connect(world, 'google-meet');
    expect(await gateway.connections.update(id, { declared_plan: 'paid' })).toMatchObject({ plan: 'paid', plan_basis: 'declared' });
    expect(await gateway.connections.usage(id, { month: world.now().toISOString().slice(0, 7) })).toMatchObject({ meetings: 0 });

    const sink = await startSink();
    const endpoint = await gateway.webhookEndpoints.create({ url: sink.url });
    const rotated = await gateway.webhookEndpoints.rotateSecret(endpoint.id);
    expect(rotated.secret).not.toBe(endpoint.secret);
    await gateway.webhookEndpoints.test(endpoint.id);
    await settled(world);
    expect((await gateway.webhookEndpoints.deliveries(endpoint.id)).data).toMatchObject([{ type: 'endpoint.test', state: 'delivered' }]);
    expect(await gateway.webhookEndpoints.recover(endpoint.id, { since: world.now().toISOString() })).toEqual({ deliveries: 0 });
    await gateway.webhookEndpoints.update(endpoint.id, { enabled: false });
    await gateway.webhookEndpoints.delete(endpoint.id);
    expect((await gateway.webhookEndpoints.list()).data.map((one) => one.id)).not.toContain(endpoint.id);
  });

  it('sells packages, and cancels', async () => {
    const world = await testWorld();
    const gateway = clientOf(world);
    await connect(world, 'zoom');
    const { booking, professional_id, attendees, starts_at } = newMeeting(world);
    const made = await gateway.packages.create({
      booking,
      professional_id,
      ...(attendees === undefined ? {} : { attendees }),
      meetings: [
        { starts_at, duration_minutes: 20 },
        { starts_at: new Date(Date.parse(starts_at) + 86_400_000).toISOString(), duration_minutes: 20 },
      ],
    });
    expect((await gateway.packages.purchase(made.id, { customer_id: 'cus_1' })).attendees).toHaveLength(2);
    const cancelled = await gateway.meetings.cancel(made.meetings[0]!.id, { reason: 'Ill' });
    expect(cancelled).toMatchObject({ state: 'cancelled', cancel_reason: 'Ill' });
    expect((await gateway.packages.get(made.id)).meetings.map(({ state }) => state)).toEqual(['cancelled', 'confirmed']);
    // Without a body, too.
    expect(await gateway.meetings.cancel(made.meetings[1]!.id)).toMatchObject({ state: 'cancelled', cancel_reason: null });
  });
});

describe('a failed call of the client', () => {
  it('has the code of the problem, its status, its request and what is wrong where', async () => {
    const world = await testWorld();
    const gateway = clientOf(world);
    const invalid = await failureOf(gateway.meetings.create(newMeeting(world, { duration_minutes: 0 })));
    expect(invalid).toMatchObject({ code: 'invalid', status: 422, errors: [{ pointer: '/duration_minutes' }], retryAfterMs: undefined });
    expect(invalid.requestId).toMatch(/^req_/);
    expect(invalid.message).toBe(invalid.problem!.detail);
    expect(isGatewayError(invalid, 'invalid')).toBe(true);
    expect(isGatewayError(invalid, 'not_found')).toBe(false);

    expect(await failureOf(gateway.meetings.create(newMeeting(world)))).toMatchObject({ code: 'not_connected', status: 422 });
    expect(await failureOf(gateway.meetings.get('mtg_unknown'))).toMatchObject({
      code: 'not_found',
      status: 404,
      idempotencyKey: undefined,
    });
    const stranger = clientOf({ ...world, apiKey: 'gwk_nobody' });
    expect(await failureOf(stranger.providers.list())).toMatchObject({ code: 'unauthenticated', status: 401 });
  });

  it('has the members of its own that a problem carries', async () => {
    const world = await testWorld();
    const gateway = clientOf(world);
    await connect(world, 'zoom');
    const { id } = await gateway.meetings.create(newMeeting(world));
    const exists = await failureOf(gateway.meetings.create(newMeeting(world)));
    expect(exists).toMatchObject({ code: 'meeting_exists', status: 409, problem: { meeting_id: id } });
    const reused = await failureOf(
      gateway.meetings
        .create(newMeeting(world, { booking: { id: 'bk_2', kind: 'one_to_one', title: 'x' } }), { idempotencyKey: 'same' })
        .then(() => gateway.meetings.create(newMeeting(world, { duration_minutes: 20 }), { idempotencyKey: 'same' })),
    );
    expect(reused).toMatchObject({ code: 'idempotency_key_reused', status: 422, idempotencyKey: 'same' });
  });

  it('is thrown before anything is sent where the call cannot be right', async () => {
    const world = await testWorld();
    const gateway = clientOf(world);
    for (const id of ['', '.', '..']) await expect(gateway.meetings.get(id)).rejects.toThrow(TypeError);
    // An id is a part of the path, whatever is in it.
    expect(await failureOf(gateway.meetings.get('../policy?x=1'))).toMatchObject({ code: 'not_found' });
    await expect(gateway.meetings.end('mtg_1', undefined, { idempotencyKey: 'a b' })).rejects.toThrow(TypeError);
    expect(() => clientOf({ publicUrl: 'gateway.example', apiKey: 'key' })).toThrow(TypeError);
    expect(() => clientOf({ publicUrl: 'https://gateway.example', apiKey: '' })).toThrow(TypeError);
  });
});
