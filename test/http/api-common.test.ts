import { connect as connectSocket } from 'node:net';
import { beforeAll, afterAll, describe, expect, it } from 'vitest';
import { createApi, visit, type Answer } from '../../demo/clients.ts';
import { createWorld, type World } from '../../demo/world.ts';
import { createApp } from '../../src/app.ts';
import { createLive } from '../../src/http/live.ts';
import { revokeKey, createKey } from '../../src/marketplaces/manage.ts';
import { calls, createMeeting, databaseOf, eventually, must, otherMarketplace, vendorMeetings } from '../support/gateway.ts';
import { connect, meetingBody, testWorld } from '../support/world.ts';
import { describeOnBothDatabases } from '../support/databases.ts';

/** One world for all that changes nothing. */
let world: World;
beforeAll(async () => {
  world = await createWorld({ logLevel: 'silent', operator: 'direct', clock: 'standing' });
});
afterAll(() => world.close());

interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly request_id: string;
  readonly errors?: readonly { pointer: string; detail: string }[];
}

/** Checks what every problem has, and gives it. */
async function problem(answer: Answer, status: number, code: string): Promise<Problem> {
  expect({ status: answer.status, text: answer.text }).toMatchObject({ status });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const body = answer.json as unknown as Problem;
  expect(body).toMatchObject({ status, code, title: expect.stringMatching(/\S/), detail: expect.stringMatching(/\S/) });
  expect(body.request_id).toMatch(/^req_[0-9a-z]{26}$/);
  expect(answer.headers.get('x-request-id')).toBe(body.request_id);
  expect(body.type).toBe(`${world.publicUrl}/problems/${code}`);
  expect((await visit(body.type)).status).toBe(200);
  // No stack, no file, no secret.
  expect(answer.text).not.toMatch(/\.ts|\.js|node_modules|at Object|Error:|sqlite|gk_/i);
  expect(answer.text).not.toContain(world.apiKey);
  return body;
}

