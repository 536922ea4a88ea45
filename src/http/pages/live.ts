/** The stream behind an open page of a meeting. */
import type { Context } from 'hono';
import { Failure } from '../../domain/failure.ts';
import type { Gateway } from '../../gateway.ts';
import type { Entrance } from '../../meetings/join.ts';
import { CLOSED, type Live } from '../live.ts';
import { pageHeaders } from './headers.ts';

/** Until then the page is fetched anew now and then. */
const RETRY_AFTER_SECONDS = 30;

/**
 * `attendeeId`: null for the host's page. Answers 503 when too many pages are open; that is no failure of anything.
 * @throws Failure `gone` when nothing can change any more
 */
export function sendLive(c: Context, { config }: Gateway, live: Live, { meeting, door }: Entrance, attendeeId: string | null): Response {
  if (CLOSED.has(door)) throw new Failure('gone', 'Nothing happens here any more.');
  for (const [name, value] of Object.entries(pageHeaders({ secure: config.publicUrl.startsWith('https:') }))) c.header(name, value);
  const stream = live.open({ meetingId: meeting.id, attendeeId });
  if (stream === undefined) {
    c.header('retry-after', String(RETRY_AFTER_SECONDS));
    return c.body(null, 503);
  }
  c.header('content-type', 'text/event-stream; charset=utf-8');
  c.header('cache-control', 'no-store, no-transform');
  // nginx would collect the events first.
  c.header('x-accel-buffering', 'no');
  return c.body(stream);
}
