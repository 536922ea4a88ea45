import { createRemoteJWKSet, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE, plus } from '../../sandbox/clock.ts';
import { MICROSOFT, START, connect, consent, receiver, running, token } from './support.ts';
import type { Body, Received } from './support.ts';

const SCOPES = 'openid profile email offline_access User.Read Calendars.ReadWrite OnlineMeetings.ReadWrite OnlineMeetingRecording.Read.All';
const ADA = { user: 'ada@microsoft.sandbox.example', scopes: SCOPES };
const BEN = { user: 'ben@outlook.sandbox.example', scopes: SCOPES.replace(' OnlineMeetingRecording.Read.All', '') };
const ADA_ID = '976f4b31-fd01-4e0b-9178-29cc40c14438';

const echo = ({ query }: Received): Response =>
  new Response(query.get('validationToken') ?? null, { status: query.has('validationToken') ? 200 : 202 });
const event = (transactionId: string): object => ({
  subject: 'Story',
  start: { dateTime: '2026-12-01T13:00:00', timeZone: 'Europe/Berlin' },
  end: { dateTime: '2026-12-01T13:50:00', timeZone: 'Europe/Berlin' },
  isOnlineMeeting: true,
  onlineMeetingProvider: 'teamsForBusiness',
  transactionId,
});
const subscription = (url: string, lifeMs = 48 * HOUR): Record<string, unknown> => ({
  changeType: 'created',
  notificationUrl: `${url}/notify`,
  lifecycleNotificationUrl: `${url}/lifecycle`,
  resource: `users/${ADA_ID}/onlineMeetings/getAllRecordings`,
  expirationDateTime: plus(START, lifeMs).toISOString(),
  clientState: 'shared secret',
});

