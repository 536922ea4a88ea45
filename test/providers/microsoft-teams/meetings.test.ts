import { getResponse, http, HttpResponse } from 'msw';
import { describe, expect, it } from 'vitest';
import type { MeetingRequest } from '../../../providers/provider.ts';
import { failureOf, guardedServer, refusalWith, wrongOnPurpose } from '../../conformance/provider.ts';
import { account, CONTRACT, fixture, PERSONAL, teams } from './options.ts';
import { GRAPH, graphStandIn, type GraphOptions } from './stand-in.ts';

const server = guardedServer({ contract: CONTRACT });
const EVENTS = `${GRAPH}/v1.0/me/events`;
const MEETINGS = `${GRAPH}/v1.0/me/onlineMeetings`;
const request = (overrides: Partial<MeetingRequest> = {}): MeetingRequest => ({
  key: 'mtg_0123456789abcdef',
  retry: false,
  title: 'Consultation',
  startsAt: new Date('2026-12-01T10:00:00Z'),
  durationMinutes: 50,
  timeZone: 'Europe/Berlin',
  recordAutomatically: false,
  participantVideo: true,
  ...overrides,
});

/** A stand-in, and everything that is sent to it. */
function start(options: GraphOptions = {}) {
  const vendor = graphStandIn(options);
  const sent: { method: string; url: string; body: Record<string, unknown>; headers: Headers }[] = [];
  server.use(
    http.all(`${GRAPH}/*`, async ({ request }) => {
      const text = await request.clone().text();
      const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
      sent.push({ method: request.method, url: request.url, body, headers: request.headers });
      return undefined;
    }),
    ...vendor.handlers,
  );
  const provider = teams();
  const create = (overrides: Partial<MeetingRequest> = {}) => provider.createMeeting(account(), request(overrides));
  return { vendor, sent, provider, create };
}

/** Takes precedence over the stand-in, and leaves what is sent to be seen. */
const instead = (...handlers: Parameters<typeof server.use>) => server.use(...handlers);
const eventAnswer = (overrides: Record<string, unknown>) => ({
  ...(JSON.parse(fixture('event-onlineMeeting-response.json').toString()) as Record<string, unknown>),
  ...overrides,
});

