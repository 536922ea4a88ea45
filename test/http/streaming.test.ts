import { createServer, request, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { CASTS, playStory } from '../../demo/story.ts';
import type { World } from '../../demo/world.ts';
import { sampleVideo } from '../../sandbox/video.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { calls, databaseOf, DAY, everythingStored, fault, MINUTE, must } from '../support/gateway.ts';
import { testWorld } from '../support/world.ts';

const ZOOM = CASTS.find(({ provider }) => provider === 'zoom')!;
const DOWNLOAD = /^\/rec\/download\//;
const VIDEO = Buffer.from(sampleVideo());
const MB = 2 ** 20;

/** Zoom's downloads come from here instead of the sandbox, which answers with small files only. */
async function downloadsFrom(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const real = globalThis.fetch;
  const spy = vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    return DOWNLOAD.test(url.pathname) ? real(`http://127.0.0.1:${port}${url.pathname}`, init) : real(input, init);
  });
  onTestFinished(() => {
    spy.mockRestore();
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${port}`;
}

/** The head of the answer; the body is not read before somebody does. */
const open = (url: string, headers: Record<string, string> = {}): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { headers, agent: false }, resolve).on('error', reject).end();
    onTestFinished(() => void sent.destroy());
  });

/** How much came before it ended, and whether it ended as it should. */
async function drain(message: IncomingMessage): Promise<{ bytes: number; whole: boolean }> {
  let bytes = 0;
  try {
    for await (const chunk of message) bytes += (chunk as Buffer).length;
  } catch {
    return { bytes, whole: false };
  }
  return { bytes, whole: message.complete };
}

const published = async (): Promise<{ world: World; media: string }> => {
  const world = await testWorld();
  const { link } = await playStory(world, ZOOM, () => {});
  return { world, media: `${link}/media` };
};

describe('the stream of a recording', { timeout: 60_000 }, () => {
  it('case 114: gives the bytes of any range as the vendor has them', async () => {
    const { media } = await published();
    const place = fc.nat({ max: VIDEO.length + 1_000 });
    const ranges = fc.oneof(
      fc.tuple(place, place).map(([a, b]) => `bytes=${Math.min(a, b)}-${Math.max(a, b)}`),
      place.map((from) => `bytes=${from}-`),
      place.filter((count) => count > 0).map((count) => `bytes=-${count}`),
    );
    await fc.assert(
      fc.asyncProperty(ranges, async (range) => {
        const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(range)!;
        const first = from === '' ? Math.max(VIDEO.length - Number(to), 0) : Number(from);
        const last = from === '' || to === '' ? VIDEO.length - 1 : Math.min(Number(to), VIDEO.length - 1);
        const there = first < VIDEO.length;
        const answer = await fetch(media, { headers: { range } });
        const body = Buffer.from(await answer.arrayBuffer());
        expect([answer.status, answer.headers.get('content-range')]).toEqual(
          there ? [206, `bytes ${first}-${last}/${VIDEO.length}`] : [416, `bytes */${VIDEO.length}`],
        );
        expect(body.equals(there ? VIDEO.subarray(first, last + 1) : Buffer.alloc(0))).toBe(true);
        // Of a 416 the vendor need not say a length.
        expect(answer.headers.get('content-length') ?? String(body.length)).toBe(String(body.length));
      }),
      { numRuns: 40 },
    );
  });

  it('case 114: lets go of the vendor when the viewer leaves, every time', async () => {
    const { media } = await published();
    let opened = 0;
    let closed = 0;
    await downloadsFrom((_, response) => {
      opened += 1;
      response.on('close', () => (closed += 1)).writeHead(200, { 'content-type': 'video/mp4', 'content-length': 1_000 * MB });
      response.write(Buffer.alloc(MB));
    });
    for (let count = 1; count <= 5; count += 1) {
      const viewer = await open(media);
      await new Promise((resolve) => viewer.once('data', resolve));
      expect(opened).toBe(count);
      viewer.destroy();
      await vi.waitFor(() => expect(closed).toBe(count));
    }
  });

  it('case 114: reads no faster at the vendor than the viewer does', async () => {
    const { media } = await published();
    const block = Buffer.alloc(64 * 1_024);
    let sent = 0;
    await downloadsFrom((_, response) => {
      response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': 200 * MB });
      const more = (): void => {
        while (sent < 200 * MB) {
          sent += block.length;
          if (!response.write(block)) return;
        }
        response.end();
      };
      response.on('drain', more);
      more();
    });
    const viewer = await open(media);
    // What fits into the buffers of the sockets; then it stands still.
    let before = -1;
    await vi.waitFor(
      () => {
        const now = sent;
        const still = now === before && now > 0;
        before = now;
        expect(still).toBe(true);
      },
      { interval: 300, timeout: 10_000 },
    );
    expect(sent).toBeLessThan(40 * MB);
    expect(await drain(viewer)).toEqual({ bytes: 200 * MB, whole: true });
    expect(sent).toBe(200 * MB);
  });

  it.each([
    ['with a length', { 'content-length': String(2 * MB) }],
    ['without a length', {}],
  ])('case 114: breaks the connection when the vendor dies in the middle, %s', async (_, length) => {
    const { media } = await published();
    const printed = (['log', 'info', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name));
    await downloadsFrom((__, response) => {
      response.writeHead(200, { 'content-type': 'video/mp4', ...length });
      response.write(Buffer.alloc(MB), () => response.destroy());
    });
    const { bytes, whole } = await drain(await open(media));
    expect(whole).toBe(false);
    // Nor is anything put in place of what is missing.
    expect(bytes).toBeLessThanOrEqual(MB);
    for (const spy of printed) expect(spy).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });

  it('case 114: asks Zoom for a fresh token once when the one in use has run out between two ranges', async () => {
    const { world, media } = await published();
    const looks = (): number => calls(world, 'zoom', 'GET', /^\/v2\/meetings\/.+\/recordings$/).length;
    expect((await fetch(media, { headers: { range: 'bytes=0-9' } })).status).toBe(206);
    const before = looks();
    fault(world, 'zoom', 'GET', '/rec/download/', { status: 401 });
    const second = await fetch(media, { headers: { range: 'bytes=10-19' } });
    expect([second.status, Buffer.from(await second.arrayBuffer())]).toEqual([206, VIDEO.subarray(10, 20)]);
    expect(looks()).toBe(before + 1);

    fault(world, 'zoom', 'GET', '/rec/download/', { status: 401 }, 2);
    expect((await fetch(media, { headers: { range: 'bytes=20-29' } })).status).toBeGreaterThanOrEqual(400);
    expect(looks()).toBe(before + 2);
  });

  it('case 105: follows no redirect to a host that is not the vendor’s, and shows it no token', async () => {
    const { world, media } = await published();
    const heard: (string | undefined)[] = [];
    const foreign = createServer((incoming, response) => {
      heard.push(incoming.headers.authorization);
      response.end('x');
    });
    await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void foreign.close());
    const { port } = foreign.address() as AddressInfo;
    for (const location of [`http://127.0.0.1:${port}/rec/download/x`, 'https://zoom.us.evil.example/x', 'https://evil-zoom.us/x']) {
      fault(world, 'zoom', 'GET', '/rec/download/', { status: 302, headers: { location } });
      expect((await fetch(media)).status, location).toBe(502);
    }
    expect(heard).toEqual([]);
  });

  it('C04 passes on no header of the vendor', async () => {
    const { media } = await published();
    await downloadsFrom((_, response) => {
      response.writeHead(200, {
        'content-type': 'video/mp4',
        'content-length': 4,
        'set-cookie': 'vendor=1',
        'x-zm-trackingid': 'v=2.0',
        'content-disposition': 'attachment; filename="GMT20261120_Recording.mp4"',
        etag: '"vendor"',
        'access-control-allow-origin': '*',
        'content-security-policy': 'default-src *',
      });
      response.end('film');
    });
    const answer = await fetch(media);
    expect(await answer.text()).toBe('film');
    expect(JSON.stringify([...answer.headers])).not.toMatch(/vendor|x-zm|GMT2026|"\*"|default-src \*/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('x-request-id')).toMatch(/^req_/);
  });

  it('answers HEAD without asking the vendor', async () => {
    const { world, media } = await published();
    const before = calls(world, 'zoom', 'GET', /./).length;
    const head = await fetch(media, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([200, 'video/mp4', '']);
    expect(calls(world, 'zoom', 'GET', /./)).toHaveLength(before);
    world.jump(15 * 24 * 60 * MINUTE);
    expect((await fetch(media, { method: 'HEAD' })).status).toBe(410);
  });
});

