import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { account, teams } from './options.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serve(listener: RequestListener): Promise<string> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => {
    started.listen(0, '127.0.0.1', resolve);
  });
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
}

const open = (graphUrl: string, signal: AbortSignal) =>
  teams({ graphUrl }).recordings.open(account(), {
    meeting: { id: 'm1', joinUrl: 'https://teams.microsoft.com/meet/123', details: {} },
    recordingId: 'r1',
    fileId: 'content',
    range: undefined,
    signal,
  });

// With a real server and the real fetch: what an intercepted one cannot show.
describe('streaming a recording', () => {
  it('passes on the first bytes while Microsoft still sends', async () => {
    let finish = () => {};
    const graphUrl = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'video/mp4' }).write('first');
      finish = () => response.end('last');
    });
    const reader = (await open(graphUrl, new AbortController().signal)).body.getReader();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('first');
    finish();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('last');
    expect((await reader.read()).done).toBe(true);
  });

  it('case 114: lets go of Microsoft when the viewer leaves', async () => {
    let left = () => {};
    const closed = new Promise<void>((resolve) => {
      left = resolve;
    });
    const graphUrl = await serve((_, response) => {
      response.on('close', left).writeHead(200, { 'content-type': 'video/mp4' }).write('first');
    });
    const leaving = new AbortController();
    const reader = (await open(graphUrl, leaving.signal)).body.getReader();
    expect((await reader.read()).done).toBe(false);
    leaving.abort();
    await closed;
    await expect(reader.read()).rejects.toMatchObject({ name: 'AbortError' });
  });
});