describe('a Teams meeting', () => {
  it('stands on the calendar without attendees, keyed by our key, in UTC without an offset', async () => {
    const { sent, create } = start();
    await create();
    expect(sent.map(({ method }) => method)).toEqual(['POST', 'GET', 'PATCH']);
    expect(sent[0]!.body).toEqual({
      subject: 'Consultation',
      start: { dateTime: '2026-12-01T10:00:00', timeZone: 'UTC' },
      end: { dateTime: '2026-12-01T10:50:00', timeZone: 'UTC' },
      transactionId: 'mtg_0123456789abcdef',
      isOnlineMeeting: true,
      onlineMeetingProvider: 'teamsForBusiness',
      showAs: 'busy',
      allowNewTimeProposals: false,
      responseRequested: false,
    });
  });

  it('is looked up by its join link, whose own percent signs and quotes survive', async () => {
    const { sent, create } = start();
    const meeting = await create();
    const raw = sent[1]!.url.slice(sent[1]!.url.indexOf('?'));
    expect(raw).toContain('19%253ameeting_1%2540thread.v2');
    expect(new URL(sent[1]!.url).searchParams.get('$filter')).toBe(`JoinWebUrl eq '${meeting.joinUrl.replaceAll("'", "''")}'`);
  });

  it('lets people from outside in, says in both cases whether to record, and touches the camera only when asked', async () => {
    const { sent, create } = start();
    await create();
    await create({ key: 'mtg_other_other', recordAutomatically: true, participantVideo: false });
    expect(sent.filter(({ method }) => method === 'PATCH').map(({ body }) => body)).toEqual([
      { lobbyBypassSettings: { scope: 'everyone' }, recordAutomatically: false },
      { lobbyBypassSettings: { scope: 'everyone' }, recordAutomatically: true, allowAttendeeToEnableCamera: false },
    ]);
  });

  it('keeps the id of its event for later', async () => {
    const { vendor, create } = start();
    const meeting = await create();
    expect(meeting.details).toEqual({ eventId: vendor.events()[0]!.id });
  });

  it('sends no telemetry of the SDK', async () => {
    const { sent, create } = start();
    await create();
    for (const { headers } of sent) {
      expect([...headers.keys()].filter((name) => /sdk|client-request-id/.test(name))).toEqual([]);
    }
  });

  it('is refused for a personal account in plain words, and nothing is sent', async () => {
    const { sent, provider } = start();
    for (const facts of [{ organisation: PERSONAL }, { createsMeetings: false }]) {
      const failure = await failureOf(provider.createMeeting(account(facts), request()));
      expect(failure.code).toBe('not_capable');
      expect(failure.message).toContain('personal Microsoft account');
    }
    expect(sent).toEqual([]);
  });

  it('is not half made when Microsoft leaves Teams out of the event: the event is deleted', async () => {
    const { sent, create } = start();
    const ignored = JSON.parse(fixture('event-personalAccount-ignored-response.json').toString()) as Record<string, unknown>;
    instead(
      http.post(EVENTS, () => HttpResponse.json(eventAnswer(ignored), { status: 201 })),
      http.delete(`${EVENTS}/:id`, ({ request }) => {
        sent.push({ method: request.method, url: request.url, body: {}, headers: request.headers });
        return new HttpResponse(null, { status: 204 });
      }),
    );
    expect((await failureOf(create())).code).toBe('not_capable');
    expect(sent.map(({ method, url }) => `${method} ${url}`)).toEqual([`DELETE ${EVENTS}/AAMkADAAABIGYDZAAA%3D`]);
  });

  it('is read again when the first answer came before its link', async () => {
    const { sent, vendor, create } = start();
    instead(
      http.post(EVENTS, async ({ request }) => {
        const answer = (await getResponse([...vendor.handlers], request.clone()))!;
        return HttpResponse.json({ ...((await answer.json()) as object), onlineMeeting: null }, { status: 201 });
      }),
    );
    const meeting = await create();
    expect(meeting.joinUrl).toContain('https://teams.microsoft.com/');
    expect(sent.map(({ method, url }) => `${method} ${new URL(url).pathname.split('/')[3]}`)).toEqual([
      'GET events',
      'GET onlineMeetings',
      'PATCH onlineMeetings',
    ]);
  });

  it('never leads to a host that is not Teams: the event is deleted', async () => {
    const { sent, create } = start();
    instead(
      http.post(EVENTS, () =>
        HttpResponse.json(eventAnswer({ onlineMeeting: { joinUrl: 'https://teams.microsoft.com.evil.example/l/meetup-join/x' } }), {
          status: 201,
        }),
      ),
      http.delete(`${EVENTS}/:id`, ({ request }) => {
        sent.push({ method: request.method, url: request.url, body: {}, headers: request.headers });
        return new HttpResponse(null, { status: 204 });
      }),
    );
    expect((await failureOf(create())).code).toBe('vendor_nonsense');
    expect(sent.map(({ method }) => method)).toEqual(['DELETE']);
  });

  it('case 66: a retry finishes the meeting whose look-up failed, without a second event', async () => {
    const { vendor, create } = start();
    instead(http.get(MEETINGS, () => refusalWith(503, { error: { code: 'ServiceUnavailable', message: 'x' } }, { 'retry-after': '30' })));
    expect((await failureOf(create())).code).toBe('vendor_unavailable');
    expect(vendor.events()).toHaveLength(1);
    server.resetHandlers(...vendor.handlers);
    const meeting = await create({ retry: true });
    expect(vendor.events().map(({ id }) => id)).toEqual([meeting.details['eventId']]);
    expect(meeting.degraded).toEqual([]);
    server.resetHandlers();
  });

  it('waits a moment for a meeting that Teams does not know yet', async () => {
    const { create } = start();
    let asked = 0;
    instead(
      http.get(MEETINGS, () => {
        asked += 1;
        return asked === 1 ? HttpResponse.json({ value: [] }) : undefined;
      }),
    );
    expect((await create()).degraded).toEqual([]);
    expect(asked).toBe(2);
  });

  it('adopts the event of its key when Microsoft calls a repetition a conflict', async () => {
    const { vendor, create } = start();
    const first = await create();
    instead(http.post(EVENTS, () => refusalWith(409, { error: { code: 'ErrorConflict', message: 'x' } })));
    expect((await create()).id).toBe(first.id);
    expect(vendor.events()).toHaveLength(1);
  });

  it('does not adopt the event of somebody else at the same time', async () => {
    const { vendor, create } = start();
    const other = await create({ key: 'mtg_somebody_else' });
    const own = await create({ retry: true });
    expect(own.id).not.toBe(other.id);
    expect(vendor.events()).toHaveLength(2);
  });

  it('is there all the same when the tenant forbids its settings, and says which are missing', async () => {
    const { create } = start();
    instead(http.patch(`${MEETINGS}/:id`, () => refusalWith(403, { error: { code: 'Forbidden', message: 'policy' } })));
    expect((await create({ recordAutomatically: true })).degraded).toEqual(['open_access', 'record_automatically']);
  });

  it('G12 tells when a tenant records although it was told not to', async () => {
    const { create } = start();
    instead(
      http.patch(`${MEETINGS}/:id`, () =>
        HttpResponse.json({ lobbyBypassSettings: { scope: 'everyone' }, recordAutomatically: true, id: 'm', joinWebUrl: 'https://x' }),
      ),
    );
    expect((await create()).degraded).toEqual(['record_automatically']);
  });
});

