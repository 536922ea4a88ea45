/**
 * Zoom as far as a download needs it, as a program: it names one file of a recording and serves it from one block of memory, so that
 * it is as cheap as a server of `node:http` can be. Ranges as RFC 9110 has them. Tells how many bytes it has sent when it is asked.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const size = Number(process.argv[2]);
const block = Buffer.alloc(64 * 1_024, 7);
let sent = 0;

const server = createServer((request, response) => {
  if (request.url!.startsWith('/v2/')) {
    const { port } = server.address() as AddressInfo;
    response.setHeader('content-type', 'application/json').end(JSON.stringify(recording(`http://127.0.0.1:${port}/rec/download/1`)));
    return;
  }
  const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  const first = Number(from);
  const last = to === '' ? size - 1 : Number(to);
  response.writeHead(request.headers.range === undefined ? 200 : 206, {
    'content-type': 'video/mp4',
    'content-length': last - first + 1,
    'accept-ranges': 'bytes',
    ...(request.headers.range === undefined ? {} : { 'content-range': `bytes ${first}-${last}/${size}` }),
  });
  send(response, last - first + 1);
});
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
process.on('message', () => process.send!(sent));

/** As fast as the other end takes it. */
function send(response: ServerResponse, bytes: number): void {
  let left = bytes;
  const more = (): void => {
    while (left > 0) {
      const part = left < block.length ? block.subarray(0, left) : block;
      left -= part.length;
      sent += part.length;
      if (!response.write(part) && left > 0) return;
    }
    response.end();
  };
  response.on('drain', more);
  more();
}

const recording = (downloadUrl: string) => ({
  uuid: 'benchuuid==',
  id: 1_000_000_000,
  start_time: '2026-11-20T09:00:00Z',
  download_access_token: 'bench-token',
  recording_files: [
    {
      id: 'file-1',
      recording_start: '2026-11-20T09:00:00Z',
      recording_end: '2026-11-20T10:00:00Z',
      file_type: 'MP4',
      file_size: size,
      recording_type: 'shared_screen_with_speaker_view',
      status: 'completed',
      download_url: downloadUrl,
    },
  ],
});
