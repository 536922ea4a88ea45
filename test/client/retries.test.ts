import { describe, expect, it } from 'vitest';
import { isGatewayError } from '../../src/client/index.ts';
import { vendorMeetings } from '../support/gateway.ts';
import { connect, testWorld } from '../support/world.ts';
import { clientOf, newMeeting, startBetween, type Between } from './support.ts';

const problem = (status: number, code: string, headers: Record<string, string> = {}): Between => ({
  status,
  headers: { 'content-type': 'application/problem+json', ...headers },
  body: JSON.stringify({ type: 'about:blank', title: code, status, detail: `It is ${code}.`, code, request_id: 'req_1' }),
});

/** A world, and a client that comes to it through a server in between. */
async function start(plan: readonly Between[], options: Parameters<typeof clientOf>[1] = {}) {
  const world = await testWorld();
  const between = await startBetween(world.publicUrl, plan);
  return { world, seen: between.seen, gateway: clientOf({ publicUrl: between.url, apiKey: world.apiKey }, options) };
}

const failureOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a call of the client', () => {
  it('whose answer breaks off is tried again under the same key: one meeting, at the gateway and at the vendor', async () => {
    const { world, seen, gateway } = await start(['break after', 'break after', 'pass']);
    await connect(world, 'zoom');
    const meeting = await gateway.meetings.create(newMeeting(world));
    expect(seen).toHaveLength(3);
    expect(seen[0]!.key).toMatch(/^[0-9a-f-]{36}$/);
    expect(new Set(seen.map(({ key, body }) => `${key} ${body}`)).size).toBe(1);
    expect((await clientOf(world).meetings.list()).data.map(({ id }) => id)).toEqual([meeting.id]);
    expect(await vendorMeetings(world, 'zoom')).toHaveLength(1);
    // Another call is another request.
    await gateway.meetings.end(meeting.id).catch(() => {});
    expect(seen.at(-1)!.key).not.toBe(seen[0]!.key);
  });

  it('that never gets its answer says so, and under its key the same call gets it later', async () => {
    const { world, seen, gateway } = await start(['break after', 'break after', 'pass'], { maxRetries: 1 });
    await connect(world, 'zoom');
    const error = await failureOf(gateway.meetings.create(newMeeting(world)));
    if (!isGatewayError(error, 'unreachable')) throw error;
    expect(error).toMatchObject({ status: undefined, problem: undefined, idempotencyKey: seen[0]!.key });
    const meeting = await gateway.meetings.create(newMeeting(world), { idempotencyKey: error.idempotencyKey });
    expect((await clientOf(world).meetings.list()).data.map(({ id }) => id)).toEqual([meeting.id]);
  });

  it.each([
    [429, 'rate_limited'],
    [502, 'vendor_nonsense'],
    [503, 'vendor_unavailable'],
    [504, 'vendor_unavailable'],
  ])('that is answered %i is tried again', async (status, code) => {
    const { seen, gateway } = await start([problem(status, code), 'pass']);
    expect((await gateway.providers.list()).data).toHaveLength(3);
    expect(seen).toHaveLength(2);
  });

  it.each([
    [400, 'malformed'],
    [409, 'meeting_exists'],
    [409, 'idempotency_key_in_use'],
    [422, 'invalid'],
    [500, 'internal'],
  ])('that is answered %i %s is not', async (status, code) => {
    const { seen, gateway } = await start([problem(status, code), 'pass']);
    expect(await failureOf(gateway.meetings.end('mtg_1'))).toMatchObject({ code, status });
    expect(seen).toHaveLength(1);
  });

  it.each(['break after', '504 after'] as const)('that overtakes its own first attempt waits for it (%s)', async (lost) => {
    const { world, seen, gateway } = await start([lost, problem(409, 'idempotency_key_in_use'), 'pass']);
    await connect(world, 'zoom');
    expect(await gateway.meetings.create(newMeeting(world))).toMatchObject({ state: 'awaiting_purchase' });
    expect(seen).toHaveLength(3);
  });

  it.each(['break after', '504 after'] as const)('that deleted something before its answer was lost has deleted it (%s)', async (lost) => {
    const { world, seen, gateway } = await start([lost, 'pass']);
    const { id } = await clientOf(world).webhookEndpoints.create({ url: 'http://127.0.0.1:1/' });
    await gateway.webhookEndpoints.delete(id);
    expect(seen).toHaveLength(2);
    expect(await failureOf(gateway.webhookEndpoints.delete(id))).toMatchObject({ code: 'not_found' });
  });

  it('is tried four times and no more', async () => {
    const { seen, gateway } = await start([problem(503, 'storage_unavailable')]);
    expect(await failureOf(gateway.policy.get())).toMatchObject({ code: 'storage_unavailable', status: 503 });
    expect(seen).toHaveLength(4);
  });

  it('waits as long as Retry-After says', async () => {
    const { gateway } = await start([problem(503, 'vendor_unavailable', { 'retry-after': '1' }), 'pass']);
    const startedAt = performance.now();
    await gateway.providers.list();
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(990);
  });

  it('that would have to wait too long is left to the caller', async () => {
    const { seen, gateway } = await start([problem(503, 'vendor_quota', { 'retry-after': '7200' }), 'pass']);
    expect(await failureOf(gateway.providers.list())).toMatchObject({ code: 'vendor_quota', retryAfterMs: 7_200_000 });
    expect(seen).toHaveLength(1);
  });

  it('reads a Retry-After that is a date against the date of the answer', async () => {
    const headers = { date: 'Tue, 01 Dec 2026 10:00:00 GMT', 'retry-after': 'Tue, 01 Dec 2026 11:00:00 GMT' };
    const { gateway } = await start([problem(503, 'vendor_quota', headers), 'pass']);
    expect(await failureOf(gateway.providers.list())).toMatchObject({ retryAfterMs: 3_600_000 });
  });

  it('that is not answered in time is tried again, then timed out', async () => {
    const { seen, gateway } = await start(['hang'], { timeoutMs: 30, maxRetries: 2 });
    expect(await failureOf(gateway.events.list())).toMatchObject({ code: 'timed_out', status: undefined });
    expect(seen).toHaveLength(3);
    const patient = await start(['hang', 'pass']);
    expect((await patient.gateway.events.list({}, { timeoutMs: 300 })).data).toEqual([]);
  });

  it('ends when its signal says so, in an attempt and in a wait', async () => {
    const hanging = await start(['hang']);
    const reason = new Error('The customer went away.');
    const inAttempt = new AbortController();
    const attempt = failureOf(hanging.gateway.events.list({}, { signal: inAttempt.signal }));
    await expect.poll(() => hanging.seen.length).toBe(1);
    inAttempt.abort(reason);
    expect(await attempt).toBe(reason);
    expect(hanging.seen).toHaveLength(1);

    const busy = await start([problem(503, 'storage_unavailable')], { retryDelayMs: 20_000 });
    const inWait = new AbortController();
    const waiting = failureOf(busy.gateway.events.list({}, { signal: inWait.signal }));
    await expect.poll(() => busy.seen.length).toBe(1);
    inWait.abort(reason);
    expect(await waiting).toBe(reason);
    expect(await failureOf(busy.gateway.events.list({}, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(busy.seen).toHaveLength(1);
  });

  it('is not led away by a redirect, nor fooled by what is no answer of the gateway', async () => {
    for (const [answer, tries] of [
      [{ status: 302, headers: { location: 'http://127.0.0.1:1/' } }, 1],
      [{ status: 200, body: '<html>Please sign in</html>' }, 1],
      [{ status: 200, body: '' }, 1],
      [{ status: 404, body: 'nothing here' }, 1],
      // A load balancer without a gateway behind it passes.
      [{ status: 502, body: '<html>Bad gateway</html>' }, 4],
    ] as [Between, number][]) {
      const { seen, gateway } = await start([answer]);
      expect(await failureOf(gateway.policy.get()), JSON.stringify(answer)).toMatchObject({ code: 'unexpected_answer' });
      expect(seen).toHaveLength(tries);
    }
  });

  it('to a gateway that is down is unreachable', async () => {
    const nobody = clientOf({ publicUrl: 'http://127.0.0.1:1', apiKey: 'key' });
    expect(await failureOf(nobody.policy.get())).toMatchObject({ code: 'unreachable', cause: expect.any(Error) });
  });
});
