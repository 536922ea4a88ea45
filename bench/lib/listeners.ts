/** Open pages, in a process of their own: sockets on which streams are read by hand. */
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export type ListenOrder =
  | { readonly kind: 'open'; readonly port: number; readonly tokens: readonly string[] }
  | { readonly kind: 'expect'; readonly index: number; readonly at: number }
  | { readonly kind: 'latencies'; readonly count: number };

/** Browsers that come back to a gateway are spread by their `retry:`; so are these. */
const AT_ONCE = 100;
const PATIENCE_MS = 15_000;

const latencies: number[] = [];
const expected = new Map<string, number>();

process.on('message', (order: ListenOrder) => {
  if (order.kind === 'expect') expected.set(`${order.index} ${new Date(order.at).toISOString()}`, order.at);
  else void (order.kind === 'open' ? open(order.port, order.tokens) : collect(order.count)).then((answer) => process.send!(answer));
});

async function open(port: number, tokens: readonly string[]): Promise<number> {
  const began = performance.now();
  for (let start = 0; start < tokens.length; start += AT_ONCE)
    await Promise.all(tokens.slice(start, start + AT_ONCE).map((token, offset) => openOne(port, token, start + offset)));
  return performance.now() - began;
}

/** Resolves with the first state. */
const openOne = (port: number, token: string, index: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', reject);
    socket.on('data', (bytes) => {
      const text = bytes.toString('latin1');
      if (text.startsWith('HTTP/1.1') && !text.startsWith('HTTP/1.1 200')) reject(new Error(text.slice(0, 60)));
      const since = /"running_since":(?:"([^"]+)"|null)/.exec(text);
      if (since === null) return;
      resolve();
      const at = expected.get(`${index} ${since[1] ?? ''}`);
      if (at !== undefined) latencies.push(Date.now() - at);
    });
    socket.write(`GET /j/${token}/live HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\naccept: text/event-stream\r\n\r\n`);
  });

async function collect(count: number): Promise<number[]> {
  const began = performance.now();
  while (latencies.length < count && performance.now() - began < PATIENCE_MS) await pause(50);
  return latencies;
}
