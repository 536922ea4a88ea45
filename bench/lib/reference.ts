/**
 * What the gateway is compared with, as a program: `node:http` and the proof, and then
 *   `bare`    nothing at all (what an acknowledgement costs without storage), or
 *   `single`  one commit per webhook with `synchronous=FULL` (what a first implementation does).
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deliveryKey } from '../../providers/zoom/delivery-key.ts';
import { Sqlite } from '../../src/store/engine/better-sqlite3.ts';
import { SECRET } from './deliveries.ts';

const [kind, file] = process.argv.slice(2);
const store = kind === 'single' ? singleCommits(file!) : (): void => {};

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
    if (isProven(request.headers, bytes)) store(bytes);
    else response.statusCode = 401;
    response.setHeader('content-length', 0);
    response.end();
  });
});
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));

function isProven(headers: IncomingHttpHeaders, bytes: Buffer): boolean {
  const timestamp = String(headers['x-zm-request-timestamp']);
  const given = Buffer.from(String(headers['x-zm-signature']).slice(3), 'hex');
  const expected = createHmac('sha256', SECRET).update(`v0:${timestamp}:`).update(bytes).digest();
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** The same row as the gateway's, in a table of the same shape and with the same care, but committed by itself. */
function singleCommits(path: string): (bytes: Buffer) => void {
  const db = new Sqlite(path);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.pragma('secure_delete = ON');
  db.exec(
    `create table inbox (key text primary key not null, provider text not null, body blob, state text not null, reason text,
       received_at integer not null, due_at integer not null, leased_until integer, attempts integer not null);
     create index inbox_due on inbox (due_at) where state = 'pending'`,
  );
  const insert = db.prepare(
    `insert into inbox (key, provider, body, state, received_at, due_at, attempts) values (?, 'zoom', ?, 'pending', ?, ?, 0) on conflict do nothing`,
  );
  return (bytes) => {
    const at = Date.now();
    insert.run(`zoom:${deliveryKey(JSON.parse(bytes.toString('utf8')), bytes)}`, bytes, at, at);
  };
}
