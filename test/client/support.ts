/** The typed client on the gateway of a test, with waits that a test can afford. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { World } from '../../demo/world.ts';
import { createClient, type GatewayClient, type NewMeeting } from '../../src/client/index.ts';
import type { ClientOptions } from '../../src/client/call.ts';
import { whenDone } from '../support/gateway.ts';
import { meetingBody } from '../support/world.ts';

export const clientOf = ({ publicUrl, apiKey }: Pick<World, 'publicUrl' | 'apiKey'>, options: Partial<ClientOptions> = {}): GatewayClient =>
  createClient({ baseUrl: publicUrl, apiKey, retryDelayMs: 1, ...options });

export const newMeeting = (world: Pick<World, 'now'>, changes: Partial<NewMeeting> = {}): NewMeeting =>
  meetingBody(world, changes) as NewMeeting;

/**
 * What a server in between does with a request: passes it on, answers itself, or passes it on and then hangs up before the answer is through,
 * or says in its own words that none came.
 */
export type Between = 'pass' | 'break after' | '504 after' | { status: number; headers?: Record<string, string>; body?: string } | 'hang';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly key: string | undefined;
  readonly body: string;
}

/** A server between client and gateway; `plan` says what becomes of the first request, the second one, and so on, and then of all. */
export async function startBetween(target: string, plan: readonly Between[]): Promise<{ url: string; seen: readonly SeenRequest[] }> {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const body = await read(request);
      const { method = '', url: path = '', headers } = request;
      seen.push({ method, path, key: headers['idempotency-key'] as string | undefined, body });
      const what = plan[Math.min(seen.length, plan.length) - 1] ?? 'pass';
      if (what === 'hang') return;
      if (typeof what === 'object') {
        response.writeHead(what.status, what.headers).end(what.body);
        return;
      }
      const { host: _, connection: __, 'content-length': ___, 'transfer-encoding': ____, ...passed } = headers;
      const answer = await fetch(target + path, {
        method,
        headers: passed as Record<string, string>,
        ...(body === '' ? {} : { body }),
      });
      const text = await answer.text();
      if (what === '504 after') {
        response.writeHead(504, { 'content-type': 'text/html' }).end('<html>Gateway Time-out</html>');
        return;
      }
      if (what === 'break after') {
        request.socket.destroy();
        return;
      }
      response
        .writeHead(
          answer.status,
          Object.fromEntries(
            ['content-type', 'retry-after', 'idempotency-replayed'].flatMap((name) => {
              const value = answer.headers.get(name);
              return value === null ? [] : [[name, value]];
            }),
          ),
        )
        .end(text);
    })();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  whenDone(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
