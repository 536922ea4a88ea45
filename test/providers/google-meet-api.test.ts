import { SignJWT } from 'jose';
import { http, HttpResponse } from 'msw';
import { describe, expect, it } from 'vitest';
import { CALENDAR_EVENTS, DRIVE_RECORDINGS, SPACE_CREATED, SPACE_READONLY, SPACE_SETTINGS } from '../../providers/google-meet/scopes.ts';
import { SECOND } from '../../src/domain/time.ts';
import { failureOf, gate, guardedServer, textOf } from '../conformance/provider.ts';
import { testAccount } from '../support/account.ts';
import { fixture, GOOGLE_CONTRACT, GOOGLE_KEY, googleMeet, PERSONAL, TOPIC, WORKSPACE } from './google-meet.options.ts';
import { API, googleStandIn, NOW, refused } from './google-meet.stand-in.ts';

const server = guardedServer({ contract: GOOGLE_CONTRACT });
const MEETING = { id: 'spaces/jQCFfuBOdN5z', joinUrl: 'https://meet.google.com/aaa-mnop-xyz', details: { via: 'space' } };
const urls = { notificationUrl: 'https://gateway.example/unused', lifecycleUrl: 'https://gateway.example/unused' };

describe('OAuth', () => {
  const { oauth } = googleMeet();
  const authorizationUrl = (recordings: boolean) =>
    oauth.authorizationUrl({ state: 's', codeChallenge: 'c', redirectUri: 'https://gateway.example/callback', recordings });
  const exchange = () => oauth.exchange({ code: 'c', codeVerifier: 'v'.repeat(43), redirectUri: 'https://gateway.example/callback' });
  const idToken = (claims: Record<string, unknown>) =>
    new SignJWT({ aud: 'client-1.apps.googleusercontent.com', sub: '113', iss: 'https://accounts.google.com', ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: GOOGLE_KEY.kid })
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(GOOGLE_KEY.privateKey);
  const granting = (answer: Record<string, unknown>) =>
    server.use(
      http.post('https://oauth2.test/token', () =>
        HttpResponse.json({ access_token: 'a', expires_in: 3_599, token_type: 'Bearer', ...answer }),
      ),
    );

  it('asks for offline access and for the consent screen, without which there is no refresh token', () => {
    expect(Object.fromEntries(authorizationUrl(false).searchParams)).toMatchObject({
      access_type: 'offline',
      prompt: 'consent',
      include_granted_scopes: 'true',
      scope: [
        'openid',
        'https://www.googleapis.com/auth/userinfo.email',
        SPACE_CREATED,
        SPACE_READONLY,
        SPACE_SETTINGS,
        CALENDAR_EVENTS,
      ].join(' '),
    });
  });

  it('asks for the restricted Drive scope only with recordings', () => {
    expect(authorizationUrl(false).href).not.toContain('drive');
    expect(authorizationUrl(true).searchParams.get('scope')).toContain(DRIVE_RECORDINGS);
  });

  it('tells which scopes were granted, not which were asked for', async () => {
    granting({ scope: `openid ${SPACE_CREATED}`, id_token: await idToken({}), refresh_token: '1//r' });
    expect(await exchange()).toMatchObject({ scopes: ['openid', SPACE_CREATED], refreshToken: '1//r', expiresInMs: 3_599 * SECOND });
  });

  it.each(['https://accounts.google.com', 'accounts.google.com'])('takes an id token of the issuer %s', async (iss) => {
    granting({ id_token: await idToken({ iss, email: 'dana@example.com', hd: 'example.com' }) });
    expect(await oauth.profile(await exchange())).toMatchObject({ id: '113', email: 'dana@example.com', organisation: 'example.com' });
  });

  it.each([
    ['another issuer', { iss: 'https://evil.example' }],
    ['another audience', { aud: 'client-2' }],
  ])('refuses an id token of %s', async (_, claims) => {
    granting({ id_token: await idToken(claims) });
    expect((await failureOf(exchange())).code).toBe('vendor_nonsense');
  });

  it('does not make up an account when Google does not name one', async () => {
    granting({});
    expect((await failureOf(exchange().then((grant) => oauth.profile(grant)))).code).toBe('vendor_nonsense');
  });

  it('revokes the refresh token, which ends the grant, and the access token where there is no other', async () => {
    const revoked: (string | null)[] = [];
    server.use(
      http.post('https://oauth2.test/revoke', async ({ request }) => {
        revoked.push(new URLSearchParams(await request.text()).get('token'));
        return HttpResponse.json({});
      }),
    );
    await oauth.revoke!({ accessToken: 'a', refreshToken: 'r' });
    await oauth.revoke!({ accessToken: 'a', refreshToken: null });
    expect(revoked).toEqual(['r', 'a']);
  });
});

