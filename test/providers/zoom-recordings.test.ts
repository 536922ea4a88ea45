import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { http, HttpResponse, passthrough } from 'msw';
import { describe, expect, it } from 'vitest';
import type { ZoomOptions } from '../../providers/zoom/index.ts';
import { recordingCache } from '../../providers/zoom/recording-cache.ts';
import { escapeUuid } from '../../providers/zoom/uuid.ts';
import { DAY, HOUR, MINUTE, plus } from '../../src/domain/time.ts';
import { failureOf, guardedServer, textOf, wrongOnPurpose } from '../conformance/provider.ts';
import { testAccount } from '../support/account.ts';
import { API, CONTRACT, MEDIA, NOW, startZoom, videoFile } from './zoom-vendor.ts';

const server = guardedServer({ contract: CONTRACT });

describe('Zoom recordings', () => {
  const startRecorded = async (overrides: Partial<ZoomOptions> = {}) => {
    const started = await startZoom(server, overrides);
    started.vendor.record(started.meeting.id, { state: 'ready', content: Buffer.from('content'), contentType: 'video/mp4' });
    return started;
  };
  const open = (
    { provider, account, meeting }: Awaited<ReturnType<typeof startZoom>>,
    uuid = 'inst1==',
    fileId = 'file-1',
    range?: string,
    signal = new AbortController().signal,
  ) => provider.recordings.open(account, { meeting, recordingId: uuid, fileId, range, signal });

  it('cover every instance of a meeting that was cut off and started again, the earliest first', async () => {
    const started = await startRecorded();
    const meetingId = Number(started.meeting.id);
    started.vendor.recorded.unshift(
      {
        meetingId,
        uuid: 'early==',
        startTime: '2026-11-20T08:00:00Z',
        files: [videoFile('early', { recording_start: '2026-11-20T08:00:00Z' })],
      },
      { meetingId: meetingId + 1, uuid: 'foreign==', startTime: '2026-11-20T08:00:00Z', files: [videoFile('foreign')] },
    );
    const recordings = await started.provider.recordings.list(started.account, started.meeting);
    expect(recordings.map(({ id }) => id)).toEqual(['early==', 'inst1==']);
  });

  it('are asked for by months, around the latest instance when that is long ago', async () => {
    const started = await startRecorded({ now: () => plus(NOW, 60 * DAY) });
    await started.provider.recordings.list(started.account, started.meeting);
    expect(started.vendor.log.filter((line) => line.startsWith('GET /users/me/recordings'))).toEqual([
      'GET /users/me/recordings?from=2026-12-21&to=2027-01-20&page_size=300',
      'GET /users/me/recordings?from=2026-10-22&to=2026-11-21&page_size=300',
    ]);
  });

  it('G13 are processing while a video or sound file is, and name no file without an id', async () => {
    const started = await startRecorded();
    const files = (status: string) => [
      videoFile('a'),
      videoFile('b', { status }),
      { file_type: 'TIMELINE', download_url: `${MEDIA}/rec/download/t` },
    ];
    const listedWith = async (status: string) => {
      const meetings = [
        { uuid: 'inst1==', id: Number(started.meeting.id), start_time: '2026-11-20T09:00:00Z', recording_files: files(status) },
      ];
      server.use(
        http.get(`${API}/users/me/recordings`, () => wrongOnPurpose(JSON.stringify({ meetings }))),
        http.get(`${API}/meetings/:id/recordings`, () => wrongOnPurpose(JSON.stringify(meetings[0]))),
      );
      return started.provider.recordings.list(started.account, started.meeting);
    };
    expect(await listedWith('processing')).toEqual([expect.objectContaining({ state: 'processing', files: [] })]);
    const [ready] = await listedWith('completed');
    expect([ready?.state, ready?.files.map(({ id }) => id)]).toEqual(['ready', ['a', 'b']]);
  });

  it.each([
    ['4444AAAiAAAAAiAiAiiAii==', '4444AAAiAAAAAiAiAiiAii%3D%3D'],
    ['a/b+c==', 'a%2Fb%2Bc%3D%3D'],
    ['/ajXp112QmuoKj4854875==', '%252FajXp112QmuoKj4854875%253D%253D'],
    ['a//b==', 'a%252F%252Fb%253D%253D'],
  ])('are addressed by a uuid that is escaped once or twice, as Zoom asks: %s', (uuid, escaped) => {
    expect(escapeUuid(uuid)).toBe(escaped);
  });

  it('are opened by a uuid with slashes', async () => {
    const started = await startRecorded();
    started.vendor.recorded.push({
      meetingId: Number(started.meeting.id),
      uuid: '/a//b==',
      startTime: '2026-11-20T09:00:00Z',
      files: [videoFile('slashed')],
    });
    expect(await textOf((await open(started, '/a//b==', 'slashed')).body)).toBe('content');
    expect(started.vendor.log.at(-1)).toBe(
      'GET /meetings/%252Fa%252F%252Fb%253D%253D/recordings?include_fields=download_access_token&ttl=3600',
    );
  });

  it('are looked up once for the ranges of one viewing, and again when the kept address is refused', async () => {
    let moment = NOW;
    const started = await startRecorded({ now: () => moment });
    const lookups = () => started.vendor.log.filter((line) => line.includes('include_fields')).length;
    for (const range of ['bytes=0-1', 'bytes=2-3']) await textOf((await open(started, 'inst1==', 'file-1', range)).body);
    expect(lookups()).toBe(1);

    let refusals = 0;
    server.use(http.get(`${MEDIA}/rec/download/*`, () => (refusals++ === 0 ? new HttpResponse(null, { status: 403 }) : undefined)));
    expect(await textOf((await open(started)).body)).toBe('content');
    expect([lookups(), refusals]).toEqual([2, 2]);

    moment = plus(NOW, HOUR);
    await textOf((await open(started)).body);
    expect(lookups()).toBe(3);
  });

  it('case 105: give the token to the host that it was made for and to no other', async () => {
    const started = await startRecorded();
    const seen: (string | null)[] = [];
    server.use(
      http.get(`${MEDIA}/rec/download/file-1`, () => HttpResponse.redirect(`${MEDIA}/rec/next`, 302)),
      http.get(`${MEDIA}/rec/next`, ({ request }) => {
        seen.push(request.headers.get('authorization'));
        return HttpResponse.redirect('https://files.zoom.us/object', 302);
      }),
      http.get('https://files.zoom.us/object', ({ request }) => {
        seen.push(request.headers.get('authorization'), request.headers.get('range'));
        return new HttpResponse('content');
      }),
    );
    expect(await textOf((await open(started, 'inst1==', 'file-1', 'bytes=0-')).body)).toBe('content');
    expect(seen).toEqual(['Bearer download-token', null, 'bytes=0-']);
  });

  it.each([
    'https://zoom.us.evil.example/f',
    'https://evil-zoom.us/f',
    'https://zoom.us@evil.example/f',
    'https://user:password@zoom.us/f',
    'https://zoom.us:8443/f',
    'http://zoom.us/f',
    'http://169.254.169.254/latest/meta-data',
    'file:///etc/passwd',
    'javascript:alert(1)',
    '//evil.example/f',
    '',
  ])('case 105: are not fetched from %s, neither at once nor after a redirect', async (address) => {
    const started = await startRecorded();
    server.use(
      http.get(
        `${MEDIA}/rec/download/file-1`,
        () => new HttpResponse(null, { status: 302, headers: { location: address === '' ? 'https://' : address } }),
      ),
    );
    expect((await failureOf(open(started))).code).toBe('vendor_nonsense');

    started.vendor.recorded[0]!.files[0]!['download_url'] = address;
    const fresh = { ...started, account: testAccount({ id: 'another' }) };
    expect((await failureOf(open(fresh))).code).toBe('vendor_nonsense');
  });

  it('are not served from what was kept once they are deleted', async () => {
    const started = await startRecorded();
    await open(started);
    const looks = () => started.vendor.log.filter((line) => /^GET \/meetings\/[^/]+\/recordings/.test(line)).length;
    const before = looks();
    await open(started);
    expect(looks()).toBe(before);
    await started.provider.recordings.removal!.remove(started.account, { meeting: started.meeting, recordingId: 'inst1==' });
    expect((await failureOf(open(started))).code).toBe('gone');
    expect(looks()).toBe(before + 1);
  });

  it('are kept in memory for five minutes, and not until somebody asks for the same one again', () => {
    let at = NOW;
    const cache = recordingCache<string>(() => at);
    for (const key of ['a', 'b']) cache.set(key, 'token');
    at = plus(at, 4 * MINUTE);
    cache.set('c', 'token');
    expect([cache.size, cache.get('a')]).toEqual([3, 'token']);
    at = plus(at, MINUTE);
    cache.set('d', 'token');
    expect([cache.size, cache.get('a'), cache.get('c')]).toEqual([2, undefined, 'token']);
    for (let index = 0; index < 500; index += 1) cache.set(String(index), 'token');
    expect(cache.size).toBe(200);
  });

  it('do not follow redirects for ever', async () => {
    const started = await startRecorded();
    let hops = 0;
    server.use(
      http.get(`${MEDIA}/rec/download/file-1`, () => {
        hops += 1;
        return HttpResponse.redirect(`${MEDIA}/rec/download/file-1`, 302);
      }),
    );
    expect((await failureOf(open(started))).code).toBe('vendor_nonsense');
    expect(hops).toBe(6);
  });

  it.each([
    [
      'a sign-in page with a 200',
      () => new HttpResponse('<html></html>', { headers: { 'content-type': 'text/html; charset=utf-8' } }),
      'vendor_nonsense',
    ],
    ['a refusal of a fresh address', () => new HttpResponse(null, { status: 401 }), 'vendor_refused'],
    ['a missing file', () => new HttpResponse(null, { status: 404 }), 'gone'],
    ['an outage', () => new HttpResponse(null, { status: 503 }), 'vendor_unavailable'],
    ['a rate limit', () => new HttpResponse(null, { status: 429 }), 'vendor_quota'],
    ['a lost connection', () => HttpResponse.error(), 'vendor_unavailable'],
  ])('name %s', async (_, answer, code) => {
    const started = await startRecorded();
    server.use(http.get(`${MEDIA}/rec/download/file-1`, answer));
    expect((await failureOf(open(started))).code).toBe(code);
  });

  it('case 114: stop the download at Zoom as soon as the viewer leaves', async () => {
    let closed!: () => void;
    const upstreamClosed = new Promise<void>((resolve) => (closed = resolve));
    const media = createServer((request, response) => {
      response.writeHead(200, { 'content-type': 'video/mp4' });
      const timer = setInterval(() => response.write(Buffer.alloc(64)), 5);
      request.socket.on('close', () => {
        clearInterval(timer);
        closed();
      });
    });
    await new Promise<void>((resolve) => media.listen(0, '127.0.0.1', resolve));
    try {
      const origin = `http://127.0.0.1:${(media.address() as AddressInfo).port}`;
      const started = await startRecorded({ mediaOrigins: [origin] });
      server.use(http.get(`${origin}/*`, () => passthrough()));
      started.vendor.recorded[0]!.files[0]!['download_url'] = `${origin}/file`;
      const viewer = new AbortController();
      const reader = (await open(started, 'inst1==', 'file-1', undefined, viewer.signal)).body.getReader();
      expect((await reader.read()).done).toBe(false);
      viewer.abort();
      await upstreamClosed;
    } finally {
      media.closeAllConnections();
      media.close();
    }
  });
});
