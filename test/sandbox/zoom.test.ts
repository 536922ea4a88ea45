import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { DAY, MINUTE } from '../../sandbox/clock.ts';
import { loadContract } from '../contracts/contract.ts';
import { REDIRECT, ZOOM, connect, consent, receiver, running, token } from './support.ts';
import type { Body, Received } from './support.ts';

const SECRET = 'zoom-secret';
const ADA = { user: 'ada@zoom.sandbox.example' };
const BEN = { user: 'ben@zoom.sandbox.example' };

/** Zoom's own recipe, written again. */
const signed = ({ headers, text }: Received): boolean =>
  headers.get('x-zm-signature') ===
  `v0=${createHmac('sha256', SECRET)
    .update(`v0:${headers.get('x-zm-request-timestamp')}:${text}`)
    .digest('hex')}`;
const answerChallenge = ({ text }: Received): Response => {
  const { plainToken } = (JSON.parse(text) as { payload: { plainToken: string } }).payload;
  return Response.json({ plainToken, encryptedToken: createHmac('sha256', SECRET).update(plainToken).digest('hex') });
};
const eventsOf = (received: readonly Received[]): { event: string; payload: { object: Body }; download_token?: string }[] =>
  received.map(({ text }) => JSON.parse(text) as never);
const future = '2026-12-01T12:00:00Z';