describe('calls to Google', () => {
  it('go to the four real hosts unless they are moved', async () => {
    const hosts: string[] = [];
    const answers: Record<string, unknown> = {
      'https://meet.googleapis.com/v2/spaces/aaa-mnop-xyz': {
        name: 'spaces/x',
        meetingUri: 'https://meet.google.com/aaa-mnop-xyz',
        config: { accessType: 'OPEN' },
      },
      'https://www.googleapis.com/calendar/v3/calendars/primary/events': {
        id: 'abcde',
        conferenceData: { conferenceId: 'aaa-mnop-xyz', createRequest: { requestId: 'x', status: { statusCode: 'success' } } },
      },
      'https://workspaceevents.googleapis.com/v1/subscriptions': {
        done: true,
        response: { name: 'subscriptions/s', expireTime: '2026-11-27T10:00:00Z' },
      },
    };
    server.use(
      http.all(/^https:\/\/[a-z]+\.googleapis\.com\//, ({ request: { url } }) => {
        const { origin, pathname } = new URL(url);
        hosts.push(origin);
        if (pathname.startsWith('/drive')) return new HttpResponse('film', { headers: { 'content-type': 'video/mp4' } });
        return origin + pathname in answers
          ? HttpResponse.json(answers[origin + pathname] as object)
          : (refused(403, 'PERMISSION_DENIED') as HttpResponse<null>);
      }),
    );
    const provider = googleMeet({ apiUrl: undefined });
    const account = testAccount(PERSONAL);
    const meeting = await provider.createMeeting(account, {
      key: 'mtg_0123456789abcdef',
      retry: false,
      title: 'Consultation',
      startsAt: NOW,
      durationMinutes: 30,
      timeZone: 'Europe/Berlin',
      recordAutomatically: false,
      participantVideo: true,
    });
    await provider.subscriptions!.create(account, urls);
    const media = await provider.recordings.open(account, {
      meeting,
      recordingId: 'r',
      fileId: 'f',
      range: undefined,
      signal: new AbortController().signal,
    });
    expect(await textOf(media.body)).toBe('film');
    expect(hosts).toEqual([
      'https://meet.googleapis.com',
      'https://www.googleapis.com',
      'https://meet.googleapis.com',
      'https://workspaceevents.googleapis.com',
      'https://www.googleapis.com',
    ]);
  });

  it('are repeated after an outage only where that cannot do harm', async () => {
    let attempts = 0;
    server.use(
      ...gate([`${API}/v2/conferenceRecords`], () => {
        attempts += 1;
        return attempts < 3 ? refused(503, 'UNAVAILABLE') : undefined;
      }),
      ...googleStandIn().handlers,
    );
    expect(await googleMeet().recordings.list(testAccount(WORKSPACE), MEETING)).toEqual([]);
    expect(attempts).toBe(3);
  });

  it('are repeated by us alone, not by the library on top', async () => {
    let attempts = 0;
    server.use(
      ...gate([`${API}/*`], () => {
        attempts += 1;
        return refused(503, 'UNAVAILABLE');
      }),
    );
    expect((await failureOf(googleMeet().recordings.list(testAccount(WORKSPACE), MEETING))).code).toBe('vendor_unavailable');
    expect(attempts).toBe(3);
  });
});

