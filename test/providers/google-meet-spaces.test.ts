import { getResponse, HttpResponse } from 'msw';
import { describe, expect, it } from 'vitest';
import type { Account, MeetingRequest } from '../../providers/provider.ts';
import { failureOf, gate, guardedServer, refusalWith } from '../conformance/provider.ts';
import { testAccount } from '../support/account.ts';
import { GOOGLE_CONTRACT, googleMeet, PERSONAL, WORKSPACE } from './google-meet.options.ts';
import { API, googleStandIn, refused, type StandInOptions } from './google-meet.stand-in.ts';

const server = guardedServer({ contract: GOOGLE_CONTRACT });

const request = (overrides: Partial<MeetingRequest> = {}): MeetingRequest => ({
  key: 'mtg_0123456789abcdef',
  retry: false,
  title: 'Consultation',
  startsAt: new Date('2026-11-21T10:00:00Z'),
  durationMinutes: 45,
  timeZone: 'Europe/Berlin',
  recordAutomatically: false,
  participantVideo: true,
  ...overrides,
});

function start(options: StandInOptions = {}, facts: Partial<Account> = WORKSPACE) {
  const google = googleStandIn(options);
  server.use(...google.handlers);
  const provider = googleMeet();
  const account = testAccount(facts);
  return { google, provider, account, create: (overrides = {}) => provider.createMeeting(account, request(overrides)) };
}
const calls = (log: readonly string[]) => log.map((line) => line.split('?')[0]);

describe('a meeting as a space', () => {
  it('asks for a space that anybody with the link may enter without knocking', async () => {
    const { google, create } = start();
    const meeting = await create();
    expect(google.log).toEqual(['POST /v2/spaces']);
    expect(google.bodies).toEqual([
      { config: { accessType: 'OPEN', entryPointAccess: 'ALL', artifactConfig: { recordingConfig: { autoRecordingGeneration: 'OFF' } } } },
    ]);
    expect(meeting).toEqual({
      id: 'spaces/jQCFfuBOdN5z0',
      joinUrl: 'https://meet.google.com/aaa-mnop-xyz',
      details: { via: 'space' },
      degraded: [],
    });
  });

  it('G13 switches automatic recording on where it is asked for', async () => {
    const { google, create } = start();
    expect((await create({ recordAutomatically: true })).degraded).toEqual([]);
    expect([...google.spaces.values()].map(({ autoRecordingGeneration }) => autoRecordingGeneration)).toEqual(['ON']);
  });

  it.each([
    ['an administrator who keeps spaces closed', { accessType: 'RESTRICTED' }, false, ['open_access']],
    ['a licence without recording', { autoRecordingGeneration: 'OFF' }, true, ['record_automatically']],
    ['an administrator who records everything', { autoRecordingGeneration: 'ON' }, false, ['record_automatically']],
  ])('says what Google did not take over: %s', async (_, overrides, recordAutomatically, degraded) => {
    const { create } = start({ overrides });
    expect((await create({ recordAutomatically })).degraded).toEqual(degraded);
  });

  it('makes the space without automatic recording when Google refuses the setting, and says so', async () => {
    const { google, create } = start({ recordingRefused: true });
    expect((await create({ recordAutomatically: true })).degraded).toEqual(['record_automatically']);
    expect(google.spaces.size).toBe(1);
  });

  it('does not send spaces.create again by itself when its answer is lost', async () => {
    const { google, create } = start();
    server.use(
      ...gate([`${API}/v2/spaces`], () => {
        (google.log as string[]).push('POST /v2/spaces');
        return HttpResponse.error();
      }),
    );
    expect((await failureOf(create())).code).toBe('vendor_unavailable');
    expect(google.log).toEqual(['POST /v2/spaces']);
  });

  it('case 66: after a lost answer the retry makes another space, and only the link of that one is ever given out', async () => {
    const { google, create } = start();
    let lost = false;
    server.use(
      ...gate([`${API}/v2/spaces`], async (intercepted) => {
        if (lost) return undefined;
        lost = true;
        await getResponse([...google.handlers], intercepted.clone());
        return HttpResponse.error();
      }),
    );
    await failureOf(create());
    const meeting = await create({ retry: true });
    expect(google.spaces.size).toBe(2);
    expect(meeting.id).toBe([...google.spaces.keys()][1]);
  });

  it('has nothing to send when title or time change', async () => {
    const { google, provider, account, create } = start();
    const meeting = await create();
    await provider.changeMeeting(account, meeting, request({ title: 'Moved' }));
    expect(google.log).toHaveLength(1);
  });

  it('cancels by closing the door first and then sending everybody home', async () => {
    const { google, provider, account, create } = start();
    const meeting = await create();
    google.start!(meeting.id);
    await provider.cancelMeeting(account, meeting);
    expect(calls(google.log).slice(1)).toEqual([`PATCH /v2/${meeting.id}`, `POST /v2/${meeting.id}:endActiveConference`]);
    expect(google.spaces.get(meeting.id)).toMatchObject({ accessType: 'RESTRICTED', running: false });
  });

  it('case 68: cancels and ends a space that Google does not know any more, and one where nothing runs', async () => {
    const { google, provider, account, create } = start();
    const meeting = await create();
    server.use(
      ...gate([`${API}/v2/spaces/*`], ({ url }) => (url.endsWith('Conference') ? refused(400, 'FAILED_PRECONDITION') : undefined)),
    );
    await provider.cancelMeeting(account, meeting);
    await provider.endMeeting!(account, meeting);
    google.deleteMeetings();
    await provider.cancelMeeting(account, meeting);
  });

  it('does not take "not allowed" for "gone" when cancelling', async () => {
    const { provider, account, create } = start({ fixedSettings: true });
    const meeting = await create();
    expect((await failureOf(provider.cancelMeeting(account, meeting))).extra).toEqual({ vendor_code: 'PERMISSION_DENIED' });
  });

  it('does not take a bad request for "not running" when ending', async () => {
    const { provider, account, create } = start();
    const meeting = await create();
    server.use(...gate([`${API}/v2/spaces/*`], () => refused(400, 'INVALID_ARGUMENT')));
    expect((await failureOf(provider.endMeeting!(account, meeting))).code).toBe('vendor_refused');
  });

  it('gives the host the link that everybody has, without a request', async () => {
    const { google, provider, account, create } = start();
    const meeting = await create();
    expect(await provider.hostUrl(account, meeting)).toBe(meeting.joinUrl);
    expect(google.log).toHaveLength(1);
  });
});

