/** Proof that an event is the gateway's, by Standard Webhooks (https://www.standardwebhooks.com) over the raw bytes. */
import type { GatewayEvent } from './events.ts';

/** A receiver answers each of these with 401 or 400: the delivery is forged, damaged or too old. */
export type VerificationFailure = 'headers_missing' | 'headers_malformed' | 'outside_tolerance' | 'signature_mismatch' | 'body_malformed';

export class EventVerificationError extends Error {
  readonly reason: VerificationFailure;

  constructor(reason: VerificationFailure, message: string) {
    super(message);
    this.name = 'EventVerificationError';
    this.reason = reason;
  }
}

/** A `Headers`, or what Node's `http` has. */
export type EventHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

export interface VerifyOptions {
  /** How far the delivery's clock may be from the receiver's, either way. Default: five minutes, as the standard says. */
  readonly toleranceMs?: number;
  /** Default: the machine's clock. */
  readonly now?: () => Date;
}

const FIVE_MINUTES_MS = 300_000;
/** The gateway sends no more, however often a secret was rotated. More cost a forger nothing, and the receiver one HMAC each. */
const MAX_SIGNATURES = 8;

/**
 * The event in a delivery. `body` has to be what arrived, byte by byte: parsed and written again it is not the same any more.
 * Several `secrets` while one takes the place of another.
 *
 * @throws EventVerificationError when it is not proven
 * @throws TypeError when a secret is none, which is a mistake in the configuration and nothing that a delivery can bring about
 */
export async function verifyEvent(
  body: string | Uint8Array,
  headers: EventHeaders,
  secrets: string | readonly string[],
  { toleranceMs = FIVE_MINUTES_MS, now = () => new Date() }: VerifyOptions = {},
): Promise<GatewayEvent> {
  const keys = [secrets].flat().map(bytesOfSecret);
  if (keys.length === 0) throw new TypeError('without a secret nothing can be proven');
  const [id, timestamp, signature] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => header(headers, name));
  if (id === undefined || timestamp === undefined || signature === undefined)
    throw new EventVerificationError('headers_missing', 'webhook-id, webhook-timestamp and webhook-signature are needed, once each.');
  // No dot in either: `id.timestamp.body` can be taken apart in one way only.
  if (!/^[\x21-\x2d\x2f-\x7e]{1,200}$/.test(id) || !/^[1-9]\d{0,11}$/.test(timestamp))
    throw new EventVerificationError('headers_malformed', 'webhook-id or webhook-timestamp is not what the standard says.');
  const entries = signature.split(' ');
  if (entries.length > MAX_SIGNATURES) throw new EventVerificationError('headers_malformed', 'There are too many signatures.');
  // Said this way round, because nothing is within a tolerance that is no number.
  if (!(Math.abs(now().getTime() - Number(timestamp) * 1_000) <= toleranceMs))
    throw new EventVerificationError('outside_tolerance', 'The delivery is too old, or one of the two clocks is wrong.');

  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  const prefix = new TextEncoder().encode(`${id}.${timestamp}.`);
  const signed = new Uint8Array(prefix.length + bytes.length);
  signed.set(prefix);
  signed.set(bytes, prefix.length);
  if (!(await isSigned(signed, entries, keys)))
    throw new EventVerificationError('signature_mismatch', 'No signature is one of the secret over this body.');
  return eventOf(id, bytes);
}

async function isSigned(
  signed: Uint8Array<ArrayBuffer>,
  entries: readonly string[],
  keys: readonly Uint8Array<ArrayBuffer>[],
): Promise<boolean> {
  const signatures = entries.flatMap((entry) => (entry.startsWith('v1,') ? (fromBase64(entry.slice(3)) ?? []) : []));
  for (const bytes of keys) {
    const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
    // Compares in constant time.
    for (const signature of signatures) if (await crypto.subtle.verify('HMAC', key, signature, signed)) return true;
  }
  return false;
}

function eventOf(id: string, bytes: Uint8Array): GatewayEvent {
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    body = undefined;
  }
  const { type, timestamp, data } = (body ?? {}) as Record<string, unknown>;
  if (typeof type !== 'string' || typeof timestamp !== 'string' || typeof data !== 'object' || data === null)
    throw new EventVerificationError('body_malformed', 'The body is no event.');
  // Proven to be the gateway's, so the rest is what the gateway's catalogue says.
  return { id, type, timestamp, data } as GatewayEvent;
}

/** Undefined when it is not there, or more than once. */
function header(headers: EventHeaders, name: string): string | undefined {
  // Not by `instanceof`: some frameworks bring a `Headers` of their own.
  if (isHeaders(headers)) return headers.get(name) ?? undefined;
  const values = Object.entries(headers).flatMap(([key, value]) => (key.toLowerCase() === name ? [value].flat() : []));
  return values.length === 1 && values[0] !== '' ? values[0] : undefined;
}

const isHeaders = (headers: EventHeaders): headers is Headers => typeof headers.get === 'function';

/** `whsec_` and base64 of 24 to 64 bytes. @throws TypeError */
function bytesOfSecret(secret: string): Uint8Array<ArrayBuffer> {
  const bytes = fromBase64(secret.replace(/^whsec_/, ''));
  if (bytes === undefined || bytes.length < 24 || bytes.length > 64)
    throw new TypeError('a secret has to be the whole `whsec_…` that came with the endpoint');
  return bytes;
}

/** Undefined for what is no padded base64. */
function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return undefined;
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
