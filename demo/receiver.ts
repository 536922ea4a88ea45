/** A marketplace's webhook endpoint: proves each event by Standard Webhooks and keeps it. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { verifyEvent } from '../src/client/index.ts';

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
    const take = (event: ReceivedEvent): void => {
      // At least once: the same id is the same event.
      if (!events.some(({ id }) => id === event.id)) events.push(event);
      for (const look of waiting) look();
      response.writeHead(204).end();
    };
    const refuse = (): void => {
      rejected += 1;
      response.writeHead(401).end();
    };
    received(request, receiver.secret).then(take, refuse);
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

async function received(request: IncomingMessage, secret: string): Promise<ReceivedEvent> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  // The clock of the story jumps by days, also while a delivery is on its way.
  const { id, type, data } = await verifyEvent(Buffer.concat(chunks), request.headers, secret, { toleranceMs: Infinity });
  return { id, type, data };
}