describe('Zoom in the sandbox', () => {
  test('tells the story from consent to the download of the recording', async () => {
    const { url, call } = await running();
    const gateway = await receiver((request) =>
      request.text.includes('url_validation') ? answerChallenge(request) : new Response(null, { status: 200 }),
    );
    const set = await call('POST', '/control/webhooks', { body: { zoom: { url: `${gateway.url}/webhooks/zoom`, secret: SECRET } } });
    expect(set.body).toMatchObject({ zoom: `${gateway.url}/webhooks/zoom`, validation: { validated: true } });

    const { access } = await connect(url, ZOOM, ADA);
    const body = { topic: 'Story', type: 2, start_time: future, duration: 50, settings: { auto_recording: 'cloud' } };
    const created = await call('POST', '/v2/users/me/meetings', { token: access, body });
    expect(created.status).toBe(201);
    expect(created.body['join_url']).toMatch(/^https:\/\/us05web\.zoom\.us\/j\/\d{11}\?pwd=./);
    expect(created.body).toMatchObject({ start_time: future, duration: 50, settings: { auto_recording: 'cloud' } });
    const id = created.body['id'] as unknown as number;
    expect(Number.isInteger(id) && String(id).length === 11).toBe(true);

    await call('POST', `/control/meetings/zoom/${id}/start`);
    await call('POST', `/control/meetings/zoom/${id}/join`, { body: { name: 'Guest' } });
    await call('POST', '/control/clock', { body: { advance_ms: 10 * MINUTE } });
    await call('POST', `/control/meetings/zoom/${id}/end`, { body: { reason: 'limit' } });
    await call('POST', `/control/meetings/zoom/${id}/finish-recording`);

    const received = gateway.received.slice(1);
    expect(received.every(signed)).toBe(true);
    const events = eventsOf(received);
    const published = loadContract('zoom');
    // Two things are reported of the real service against its own description: addresses of guests, and bare CC files.
    const deviations = events.flatMap((one) => published.checkAnswer(published.webhooks[one.event] ?? {}, one));
    expect(deviations.filter((one) => !/"public_ip"|recording_files\/2: must have required/.test(one))).toEqual([]);
    expect(events.every(({ event }) => event in published.webhooks)).toBe(true);
    expect(events.map(({ event }) => event)).toEqual([
      'meeting.created',
      'meeting.started',
      'recording.started',
      'meeting.participant_joined',
      'meeting.participant_left',
      'recording.stopped',
      'meeting.ended',
      'recording.completed',
    ]);
    expect(events[1]?.payload.object['id']).toBe(String(id));
    expect(events[7]?.payload.object['id']).toBe(id);
    expect(events[4]?.payload.object).toMatchObject({
      participant: { leave_reason: 'Guest left the meeting.<br>Reason: Exceeded free meeting minutes limit.', email: '' },
    });
    expect(events[6]?.payload.object).toMatchObject({ start_time: '2026-12-01T10:00:00Z', end_time: '2026-12-01T10:10:00Z', duration: 50 });

    const listed = await call('GET', `/v2/meetings/${id}/recordings?include_fields=download_access_token&ttl=60`, { token: access });
    const files = listed.body['recording_files'] as unknown as {
      file_type: string;
      download_url: string;
      file_size: number;
      id?: string;
    }[];
    const video = files.find(({ file_type }) => file_type === 'MP4');
    expect(files.find(({ file_type }) => file_type === 'CC')).not.toHaveProperty('id');
    for (const bearer of [access, listed.body['download_access_token'] as string, events[7]?.download_token]) {
      const answer = await fetch(video?.download_url ?? '', { headers: { authorization: `Bearer ${bearer}` } });
      expect(answer.status).toBe(200);
      expect((await answer.arrayBuffer()).byteLength).toBe(video?.file_size);
    }
    const part = await fetch(video?.download_url ?? '', { headers: { authorization: `Bearer ${access}`, range: 'bytes=4-7' } });
    expect([part.status, await part.text(), part.headers.get('content-range')]).toEqual([206, 'ftyp', `bytes 4-7/${video?.file_size}`]);
    expect((await fetch(video?.download_url ?? '')).status).toBe(401);
    await call('POST', '/control/clock', { body: { advance_ms: 2 * MINUTE } });
    const late = await fetch(video?.download_url ?? '', { headers: { authorization: `Bearer ${listed.body['download_access_token']}` } });
    expect(late.status).toBe(401);
  });

  test('accepts a refresh token once, and revokes both tokens', async () => {
    const { url, call } = await running();
    const { access, refresh } = await connect(url, ZOOM, ADA);
    const first = await token(url, ZOOM.token, { grant_type: 'refresh_token', refresh_token: refresh });
    const second = await token(url, ZOOM.token, { grant_type: 'refresh_token', refresh_token: refresh });
    expect(first.body['refresh_token']).not.toBe(refresh);
    expect(second).toEqual({ status: 400, body: { reason: 'Invalid Token!', error: 'invalid_grant' } });
    expect(await token(url, '/oauth/revoke', { token: access })).toEqual({ status: 200, body: { status: 'success' } });
    expect((await call('GET', '/v2/users/me', { token: first.body['access_token'] ?? '' })).body).toMatchObject({ code: 124 });
  });

  test('gives a code out once, for five minutes, and for its own verifier and redirect address only', async () => {
    const { url, sandbox } = await running();
    const exchange = async (change: Record<string, string>, consented = consent(url, ZOOM.authorize, ADA)) => {
      const { code, verifier } = await consented;
      return token(url, ZOOM.token, { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT, ...change });
    };
    expect(await exchange({ code_verifier: 'another-verifier' })).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect(await exchange({ redirect_uri: `${REDIRECT}/` })).toMatchObject({ status: 400, body: { reason: 'Redirect URI mismatch' } });
    const consented = consent(url, ZOOM.authorize, ADA);
    expect((await exchange({}, consented)).status).toBe(200);
    expect((await exchange({}, consented)).status).toBe(400);
    const late = await consent(url, ZOOM.authorize, ADA);
    await sandbox.advance(5 * MINUTE);
    expect(await exchange({}, Promise.resolve(late))).toMatchObject({ body: { reason: 'Authorization code expired' } });
  });

  test('sends a denial back with the state', async () => {
    const { url } = await running();
    const { back, status } = await consent(url, ZOOM.authorize, { ...ADA, decision: 'deny' });
    expect(status).toBe(302);
    expect(Object.fromEntries(back.searchParams)).toEqual({ error: 'access_denied', state: 'st&te' });
  });

  test('drops what a Basic user may not have, and turns a past start into now, without a word', async () => {
    const { url, call } = await running();
    const { access } = await connect(url, ZOOM, BEN);
    expect((await call('GET', '/v2/users/me', { token: access })).body).toMatchObject({ type: 1, email: BEN.user });
    const body = { start_time: '2020-01-01T00:00:00Z', settings: { auto_recording: 'cloud' } };
    const created = await call('POST', '/v2/users/me/meetings', { token: access, body });
    expect(created.body).toMatchObject({ start_time: '2026-12-01T10:00:00Z', settings: { auto_recording: 'none' } });
    expect((await call('POST', `/control/meetings/zoom/${created.body['id']}/finish-recording`)).status).toBe(409);
  });

  test('allows a host 100 creates and updates a day', async () => {
    const { url, call, sandbox } = await running();
    const { access } = await connect(url, ZOOM, ADA);
    const create = () => call('POST', '/v2/users/me/meetings', { token: access, body: { start_time: future } });
    const { body } = await create();
    const patches = await Promise.all(
      Array.from({ length: 99 }, () => call('PATCH', `/v2/meetings/${body['id']}`, { token: access, body: { topic: 'again' } })),
    );
    expect(new Set(patches.map(({ status }) => status))).toEqual(new Set([204]));
    const refused = await create();
    expect(refused).toMatchObject({ status: 429, body: { code: 429, message: expect.stringContaining('GMT 00:00:00') as string } });
    expect(refused.headers.get('retry-after')).toBeNull();
    await sandbox.advance(14 * 60 * MINUTE);
    const again = await token(url, ZOOM.token, { grant_type: 'account_credentials', account_id: 'sandbox-account' });
    expect(again.body).not.toHaveProperty('refresh_token');
    const fresh = await connect(url, ZOOM, ADA);
    expect((await call('POST', '/v2/users/me/meetings', { token: fresh.access, body: { start_time: future } })).status).toBe(201);
  });

  test('asks for uuids that start with a slash to be encoded twice', async () => {
    const { url, call, sandbox } = await running();
    const { access } = await connect(url, ZOOM, ADA);
    const { body } = await call('POST', '/v2/users/me/meetings', { token: access, body: { start_time: future } });
    const uuids: string[] = [];
    for (let run = 0; run < 4; run += 1) {
      await call('POST', `/control/meetings/zoom/${body['id']}/start`);
      await call('POST', `/control/meetings/zoom/${body['id']}/end`);
      uuids.push((await call('POST', `/control/meetings/zoom/${body['id']}/finish-recording`)).body['uuid'] as string);
    }
    const tricky = uuids.find((uuid) => uuid.startsWith('/')) ?? '';
    const once = encodeURIComponent(tricky);
    expect((await call('GET', `/v2/meetings/${once}/recordings`, { token: access })).body).toMatchObject({ code: 3001 });
    expect((await call('GET', `/v2/meetings/${encodeURIComponent(once)}/recordings`, { token: access })).body['uuid']).toBe(tricky);
    expect((await call('GET', `/v2/meetings/${body['id']}/recordings`, { token: access })).body['uuid']).toBe(uuids.at(-1));
    expect(sandbox.users('zoom')).toHaveLength(3);
  });

  test('retries a failed webhook after 5, 25 and 85 minutes, each time signed for its moment, and then gives up', async () => {
    const gateway = await receiver(() => new Response('down', { status: 503 }));
    const { url, call, sandbox } = await running({ zoom: { webhook: { url: gateway.url, secret: SECRET } } });
    const { access } = await connect(url, ZOOM, ADA);
    await call('POST', '/v2/users/me/meetings', { token: access, body: { start_time: future } });
    await sandbox.settle();
    await sandbox.advance(5 * MINUTE - 1);
    expect(gateway.received).toHaveLength(1);
    await sandbox.advance(10 * 60 * MINUTE);
    const [delivery] = sandbox.deliveries.list('zoom');
    expect(delivery?.attempts.map(({ at }) => (at.getTime() - (delivery?.createdAt.getTime() ?? 0)) / MINUTE)).toEqual([0, 5, 25, 85]);
    expect(delivery).toMatchObject({ type: 'meeting.created', state: 'failed' });
    expect(new Set(gateway.received.map(({ headers }) => headers.get('x-zm-signature'))).size).toBe(4);
    expect(new Set(gateway.received.map(({ headers }) => headers.get('x-zm-request-id'))).size).toBe(1);
    expect(new Set(gateway.received.map(({ headers }) => headers.get('x-zm-trackingid'))).size).toBe(4);
  });

  test('never retries after a 4xx', async () => {
    const gateway = await receiver(() => new Response(null, { status: 401 }));
    const { url, call, sandbox } = await running({ zoom: { webhook: { url: gateway.url, secret: SECRET } } });
    const { access } = await connect(url, ZOOM, ADA);
    await call('POST', '/v2/users/me/meetings', { token: access, body: { start_time: future } });
    await sandbox.advance(10 * 60 * MINUTE);
    expect(gateway.received).toHaveLength(1);
    expect(sandbox.deliveries.list('zoom')).toMatchObject([{ state: 'failed', nextAttemptAt: null }]);
  });

  test('sends a delivery again: as it was, with a broken proof, or a day old', async () => {
    const gateway = await receiver(() => new Response(null, { status: 204 }));
    const { url, call, sandbox } = await running({ zoom: { webhook: { url: gateway.url, secret: SECRET } } });
    const { access } = await connect(url, ZOOM, ADA);
    await call('POST', '/v2/users/me/meetings', { token: access, body: { start_time: future } });
    await sandbox.settle();
    const id = sandbox.deliveries.list('zoom')[0]?.id;
    for (const body of [{}, { tamper: true }, { tamper: 'stale' }]) await call('POST', `/control/deliveries/${id}/resend`, { body });
    const [first, same, broken, stale] = gateway.received;
    expect(same?.text).toBe(first?.text);
    expect([first, same, broken, stale].map((one) => one && signed(one))).toEqual([true, true, false, true]);
    expect(Number(first?.headers.get('x-zm-request-timestamp')) - Number(stale?.headers.get('x-zm-request-timestamp'))).toBe(86_400);
  });

  test('cuts a Basic host off after 40 minutes where limits are asked for, as of that moment, and nobody else', async () => {
    const gateway = await receiver(() => new Response(null, { status: 204 }));
    const { url, call, sandbox } = await running({ zoom: { webhook: { url: gateway.url, secret: SECRET } } });
    const started = async (user: typeof BEN, limits: boolean): Promise<void> => {
      const { access } = await connect(url, ZOOM, user);
      const { body } = await call('POST', '/v2/users/me/meetings', { token: access, body: { start_time: future } });
      await call('POST', `/control/meetings/zoom/${body['id']}/start`, { body: { limits } });
      await call('POST', `/control/meetings/zoom/${body['id']}/join`, { body: { name: 'Guest' } });
    };
    const ends = (): object[] => eventsOf(gateway.received).filter(({ event }) => event === 'meeting.ended');
    await started(ADA, true);
    await started(BEN, true);
    await sandbox.advance(40 * MINUTE - 1);
    expect(ends()).toEqual([]);
    await sandbox.advance(DAY);
    expect(ends()).toMatchObject([{ payload: { object: { host_id: 'benBasicUser1234567890', end_time: '2026-12-01T10:40:00Z' } } }]);
    expect(gateway.received.at(-2)?.text).toContain('Exceeded free meeting minutes limit.');
  });

  test('lets a meeting run on where no limits are asked for', async () => {
    const gateway = await receiver(() => new Response(null, { status: 204 }));
    const { url, call, sandbox } = await running({ zoom: { webhook: { url: gateway.url, secret: SECRET } } });
    const { access } = await connect(url, ZOOM, BEN);
    const { body } = await call('POST', '/v2/users/me/meetings', { token: access, body: { start_time: future } });
    await call('POST', `/control/meetings/zoom/${body['id']}/start`);
    await sandbox.advance(DAY);
    expect(eventsOf(gateway.received).map(({ event }) => event)).not.toContain('meeting.ended');
  });

  test('does not save a webhook address that fails the challenge', async () => {
    const gateway = await receiver(() => Response.json({ plainToken: 'x', encryptedToken: 'y' }));
    const { call } = await running();
    const set = await call('POST', '/control/webhooks', { body: { zoom: { url: gateway.url, secret: SECRET } } });
    expect(set.body).toMatchObject({ zoom: null, validation: { validated: false, status: 200 } });
  });

  test('announces the removal of the app and ends the tokens', async () => {
    const gateway = await receiver(() => new Response(null, { status: 200 }));
    const { url, call } = await running({ zoom: { webhook: { url: gateway.url, secret: SECRET } } });
    const { access } = await connect(url, ZOOM, ADA);
    await call('POST', '/control/remove-app', { body: { vendor: 'zoom', user: ADA.user } });
    expect(JSON.parse(gateway.received[0]?.text ?? '')).toMatchObject({
      event: 'app_deauthorized',
      payload: { account_id: 'adaAccountSandbox12345' },
    });
    expect((await call('GET', '/v2/users/me', { token: access })).status).toBe(401);
  });
});
