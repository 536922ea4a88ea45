/** The stream behind an open page of a meeting or a call. */
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';
import { Failure } from '../../domain/failure.ts';
import type { Entrance } from '../../meetings/join.ts';
import { CLOSED, type Line, type Live, type Watching } from '../live.ts';
import type { CallDoor } from '../../calls/door.ts';

/** Until then the page is fetched anew now and then. */
const RETRY_AFTER_SECONDS = 30;
/** What waits for a reader who does not read; beyond that the reader is gone. An event has half a kilobyte. */
const MOST_WAITING_BYTES = 16 * 1024;

/** `attendeeId`: null for the host's page. @throws Failure `gone` when nothing can change any more */
export function sendLive(c: Context, live: Live, { meeting, door }: Entrance, attendeeId: string | null): Response {
  if (CLOSED.has(door)) throw nothingHappens();
  return stream(c, live, { meetingId: meeting.id, attendeeId });
}

/** @throws Failure `gone` when the call does not ring any more */
export function sendCallLive(c: Context, live: Live, { call, side }: CallDoor): Response {
  if (call.state !== 'ringing') throw nothingHappens();
  return stream(c, live, { callId: call.id, side });
}

const nothingHappens = (): Failure => new Failure('gone', 'Nothing happens here any more.');

/**
 * Answers 503 when too many pages are open; that is no failure of anything. Written to the socket
 * by hand: a web stream between would double what an open page costs.
 */
function stream(c: Context, live: Live, viewer: Watching): Response {
  const headers = {
    ...Object.fromEntries(c.body(null).headers),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    // nginx would collect the events first.
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
  };
  const { outgoing } = c.env as HttpBindings;
  const forget = live.open(viewer, lineOn(outgoing, headers));
  if (forget === undefined) return c.body(null, 503, { 'retry-after': String(RETRY_AFTER_SECONDS) });
  outgoing.once('close', forget);
  return RESPONSE_ALREADY_SENT;
}

/** Apart from the request, which nobody shall keep in memory as long as the page is open. */
function lineOn(outgoing: HttpBindings['outgoing'], headers: Readonly<Record<string, string>>): Line {
  let head: Readonly<Record<string, string>> | undefined = headers;
  return {
    write(text) {
      if (head !== undefined) outgoing.writeHead(200, head);
      head = undefined;
      outgoing.write(text);
      return outgoing.writableLength < MOST_WAITING_BYTES;
    },
    // Whoever does not read would not read the end either.
    end: () => void (outgoing.writableLength < MOST_WAITING_BYTES ? outgoing.end() : outgoing.destroy()),
  };
}