const send = (body: string | Buffer, headers: Record<string, string> = {}, path = '/v1/meetings'): Promise<Answer> =>
  visit(`${world.publicUrl}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.apiKey}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });

describe('bodies', () => {
  it.each([
    ['no JSON', '{"booking":'],
    ['two values', '{} {}'],
    ['a list', '[]'],
    ['a text', '"text"'],
    ['null', 'null'],
    ['NaN', '{"duration_minutes": NaN}'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['a NUL', '{"professional_id": "a\\u0000b"}'],
    ['a NUL in a name', '{"a\\u0000b": 1}'],
    ['a lone surrogate', '{"professional_id": "\\ud800"}'],
    ['33 levels', `{"a":${'['.repeat(32)}${']'.repeat(32)}}`],
    ['100,000 levels', `{"a":${'['.repeat(100_000)}`],
  ])('case 23: 400 for %s', async (_what, body) => {
    await problem(await send(body), 400, 'malformed');
  });

  it('case 23: 32 levels, escaped brackets and quotes are no reason to refuse', async () => {
    const found = await problem(await send(`{"a":${'['.repeat(31)}${']'.repeat(31)},"b":"[[[[\\"[[[["}`), 422, 'invalid');
    expect(found.errors).toContainEqual({ pointer: '/a', detail: 'is not known' });
  });

  it('413 for a body over 256 KiB, announced or not', async () => {
    await problem(await send(JSON.stringify({ a: 'x'.repeat(256 * 1_024) })), 413, 'too_large');
    const status = await new Promise<string>((resolve, reject) => {
      const socket = connectSocket(Number(new URL(world.publicUrl).port), '127.0.0.1', () => {
        socket.write(
          `POST /v1/meetings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${world.apiKey}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
        );
        const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
        for (let count = 0; count < 5; count += 1) socket.write(chunk);
        socket.write('0\r\n\r\n');
      });
      socket.on('data', (data) => resolve(String(data).split('\r\n')[0]!));
      socket.on('error', reject);
    });
    expect(status).toMatch(/^HTTP\/1.1 413 /);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', 'multipart/form-data; boundary=x'])(
    '415 for %s',
    async (contentType) => {
      await problem(await send('{}', { 'content-type': contentType }), 415, 'unsupported_media_type');
    },
  );

  it('takes JSON with a charset, and an empty body as a request without members', async () => {
    await problem(await send('{}', { 'content-type': 'Application/JSON; charset=utf-8' }), 422, 'invalid');
    const empty = await problem(await send('', {}), 422, 'invalid');
    expect(empty.errors?.map(({ pointer }) => pointer)).toContain('/booking');
  });

  it('case 119: 422 names every wrong member by its pointer', async () => {
    const body = {
      booking: { id: '', kind: 'party', title: 'a\nb', 'a/b~c': 1 },
      professional_id: 7,
      attendees: [{ customer_id: 'cus_1', camera_off: 'no', locale: 'x' }],
      provider: 'webex',
      starts_at: '2026-12-01 10:00',
      duration_minutes: 0.5,
      time_zone: 'Mars/Olympus',
      recording: 'maybe',
      surprise: true,
    };
    const { errors } = await problem(await send(JSON.stringify(body)), 422, 'invalid');
    expect(errors?.map(({ pointer }) => pointer).toSorted()).toEqual(
      [
        '/attendees/0/camera_off',
        '/attendees/0/locale',
        '/booking/a~1b~0c',
        '/booking/id',
        '/booking/kind',
        '/booking/title',
        '/duration_minutes',
        '/professional_id',
        '/provider',
        '/recording',
        '/starts_at',
        '/surprise',
        '/time_zone',
      ].toSorted(),
    );
  });

  it('case 119: does not take __proto__ as a member', async () => {
    const body = JSON.stringify(meetingBody(world)).replace('{', '{"__proto__":{"provider":"zoom"},');
    const answer = await send(body);
    expect(answer.status).toBe(422);
  });

  it('cases 117, 121: 422 names a wrong parameter of the query', async () => {
    const answer = await world.api('GET', '/v1/meetings?limit=101&state=sleeping&colour=red');
    const { errors } = await problem(answer, 422, 'invalid');
    expect(errors?.map(({ pointer }) => pointer).toSorted()).toEqual(['/colour', '/limit', '/state']);
    await problem(await world.api('GET', '/v1/meetings?cursor=mtg_1'), 400, 'malformed');
  });
});

describe('keys', () => {
  it.each([
    ['no key', undefined],
    ['no scheme', 'gk_0123456789012345678901234567890123456789012'],
    ['an unknown key', 'Bearer gk_0123456789012345678901234567890123456789012'],
    ['another scheme', 'Basic Z2s6eA=='],
    ['a key of a thousand characters', `Bearer ${'x'.repeat(1_000)}`],
  ])('401 for %s, with the way to authenticate', async (_what, authorization) => {
    const answer = await visit(`${world.publicUrl}/v1/meetings`, { headers: authorization === undefined ? {} : { authorization } });
    await problem(answer, 401, 'unauthenticated');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('401 before anything is said about the body or the address', async () => {
    await problem(await createApi(world.publicUrl, 'x')('POST', '/v1/nothing', { a: 1 }), 401, 'unauthenticated');
  });

  it('case 118: a revoked key is refused at once, a second one works on', async () => {
    const { keyId, apiKey } = await createKey(world.gateway.gateway, world.marketplaceId);
    const api = createApi(world.publicUrl, apiKey);
    must(await api('GET', '/v1/meetings'), 200);
    await revokeKey(world.gateway.gateway, keyId);
    await problem(await api('GET', '/v1/meetings'), 401, 'unauthenticated');
    must(await world.api('GET', '/v1/meetings'), 200);
  });
});

describe('addresses', () => {
  it.each(['/v1/nothing', '/v1/meetings/mtg_1/nothing', '/nothing'])('404 for %s', async (path) => {
    await problem(await world.api('GET', path), 404, 'not_found');
  });

  it('404 for a method that is not there', async () => {
    await problem(await world.api('PUT', '/v1/meetings', {}), 404, 'not_found');
  });
});

describeOnBothDatabases('ids', (_open, engine) => {
  it('cases 112, 115: of another marketplace and unknown ones get the same answer, byte for byte', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const connection = await connect(world, 'zoom');
    const meeting = await createMeeting(world);
    const endpoints = must(await world.api('GET', '/v1/webhook-endpoints'), 200).json['data'] as { id: string }[];
    const events = must(await world.api('GET', '/v1/events'), 200).json['data'] as { id: string }[];
    const stranger = await otherMarketplace(world);
    const own = {
      con: connection,
      mtg: meeting.id,
      whe: endpoints[0]!.id,
      evt: events[0]!.id,
      rec: `rec_${'0'.repeat(26)}`,
    };
    const paths: [keyof typeof own, string, string, unknown?][] = [
      ['con', 'GET', '/v1/connections/{id}'],
      ['con', 'DELETE', '/v1/connections/{id}'],
      ['mtg', 'GET', '/v1/meetings/{id}'],
      ['mtg', 'PATCH', '/v1/meetings/{id}', { title: 'x' }],
      ['mtg', 'POST', '/v1/meetings/{id}/purchases', { customer_id: 'cus_1' }],
      ['mtg', 'POST', '/v1/meetings/{id}/cancel'],
      ['mtg', 'POST', '/v1/meetings/{id}/end'],
      ['mtg', 'PUT', '/v1/meetings/{id}/attendees/cus_1', { camera_off: true }],
      ['mtg', 'PUT', '/v1/meetings/{id}/attendees/cus_1/recording-consent', { decision: 'granted', locale: 'en', text_version: '1' }],
      ['mtg', 'GET', '/v1/meetings/{id}/recordings'],
      ['mtg', 'POST', '/v1/meetings/{id}/recordings', { url: 'https://vimeo.com/1', title: 'x' }],
      ['rec', 'GET', '/v1/recordings/{id}'],
      ['rec', 'POST', '/v1/recordings/{id}/access', { incident_id: 'inc_1', reason: 'x' }],
      ['rec', 'POST', '/v1/recordings/{id}/publish'],
      ['rec', 'POST', '/v1/recordings/{id}/revoke'],
      ['whe', 'GET', '/v1/webhook-endpoints/{id}'],
      ['whe', 'PATCH', '/v1/webhook-endpoints/{id}', { description: 'x' }],
      ['whe', 'DELETE', '/v1/webhook-endpoints/{id}'],
      ['whe', 'POST', '/v1/webhook-endpoints/{id}/rotate-secret'],
      ['whe', 'POST', '/v1/webhook-endpoints/{id}/test'],
      ['whe', 'GET', '/v1/webhook-endpoints/{id}/deliveries'],
      ['whe', 'POST', '/v1/webhook-endpoints/{id}/recover', { since: '2026-01-01T00:00:00Z' }],
      ['evt', 'GET', '/v1/events/{id}'],
      ['evt', 'POST', '/v1/events/{id}/redeliver'],
    ];
    const answers = async (method: string, path: string, body: unknown) => {
      const answer = await stranger.api(method, path, body);
      const { request_id, ...rest } = answer.json;
      expect(request_id).toBe(answer.headers.get('x-request-id'));
      return { status: answer.status, rest };
    };
    for (const [kind, method, path, body] of paths) {
      const foreign = await answers(method, path.replace('{id}', own[kind]), body);
      expect(foreign.status, `${method} ${path}`).toBe(404);
      for (const id of [`${kind}_${'z'.repeat(26)}`, 'no-id-at-all', '%00', '%ED%A0%80', "' or 1=1", 'x'.repeat(500)])
        expect(await answers(method, path.replace('{id}', encodeURI(id).replaceAll('%25', '%')), body), `${method} ${path} ${id}`).toEqual(
          foreign,
        );
    }
    // Nothing of it had an effect.
    expect(must(await world.api('GET', `/v1/meetings/${meeting.id}`), 200).json).toMatchObject({ state: 'awaiting_purchase' });
    expect(must(await world.api('GET', `/v1/connections/${connection}`), 200).json).toMatchObject({ status: 'active' });
    for (const list of ['meetings', 'connections', 'webhook-endpoints', 'events'])
      expect(must(await stranger.api('GET', `/v1/${list}`), 200).json).toEqual({ data: [], next_cursor: null });
  });
});

describe('limits', () => {
  it('case 120: every answer tells what is left, and 429 when it is too much and when to come again', async () => {
    const world = await testWorld();
    const left = (answer: Answer) => Number(/r=(\d+)/.exec(answer.headers.get('ratelimit') ?? '')?.[1]);
    const first = await world.api('GET', '/v1/connections');
    const second = await world.api('GET', '/v1/connections/con_0');
    expect(first.headers.get('ratelimit-policy')).toBe('"key";q=6000;w=60');
    expect(second.status).toBe(404);
    expect(left(second)).toBe(left(first) - 1);

    // The same program without its socket: 6,000 requests have to fit into a test.
    const { gateway } = world.gateway;
    const app = createApp(gateway, () => Promise.resolve(), createLive(gateway));
    const ask = (): Response | Promise<Response> => app.request('/v1/providers', { headers: { authorization: `Bearer ${world.apiKey}` } });
    let last = await ask();
    for (let done = 1; done <= 6_000; done += 1) last = await ask();
    expect(last.status).toBe(429);
    expect(await last.json()).toMatchObject({ code: 'rate_limited', status: 429 });
    expect(Number(last.headers.get('retry-after'))).toBe(60);
    expect(last.headers.get('ratelimit')).toBe('"key";r=0;t=60');

    const other = await otherMarketplace(world);
    expect((await app.request('/v1/providers', { headers: { authorization: `Bearer ${other.apiKey}` } })).status).toBe(200);
    world.jump(60_000);
    expect((await ask()).status).toBe(200);
  }, 60_000);
});

describe('lists', () => {
  it('come in pages, each thing once', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) {
      world.jump(1);
      ids.unshift((await createMeeting(world, { booking: { id: `bk_${count}`, kind: 'one_to_one', title: 'x' } })).id);
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Answer = must(await world.api('GET', `/v1/meetings?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`), 200);
      const data = page.json['data'] as { id: string }[];
      expect(data.length).toBeLessThanOrEqual(2);
      seen.push(...data.map(({ id }) => id));
      cursor = page.json['next_cursor'] as string | null;
    } while (cursor !== null);
    expect(seen).toEqual(ids);
    const one = must(await world.api('GET', '/v1/meetings?booking_id=bk_3&professional_id=pro_1&state=awaiting_purchase'), 200);
    expect(one.json).toMatchObject({ data: [{ booking: { id: 'bk_3' } }], next_cursor: null });
    expect(must(await world.api('GET', '/v1/meetings?state=live'), 200).json['data']).toEqual([]);
  });

  it('of connections come in pages, too', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    await connect(world, 'google-meet');
    const first = must(await world.api('GET', '/v1/connections?limit=1&professional_id=pro_1'), 200).json;
    const second = must(await world.api('GET', `/v1/connections?limit=1&cursor=${String(first['next_cursor'])}`), 200).json;
    expect(second['next_cursor']).toBeNull();
    const providers = [first, second].flatMap(({ data }) => data as { provider: string }[]).map(({ provider }) => provider);
    expect(providers.toSorted()).toEqual(['google-meet', 'zoom']);
  });
});

describeOnBothDatabases('Idempotency-Key', (_open, engine) => {
  const started = async (): Promise<World> => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    return world;
  };
  const KEY = { 'idempotency-key': 'key-1' };

  it('gives the same answer again, and says so', async () => {
    const world = await started();
    const body = meetingBody(world);
    const first = must(await world.api('POST', '/v1/meetings', body, KEY), 201);
    const second = must(await world.api('POST', '/v1/meetings', body, KEY), 201);
    expect(second.text).toBe(first.text);
    expect([first.headers.get('idempotency-replayed'), second.headers.get('idempotency-replayed')]).toEqual([null, 'true']);
    expect(second.headers.get('content-type')).toMatch(/^application\/json/);
    world.jump(24 * 3_600_000);
    expect((await world.api('POST', '/v1/meetings', body, KEY)).text).toBe(first.text);
    expect(await vendorMeetings(world, 'zoom')).toHaveLength(1);
  });

  it('case 67: 422 for another body or address under the same key', async () => {
    const world = await started();
    must(await world.api('POST', '/v1/meetings', meetingBody(world), KEY), 201);
    const other = await world.api('POST', '/v1/meetings', meetingBody(world, { duration_minutes: 31 }), KEY);
    expect(other).toMatchObject({ status: 422, json: { code: 'idempotency_key_reused' } });
    const elsewhere = await world.api('POST', '/v1/connect-sessions', meetingBody(world), KEY);
    expect(elsewhere).toMatchObject({ status: 422, json: { code: 'idempotency_key_reused' } });
  });

  it('belongs to one marketplace', async () => {
    const world = await started();
    const other = await otherMarketplace(world);
    const body = { professional_id: 'pro_1' };
    const mine = must(await world.api('POST', '/v1/connect-sessions', body, KEY), 201);
    const theirs = must(await other.api('POST', '/v1/connect-sessions', body, KEY), 201);
    expect(theirs.json['id']).not.toBe(mine.json['id']);
  });

  it('case 67: 409 while the first request is running', async () => {
    const world = await started();
    world.sandbox.sandbox.traffic.addFault({
      vendor: 'zoom',
      match: { method: 'POST', path: '/meetings$' },
      answer: { delay_ms: 1_500 },
    });
    const body = meetingBody(world);
    const first = world.api('POST', '/v1/meetings', body, KEY);
    await eventually('the vendor has the request', () => calls(world, 'zoom', 'POST', /\/meetings$/).length > 0);
    const second = await world.api('POST', '/v1/meetings', body, KEY);
    expect(second).toMatchObject({ status: 409, json: { code: 'idempotency_key_in_use' } });
    must(await first, 201);
    expect((await world.api('POST', '/v1/meetings', body, KEY)).headers.get('idempotency-replayed')).toBe('true');
  });

  it('20 equal requests at once make one meeting, here and at the vendor', async () => {
    const world = await started();
    const body = meetingBody(world);
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.api('POST', '/v1/meetings', body, KEY)));
    const made = answers.filter(({ status }) => status === 201);
    expect(made.length).toBeGreaterThan(0);
    expect(new Set(made.map(({ json }) => json['id'])).size).toBe(1);
    for (const { status, json } of answers.filter(({ status }) => status !== 201))
      expect({ status, code: json['code'] }).toEqual({ status: 409, code: 'idempotency_key_in_use' });
    expect(await vendorMeetings(world, 'zoom')).toHaveLength(1);
    expect(calls(world, 'zoom', 'POST', /\/meetings$/)).toHaveLength(1);
  });

  it('20 equal requests at once without a key make one meeting, too', async () => {
    const world = await started();
    const body = meetingBody(world);
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.api('POST', '/v1/meetings', body)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, ...Array.from({ length: 19 }, () => 409)]);
    const made = answers.find(({ status }) => status === 201)!;
    for (const { json } of answers.filter(({ status }) => status === 409))
      expect(json).toMatchObject({ code: 'meeting_exists', meeting_id: made.json['id'] });
    expect(await vendorMeetings(world, 'zoom')).toHaveLength(1);
  });

  it('case 67: a repeat after the process died takes the key over and gets the same meeting', async () => {
    const world = await started();
    const body = meetingBody(world);
    const first = must(await world.api('POST', '/v1/meetings', body, KEY), 201);
    // As a process that died after the vendor's answer leaves it: the meeting is there, the answer was never written.
    const { db } = world.gateway.gateway;
    await db.write((tx) => tx.update(tx.t.idempotencyKeys).set({ status: null, bodySealed: null }));
    expect(await world.api('POST', '/v1/meetings', body, KEY)).toMatchObject({ status: 409, json: { code: 'idempotency_key_in_use' } });
    world.jump(2 * 60_000 + 1);
    const repeat = must(await world.api('POST', '/v1/meetings', body, KEY), 201);
    expect(repeat.json['id']).toBe(first.json['id']);
    expect(await vendorMeetings(world, 'zoom')).toHaveLength(1);
    // Under another key it is somebody else's booking.
    expect(await world.api('POST', '/v1/meetings', body, { 'idempotency-key': 'key-2' })).toMatchObject({
      status: 409,
      json: { code: 'meeting_exists' },
    });
  });

  it('is free again after a refusal, whose cause may go away', async () => {
    const world = await started();
    const body = meetingBody(world, { professional_id: 'pro_2' });
    expect(await world.api('POST', '/v1/meetings', body, KEY)).toMatchObject({ status: 422, json: { code: 'not_connected' } });
    await connect(world, 'zoom', { professionalId: 'pro_2' });
    must(await world.api('POST', '/v1/meetings', body, KEY), 201);
  });
});

describe('an Idempotency-Key', () => {
  it.each([
    ['an empty one', ''],
    ['one with a space', 'a b'],
    ['one outside of ASCII', 'ü'],
    ['one of 256 characters', 'x'.repeat(256)],
  ])('400 for %s', async (_what, key) => {
    const answer = await world.api('POST', '/v1/connect-sessions', { professional_id: 'p' }, { 'idempotency-key': encodeHeader(key) });
    expect(answer).toMatchObject({ status: 400, json: { code: 'malformed' } });
  });
});

/** Header values are bytes: what a client in another language would send. */
const encodeHeader = (value: string): string => Buffer.from(value, 'utf8').toString('latin1');

describe('the server', () => {
  it('case 124: answers a request line it cannot read without words about itself', async () => {
    const port = Number(new URL(world.publicUrl).port);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connectSocket(port, '127.0.0.1', () => socket.write('NONSENSE\r\n\r\n'));
      socket.on('data', (data) => resolve(String(data)));
      socket.on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
    expect(answer).not.toMatch(/node|hono/i);
  });
});