describe('recordings', () => {
  const RECORD = 'conferenceRecords/c';
  const list = () => googleMeet().recordings.list(testAccount(WORKSPACE), MEETING);
  const recordPages = (page: (token: string | null) => Record<string, unknown>) =>
    http.get(`${API}/v2/conferenceRecords`, ({ request }) =>
      HttpResponse.json(page(new URL(request.url).searchParams.get('pageToken')) as object),
    );
  const recordingPages = (page: (record: string, token: string | null) => Record<string, unknown>) =>
    http.get(`${API}/v2/conferenceRecords/:record/recordings`, ({ request, params }) =>
      HttpResponse.json(page(String(params['record']), new URL(request.url).searchParams.get('pageToken')) as object),
    );
  const recorded = (name: string, more: object = {}) => ({ name, state: 'FILE_GENERATED', driveDestination: { file: 'f' }, ...more });

  it('reads every conference of the space and every page of its recordings, and shows none twice', async () => {
    server.use(
      recordPages((token) =>
        token === null
          ? { conferenceRecords: [{ name: `${RECORD}1`, space: MEETING.id }], nextPageToken: 'next' }
          : { conferenceRecords: [{ name: `${RECORD}2`, space: MEETING.id }] },
      ),
      recordingPages((record, token) => {
        if (record === 'c2') return {};
        return token === null
          ? { recordings: [recorded(`${RECORD}1/recordings/r1`)], nextPageToken: 'more' }
          : { recordings: [recorded(`${RECORD}1/recordings/r1`), recorded(`${RECORD}1/recordings/r2`)] };
      }),
    );
    expect((await list()).map(({ id }) => id)).toEqual([`${RECORD}1/recordings/r1`, `${RECORD}1/recordings/r2`]);
  });

  it('case 69: does not follow pages that go round in circles', async () => {
    let pages = 0;
    server.use(
      recordPages(() => {
        pages += 1;
        return { conferenceRecords: [], nextPageToken: pages % 2 === 0 ? 'a' : 'b' };
      }),
    );
    expect((await failureOf(list())).code).toBe('vendor_nonsense');
    expect(pages).toBe(3);
  });

  it('case 69: does not follow pages that never end', async () => {
    let pages = 0;
    server.use(
      recordPages(() => {
        pages += 1;
        return { conferenceRecords: [], nextPageToken: `page-${pages}` };
      }),
    );
    expect((await failureOf(list())).code).toBe('vendor_nonsense');
    expect(pages).toBe(50);
  });

  it.each([
    ['a state that is new', { state: 'STATE_UNSPECIFIED' }],
    ['a finished file without a place', { driveDestination: undefined }],
    ['a recording that is running', { state: 'STARTED', driveDestination: undefined }],
  ])('does not take %s for a ready recording', async (_, more) => {
    server.use(
      recordPages(() => ({ conferenceRecords: [{ name: `${RECORD}1`, space: MEETING.id }] })),
      recordingPages(() => ({ recordings: [recorded(`${RECORD}1/recordings/r1`, more)] })),
    );
    expect(await list()).toEqual([{ id: `${RECORD}1/recordings/r1`, state: 'processing', startedAt: null, endedAt: null, files: [] }]);
  });
});

