import { createHash } from 'node:crypto';
import { eventMs } from './event-moment.ts';
import { memberOf } from './json.ts';

/**
 * Zoom delivers at least once, and two deliveries of one happening may differ in their download addresses, so the identity is what
 * happened: event, account, instance, moment; for participants their stay, for recordings their part or their files.
 */
export function deliveryKey(document: unknown, bytes: Buffer): string {
  const event = memberOf(document, 'event');
  const ms = eventMs(document);
  const payload = memberOf(document, 'payload');
  // Without these there is no identity to go by; the same bytes are then the same happening.
  if (typeof event !== 'string' || ms === undefined || memberOf(payload, 'account_id') === undefined) return key(0, bytes);
  const object = memberOf(payload, 'object');
  const participant = memberOf(object, 'participant');
  const files = memberOf(object, 'recording_files');
  const identity = [
    event,
    ms,
    memberOf(payload, 'account_id'),
    memberOf(payload, 'user_id'),
    String(memberOf(object, 'id')),
    memberOf(object, 'uuid'),
    // Batch events name their instances in a list.
    memberOf(object, 'meeting_uuids'),
    ...['participant_uuid', 'user_id', 'join_time', 'leave_time', 'date_time'].map((name) => memberOf(participant, name)),
    ...['recording_start', 'recording_end'].map((name) => memberOf(memberOf(object, 'recording_file'), name)),
    Array.isArray(files) ? files.map((file) => String(memberOf(file, 'id'))).toSorted() : null,
  ];
  return key(ms, JSON.stringify(identity));
}

const key = (ms: number, identity: string | Buffer): string =>
  `${String(ms).padStart(13, '0')}.${createHash('sha256').update(identity).digest('base64url')}`;
