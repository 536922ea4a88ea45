import { Hono } from 'hono';
import type { Context } from 'hono';
import type { Env, Routes } from '../world.ts';
import { DAY, plus } from '../clock.ts';
import { readFilter } from './filter.ts';
import type { Comparable } from './filter.ts';
import { CREATED, READONLY, googleCaller, mayRead, pageOf, rpcError } from './state.ts';
import type { ConferenceRecord, Google, MeetParticipant, Recording, Session, Transcript } from './state.ts';

interface DescribedParticipant {
  readonly name: string;
  readonly earliestStartTime?: string;
  readonly latestEndTime?: string;
}

/** Conference records are deleted so long after the end. */
const RECORD_LIFE_MS = 30 * DAY;

export function googleRecordRoutes(google: Google): Routes {
  const { state, world } = google;
  const readable = (c: Context<Env>): readonly ConferenceRecord[] | Response => {
    const caller = googleCaller(google, c, 'meet', [CREATED, READONLY]);
    if (caller instanceof Response) return caller;
    const now = world.agenda.now();
    return state.records.filter(
      ({ space, endTime }) => mayRead(space, caller.user, caller.token.scopes) && (endTime === null || plus(endTime, RECORD_LIFE_MS) > now),
    );
  };
  const find = (c: Context<Env>): ConferenceRecord | Response => {
    const records = readable(c);
    if (records instanceof Response) return records;
    const record = records.find(({ name }) => name === `conferenceRecords/${c.req.param('record')}`);
    return record ?? notFound(c);
  };
  const base = '/v2/conferenceRecords/:record';

  return new Hono<Env>()
    .get('/v2/conferenceRecords', (c) => {
      const records = readable(c);
      if (records instanceof Response) return records;
      const matches = readFilter(c.req.query('filter'), ['space.meeting_code', 'space.name', 'start_time', 'end_time']);
      if (!matches) return badFilter(c);
      const wanted = records.filter((record) => matches(comparableRecord(record))).toReversed();
      const { page, next } = pageOf(c, wanted, 25, 100);
      return c.json({ ...(page.length > 0 ? { conferenceRecords: page.map(describeRecord) } : {}), ...next });
    })
    .get(base, (c) => {
      const record = find(c);
      return record instanceof Response ? record : c.json(describeRecord(record));
    })

    .get(`${base}/participants`, (c) => {
      const record = find(c);
      if (record instanceof Response) return record;
      const matches = readFilter(c.req.query('filter'), ['earliest_start_time', 'latest_end_time']);
      if (!matches) return badFilter(c);
      const wanted = record.participants
        .map(describeParticipant)
        .filter((described) => matches({ earliest_start_time: described.earliestStartTime, latest_end_time: described.latestEndTime }));
      const { page, next } = pageOf(c, wanted, 100, 250);
      return c.json({ ...(page.length > 0 ? { participants: page } : {}), ...next });
    })
    .get(`${base}/participants/:participant`, (c) => {
      const record = find(c);
      if (record instanceof Response) return record;
      const participant = record.participants.find(({ name }) => name.endsWith(`/${c.req.param('participant')}`));
      return participant ? c.json(describeParticipant(participant)) : notFound(c);
    })
    .get(`${base}/participants/:participant/participantSessions`, (c) => {
      const record = find(c);
      if (record instanceof Response) return record;
      const participant = record.participants.find(({ name }) => name.endsWith(`/${c.req.param('participant')}`));
      if (!participant) return notFound(c);
      const matches = readFilter(c.req.query('filter'), ['start_time', 'end_time']);
      if (!matches) return badFilter(c);
      const wanted = participant.sessions.filter(({ startTime, endTime }) =>
        matches({ start_time: iso(startTime), end_time: isoOrNone(endTime) }),
      );
      const { page, next } = pageOf(c, wanted, 100, 250);
      return c.json({ ...(page.length > 0 ? { participantSessions: page.map(describeSession) } : {}), ...next });
    })
    .get(`${base}/participants/:participant/participantSessions/:session`, (c) => {
      const record = find(c);
      if (record instanceof Response) return record;
      const session = record.participants
        .flatMap(({ sessions }) => sessions)
        .find(({ name }) => name.endsWith(`/${c.req.param('session')}`));
      return session ? c.json(describeSession(session)) : notFound(c);
    })

    .get(`${base}/recordings`, (c) => {
      const record = find(c);
      if (record instanceof Response) return record;
      const { page, next } = pageOf(c, record.recordings, 10, 100);
      return c.json({ ...(page.length > 0 ? { recordings: page.map(describeRecording) } : {}), ...next });
    })
    .get(`${base}/recordings/:recording`, (c) => {
      const record = find(c);
      if (record instanceof Response) return record;
      const recording = record.recordings.find(({ name }) => name.endsWith(`/${c.req.param('recording')}`));
      return recording ? c.json(describeRecording(recording)) : notFound(c);
    })

    .get(`${base}/transcripts`, (c) => {
      const record = find(c);
      if (record instanceof Response) return record;
      const { page, next } = pageOf(c, record.transcripts, 10, 100);
      return c.json({ ...(page.length > 0 ? { transcripts: page.map(describeTranscript) } : {}), ...next });
    })
    .get(`${base}/transcripts/:transcript`, (c) => {
      const record = find(c);
      if (record instanceof Response) return record;
      const transcript = record.transcripts.find(({ name }) => name.endsWith(`/${c.req.param('transcript')}`));
      return transcript ? c.json(describeTranscript(transcript)) : notFound(c);
    });
}

