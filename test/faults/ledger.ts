/** A marketplace's endpoint that writes down every single delivery, repeats included. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Receipt {
  /** `webhook-id`. */
  readonly id: string;
  readonly body: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Ledger {
  readonly url: string;
  readonly receipts: readonly Receipt[];
  /** Called with each delivery before it is answered. */
  onArrival: (() => void) | undefined;
  /** Answers wait for it. */
  hold: Promise<void>;
  close(): Promise<void>;
}

export async function startLedger(): Promise<Ledger> {
  const receipts: Receipt[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const { type, data } = JSON.parse(body) as Pick<Receipt, 'type' | 'data'>;
      receipts.push({ id: String(request.headers['webhook-id']), body, type, data });
      ledger.onArrival?.();
      void ledger.hold.then(() => response.writeHead(204).end());
    });
    request.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const ledger: Ledger = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`,
    receipts,
    onArrival: undefined,
    hold: Promise.resolve(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return ledger;
}
