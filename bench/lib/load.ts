/**
 * The load generator, a process of its own: keep-alive connections with one request each under way, written to the socket by hand,
 * because a client library would take more processor time than the server under test. All requests are signed before the clock starts.
 */
import { connect } from 'node:net';
import { bodyOf, requestOf } from './deliveries.ts';
import { latenessOf, type Lateness } from './statistics.ts';

export interface LoadOrder {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** The most requests there will be; the run ends early when they are used up. */
  readonly requests: number;
  /** Vendor time of the first delivery; the following count up. */
  readonly startMs: number;
  /** How long each connection waits after an answer before it sends again; without it, as fast as the server goes. */
  readonly pauseMs?: number;
  /** Number of different meetings the deliveries are about. */
  readonly meetings?: number;
  /** Asked for in turn, in place of deliveries: `GET /path`. */
  readonly asked?: readonly string[];
}

export interface LoadReport {
  readonly seconds: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Vendor times of the deliveries that were answered with 2xx. */
  readonly acknowledged: readonly number[];
  /** Of each answer, in milliseconds. */
  readonly latencies: readonly number[];
  readonly latencyMs: Lateness;
}

process.on('message', (order: LoadOrder) => {
  void run(order).then((report) => process.send!(report));
});

async function run({ port, connections, seconds, requests, startMs, pauseMs = 0, meetings, asked = [] }: LoadOrder): Promise<LoadReport> {
  const host = `127.0.0.1:${port}`;
  const plain = asked.map((request) => Buffer.from(`${request} HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 'latin1'));
  const signed = Array.from(
    { length: requests },
    (_, index) =>
      plain[index % plain.length] ??
      requestOf(bodyOf({ startMs, index, ...(meetings === undefined ? {} : { meetings }) }), { host, atMs: Date.now() }),
  );
  const headOnly = asked[0]?.startsWith('HEAD ') ?? false;
  const latencies = new Float64Array(requests);
  const acknowledged: number[] = [];
  const statuses: Record<string, number> = {};
  let next = 0;
  let answers = 0;
  let began = 0;
  let end = 0;
  // All connections are open before the clock starts: senders like Zoom keep theirs.
  let opened = 0;
  let begin = (): void => {};
  const ready = new Promise<void>((resolve) => (begin = resolve));

  const worker = (): Promise<void> =>
    new Promise((resolve) => {
      let index = -1;
      let sentAt = 0;
      let text = '';
      const answered = (status: string): void => {
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status.startsWith('2')) acknowledged.push(startMs + index);
        latencies[answers++] = performance.now() - sentAt;
        text = '';
        index = -1;
      };
      const open = (): void => {
        const socket = connect({ port, host: '127.0.0.1', noDelay: true });
        const send = (): void => {
          sentAt = performance.now();
          if (next >= requests || sentAt >= end) {
            socket.end();
            return;
          }
          index = next++;
          socket.write(signed[index]!);
        };
        socket.on('connect', () => {
          opened += 1;
          if (opened === connections) {
            began = performance.now();
            end = began + seconds * 1_000;
            begin();
          }
          void ready.then(send);
        });
        socket.on('data', (chunk) => {
          text += chunk.toString('latin1');
          if (!isWhole(text, headOnly)) return;
          answered(text.slice(9, 12));
          if (pauseMs === 0) send();
          else setTimeout(send, pauseMs);
        });
        socket.on('error', () => {});
        socket.on('close', () => {
          // Without an answer a vendor sends it again later; here it counts as refused.
          if (index !== -1) answered('none');
          if (next >= requests || performance.now() >= end) resolve();
          else open();
        });
      };
      open();
    });

  await Promise.all(Array.from({ length: connections }, worker));
  const took = (performance.now() - began) / 1_000;
  const all = [...latencies.subarray(0, answers)];
  return { seconds: took, statuses, acknowledged, latencies: all, latencyMs: latenessOf(all) };
}

/** One request is under way per connection, so the answer ends where its length says. */
function isWhole(text: string, headOnly: boolean): boolean {
  const head = text.indexOf('\r\n\r\n');
  if (head === -1 || headOnly) return head !== -1;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head + 2));
  if (length !== null) return text.length >= head + 4 + Number(length[1]);
  return /\r\ntransfer-encoding: *chunked/i.test(text.slice(0, head)) ? text.endsWith('0\r\n\r\n') : true;
}
