/** Over real sockets on loopback: what a film does when it is long, elsewhere, or left by its viewer. */
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { failureOf, textOf } from '../conformance/provider.ts';
import { testAccount } from '../support/account.ts';
import { googleMeet, WORKSPACE } from './google-meet.options.ts';

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(
    servers.splice(0).map(async (server) => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }),
  );
});

async function listening(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const film = (response: ServerResponse, body = 'film') => response.writeHead(200, { 'content-type': 'video/mp4' }).end(body);
const open = ({
  apiUrl,
  mediaOrigins = [],
  account = testAccount(WORKSPACE),
  signal = new AbortController().signal,
  range,
  fileId = '1kuceFZohVoCh6FulBHxwy6I15Ogpc4hP',
}: {
  apiUrl: string;
  mediaOrigins?: readonly string[];
  account?: ReturnType<typeof testAccount>;
  signal?: AbortSignal;
  range?: string;
  fileId?: string;
}) =>
  googleMeet({ apiUrl, mediaOrigins }).recordings.open(account, {
    meeting: { id: 'spaces/x', joinUrl: 'https://meet.google.com/aaa-mnop-xyz', details: {} },
    recordingId: 'conferenceRecords/c/recordings/r',
    fileId,
    range,
    signal,
  });

describe('the film in Google Drive', () => {
  it('is asked for with the range and the token, uncompressed', async () => {
    const seen: unknown[] = [];
    const apiUrl = await listening((request, response) => {
      const { authorization, range, 'accept-encoding': encoding } = request.headers;
      seen.push([request.url, authorization, range, encoding]);
      response.writeHead(206, { 'content-type': 'video/mp4', 'content-length': '3', 'content-range': 'bytes 0-2/9' }).end('fil');
    });
    const media = await open({ apiUrl, range: 'bytes=0-2' });
    expect(media).toMatchObject({ status: 206, contentType: 'video/mp4', contentLength: 3, contentRange: 'bytes 0-2/9' });
    expect(await textOf(media.body)).toBe('fil');
    expect(seen).toEqual([['/drive/v3/files/1kuceFZohVoCh6FulBHxwy6I15Ogpc4hP?alt=media', 'Bearer token-1', 'bytes=0-2', 'identity']]);
  });

  it('case 71: is asked for again with a fresh token when the first one is refused', async () => {
    const apiUrl = await listening((request, response) => {
      if (request.headers.authorization === 'Bearer token-2') film(response);
      else response.writeHead(401).end();
    });
    const account = testAccount(WORKSPACE);
    expect(await textOf((await open({ apiUrl, account })).body)).toBe('film');
    expect(account.refreshes()).toBe(1);
  });

  it('case 105: is followed to a known place, and the token stays behind', async () => {
    const seen: (string | undefined)[] = [];
    const elsewhere = await listening((request, response) => {
      seen.push(request.headers.authorization, request.headers.range);
      film(response);
    });
    const apiUrl = await listening((_, response) => response.writeHead(302, { location: `${elsewhere}/film` }).end());
    expect(await textOf((await open({ apiUrl, mediaOrigins: [elsewhere], range: 'bytes=0-' })).body)).toBe('film');
    expect(seen).toEqual([undefined, 'bytes=0-']);
  });

  it.each([
    'http://127.0.0.1:1/film',
    'https://www.googleapis.com.evil.example/',
    'https://evil-googleapis.com/',
    'http://storage.googleapis.com/',
    'https://storage.googleapis.com:8443/',
    'https://user@storage.googleapis.com/',
    'https://:password@storage.googleapis.com/',
    'https://storage.googleapis.com.:443/',
    'https://storage.googleapis.com@evil.example/',
    'http://169.254.169.254/latest/meta-data',
    'http://metadata.google.internal/',
    'file:///etc/passwd',
    '//evil.example/',
    'http://[',
  ])('case 105: is not followed to %s', async (location) => {
    const apiUrl = await listening((_, response) => response.writeHead(302, { location }).end());
    expect((await failureOf(open({ apiUrl }))).code).toBe('vendor_nonsense');
  });

  it('is not followed in circles', async () => {
    let requests = 0;
    const apiUrl = await listening((_, response) => {
      requests += 1;
      response.writeHead(302, { location: '/again' }).end();
    });
    expect((await failureOf(open({ apiUrl }))).code).toBe('vendor_nonsense');
    expect(requests).toBe(4);
  });

  it('is never a page that would run on our own origin', async () => {
    const apiUrl = await listening((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<script>'));
    expect((await failureOf(open({ apiUrl }))).code).toBe('vendor_nonsense');
  });

  it.each([
    [404, {}, 'gone'],
    [403, { error: { code: 403, message: 'x', errors: [{ reason: 'insufficientPermissions' }] } }, 'not_capable'],
    [403, { error: { code: 403, message: 'x', errors: [{ reason: 'downloadQuotaExceeded' }] } }, 'vendor_quota'],
    [403, { error: { code: 403, message: 'x', errors: [{ reason: 'cannotDownloadFile' }] } }, 'vendor_refused'],
    [429, {}, 'vendor_quota'],
    [503, {}, 'vendor_unavailable'],
  ])('names a refusal: %d %o is %s', async (status, body, code) => {
    const apiUrl = await listening((_, response) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
    );
    expect((await failureOf(open({ apiUrl }))).code).toBe(code);
  });

  it('is not asked for by an id that would change the path', async () => {
    expect((await failureOf(open({ apiUrl: 'http://127.0.0.1:1', fileId: '../../calendar/v3/x' }))).code).toBe('gone');
  });

  it('starts before it has ended, and its connection closes when the viewer leaves', async () => {
    let closed!: () => void;
    const left = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const apiUrl = await listening((_, response) => {
      response.on('close', closed);
      response.writeHead(200, { 'content-type': 'video/mp4' }).write('the first minute');
    });
    const viewer = new AbortController();
    const media = await open({ apiUrl, signal: viewer.signal });
    const reader = media.body.getReader();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('the first minute');
    viewer.abort();
    await left;
    await expect(reader.read()).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('an answer of an API', () => {
  it('case 65: is not read on when it is larger than any real one', async () => {
    const apiUrl = await listening((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(`{"x":"${'x'.repeat(6_000_000)}"}`);
    });
    const meeting = { id: 'spaces/x', joinUrl: 'https://meet.google.com/aaa-mnop-xyz', details: {} };
    const failure = await failureOf(googleMeet({ apiUrl }).recordings.list(testAccount(WORKSPACE), meeting));
    expect([failure.code, failure.message]).toEqual(['vendor_nonsense', 'The answer of the vendor is too large.']);
  });

  it('case 105: is not looked for elsewhere, where the token would go along', async () => {
    let followed = false;
    const elsewhere = await listening((_, response) => {
      followed = true;
      response.end('{}');
    });
    const apiUrl = await listening((_, response) => response.writeHead(307, { location: elsewhere }).end());
    const meeting = { id: 'spaces/x', joinUrl: 'https://meet.google.com/aaa-mnop-xyz', details: {} };
    await failureOf(googleMeet({ apiUrl }).recordings.list(testAccount(WORKSPACE), meeting));
    expect(followed).toBe(false);
  });
});
