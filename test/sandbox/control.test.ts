import { describe, expect, test } from 'vitest';
import { sampleVideo } from '../../sandbox/video.ts';
import { ZOOM, connect, receiver, running } from './support.ts';

const ADA = { user: 'ada@zoom.sandbox.example' };

describe('the control API of the sandbox', () => {
  test('carries a request out and loses the answer', async () => {
    const { url, call } = await running();
    const { access } = await connect(url, ZOOM, ADA);
    const match = { method: 'post', path: '^/v2/users/me/meetings$' };
    await call('POST', '/control/faults', { body: { vendor: 'zoom', match, answer: { drop_connection: 'after' } } });
    const create = () => call('POST', '/v2/users/me/meetings', { token: access, body: { agenda: 'tag' } });
    await expect(create()).rejects.toThrow('fetch failed');
    const listed = await call('GET', '/v2/users/me/meetings', { token: access });
    expect(listed.body).toMatchObject({ total_records: 1, meetings: [{ agenda: 'tag' }] });
    expect((await create()).status).toBe(201);
  });

  test('drops a connection before anything happens', async () => {
    const { url, call } = await running();
    const { access } = await connect(url, ZOOM, ADA);
    await call('POST', '/control/faults', {
      body: JSON.parse('{"match": {"path": "meetings"}, "then": {"drop_connection": "before"}}') as object,
    });
    await expect(call('POST', '/v2/users/me/meetings', { token: access, body: {} })).rejects.toThrow('fetch failed');
    expect((await call('GET', '/v2/users/me/meetings', { token: access })).body).toMatchObject({ total_records: 0 });
  });

  test('answers with a scripted status, headers and nonsense as often as asked', async () => {
    const { url, call } = await running();
    const { access } = await connect(url, ZOOM, ADA);
    const answer = { status: 429, headers: { 'retry-after': '7' }, body: '<html>' };
    await call('POST', '/control/faults', { body: { match: { path: '/v2/users/me$' }, times: 2, answer } });
    const answers = [];
    for (let count = 0; count < 3; count += 1) answers.push(await call('GET', '/v2/users/me', { token: access }));
    expect(answers.map(({ status }) => status)).toEqual([429, 429, 200]);
    expect([answers[0]?.body, answers[0]?.headers.get('retry-after')]).toEqual(['<html>', '7']);
  });

  test('logs every call with its status and without its secrets', async () => {
    const { url, call } = await running();
    const { access } = await connect(url, ZOOM, ADA);
    await call('GET', '/v2/meetings/1?secret=x', { token: access });
    const log = await call('GET', '/control/requests?vendor=zoom');
    expect(log.body['requests']).toMatchObject([
      { path: '/oauth/authorize' },
      { path: '/oauth/token' },
      { method: 'GET', path: '/v2/meetings/1', status: 404 },
    ]);
    expect(JSON.stringify(log.body)).not.toContain(access);
    expect(JSON.stringify(log.body)).not.toContain('secret');
  });

  test('forgets everything on reset', async () => {
    const { url, call, sandbox } = await running();
    const { access } = await connect(url, ZOOM, ADA);
    await call('POST', '/v2/users/me/meetings', { token: access, body: {} });
    await call('POST', '/control/users', { body: { vendor: 'zoom', email: 'new@zoom.sandbox.example' } });
    await call('POST', '/control/clock', { body: { advance_ms: 1_000 } });
    await call('POST', '/control/reset');
    expect((await call('GET', '/v2/users/me', { token: access })).status).toBe(401);
    expect(sandbox.users('zoom')).toHaveLength(3);
    expect((await call('GET', '/control/state')).body).toMatchObject({
      now: '2026-12-01T10:00:00.000Z',
      vendors: { zoom: { meetings: [] } },
    });
  });

  test('refuses what it does not understand', async () => {
    const { call } = await running();
    expect((await call('POST', '/control/meetings/zoom/12345678901/start')).status).toBe(404);
    expect((await call('POST', '/control/meetings/webex/1/start')).status).toBe(400);
    expect((await call('POST', '/control/users', { body: { vendor: 'zoom' } })).status).toBe(400);
    expect((await call('POST', '/control/faults', { body: '{' })).status).toBe(400);
  });

  test('lets a timer send what is due', async () => {
    const ticks: (() => void)[] = [];
    let arrived = (): void => {};
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const gateway = await receiver(() => {
      arrived();
      return new Response(null, { status: 200 });
    });
    const { url, call } = await running({
      zoom: { webhook: { url: gateway.url, secret: 's' } },
      schedule: (run) => {
        ticks.push(run);
        return () => ticks.pop();
      },
    });
    const { access } = await connect(url, ZOOM, ADA);
    await call('POST', '/v2/users/me/meetings', { token: access, body: {} });
    expect(gateway.received).toHaveLength(0);
    for (const tick of ticks) tick();
    await arrival;
    expect(gateway.received).toHaveLength(1);
  });

  test('serves a video of some hundred kB that is an MP4 in its boxes', () => {
    const bytes = Buffer.from(sampleVideo());
    const boxes: [string, number][] = [];
    for (let at = 0; at < bytes.length; at += bytes.readUInt32BE(at))
      boxes.push([bytes.toString('latin1', at + 4, at + 8), bytes.readUInt32BE(at)]);
    expect(boxes.map(([type]) => type)).toEqual(['ftyp', 'moov', 'mdat']);
    expect(boxes.reduce((sum, [, size]) => sum + size, 0)).toBe(bytes.length);
    expect(bytes.length).toBeGreaterThan(200_000);
    const offset = bytes.indexOf('stco') + 12;
    expect(bytes.readUInt32BE(offset)).toBe((boxes[0]?.[1] ?? 0) + (boxes[1]?.[1] ?? 0) + 8);
  });
});
