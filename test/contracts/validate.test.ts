import { readFileSync } from 'node:fs';
import { http, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadContract, type Spec } from './contract.ts';
import { guardContract, OUTSIDE_CONTRACT } from './validate.ts';

const server = setupServer();
beforeAll(() => server.listen({ onUnhandledRequest: 'error' }));
afterEach(() => {
  server.resetHandlers();
  server.events.removeAllListeners();
});
afterAll(() => server.close());

const MEETINGS = 'https://zoom.test/v2/users/me/meetings';
const guardZoom = () =>
  guardContract(server, {
    spec: 'zoom',
    origins: { 'https://zoom.test/v2': 'https://api.zoom.us/v2' },
    uncovered: ['https://zoom.test/oauth/'],
  });
const answerWith = (body: Record<string, unknown>, status = 201, headers = {}) =>
  server.use(http.post(MEETINGS, () => HttpResponse.json(body, { status, headers })));
const post = (body: unknown, url = MEETINGS) =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

describe('guardContract', () => {
  it('lets a documented request and a documented answer pass', async () => {
    const guard = guardZoom();
    answerWith({ id: 98_765_432_101, join_url: 'https://zoom.us/j/98765432101', settings: { auto_recording: 'cloud' } });
    await post({ topic: 'A talk', type: 2, start_time: '2026-11-20T10:00:00Z', settings: { auto_recording: 'none' } });
    await guard.settled();
    expect(guard.violations()).toEqual([]);
    expect(guard.exchanges()).toBe(1);
  });

  it.each([
    ['a value outside the enumeration', { settings: { auto_recording: 'clowd' } }, 'at /settings/auto_recording'],
    ['a wrong type', { duration: 'sixty' }, 'at /duration: must be integer'],
    ['a value above the maximum', { duration: 1_441 }, 'at /duration: must be <= 1440'],
    ['a misspelt member', { settings: { participants_video: true } }, 'participants_video'],
    ['a time that is none', { start_time: 'tomorrow' }, 'at /start_time'],
  ])('notices %s in a request', async (_, body, expected) => {
    const guard = guardZoom();
    answerWith({ id: 1 });
    await post(body);
    await guard.settled();
    expect(guard.violations()).toEqual([expect.stringContaining(expected)]);
  });

  it('notices an answer of another shape, and forgives it when it is marked', async () => {
    const guard = guardZoom();
    answerWith({ id: 'not a number', join_url: 7 });
    await post({ topic: 'A talk' });
    await guard.settled();
    expect(guard.violations()).toEqual([expect.stringContaining('at /id'), expect.stringContaining('at /join_url')]);

    guard.clear();
    answerWith({ id: 'not a number' }, 201, { [OUTSIDE_CONTRACT]: 'nonsense on purpose' });
    await post({ topic: 'A talk' });
    await guard.settled();
    expect(guard.violations()).toEqual([]);
  });

  it('notices an undocumented status, method, path and query parameter', async () => {
    const guard = guardZoom();
    server.use(http.all('https://zoom.test/*', () => HttpResponse.json({}, { status: 202 })));
    await post({ topic: 'A talk' });
    await fetch(MEETINGS, { method: 'DELETE' });
    await fetch('https://zoom.test/v2/users/me/gatherings');
    await fetch(`${MEETINGS}?page_sise=300`);
    await guard.settled();
    expect(guard.violations()).toEqual(
      expect.arrayContaining([
        expect.stringContaining('the answer 202 is not documented'),
        `DELETE ${MEETINGS} is not a documented operation`,
        'GET https://zoom.test/v2/users/me/gatherings is not a documented operation',
        expect.stringContaining('the query parameter "page_sise" is not documented'),
      ]),
    );
  });

  it('notices a body that is not JSON, a missing one, and one that nobody documented', async () => {
    const guard = guardZoom();
    server.use(
      http.all('https://zoom.test/v2/*', () =>
        HttpResponse.json({ id: 1 }, { status: 201, headers: { [OUTSIDE_CONTRACT]: 'not looked at' } }),
      ),
    );
    await fetch(MEETINGS, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'topic=A' });
    await fetch('https://zoom.test/v2/meetings/1', { method: 'DELETE', headers: { 'content-type': 'application/json' }, body: '{"a":1}' });
    await guard.settled();
    expect(guard.violations()).toEqual([expect.stringContaining('content type'), expect.stringContaining('none is documented')]);
  });

  it('leaves out what the published shapes do not cover, and only that', async () => {
    const guard = guardZoom();
    server.use(http.post('https://zoom.test/oauth/token', () => HttpResponse.json({ anything: true })));
    await fetch('https://zoom.test/oauth/token', { method: 'POST' });
    await guard.settled();
    expect([guard.violations(), guard.exchanges()]).toEqual([[], 0]);
  });

  it('tells apart the hosts of a vendor', async () => {
    const guard = guardContract(server, { spec: 'google' });
    server.use(
      http.all('https://meet.googleapis.com/*', () => HttpResponse.json({ name: 'spaces/a' })),
      http.all('https://www.googleapis.com/*', () => HttpResponse.json({ name: 'spaces/a' })),
    );
    await fetch('https://meet.googleapis.com/v2/spaces/abc');
    await fetch('https://www.googleapis.com/v2/spaces/abc');
    await guard.settled();
    expect(guard.violations()).toEqual(['GET https://www.googleapis.com/v2/spaces/abc is not a documented operation']);
  });
});

