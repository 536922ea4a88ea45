/** What people do in conferences, and the events that Google makes of it. */
import { MINUTE, plus } from '../clock.ts';
import { alphanumeric, guid } from '../ids.ts';
import { Refused } from '../world.ts';
import type { Happenings, Person } from '../world.ts';
import { publish } from './events.ts';
import type { ConferenceRecord, Google, MeetParticipant, Recording, Session, Space } from './state.ts';

export function googleHappenings(google: Google): Happenings {
  const { state, world } = google;
  const find = (id: string): Space | undefined => {
    const named = decodeURIComponent(id).replace(/^spaces\//, '');
    return state.spaces.find((space) => space.id === named || space.code === named);
  };

  return {
    start(id) {
      const space = find(id);
      return space && { conferenceRecord: startConference(google, space).name };
    },

    join(id, person) {
      const space = find(id);
      if (!space) return undefined;
      const record = startConference(google, space);
      const session = newSession(google, record, person);
      publish(google, space, 'participant.v2.joined', { participantSession: { name: session.name } });
      return { conferenceRecord: record.name, participantSession: session.name };
    },

    leave(id, person) {
      const space = find(id);
      if (!space) return undefined;
      const record = running(google, space);
      const participant = record?.participants.findLast((candidate) => openSession(candidate) !== undefined && isPerson(candidate, person));
      const session = participant && openSession(participant);
      if (!record || !session) throw new Refused(409, 'Nobody like that is in the conference.');
      leave(google, space, session);
      return { conferenceRecord: record.name, participantSession: session.name };
    },

    end(id) {
      const space = find(id);
      if (!space) return undefined;
      const record = endConference(google, space);
      if (!record) throw new Refused(409, 'There is no active conference.');
      return { conferenceRecord: record.name };
    },

    finishRecording(id, { transcript }) {
      const space = find(id);
      if (!space) return undefined;
      const record = state.records.findLast((candidate) => candidate.space === space);
      if (!record) throw new Refused(409, 'There has never been a conference.');
      const recording = record.recordings.find(({ state }) => state !== 'FILE_GENERATED') ?? startRecording(google, record);
      if (recording.state === 'STARTED') endRecording(google, record, recording);
      recording.state = 'FILE_GENERATED';
      recording.fileId = alphanumeric(world.random, 33);
      state.files.push({
        id: recording.fileId,
        owner: space.owner,
        name: `${space.code} (${record.startTime.toISOString().slice(0, 16)} GMT).mp4`,
        createdAt: world.agenda.now(),
        trashed: false,
        permissions: [{ kind: 'drive#permission', id: space.owner.id, type: 'user', role: 'owner', emailAddress: space.owner.email }],
      });
      publish(google, space, 'recording.v2.fileGenerated', { recording: { name: recording.name } });
      if (transcript) addTranscript(google, record);
      return { conferenceRecord: record.name, recording: recording.name, file: recording.fileId };
    },

    // Nobody is told: Meet names the recording on, also when its file is gone.
    moveRecording(id, to) {
      const space = find(id);
      if (!space) return undefined;
      const record = state.records.findLast((candidate) => candidate.space === space);
      const fileId = record?.recordings.findLast((recording) => recording.fileId !== null)?.fileId;
      const file = state.files.find((candidate) => candidate.id === fileId);
      if (!file) throw new Refused(409, 'There is no such recording.');
      if (to === 'delete') state.files = state.files.filter((other) => other !== file);
      else file.trashed = to === 'trash';
      return { file: file.id };
    },
  };
}

/** Undefined when none runs. */
export function endConference(google: Google, space: Space): ConferenceRecord | undefined {
  const record = running(google, space);
  if (!record) return undefined;
  for (const participant of record.participants) {
    const session = openSession(participant);
    if (session) leave(google, space, session);
  }
  for (const recording of record.recordings.filter(({ state }) => state === 'STARTED')) endRecording(google, record, recording);
  record.endTime = google.world.agenda.now();
  publish(google, space, 'conference.v2.ended', { conferenceRecord: { name: record.name } });
  return record;
}

const running = ({ state }: Google, space: Space): ConferenceRecord | undefined =>
  state.records.find((record) => record.space === space && record.endTime === null);
const openSession = ({ sessions }: MeetParticipant): Session | undefined => sessions.find(({ endTime }) => endTime === null);

function startConference(google: Google, space: Space): ConferenceRecord {
  const already = running(google, space);
  if (already) return already;
  const { world, state } = google;
  const record: ConferenceRecord = {
    name: `conferenceRecords/${alphanumeric(world.random, 36)}`,
    space,
    startTime: world.agenda.now(),
    endTime: null,
    participants: [],
    recordings: [],
    transcripts: [],
  };
  state.records.push(record);
  publish(google, space, 'conference.v2.started', { conferenceRecord: { name: record.name } });
  if (recordsItself(space)) startRecording(google, record);
  return record;
}

/** Consumer accounts may ask for it; their licence does not record. */
function recordsItself({ config, owner }: Space): boolean {
  const artifacts = config['artifactConfig'] as { recordingConfig?: { autoRecordingGeneration?: string } } | undefined;
  return owner.hd !== null && artifacts?.recordingConfig?.autoRecordingGeneration === 'ON';
}

function startRecording(google: Google, record: ConferenceRecord): Recording {
  const recording: Recording = {
    name: `${record.name}/recordings/${guid(google.world.random)}`,
    state: 'STARTED',
    startTime: record.startTime,
    endTime: null,
    fileId: null,
  };
  record.recordings.push(recording);
  publish(google, record.space, 'recording.v2.started', { recording: { name: recording.name } });
  return recording;
}

function endRecording(google: Google, record: ConferenceRecord, recording: Recording): void {
  recording.state = 'ENDED';
  recording.endTime = record.endTime ?? google.world.agenda.now();
  publish(google, record.space, 'recording.v2.ended', { recording: { name: recording.name } });
}

function addTranscript(google: Google, record: ConferenceRecord): void {
  const { world } = google;
  const name = `${record.name}/transcripts/${guid(world.random)}`;
  const endTime = record.endTime ?? plus(record.startTime, MINUTE);
  record.transcripts.push({ name, startTime: record.startTime, endTime, document: alphanumeric(world.random, 44) });
  publish(google, record.space, 'transcript.v2.fileGenerated', { transcript: { name } });
}

function newSession({ world, state }: Google, record: ConferenceRecord, { name, email, user }: Person): Session {
  const known = state.users.find((candidate) => candidate.email === user) ?? null;
  const displayName = name ?? known?.name ?? email ?? 'Guest';
  let participant = record.participants.find((candidate) => known !== null && candidate.user === known);
  if (!participant) {
    participant = { name: `${record.name}/participants/${alphanumeric(world.random, 21)}`, displayName, user: known, sessions: [] };
    record.participants.push(participant);
  }
  const session = {
    name: `${participant.name}/participantSessions/${alphanumeric(world.random, 8)}`,
    startTime: world.agenda.now(),
    endTime: null,
  };
  participant.sessions.push(session);
  return session;
}

/** Without a name it is whoever joined last. */
const isPerson = ({ displayName, user: known }: MeetParticipant, { name, email, user }: Person): boolean =>
  (name ?? email ?? user) === undefined || displayName === name || displayName === email || (user !== undefined && known?.email === user);

function leave(google: Google, space: Space, session: Session): void {
  session.endTime = google.world.agenda.now();
  publish(google, space, 'participant.v2.left', { participantSession: { name: session.name } });
}
