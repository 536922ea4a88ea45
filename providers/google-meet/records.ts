/** Conference records and what hangs on them. Google deletes them 30 days after the end. */
import { z } from 'zod';
import type { Account, VendorRecording } from '../provider.ts';
import type { Ask } from './client.ts';
import { allPages } from './pages.ts';
import { SPACE_CREATED, SPACE_READONLY } from './scopes.ts';
import { conferenceRecord, participant, recording } from './shapes.ts';

type ConferenceRecord = z.infer<typeof conferenceRecord>;
type Recording = z.infer<typeof recording>;
type Participant = z.infer<typeof participant>;

/** The maximum of both lists; what is above is cut to it. */
const PAGE_SIZE = 100;

const recordPage = z.object({ conferenceRecords: z.array(conferenceRecord).default([]), nextPageToken: z.string().optional() });
const recordingPage = z.object({ recordings: z.array(recording).default([]), nextPageToken: z.string().optional() });

export interface Records {
  get(account: Account, name: string): Promise<ConferenceRecord>;
  listOfSpace(account: Account, space: string): Promise<readonly ConferenceRecord[]>;
  recording(account: Account, name: string): Promise<Recording>;
  recordings(account: Account, record: string): Promise<readonly Recording[]>;
  participant(account: Account, name: string): Promise<Participant>;
}

export function createRecords(ask: Ask): Records {
  const common = { scopes: [SPACE_CREATED, SPACE_READONLY], repeatable: true };
  return {
    get: (account, name) =>
      ask(account, {
        ...common,
        what: 'conferenceRecords.get',
        request: ({ meet }, options) => meet.conferenceRecords.get({ name }, options),
        answer: conferenceRecord,
      }),

    listOfSpace: (account, space) =>
      allPages(async (pageToken) => {
        const { conferenceRecords, nextPageToken } = await ask(account, {
          ...common,
          what: 'conferenceRecords.list',
          request: ({ meet }, options) =>
            meet.conferenceRecords.list({ filter: `space.name = "${space}"`, pageSize: PAGE_SIZE, ...tokenOf(pageToken) }, options),
          answer: recordPage,
        });
        return { items: conferenceRecords, nextPageToken };
      }),

    recording: (account, name) =>
      ask(account, {
        ...common,
        what: 'recordings.get',
        request: ({ meet }, options) => meet.conferenceRecords.recordings.get({ name }, options),
        answer: recording,
      }),

    recordings: (account, parent) =>
      allPages(async (pageToken) => {
        const { recordings, nextPageToken } = await ask(account, {
          ...common,
          what: 'recordings.list',
          request: ({ meet }, options) =>
            meet.conferenceRecords.recordings.list({ parent, pageSize: PAGE_SIZE, ...tokenOf(pageToken) }, options),
          answer: recordingPage,
        });
        return { items: recordings, nextPageToken };
      }),

    participant: (account, name) =>
      ask(account, {
        ...common,
        what: 'participants.get',
        request: ({ meet }, options) => meet.conferenceRecords.participants.get({ name }, options),
        answer: participant,
      }),
  };
}

/** The same from a list and from a single answer, so that webhook and reconciliation agree. */
export function vendorRecording({ name, state, startTime, endTime, driveDestination }: Recording): VendorRecording {
  // STARTED and ENDED come before the file; a state that is new to us is not taken for a finished file.
  const file = state === 'FILE_GENERATED' ? driveDestination?.file : undefined;
  return {
    id: name,
    state: file === undefined ? 'processing' : 'ready',
    startedAt: startTime ?? null,
    endedAt: endTime ?? null,
    // Meet records MP4; the size is known to Drive only.
    files: file === undefined ? [] : [{ id: file, kind: 'video', contentType: 'video/mp4', bytes: null }],
  };
}

const tokenOf = (pageToken: string | undefined) => (pageToken === undefined ? {} : { pageToken });
