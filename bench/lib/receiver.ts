/** A marketplace's endpoints in a process of their own: `/fast` answers at once, `/hang` never. Tells on request what came. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  /** Requests at `/fast`. */
  readonly requests: number;
  /** `webhook-id` of each, without repeats. */
  readonly ids: string[];
  /** Requests at `/hang`. */
  readonly hanging: number;
  /** When the first and the last one came, in milliseconds since 1970. */
  readonly firstMs: number;
  readonly lastMs: number;
}

const ids = new Set<string>();
const count = { requests: 0, hanging: 0, firstMs: 0, lastMs: 0 };

const server = createServer((request, response) => {
  request.resume();
  if (request.url === '/hang') {
    count.hanging += 1;
    return;
  }
  request.on('end', () => {
    count.lastMs = Date.now();
    if (count.requests === 0) count.firstMs = count.lastMs;
    count.requests += 1;
    ids.add(String(request.headers['webhook-id']));
    response.writeHead(204).end();
  });
});
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));

// Whoever started it was killed.
process.on('disconnect', () => process.exit());
process.on('message', () => {
  process.send!({ ...count, ids: [...ids] } satisfies Received);
  ids.clear();
  Object.assign(count, { requests: 0, hanging: 0, firstMs: 0, lastMs: 0 });
});
