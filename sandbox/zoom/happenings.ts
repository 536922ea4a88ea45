/** What people do in meetings, and the events that Zoom makes of it. */
import { digits, guid, secret } from '../ids.ts';
import { HOUR, MINUTE, seconds, unixSeconds, plus } from '../clock.ts';
import { Refused } from '../world.ts';
import type { Happenings, Person, RecordingMove } from '../world.ts';
import { describeRecording } from './recording-answers.ts';
import { AUDIO, TRANSCRIPT, VIDEO } from '../media.ts';
import { concurrentMeetings } from './meeting-rules.ts';
import { newUuid, signOwn } from './state.ts';
import type { Instance, Participant, Zoom, ZoomMeeting, ZoomRecording } from './state.ts';

/** https://developers.zoom.us/docs/api/meetings/events/#tag/recording/POSTrecording.completed */
const DOWNLOAD_TOKEN_LIFE_MS = 24 * HOUR;
/** Of meetings of a Basic host, whoever is in them: https://support.zoom.com/hc/en/article?id=zm_kb&sysparm_article=KB0067966 */
const BASIC_LIMIT_MS = 40 * MINUTE;

export function zoomHappenings(zoom: Zoom): Happenings {
  const { state, world } = zoom;
  const find = (id: string): ZoomMeeting | undefined => state.meetings.find((meeting) => String(meeting.id) === id);

  return {
    start(id, { limits } = { limits: false }) {
      const meeting = find(id);
      if (!meeting) return undefined;
      if (meeting.deleted) throw new Refused(409, 'The meeting is deleted.');
      const instance = startMeeting(zoom, meeting);
      if (limits && meeting.host.type === 1) cutOffLater(zoom, meeting, instance);
      return { uuid: instance.uuid };
    },

    join(id, person) {
      const meeting = find(id);
      if (!meeting) return undefined;
      const instance = running(meeting) ?? startMeeting(zoom, meeting);
      const participant = newParticipant(zoom, person);
      instance.participants.push(participant);
      const object = {
        ...eventObject(meeting, instance),
        participant: { ...describe(participant), join_time: seconds(participant.joinedAt) },
      };
      zoom.fire({ event: 'meeting.participant_joined', host: meeting.host, accountId: meeting.host.accountId, payload: { object } });
      return { uuid: instance.uuid, participant_uuid: participant.uuid };
    },

    leave(id, person) {
      const meeting = find(id);
      if (!meeting) return undefined;
      const instance = running(meeting);
      const participant = instance?.participants.findLast((candidate) => candidate.leftAt === null && isPerson(candidate, person));
      if (!instance || !participant) throw new Refused(409, 'Nobody like that is in the meeting.');
      leave(zoom, meeting, instance, participant, { reason: 'left the meeting. Reason : left the meeting' });
      return { uuid: instance.uuid, participant_uuid: participant.uuid };
    },

    end(id, reason) {
      const meeting = find(id);
      if (!meeting) return undefined;
      const instance = endMeeting(zoom, meeting, reason);
      if (!instance) throw new Refused(409, 'The meeting is not running.');
      return { uuid: instance.uuid };
    },

    finishRecording(id, { transcript }) {
      const meeting = find(id);
      if (!meeting) return undefined;
      const instance = meeting.instances.at(-1);
      if (!instance) throw new Refused(409, 'The meeting has never run.');
      if (meeting.host.type !== 2) throw new Refused(409, 'Cloud recording needs a licensed host.');
      const recording = makeRecording(zoom, meeting, instance);
      state.recordings.push(recording);
      fireRecording(zoom, recording, 'recording.completed');
      if (transcript) {
        const file = {
          id: guid(world.random),
          fileType: 'TRANSCRIPT',
          recordingType: 'audio_transcript',
          size: TRANSCRIPT().bytes.length,
        } as const;
        recording.files.push(file);
        fireRecording(zoom, { ...recording, files: [file] }, 'recording.transcript_completed');
      }
      return { uuid: recording.uuid, files: recording.files.map((file) => file.id) };
    },

    moveRecording(id, to) {
      const meeting = find(id);
      if (!meeting) return undefined;
      const recording = state.recordings.findLast((one) => one.meeting === meeting && (one.state === 'trashed') === (to === 'recover'));
      if (!recording) throw new Refused(409, 'There is no such recording.');
      moveRecording(zoom, recording, to);
      return { uuid: recording.uuid };
    },
  };
}