describe('which way a meeting is made', () => {
  it('takes Calendar for a personal account that may not create spaces', async () => {
    const { google, create } = start({ mayCreateSpaces: false }, PERSONAL);
    expect((await create()).details['via']).toBe('calendar');
    expect(calls(google.log).slice(0, 2)).toEqual(['POST /v2/spaces', 'POST /calendar/v3/calendars/primary/events']);
  });

  it("does not go round an administrator's decision by Calendar", async () => {
    const { google, create } = start({ mayCreateSpaces: false }, WORKSPACE);
    const failure = await failureOf(create());
    expect([failure.code, failure.extra['vendor_code']]).toEqual(['vendor_refused', 'PERMISSION_DENIED']);
    expect(google.events.size).toBe(0);
  });

  it('takes Calendar when the permission for spaces was not granted, for any account', async () => {
    const { google, create } = start({}, WORKSPACE);
    server.use(...gate([`${API}/v2/spaces`], () => refused(403, 'PERMISSION_DENIED', 'ACCESS_TOKEN_SCOPE_INSUFFICIENT')));
    expect((await create()).details['via']).toBe('calendar');
    expect(google.events.size).toBe(1);
  });

  it.each([
    ['an API that our project has not switched on', () => refused(403, 'PERMISSION_DENIED', 'SERVICE_DISABLED'), 'vendor_refused'],
    ['a quota', () => refused(429, 'RESOURCE_EXHAUSTED', 'RATE_LIMIT_EXCEEDED'), 'vendor_quota'],
    ['a rate limit that comes as 403', () => refused(403, 'PERMISSION_DENIED', 'RATE_LIMIT_EXCEEDED'), 'vendor_quota'],
    ['an outage', () => refused(503, 'UNAVAILABLE'), 'vendor_unavailable'],
    ['a bad argument', () => refused(400, 'INVALID_ARGUMENT'), 'vendor_refused'],
  ])('does not take Calendar because of %s', async (_, answer, code) => {
    const { google, create } = start({}, PERSONAL);
    server.use(...gate([`${API}/v2/spaces`], () => answer()));
    expect((await failureOf(create())).code).toBe(code);
    expect(google.events.size).toBe(0);
  });

  it('names the missing permissions when neither way was granted', async () => {
    const { create } = start({}, WORKSPACE);
    server.use(...gate([`${API}/*`], () => refused(403, 'PERMISSION_DENIED', 'ACCESS_TOKEN_SCOPE_INSUFFICIENT')));
    const failure = await failureOf(create());
    expect([failure.code, failure.extra['reason']]).toEqual(['reconnect_required', 'permission_missing']);
    expect(failure.message).toContain('calendar.events.owned');
    expect(failure.extra['missing_scopes']).toEqual([
      'https://www.googleapis.com/auth/meetings.space.created',
      'https://www.googleapis.com/auth/calendar.events.owned',
    ]);
  });
});