describeOnBothDatabases('a stream that goes on', (_open, engine) => {
  const endings: Readonly<Record<string, (world: World, recordingId: string) => Promise<unknown>>> = {
    'the consent is withdrawn': async ({ api }, id) => {
      const recording = must(await api('GET', `/v1/recordings/${id}`), 200).json as {
        meeting_id: string;
        links: { customer_id: string }[];
      };
      const decision = { decision: 'refused', locale: 'en', text_version: 'v1' };
      const path = `/v1/meetings/${recording.meeting_id}/attendees/${recording.links[0]!.customer_id}/recording-consent`;
      must(await api('PUT', path, decision), 200);
    },
    'it is taken back': async ({ api }, id) => must(await api('POST', `/v1/recordings/${id}/revoke`), 200),
    'its time is over': async (world) => world.jump(14 * DAY),
  };

  it.each(Object.keys(endings))('case 111: breaks off soon after %s, and not before', async (ending) => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const { link, recordingId } = await playStory(world, ZOOM, () => {});
    let closed = false;
    await downloadsFrom((_, response) => {
      response.on('close', () => (closed = true)).writeHead(200, { 'content-type': 'video/mp4', 'content-length': 1_000 * MB });
      response.write(Buffer.alloc(1_000));
    });
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const viewer = await open(`${link}/media`);
    let broken = false;
    viewer
      .on('error', () => {})
      .on('close', () => (broken = true))
      .resume();
    await vi.advanceTimersByTimeAsync(60_000);
    await endings[ending]!(world, recordingId);
    expect([broken, closed]).toEqual([false, false]);
    await vi.advanceTimersByTimeAsync(20_000);
    await vi.waitFor(() => expect([broken, closed, viewer.complete]).toEqual([true, true, false]));
  });
});

describeOnBothDatabases('what a stream leaves behind', (_open, engine) => {
  it('case 114: stores nothing of the file', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const { link } = await playStory(world, ZOOM, () => {});
    await downloadsFrom((_, response) => void response.writeHead(200, { 'content-type': 'video/mp4' }).end('canary of the film'));
    expect(await (await fetch(`${link}/media`)).text()).toBe('canary of the film');
    expect(await everythingStored(world)).not.toContain('canary of the film');
  });
});