const notFound = (c: Context<Env>): Response => rpcError(c, 404, 'NOT_FOUND', 'Requested entity was not found.');
const badFilter = (c: Context<Env>): Response => rpcError(c, 400, 'INVALID_ARGUMENT', 'Invalid list filter.');
const iso = (moment: Date): string => moment.toISOString();
const isoOrNone = (moment: Date | null): string | undefined => moment?.toISOString();

const comparableRecord = ({ space, startTime, endTime }: ConferenceRecord): Comparable => ({
  'space.name': `spaces/${space.id}`,
  'space.meeting_code': space.code,
  start_time: iso(startTime),
  end_time: isoOrNone(endTime),
});

const describeRecord = ({ name, space, startTime, endTime }: ConferenceRecord): object => ({
  name,
  startTime: iso(startTime),
  ...(endTime ? { endTime: iso(endTime), expireTime: iso(plus(endTime, RECORD_LIFE_MS)) } : {}),
  space: `spaces/${space.id}`,
});

const describeSession = ({ name, startTime, endTime }: Session): object => ({
  name,
  startTime: iso(startTime),
  ...(endTime ? { endTime: iso(endTime) } : {}),
});

function describeParticipant({ name, displayName, user, sessions }: MeetParticipant): DescribedParticipant {
  const [first, last] = [sessions[0], sessions.at(-1)];
  return {
    name,
    ...(user ? { signedinUser: { user: `users/${user.id}`, displayName } } : { anonymousUser: { displayName } }),
    ...(first ? { earliestStartTime: iso(first.startTime) } : {}),
    ...(last?.endTime ? { latestEndTime: iso(last.endTime) } : {}),
  };
}

const describeRecording = ({ name, state, startTime, endTime, fileId }: Recording): object => ({
  name,
  state,
  startTime: iso(startTime),
  ...(endTime ? { endTime: iso(endTime) } : {}),
  ...(fileId ? { driveDestination: { file: fileId, exportUri: `https://drive.google.com/file/d/${fileId}/view` } } : {}),
});

const describeTranscript = ({ name, startTime, endTime, document }: Transcript): object => ({
  name,
  state: 'FILE_GENERATED',
  startTime: iso(startTime),
  endTime: iso(endTime),
  docsDestination: { document, exportUri: `https://docs.google.com/document/d/${document}/view` },
});