describe('changing a Teams meeting', () => {
  const change = { title: 'Moved', startsAt: new Date('2026-12-02T08:30:00Z'), durationMinutes: 25, timeZone: 'Europe/Berlin' };

  it('writes times and subject only, never the body that holds the link', async () => {
    const { sent, provider, create } = start();
    const meeting = await create();
    sent.splice(0);
    await provider.changeMeeting(account(), meeting, change);
    expect(sent.map(({ method, body }) => ({ method, body }))).toEqual([
      {
        method: 'PATCH',
        body: {
          subject: 'Moved',
          start: { dateTime: '2026-12-02T08:30:00', timeZone: 'UTC' },
          end: { dateTime: '2026-12-02T08:55:00', timeZone: 'UTC' },
        },
      },
    ]);
  });

  it('calls an answer with another time nonsense', async () => {
    const { provider, create } = start();
    const meeting = await create();
    instead(
      http.patch(`${EVENTS}/:id`, () =>
        HttpResponse.json(eventAnswer({ start: { dateTime: '2026-12-01T10:00:00.0000000', timeZone: 'UTC' } })),
      ),
    );
    expect((await failureOf(provider.changeMeeting(account(), meeting, change))).code).toBe('vendor_nonsense');
  });

  it('refuses a meeting that the gateway did not make', async () => {
    const { sent, provider } = start();
    const foreign = { id: 'm1', joinUrl: 'https://teams.microsoft.com/meet/123', details: {} };
    expect((await failureOf(provider.cancelMeeting(account(), foreign))).code).toBe('not_capable');
    expect(sent).toEqual([]);
  });
});

describe('Graph over plain http, as in the sandbox', () => {
  it('sees the token all the same', async () => {
    const seen: (string | null)[] = [];
    server.use(
      http.delete('http://127.0.0.1:4010/v1.0/me/events/e1', ({ request }) => {
        seen.push(request.headers.get('authorization'));
        return new HttpResponse(null, { status: 204 });
      }),
    );
    const provider = teams({ graphUrl: 'http://127.0.0.1:4010' });
    await provider.cancelMeeting(account(), { id: 'm1', joinUrl: 'https://teams.microsoft.com/meet/123', details: { eventId: 'e1' } });
    expect(seen).toEqual(['Bearer token-1']);
  });

  it('does not follow a redirect with the token', async () => {
    const { provider, create } = start();
    const meeting = await create();
    instead(
      http.delete(`${EVENTS}/:id`, () => wrongOnPurpose('', 302, { location: 'https://evil.test/' })),
      http.all('https://evil.test/*', () => {
        throw new Error('followed');
      }),
    );
    await failureOf(provider.cancelMeeting(account(), meeting));
  });
});
