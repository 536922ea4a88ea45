/** The shape of a notification: as Microsoft sends it, as it is stored, and as the gateway understands it. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Failure } from '../../src/domain/failure.ts';
import type { Delivery, Notice } from '../provider.ts';
import { completeRecording, vendorRecording } from './recordings.ts';
import { encryptedContent, type Rich } from './rich.ts';

// Only what is used.
const item = z.object({
  subscriptionId: z.string().min(1).max(200),
  id: z.string().max(500).nullish(),
  changeType: z.string().max(50).nullish(),
  resource: z.string().max(4_000).nullish(),
  lifecycleEvent: z.string().max(100).nullish(),
  subscriptionExpirationDateTime: z.string().max(100).nullish(),
  /** Kept only when Microsoft's token vouches for it; otherwise the recording is asked for. */
  encryptedContent: encryptedContent.nullish().catch(undefined),
});
export type Item = z.infer<typeof item>;
const receivedItem = item.extend({ clientState: z.string().min(1), tenantId: z.string().max(100).nullish().catch(undefined) });
export type ReceivedItem = z.infer<typeof receivedItem>;

/** One item per delivery, without its secret, and with the moment of receipt: Microsoft names none. */
const stored = z.object({ receivedAt: z.iso.datetime().optional(), value: z.array(item) });
type Stored = z.infer<typeof stored>;

/** The items that have the documented shape and claim to be ours; empty for anything else. */
export function openBody(bytes: Buffer): { items: ReceivedItem[]; validationTokens: readonly string[] } {
  const body = parseJson(bytes);
  const items = itemsIn(body).flatMap((candidate) => {
    const parsed = receivedItem.safeParse(inOneSpelling(candidate));
    return parsed.success ? [parsed.data] : [];
  });
  return { items, validationTokens: tokens.safeParse(body).data?.validationTokens ?? [] };
}

const tokens = z.object({ validationTokens: z.array(z.string()) });

/** Microsoft's page on recordings writes `EncryptedContent`, all others `encryptedContent`. */
function inOneSpelling(candidate: unknown): unknown {
  const { EncryptedContent: content, ...rest } = z.record(z.string(), z.unknown()).catch({}).parse(candidate);
  return content === undefined ? candidate : { encryptedContent: content, ...rest };
}

export function deliveryOf({ clientState: _secret, tenantId: _tenant, ...kept }: ReceivedItem, now: Date): Delivery {
  return { key: keyOf(kept), bytes: Buffer.from(JSON.stringify({ receivedAt: now.toISOString(), value: [kept] } satisfies Stored)) };
}

/** @throws Failure `malformed` */
export function readStored(bytes: Buffer): Stored {
  const body = parseJson(bytes);
  const parsed = stored.safeParse(isBare(body) ? { value: [body] } : body);
  if (parsed.success) return parsed.data;
  throw new Failure('malformed', 'The notification does not have the documented shape.', { cause: parsed.error });
}

/** `decrypt`: the resource inside, where it can be had. */
export function noticesOf({ receivedAt, value }: Stored, decrypt: Rich['decrypt'] = () => undefined): readonly Notice[] {
  const at = new Date(receivedAt ?? 0);
  return value.flatMap((notification): Notice[] => {
    if (notification.lifecycleEvent) return lifecycleNotice(notification);
    const { subscriptionId, changeType, resource, encryptedContent: content } = notification;
    const named = resource ? recordingIn(resource) : undefined;
    if (!resource || changeType !== 'created' || !named) return [];
    const told = content ? completeRecording.safeParse(decrypt(content)).data : undefined;
    // What is inside has to be what is named outside, and as much as an answer would tell.
    if (told?.id === named.recordingId && told.meetingId === named.meetingId)
      return [{ type: 'recording.ready', meetingId: told.meetingId, at: told.endDateTime, recording: vendorRecording(told) }];
    return [{ type: 'pointer', subscriptionId, about: 'callRecording.created', resource, at }];
  });
}

/** The ids inside `communications/onlineMeetings('m')/recordings('r')` or `users('u')/onlineMeetings('m')/recordings('r')`, keys in either OData spelling. */
export function recordingIn(resource: string): { meetingId: string; recordingId: string } | undefined {
  const key = String.raw`(?:\('([^']+)'\)|/([^'/()]+))`;
  const match = new RegExp(`^/?(?:communications|me|users${key})/onlineMeetings${key}/recordings${key}$`, 'i').exec(resource);
  const [meetingId, recordingId] = [match?.[3] ?? match?.[4], match?.[5] ?? match?.[6]];
  return meetingId !== undefined && recordingId !== undefined ? { meetingId, recordingId } : undefined;
}

const LIFECYCLE = {
  reauthorizationRequired: 'subscription.expiring',
  subscriptionRemoved: 'subscription.removed',
  missed: 'subscription.missed',
} as const;

function lifecycleNotice({ subscriptionId, lifecycleEvent }: Item): Notice[] {
  const known = Object.entries(LIFECYCLE).find(([name]) => name === lifecycleEvent);
  return known ? [{ type: known[1], subscriptionId, reason: null }] : [];
}

/**
 * A change notification carries no time of what happened, so its key starts with zeros: the same recording has the same key,
 * however often and whenever it is sent. A lifecycle notification is told from the next one by Microsoft's id or, where there is
 * none, by the subscription's expiry, which every renewal moves on; the expiry is also the time in front.
 */
function keyOf({ subscriptionId, id, changeType, resource, lifecycleEvent, subscriptionExpirationDateTime }: Item): string {
  if (lifecycleEvent) {
    const expiry = Date.parse(subscriptionExpirationDateTime ?? '');
    const about = id ?? subscriptionExpirationDateTime ?? '';
    return `${digits(expiry)}.${digest(['lifecycle', subscriptionId, lifecycleEvent, about])}`;
  }
  const named = recordingIn(resource ?? '');
  const about = named ? ['recording', named.meetingId, named.recordingId] : ['resource', resource ?? '', id ?? ''];
  return `${digits(0)}.${digest([subscriptionId, changeType ?? '', ...about])}`;
}

const digits = (ms: number): string => (ms >= 0 && ms < 1e13 ? String(ms) : '0').padStart(13, '0');

const digest = (parts: readonly string[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('base64url');

function itemsIn(body: unknown): unknown[] {
  if (isBare(body)) return [body];
  const value = z.object({ value: z.array(z.unknown()) }).safeParse(body);
  return value.success ? value.data.value : [];
}

/** Microsoft's page on recordings shows the item without the `value` around it. */
const isBare = (body: unknown): boolean => typeof body === 'object' && body !== null && 'subscriptionId' in body && !('value' in body);

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
