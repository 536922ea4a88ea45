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
  const [instances, meetings] = [memberOf(object, 'meeting_uuids'), memberOf(object, 'meetings')];
  const identity = [
    event,
    ms,
    plainMemberOf(payload, 'account_id'),
    plainMemberOf(payload, 'user_id'),
    String(plainMemberOf(object, 'id')),
    plainMemberOf(object, 'uuid'),
    // Batch events name their instances in a list.
    Array.isArray(instances) ? instances.map(plain) : undefined,
    Array.isArray(meetings) ? meetings.map((meeting) => plainMemberOf(meeting, 'meeting_uuid')) : undefined,
    ...['participant_uuid', 'user_id', 'join_time', 'leave_time', 'date_time'].map((name) => plainMemberOf(participant, name)),
    ...['recording_start', 'recording_end'].map((name) => plainMemberOf(memberOf(object, 'recording_file'), name)),
    Array.isArray(files) ? files.map((file) => String(plainMemberOf(file, 'id'))).toSorted() : null,
  ];
  return key(ms, JSON.stringify(identity));
}

const plainMemberOf = (value: unknown, name: string): unknown => plain(memberOf(value, name));

/** Documented are texts and numbers. A list in their place may be nested a hundred thousand deep, which no one can write down again. */
const plain = (value: unknown): unknown => (typeof value === 'object' ? undefined : value);

const key = (ms: number, identity: string | Buffer): string =>
  `${String(ms).padStart(13, '0')}.${createHash('sha256').update(identity).digest('base64url')}`;
