/** The line to PostgreSQL, which a test may cut or silence: a TCP proxy that knows one word of the protocol. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Line {
  /** The database's address through this line. */
  readonly url: string;
  /** The connections of now are never heard of again and nobody is told; new ones are not let through until the line is back. */
  silence(): () => void;
  /**
   * The server hears the nth commit from now, and its answer is lost with the connection. Zero: none. How many commits came since. `of`: only
   * transactions that have said this word count.
   */
  loseAnswerTo(nth: number, of?: string): { readonly commits: () => number; readonly lost: () => boolean };
  /** What a pooler drops: replaces words of the first packet by others of the same length. */
  rewrite: ((packet: string) => string) | undefined;
}

/** A simple query `commit`, as node-postgres sends it. */
const COMMIT = Buffer.from('Q\0\0\0\x0bcommit\0', 'latin1');

export async function startLine(databaseUrl: string): Promise<Line> {
  const target = new URL(databaseUrl);
  const pairs = new Set<{ near: Socket; far: Socket; silent: boolean }>();
  let refused = false;
  let [counted, loseAt, lost] = [0, 0, false];
  let word: string | undefined;

  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    const pair = { near, far, silent: refused };
    pairs.add(pair);
    let [first, deaf, said] = [true, false, false];
    near.on('data', (bytes) => {
      if (pair.silent) return;
      const packet = first && line.rewrite !== undefined ? Buffer.from(line.rewrite(bytes.toString('latin1')), 'latin1') : bytes;
      first = false;
      if (word !== undefined) said ||= bytes.includes(word);
      if (bytes.includes(COMMIT)) {
        if ((said || word === undefined) && ++counted === loseAt) [deaf, lost] = [true, true];
        said = false;
      }
      far.write(packet);
    });
    far.on('data', (bytes) => {
      if (pair.silent) return;
      // It has answered, so the commit is done.
      if (deaf) near.destroy();
      else near.write(bytes);
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => {});
      one.on('close', () => {
        if (!pair.silent) other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const { near, far } of pairs) for (const socket of [near, far]) socket.destroy();
    server.close();
  });
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const line: Line = {
    url: url.href,
    silence() {
      for (const pair of pairs) pair.silent = true;
      refused = true;
      return () => {
        refused = false;
      };
    },
    loseAnswerTo(nth, of) {
      [counted, loseAt, lost] = [0, nth, false];
      word = of;
      return { commits: () => counted, lost: () => lost };
    },
    rewrite: undefined,
  };
  return line;
}
