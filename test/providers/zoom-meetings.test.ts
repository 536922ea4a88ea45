import { http, HttpResponse } from 'msw';
import { describe, expect, it } from 'vitest';
import { DAY, HOUR, plus } from '../../src/domain/time.ts';
import { failureOf, guardedServer, meetingRequest, refusalWith, wrongOnPurpose } from '../conformance/provider.ts';
import { testAccount } from '../support/account.ts';
import { API, CONTRACT, createTestZoom, NOW, OAUTH, startZoom, zoomError, zoomVendor } from './zoom-vendor.ts';

const server = guardedServer({ contract: CONTRACT });
const start = () => startZoom(server);

describe('Zoom meetings', () => {
  it('are created with every setting that matters said explicitly, in UTC', async () => {
    const { vendor } = await start();
    expect(vendor.stored[0]).toMatchObject({
      start_time: '2026-11-21T10:01:00Z',
      timezone: 'Europe/Berlin',
      duration: 45,
      agenda: 'ref:mtg_0123456789abcdef',
      settings: {
        use_pmi: false,
        join_before_host: false,
        waiting_room: false,
        meeting_authentication: false,
        participant_video: true,
        auto_recording: 'none',
      },
    });
  });

  it('G10 keep the camera off, and record in the cloud, when asked', async () => {
    const vendor = zoomVendor();
    server.use(...vendor.handlers);
    const meeting = await createTestZoom().createMeeting(
      testAccount(),
      meetingRequest({ now: NOW }, { participantVideo: false, recordAutomatically: true }),
    );
    expect(vendor.stored[0]?.settings).toMatchObject({ participant_video: false, auto_recording: 'cloud' });
    expect(meeting.degraded).toEqual([]);
  });

  it('are not asked to record where the account cannot, and say so', async () => {
    const vendor = zoomVendor();
    server.use(...vendor.handlers);
    const meeting = await createTestZoom().createMeeting(
      testAccount({ cloudRecording: 'no' }),
      meetingRequest({ now: NOW }, { recordAutomatically: true }),
    );
    expect(vendor.stored[0]?.settings).toMatchObject({ auto_recording: 'none' });
    expect(meeting.degraded).toEqual(['record_automatically']);
  });

  it('case 66: of several meetings with one tag keep the first and delete the surplus, over all pages', async () => {
    const { vendor, provider, account, meeting } = await start();
    const [first] = vendor.stored;
    vendor.stored.push(
      { ...first!, id: 99_000_000_001, created_at: '2026-11-20T10:00:05Z' },
      { ...first!, id: 99_000_000_002, agenda: 'ref:mtg_0123456789abcdef0' },
    );
    server.use(
      http.get(`${API}/users/me/meetings`, ({ request }) => {
        const page = Number(new URL(request.url).searchParams.get('next_page_token') ?? '0');
        const { id, agenda, created_at } = vendor.stored.toReversed()[page]!;
        return HttpResponse.json({ next_page_token: page < 2 ? String(page + 1) : '', meetings: [{ id, agenda, created_at }] });
      }),
    );
    const again = await provider.createMeeting(account, meetingRequest({ now: NOW }, { retry: true }));
    expect(again.id).toBe(meeting.id);
    expect(vendor.stored.map(({ id }) => id)).toEqual([Number(meeting.id), 99_000_000_002]);
  });

  it('case 69: are not searched for ever when the pages repeat', async () => {
    let asked = 0;
    server.use(
      http.get(`${API}/users/me/meetings`, () => {
        asked += 1;
        return HttpResponse.json({ next_page_token: 'same', meetings: [] });
      }),
    );
    const failure = await failureOf(createTestZoom().createMeeting(testAccount(), meetingRequest({ now: NOW }, { retry: true })));
    expect([failure.code, asked]).toEqual(['vendor_nonsense', 2]);
  });

  it.each([
    ['now', NOW],
    ['a past moment', plus(NOW, -HOUR)],
  ])('are not moved to %s, which Zoom would ignore with a 204', async (_, startsAt) => {
    const { vendor, provider, account, meeting } = await start();
    const failure = await failureOf(
      provider.changeMeeting(account, meeting, { title: 'x', startsAt, durationMinutes: 30, timeZone: 'UTC' }),
    );
    expect([failure.code, failure.extra['vendor_code']]).toEqual(['vendor_refused', 'start_time_in_past']);
    expect(vendor.log.filter((line) => line.startsWith('PATCH'))).toEqual([]);
  });

  it('are looked at after a change, because a 204 says nothing', async () => {
    const { provider, account, meeting } = await start();
    server.use(http.patch(`${API}/meetings/:id`, () => new HttpResponse(null, { status: 204 })));
    const change = { title: 'x', startsAt: plus(NOW, 2 * DAY), durationMinutes: 45, timeZone: 'UTC' };
    expect((await failureOf(provider.changeMeeting(account, meeting, change))).code).toBe('vendor_nonsense');
  });

  it('case 70: take ids as numbers and as strings', async () => {
    server.use(
      http.post(`${API}/users/me/meetings`, () => wrongOnPurpose('{"id":"98765432101","join_url":"https://zoom.us/j/98765432101"}', 200)),
    );
    expect((await createTestZoom().createMeeting(testAccount(), meetingRequest({ now: NOW }))).id).toBe('98765432101');
  });

  it('are not called ended when Zoom refuses to end one that runs', async () => {
    const { vendor, provider, account, meeting } = await start();
    vendor.start!(meeting.id);
    server.use(http.put(`${API}/meetings/:id/status`, () => refusalWith(400, zoomError(3000))));
    expect((await failureOf(provider.endMeeting!(account, meeting))).code).toBe('vendor_refused');
  });

  it('refresh the token when an expired one is reported with a 400', async () => {
    const { provider, account, meeting } = await start();
    let refused = 0;
    server.use(
      http.get(`${API}/meetings/:id`, ({ request }) => {
        if (request.headers.get('authorization') === 'Bearer token-2') return undefined;
        refused += 1;
        return refusalWith(400, zoomError(124, 'Access token is expired.')) as HttpResponse<null>;
      }),
    );
    await provider.hostUrl(account, meeting);
    expect([refused, account.refreshes()]).toEqual([1, 1]);
  });
});

describe('Zoom OAuth', () => {
  it('sends no scope, whether recordings are wanted or not', () => {
    for (const recordings of [true, false]) {
      const url = createTestZoom().oauth.authorizationUrl({
        state: 's',
        codeChallenge: 'c',
        redirectUri: 'https://gateway.example/cb',
        recordings,
      });
      expect(url.searchParams.has('scope')).toBe(false);
    }
  });

  it('takes the classic scopes for the granular ones that they stand for', async () => {
    server.use(
      http.post(`${OAUTH}/oauth/token`, () =>
        HttpResponse.json({
          access_token: 'a',
          token_type: 'bearer',
          refresh_token: 'r',
          expires_in: 3_600,
          scope: 'meeting:read meeting:write user:read recording:read',
        }),
      ),
    );
    const { oauth } = createTestZoom();
    const grant = await oauth.refresh('r0');
    expect(grant.scopes).toEqual(expect.arrayContaining([...oauth.scopes.links, ...oauth.scopes.recordings]));
  });

  it('cannot be set up without a webhook secret', () => {
    for (const webhookSecrets of [[], ['']])
      expect(() => createTestZoom({ webhookSecrets })).toThrow(expect.objectContaining({ code: 'not_configured' }));
  });
});
