/** Zoom's events in the gateway's vocabulary. Pure; schemas ask for what is used only, because Zoom's own examples break Zoom's schemas. */
import { z } from 'zod';
import { Failure } from '../../src/domain/failure.ts';
import type { Notice, VendorEvent } from '../provider.ts';
import { eventMs } from './event-moment.ts';
import { zoomId } from './meeting-answer.ts';
import { momentOf, toRecording, zoomRecording } from './recording-files.ts';

const envelope = z.object({ event: z.string(), payload: z.unknown().optional() });
const text = z.string().optional();

const meetingPayload = z.object({ object: z.object({ id: zoomId, uuid: z.string().min(1), start_time: text, end_time: text }) });
const participantPayload = z.object({
  object: z.object({
    id: zoomId,
    uuid: z.string().min(1),
    participant: z.object({
      user_id: text,
      user_name: text,
      id: text,
      participant_user_id: text,
      participant_uuid: text,
      join_time: text,
      leave_time: text,
      // The official example says this where the schema and reality say `join_time`.
      date_time: text,
      leave_reason: text,
    }),
  }),
});
const recordingPayload = z.object({ object: zoomRecording.extend({ id: zoomId }) });
const batchPayload = z.object({
  account_id: z.string().min(1),
  // Trashed ones are a list of uuids, deleted ones a list of meetings with the uuid inside.
  object: z.union([
    z.object({ meeting_uuids: z.array(z.string().min(1)) }).transform((object) => object.meeting_uuids),
    z
      .object({ meetings: z.array(z.object({ meeting_uuid: z.string().min(1) })) })
      .transform(({ meetings }) => meetings.map(({ meeting_uuid: uuid }) => uuid)),
  ]),
});
const deauthorizedPayload = z.object({ account_id: z.string().min(1), user_id: text });

/** In `leave_reason` of everybody whom Zoom sends out after 40 minutes. */
const LIMIT_REASON = 'Exceeded free meeting minutes limit';

type Reader = (payload: unknown, at: Date) => VendorEvent;

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['meeting.started', (payload, at) => meeting('meeting.started', payload, at)],
  ['meeting.ended', (payload, at) => meeting('meeting.ended', payload, at)],
  ['meeting.participant_joined', (payload, at) => participant('participant.joined', payload, at)],
  ['meeting.participant_left', (payload, at) => participant('participant.left', payload, at)],
  ['recording.started', processing],
  ['recording.stopped', processing],
  ['recording.completed', ready],
  ['recording.transcript_completed', ready],
  ['recording.trashed', (payload, at) => moved('recording.removed', payload, at)],
  ['recording.deleted', (payload, at) => moved('recording.removed', payload, at)],
  ['recording.recovered', (payload, at) => moved('recording.recovered', payload, at)],
  ['recording.batch_trashed', (payload, at) => movedTogether('recordings.removed', payload, at)],
  ['recording.batch_deleted', (payload, at) => movedTogether('recordings.removed', payload, at)],
  ['recording.batch_recovered', (payload, at) => movedTogether('recordings.recovered', payload, at)],
  ['app_deauthorized', deauthorized],
]);

export function readEvents(bytes: Buffer): readonly Notice[] {
  try {
    // Lenient decoding would store another name than the one that was proven.
    const document: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    const { event, payload } = envelope.parse(document);
    const reader = READERS.get(event);
    if (reader === undefined) return [];
    const ms = eventMs(document);
    if (ms === undefined) throw new Error('the event has no moment');
    return [reader(payload, new Date(ms))];
  } catch (error) {
    throw new Failure('malformed', 'The event of Zoom does not have the documented shape.', { cause: error });
  }
}

function meeting(type: 'meeting.started' | 'meeting.ended', payload: unknown, at: Date): VendorEvent {
  const { id, uuid, start_time: startTime, end_time: endTime } = meetingPayload.parse(payload).object;
  const about = { meetingId: id, instanceId: uuid };
  if (type === 'meeting.started') return { type, ...about, at: momentOf(startTime) ?? at };
  return { type, ...about, at: momentOf(endTime) ?? at, limitReached: false };
}

function participant(type: 'participant.joined' | 'participant.left', payload: unknown, at: Date): VendorEvent {
  const { id, uuid, participant: person } = participantPayload.parse(payload).object;
  const participantId = person.participant_uuid || person.user_id;
  if (!participantId) throw new Error('the participant has no id');
  const moment = type === 'participant.joined' ? person.join_time : person.leave_time;
  return {
    type,
    meetingId: id,
    instanceId: uuid,
    at: momentOf(moment) ?? momentOf(person.date_time) ?? at,
    participantId,
    // Guests come with empty strings.
    name: person.user_name || null,
    userId: person.participant_user_id || person.id || null,
    limitReached: type === 'participant.left' && person.leave_reason?.includes(LIMIT_REASON) === true,
  };
}

function processing(payload: unknown, at: Date): VendorEvent {
  const { id, uuid } = recordingPayload.parse(payload).object;
  return { type: 'recording.processing', meetingId: id, recordingId: uuid, at };
}

function ready(payload: unknown, at: Date): VendorEvent {
  const { object } = recordingPayload.parse(payload);
  const recording = toRecording(object);
  // "Completed" may come while a file is still being made.
  if (recording.state === 'processing') return { type: 'recording.processing', meetingId: object.id, recordingId: recording.id, at };
  return { type: 'recording.ready', meetingId: object.id, recording, at };
}

function moved(type: 'recording.removed' | 'recording.recovered', payload: unknown, at: Date): VendorEvent {
  const { id, uuid, recording_files: files = [] } = recordingPayload.parse(payload).object;
  // A host may move single files. What has no id is no file of ours, and does not stand for the others.
  const fileIds = files.length === 0 ? null : files.flatMap((file) => file.id || []);
  return { type, meetingId: id, recordingId: uuid, fileIds, at };
}

function movedTogether(type: 'recordings.removed' | 'recordings.recovered', payload: unknown, at: Date): VendorEvent {
  const { account_id: organisation, object } = batchPayload.parse(payload);
  return { type, organisation, recordingIds: [...new Set(object)], at };
}

function deauthorized(payload: unknown, at: Date): VendorEvent {
  const { account_id: organisation, user_id: userId } = deauthorizedPayload.parse(payload);
  return { type: 'account.deauthorized', organisation, userId: userId || null, at };
}
