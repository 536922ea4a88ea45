/** A marketplace's webhook endpoint: proves each event by Standard Webhooks and keeps it. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:http';

export interface ReceivedEvent {
  readonly id: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
}

export interface Receiver {
  readonly url: string;
  readonly events: readonly ReceivedEvent[];
  /** Set once the endpoint is registered; nothing is accepted before. */
  secret: string;
  /** Deliveries whose signature was wrong. */
  rejected(): number;
  /** The next event (or one already here) for which `wanted` holds. */
  waitFor(what: string, wanted: (event: ReceivedEvent) => boolean): Promise<ReceivedEvent>;
  close(): Promise<void>;
}

const PATIENCE_MS = 15_000;

export async function startReceiver(): Promise<Receiver> {
  const events: ReceivedEvent[] = [];
  const waiting = new Set<() => void>();
  let rejected = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const id = String(request.headers['webhook-id']);
      if (
        !isSigned(receiver.secret, id, String(request.headers['webhook-timestamp']), body, String(request.headers['webhook-signature']))
      ) {
        rejected += 1;
        response.writeHead(401).end();
        return;
      }
      // At least once: the same id is the same event.
      if (!events.some((event) => event.id === id)) events.push({ id, ...(JSON.parse(body) as Omit<ReceivedEvent, 'id'>) });
      for (const look of waiting) look();
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`,
    events,
    secret: '',
    rejected: () => rejected,
    waitFor: (what, wanted) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`The event did not arrive within ${PATIENCE_MS / 1_000} s: ${what}`));
        }, PATIENCE_MS);
        const look = (): void => {
          const found = events.find(wanted);
          if (found === undefined) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}

function isSigned(secret: string, id: string, timestamp: string, body: string, header: string): boolean {
  const expected = createHmac('sha256', Buffer.from(secret.replace(/^whsec_/, ''), 'base64'))
    .update(`${id}.${timestamp}.${body}`)
    .digest();
  return header.split(' ').some((entry) => {
    const given = Buffer.from(entry.replace(/^v1,/, ''), 'base64');
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}
