/** Zoom's documented recording.completed, over and over, each one about another happening, and signed. */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';

export const SECRET = 'bench-webhook-secret';
/** Meeting numbers start here; the first ones may be made known to the gateway. */
export const FIRST_MEETING = 1_000_000_000;

const template = readFileSync(new URL('../../test/fixtures/zoom/recording.completed.json', import.meta.url));
// Replaced in place, so that every delivery has the documented length.
const eventMs = template.indexOf('1626230691572');
const meetingId = template.indexOf('1234567890');
const uuid = template.indexOf('4444AAAiAAAAAiAiAiiAii==');

export const BODY_BYTES = template.length;

/**
 * The body of happening `index` of a run that began at `startMs`. Its vendor time is its identity: no two have the same, and it
 * is the first part of the key under which the gateway stores it.
 */
export function bodyOf({
  startMs,
  index,
  meetings = Number.POSITIVE_INFINITY,
}: {
  startMs: number;
  index: number;
  meetings?: number;
}): Buffer {
  const body = Buffer.from(template);
  body.write(String(startMs + index), eventMs, 'latin1');
  body.write(String(FIRST_MEETING + (index % meetings)), meetingId, 'latin1');
  body.write(String(index).padStart(22, '0'), uuid, 'latin1');
  return body;
}

/** The request as it goes over the wire, signed as Zoom does. */
export function requestOf(body: Buffer, { host, atMs }: { host: string; atMs: number }): Buffer {
  const timestamp = Math.floor(atMs / 1_000);
  const signature = createHmac('sha256', SECRET).update(`v0:${timestamp}:`).update(body).digest('hex');
  const head =
    `POST /webhooks/zoom HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: Zoom Marketplace/1.0a\r\nContent-Type: application/json; charset=utf-8\r\n` +
    `Clientid: bench-client\r\nX-Zm-Request-Timestamp: ${timestamp}\r\nX-Zm-Signature: v0=${signature}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}