/** Moved by hand or by a call: Zoom tells both in the same way. */
export function moveRecording(zoom: Zoom, recording: ZoomRecording, to: RecordingMove): void {
  if (to === 'delete') zoom.state.recordings = zoom.state.recordings.filter((other) => other !== recording);
  else recording.state = to === 'trash' ? 'trashed' : 'available';
  fireRecording(zoom, recording, `recording.${to === 'delete' ? 'deleted' : to === 'trash' ? 'trashed' : 'recovered'}`);
}

/** Ends the running instance, now or at a moment that has just passed; undefined when none runs. */
export function endMeeting(zoom: Zoom, meeting: ZoomMeeting, reason: 'host' | 'limit', at?: Date): Instance | undefined {
  const instance = running(meeting);
  if (!instance) return undefined;
  const why = reason === 'limit' ? 'Exceeded free meeting minutes limit.' : 'Host ended the meeting.';
  for (const participant of instance.participants.filter(({ leftAt }) => leftAt === null)) {
    leave(zoom, meeting, instance, participant, { at, reason: `${participant.name} left the meeting.<br>Reason: ${why}` });
  }
  const now = at ?? zoom.world.agenda.now();
  instance.endedAt = now;
  meeting.status = 'waiting';
  meeting.uuid = newUuid(zoom);
  const { host } = meeting;
  const object = { ...eventObject(meeting, instance), host_email: host.email, end_time: seconds(now) };
  if (recordsItself(meeting)) fireRecordingState(zoom, meeting, instance, 'recording.stopped');
  zoom.fire({ event: 'meeting.ended', host, accountId: host.accountId, payload: { object } });
  return instance;
}

/** Fires one of the events that carry the whole recording. */
export function fireRecording(zoom: Zoom, recording: ZoomRecording, event: string): void {
  const { meeting } = recording;
  const token = signOwn(zoom.key, {
    iss: 'https://event.zoom.us',
    mid: recording.uuid,
    exp: unixSeconds(plus(zoom.world.agenda.now(), DOWNLOAD_TOKEN_LIFE_MS)),
  });
  const operator = event.endsWith('completed') ? {} : { operator: meeting.host.email, operator_id: meeting.host.id };
  zoom.fire({
    event,
    host: meeting.host,
    accountId: meeting.host.accountId,
    payload: { ...operator, object: describeRecording(zoom, recording, 'event') },
    extra: { download_token: token },
  });
}

const running = (meeting: ZoomMeeting): Instance | undefined => meeting.instances.find(({ endedAt }) => endedAt === null);
const recordsItself = ({ settings }: ZoomMeeting): boolean => settings['auto_recording'] === 'cloud';

function startMeeting(zoom: Zoom, meeting: ZoomMeeting): Instance {
  const already = running(meeting);
  if (already) return already;
  const others = zoom.state.meetings.filter((other) => other.host === meeting.host && running(other) !== undefined);
  if (others.length >= concurrentMeetings(meeting.host)) throw new Refused(409, 'The host has another meeting in progress.');
  const instance: Instance = { uuid: meeting.uuid, startedAt: zoom.world.agenda.now(), endedAt: null, participants: [] };
  meeting.instances.push(instance);
  meeting.status = 'started';
  const { host } = meeting;
  const object = { ...eventObject(meeting, instance), host_email: host.email };
  zoom.fire({ event: 'meeting.started', host, accountId: host.accountId, payload: { object } });
  if (recordsItself(meeting)) fireRecordingState(zoom, meeting, instance, 'recording.started');
  return instance;
}

