import { http, HttpResponse } from 'msw';
import { describe, expect, it } from 'vitest';
import type { MediaRequest } from '../../../providers/provider.ts';
import { failureOf, guardedServer, refusalWith, textOf, wrongOnPurpose } from '../../conformance/provider.ts';
import { account, CONTRACT, fixture, PERSONAL, teams } from './options.ts';
import { GRAPH } from './stand-in.ts';

const server = guardedServer({ contract: CONTRACT });
const LIST = `${GRAPH}/v1.0/me/onlineMeetings/m1/recordings`;
const CONTENT = `${LIST}/r1/content`;
const SHAREPOINT = 'https://contoso-my.sharepoint.com/personal/adelev/download.aspx';
const meeting = { id: 'm1', joinUrl: 'https://teams.microsoft.com/meet/123', details: { eventId: 'e1' } };
const documented = JSON.parse(fixture('recordings-list-response.json').toString()) as { value: object[] };
const wanted = (overrides: Partial<MediaRequest> = {}): MediaRequest => ({
  meeting,
  recordingId: 'r1',
  fileId: 'content',
  range: undefined,
  signal: new AbortController().signal,
  ...overrides,
});
const video = (text: string, init: ResponseInit = {}) =>
  new HttpResponse(text, { ...init, headers: { 'content-type': 'video/mp4', ...(init.headers as Record<string, string>) } });

describe('the list of recordings', () => {
  it('reads the documented answer', async () => {
    server.use(http.get(LIST, () => HttpResponse.json(documented)));
    expect(await teams().recordings.list(account(), meeting)).toEqual([
      {
        id: '7e31db25-bc6e-4fd8-96c7-e01264e9b6fc',
        state: 'ready',
        startedAt: new Date('2023-04-10T08:13:17.599Z'),
        endedAt: null,
        files: [{ id: 'content', kind: 'video', contentType: 'video/mp4', bytes: null }],
      },
    ]);
  });

  it('goes on to the next page, with its query', async () => {
    server.use(
      http.get(LIST, ({ request }) =>
        new URL(request.url).searchParams.get('$skiptoken') === 'a+b'
          ? HttpResponse.json({ value: [{ id: 'r2', createdDateTime: '2026-11-20T10:00:00Z' }] })
          : HttpResponse.json({ ...documented, '@odata.nextLink': `${LIST}?$skiptoken=a%2Bb` }),
      ),
    );
    const recordings = await teams().recordings.list(account(), meeting);
    expect(recordings.map(({ id }) => id)).toEqual(['7e31db25-bc6e-4fd8-96c7-e01264e9b6fc', 'r2']);
  });

  it('case 105: does not carry the token to a next page elsewhere', async () => {
    server.use(http.get(LIST, () => HttpResponse.json({ ...documented, '@odata.nextLink': 'https://graph.test.evil.example/v1.0/x' })));
    expect((await failureOf(teams().recordings.list(account(), meeting))).code).toBe('vendor_nonsense');
  });

  it('is empty for a meeting that has expired, and for a personal account without asking', async () => {
    server.use(http.get(LIST, () => HttpResponse.json({ error: { code: 'NotFound', message: 'x' } }, { status: 404 })));
    expect(await teams().recordings.list(account(), meeting)).toEqual([]);
    server.resetHandlers();
    expect(await teams().recordings.list(account({ organisation: PERSONAL }), meeting)).toEqual([]);
  });
});

