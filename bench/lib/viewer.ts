/** Whoever watches a recording, as a program: takes the bytes from the socket and drops them, at once or at a given rate. */
import { connect } from 'node:net';

export interface ViewOrder {
  readonly port: number;
  readonly path: string;
  readonly range?: string;
  /** Bytes per second; as fast as it goes when left out. */
  readonly rate?: number;
  /** Leaves after this time, the answer ended or not. */
  readonly forMs?: number;
}

export interface View {
  readonly status: number;
  /** Of the body. */
  readonly bytes: number;
  readonly seconds: number;
}

const TICK_MS = 20;

process.on('message', (order: ViewOrder) => {
  void view(order).then((report) => process.send!(report));
});

function view({ port, path, range, rate, forMs }: ViewOrder): Promise<View> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    let status = 0;
    let expected = Number.POSITIVE_INFINITY;
    let head = '';
    let bytes = 0;
    let allowance = 0;
    const timers: NodeJS.Timeout[] = [];
    const finish = (): void => {
      for (const timer of timers) clearTimeout(timer);
      socket.destroy();
      resolve({ status, bytes, seconds: (performance.now() - began) / 1_000 });
    };
    const body = (count: number): void => {
      bytes += count;
      if (bytes >= expected) finish();
    };
    const socket = connect({
      port,
      host: '127.0.0.1',
      onread: {
        // One buffer for everything: reading costs next to nothing.
        buffer: Buffer.allocUnsafe(64 * 1_024),
        callback: (count, buffer) => {
          if (status === 0) {
            head += Buffer.from(buffer.subarray(0, count)).toString('latin1');
            const end = head.indexOf('\r\n\r\n');
            if (end === -1) return true;
            status = Number(head.slice(9, 12));
            expected = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? Number.POSITIVE_INFINITY);
            body(head.length - end - 4);
          } else body(count);
          if (rate === undefined) return true;
          allowance -= count;
          return allowance > 0;
        },
      },
    });
    socket.on('connect', () => {
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n${range === undefined ? '' : `Range: ${range}\r\n`}\r\n`,
      );
    });
    socket.on('error', reject);
    socket.on('close', finish);
    if (forMs !== undefined) timers.push(setTimeout(finish, forMs));
    if (rate !== undefined) {
      timers.push(
        setInterval(() => {
          allowance = Math.min(allowance + (rate * TICK_MS) / 1_000, rate);
          if (allowance > 0) socket.resume();
        }, TICK_MS),
      );
    }
  });
}