/** The clock may jump past the moment: it is then told late, but as of its moment. */
function cutOffLater(zoom: Zoom, meeting: ZoomMeeting, instance: Instance): void {
  const at = plus(instance.startedAt, BASIC_LIMIT_MS);
  zoom.world.agenda.at(at, () => {
    if (running(meeting) === instance) endMeeting(zoom, meeting, 'limit', at);
  });
}

/** Meeting events carry the number as text, the scheduled duration and the real start. */
function eventObject(meeting: ZoomMeeting, instance: Instance): Record<string, unknown> {
  return {
    id: String(meeting.id),
    uuid: instance.uuid,
    host_id: meeting.host.id,
    topic: meeting.topic,
    type: meeting.type,
    start_time: seconds(instance.startedAt),
    timezone: meeting.timezone,
    duration: meeting.duration,
  };
}

function fireRecordingState(zoom: Zoom, meeting: ZoomMeeting, instance: Instance, event: 'recording.started' | 'recording.stopped'): void {
  const { host } = meeting;
  const recording_file = {
    recording_start: seconds(instance.startedAt),
    recording_end: event === 'recording.started' ? '' : seconds(zoom.world.agenda.now()),
  };
  // Recording events carry the number as a number.
  zoom.fire({
    event,
    host,
    accountId: host.accountId,
    payload: { object: { ...eventObject(meeting, instance), id: meeting.id, recording_file } },
  });
}

function newParticipant({ state, world }: Zoom, { name, email, user }: Person): Participant {
  const known = state.users.find((candidate) => candidate.email === user);
  return {
    uuid: guid(world.random).toUpperCase(),
    number: digits(world.random, 8),
    name: name ?? known?.firstName ?? email ?? 'Guest',
    email: known?.email ?? '',
    userId: known?.id ?? '',
    joinedAt: world.agenda.now(),
    leftAt: null,
  };
}

const describe = ({ uuid, number, name, email, userId }: Participant): Record<string, unknown> => ({
  user_id: number,
  user_name: name,
  registrant_id: '',
  participant_user_id: userId,
  id: userId,
  email,
  participant_uuid: uuid,
  public_ip: '192.0.2.10',
});

/** Without a name it is whoever joined last. */
const isPerson = (candidate: Participant, { name, email, user }: Person): boolean =>
  (name ?? email ?? user) === undefined ||
  candidate.name === name ||
  candidate.name === email ||
  (user !== undefined && candidate.email === user);

function leave(
  zoom: Zoom,
  meeting: ZoomMeeting,
  instance: Instance,
  participant: Participant,
  { at = zoom.world.agenda.now(), reason }: { readonly at?: Date | undefined; readonly reason: string },
): void {
  participant.leftAt = at;
  const left = { ...describe(participant), leave_time: seconds(at), leave_reason: reason };
  const { host } = meeting;
  const object = { ...eventObject(meeting, instance), participant: left };
  zoom.fire({ event: 'meeting.participant_left', host, accountId: host.accountId, payload: { object } });
}

function makeRecording({ world }: Zoom, meeting: ZoomMeeting, instance: Instance): ZoomRecording {
  return {
    uuid: instance.uuid,
    meeting,
    startedAt: instance.startedAt,
    // A recording that is asked for while the meeting runs covers at least its first minute.
    endedAt: instance.endedAt ?? plus(instance.startedAt, MINUTE),
    passcode: secret(world.random, 16),
    files: [
      { id: guid(world.random), fileType: 'MP4', recordingType: 'shared_screen_with_speaker_view', size: VIDEO().bytes.length },
      { id: guid(world.random), fileType: 'M4A', recordingType: 'audio_only', size: AUDIO().bytes.length },
      { id: guid(world.random), fileType: 'CC', recordingType: 'closed_caption', size: TRANSCRIPT().bytes.length },
    ],
    state: 'available',
    settings: {
      share_recording: 'publicly',
      viewer_download: true,
      password: '',
      on_demand: false,
      recording_authentication: false,
      approval_type: 2,
    },
  };
}