describe('the bytes of a recording', () => {
  it('case 114: are all given, and called so, where Microsoft does not honour the range', async () => {
    server.use(http.get(CONTENT, () => video('whole', { headers: { 'content-length': '5' } })));
    const media = await teams().recordings.open(account(), wanted({ range: 'bytes=2-3' }));
    expect([media.status, media.contentRange, media.contentLength, await textOf(media.body)]).toEqual([200, null, 5, 'whole']);
  });

  it('are asked for unencoded, with one fresh token after a 401', async () => {
    const seen: (string | null)[] = [];
    server.use(
      http.get(CONTENT, ({ request }) => {
        const token = request.headers.get('authorization');
        seen.push(token, request.headers.get('accept-encoding'));
        return token === 'Bearer token-2' ? video('x') : refusalWith(401, { error: { code: 'InvalidAuthenticationToken', message: 'x' } });
      }),
    );
    expect(await textOf((await teams().recordings.open(account(), wanted())).body)).toBe('x');
    expect(seen).toEqual(['Bearer token-1', 'identity', 'Bearer token-2', 'identity']);
  });

  it('case 105: come from SharePoint by a redirect, which gets the range but never the token', async () => {
    const seen: Record<string, string | null>[] = [];
    server.use(
      http.get(CONTENT, () => new HttpResponse(null, { status: 302, headers: { location: `${SHAREPOINT}?tempauth=x` } })),
      http.get(SHAREPOINT, ({ request }) => {
        seen.push({ authorization: request.headers.get('authorization'), range: request.headers.get('range') });
        return video('ole', { status: 206, headers: { 'content-range': 'bytes 2-4/5' } });
      }),
    );
    const media = await teams().recordings.open(account(), wanted({ range: 'bytes=2-4' }));
    expect([media.status, media.contentRange, await textOf(media.body)]).toEqual([206, 'bytes 2-4/5', 'ole']);
    expect(seen).toEqual([{ authorization: null, range: 'bytes=2-4' }]);
  });

  it('come from a configured origin by a redirect', async () => {
    server.use(
      http.get(CONTENT, () => new HttpResponse(null, { status: 302, headers: { location: 'https://media.test/r1' } })),
      http.get('https://media.test/r1', () => video('x')),
    );
    const provider = teams({ mediaOrigins: ['https://media.test'] });
    expect((await provider.recordings.open(account(), wanted())).status).toBe(200);
  });

  it.each([
    'https://evil.example/x',
    'http://contoso-my.sharepoint.com/x',
    'https://contoso-my.sharepoint.com.evil.example/x',
    'https://evilsharepoint.com/x',
    'https://user@contoso-my.sharepoint.com/x',
    'https://:password@contoso-my.sharepoint.com/x',
    'https://contoso-my.sharepoint.com:8443/x',
    'https://contoso-my.sharepoint.com./x',
    'https://media.test/r1',
    'http://169.254.169.254/latest/meta-data',
    'file:///etc/passwd',
    'http://[bad',
  ])('case 105: are not fetched from %s', async (location) => {
    server.use(http.get(CONTENT, () => new HttpResponse(null, { status: 302, headers: { location } })));
    expect((await failureOf(teams().recordings.open(account(), wanted()))).code).toBe('vendor_nonsense');
  });

  it('end after a few redirects', async () => {
    server.use(http.get(CONTENT, () => new HttpResponse(null, { status: 302, headers: { location: CONTENT } })));
    expect((await failureOf(teams().recordings.open(account(), wanted()))).code).toBe('vendor_nonsense');
  });

  it.each([
    ['text/html', '<script>'],
    ['application/json', '{}'],
    ['image/svg+xml', '<svg>'],
  ])('are not passed on when they are %s', async (contentType, body) => {
    server.use(http.get(CONTENT, () => wrongOnPurpose(body, 200, { 'content-type': contentType })));
    expect((await failureOf(teams().recordings.open(account(), wanted()))).code).toBe('vendor_nonsense');
  });

  it.each([
    [403, 'vendor_refused'],
    [404, 'gone'],
    [429, 'vendor_quota'],
    [503, 'vendor_unavailable'],
  ])('have a named failure for %i', async (status, code) => {
    server.use(http.get(CONTENT, () => refusalWith(status, { error: { code: 'X', message: 'x' } })));
    expect((await failureOf(teams().recordings.open(account(), wanted()))).code).toBe(code);
  });
});