describe('a meeting by Calendar', () => {
  const byCalendar = (options: StandInOptions = {}, facts: Partial<Account> = PERSONAL) =>
    start({ mayCreateSpaces: false, ...options }, facts);

  it('asks for a Meet conference under our own event id and request id, and invites nobody', async () => {
    const { google, create } = byCalendar();
    const meeting = await create();
    expect(google.log[1]).toBe('POST /calendar/v3/calendars/primary/events?conferenceDataVersion=1&sendUpdates=none');
    const { eventId } = meeting.details;
    expect(eventId).toMatch(/^[a-v0-9]{5,1024}$/);
    expect(google.bodies[1]).toEqual({
      id: eventId,
      summary: 'Consultation',
      start: { dateTime: '2026-11-21T10:00:00.000Z', timeZone: 'Europe/Berlin' },
      end: { dateTime: '2026-11-21T10:45:00.000Z', timeZone: 'Europe/Berlin' },
      conferenceData: { createRequest: { requestId: 'mtg_0123456789abcdef', conferenceSolutionKey: { type: 'hangoutsMeet' } } },
    });
  });

  it('learns the permanent id of the space, which the events carry, and opens it', async () => {
    const { google, create } = byCalendar();
    const meeting = await create();
    expect(meeting).toMatchObject({ id: 'spaces/jQCFfuBOdN5z0', joinUrl: 'https://meet.google.com/aaa-mnop-xyz', degraded: [] });
    expect(meeting.details).toEqual({ via: 'calendar', eventId: expect.any(String) });
    expect(google.log.slice(2)).toEqual(['GET /v2/spaces/aaa-mnop-xyz', 'PATCH /v2/spaces/jQCFfuBOdN5z0?updateMask=config.accessType']);
  });

  it('leaves the space closed without the permission for settings, and says that guests have to knock', async () => {
    const { google, create } = byCalendar({}, { ...PERSONAL, scopes: [] });
    expect((await create({ recordAutomatically: true })).degraded).toEqual(['open_access', 'record_automatically']);
    expect(google.log.filter((line) => line.startsWith('PATCH'))).toEqual([]);
  });

  it('G12 tells what the space does when Google does not let it be changed, and nothing when Google does not show it', async () => {
    const { provider, account, create } = byCalendar({ fixedSettings: true });
    const meeting = await create();
    expect(await provider.recordAutomatically!(account, meeting, true)).toBe(false);
    const { id: name, joinUrl: meetingUri } = meeting;
    server.use(...gate([`${API}/v2/spaces/*`], ({ method }) => (method === 'GET' ? HttpResponse.json({ name, meetingUri }) : undefined)));
    expect((await failureOf(provider.recordAutomatically!(account, meeting, false))).code).toBe('vendor_refused');
  });

  it('waits for a conference that is not there at once', async () => {
    const google = googleStandIn({ mayCreateSpaces: false, pendingReads: 3 });
    server.use(...google.handlers);
    const waits: number[] = [];
    const provider = googleMeet({ wait: async (ms) => void waits.push(ms) });
    const meeting = await provider.createMeeting(testAccount(PERSONAL), request());
    expect(meeting.joinUrl).toBe('https://meet.google.com/aaa-mnop-xyz');
    expect(waits).toEqual([500, 1_000, 2_000]);
  });

  it('gives up after four looks, and the next attempt takes the event that is there', async () => {
    const { google, create } = byCalendar({ pendingReads: 6 });
    expect((await failureOf(create())).code).toBe('vendor_unavailable');
    const meeting = await create({ retry: true });
    expect(meeting.joinUrl).toBe('https://meet.google.com/aaa-mnop-xyz');
    expect(google.events.size).toBe(1);
  });

  it.each(['failure', 'absent'] as const)('is not capable when the conference is a %s, and leaves no event behind', async (conference) => {
    const { google, create } = byCalendar({ conference });
    expect((await failureOf(create())).code).toBe('not_capable');
    expect([...google.events.values()].map(({ status }) => status)).toEqual(['cancelled']);
  });

  it('keeps the event when only the look at its space failed for now', async () => {
    const { google, create } = byCalendar();
    server.use(...gate([`${API}/v2/spaces/*`], () => refusalWith(503, {}, { 'retry-after': '30' })));
    expect((await failureOf(create())).code).toBe('vendor_unavailable');
    expect([...google.events.values()].map(({ status }) => status)).toEqual(['confirmed']);
  });

  it('does not bring back an event that the professional deleted', async () => {
    const { google, create } = byCalendar();
    await create();
    google.deleteMeetings();
    const failure = await failureOf(create({ retry: true }));
    expect([failure.code, failure.extra['vendor_code']]).toEqual(['vendor_refused', 'cancelled']);
  });

  it('deletes the event on cancelling and closes its link as well, since that outlives the event', async () => {
    const { google, provider, account, create } = byCalendar();
    const meeting = await create();
    await provider.cancelMeeting(account, meeting);
    expect(google.spaces.get(meeting.id)?.accessType).toBe('RESTRICTED');
    expect(google.log).toContain(`DELETE /calendar/v3/calendars/primary/events/${meeting.details['eventId']}?sendUpdates=none`);
  });

  it('is content when the link of a cancelled event cannot be closed', async () => {
    const { google, provider, account, create } = byCalendar({ fixedSettings: true });
    const meeting = await create();
    await provider.cancelMeeting(account, meeting);
    expect(google.meetings()).toEqual([]);
  });

  it('says that a conference of a Calendar space cannot be ended where Google refuses it', async () => {
    const { provider, account, create } = byCalendar();
    const meeting = await create();
    server.use(...gate([`${API}/v2/spaces/*`], () => refused(403, 'PERMISSION_DENIED')));
    expect((await failureOf(provider.endMeeting!(account, meeting))).code).toBe('not_capable');
  });
});
