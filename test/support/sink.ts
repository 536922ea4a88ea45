/** A webhook endpoint that answers as a test says, and keeps what it got. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface SinkRequest {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly id: string;
  readonly type: string;
}

export interface Sink {
  readonly url: string;
  readonly requests: readonly SinkRequest[];
}

export interface SinkAnswer {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

/** `answer` gives the answer to each request, or `hang` for none at all. Closed when the test is over. */
export async function startSink(
  answer: (request: SinkRequest, count: number) => SinkAnswer | 'hang' = () => ({ status: 204 }),
): Promise<Sink> {
  const requests: SinkRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const { type } = JSON.parse(body) as { type: string };
      const received = { headers: request.headers, body, id: String(request.headers['webhook-id']), type };
      requests.push(received);
      const given = answer(received, requests.length);
      if (given === 'hang') return;
      response.writeHead(given.status, given.headers).end(given.body);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, requests };
}
