/**
 * A marketplace's endpoint for the gateway's events. It proves each one, keeps it, and only then says 204:
 * `WEBHOOK_SECRET=whsec_… npx tsx examples/receiver/receiver.ts`
 */
import { serve } from '@hono/node-server';
import Sqlite from 'better-sqlite3';
import { EventVerificationError, verifyEvent, type GatewayEvent } from 'conferencing-gateway/client';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';

const { WEBHOOK_SECRET = '', EVENTS_FILE = 'events.db', PORT = '8080' } = process.env;
// Several, separated by spaces, while one takes the place of another.
const secrets = WEBHOOK_SECRET.split(/\s+/).filter((secret) => secret !== '');
if (secrets.length === 0 || !secrets.every((secret) => /^whsec_[A-Za-z0-9+/]{32,}={0,2}$/.test(secret)))
  throw new Error('WEBHOOK_SECRET has to be the whole whsec_… that came with the endpoint.');

const db = new Sqlite(EVENTS_FILE);
// A 204 is a promise: what it is about has to survive a loss of power.
db.exec(`
  pragma journal_mode = wal;
  pragma synchronous = full;
  create table if not exists events (id text primary key, type text not null, body text not null);
  create table if not exists meetings (id text primary key, state text not null, sequence integer not null);
  create table if not exists recordings (id text primary key, sequence integer not null);
  create table if not exists ended_recordings (id text primary key, sequence integer not null);
  create table if not exists recording_links (recording_id text, customer_id text, url text, primary key (recording_id, customer_id));
`);
const insertEvent = db.prepare('insert or ignore into events values (?, ?, ?)');
const insertLink = db.prepare(`insert or replace into recording_links select @recording_id, @customer_id, @url
  where not exists (select 1 from ended_recordings where id = @recording_id and sequence > @sequence)`);
const endRecording = db.prepare('insert or replace into ended_recordings values (?, ?)');
const deleteLinks = db.prepare('delete from recording_links where recording_id = ?');
// Events may overtake each other; the sequence says which of two about a meeting came first.
const setState = db.prepare(`insert into meetings values (?, ?, ?)
  on conflict do update set state = excluded.state, sequence = excluded.sequence where excluded.sequence >= sequence`);

/** The id and what follows from the event in one transaction: a crash leaves both or neither, and the second delivery changes nothing. */
const take = db.transaction((event: GatewayEvent) => {
  if (insertEvent.run(event.id, event.type, JSON.stringify(event)).changes === 0) return;
  switch (event.type) {
    case 'meeting.purchased':
    case 'meeting.started':
    case 'meeting.ended':
    case 'meeting.cancelled':
    case 'meeting.expired':
      setState.run(event.data.meeting_id, event.type.slice('meeting.'.length), event.data.sequence ?? 0);
      break;
    case 'recording.published':
      for (const link of event.data.links ?? [])
        insertLink.run({ ...link, recording_id: event.data.recording_id, sequence: event.data.sequence ?? 0 });
      break;
    case 'recording.expired':
      endRecording.run(event.data.recording_id, event.data.sequence ?? 0);
      deleteLinks.run(event.data.recording_id);
      break;
    default:
    // Kept, and nothing to do: types that are new tomorrow come here, too.
  }
});

const app = new Hono().post('/events', bodyLimit({ maxSize: 64 * 1024, onError: (c) => c.text('too large', 413) }), async (c) => {
  // The raw bytes: parsed and written again the body has another signature.
  take(await verifyEvent(new Uint8Array(await c.req.arrayBuffer()), c.req.raw.headers, secrets));
  return c.body(null, 204);
});
app.onError((error, c) => {
  if (error instanceof EventVerificationError) return c.text(error.reason, 401);
  console.error(error);
  // The gateway tries again.
  return c.text('not stored', 500);
});

const server = serve({ fetch: app.fetch, port: Number(PORT) }, ({ port }) => console.log(`http://localhost:${port}/events`));
process.once('SIGTERM', () => server.close(() => db.close()));
