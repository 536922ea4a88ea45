import { createRemoteJWKSet, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { DAY, HOUR, SECOND } from '../../sandbox/clock.ts';
import { GOOGLE, REDIRECT, START, connect, consent, receiver, running, token } from './support.ts';
import type { Body, Received } from './support.ts';

const AUTH = 'https://www.googleapis.com/auth/';
const MEET = ['meetings.space.created', 'meetings.space.readonly', 'meetings.space.settings'].map((name) => AUTH + name).join(' ');
const SCOPES = `openid email ${MEET} ${AUTH}drive.meet.readonly ${AUTH}calendar.events`;
const ADA = { user: 'ada@google.sandbox.example', scopes: SCOPES };
const BEN = { user: 'ben@gmail.sandbox.example', scopes: SCOPES };
const TYPES = [
  'conference.v2.started',
  'conference.v2.ended',
  'participant.v2.joined',
  'participant.v2.left',
  'recording.v2.fileGenerated',
];

const webhook = (url: string) => ({
  google: {
    webhook: {
      url,
      audience: 'https://gateway.example/push',
      serviceAccount: 'push@p.iam.gserviceaccount.com',
      subscription: 'projects/p/subscriptions/s',
    },
  },
});
const subscription = (user: string, eventTypes = TYPES): object => ({
  targetResource: `//cloudidentity.googleapis.com/users/${user}`,
  eventTypes: eventTypes.map((type) => `google.workspace.meet.${type}`),
  notificationEndpoint: { pubsubTopic: 'projects/p/topics/t' },
  ttl: '0s',
});
const opened = ({ text }: Received): { type: string; data: Body; message: Body } => {
  const { message } = JSON.parse(text) as { message: Body & { attributes: Record<string, string>; data: string } };
  return { type: message.attributes['ce-type'] ?? '', data: JSON.parse(Buffer.from(message.data, 'base64').toString()) as Body, message };
};
const calendarEvent = (id: string): object => ({
  id,
  summary: 'Story',
  start: { dateTime: '2026-12-01T12:00:00Z' },
  end: { dateTime: '2026-12-01T13:00:00Z' },
  conferenceData: { createRequest: { requestId: id, conferenceSolutionKey: { type: 'hangoutsMeet' } } },
});
const EVENTS = '/calendar/v3/calendars/primary/events';

describe('Google in the sandbox', () => {
  test('tells the story from consent to the download of the recording', async () => {
    const gateway = await receiver(() => new Response(null, { status: 204 }));
    const { url, call } = await running(webhook(gateway.url));
    const { access, idToken } = await connect(url, GOOGLE, ADA);
    const keys = createRemoteJWKSet(new URL('/oauth2/v3/certs', url));
    const { payload } = await jwtVerify(idToken, keys, {
      currentDate: START,
      issuer: 'https://accounts.google.com',
      audience: 'sandbox-client',
    });
    expect(payload).toMatchObject({ email: ADA.user, hd: 'google.sandbox.example' });

    const config = { accessType: 'OPEN', artifactConfig: { recordingConfig: { autoRecordingGeneration: 'ON' } } };
    const made = await call('POST', '/v2/spaces', { token: access, body: { config } });
    expect(made.body['meetingUri']).toMatch(/^https:\/\/meet\.google\.com\/[a-z]{3}-[a-z]{4}-[a-z]{3}$/);
    expect((await call('GET', `/v2/spaces/${made.body['meetingCode']}`, { token: access })).body['name']).toBe(made.body['name']);
    const operation = await call('POST', '/v1/subscriptions', { token: access, body: subscription(payload.sub ?? '') });
    expect(operation.body).toMatchObject({ done: true, response: { state: 'ACTIVE', expireTime: '2026-12-08T10:00:00.000Z' } });
    const { name } = operation.body['response'] as unknown as { name: string };

    const id = encodeURIComponent(made.body['name'] as string);
    await call('POST', `/control/meetings/google-meet/${id}/start`);
    await call('POST', `/control/meetings/google-meet/${id}/join`, { body: { name: 'Guest' } });
    const active = await call('GET', `/v2/${made.body['name']}`, { token: access });
    const record = (active.body['activeConference'] as unknown as { conferenceRecord: string }).conferenceRecord;
    expect((await call('POST', `/v2/${made.body['name']}:endActiveConference`, { token: access, body: {} })).status).toBe(200);
    await call('POST', `/control/meetings/google-meet/${made.body['meetingCode']}/finish-recording`);

    const events = gateway.received.map(opened);
    expect(events.map(({ type }) => type.replace('google.workspace.meet.', ''))).toEqual([
      'conference.v2.started',
      'participant.v2.joined',
      'participant.v2.left',
      'conference.v2.ended',
      'recording.v2.fileGenerated',
    ]);
    for (const { headers } of gateway.received) {
      const proof = headers.get('authorization')?.replace('Bearer ', '') ?? '';
      const checked = await jwtVerify(proof, keys, {
        currentDate: START,
        audience: 'https://gateway.example/push',
        issuer: 'https://accounts.google.com',
      });
      expect(checked.payload).toMatchObject({ email: 'push@p.iam.gserviceaccount.com', email_verified: true });
    }
    expect(events[0]?.message).toMatchObject({
      attributes: { 'ce-source': `//workspaceevents.googleapis.com/${name}` },
      messageId: events[0]?.message['message_id'],
    });
    expect(events[0]?.data).toEqual({ conferenceRecord: { name: record } });

    const filter = encodeURIComponent(`space.name = "${made.body['name']}" AND end_time > "2026-12-01T09:00:00Z"`);
    expect((await call('GET', `/v2/conferenceRecords?filter=${filter}`, { token: access })).body['conferenceRecords']).toMatchObject([
      { name: record, space: made.body['name'] },
    ]);
    const participants = await call('GET', `/v2/${record}/participants`, { token: access });
    expect(participants.body['participants']).toMatchObject([{ anonymousUser: { displayName: 'Guest' } }]);
    const found = await call('GET', `/v2/${events[4]?.data['recording']?.['name']}`, { token: access });
    expect(found.body).toMatchObject({ state: 'FILE_GENERATED' });
    const { file } = found.body['driveDestination'] as unknown as { file: string };
    const metadata = await call('GET', `/drive/v3/files/${file}?fields=id,size,mimeType,capabilities/canDownload`, { token: access });
    expect(metadata.body).toMatchObject({ id: file, mimeType: 'video/mp4', capabilities: { canDownload: true } });
    const media = await fetch(`${url}/drive/v3/files/${file}?alt=media`, {
      headers: { authorization: `Bearer ${access}`, range: 'bytes=4-7' },
    });
    expect([media.status, await media.text()]).toEqual([206, 'ftyp']);
    expect(media.headers.get('content-range')).toBe(`bytes 4-7/${metadata.body['size']}`);
  });

  test('grants only what was ticked, and refuses calls that need the rest', async () => {
    const { url, call } = await running();
    const created = `${AUTH}meetings.space.created`;
    const { access, scope } = await connect(url, GOOGLE, { ...ADA, untick: [created] });
    expect(scope.split(' ')).not.toContain(created);
    expect(scope.split(' ')).toContain(`${AUTH}userinfo.email`);
    const refused = await call('POST', '/v2/spaces', { token: access, body: {} });
    expect(refused).toMatchObject({ status: 403, body: { error: { details: [{ reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT' }] } } });
  });

  test('keeps the refresh token, and gives one only to those who ask in the right way', async () => {
    const { url } = await running();
    const { refresh } = await connect(url, GOOGLE, ADA);
    const refreshed = await token(url, GOOGLE.token, { grant_type: 'refresh_token', refresh_token: refresh });
    expect(refreshed.status).toBe(200);
    expect(refreshed.body).not.toHaveProperty('refresh_token');
    const authorize = new URL('/o/oauth2/v2/auth', url);
    const query = { response_type: 'code', client_id: 'sandbox-client', redirect_uri: REDIRECT, scope: SCOPES, access_type: 'offline' };
    authorize.search = new URLSearchParams({ ...query, sandbox_user: ADA.user, sandbox_decision: 'allow' }).toString();
    const code = new URL((await fetch(authorize, { redirect: 'manual' })).headers.get('location') ?? '').searchParams.get('code') ?? '';
    const later = await token(url, GOOGLE.token, { grant_type: 'authorization_code', code, redirect_uri: REDIRECT });
    expect(later.body).not.toHaveProperty('refresh_token');
    expect((await token(url, `/revoke?token=${refresh}`, {})).status).toBe(200);
    const dead = await token(url, GOOGLE.token, { grant_type: 'refresh_token', refresh_token: refresh });
    expect(dead).toEqual({ status: 400, body: { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' } });
  });

  test('makes links for a consumer account through its calendar only', async () => {
    const { url, call } = await running();
    const { access } = await connect(url, GOOGLE, BEN);
    expect(await call('POST', '/v2/spaces', { token: access, body: {} })).toMatchObject({
      status: 403,
      body: { error: { status: 'PERMISSION_DENIED' } },
    });
    const without = await call('POST', EVENTS, { token: access, body: calendarEvent('aaaaa1') });
    expect(without.status).toBe(200);
    expect(without.body).not.toHaveProperty('hangoutLink');
    const made = await call('POST', `${EVENTS}?conferenceDataVersion=1`, { token: access, body: calendarEvent('aaaaa2') });
    const twice = await call('POST', `${EVENTS}?conferenceDataVersion=1`, { token: access, body: calendarEvent('aaaaa2') });
    expect(twice).toMatchObject({ status: 409, body: { error: { errors: [{ reason: 'duplicate' }] } } });
    const { conferenceId } = made.body['conferenceData'] as unknown as { conferenceId: string };
    expect(made.body['hangoutLink']).toBe(`https://meet.google.com/${conferenceId}`);
    expect((await call('GET', `/v2/spaces/${conferenceId}`, { token: access })).body['name']).toMatch(/^spaces\//);
    const removed = [
      await call('DELETE', `${EVENTS}/aaaaa2`, { token: access }),
      await call('DELETE', `${EVENTS}/aaaaa2`, { token: access }),
    ];
    expect(removed.map(({ status }) => status)).toEqual([204, 410]);
  });

  test('leaves a conference pending until the event is read again', async () => {
    const { url, call } = await running();
    const { access } = await connect(url, GOOGLE, { ...BEN, user: 'pending@gmail.sandbox.example' });
    const made = await call('POST', `${EVENTS}?conferenceDataVersion=1`, { token: access, body: calendarEvent('bbbbb1') });
    expect(made.body['conferenceData']).toMatchObject({ createRequest: { status: { statusCode: 'pending' } } });
    expect(made.body).not.toHaveProperty('hangoutLink');
    const again = await call('GET', `${EVENTS}/bbbbb1`, { token: access });
    expect(again.body).toMatchObject({ hangoutLink: expect.stringContaining('https://meet.google.com/') as string });
  });

  test('has one subscription per target, reminds before its end, and lets it expire after seven days', async () => {
    const gateway = await receiver(() => new Response(null, { status: 200 }));
    const { url, call, sandbox } = await running(webhook(gateway.url));
    const { access, refresh } = await connect(url, GOOGLE, ADA);
    const user = sandbox.users('google-meet')[0]?.id ?? '';
    const first = await call('POST', '/v1/subscriptions', { token: access, body: subscription(user) });
    const { name } = first.body['response'] as unknown as { name: string };
    const twin = await call('POST', '/v1/subscriptions', { token: access, body: subscription(user) });
    expect(twin).toMatchObject({ status: 409, body: { error: { details: [{ metadata: { current_subscription: name } }] } } });
    await sandbox.advance(6 * DAY + 13 * HOUR);
    expect(gateway.received.map((one) => opened(one).type)).toEqual(['google.workspace.events.subscription.v1.expirationReminder']);
    const fresh = (await token(url, GOOGLE.token, { grant_type: 'refresh_token', refresh_token: refresh })).body['access_token'] ?? '';
    const renewed = await call('PATCH', `/v1/${name}?updateMask=ttl`, { token: fresh, body: { ttl: '0s' } });
    expect(renewed.body).toMatchObject({ done: true, response: { expireTime: '2026-12-14T23:00:00.000Z' } });
    await sandbox.advance(7 * DAY);
    expect(gateway.received.map((one) => opened(one).type.split('.').at(-1))).toEqual([
      'expirationReminder',
      'expirationReminder',
      'expirationReminder',
      'expired',
    ]);
    const last = (await token(url, GOOGLE.token, { grant_type: 'refresh_token', refresh_token: refresh })).body['access_token'] ?? '';
    expect((await call('GET', `/v1/${name}`, { token: last })).status).toBe(404);
  });

  test('delivers again, with a fresh proof, until a code that Pub/Sub takes for an acknowledgement', async () => {
    const answers = [500, 206, 401, 204];
    const gateway = await receiver(() => new Response(null, { status: answers.shift() ?? 200 }));
    const { url, call, sandbox } = await running(webhook(gateway.url));
    const { access } = await connect(url, GOOGLE, ADA);
    await call('POST', '/v1/subscriptions', { token: access, body: subscription(sandbox.users('google-meet')[0]?.id ?? '') });
    const made = await call('POST', '/v2/spaces', { token: access, body: {} });
    await call('POST', `/control/meetings/google-meet/${made.body['meetingCode']}/start`);
    await sandbox.advance(HOUR);
    const [delivery] = sandbox.deliveries.list('google-meet');
    expect(delivery?.state).toBe('delivered');
    expect(delivery?.attempts.map(({ at, status }) => [at.getTime() - START.getTime(), status])).toEqual([
      [0, 500],
      [10 * SECOND, 206],
      [30 * SECOND, 401],
      [70 * SECOND, 204],
    ]);
    expect(new Set(gateway.received.map(({ text }) => text)).size).toBe(1);
    expect(new Set(gateway.received.map(({ headers }) => headers.get('authorization'))).size).toBe(4);
  });

  test('tells nothing about spaces that Calendar made to a subscription with the narrow scope', async () => {
    const gateway = await receiver(() => new Response(null, { status: 200 }));
    const { url, call, sandbox } = await running(webhook(gateway.url));
    const { access } = await connect(url, GOOGLE, { ...ADA, untick: [`${AUTH}meetings.space.readonly`] });
    await call('POST', '/v1/subscriptions', { token: access, body: subscription(sandbox.users('google-meet')[0]?.id ?? '') });
    const made = await call('POST', `${EVENTS}?conferenceDataVersion=1`, { token: access, body: calendarEvent('ccccc1') });
    const { conferenceId } = made.body['conferenceData'] as unknown as { conferenceId: string };
    await call('POST', `/control/meetings/google-meet/${conferenceId}/start`);
    expect(gateway.received).toHaveLength(0);
    const { back } = await consent(url, GOOGLE.authorize, { ...ADA, decision: 'deny' });
    expect(back.searchParams.get('error')).toBe('access_denied');
  });
});