describe('Microsoft in the sandbox', () => {
  test('tells the story from consent to the download of the recording', async () => {
    const { url, call } = await running();
    const gateway = await receiver(echo);
    const { access, idToken, scope } = await connect(url, MICROSOFT, ADA);
    expect(scope).not.toContain('offline_access');
    const keys = createRemoteJWKSet(new URL('/common/discovery/v2.0/keys', url));
    const { payload } = await jwtVerify(idToken, keys, { currentDate: START, audience: 'sandbox-client' });
    expect(payload).toMatchObject({ iss: `${url}/${String(payload['tid'])}/v2.0`, oid: ADA_ID, preferred_username: ADA.user });

    expect((await call('GET', '/v1.0/me/licenseDetails/getTeamsLicensingDetails', { token: access })).body).toMatchObject({
      hasTeamsLicense: true,
    });
    const subscribed = await call('POST', '/v1.0/subscriptions', { token: access, body: subscription(gateway.url) });
    expect(subscribed.status).toBe(201);
    expect(gateway.received.map(({ path, headers }) => [path, headers.get('content-type')])).toEqual([
      ['/notify', 'text/plain; charset=utf-8'],
      ['/lifecycle', 'text/plain; charset=utf-8'],
    ]);

    const made = await call('POST', '/v1.0/me/events', { token: access, body: event('key-1') });
    const again = await call('POST', '/v1.0/me/events', { token: access, body: event('key-1') });
    expect([made.status, again.status, again.body['id']]).toEqual([201, 201, made.body['id']]);
    expect(made.body).toMatchObject({ isOnlineMeeting: true, start: { dateTime: '2026-12-01T12:00:00.0000000', timeZone: 'UTC' } });
    const { joinUrl } = made.body['onlineMeeting'] as unknown as { joinUrl: string };
    expect(joinUrl).toMatch(/^https:\/\/teams\.microsoft\.com\/l\/meetup-join\/19%3ameeting_\w+%40thread\.v2\/0\?context=%7b%22Tid%22/);

    const filter = `$filter=${encodeURIComponent(`JoinWebUrl eq '${encodeURIComponent(joinUrl)}'`)}`;
    const found = await call('GET', `/v1.0/me/onlineMeetings?${filter}`, { token: access });
    const [meeting] = found.body['value'] as unknown as Body[];
    const id = meeting?.['id'] as string;
    const patched = await call('PATCH', `/v1.0/me/onlineMeetings/${id}`, {
      token: access,
      body: { recordAutomatically: true, lobbyBypassSettings: { scope: 'everyone' } },
    });
    expect(patched).toMatchObject({ status: 200, body: { recordAutomatically: true, joinWebUrl: joinUrl } });

    await call('POST', `/control/meetings/microsoft-teams/${encodeURIComponent(joinUrl)}/start`);
    await call('POST', `/control/meetings/microsoft-teams/${id}/join`, { body: { name: 'Guest' } });
    await call('POST', `/control/meetings/microsoft-teams/${id}/end`);
    expect(gateway.received).toHaveLength(2);
    const finished = await call('POST', `/control/meetings/microsoft-teams/${id}/finish-recording`);
    const [notification] = (JSON.parse(gateway.received[2]?.text ?? '') as { value: Body[] }).value;
    expect(notification).toMatchObject({
      subscriptionId: subscribed.body['id'],
      clientState: 'shared secret',
      changeType: 'created',
      resource: `communications/onlineMeetings('${id}')/recordings('${finished.body['recording']}')`,
    });

    const recordings = await call('GET', `/v1.0/me/onlineMeetings('${id}')/recordings`, { token: access });
    expect(recordings.body['value']).toMatchObject([{ id: finished.body['recording'], meetingId: id }]);
    const content = await fetch(`${url}/v1.0/users/${ADA_ID}/onlineMeetings/${id}/recordings/${finished.body['recording']}/content`, {
      headers: { authorization: `Bearer ${access}`, range: 'bytes=0-3' },
    });
    expect([content.status, content.headers.get('content-type')]).toEqual([200, 'video/mp4']);
    expect((await content.arrayBuffer()).byteLength).toBeGreaterThan(100_000);
  });

  test('keeps an old refresh token alive and answers AADSTS65001 once the consent is gone', async () => {
    const { url, sandbox } = await running();
    const { refresh } = await connect(url, MICROSOFT, ADA);
    const form = { grant_type: 'refresh_token', refresh_token: refresh };
    const [first, second] = [await token(url, MICROSOFT.token, form), await token(url, MICROSOFT.token, form)];
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(first.body['refresh_token']).not.toBe(refresh);
    sandbox.removeApp('microsoft-teams', ADA.user);
    const dead = await token(url, MICROSOFT.token, form);
    expect(dead).toMatchObject({ status: 400, body: { error: 'invalid_grant', suberror: 'consent_required', error_codes: [65_001] } });
  });

  test('refuses a subscription whose endpoint does not echo the token, and names why', async () => {
    const { url, call } = await running();
    const { access } = await connect(url, MICROSOFT, ADA);
    for (const answer of [new Response('something else'), new Response(null, { status: 202 })]) {
      const gateway = await receiver(() => answer.clone());
      const refused = await call('POST', '/v1.0/subscriptions', { token: access, body: subscription(gateway.url) });
      expect(refused).toMatchObject({ status: 400, body: { error: { code: 'ValidationError' } } });
    }
    expect((await call('GET', '/v1.0/subscriptions', { token: access })).body['value']).toEqual([]);
  });

  test('holds subscriptions to their rules: three days, a lifecycle address, no doubles', async () => {
    const { url, call } = await running();
    const gateway = await receiver(echo);
    const { access } = await connect(url, MICROSOFT, ADA);
    const create = (body: object) => call('POST', '/v1.0/subscriptions', { token: access, body });
    expect((await create(subscription(gateway.url, 73 * HOUR))).status).toBe(400);
    const { lifecycleNotificationUrl: _, ...without } = subscription(gateway.url);
    expect(await create(without)).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining('lifecycleNotificationUrl') as string } },
    });
    expect((await create(subscription(gateway.url))).status).toBe(201);
    expect((await create(subscription(gateway.url))).status).toBe(409);
  });

  test('asks for reauthorization before the token ends, holds news meanwhile, and delivers them after it', async () => {
    const { url, call, sandbox } = await running();
    const gateway = await receiver(echo);
    const { access, refresh } = await connect(url, MICROSOFT, ADA);
    const { body } = await call('POST', '/v1.0/subscriptions', { token: access, body: subscription(gateway.url) });
    const made = await call('POST', '/v1.0/me/events', { token: access, body: event('key-2') });
    await sandbox.advance(46 * MINUTE);
    expect(JSON.parse(gateway.received[2]?.text ?? '')).toMatchObject({
      value: [{ lifecycleEvent: 'reauthorizationRequired', subscriptionId: body['id'] }],
    });
    await sandbox.advance(HOUR);
    sandbox.happenings['microsoft-teams'].start(made.body['id'] as string);
    sandbox.happenings['microsoft-teams'].finishRecording(made.body['id'] as string, { transcript: false });
    await sandbox.settle();
    expect(gateway.received).toHaveLength(3);
    const fresh = await token(url, MICROSOFT.token, { grant_type: 'refresh_token', refresh_token: refresh });
    const reauthorized = await call('POST', `/v1.0/subscriptions/${body['id']}/reauthorize`, { token: fresh.body['access_token'] ?? '' });
    expect(reauthorized.status).toBe(204);
    await sandbox.settle();
    expect(gateway.received.at(-1)?.path).toBe('/notify');
  });

  test('retries a notification for up to four hours', async () => {
    const { url, call, sandbox } = await running();
    const gateway = await receiver((request) =>
      request.query.has('validationToken') ? echo(request) : new Response(null, { status: 500 }),
    );
    const { access } = await connect(url, MICROSOFT, ADA);
    await call('POST', '/v1.0/subscriptions', { token: access, body: subscription(gateway.url) });
    const made = await call('POST', '/v1.0/me/events', { token: access, body: event('key-3') });
    sandbox.happenings['microsoft-teams'].start(made.body['id'] as string);
    sandbox.happenings['microsoft-teams'].finishRecording(made.body['id'] as string, { transcript: false });
    await sandbox.advance(6 * HOUR);
    const delivery = sandbox.deliveries.list('microsoft-teams').find(({ type }) => type === 'created');
    const ages = delivery?.attempts.map(({ at }) => at.getTime() - START.getTime()) ?? [];
    expect(delivery?.state).toBe('failed');
    expect(ages.slice(0, 4)).toEqual([0, 10_000, 30_000, 70_000]);
    expect(ages.at(-1)).toBeGreaterThan(3 * HOUR);
    expect(ages.at(-1)).toBeLessThanOrEqual(4 * HOUR);
  });

  test('makes no Teams link for a personal account', async () => {
    const { url, call } = await running();
    const { access, idToken } = await connect(url, MICROSOFT, BEN);
    expect(JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString())).toMatchObject({
      tid: '9188040d-6c67-4c5b-b112-36a304b66dad',
    });
    expect((await call('POST', '/v1.0/me/onlineMeetings', { token: access, body: {} })).status).toBe(403);
    const made = await call('POST', '/v1.0/me/events', { token: access, body: event('key-4') });
    expect(made).toMatchObject({ status: 201, body: { isOnlineMeeting: false, onlineMeetingProvider: 'unknown', onlineMeeting: null } });
  });

  test('shows no recordings of a meeting that is not in the calendar', async () => {
    const { url, call } = await running();
    const { access } = await connect(url, MICROSOFT, ADA);
    const body = { externalId: 'key-5', subject: 'Standalone' };
    const made = await call('POST', '/v1.0/me/onlineMeetings/createOrGet', { token: access, body });
    const again = await call('POST', '/v1.0/me/onlineMeetings/createOrGet', { token: access, body });
    expect([made.status, again.status, again.body['id']]).toEqual([201, 200, made.body['id']]);
    await call('POST', `/control/meetings/microsoft-teams/${made.body['id']}/start`);
    expect((await call('POST', `/control/meetings/microsoft-teams/${made.body['id']}/finish-recording`)).body).toMatchObject({
      visible: false,
    });
    expect((await call('GET', `/v1.0/me/onlineMeetings/${made.body['id']}/recordings`, { token: access })).body['value']).toEqual([]);
  });

  test('sends a user of a tenant without admin consent back, until the administrator consents', async () => {
    const { url, sandbox } = await running();
    const tenant = 'aaaaaaaa-0000-4000-8000-000000000001';
    sandbox.addUser('microsoft-teams', { email: 'dora@other.example', admin_consented: false, tenant_id: tenant });
    const dora = { user: 'dora@other.example', scopes: SCOPES };
    expect((await consent(url, MICROSOFT.authorize, dora)).back.searchParams.get('error_description')).toContain('AADSTS90094');
    const granted = await fetch(`${url}/${tenant}/v2.0/adminconsent?client_id=sandbox-client&redirect_uri=http://x.example/cb&state=s`, {
      redirect: 'manual',
    });
    expect(granted.headers.get('location')).toBe(`http://x.example/cb?admin_consent=True&tenant=${tenant}&state=s`);
    expect((await consent(url, MICROSOFT.authorize, dora)).code).not.toBe('');
  });

  test('lets the application itself act for a user by object id', async () => {
    const { url, call } = await running();
    const tenant = '2432b57b-0abd-43db-aa7b-16eadd115d34';
    const form = { grant_type: 'client_credentials', scope: 'https://graph.microsoft.com/.default' };
    const { body } = await token(url, `/${tenant}/oauth2/v2.0/token`, form);
    const made = await call('POST', `/v1.0/users/${ADA_ID}/onlineMeetings`, {
      token: body['access_token'] ?? '',
      body: { subject: 'Hosted' },
    });
    expect(made.status).toBe(201);
    expect(
      (await call('GET', `/v1.0/users/${ADA.user}/onlineMeetings/${made.body['id']}`, { token: body['access_token'] ?? '' })).status,
    ).toBe(404);
  });
});