const fixture = (path: string): unknown => JSON.parse(readFileSync(new URL(`../fixtures/${path}`, import.meta.url), 'utf8'));
const bodyOf = (spec: Spec, id: string) => {
  const operation = loadContract(spec).operations.find((operation) => operation.id === id);
  if (operation === undefined) throw new Error(`no operation ${id}`);
  return operation;
};

describe('the documented payloads agree with the published shapes', () => {
  it.each([
    ['me.events.create', 'event-onlineMeeting-request.json'],
    ['me.onlineMeetings.create', 'onlineMeeting-create-request.json'],
    ['me.onlineMeetings.createOrGet', 'onlineMeeting-createOrGet-request.json'],
    ['subscriptions.create', 'subscription-create-request-recordings-user.json'],
    ['me.drive.items.createLink', 'createLink-request.json'],
  ])('Graph: the request of %s', (id, file) => {
    const schema = bodyOf('microsoft-graph', id).body?.content['application/json'];
    expect(loadContract('microsoft-graph').checkRequest(schema!, fixture(`microsoft-teams/${file}`))).toEqual([]);
  });

  it.each([
    ['me.events.create', '201', 'event-onlineMeeting-response.json'],
    ['me.onlineMeetings.create', '201', 'onlineMeeting-create-response.json'],
    ['me.onlineMeetings.createOrGet', '200', 'onlineMeeting-createOrGet-response.json'],
    ['subscriptions.create', '201', 'subscription-create-response.json'],
    ['me.drive.items.createLink', '201', 'createLink-response.json'],
    ['me.get', '200', 'me-response.json'],
    ['me.calendar.get', '200', 'calendar-response.json'],
    ['me.licenseDetails.list', '200', 'licenseDetails-response.json'],
    ['me.onlineMeetings.recordings.get', '200', 'recording-get-response.json'],
    ['me.onlineMeetings.recordings.list', '200', 'recordings-list-response.json'],
    ['users.onlineMeetings.getAllRecordings', '200', 'getAllRecordings-response.json'],
    ['me.drive.recordingsFolder.children', '200', 'drive-recordings-children.synthetic.json'],
    ['me.get', '429', 'error-429.json'],
    ['me.get', '403', 'error-applicationAccessPolicy.json'],
    ['subscriptions.create', '400', 'error-subscription-validation.json'],
  ])('Graph: the answer of %s with %s', (id, status, file) => {
    const schema = bodyOf('microsoft-graph', id).answers[status]?.['application/json'];
    expect(loadContract('microsoft-graph').checkAnswer(schema!, fixture(`microsoft-teams/${file}`))).toEqual([]);
  });

  it.each(
    Object.entries(fixture('google-meet/repo-errors.json') as Record<string, unknown>).filter(([name]) => /^(calendar|meet)_/.test(name)),
  )('Google: the error %s', (_, body) => {
    const schema = bodyOf('google', 'meet.spaces.get').answers['403']?.['application/json'];
    expect(loadContract('google').checkAnswer(schema!, body)).toEqual([]);
  });

  it('Google: the calendar event with a Meet conference', () => {
    const schema = bodyOf('google', 'calendar.events.get').answers['200']?.['application/json'];
    expect(loadContract('google').checkAnswer(schema!, fixture('google-meet/repo-calendar-event-hangoutsmeet.json'))).toEqual([]);
  });

  it.each([
    'meeting.created',
    'meeting.deleted',
    'meeting.started',
    'meeting.ended',
    'recording.started',
    'recording.stopped',
    'recording.completed',
  ])('Zoom: the event %s', (event) => {
    const contract = loadContract('zoom');
    expect(contract.checkAnswer(contract.webhooks[event]!, fixture(`zoom/${event}.json`))).toEqual([]);
  });

  // So nothing that a schema calls required may be relied on when such an event is read.
  it.each(['recording.transcript_completed', 'recording.trashed', 'recording.deleted', 'recording.recovered'])(
    "Zoom: the event %s, whose documented example lacks members that Zoom's own schema requires, has the right types",
    (event) => {
      const contract = loadContract('zoom');
      const errors = contract.checkAnswer(contract.webhooks[event]!, fixture(`zoom/${event}.json`));
      expect(errors.length).toBeGreaterThan(0);
      for (const error of errors) expect(error).toMatch(/must (have required property|NOT have additional properties)/);
    },
  );
});