describe('subscriptions', () => {
  const start = (handlers = googleStandIn()) => {
    server.use(...handlers.handlers);
    return { google: handlers, subscriptions: googleMeet().subscriptions!, account: testAccount(WORKSPACE) };
  };

  it('asks for everything that happens in the spaces of this user, for the longest time', async () => {
    const { google, subscriptions, account } = start();
    expect(await subscriptions.create(account, urls)).toEqual({
      id: 'subscriptions/meet-users-abc',
      expiresAt: new Date('2026-11-27T10:00:00Z'),
    });
    expect(google.bodies).toEqual([
      {
        targetResource: `//cloudidentity.googleapis.com/users/${WORKSPACE.id}`,
        eventTypes: [
          'conference.v2.started',
          'conference.v2.ended',
          'participant.v2.joined',
          'participant.v2.left',
          'recording.v2.started',
          'recording.v2.ended',
          'recording.v2.fileGenerated',
        ].map((type) => `google.workspace.meet.${type}`),
        notificationEndpoint: { pubsubTopic: TOPIC },
        ttl: '0s',
      },
    ]);
  });

  it('takes the one that exists by the name in the refusal, and makes it last', async () => {
    const { google, subscriptions, account } = start();
    const { body } = JSON.parse(fixture('repo-subscription-already-exists-409').toString()) as { body: object };
    server.use(
      http.post(`${API}/v1/subscriptions`, () => HttpResponse.json(body, { status: 409 })),
      http.patch(`${API}/v1/subscriptions/EXISTING_ID`, async ({ request }) => {
        expect(new URL(request.url).search).toBe('?updateMask=ttl');
        expect(await request.json()).toEqual({ ttl: '0s' });
        return HttpResponse.json({ done: true, response: { name: 'subscriptions/EXISTING_ID', expireTime: '2026-11-27T10:00:00Z' } });
      }),
    );
    expect((await subscriptions.create(account, urls)).id).toBe('subscriptions/EXISTING_ID');
    expect(google.log).toEqual([]);
  });

  it('replaces one that feeds another topic, since that cannot be changed', async () => {
    const { google, account, subscriptions } = start();
    await googleMeet({ pubsubTopic: 'projects/old/topics/old' }).subscriptions!.create(account, urls);
    await subscriptions.create(account, urls);
    expect(google.log.map((line) => line.split(' ')[0])).toEqual(['POST', 'POST', 'PATCH', 'DELETE', 'POST']);
    expect(google.bodies.at(-1)).toMatchObject({ notificationEndpoint: { pubsubTopic: TOPIC } });
  });

  it('wakes one that Google has suspended', async () => {
    const { google, subscriptions, account } = start();
    const { id } = await subscriptions.create(account, urls);
    google.suspend();
    await subscriptions.renew(account, id);
    expect(google.log.at(-1)).toBe('POST /v1/subscriptions/meet-users-abc:reactivate');
  });

  it('removes without minding whether it is there', async () => {
    const { google, subscriptions, account } = start();
    await subscriptions.remove(account, 'subscriptions/unknown');
    expect(google.log).toEqual(['DELETE /v1/subscriptions/unknown?allowMissing=true']);
  });

  it.each([
    ['an operation that failed', { done: true, error: { code: 7, message: 'no' } }, 'vendor_refused'],
    ['an operation that still runs', { name: 'operations/op-1', done: false }, 'vendor_unavailable'],
    ['an operation without a subscription', { done: true, response: {} }, 'vendor_nonsense'],
  ])('does not take %s for a subscription', async (_, body, code) => {
    const { subscriptions, account } = start();
    server.use(http.post(`${API}/v1/subscriptions`, () => HttpResponse.json(body)));
    expect((await failureOf(subscriptions.create(account, urls))).code).toBe(code);
  });

  it('names the permission that is missing', async () => {
    const { subscriptions, account } = start();
    server.use(
      http.post(
        `${API}/v1/subscriptions`,
        () => refused(403, 'PERMISSION_DENIED', 'ACCESS_TOKEN_SCOPE_INSUFFICIENT') as HttpResponse<null>,
      ),
    );
    const failure = await failureOf(subscriptions.create(account, urls));
    expect([failure.code, failure.extra['missing_scopes']]).toEqual(['not_capable', [SPACE_CREATED, SPACE_READONLY]]);
  });
});
